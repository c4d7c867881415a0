/* SPDX-License-Identifier: MIT */
#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the sequence that starts at p (n bytes are left), or 0 when it is not well-formed. The bounds of
 * the second byte exclude overlong forms, surrogates and values over 10FFFF (Unicode, table 3-7). */
static size_t sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) return 1;
    size_t length = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (!length || length > n) return 0;
    unsigned low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return length;
}

/* Whether the first bytes are all ASCII, as most are: of 8 of them, or of all n where that is fewer. */
static bool is_ascii(const unsigned char *p, size_t n)
{
    uint64_t eight;
    uint32_t front, back;
    if (n >= sizeof eight) {
        memcpy(&eight, p, sizeof eight);
        return !(eight & 0x8080808080808080U);
    }
    if (n < sizeof front) return (p[0] | p[n / 2] | p[n - 1]) < 0x80; /* of 1 to 3 these are all */
    memcpy(&front, p, sizeof front);
    memcpy(&back, p + n - sizeof back, sizeof back);
    return !((front | back) & 0x80808080U);
}

bool dq_utf8_valid(const void *text, size_t n)
{
    enum { EIGHT = 8 };
    const unsigned char *p = text;
    size_t i = 0;
    while (i < n) {
        if (is_ascii(p + i, n - i)) {
            if (n - i <= EIGHT) return true;
            i += EIGHT;
            continue;
        }
        size_t length = sequence(p + i, n - i);
        if (!length) return false;
        i += length;
    }
    return true;
}

bool dq_utf8_ascii(const void *text, size_t n)
{
    enum { BLOCK = 4096 }; /* which the compiler makes vectors of */
    const unsigned char *p = text;
    unsigned char any = 0;
    for (size_t from = 0; from < n && any < 0x80; from += BLOCK) {
        const size_t to = n - from < BLOCK ? n : from + BLOCK;
        for (size_t i = from; i < to; i++) any |= p[i];
    }
    return any < 0x80;
}

size_t dq_utf8_decode(const void *text, size_t n, uint32_t *code)
{
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07}; /* payload of a lead byte, by length */
    const unsigned char *p = text;
    size_t length = sequence(p, n);
    *code = p[0] & lead[length];
    for (size_t i = 1; i < length; i++) *code = *code << 6 | (p[i] & 0x3fU);
    return length;
}

bool dq_utf8_is_space(uint32_t code)
{
    if (code <= ' ') return code == ' ' || (code >= '\t' && code <= '\r');
    return code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200b) ||
           code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000 ||
           code == 0xfeff;
}

bool dq_utf8_blank(const void *text, size_t n)
{
    const char *at = text;
    uint32_t code;
    for (size_t length; n > 0; at += length, n -= length) {
        length = dq_utf8_decode(at, n, &code);
        if (!length || !dq_utf8_is_space(code)) return false;
    }
    return true;
}

size_t dq_utf8_prefix(const void *text, size_t n, size_t count)
{
    const unsigned char *p = text;
    size_t i = 0;
    for (; i < n; i++) { /* a character begins where no byte of another goes on */
        if ((p[i] & 0xc0) == 0x80) continue;
        if (count-- == 0) break;
    }
    return i;
}

size_t dq_utf8_next(const char *text, size_t n, bool *control)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length = sequence(p, n);
    *control = p[0] < ' ' || p[0] == 0x7f || (length == 2 && p[0] == 0xc2 && p[1] < 0xa0) ||
               (!length && p[0] >= 0x80 && p[0] < 0xa0);
    return length ? length : 1;
}

size_t dq_utf8_show(const char *text, size_t n, char *to, size_t room)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    bool control;
    for (size_t i = 0, took; i < n; i += took) {
        took = dq_utf8_next(text + i, n - i, &control);
        if (used + (control ? 4 * took : took) >= room) break;
        for (size_t k = 0; k < took; k++) {
            unsigned char byte = (unsigned char)text[i + k];
            const char hex[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            memcpy(to + used, control ? hex : text + i + k, control ? 4 : 1);
            used += control ? 4 : 1;
        }
    }
    to[used] = '\0';
    return used;
}
