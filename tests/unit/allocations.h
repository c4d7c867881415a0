/* SPDX-License-Identifier: MIT
 *
 * For tests that a step allocates nothing of ours. OpenBLAS's kernels for AVX-512 take memory for small
 * products and give it back before they return; that is theirs, and not counted.
 */
#ifndef DQ_TEST_ALLOCATIONS_H
#define DQ_TEST_ALLOCATIONS_H

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Every allocation of the program is counted: glibc lets a program define these, and keeps its own under
 * other names. The address sanitizer wants them for itself. */
static atomic_uint allocations;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&                 \
    !defined(__clang__)
enum { COUNTS_ALLOCATIONS = 1 };

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static void count_allocation(void *caller)
{
    Dl_info of;
    if (!dladdr(caller, &of) || !of.dli_fname || !strstr(of.dli_fname, "openblas"))
        atomic_fetch_add(&allocations, 1);
}

void *malloc(size_t n)
{
    count_allocation(__builtin_return_address(0));
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    count_allocation(__builtin_return_address(0));
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    count_allocation(__builtin_return_address(0));
    return __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    count_allocation(__builtin_return_address(0));
    return __libc_memalign(alignment, n);
}
#else
enum { COUNTS_ALLOCATIONS = 0 };
#endif

#endif
