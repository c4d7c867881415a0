/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include "fuzz.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static _Atomic ptrdiff_t alive;
static _Atomic ptrdiff_t bound = PTRDIFF_MAX;

static void took(size_t n)
{
    ptrdiff_t now = atomic_fetch_add(&alive, (ptrdiff_t)n) + (ptrdiff_t)n, most = atomic_load(&bound);
    if (now <= most) return;
    atomic_store(&bound, PTRDIFF_MAX); /* to report takes memory, too */
    fuzz_fail("%zu bytes were asked for, %td more than the bound in all", n, now - most);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED

/* The sanitizers' own; gcc has no header for them. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p, size_t n),
                                              void (*on_free)(const volatile void *p));
size_t __sanitizer_get_allocated_size(const volatile void *p);

static void on_malloc(const volatile void *p, size_t n)
{
    if (p) took(n);
}

static void on_free(const volatile void *p)
{
    if (p) (void)atomic_fetch_sub(&alive, (ptrdiff_t)__sanitizer_get_allocated_size(p));
}

static void count(void)
{
    static bool counting;
    if (!counting && !__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free))
        fuzz_fail("no hooks of malloc");
    counting = true;
}

#else

/* The C library's own names for its functions; ours stand before them in the program. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *p);

static void *counted(void *p)
{
    if (p) took(malloc_usable_size(p));
    return p;
}

void *malloc(size_t n)
{
    return counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    size_t before = p ? malloc_usable_size(p) : 0;
    void *to = __libc_realloc(p, n);
    if (to || n == 0) (void)atomic_fetch_sub(&alive, (ptrdiff_t)before);
    return counted(to);
}

void *memalign(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return counted(__libc_memalign(alignment, n));
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    *p = counted(__libc_memalign(alignment, n));
    return *p ? 0 : ENOMEM;
}

void free(void *p)
{
    if (p) (void)atomic_fetch_sub(&alive, (ptrdiff_t)malloc_usable_size(p));
    __libc_free(p);
}

static void count(void) {}

#endif

void fuzz_memory_bound(size_t bytes)
{
    count();
    atomic_store(&bound, atomic_load(&alive) + (ptrdiff_t)bytes);
}

void fuzz_memory_free(void)
{
    atomic_store(&bound, PTRDIFF_MAX);
}

void fuzz_allow(size_t bytes)
{
    (void)atomic_fetch_add(&bound, (ptrdiff_t)bytes);
}
