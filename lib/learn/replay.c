/* SPDX-License-Identifier: MIT
 *
 * Floyd's sampling (Bentley, "A sample of brilliance", CACM 30(9), 1987): for j = count - n .. count - 1 draw
 * t of {0 .. j}; take t, or j when t was taken already. Membership is a stamp a slot, so that neither a hash
 * table nor a cleared bitmap is needed.
 */
#include "dq/replay.h"

#include <stdlib.h>

struct dq_replay {
    dq_transition *ring; /* (capacity) */
    uint32_t *stamp;     /* (capacity) the last batch that took this slot */
    uint32_t batch;
    size_t capacity, count, oldest;
};

dq_status dq_replay_new(dq_replay **replay, size_t capacity, dq_error *error)
{
    *replay = NULL;
    if (capacity == 0) return dq_fail(error, DQ_ERR_RANGE, "a replay buffer needs room for one transition");
    dq_replay *r = calloc(1, sizeof *r);
    if (!r) return dq_fail(error, DQ_ERR_MEMORY, "no memory for a replay buffer");
    r->capacity = capacity;
    r->ring = calloc(capacity, sizeof *r->ring);
    r->stamp = calloc(capacity, sizeof *r->stamp);
    if (!r->ring || !r->stamp) {
        dq_replay_free(r);
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu transitions", capacity);
    }
    *replay = r;
    return DQ_OK;
}

void dq_replay_free(dq_replay *replay)
{
    if (!replay) return;
    free(replay->ring);
    free(replay->stamp);
    free(replay);
}

static size_t slot_of(const dq_replay *replay, size_t i)
{
    return (replay->oldest + i) % replay->capacity;
}

void dq_replay_push(dq_replay *replay, const dq_transition *transition)
{
    replay->ring[slot_of(replay, replay->count)] = *transition;
    if (replay->count < replay->capacity)
        replay->count++;
    else
        replay->oldest = slot_of(replay, 1);
}

size_t dq_replay_count(const dq_replay *replay)
{
    return replay->count;
}

size_t dq_replay_capacity(const dq_replay *replay)
{
    return replay->capacity;
}

dq_transition dq_replay_at(const dq_replay *replay, size_t i)
{
    return replay->ring[slot_of(replay, i)];
}

static void next_batch(dq_replay *replay)
{
    if (++replay->batch) return;
    for (size_t i = 0; i < replay->capacity; i++) replay->stamp[i] = 0;
    replay->batch = 1;
}

/* Numbers are ages, not slots, so that a buffer restored from a checkpoint samples as the original. */
void dq_replay_sample(dq_replay *replay, dq_rng *rng, dq_transition *out, size_t n)
{
    next_batch(replay);
    for (size_t j = replay->count - n, taken = 0; j < replay->count; j++, taken++) {
        size_t i = (size_t)dq_rng_below(rng, j + 1);
        if (replay->stamp[i] == replay->batch) i = j;
        replay->stamp[i] = replay->batch;
        out[taken] = dq_replay_at(replay, i);
    }
}
