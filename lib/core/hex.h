/* SPDX-License-Identifier: MIT
 *
 * Bytes as hexadecimal digits, two each, lower-case.
 */
#ifndef DQ_CORE_HEX_H
#define DQ_CORE_HEX_H

#include <stddef.h>
#include <string.h>

/* Writes 2 n digits and a NUL. */
static inline void dq_hex_write(char *text, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    for (size_t i = 0; i < n; i++) {
        *text++ = digits[from[i] >> 4];
        *text++ = digits[from[i] & 15];
    }
    *text = '\0';
}

/* The value of a digit; -1: it is none, as a capital is not. */
static inline int dq_hex_digit(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = letter ? strchr(digits, letter) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The byte that two digits write; -1: they are not digits. */
static inline int dq_hex_byte(const char text[2])
{
    int high = dq_hex_digit(text[0]), low = high < 0 ? -1 : dq_hex_digit(text[1]);
    return low < 0 ? -1 : 16 * high + low;
}

#endif
