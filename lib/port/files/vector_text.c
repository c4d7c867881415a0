/* SPDX-License-Identifier: MIT */
#include "port/files/vector_text.h"

#include "port/text/json_reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What is left of a text, without the white space around it. */
typedef struct span {
    const char *at, *end;
} span;

static span trimmed(span s)
{
    while (s.at < s.end && isspace((unsigned char)*s.at)) s.at++;
    while (s.at < s.end && isspace((unsigned char)s.end[-1])) s.end--;
    return s;
}

static bool begins(span s, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(s.end - s.at) >= n && memcmp(s.at, word, n) == 0;
}

/* "array([...], dtype=float32)" without what is around its brackets. */
static span without_call(span s)
{
    static const char *const calls[] = {"array(", "np.array(", "numpy.array("};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (begins(s, calls[i]) && s.end[-1] == ')') {
            s.at += strlen(calls[i]);
            while (s.end > s.at && s.end[-1] != ']') s.end--;
            break;
        }
    return trimmed(s);
}

/* Without the brackets around it; *closed is false where the last does not close the first. */
static span without_brackets(span s, bool *closed)
{
    static const char open[] = "[({", close[] = "])}";
    const char *which;
    *closed = true;
    while (s.at < s.end && *s.at && (which = strchr(open, *s.at))) {
        *closed = s.end - s.at > 1 && s.end[-1] == close[which - open];
        if (!*closed) return s;
        s = trimmed((span){s.at + 1, s.end - 1});
    }
    return s;
}

static bool holds(span s, const char *what)
{
    return memmem(s.at, (size_t)(s.end - s.at), what, strlen(what)) != NULL;
}

/* One number, also as NumPy 2 shows one in a list: np.float32(0.5). */
static bool read_number(span *s, float *number)
{
    static const char *const calls[] = {"np.float16(", "np.float32(", "np.float64("};
    bool call = false;
    char *end;
    double plainly;
    size_t n = dq_json_reader_number(s->at, (size_t)(s->end - s->at), &plainly);
    if (n && !isalnum((unsigned char)s->at[n])) { /* as it mostly is; else strtod says */
        *number = (float)plainly;
        s->at += n;
        return true;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !call; i++)
        if ((call = begins(*s, calls[i]))) s->at += strlen(calls[i]);
    *number = (float)strtod(s->at, &end);
    n = (size_t)(end - s->at);
    bool plain = n && end <= s->end && !isspace((unsigned char)*s->at) && !memchr(s->at, '(', n) &&
                 !memchr(s->at, 'x', n) && !memchr(s->at, 'X', n);
    s->at = end;
    if (!call || !plain) return plain;
    return s->at < s->end && *s->at++ == ')';
}

/* What parts two numbers: a comma, a semicolon, or (' ') only white space; 0 where nothing does. */
static char read_separator(span *s)
{
    const char *from = s->at;
    while (s->at < s->end && isspace((unsigned char)*s->at)) s->at++;
    if (s->at == s->end || (*s->at != ',' && *s->at != ';')) return s->at > from ? ' ' : '\0';
    char separator = *s->at++;
    while (s->at < s->end && isspace((unsigned char)*s->at)) s->at++;
    return separator;
}

static dq_status fail_at(span s, dq_error *error)
{
    size_t n = (size_t)(s.end - s.at);
    return dq_fail(error, DQ_ERR_FORMAT, "'%.*s' is no number", n < 24 ? (int)n : 24, s.at);
}

static dq_status read_numbers(span s, float *to, uint32_t *count, dq_error *error)
{
    char first = '\0';
    while (s.at < s.end) {
        span number = s;
        if (!read_number(&s, &to[*count])) return fail_at(number, error);
        ++*count;
        char separator = s.at < s.end ? read_separator(&s) : first;
        if (!separator && s.at < s.end) return fail_at(number, error);
        if (*count == 1) first = separator;
        if (separator != first && s.at < s.end)
            return dq_fail(
                error, DQ_ERR_FORMAT,
                "its numbers are parted in two ways (decimal commas?): write 0.5, and one of spaces, "
                "commas and semicolons");
    }
    return DQ_OK;
}

static dq_status check_whole(span s, dq_error *error)
{
    if (begins(s, "tensor("))
        return dq_fail(error, DQ_ERR_FORMAT,
                       "PyTorch's print, of four decimals: save .npy or .safetensors, or .tolist()");
    if (holds(s, "...") || holds(s, "\xe2\x80\xa6"))
        return dq_fail(error, DQ_ERR_FORMAT,
                       "cut (\"...\"), as NumPy prints what is above 1000 numbers: save .npy, or .tolist()");
    return DQ_OK;
}

dq_status dq_vector_text_read(const char *text, size_t bytes, dq_arena *arena, dq_value *floats,
                              dq_error *error)
{
    bool closed;
    span s = trimmed((span){text, text + bytes});
    dq_status status = check_whole(s, error);
    if (status) return status;
    s = without_brackets(without_call(s), &closed);
    if (!closed) return dq_fail(error, DQ_ERR_FORMAT, "its brackets do not close: was it cut?");
    if (holds(s, "[") || holds(s, "]"))
        return dq_fail(error, DQ_ERR_FORMAT, "several rows in one: a vector is one row of numbers");
    float *to = dq_arena_take(arena, ((size_t)(s.end - s.at) / 2 + 1) * sizeof *to);
    if (!to || bytes > UINT32_MAX) return dq_fail_memory(error, "a vector");
    *floats = (dq_value){.type = DQ_FLOATS, .as.floats = to};
    return read_numbers(s, to, &floats->count, error);
}
