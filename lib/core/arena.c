/* SPDX-License-Identifier: MIT
 *
 * Under AddressSanitizer what is not handed out is poisoned, and a red zone follows each piece: who reads
 * past the end of one fails there, instead of reading another.
 */
#include "dq/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined __SANITIZE_ADDRESS__
#define POISONED
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define POISONED
#endif
#endif

#ifdef POISONED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum {
    FIRST = 1 << 10,  /* a block's bytes, */
    BLOCK = 16 << 10, /* and those of an arena that holds much */
    LARGE =
        128 << 10, /* zeroed pieces, which calloc has as pages that are not touched before they are used */
    ALIGN = 64,
};
#ifdef POISONED
enum { RED_ZONE = 64 };
#else
enum { RED_ZONE = 0 };
#endif

typedef struct dq_arena_block {
    struct dq_arena_block *next;
    size_t size, used; /* of the bytes after this header */
    void *memory;      /* what is freed: the header stands in it, aligned */
} block;

static size_t padded_header(void)
{
    return (sizeof(block) + ALIGN - 1) / ALIGN * ALIGN;
}

/* Blocks grow with what the arena holds: there may be a million small ones. */
static size_t block_size(const dq_arena *arena)
{
    if (arena->used < FIRST) return FIRST;
    return arena->used < BLOCK ? arena->used : BLOCK;
}

static block *grow(dq_arena *arena, size_t size, bool zeroed)
{
    size_t room = size > block_size(arena) ? size : block_size(arena);
    if (room > SIZE_MAX - (size_t)3 * ALIGN - padded_header()) return NULL;
    size_t total = (padded_header() + room + ALIGN - 1) / ALIGN * ALIGN;
    if (zeroed) total += ALIGN; /* calloc does not align */
    void *memory = zeroed ? calloc(1, total) : aligned_alloc(ALIGN, total);
    if (!memory) return NULL;
    block *b = (block *)(((uintptr_t)memory + ALIGN - 1) / ALIGN * ALIGN);
    size_t before = padded_header() + (size_t)((char *)b - (char *)memory);
    *b = (block){.next = arena->blocks, .size = total - before, .memory = memory};
    ASAN_POISON_MEMORY_REGION((char *)b + padded_header(), b->size);
    arena->blocks = b;
    return b;
}

/* NULL, remembered: a caller of many small steps may ask once at their end. */
static void *fail(dq_arena *arena)
{
    arena->failed = true;
    return NULL;
}

static void *take(dq_arena *arena, size_t size, bool zeroed)
{
    size_t align = size >= ALIGN ? ALIGN : 16;
    block *b = arena->blocks;
    size_t at = b ? (b->used + align - 1) / align * align : 0;
    if (zeroed || !b || at > b->size || b->size - at < size) {
        b = grow(arena, size, zeroed);
        if (!b) return fail(arena);
        at = 0;
    }
    b->used = at + size + RED_ZONE; /* beyond the block's size at most by that */
    arena->used += size;
    ASAN_UNPOISON_MEMORY_REGION((char *)b + padded_header() + at, size);
    return (char *)b + padded_header() + at;
}

void *dq_arena_take(dq_arena *arena, size_t size)
{
    return take(arena, size, false);
}

void *dq_arena_zero(dq_arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size) return fail(arena);
    bool large = n * size >= LARGE;
    void *p = take(arena, n * size, large);
    if (p && !large) memset(p, 0, n * size);
    return p;
}

char *dq_arena_text(dq_arena *arena, const char *text, size_t n)
{
    if (n == SIZE_MAX) return fail(arena);
    char *copy = dq_arena_take(arena, n + 1);
    if (!copy) return NULL;
    if (n) memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

/* The newest block is the largest, and kept where it is no larger than blocks grow to. */
void dq_arena_clear(dq_arena *arena)
{
    block *kept = arena->blocks;
    if (!kept || kept->size > BLOCK) {
        dq_arena_free(arena);
        return;
    }
    arena->blocks = kept->next;
    dq_arena_free(arena);
    kept->next = NULL;
    kept->used = 0;
    ASAN_POISON_MEMORY_REGION((char *)kept + padded_header(), kept->size);
    arena->blocks = kept;
}

void dq_arena_free(dq_arena *arena)
{
    while (arena->blocks) {
        block *next = arena->blocks->next;
        ASAN_UNPOISON_MEMORY_REGION((char *)arena->blocks + padded_header(), arena->blocks->size);
        free(arena->blocks->memory);
        arena->blocks = next;
    }
    arena->used = 0;
    arena->failed = false;
}
