/* SPDX-License-Identifier: MIT
 *
 * The target's maximum is a table because both of its parts stand still: the target network between copies,
 * the candidates within an episode. With one user it is one number per copy; offline it is filled for the
 * users of a batch that lack it, many users against each block of candidates at once.
 *
 * The world model does not move while planning goes on, so the N batches are drawn first and predicted in one
 * pass; late in training the greedy item fills the memory, so distinct pairs are few.
 */
#include "learn/dynaq_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status check(const dq_dynaq_config *c, const dq_vectors *users, const dq_vectors *items,
                       dq_error *error)
{
    if (users->count == 0 || items->count == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an agent needs a user and an item");
    if (c->q.user_width != users->width || c->q.item_width != items->width ||
        (!c->no_world && (c->world.user_width != users->width || c->world.item_width != items->width)))
        return dq_fail(error, DQ_ERR_RANGE,
                       "networks for vectors of %u and %u, but users have %u and items %u", c->q.user_width,
                       c->q.item_width, users->width, items->width);
    if (c->batch == 0 || c->replay < c->batch)
        return dq_fail(error, DQ_ERR_RANGE, "a batch of %zu from a memory of %zu", c->batch, c->replay);
    if (c->target_every == 0) return dq_fail(error, DQ_ERR_RANGE, "the target is copied every 0 updates");
    return DQ_OK;
}

static dq_status make_nets(dq_dynaq *a, dq_pool *pool, dq_error *error)
{
    dq_rng init = dq_rng_stream(a->config.seed, 100);
    size_t rows = a->config.max_rows;
    dq_status status = dq_net_new(&a->q, &a->config.q, rows, pool, &init, error);
    if (status) return status;
    if ((status = dq_net_new(&a->target, &a->config.q, rows, pool, &init, error))) return status;
    dq_net_copy(a->target, a->q);
    if (a->config.no_world) return DQ_OK;
    init = dq_rng_stream(a->config.seed, 101);
    return dq_net_new(&a->world, &a->config.world, rows, pool, &init, error);
}

static bool make_buffers(dq_dynaq *a)
{
    size_t max_rows = a->config.max_rows, planned = a->config.planning * a->config.batch;
    size_t users = a->users.count, width = a->items.width;
    a->pair_rows = planned > max_rows ? planned : max_rows;
    for (a->pair_slot_count = 64; a->pair_slot_count < 2 * planned;) a->pair_slot_count *= 2;
    a->candidates = calloc(a->items.count, sizeof *a->candidates);
    a->block = calloc((size_t)BLOCK * width + 1, sizeof *a->block);
    a->value = calloc(users, sizeof *a->value);
    a->valid = calloc(users, sizeof *a->valid);
    a->missing = calloc(max_rows, sizeof *a->missing);
    a->missing_at = calloc(max_rows, sizeof *a->missing_at);
    a->scores = calloc(max_rows * BLOCK, sizeof *a->scores);
    a->rows = calloc(a->config.batch, sizeof *a->rows);
    a->plan = calloc(planned + 1, sizeof *a->plan);
    a->pair_user = calloc(a->pair_rows, sizeof *a->pair_user);
    a->pair_item = calloc(a->pair_rows, sizeof *a->pair_item);
    a->pair_of = calloc(planned + 1, sizeof *a->pair_of);
    a->pair_slots = calloc(a->pair_slot_count, sizeof *a->pair_slots);
    a->pair_value = calloc(a->pair_rows, sizeof *a->pair_value);
    a->wanted = calloc(a->pair_rows, sizeof *a->wanted);
    return a->candidates && a->block && a->value && a->valid && a->missing && a->missing_at && a->scores &&
           a->rows && a->plan && a->pair_user && a->pair_item && a->pair_of && a->pair_slots &&
           a->pair_value && a->wanted;
}

static dq_status make(dq_dynaq *a, dq_pool *pool, dq_error *error)
{
    if (!make_buffers(a)) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    dq_status status = dq_replay_new(&a->replay, a->config.replay, error);
    return status ? status : make_nets(a, pool, error);
}

dq_status dq_dynaq_new(dq_dynaq **agent, const dq_dynaq_config *config, const dq_vectors *users,
                       const dq_vectors *items, dq_pool *pool, dq_error *error)
{
    *agent = NULL;
    dq_status status = check(config, users, items, error);
    if (status) return status;
    dq_dynaq *a = calloc(1, sizeof *a);
    if (!a) return dq_fail(error, DQ_ERR_MEMORY, "no memory for an agent");
    a->config = *config;
    if (!a->config.schedule) a->config.schedule = &dq_schedules[0];
    if (a->config.max_rows < a->config.batch) a->config.max_rows = a->config.batch;
    a->users = *users;
    a->items = *items;
    a->epsilon = config->epsilon;
    a->version = 1;
    a->block_from = NO_BLOCK;
    for (unsigned i = 0; i < RNG_COUNT; i++) a->rng[i] = dq_rng_stream(config->seed, i + 1);
    if ((status = make(a, pool, error))) {
        dq_dynaq_free(a);
        return status;
    }
    *agent = a;
    return DQ_OK;
}

void dq_dynaq_free(dq_dynaq *a)
{
    if (!a) return;
    dq_net_free(a->q);
    dq_net_free(a->target);
    dq_net_free(a->world);
    dq_replay_free(a->replay);
    void *buffers[] = {a->candidates, a->block,   a->value,  a->valid,      a->missing,
                       a->missing_at, a->scores,  a->rows,   a->plan,       a->pair_user,
                       a->pair_item,  a->pair_of, a->wanted, a->pair_slots, a->pair_value};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) free(buffers[i]);
    free(a);
}

void dq_dynaq_candidates(dq_dynaq *a, const uint32_t *items, uint32_t n)
{
    memmove(a->candidates, items, n * sizeof *items);
    a->candidate_count = n;
    a->block_from = NO_BLOCK;
    a->version++;
}

/* Candidates from..from + rows - 1 side by side in a->block; kept while the same block is asked for. */
static uint32_t gather(dq_dynaq *a, uint32_t from)
{
    uint32_t left = a->candidate_count - from;
    if (a->block_from == from) return a->block_rows;
    a->block_from = from;
    a->block_rows = left < BLOCK ? left : BLOCK;
    for (uint32_t i = 0; i < a->block_rows; i++)
        memcpy(a->block + (size_t)i * a->items.width, a->items.at[a->candidates[from + i]],
               a->items.width * sizeof *a->block);
    return a->block_rows;
}

/* ---- acting ---- */

uint32_t dq_dynaq_greedy(dq_dynaq *a, uint32_t user, float *value)
{
    uint32_t best = 0;
    float best_value = -INFINITY;
    for (uint32_t from = 0; from < a->candidate_count; from += BLOCK) {
        uint32_t n = gather(a, from);
        dq_net_score(a->q, a->users.at[user], a->block, a->items.width, n, a->scores);
        for (uint32_t i = 0; i < n; i++)
            if (a->scores[i] > best_value) {
                best_value = a->scores[i];
                best = from + i;
            }
    }
    if (value) *value = best_value;
    return best;
}

uint32_t dq_dynaq_act(dq_dynaq *a, uint32_t user)
{
    if (dq_rng_uniform(&a->rng[RNG_ACT]) < a->epsilon)
        return (uint32_t)dq_rng_below(&a->rng[RNG_ACT], a->candidate_count);
    return dq_dynaq_greedy(a, user, NULL);
}

void dq_dynaq_observe(dq_dynaq *a, const dq_transition *transition)
{
    dq_replay_push(a->replay, transition);
}

bool dq_dynaq_ready(const dq_dynaq *a)
{
    size_t count = dq_replay_count(a->replay);
    return count >= a->config.warmup && count >= a->config.batch;
}

/* ---- targets ---- */

static void fill_values(dq_dynaq *a, size_t missing)
{
    for (size_t u = 0; u < missing; u++) {
        a->missing_at[u] = a->users.at[a->missing[u]];
        a->value[a->missing[u]] = -INFINITY;
    }
    for (uint32_t from = 0; from < a->candidate_count; from += BLOCK) {
        uint32_t n = gather(a, from);
        dq_net_score_many(a->target, a->missing_at, missing, a->block, a->items.width, n, a->scores, BLOCK);
        for (size_t u = 0; u < missing; u++) {
            float *best = &a->value[a->missing[u]];
            for (uint32_t i = 0; i < n; i++)
                if (a->scores[u * BLOCK + i] > *best) *best = a->scores[u * BLOCK + i];
        }
    }
}

/* Makes value[] hold for the next states of these rows. */
static void tabulate(dq_dynaq *a, const dq_transition *rows, size_t n)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t user = rows[i].next;
        if (rows[i].done || a->valid[user] == a->version) continue;
        a->valid[user] = a->version;
        a->missing[missing++] = user;
    }
    if (missing) fill_values(a, missing);
}

/* Q(s', a; target) of the taken actions into pair_value. */
static void same_values(dq_dynaq *a, const dq_transition *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a->pair_user[i] = rows[i].next;
        a->pair_item[i] = rows[i].item;
    }
    dq_net_predict(a->target, &a->users, &a->items, a->pair_user, a->pair_item, a->pair_value, n);
}

void dq_dynaq_targets(dq_dynaq *a, const dq_transition *rows, size_t n, float *targets)
{
    float gamma = (float)a->config.gamma;
    bool same = a->config.bootstrap == DQ_BOOTSTRAP_SAME;
    for (size_t i = 0; i < n; i++) targets[i] = rows[i].reward;
    if (gamma == 0) return;
    if (same)
        same_values(a, rows, n);
    else
        tabulate(a, rows, n);
    for (size_t i = 0; i < n; i++)
        if (!rows[i].done) targets[i] += gamma * (same ? a->pair_value[i] : a->value[rows[i].next]);
}

/* ---- learning ---- */

static dq_status fit(dq_dynaq *a, dq_net *net, unsigned rng, const dq_transition *rows, size_t n, double rate,
                     double *loss, dq_error *error)
{
    dq_adam adam = a->config.adam;
    adam.rate = rate;
    for (size_t i = 0; i < n; i++) {
        a->pair_user[i] = rows[i].user;
        a->pair_item[i] = rows[i].item;
    }
    *loss = dq_net_fit(net, &a->users, &a->items, a->pair_user, a->pair_item, a->wanted, NULL, n, &adam,
                       &a->rng[rng]);
    if (isfinite(*loss)) return DQ_OK;
    return dq_fail(error, DQ_ERR_NUMERIC,
                   "training has diverged: the %s loss is not finite after %llu updates (try a smaller rate)",
                   net == a->q ? "Q" : "world-model", (unsigned long long)a->updates);
}

dq_status dq_dynaq_fit_q(dq_dynaq *a, const dq_transition *rows, size_t n, double rate, double *loss,
                         dq_error *error)
{
    dq_dynaq_targets(a, rows, n, a->wanted);
    dq_status status = fit(a, a->q, RNG_DROP_Q, rows, n, rate, loss, error);
    if (status) return status;
    if (++a->updates % a->config.target_every == 0) dq_dynaq_sync(a);
    return DQ_OK;
}

dq_status dq_dynaq_fit_world(dq_dynaq *a, const dq_transition *rows, size_t n, double rate, double *loss,
                             dq_error *error)
{
    for (size_t i = 0; i < n; i++) a->wanted[i] = rows[i].reward;
    return fit(a, a->world, RNG_DROP_WORLD, rows, n, rate, loss, error);
}

void dq_dynaq_sync(dq_dynaq *a)
{
    dq_net_copy(a->target, a->q);
    a->version++;
}

/* The number of the distinct pair that row belongs to; new pairs are appended. */
static uint32_t pair_number(dq_dynaq *a, const dq_transition *row, uint32_t *pairs)
{
    size_t mask = a->pair_slot_count - 1;
    size_t slot = (size_t)((row->user * 0x9e3779b97f4a7c15U ^ row->item) * 0xd1342543de82ef95U >> 20);
    for (slot &= mask;; slot = (slot + 1) & mask) {
        uint32_t p = a->pair_slots[slot];
        if (p == UINT32_MAX) break;
        if (a->pair_user[p] == row->user && a->pair_item[p] == row->item) return p;
    }
    a->pair_user[*pairs] = row->user;
    a->pair_item[*pairs] = row->item;
    return a->pair_slots[slot] = (*pairs)++;
}

/* The planning batches, with the world model's rewards in place of the real ones. */
static void draw_plan(dq_dynaq *a)
{
    size_t batch = a->config.batch, n = batch * a->config.planning;
    uint32_t pairs = 0;
    for (size_t i = 0; i < n; i += batch)
        dq_replay_sample(a->replay, &a->rng[RNG_REPLAY], a->plan + i, batch);
    memset(a->pair_slots, 0xff, a->pair_slot_count * sizeof *a->pair_slots);
    for (size_t i = 0; i < n; i++) a->pair_of[i] = pair_number(a, &a->plan[i], &pairs);
    dq_net_predict(a->world, &a->users, &a->items, a->pair_user, a->pair_item, a->pair_value, pairs);
    for (size_t i = 0; i < n; i++) a->plan[i].reward = a->pair_value[a->pair_of[i]];
}

static dq_status plan(dq_dynaq *a, double rate, double *mean_loss, dq_error *error)
{
    size_t batch = a->config.batch, n = batch * a->config.planning;
    double sum = 0, loss;
    *mean_loss = 0;
    if (n == 0) return DQ_OK;
    draw_plan(a);
    for (size_t i = 0; i < n; i += batch, sum += loss) {
        dq_status status = dq_dynaq_fit_q(a, a->plan + i, batch, rate, &loss, error);
        if (status) return status;
    }
    *mean_loss = sum / (double)a->config.planning;
    return DQ_OK;
}

dq_status dq_dynaq_learn(dq_dynaq *a, dq_losses *losses, dq_error *error)
{
    const dq_dynaq_config *c = &a->config;
    double rate = dq_schedule_rate(c->schedule, c->adam.rate, a->steps, c->schedule_steps);
    *losses = (dq_losses){0};
    dq_replay_sample(a->replay, &a->rng[RNG_REPLAY], a->rows, c->batch);
    dq_status status = dq_dynaq_fit_q(a, a->rows, c->batch, rate, &losses->q, error);
    if (!status && a->world) {
        status = dq_dynaq_fit_world(a, a->rows, c->batch, rate, &losses->world, error);
        if (!status) status = plan(a, rate, &losses->planning, error);
    }
    if (status) return status;
    a->epsilon = dq_epsilon_next(a->epsilon, c->epsilon_decay, c->epsilon_min);
    a->steps++;
    return DQ_OK;
}

dq_net *dq_dynaq_q(dq_dynaq *a)
{
    return a->q;
}

dq_net *dq_dynaq_world(dq_dynaq *a)
{
    return a->world;
}

dq_vectors dq_dynaq_users(const dq_dynaq *a)
{
    return a->users;
}

dq_vectors dq_dynaq_items(const dq_dynaq *a)
{
    return a->items;
}

double dq_dynaq_epsilon(const dq_dynaq *a)
{
    return a->epsilon;
}

uint64_t dq_dynaq_steps(const dq_dynaq *a)
{
    return a->steps;
}

uint64_t dq_dynaq_updates(const dq_dynaq *a)
{
    return a->updates;
}

void dq_dynaq_count_step(dq_dynaq *a)
{
    a->steps++;
}

void dq_dynaq_set_counts(dq_dynaq *a, uint64_t steps, uint64_t updates)
{
    a->steps = steps;
    a->updates = updates;
}
