/* SPDX-License-Identifier: MIT
 *
 * The shim's functions of memory. What is asked for while their successors are looked up comes from a small
 * store, which is never given back.
 */
#include "inject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Alignas(64) unsigned char store[1 << 16];
static size_t stored;
static bool looking, known;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);
static void *(*next_memalign)(size_t, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void (*next_free)(void *);

/* false: still looking, in this very call. */
static bool look_up(void)
{
    if (known) return true;
    if (looking) return false;
    looking = true;
    *(void **)&next_malloc = inject_next("malloc");
    *(void **)&next_calloc = inject_next("calloc");
    *(void **)&next_realloc = inject_next("realloc");
    *(void **)&next_aligned_alloc = inject_next("aligned_alloc");
    *(void **)&next_memalign = inject_next("memalign");
    *(void **)&next_posix_memalign = inject_next("posix_memalign");
    *(void **)&next_free = inject_next("free");
    known = true;
    looking = false;
    return true;
}

static void *from_store(size_t n)
{
    n = (n + 63) & ~(size_t)63;
    if (n > sizeof store - stored) abort();
    stored += n;
    return store + stored - n;
}

static bool is_stored(const void *p)
{
    return (uintptr_t)p >= (uintptr_t)store && (uintptr_t)p < (uintptr_t)store + sizeof store;
}

void *malloc(size_t n)
{
    if (!look_up()) return from_store(n);
    return inject(INJECT_MEMORY, "malloc") ? NULL : next_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    if (!look_up()) return from_store(n * size);
    return inject(INJECT_MEMORY, "calloc") ? NULL : next_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    if (!look_up() || is_stored(p)) abort();
    return inject(INJECT_MEMORY, "realloc") ? NULL : next_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    if (!look_up()) abort();
    return inject(INJECT_MEMORY, "aligned_alloc") ? NULL : next_aligned_alloc(alignment, n);
}

void *memalign(size_t alignment, size_t n)
{
    if (!look_up()) abort();
    return inject(INJECT_MEMORY, "memalign") ? NULL : next_memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    if (!look_up()) abort();
    int sys = inject(INJECT_MEMORY, "posix_memalign");
    return sys ? sys : next_posix_memalign(p, alignment, n);
}

void free(void *p)
{
    if (is_stored(p) || !look_up()) return;
    next_free(p);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    INJECT_NEXT(void *, mmap, void *, size_t, int, int, int, off_t);
    return inject(INJECT_MMAP, "mmap") ? MAP_FAILED : next(at, n, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t offset)
{
    INJECT_NEXT(void *, mmap64, void *, size_t, int, int, int, off64_t);
    return inject(INJECT_MMAP, "mmap64") ? MAP_FAILED : next(at, n, protection, flags, fd, offset);
}
