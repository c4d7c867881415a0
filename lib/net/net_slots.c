/* SPDX-License-Identifier: MIT */
#include "net/net_impl.h"

#include <string.h>

bool net_slots_init(net_slots *slots, size_t rows, dq_arena *arena)
{
    size_t size = 16;
    while (size < 2 * rows) size *= 2;
    *slots = (net_slots){.mask = (uint32_t)(size - 1)};
    slots->keys = dq_arena_zero(arena, size, sizeof *slots->keys);
    slots->slots = dq_arena_zero(arena, size, sizeof *slots->slots);
    slots->stamps = dq_arena_zero(arena, size, sizeof *slots->stamps);
    slots->distinct = dq_arena_zero(arena, rows, sizeof *slots->distinct);
    slots->of_row = dq_arena_zero(arena, rows, sizeof *slots->of_row);
    return slots->keys && slots->slots && slots->stamps && slots->distinct && slots->of_row;
}

void net_slots_find(net_slots *slots, const uint32_t *numbers, size_t n)
{
    if (++slots->epoch == 0) { /* after 2^32 batches old stamps would come alive again */
        memset(slots->stamps, 0, ((size_t)slots->mask + 1) * sizeof *slots->stamps);
        slots->epoch = 1;
    }
    slots->count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (numbers[i] * 0x9e3779b1U >> 7) & slots->mask;
        while (slots->stamps[at] == slots->epoch && slots->keys[at] != numbers[i])
            at = (at + 1) & slots->mask;
        if (slots->stamps[at] != slots->epoch) {
            slots->stamps[at] = slots->epoch;
            slots->keys[at] = numbers[i];
            slots->slots[at] = (uint32_t)slots->count;
            slots->distinct[slots->count++] = numbers[i];
        }
        slots->of_row[i] = slots->slots[at];
    }
}
