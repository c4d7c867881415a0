/* SPDX-License-Identifier: MIT */
#include "data/split.h"
#include "learn/offline_impl.h"
#include "learn/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- setting up ---- */

/* Draws the held-out groups, of those with a labelled row, and marks their users. */
static bool split(dq_offline *run, size_t count, const uint32_t *group)
{
    const dq_offline_config *c = &run->config;
    dq_split how = {.share = c->validation, .fold = c->fold, .folds = c->folds, .seed = c->seed};
    size_t *rows = calloc((size_t)run->user_count + 1, sizeof *rows);
    run->held = calloc(run->user_count, 1);
    bool ok = rows && run->held;
    for (size_t i = 0; ok && i < count; i++)
        if (!isnan(run->rows[i].reward)) rows[run->rows[i].user]++;
    ok = ok && dq_split_users(&how, group, rows, run->user_count, run->held, &run->groups, &run->held_groups);
    free(rows);
    return ok;
}

static dq_status remember_met(dq_offline *run, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = dq_pairset_add(&run->met, run->rows[i].user, run->rows[i].item, NULL, error);
    return status;
}

static bool make_order(dq_offline *run, size_t count)
{
    run->order = calloc(count + 1, sizeof *run->order);
    if (!run->order) return false;
    for (size_t i = 0; i < count; i++) {
        if (isnan(run->rows[i].reward)) continue;
        if (run->held[run->rows[i].user])
            run->held_rows++;
        else
            run->order[run->order_count++] = (uint32_t)i;
    }
    return true;
}

static bool make_buffers(dq_offline *run)
{
    size_t max_rows = DQ_OFFLINE_ROWS(run->config);
    dq_net *q = dq_dynaq_q(run->agent), *world = dq_dynaq_world(run->agent);
    run->batch = calloc(max_rows, sizeof *run->batch);
    run->wanted = calloc(max_rows, sizeof *run->wanted);
    run->pair_user = calloc(max_rows, sizeof *run->pair_user);
    run->pair_item = calloc(max_rows, sizeof *run->pair_item);
    run->scratch = calloc(run->item_count, sizeof *run->scratch);
    run->drawn = calloc(run->item_count, sizeof *run->drawn);
    run->best_q = calloc(dq_net_count(q), sizeof *run->best_q);
    run->best_world = calloc(world ? dq_net_count(world) : 1, sizeof *run->best_world);
    return run->batch && run->wanted && run->pair_user && run->pair_item && run->scratch && run->drawn &&
           run->best_q && run->best_world;
}

static dq_status make(dq_offline *run, size_t count, const uint32_t *group, dq_error *error)
{
    dq_status status = remember_met(run, count, error);
    if (status) return status;
    if (!split(run, count, group) || !make_order(run, count) || !make_buffers(run) ||
        !dq_offline_hold_out(run, count))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu rows", count);
    if (run->order_count == 0) return dq_fail(error, DQ_ERR_RANGE, "no row with a reward to learn from");
    for (uint32_t i = 0; i < run->item_count; i++) run->drawn[i] = i;
    dq_dynaq_candidates(run->agent, run->drawn, run->item_count);
    return DQ_OK;
}

dq_status dq_offline_new(dq_offline **run, const dq_offline_config *config, dq_dynaq *agent,
                         const dq_transition *rows, size_t count, const uint32_t *group, dq_error *error)
{
    *run = NULL;
    if (config->batch == 0) return dq_fail(error, DQ_ERR_RANGE, "a batch of no rows");
    if (count > UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 1 transitions");
    dq_offline *r = calloc(1, sizeof *r);
    if (!r) return dq_fail(error, DQ_ERR_MEMORY, "no memory for offline training");
    r->config = *config;
    if (!r->config.schedule) r->config.schedule = &dq_schedules[0];
    r->agent = agent;
    r->rows = rows;
    r->row_count = count;
    r->user_count = dq_dynaq_users(agent).count;
    r->item_count = dq_dynaq_items(agent).count;
    for (unsigned i = 0; i < RNG_OFFLINE_COUNT; i++) r->rng[i] = dq_rng_stream(config->seed, 200 + i);
    dq_status status = make(r, count, group, error);
    if (status) {
        dq_offline_free(r);
        return status;
    }
    *run = r;
    return DQ_OK;
}

void dq_offline_free(dq_offline *run)
{
    if (!run) return;
    dq_pairset_free(&run->met);
    void *buffers[] = {run->held,      run->order,     run->batch,      run->scratch,
                       run->drawn,     run->held_out,  run->held_value, run->wanted,
                       run->pair_user, run->pair_item, run->best_q,     run->best_world};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) free(buffers[i]);
    free(run);
}

dq_offline_sizes dq_offline_size(const dq_offline *run)
{
    return (dq_offline_sizes){.training = run->order_count,
                              .held_out = run->held_rows,
                              .groups = run->groups,
                              .held_out_groups = run->held_groups,
                              .batches = (run->order_count + run->config.batch - 1) / run->config.batch};
}

bool dq_offline_held_out(const dq_offline *run, uint32_t user)
{
    return run->held[user];
}

/* ---- learning ---- */

static void begin_epoch(dq_offline *run)
{
    offline_place *p = &run->place;
    p->epoch++;
    p->q_sum = p->world_sum = 0;
    p->row_sum = 0;
    dq_rng_shuffle(&run->rng[RNG_ORDER], run->order, run->order_count);
    if (run->config.candidates == 0 || run->config.candidates >= run->item_count) return;
    dq_rng_sample(&run->rng[RNG_ORDER], run->drawn, run->config.candidates, run->scratch, run->item_count);
    dq_dynaq_candidates(run->agent, run->drawn, run->config.candidates);
}

/* The next labelled rows, each followed by its negatives. */
static size_t draw_batch(dq_offline *run)
{
    size_t n = 0, end = run->place.position + run->config.batch;
    if (end > run->order_count) end = run->order_count;
    for (; run->place.position < end; run->place.position++) {
        const dq_transition *row = &run->rows[run->order[run->place.position]];
        run->batch[n++] = *row;
        for (size_t k = 0; k < run->config.negatives; k++) {
            uint32_t item = sample_unmet(&run->met, row->user, run->item_count, &run->rng[RNG_NEGATIVES]);
            if (item == UINT32_MAX) break;
            run->batch[n] = *row;
            run->batch[n].item = item;
            run->batch[n++].reward = run->config.negative_reward;
        }
    }
    return n;
}

static void keep_weights(float *to, dq_net *net)
{
    memcpy(to, dq_net_weights(net), dq_net_count(net) * sizeof *to);
}

static void judge_epoch(dq_offline *run, dq_epoch *epoch)
{
    offline_place *p = &run->place;
    bool by_order = run->config.best_by == DQ_BEST_BY_ORDER && !isnan(epoch->order);
    double badness = by_order ? 1 - epoch->order : epoch->validation_loss;
    bool equal = badness == p->least && epoch->validation_loss < p->least_loss;
    epoch->best = badness < p->least || equal || p->best_epoch == 0;
    p->bad_epochs = epoch->best ? 0 : p->bad_epochs + 1;
    if (run->config.patience && p->bad_epochs >= run->config.patience) p->stopped = true;
    if (!epoch->best) return;
    p->least = badness;
    p->least_loss = epoch->validation_loss;
    p->best_epoch = epoch->epoch;
    keep_weights(run->best_q, dq_dynaq_q(run->agent));
    if (dq_dynaq_world(run->agent)) keep_weights(run->best_world, dq_dynaq_world(run->agent));
}

static void end_epoch(dq_offline *run, double rate)
{
    offline_place *p = &run->place;
    double n = (double)p->row_sum;
    dq_epoch epoch = {.epoch = p->epoch,
                      .q_loss = p->q_sum / n,
                      .world_loss = dq_dynaq_world(run->agent) ? p->world_sum / n : (double)NAN,
                      .validation_loss = NAN,
                      .order = NAN,
                      .rate = rate};
    if (run->held_count) {
        dq_offline_validate(run, &epoch);
        judge_epoch(run, &epoch);
    }
    p->position = 0;
    p->last = epoch;
}

dq_status dq_offline_step(dq_offline *run, bool *ended, dq_error *error)
{
    offline_place *p = &run->place;
    uint64_t total = (uint64_t)run->config.epochs * dq_offline_size(run).batches;
    double q = 0, world = 0,
           rate = dq_schedule_rate(run->config.schedule, run->config.rate, p->batches, total);
    *ended = false;
    if (p->position == 0) begin_epoch(run);
    size_t n = draw_batch(run);
    dq_status status = dq_dynaq_fit_q(run->agent, run->batch, n, rate, &q, error);
    if (!status && dq_dynaq_world(run->agent))
        status = dq_dynaq_fit_world(run->agent, run->batch, n, rate, &world, error);
    if (status) return status;
    dq_dynaq_count_step(run->agent);
    p->batches++;
    p->q_sum += q * (double)n;
    p->world_sum += world * (double)n;
    p->row_sum += n;
    *ended = p->position == run->order_count;
    if (*ended) end_epoch(run, rate);
    return DQ_OK;
}

bool dq_offline_done(const dq_offline *run)
{
    return run->place.stopped || (run->place.position == 0 && run->place.epoch >= run->config.epochs);
}

dq_epoch dq_offline_last(const dq_offline *run)
{
    return run->place.last;
}

uint64_t dq_offline_batches_done(const dq_offline *run)
{
    return run->place.batches;
}

void dq_offline_finish(dq_offline *run)
{
    dq_net *q = dq_dynaq_q(run->agent), *world = dq_dynaq_world(run->agent);
    if (run->place.best_epoch) {
        memcpy(dq_net_weights(q), run->best_q, dq_net_count(q) * sizeof(float));
        if (world) memcpy(dq_net_weights(world), run->best_world, dq_net_count(world) * sizeof(float));
    }
    dq_dynaq_sync(run->agent);
}
