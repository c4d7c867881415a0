/* SPDX-License-Identifier: MIT
 *
 * The header is a Python dict literal. We read the form that NumPy writes and has always written: quoted
 * keys, a quoted descr, True or False, a tuple of decimal numbers; the keys in any order, white space
 * anywhere.
 */
#include "port/files/npy.h"

#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC = 6, HEADER_LIMIT = 1 << 16, ALIGN = 64 };

static const char magic[MAGIC + 1] = "\x93NUMPY";

static const struct {
    const char *descr;
    dq_dtype type;
} types[] = {
    {"<f2", DQ_F2}, {"<f4", DQ_F4}, {"<f8", DQ_F8}, {"|i1", DQ_I1}, {"<i2", DQ_I2}, {"<i4", DQ_I4},
    {"<i8", DQ_I8}, {"|u1", DQ_U1}, {"<u2", DQ_U2}, {"<u4", DQ_U4}, {"<u8", DQ_U8},
};

/* What the dict says. */
typedef struct header {
    bool has_descr, has_order, has_shape, fortran;
    dq_dtype type;
    char descr[32];      /* NumPy's name of the type */
    char text;           /* of texts: 'U' or 'S'; of numbers 0; '?' of what is not read */
    uint32_t characters; /* of each text */
    unsigned dims;
    uint64_t shape[2];
} header;

typedef struct scanner {
    const char *at, *end;
    dq_error *error;
} scanner;

static dq_status malformed(scanner *s)
{
    return dq_fail(s->error, DQ_ERR_FORMAT, "not a .npy file: its header is malformed");
}

static void spaces(scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t')) s->at++;
}

/* Takes the word when it comes next. */
static bool take(scanner *s, const char *word)
{
    spaces(s);
    size_t n = strlen(word);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0) return false;
    s->at += n;
    return true;
}

static bool quoted(scanner *s, char *to, size_t room)
{
    spaces(s);
    if (s->at == s->end || (*s->at != '\'' && *s->at != '"')) return false;
    char quote = *s->at++;
    const char *close = memchr(s->at, quote, (size_t)(s->end - s->at));
    if (!close || (size_t)(close - s->at) >= room) return false;
    memcpy(to, s->at, (size_t)(close - s->at));
    to[close - s->at] = '\0';
    s->at = close + 1;
    return true;
}

static bool number(scanner *s, uint64_t *value)
{
    spaces(s);
    const char *from = s->at;
    *value = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*s->at - '0'), value))
            return false;
    return s->at > from;
}

/* "<U5", 5 characters of 4 bytes; "|S5", 5 bytes. */
static bool read_text_type(header *h)
{
    uint64_t n;
    scanner digits = {.at = h->descr + 2, .end = h->descr + strlen(h->descr)};
    if (strncmp(h->descr, "<U", 2) != 0 && strncmp(h->descr, "|S", 2) != 0) return false;
    if (!number(&digits, &n) || digits.at != digits.end || n > UINT32_MAX / 4) return false;
    h->text = h->descr[1];
    h->characters = (uint32_t)n;
    return true;
}

static dq_status read_descr(scanner *s, header *h)
{
    if (!quoted(s, h->descr, sizeof h->descr)) /* a list: a structured type */
        return dq_fail(s->error, DQ_ERR_UNSUPPORTED, "an array of records, not of numbers");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].descr, h->descr) == 0) {
            h->type = types[i].type;
            return DQ_OK;
        }
    if (!read_text_type(h)) h->text = '?';
    return DQ_OK;
}

static dq_status read_shape(scanner *s, header *h)
{
    if (!take(s, "(")) return malformed(s);
    while (!take(s, ")")) {
        uint64_t n;
        if (!number(s, &n)) return malformed(s);
        if (h->dims == 2)
            return dq_fail(s->error, DQ_ERR_UNSUPPORTED,
                           "more than two dimensions; save array.reshape(len(array), -1)");
        h->shape[h->dims++] = n;
        if (!take(s, ",") && (s->at == s->end || *s->at != ')')) return malformed(s);
    }
    if (!h->dims) return dq_fail(s->error, DQ_ERR_UNSUPPORTED, "a single number, not an array");
    return DQ_OK;
}

static dq_status read_entry(scanner *s, header *h)
{
    char key[32];
    if (!quoted(s, key, sizeof key) || !take(s, ":")) return malformed(s);
    bool *has = strcmp(key, "descr") == 0           ? &h->has_descr
                : strcmp(key, "fortran_order") == 0 ? &h->has_order
                : strcmp(key, "shape") == 0         ? &h->has_shape
                                                    : NULL;
    if (!has || *has) return malformed(s);
    *has = true;
    if (has == &h->has_descr) return read_descr(s, h);
    if (has == &h->has_shape) return read_shape(s, h);
    h->fortran = take(s, "True");
    return h->fortran || take(s, "False") ? DQ_OK : malformed(s);
}

static dq_status read_dict(scanner *s, header *h)
{
    if (!take(s, "{")) return malformed(s);
    while (!take(s, "}")) {
        dq_status status = read_entry(s, h);
        if (status) return status;
        if (!take(s, ",") && (s->at == s->end || *s->at != '}')) return malformed(s);
    }
    spaces(s);
    return s->at == s->end && h->has_descr && h->has_order && h->has_shape ? DQ_OK : malformed(s);
}

static dq_status settle(dq_npy *npy, const header *h, dq_error *error)
{
    uint64_t all, width = h->dims == 2 ? h->shape[1] : 1;
    uint64_t size = h->text == 'U'   ? UINT64_C(4) * h->characters
                    : h->text == 'S' ? h->characters
                                     : dq_dtype_size(h->type);
    if (h->fortran && h->dims == 2 && h->shape[0] > 1 && width > 1)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "the array is in Fortran order; save numpy.ascontiguousarray(array)");
    *npy = (dq_npy){.type = h->type, .dims = h->dims, .shape = {h->shape[0], width}, .text = h->text};
    if (__builtin_mul_overflow(width, size, &npy->row_bytes) ||
        __builtin_mul_overflow(npy->row_bytes, h->shape[0], &all) || all > INT64_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "an array of %" PRIu64 " x %" PRIu64 " overflows", h->shape[0],
                       width);
    npy->rows_left = h->shape[0];
    return DQ_OK;
}

/* What is to be saved instead of an array of another type. */
static const char *remedy_of(const char *descr)
{
    if (strcmp(descr, "|O") == 0) return "numpy.array(list(array), dtype='<f4'), of texts array.astype('U')";
    return "array.astype('<f4')";
}

static dq_status check_numbers(const header *h, dq_error *error)
{
    if (!h->text) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "elements of type %s (little-endian f2 f4 f8 i1..i8 u1..u8 are read); save %s", h->descr,
                   remedy_of(h->descr));
}

static bool is_integer(dq_dtype type)
{
    return type != DQ_F2 && type != DQ_F4 && type != DQ_F8;
}

static dq_status check_ids(const header *h, dq_error *error)
{
    if (h->text == '?' || (!h->text && !is_integer(h->type)))
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "ids of type %s (texts, <U and |S, and little-endian integers are read); save "
                       "array.astype('U')",
                       h->descr);
    if (h->dims == 2 && h->shape[1] != 1)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "ids in two dimensions; save array.ravel()");
    return DQ_OK;
}

static dq_status read_exactly(dq_source *source, void *to, size_t n, dq_error *error)
{
    size_t got;
    dq_status status = dq_source_read_full(source, to, n, &got, error);
    if (status || got == n) return status;
    return dq_fail(error, DQ_ERR_TRUNCATED, "the file ends inside its header");
}

/* Bytes of the dict, which follow the version. */
static dq_status read_length(dq_source *source, unsigned major, size_t *length, dq_error *error)
{
    if (major < 1 || major > 3)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "version %u of .npy (1 to 3 are read)", major);
    unsigned char n[4] = {0};
    dq_status status = read_exactly(source, n, major == 1 ? 2 : 4, error);
    *length = (size_t)n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16 | (size_t)n[3] << 24;
    if (!status && *length > HEADER_LIMIT)
        return dq_fail(error, DQ_ERR_FORMAT, "not a .npy file: a header of %zu bytes", *length);
    return status;
}

static dq_status read_header(header *h, dq_source *source, dq_error *error)
{
    char start[MAGIC + 2], text[HEADER_LIMIT];
    size_t got, length = 0;
    dq_status status = dq_source_read_full(source, start, sizeof start, &got, error);
    if (status) return status;
    if (got < MAGIC || memcmp(start, magic, MAGIC) != 0)
        return dq_fail(error, DQ_ERR_FORMAT, got ? "not a .npy file" : "empty: not a .npy file");
    if (got < sizeof start) return dq_fail(error, DQ_ERR_TRUNCATED, "the file ends inside its header");
    status = read_length(source, (unsigned char)start[MAGIC], &length, error);
    if (!status) status = read_exactly(source, text, length, error);
    if (status) return status;
    *h = (header){0};
    scanner s = {.at = text, .end = text + length, .error = error};
    return read_dict(&s, h);
}

dq_status dq_npy_read_header(dq_npy *npy, dq_source *source, dq_error *error)
{
    header h;
    dq_status status = read_header(&h, source, error);
    if (!status) status = check_numbers(&h, error);
    return status ? status : settle(npy, &h, error);
}

dq_status dq_npy_read_ids_header(dq_npy *npy, dq_source *source, dq_error *error)
{
    header h;
    dq_status status = read_header(&h, source, error);
    if (!status) status = check_ids(&h, error);
    return status ? status : settle(npy, &h, error);
}

/* What was received of the next rows is less than they have. */
static dq_status cut_off(const dq_npy *npy, size_t got, dq_error *error)
{
    return dq_fail(error, DQ_ERR_TRUNCATED, "the array ends after row %" PRIu64 " of %" PRIu64,
                   npy->shape[0] - npy->rows_left + got / npy->row_bytes, npy->shape[0]);
}

dq_status dq_npy_read_rows(dq_npy *npy, dq_source *source, void *to, uint64_t rows, dq_error *error)
{
    if (rows > npy->rows_left) return dq_fail(error, DQ_ERR_RANGE, "rows past the end of the array");
    size_t got, want = (size_t)(rows * npy->row_bytes);
    dq_status status = want ? dq_source_read_full(source, to, want, &got, error) : DQ_OK;
    if (status) return status;
    if (want && got < want) return cut_off(npy, got, error);
    npy->rows_left -= rows;
    return DQ_OK;
}

/* Of a wide row a buffer is taken twice as large as what has come, until all has. */
dq_status dq_npy_read_row(dq_npy *npy, dq_source *source, dq_arena *arena, void **row, dq_error *error)
{
    enum { FIRST = 1 << 20 };
    if (!npy->rows_left) return dq_fail(error, DQ_ERR_RANGE, "rows past the end of the array");
    size_t want = (size_t)npy->row_bytes, room = want < FIRST ? want : FIRST, have = 0, got;
    char *bytes = dq_arena_take(arena, room);
    while (bytes && have < want) {
        dq_status status = dq_source_read_full(source, bytes + have, room - have, &got, error);
        if (status) return status;
        have += got;
        if (have < room) return cut_off(npy, have, error);
        if (have == want) break;
        room = want - have < have ? want : 2 * have;
        char *grown = dq_arena_take(arena, room);
        if (grown) memcpy(grown, bytes, have);
        bytes = grown;
    }
    if (!bytes) return dq_fail_memory(error, "a row of %zu bytes", want);
    npy->rows_left--;
    *row = bytes;
    return DQ_OK;
}

/* ---- ids ---- */

static uint64_t bits_at(const unsigned char *from, size_t bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes; i++) bits |= (uint64_t)from[i] << 8 * i;
    return bits;
}

/* An unsigned one over INT64_MAX in its digits. */
static dq_value integer_of(const unsigned char *raw, dq_dtype type, dq_arena *arena)
{
    size_t size = dq_dtype_size(type);
    uint64_t bits = bits_at(raw, size);
    bool is_signed = type == DQ_I1 || type == DQ_I2 || type == DQ_I4 || type == DQ_I8;
    if (is_signed && size < 8 && bits >> (8 * size - 1)) bits |= UINT64_MAX << 8 * size;
    if (is_signed || bits <= INT64_MAX) return dq_int((int64_t)bits);
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, bits);
    return dq_string(arena, text);
}

/* Code points of 4 bytes each as UTF-8, into room for as many bytes; *n: how many. False for what is no
 * character. */
static bool utf8_of(const unsigned char *raw, size_t count, char *to, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t c = (uint32_t)bits_at(raw + 4 * i, 4);
        if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
        unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
        to[(*n)++] = (char)(lead[more] | c >> 6 * more);
        while (more-- > 0) to[(*n)++] = (char)(0x80 | (c >> 6 * more & 0x3f));
    }
    return true;
}

dq_status dq_npy_read_id(dq_npy *npy, dq_source *source, dq_arena *arena, dq_value *id, dq_error *error)
{
    size_t size = npy->row_bytes, unit = npy->text == 'U' ? 4 : 1, n = size / unit, bytes = n;
    void *row;
    dq_status status = dq_npy_read_row(npy, source, arena, &row, error);
    if (status) return status;
    const unsigned char *raw = row;
    char *text = dq_arena_take(arena, size + 1);
    if (!text) return dq_fail_memory(error, "an id");
    if (!npy->text) {
        *id = integer_of(raw, npy->type, arena);
        return id->type == DQ_NIL ? dq_fail_memory(error, "an id") : DQ_OK;
    }
    while (n && !bits_at(raw + unit * (n - 1), unit)) n--; /* what fills the shorter ones up */
    bytes = n;
    *id = dq_nil();
    if (npy->text == 'S') memcpy(text, raw, n);
    bool valid = npy->text == 'S' ? dq_utf8_valid(raw, n) : utf8_of(raw, n, text, &bytes);
    if (!valid) return DQ_OK;
    *id = dq_string_n(arena, text, bytes);
    return id->type == DQ_NIL ? dq_fail_memory(error, "an id") : DQ_OK;
}

dq_status dq_npy_read_end(const dq_npy *npy, dq_source *source, dq_error *error)
{
    if (npy->rows_left) return dq_fail(error, DQ_ERR_RANGE, "rows are left in the array");
    char more;
    size_t got;
    dq_status status = dq_source_read(source, &more, 1, &got, error);
    if (!status && got) return dq_fail(error, DQ_ERR_FORMAT, "bytes follow the end of the array");
    return status;
}

static const char *descr_of(dq_dtype type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) return types[i].descr;
    return NULL;
}

dq_status dq_npy_write_header(dq_sink *sink, dq_dtype type, unsigned dims, const uint64_t *shape,
                              dq_error *error)
{
    const char *descr = descr_of(type);
    if (!descr) return dq_fail(error, DQ_ERR_UNSUPPORTED, ".npy has no type %s", dq_dtype_name(type));
    char text[256] = "", sizes[128] = "";
    for (unsigned i = 0, at = 0; i < dims && at < sizeof sizes; i++) {
        const char *after = i + 1 < dims ? ", " : dims == 1 ? "," : "";
        at += (unsigned)snprintf(sizes + at, sizeof sizes - at, "%" PRIu64 "%s", shape[i], after);
    }
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr,
                     sizes);
    size_t used = (size_t)n + 1, whole = (MAGIC + 4 + used + ALIGN - 1) / ALIGN * ALIGN - (MAGIC + 4);
    const char length[] = {1, 0, (char)(whole & 0xff), (char)(whole >> 8)};
    dq_status status = dq_sink_write(sink, magic, MAGIC, error);
    if (!status) status = dq_sink_write(sink, length, sizeof length, error);
    if (!status) status = dq_sink_printf(sink, error, "%-*s\n", (int)whole - 1, text);
    return status;
}
