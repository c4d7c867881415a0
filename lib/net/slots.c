/* SPDX-License-Identifier: MIT
 *
 * What a batch repeats or leaves out: distinct numbers, and the numbers of sparse states that are not zero.
 */
#include "net/net_impl.h"

#include "core/buffers.h"

#include <string.h>

bool net_slots_init(net_slots *slots, size_t rows, size_t distinct, dq_arena *arena)
{
    size_t size = 16;
    while (size < 2 * distinct) size *= 2;
    *slots = (net_slots){.mask = (uint32_t)(size - 1)};
    const dq_buffer buffers[] = {
        DQ_BUFFER(slots->keys, size),         DQ_BUFFER(slots->slots, size),  DQ_BUFFER(slots->stamps, size),
        DQ_BUFFER(slots->distinct, distinct), DQ_BUFFER(slots->of_row, rows),
    };
    return dq_buffers_take(arena, buffers, DQ_BUFFERS(buffers));
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

void net_slots_count(net_slots *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) slots->distinct[i] = slots->of_row[i] = (uint32_t)i;
    slots->count = n;
}

void net_slots_grid(net_slots *states, net_slots *actions, const uint32_t *action, size_t n, size_t grid)
{
    for (size_t r = 0; r < n * grid; r++) {
        states->of_row[r] = (uint32_t)(r / grid);
        actions->of_row[r] = (uint32_t)(r % grid);
    }
    for (size_t s = 0; s < n; s++) states->distinct[s] = (uint32_t)s;
    memcpy(actions->distinct, action, grid * sizeof *action);
    states->count = n;
    actions->count = grid;
}

/* ---- sparse states ---- */

bool net_nonzero_init(net_nonzero *nonzero, size_t rows, size_t width, dq_arena *arena)
{
    const dq_buffer buffers[] = {DQ_BUFFER(nonzero->start, rows + 1),
                                 DQ_BUFFER(nonzero->index, rows * width)};
    return dq_buffers_take(arena, buffers, DQ_BUFFERS(buffers));
}

/* Whether all bits of 16 numbers are 0. */
static bool empty16(const float *x)
{
    uint64_t bits[8], any = 0;
    memcpy(bits, x, sizeof bits);
    for (int i = 0; i < 8; i++) any |= bits[i];
    return any == 0;
}

void net_nonzero_find(net_nonzero *nonzero, const float *const *rows, size_t n, size_t width)
{
    size_t count = 0;
    nonzero->rows = rows;
    for (size_t r = 0; r < n; r++) {
        const float *x = rows[r];
        nonzero->start[r] = count;
        for (size_t j = 0; j < width;) {
            if (j + 16 <= width && empty16(x + j)) {
                j += 16;
                continue;
            }
            for (size_t end = net_min(j + 16, width); j < end; j++)
                if (x[j] != 0) nonzero->index[count++] = (uint32_t)j;
        }
    }
    nonzero->start[n] = count;
}

float net_nonzero_dot(const net_nonzero *nonzero, size_t r, size_t in, const float *weights)
{
    const float *x = nonzero->rows[r];
    float sum = 0;
    for (size_t k = nonzero->start[r]; k < nonzero->start[r + 1] && nonzero->index[k] < in; k++)
        sum += x[nonzero->index[k]] * weights[nonzero->index[k]];
    return sum;
}

void net_nonzero_add(const net_nonzero *nonzero, size_t r, size_t in, float scale, float *to)
{
    const float *x = nonzero->rows[r];
    for (size_t k = nonzero->start[r]; k < nonzero->start[r + 1] && nonzero->index[k] < in; k++)
        to[nonzero->index[k]] += scale * x[nonzero->index[k]];
}

void net_nonzero_product(const net_nonzero *nonzero, size_t rows, size_t in, const float *weights,
                         size_t w_stride, size_t n, float *y, size_t stride)
{
    for (size_t c = 0; c < n; c++, weights += w_stride)
        for (size_t r = 0; r < rows; r++) y[r * stride + c] = net_nonzero_dot(nonzero, r, in, weights);
}

void net_nonzero_gradient(const net_nonzero *nonzero, size_t rows, size_t in, const float *dy, size_t stride,
                          size_t n, float *to, size_t to_stride)
{
    for (size_t c = 0; c < n; c++, to += to_stride) {
        memset(to, 0, in * sizeof *to);
        for (size_t r = 0; r < rows; r++)
            if (dy[r * stride + c] != 0) net_nonzero_add(nonzero, r, in, dy[r * stride + c], to);
    }
}
