/* SPDX-License-Identifier: MIT
 *
 * Held-out rows are judged in blocks; where there are many, evenly spread ones stand for all, so that an
 * epoch's verdict costs no more than its learning.
 */
#include "learn/logged_impl.h"

#include <math.h>
#include <string.h>

enum { JUDGED_MOST = 8192 };

/* The place of an action among all by value, from 1; of equals it is the last. */
static size_t rank_of(const float *values, size_t count, uint32_t action)
{
    size_t rank = 0;
    for (size_t i = 0; i < count; i++) rank += values[i] >= values[action];
    return rank;
}

static void count_ranks(dq_logged *run, const uint32_t *rows, size_t n, dq_logged_epoch *epoch)
{
    size_t width = run->rows.state_width, actions = run->rows.actions;
    for (size_t i = 0; i < n; i++)
        memcpy(run->packed + i * width, run->batch[i].state, width * sizeof *run->packed);
    dq_agent_values(run->agent, run->packed, n, run->values);
    for (size_t i = 0; i < n; i++) {
        size_t rank = rank_of(run->values + i * actions, actions, run->rows.action[rows[i]]);
        if (rank > DQ_LOGGED_TOP) continue;
        epoch->hit += 1;
        epoch->ndcg += 1 / log2(1 + (double)rank);
    }
}

static dq_status judge(dq_logged *run, const uint32_t *rows, size_t n, dq_logged_epoch *epoch,
                       dq_error *error)
{
    dq_agent_losses losses;
    for (size_t i = 0; i < n; i++) logged_fill(run, i, rows[i]);
    dq_status status = dq_agent_evaluate_loss(run->agent, run->batch, n, &losses, error);
    if (status) return status;
    epoch->validation_loss += losses.q * (double)n;
    if (run->rows.ranked) count_ranks(run, rows, n, epoch);
    return DQ_OK;
}

dq_status logged_validate(dq_logged *run, dq_logged_epoch *epoch, dq_error *error)
{
    size_t judged = run->held_count < JUDGED_MOST ? run->held_count : JUDGED_MOST, n = 0;
    size_t most = DQ_LOGGED_ROWS(run->config), room = most < LOGGED_BLOCK ? most : LOGGED_BLOCK;
    uint32_t block[LOGGED_BLOCK];
    dq_status status = DQ_OK;
    epoch->validation_loss = 0;
    epoch->hit = epoch->ndcg = run->rows.ranked ? 0 : (double)NAN;
    for (size_t i = 0; !status && i < judged; i++) {
        block[n++] = run->held_out[i * run->held_count / judged];
        if (n < room && i + 1 < judged) continue;
        status = judge(run, block, n, epoch, error);
        n = 0;
    }
    epoch->validation_loss /= (double)judged;
    epoch->hit /= (double)judged;
    epoch->ndcg /= (double)judged;
    return status;
}
