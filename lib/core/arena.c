/* SPDX-License-Identifier: MIT
 *
 * Under AddressSanitizer what is not handed out is poisoned, and a red zone follows each piece: who reads
 * past the end of one fails there, instead of reading another.
 */
#include "dq/arena.h"

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

enum { BLOCK = 16 << 10, ALIGN = 64 };
#ifdef POISONED
enum { RED_ZONE = 64 };
#else
enum { RED_ZONE = 0 };
#endif

typedef struct dq_arena_block {
    struct dq_arena_block *next;
    size_t size, used; /* of the bytes after this header */
} block;

static size_t padded_header(void)
{
    return (sizeof(block) + ALIGN - 1) / ALIGN * ALIGN;
}

static block *grow(dq_arena *arena, size_t size)
{
    size_t room = size > BLOCK ? size : BLOCK;
    if (room > SIZE_MAX - 2 * ALIGN - padded_header()) return NULL;
    size_t total = (padded_header() + room + ALIGN - 1) / ALIGN * ALIGN;
    block *b = aligned_alloc(ALIGN, total);
    if (!b) return NULL;
    *b = (block){.next = arena->blocks, .size = total - padded_header()};
    ASAN_POISON_MEMORY_REGION((char *)b + padded_header(), b->size);
    arena->blocks = b;
    return b;
}

void *dq_arena_take(dq_arena *arena, size_t size)
{
    size_t align = size >= ALIGN ? ALIGN : 16;
    block *b = arena->blocks;
    size_t at = b ? (b->used + align - 1) / align * align : 0;
    if (!b || at > b->size || b->size - at < size) {
        b = grow(arena, size);
        if (!b) return NULL;
        at = 0;
    }
    b->used = at + size + RED_ZONE; /* beyond the block's size at most by that */
    arena->used += size;
    ASAN_UNPOISON_MEMORY_REGION((char *)b + padded_header() + at, size);
    return (char *)b + padded_header() + at;
}

void *dq_arena_zero(dq_arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size) return NULL;
    void *p = dq_arena_take(arena, n * size);
    if (p) memset(p, 0, n * size);
    return p;
}

char *dq_arena_text(dq_arena *arena, const char *text, size_t n)
{
    if (n == SIZE_MAX) return NULL;
    char *copy = dq_arena_take(arena, n + 1);
    if (!copy) return NULL;
    if (n) memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

void dq_arena_free(dq_arena *arena)
{
    while (arena->blocks) {
        block *next = arena->blocks->next;
        ASAN_UNPOISON_MEMORY_REGION((char *)arena->blocks + padded_header(), arena->blocks->size);
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}
