/* SPDX-License-Identifier: MIT */
#include "data/split.h"
#include "learn/logged_impl.h"
#include "learn/sample.h"

#include "dq/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- setting up ---- */

/* Who is held out, and so which rows are learnt from and which are judged. */
static bool split(dq_logged *run)
{
    const dq_logged_config *c = &run->config;
    const dq_logged_rows *rows = &run->rows;
    dq_split how = {.share = c->validation, .fold = c->fold, .folds = c->folds, .seed = c->seed};
    size_t *counts = calloc((size_t)rows->users + 1, sizeof *counts);
    uint32_t *alone = calloc((size_t)rows->users + 1, sizeof *alone);
    bool ok = counts && alone;
    for (size_t r = 0; ok && r < rows->count; r++)
        if (!isnan(rows->reward[r])) counts[rows->user[r]]++;
    for (uint32_t u = 0; ok && u < rows->users; u++) alone[u] = u;
    ok = ok && dq_split_users(&how, rows->group ? rows->group : alone, counts, rows->users, run->held,
                              &run->groups, &run->held_groups);
    for (size_t r = 0; ok && r < rows->count; r++) {
        bool held = run->held[rows->user[r]],
             judged = rows->ranked ? rows->reward[r] > 0 : !isnan(rows->reward[r]);
        if (!isnan(rows->reward[r]) && !held) run->order[run->order_count++] = (uint32_t)r;
        if (judged && held) run->held_out[run->held_count++] = (uint32_t)r;
    }
    free(counts);
    free(alone);
    return ok;
}

static bool make_buffers(dq_logged *run)
{
    size_t n = run->rows.count + 1, width = run->rows.state_width, rows = DQ_LOGGED_ROWS(run->config);
    run->order = calloc(n, sizeof *run->order);
    run->held_out = calloc(n, sizeof *run->held_out);
    run->held = calloc((size_t)run->rows.users + 1, 1);
    run->states = calloc(2 * rows * width, sizeof *run->states);
    run->batch = calloc(rows, sizeof *run->batch);
    run->packed = calloc(LOGGED_BLOCK * width, sizeof *run->packed);
    run->values = calloc((size_t)LOGGED_BLOCK * run->rows.actions, sizeof *run->values);
    return run->order && run->held_out && run->held && run->states && run->batch && run->packed &&
           run->values;
}

/* Buffers are as wide as the rows say, and the agent fills them. */
static dq_status check_widths(const dq_agent *agent, const dq_logged_rows *rows, dq_error *error)
{
    const dq_env_spec *shape = dq_agent_get_shape(agent);
    if (shape->state_width == rows->state_width && shape->action_count == rows->actions) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "rows of states %u wide and %u actions, and an agent of %u and %u",
                   rows->state_width, rows->actions, shape->state_width, shape->action_count);
}

dq_status dq_logged_new(dq_logged **run, const dq_logged_config *config, dq_agent *agent, dq_agent *spare,
                        const dq_logged_rows *rows, dq_error *error)
{
    *run = NULL;
    dq_status status = check_widths(agent, rows, error);
    if (status) return status;
    if (config->batch == 0) return dq_fail(error, DQ_ERR_RANGE, "a batch of no rows");
    if (config->negatives && !rows->met) return dq_fail(error, DQ_ERR_RANGE, "such rows have no negatives");
    if (rows->count >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 rows");
    if (dq_agent_get_config(agent)->fit_rows < DQ_LOGGED_ROWS(*config))
        return dq_fail(error, DQ_ERR_RANGE, "the agent takes smaller batches");
    dq_logged *r = calloc(1, sizeof *r);
    if (!r) return dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu rows", rows->count);
    *r = (dq_logged){.config = *config, .agent = agent, .spare = spare, .rows = *rows};
    for (unsigned i = 0; i < RNG_LOGGED_COUNT; i++) r->rng[i] = dq_rng_stream(config->seed, 220 + i);
    if (!make_buffers(r) || !split(r))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for %zu rows", rows->count);
    if (!status && r->order_count == 0)
        status = dq_fail(error, DQ_ERR_RANGE, "no row with a reward to learn from");
    if (status) {
        dq_logged_free(r);
        return status;
    }
    *run = r;
    return DQ_OK;
}

void dq_logged_free(dq_logged *run)
{
    if (!run) return;
    void *buffers[] = {run->order, run->held_out, run->held,  run->states,
                       run->batch, run->packed,   run->values};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) free(buffers[i]);
    free(run);
}

size_t dq_logged_batches(const dq_logged_config *config, const dq_logged_rows *rows)
{
    double share = config->folds ? 1.0 / config->folds : config->validation;
    size_t count = 0;
    for (size_t r = 0; r < rows->count; r++)
        if (!isnan(rows->reward[r])) count++;
    size_t batches = (size_t)((double)count * (1 - share) / (double)config->batch + 0.5);
    return batches ? batches : 1;
}

void dq_logged_bound(const dq_logged_config *config, const dq_logged_rows *rows, dq_agent_config *agent)
{
    double least = INFINITY, greatest = -INFINITY;
    for (size_t r = 0; r < rows->count; r++) {
        if (isnan(rows->reward[r])) continue;
        least = fmin(least, (double)rows->reward[r]);
        greatest = fmax(greatest, (double)rows->reward[r]);
    }
    agent->bounded = least <= greatest && agent->gamma < 1;
    if (!agent->bounded) return;
    if (config->negatives) least = fmin(least, (double)config->negative_reward);
    if (config->negatives) greatest = fmax(greatest, (double)config->negative_reward);
    agent->value_min = (rows->ends ? fmin(0, least) : least) / (1 - agent->gamma);
    agent->value_max = (rows->ends ? fmax(0, greatest) : greatest) / (1 - agent->gamma);
}

dq_logged_sizes dq_logged_size(const dq_logged *run)
{
    return (dq_logged_sizes){.training = run->order_count,
                             .held_out = run->held_count,
                             .groups = run->groups,
                             .held_out_groups = run->held_groups,
                             .batches = (run->order_count + run->config.batch - 1) / run->config.batch};
}

/* ---- transitions as they are ---- */

static void fill_transition(void *self, size_t row, float *state, float *next, dq_experience *experience)
{
    const dq_logged_transitions *log = self;
    (void)state;
    (void)next;
    *experience = (dq_experience){.state = log->state + row * log->state_width,
                                  .next = log->next + row * log->state_width,
                                  .action = log->action[row],
                                  .reward = log->reward[row],
                                  .terminal = log->done[row]};
}

dq_logged_rows dq_logged_of_transitions(dq_logged_transitions *log)
{
    bool ends = false;
    for (size_t r = 0; r < log->count; r++) ends = ends || log->done[r];
    return (dq_logged_rows){.self = log,
                            .count = log->count,
                            .users = log->episodes,
                            .user = log->episode,
                            .action = log->action,
                            .reward = log->reward,
                            .state_width = log->state_width,
                            .actions = log->actions,
                            .fill = fill_transition,
                            .ends = ends};
}

/* ---- batches ---- */

/* Row k is row `of` with an action that was passed over: the state stays. */
static bool fill_negative(dq_logged *run, size_t k, size_t of, uint32_t row)
{
    uint32_t action = sample_unmet(run->rows.met, run->rows.user[row], run->rows.actions,
                                   &run->rng[RNG_NEGATIVES]);
    if (action == UINT32_MAX) return false;
    run->batch[k] = run->batch[of];
    run->batch[k].action = action;
    run->batch[k].reward = run->config.negative_reward;
    run->batch[k].next = run->batch[k].state;
    return true;
}

static size_t draw_batch(dq_logged *run)
{
    size_t n = 0, end = run->place.position + run->config.batch;
    if (end > run->order_count) end = run->order_count;
    for (; run->place.position < end; run->place.position++) {
        uint32_t row = run->order[run->place.position];
        size_t of = n;
        logged_fill(run, n++, row);
        for (size_t i = 0; i < run->config.negatives && fill_negative(run, n, of, row); i++) n++;
    }
    return n;
}

/* ---- learning ---- */

/* to becomes what from is. */
static dq_status copy_agent(dq_agent *to, dq_agent *from, dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(from, false, &model, error);
    if (!status) status = dq_agent_load(to, false, &model, error);
    dq_bundle_free(&model);
    return status;
}

static dq_status judge_epoch(dq_logged *run, dq_logged_epoch *epoch, dq_error *error)
{
    logged_place *p = &run->place;
    dq_status status = logged_validate(run, epoch, error);
    if (status) return status;
    bool by_order = run->config.best_by == DQ_LOGGED_BEST_BY_ORDER && run->rows.ranked;
    double badness = by_order ? 1 - epoch->ndcg : epoch->validation_loss;
    epoch->best = badness < p->least || p->best_epoch == 0;
    p->bad_epochs = epoch->best ? 0 : p->bad_epochs + 1;
    p->stopped = run->config.patience && p->bad_epochs >= run->config.patience;
    if (!epoch->best) return DQ_OK;
    p->least = badness;
    p->best_epoch = epoch->epoch;
    return copy_agent(run->spare, run->agent, error);
}

static dq_status end_epoch(dq_logged *run, dq_error *error)
{
    logged_place *p = &run->place;
    double n = (double)p->row_sum;
    dq_logged_epoch epoch = {.epoch = p->epoch,
                             .q_loss = p->q_sum / n,
                             .world_loss = p->world_sum / n,
                             .validation_loss = NAN,
                             .hit = NAN,
                             .ndcg = NAN};
    dq_status status = run->held_count ? judge_epoch(run, &epoch, error) : DQ_OK;
    p->position = 0;
    p->last = epoch;
    return status;
}

dq_status dq_logged_step(dq_logged *run, bool *ended, dq_error *error)
{
    logged_place *p = &run->place;
    dq_agent_losses losses;
    *ended = false;
    if (p->position == 0) {
        p->epoch++;
        p->q_sum = p->world_sum = 0;
        p->row_sum = 0;
        dq_rng_shuffle(&run->rng[RNG_ORDER], run->order, run->order_count);
    }
    size_t n = draw_batch(run);
    dq_status status = dq_agent_fit(run->agent, run->batch, n, &losses, error);
    if (status) return status;
    p->batches++;
    p->q_sum += losses.q * (double)n;
    p->world_sum += losses.world * (double)n;
    p->row_sum += n;
    *ended = p->position == run->order_count;
    return *ended ? end_epoch(run, error) : DQ_OK;
}

bool dq_logged_done(const dq_logged *run)
{
    return run->place.stopped || (run->place.position == 0 && run->place.epoch >= run->config.epochs);
}

dq_logged_epoch dq_logged_last(const dq_logged *run)
{
    return run->place.last;
}

uint64_t dq_logged_batches_done(const dq_logged *run)
{
    return run->place.batches;
}

dq_status dq_logged_finish(dq_logged *run, dq_error *error)
{
    return run->place.best_epoch ? copy_agent(run->agent, run->spare, error) : DQ_OK;
}
