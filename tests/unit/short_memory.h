/* SPDX-License-Identifier: MIT
 *
 * For tests of what happens when memory is short: one allocation, by its number, fails.
 */
#ifndef DQ_TEST_SHORT_MEMORY_H
#define DQ_TEST_SHORT_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static unsigned allocated, failing_allocation; /* counted from 1; 0: none fails */

/* As in allocations.h: glibc lets a program define these, and the sanitizers want them for themselves. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&                 \
    !defined(__clang__)
enum { CAN_FAIL_ALLOCATIONS = 1 };

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static bool fails(void)
{
    if (++allocated != failing_allocation) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
}
#else
enum { CAN_FAIL_ALLOCATIONS = 0 };
#endif

#endif
