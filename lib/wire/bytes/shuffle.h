/* SPDX-License-Identifier: MIT
 *
 * The byte shuffle of a column: the first bytes of all numbers, then all second bytes, and so on.
 *
 *     numbers   a0 a1 a2 a3  b0 b1 b2 b3  c0 c1 c2 c3      shuffled   a0 b0 c0  a1 b1 c1  a2 b2 c2  a3 b3 c3
 *
 * Numbers that change slowly share their sign and exponent with their neighbours: shuffled, these are runs
 * that any compressor takes, where in between three bytes of mantissa hide them. (HDF5's shuffle filter and
 * Blosc do it, Parquet calls it BYTE_STREAM_SPLIT.)
 */
#ifndef DQ_WIRE_BYTES_SHUFFLE_H
#define DQ_WIRE_BYTES_SHUFFLE_H

#include <stdbool.h>
#include <stddef.h>

/* n bytes of numbers of `size` bytes each: 2, 4 or 8, which n is a multiple of. `to` is other memory. */
void dq_shuffle(void *to, const void *from, size_t n, size_t size);
void dq_unshuffle(void *to, const void *from, size_t n, size_t size);

/* Whether shuffling n bytes of numbers lets a fast compressor take away a fifth of them or more beyond what
 * it takes as they are. A sample of 4096 numbers says so, the same for the same bytes: of each byte how often
 * it is its predecessor's, and how often a number is. False below 64 KiB, which no one waits for. */
bool dq_shuffle_pays(const void *data, size_t n, size_t size);

#endif
