/* SPDX-License-Identifier: MIT */
#include "learn/replay.h"

#include "learn/sample.h"

#include <stdlib.h>

struct dq_replay {
    dq_transition *ring; /* (capacity) */
    sample_distinct sampler;
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
    if (!sample_distinct_init(&r->sampler, capacity) || !r->ring) {
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
    sample_distinct_free(&replay->sampler);
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

/* Numbers are ages, not slots, so that a buffer restored from a checkpoint samples as the original. */
void dq_replay_sample(dq_replay *replay, dq_rng *rng, dq_transition *out, size_t n)
{
    sample_distinct_begin(&replay->sampler);
    for (size_t j = replay->count - n, taken = 0; j < replay->count; j++, taken++)
        out[taken] = dq_replay_at(replay, sample_distinct_draw(&replay->sampler, rng, j));
}
