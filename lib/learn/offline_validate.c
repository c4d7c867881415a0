/* SPDX-License-Identifier: MIT
 *
 * Held-out rows stand with negatives of their own, drawn once, so that epochs are judged on the same rows.
 * The concordance is that of Harrell (JAMA 247, 1982) within each user, over at most PAIR_ROWS rows a user:
 * it costs the square of them.
 */
#include "learn/offline_impl.h"
#include "learn/sample.h"

#include <math.h>
#include <stdlib.h>

enum { PAIR_ROWS = 2000 };

static int by_user(const void *a, const void *b)
{
    const dq_transition *x = a, *y = b;
    if (x->user != y->user) return (x->user > y->user) - (x->user < y->user);
    return (x->item > y->item) - (x->item < y->item);
}

bool dq_offline_hold_out(dq_offline *run, size_t count)
{
    size_t room = run->held_rows * (1 + run->config.negatives) + 1;
    dq_rng rng = dq_rng_stream(run->config.seed, 204);
    run->held_out = calloc(room, sizeof *run->held_out);
    run->held_value = calloc(room, sizeof *run->held_value);
    if (!run->held_out || !run->held_value) return false;
    for (size_t i = 0; i < count; i++) {
        const dq_transition *row = &run->rows[i];
        if (isnan(row->reward) || !run->held[row->user]) continue;
        run->held_out[run->held_count++] = *row;
        for (size_t k = 0; k < run->config.negatives; k++) {
            uint32_t item = sample_unmet(&run->met, row->user, run->item_count, &rng);
            if (item == UINT32_MAX) break;
            run->held_out[run->held_count] = *row;
            run->held_out[run->held_count].item = item;
            run->held_out[run->held_count++].reward = run->config.negative_reward;
        }
    }
    qsort(run->held_out, run->held_count, sizeof *run->held_out, by_user);
    return true;
}

/* Q of held-out rows, and the sum of their squared errors. */
static double predict(dq_offline *run)
{
    size_t block = DQ_OFFLINE_ROWS(run->config);
    double sum = 0;
    dq_vectors users = dq_dynaq_users(run->agent), items = dq_dynaq_items(run->agent);
    for (size_t from = 0; from < run->held_count; from += block) {
        size_t n = run->held_count - from < block ? run->held_count - from : block;
        const dq_transition *rows = run->held_out + from;
        for (size_t i = 0; i < n; i++) {
            run->pair_user[i] = rows[i].user;
            run->pair_item[i] = rows[i].item;
        }
        dq_dynaq_targets(run->agent, rows, n, run->wanted);
        dq_net_predict(dq_dynaq_q(run->agent), &users, &items, run->pair_user, run->pair_item,
                       run->held_value + from, n);
        for (size_t i = 0; i < n; i++) {
            double wrong = (double)run->held_value[from + i] - (double)run->wanted[i];
            sum += wrong * wrong;
        }
    }
    return sum;
}

/* Adds one user's pairs. */
static void count_pairs(const dq_transition *rows, const float *value, size_t n, double *right, double *pairs)
{
    if (n > PAIR_ROWS) n = PAIR_ROWS;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            if (rows[i].reward == rows[j].reward) continue;
            bool up = rows[i].reward > rows[j].reward;
            *pairs += 1;
            if (value[i] == value[j])
                *right += 0.5;
            else if ((value[i] > value[j]) == up)
                *right += 1;
        }
}

void dq_offline_validate(dq_offline *run, dq_epoch *epoch)
{
    double right = 0, pairs = 0;
    epoch->validation_loss = predict(run) / (double)run->held_count;
    for (size_t from = 0, to; from < run->held_count; from = to) {
        for (to = from + 1; to < run->held_count && run->held_out[to].user == run->held_out[from].user;) to++;
        count_pairs(run->held_out + from, run->held_value + from, to - from, &right, &pairs);
    }
    epoch->order = pairs > 0 ? right / pairs : (double)NAN;
}
