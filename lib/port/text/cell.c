/* SPDX-License-Identifier: MIT */
#include "port/text/cell.h"

#include "core/digits.h"
#include "port/text/json_reader.h"

#include <string.h>

static const char blanks[] = " \t\r\n"; /* and the NUL at its end: whether one ends a text JSON has to say */

static size_t digits_at(const char *text)
{
    size_t n = 0;
    while (text[n] >= '0' && text[n] <= '9') n++;
    return n;
}

/* The bytes of the number as JSON writes them that begins a text, 0: there is none. */
static size_t number_at(const char *text, bool *whole)
{
    size_t n = *text == '-', digits = digits_at(text + n);
    if (!digits) return 0;
    n += text[n] == '0' ? 1 : digits;
    *whole = true;
    if (text[n] == '.') {
        digits = digits_at(text + n + 1);
        if (!digits) return 0;
        *whole = false;
        n += 1 + digits;
    }
    if (text[n] != 'e' && text[n] != 'E') return n;
    const size_t sign = text[n + 1] == '-' || text[n + 1] == '+';
    digits = digits_at(text + n + 1 + sign);
    *whole = false;
    return digits ? n + 1 + sign + digits : 0;
}

enum { SAFE = 18 }; /* so many bytes are no integer above 64 bits */

/* An integer and nothing else, as most numbers in tables are; false: something else, which may be one. */
static bool read_integer(const char *text, size_t n, dq_value *value)
{
    const bool minus = *text == '-';
    size_t i = minus;
    int64_t integer = 0;
    for (uint32_t eight; n - i >= DQ_DIGITS && i + DQ_DIGITS <= SAFE && dq_digits_read(text + i, &eight);
         i += DQ_DIGITS)
        integer = DQ_DIGITS_UNIT * integer + eight;
    for (; text[i] >= '0' && text[i] <= '9' && i < SAFE; i++) integer = 10 * integer + (text[i] - '0');
    if (i != n || i == minus || (text[minus] == '0' && n > minus + 1U)) return false;
    *value = (dq_value){.type = DQ_INT, .as.integer = minus ? -integer : integer};
    return true;
}

/* A cell that begins as a number does. */
static bool read_number(const char *text, size_t n, dq_value *value)
{
    bool whole;
    if (read_integer(text, n, value)) return true;
    const size_t bytes = number_at(text, &whole);
    if (bytes < n && (!bytes || !strchr(blanks, text[bytes]))) return true; /* a text */
    if (bytes != n || whole) return false;
    *value = dq_real(0);
    return dq_json_reader_number(text, n, &value->as.real) == n;
}

/* A cell that begins as a word of JSON does. */
static bool read_word(const char *text, size_t n, dq_value *value)
{
    static const struct {
        const char *word;
        size_t n;
        dq_value value;
    } words[] = {{"true", 4, {.type = DQ_BOOL, .as.boolean = true}},
                 {"false", 5, {.type = DQ_BOOL}},
                 {"null", 4, {.type = DQ_NIL}}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (n < words[i].n || memcmp(text, words[i].word, words[i].n) != 0) continue;
        if (n > words[i].n) return false;
        *value = words[i].value;
    }
    return true;
}

bool dq_cell_read(const char *text, size_t n, dq_value *value)
{
    const char first = n ? *text : '\0';
    if (n > UINT32_MAX) return false;
    *value = (dq_value){.type = DQ_STRING, .count = (uint32_t)n, .as.string = text};
    if (first == '-' || (first >= '0' && first <= '9')) return read_number(text, n, value);
    if (first == 't' || first == 'f' || first == 'n') return read_word(text, n, value);
    return !first ? n > 0 : !strchr("\"[{ \t\r\n", first);
}
