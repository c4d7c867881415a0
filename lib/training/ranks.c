/* SPDX-License-Identifier: MIT */
#include "training/training.h"

dq_status dq_training_any(const dq_ranks *ranks, bool *said, dq_error *error)
{
    bool all[DQ_OFFLINE_MAX_TILES];
    if (!ranks) return DQ_OK;
    all[ranks->rank] = *said;
    dq_status status = ranks->gather(ranks->self, all, sizeof *all, error);
    for (uint32_t i = 0; !status && i < ranks->count; i++) *said = *said || all[i];
    return status;
}

typedef struct state {
    uint64_t input, batches;
} state;

dq_status dq_training_agree(const dq_training *t, const dq_ranks *ranks, uint64_t batches, dq_error *error)
{
    state all[DQ_OFFLINE_MAX_TILES];
    if (!ranks) return DQ_OK;
    all[ranks->rank] = (state){dq_training_digest(t), batches};
    dq_status status = ranks->gather(ranks->self, all, sizeof *all, error);
    for (uint32_t i = 0; !status && i < ranks->count; i++) {
        bool same = all[i].input == all->input;
        if (same && all[i].batches == all->batches) continue;
        return dq_fail(error, DQ_ERR_RANGE,
                       "rank %u has another %s than rank 0: files must be the same wherever ranks run", i,
                       same ? "checkpoint" : "input");
    }
    return status;
}
