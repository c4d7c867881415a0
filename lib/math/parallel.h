/* SPDX-License-Identifier: MIT
 *
 * Runs numbered tiles of work on a few threads, for programs that need no BLAS: dq_pool (math/pool.h) makes
 * one ready, and loading it takes longer than such a program lives. So the two are two files. What a tile
 * computes must depend on its number alone.
 */
#ifndef DQ_MATH_PARALLEL_H
#define DQ_MATH_PARALLEL_H

#include <stddef.h>

enum { DQ_PARALLEL_MAX = 64 };

/* Calls tile(arg, i, thread) for every i < tiles, over at most `threads` threads (1 .. DQ_PARALLEL_MAX), the
 * caller's own among them, and returns when all are done. A thread that cannot be started leaves its tiles to
 * the caller. */
void dq_parallel(unsigned threads, size_t tiles, void (*tile)(void *arg, size_t i, unsigned thread),
                 void *arg);

#endif
