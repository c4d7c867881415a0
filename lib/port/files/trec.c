/* SPDX-License-Identifier: MIT */
#include "port/files/trec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { QRELS_COLUMNS = 4, RUN_COLUMNS = 6 };

typedef struct text {
    const char *at;
    size_t bytes;
} text;

/* Splits off up to `most` columns; the rest of the line is not looked at. *more says whether there is one. */
static int split_bytes(const char *line, size_t bytes, text *columns, int most, bool *more)
{
    const unsigned char *p = (const unsigned char *)line, *end = p + bytes;
    int count = 0;
    for (;;) {
        while (p < end && *p <= ' ') p++;
        *more = p < end;
        if (p == end || count == most) return count;
        const unsigned char *from = p;
        while (p<end && * p> ' ') p++;
        columns[count++] = (text){(const char *)from, (size_t)(p - from)};
    }
}

/* Bit i: whether byte i of 8 is one of a column, above a space. The sums carry into no other byte. */
static uint64_t eight_bits(const char *at)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7fU, high = 0x8080808080808080U, to_high = 0x5f5f5f5f5f5f5f5fU;
    uint64_t word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    uint64_t above = (((word & low) + to_high) | word) & high;
    return (above >> 7) * 0x0102040810204080U >> 56; /* gathers the bytes' lowest bits */
}

#ifdef __SSE2__
/* Likewise, of 16. */
static uint64_t sixteen_bits(const char *at)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i above = _mm_cmpeq_epi8(bytes, _mm_max_epu8(bytes, _mm_set1_epi8(' ' + 1)));
    return (unsigned)_mm_movemask_epi8(above);
}
#endif

/* Likewise, of a line of 8 to 63 bytes. The last step may overlap the one before. */
static uint64_t line_bits(const char *line, size_t bytes)
{
    uint64_t bits = 0;
#ifdef __SSE2__
    if (bytes >= 16) {
        for (size_t i = 0; i + 16 <= bytes; i += 16) bits |= sixteen_bits(line + i) << i;
        return bits | sixteen_bits(line + bytes - 16) << (bytes - 16);
    }
#endif
    for (size_t i = 0; i + 8 <= bytes; i += 8) bits |= eight_bits(line + i) << i;
    return bits | eight_bits(line + bytes - 8) << (bytes - 8);
}

/* As split_bytes. Of most lines the ends of all columns are found together, several times faster than byte by
 * byte. */
static int split(const char *line, size_t bytes, text *columns, int most, bool *more)
{
    int count = 0;
    if (bytes < 8 || bytes > 63) return split_bytes(line, bytes, columns, most, more);
    uint64_t inside = line_bits(line, bytes);
    while (inside && count < most) {
        int from = __builtin_ctzll(inside), to = from + __builtin_ctzll(~(inside >> from));
        columns[count++] = (text){line + from, (size_t)(to - from)};
        inside &= ~(uint64_t)0 << to;
    }
    *more = inside != 0;
    return count;
}

/* Digits, at most 15 with those before; how many there were, from t->at[*i] on. */
static size_t take_digits(text t, size_t *i, int64_t *n)
{
    size_t from = *i;
    for (; *i < t.bytes && (unsigned char)(t.at[*i] - '0') <= 9 && *i - from < 16; ++*i)
        *n = 10 * *n + (t.at[*i] - '0');
    return *i - from;
}

/* Digits with a point, at most 15 of them, and no exponent: both the digits and the power of ten are exact
 * doubles, so one division rounds correctly (Clinger 1990), many times faster than strtod. */
static bool parse_short(text t, double *value)
{
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = t.bytes && (t.at[0] == '-' || t.at[0] == '+'), decimals = 0;
    int64_t n = 0;
    if (t.bytes > 17) return false; /* a sign, a point and 15 digits; so n stays within 64 bits, too */
    size_t digits = take_digits(t, &i, &n);
    if (i < t.bytes && t.at[i] == '.') {
        i++;
        decimals = take_digits(t, &i, &n);
    }
    digits += decimals;
    if (i < t.bytes || !digits || digits > 15) return false;
    double size = (double)n / power[decimals];
    *value = t.at[0] == '-' ? -size : size;
    return true;
}

static bool parse_number(text t, double *value)
{
    char copy[64], *end;
    if (parse_short(t, value)) return true;
    if (t.bytes >= sizeof copy) return false;
    memcpy(copy, t.at, t.bytes);
    copy[t.bytes] = '\0';
    if (strpbrk(copy, "xX")) return false; /* strtod would take hexadecimal */
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value);
}

static bool is(text t, const char *word)
{
    return t.bytes == strlen(word) && memcmp(t.at, word, t.bytes) == 0;
}

static dq_status read_qrels(const text *columns, int count, bool more, dq_trec_line *line, dq_error *error)
{
    if (count == 3 && is(columns[0], "query-id") && is(columns[1], "corpus-id"))
        return dq_fail(
            error, DQ_ERR_FORMAT,
            "the three columns of BEIR; as four they are qrels: awk 'NR > 1 {print $1, 0, $2, $3}'");
    if (count < QRELS_COLUMNS || more)
        return dq_fail(error, DQ_ERR_FORMAT,
                       "%s than 4 columns; a line of qrels is: query iteration document relevance",
                       more ? "more" : "fewer");
    text relevance = columns[3];
    if (!parse_number(relevance, &line->value) || line->value != floor(line->value) ||
        fabs(line->value) > INT32_MAX)
        return dq_fail(error, DQ_ERR_FORMAT, "the relevance '%.*s' is not an integer", (int)relevance.bytes,
                       relevance.at);
    return DQ_OK;
}

static dq_status read_run(const text *columns, int count, dq_trec_line *line, dq_error *error)
{
    if (count < RUN_COLUMNS)
        return dq_fail(error, DQ_ERR_FORMAT,
                       "fewer than 6 columns; a line of a run is: query Q0 document rank score tag");
    text score = columns[4];
    if (!parse_number(score, &line->value))
        return dq_fail(error, DQ_ERR_FORMAT, "the score '%.*s' is not a finite number", (int)score.bytes,
                       score.at);
    line->tag = columns[5].at;
    line->tag_bytes = columns[5].bytes;
    return DQ_OK;
}

int dq_trec_next(dq_trec *trec, dq_trec_line *line, dq_error *error)
{
    text columns[RUN_COLUMNS]; /* as many as there are; filling all with zeros would cost 5 % of a run */
    char *at;
    size_t bytes;
    bool more;
    int count;
    do {
        if (dq_source_line(trec->source, &at, &bytes, error)) return -1;
        if (!at) return 0;
        trec->line++;
        count = split(at, bytes, columns, trec->form == DQ_TREC_RUN ? RUN_COLUMNS : QRELS_COLUMNS, &more);
    } while (count == 0);
    *line = (dq_trec_line){0};
    dq_status status = trec->form == DQ_TREC_RUN ? read_run(columns, count, line, error)
                                                 : read_qrels(columns, count, more, line, error);
    if (status) {
        (void)dq_error_at(error, dq_source_name(trec->source), trec->line);
        return -1;
    }
    /* a line that was read has them: NOLINTBEGIN(*.Assign) */
    line->query = columns[0].at;
    line->query_bytes = columns[0].bytes;
    line->doc = columns[2].at;
    line->doc_bytes = columns[2].bytes;
    /* NOLINTEND(*.Assign) */
    return 1;
}
