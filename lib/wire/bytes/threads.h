/* SPDX-License-Identifier: MIT
 *
 * Threads that read, write, compress and decompress beside the caller's.
 */
#ifndef DQ_WIRE_BYTES_THREADS_H
#define DQ_WIRE_BYTES_THREADS_H

#include <pthread.h>

/* More serve nobody: a pipe is full before. */
enum { DQ_BYTES_THREADS_MAX = 8 };

/* Payload after which threads are begun: what is shorter is read or written before they have started. */
enum { DQ_BYTES_BEFORE_THREADS = 4 << 20 };

/* Starts up to `count` threads and returns how many there are: fewer where no more are to be had. They take
 * no signal but those of their own writing: the program's handlers run where they would without them. */
unsigned dq_bytes_threads_start(pthread_t *threads, unsigned count, void *(*run)(void *), void *arg);

#endif
