/* SPDX-License-Identifier: MIT
 *
 * Short runs of bytes, copied and compared without a call: names, ids and cells are mostly of 1 to 16 bytes,
 * for which memcpy and memcmp of a length that the compiler does not know cost more than the bytes do. Two
 * loads that overlap cover 4 to 8 bytes, and 8 to 16.
 */
#ifndef DQ_CORE_BYTES_H
#define DQ_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The bytes do not overlap. */
static inline void dq_bytes_copy(char *to, const char *from, size_t n)
{
    uint64_t first, last;
    uint32_t front, back;
    if (n > 2 * sizeof first) {
        memcpy(to, from, n);
    } else if (n >= sizeof first) {
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + n - sizeof last, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + n - sizeof last, &last, sizeof last);
    } else if (n >= sizeof front) {
        memcpy(&front, from, sizeof front);
        memcpy(&back, from + n - sizeof back, sizeof back);
        memcpy(to, &front, sizeof front);
        memcpy(to + n - sizeof back, &back, sizeof back);
    } else if (n) {
        to[0] = from[0]; /* of 1 to 3 bytes these are all */
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}

static inline bool dq_bytes_equal(const char *a, const char *b, size_t n)
{
    uint64_t first[2], last[2];
    uint32_t front[2], back[2];
    if (n > 2 * sizeof *first) return memcmp(a, b, n) == 0;
    if (n >= sizeof *first) {
        memcpy(&first[0], a, sizeof *first);
        memcpy(&first[1], b, sizeof *first);
        memcpy(&last[0], a + n - sizeof *last, sizeof *last);
        memcpy(&last[1], b + n - sizeof *last, sizeof *last);
        return first[0] == first[1] && last[0] == last[1];
    }
    if (n >= sizeof *front) {
        memcpy(&front[0], a, sizeof *front);
        memcpy(&front[1], b, sizeof *front);
        memcpy(&back[0], a + n - sizeof *back, sizeof *back);
        memcpy(&back[1], b + n - sizeof *back, sizeof *back);
        return front[0] == front[1] && back[0] == back[1];
    }
    return !n || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

#endif
