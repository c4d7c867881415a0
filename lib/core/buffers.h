/* SPDX-License-Identifier: MIT
 *
 * The buffers of a struct as a table, allocated together:
 *
 *     const dq_buffer buffers[] = {DQ_BUFFER(run->order, rows), DQ_BUFFER(run->weight, batch)};
 *     if (!dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers))) ...
 */
#ifndef DQ_CORE_BUFFERS_H
#define DQ_CORE_BUFFERS_H

#include "dq/arena.h"

#include <stdbool.h>
#include <string.h>

/* The address of a pointer, and the elements that it is to point to. */
typedef struct dq_buffer {
    void *to;
    size_t count, size;
} dq_buffer;

/* clang-format off */
#define DQ_BUFFER(pointer, elements) {&(pointer), (elements), sizeof *(pointer)}
/* clang-format on */
#define DQ_BUFFERS(table) (sizeof(table) / sizeof *(table))

/* Each zeroed, in the arena; false when memory is short. */
static inline bool dq_buffers_take(dq_arena *arena, const dq_buffer *buffers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *memory = dq_arena_zero(arena, buffers[i].count, buffers[i].size);
        if (!memory) return false;
        memcpy(buffers[i].to, &memory, sizeof memory); /* one of another type may not be written as void * */
    }
    return true;
}

#endif
