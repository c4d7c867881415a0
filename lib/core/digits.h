/* SPDX-License-Identifier: MIT
 *
 * Decimal digits, eight at once in one 64-bit number, a byte each: halves are cut or joined three times, by
 * 10000, 100 and 10, each with one multiplication for all (D. Lemire, "Quickly parsing eight digits", 2018;
 * the other way is the same backwards). The first digit is the lowest byte, so this is of little-endian
 * machines; others go digit by digit.
 */
#ifndef DQ_CORE_DIGITS_H
#define DQ_CORE_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DQ_DIGITS = 8, DQ_DIGITS_UNIT = 100000000 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static const uint64_t dq_digits_zeros = UINT64_C(0x3030303030303030);

/* The number that eight bytes of text write; false: not all of them are digits. */
static inline bool dq_digits_read(const char text[DQ_DIGITS], uint32_t *number)
{
    uint64_t w;
    memcpy(&w, text, sizeof w);
    w ^= dq_digits_zeros;
    if ((w | (w + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0)) return false;
    w = 10 * w + (w >> 8); /* pairs, in every other byte */
    const uint64_t first = (w & UINT64_C(0xff000000ff)) * (100 + (UINT64_C(1000000) << 32));
    const uint64_t second = (w >> 16 & UINT64_C(0xff000000ff)) * (1 + (UINT64_C(10000) << 32));
    *number = (uint32_t)((first + second) >> 32);
    return true;
}

/* Writes a number below DQ_DIGITS_UNIT with the zeros before it; how many these are. */
static inline unsigned dq_digits_write(char text[DQ_DIGITS], uint32_t number)
{
    const uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    const uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x7f0000007f); /* of each, exact below 10^4 */
    const uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
    const uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000f000f000f000f); /* exact below 100 */
    const uint64_t digits = tens | (pairs - 10 * tens) << 8, shown = digits + dq_digits_zeros;
    memcpy(text, &shown, sizeof shown);
    return digits ? (unsigned)__builtin_ctzll(digits) / 8 : DQ_DIGITS;
}
#else
static inline bool dq_digits_read(const char text[DQ_DIGITS], uint32_t *number)
{
    *number = 0;
    for (size_t i = 0; i < DQ_DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *number = 10 * *number + (uint32_t)(text[i] - '0');
    }
    return true;
}

static inline unsigned dq_digits_write(char text[DQ_DIGITS], uint32_t number)
{
    unsigned zeros = 0;
    for (size_t i = DQ_DIGITS; i-- > 0; number /= 10) text[i] = (char)('0' + number % 10);
    while (zeros < DQ_DIGITS && text[zeros] == '0') zeros++;
    return zeros;
}
#endif

#endif
