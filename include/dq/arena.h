/* SPDX-License-Identifier: MIT
 *
 * A bump allocator: many small pieces with one lifetime, released together. Values, bundles and their names
 * live in arenas. Pieces are aligned to 64 bytes when large (>= 64) and to 16 otherwise.
 */
#ifndef DQ_ARENA_H
#define DQ_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct dq_arena {
    struct dq_arena_block *blocks; /* newest first */
    size_t used;                   /* bytes handed out, in all */
    bool failed; /* a piece was not to be had: what was made of pieces since may lack some */
} dq_arena;

#define DQ_ARENA_EMPTY ((dq_arena){0})

/* size bytes (0 gives a valid pointer too), or NULL when memory is short. Not zeroed. */
void *dq_arena_take(dq_arena *arena, size_t size);

/* n * size zeroed bytes, or NULL (also when the product overflows). Of a large piece the system gives pages
 * as they are used. */
void *dq_arena_zero(dq_arena *arena, size_t n, size_t size);

/* A copy of the first n bytes of text, and a NUL. */
char *dq_arena_text(dq_arena *arena, const char *text, size_t n);

/* Forgets all pieces, and keeps some of their memory for the next: for what is made again and again. */
void dq_arena_clear(dq_arena *arena);

/* Releases everything; the arena is empty and usable. */
void dq_arena_free(dq_arena *arena);

#endif
