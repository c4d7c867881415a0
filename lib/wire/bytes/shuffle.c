/* SPDX-License-Identifier: MIT
 *
 * The loops load numbers and store bytes, or the other way, which compilers turn into packing and unpacking
 * of vector registers. They rely on numbers being little-endian, as the stream's are.
 */
#include "wire/bytes/shuffle.h"

#include <stdint.h>
#include <string.h>

/* clang-format off */
#define SHUFFLES(NAME, TYPE)                                                                                 \
    static void shuffle_##NAME(unsigned char *restrict to, const unsigned char *restrict from, size_t count) \
    {                                                                                                        \
        for (size_t i = 0; i < count; i++) {                                                                 \
            TYPE number;                                                                                     \
            memcpy(&number, from + i * sizeof number, sizeof number);                                        \
            for (size_t b = 0; b < sizeof number; b++) to[b * count + i] = (unsigned char)(number >> 8 * b); \
        }                                                                                                    \
    }                                                                                                        \
    static void unshuffle_##NAME(unsigned char *restrict to, const unsigned char *restrict from,             \
                                 size_t count)                                                               \
    {                                                                                                        \
        for (size_t i = 0; i < count; i++) {                                                                 \
            TYPE number = 0;                                                                                 \
            for (size_t b = 0; b < sizeof number; b++)                                                       \
                number = (TYPE)(number | (TYPE)((TYPE)from[b * count + i] << 8 * b));                        \
            memcpy(to + i * sizeof number, &number, sizeof number);                                          \
        }                                                                                                    \
    }
/* clang-format on */

SHUFFLES(2, uint16_t)
SHUFFLES(4, uint32_t)
SHUFFLES(8, uint64_t)

void dq_shuffle(void *to, const void *from, size_t n, size_t size)
{
    (size == 2 ? shuffle_2 : size == 4 ? shuffle_4 : shuffle_8)(to, from, n / size);
}

void dq_unshuffle(void *to, const void *from, size_t n, size_t size)
{
    (size == 2 ? unshuffle_2 : size == 4 ? unshuffle_4 : unshuffle_8)(to, from, n / size);
}

enum { RUNS = 4, RUN = 1024, LEAST = 64 << 10, SIZES = 8 };

/* Counts in a run of numbers which bytes are those of the number before, and which numbers are. */
static void count_equal(const unsigned char *run, size_t size, unsigned bytes[SIZES], unsigned *numbers)
{
    for (size_t i = 1; i < RUN; i++) {
        const unsigned char *at = run + i * size, *before = at - size;
        unsigned equal = 0;
        for (size_t b = 0; b < size; b++) {
            unsigned same = at[b] == before[b];
            bytes[b] += same;
            equal += same;
        }
        *numbers += equal == size;
    }
}

bool dq_shuffle_pays(const void *data, size_t n, size_t size)
{
    unsigned bytes[SIZES] = {0}, numbers = 0, saved = 0;
    const unsigned total = RUNS * (RUN - 1);
    if (n < LEAST || size < 2) return false;
    for (size_t r = 0; r < RUNS; r++) {
        size_t first = (n / size - RUN) / (RUNS - 1) * r;
        count_equal((const unsigned char *)data + first * size, size, bytes, &numbers);
    }
    /* Of a byte that is its predecessor's half the time no run is long enough to be taken. */
    for (size_t b = 0; b < size; b++)
        if (2 * bytes[b] > total) saved += 2 * bytes[b] - total;
    return 5 * saved >= size * (total + 5 * (size_t)numbers);
}
