/* SPDX-License-Identifier: MIT
 *
 * A run's state in a checkpoint: offline.order u4 (but of tiles), of lists and users offline.users u4,
 * offline.rng u8 (streams, 4), the counters under meta.offline; with priorities those of learn/replay.h under
 * offline.priorities; and the best epoch's model as learn/kept.h keeps it. Splits, held-out negatives and
 * states follow from the seed and the rows, and are made again.
 */
#include "core/buffers.h"
#include "core/record.h"
#include "data/split.h"
#include "learn/kept.h"
#include "math/sample.h"
#include "offline/offline_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- setting up ---- */

/* Draws the held-out groups, of those with a row to learn from, and marks their users. */
static dq_status split(dq_offline *run, dq_error *error)
{
    const dq_offline_config *c = &run->config;
    const dq_offline_rows *rows = &run->rows;
    dq_split how = {.share = c->validation, .fold = c->fold, .folds = c->folds, .seed = c->seed};
    size_t *counts;
    uint32_t *alone;
    const dq_buffer buffers[] = {DQ_BUFFER(counts, rows->users), DQ_BUFFER(alone, rows->users)};
    if (!dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "%u users", rows->users);
    for (size_t r = 0; r < rows->count; r++)
        if (!isnan(rows->reward[r]) && offline_has_row(run, r)) counts[rows->user[r]]++;
    for (uint32_t u = 0; u < rows->users; u++) alone[u] = u;
    dq_status status = offline_count_up(run, counts, rows->users, error);
    if (status) return status;
    return dq_split_users(&how, rows->group ? rows->group : alone, counts, rows->users, run->held,
                          &run->groups, &run->held_groups)
               ? DQ_OK
               : dq_fail_memory(error, "%zu rows", rows->count);
}

static dq_status make_order(dq_offline *run, dq_error *error)
{
    if (offline_is_tiled(run)) return offline_measure_tiles(run, error);
    for (size_t r = 0; r < run->rows.count; r++) {
        if (isnan(run->rows.reward[r])) continue;
        if (run->held[run->rows.user[r]])
            run->held_rows++;
        else
            run->order[run->order_count++] = (uint32_t)r;
    }
    run->all_training = run->order_count;
    run->all_held_rows = run->held_rows;
    return DQ_OK;
}

/* Every row begins with the same priority. */
static dq_status make_priorities(dq_offline *run, dq_error *error)
{
    if (!(run->config.priority > 0)) return DQ_OK;
    dq_status status = dq_replay_new(&run->priorities, run->order_count, 0, run->config.priority, error);
    for (size_t i = 0; !status && i < run->order_count; i++) {
        const dq_transition row = {.state = run->order[i]};
        dq_replay_push(run->priorities, NULL, &row);
    }
    return status;
}

/* The store of a batch has 2 vectors a row, unless states are numbered. */
static size_t batch_rows(const dq_offline *run)
{
    return run->by_lists ? DQ_OFFLINE_LIST_ROWS(run->config) : DQ_OFFLINE_ROWS(run->config);
}

static bool make_buffers(dq_offline *run)
{
    size_t rows = batch_rows(run), batch = run->config.batch, width = run->rows.state_width;
    size_t drawn = offline_draws_candidates(run) ? run->rows.actions : 0;
    size_t vectors = run->rows.states.count ? 0 : 2 * rows;
    const dq_buffer buffers[] = {
        DQ_BUFFER(run->order, run->rows.count),
        DQ_BUFFER(run->held, run->rows.users),
        DQ_BUFFER(run->batch, rows),
        DQ_BUFFER(run->weight, rows),
        DQ_BUFFER(run->errors, batch),
        DQ_BUFFER(run->slots, batch),
        DQ_BUFFER(run->slot_weight, batch),
        DQ_BUFFER(run->first, batch),
        DQ_BUFFER(run->offered, drawn),
        DQ_BUFFER(run->eval_offer, drawn),
        DQ_BUFFER(run->scratch, drawn),
        DQ_BUFFER(run->vectors, vectors * width),
        DQ_BUFFER(run->at, vectors),
    };
    if (!dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers))) return false;
    for (size_t i = 0; i < vectors; i++) run->at[i] = run->vectors + i * width;
    run->states = run->rows.states;
    if (vectors) run->states = (dq_vectors){run->at, (uint32_t)vectors, (uint32_t)width};
    return true;
}

/* How many passes, and their lists; the unit that they leave open is that of a network alone. */
static dq_status make_lists(dq_offline *run, dq_error *error)
{
    offline_lists *l = &run->lists;
    if (!offline_lists_make(l, &run->config, &run->rows, run->held, &run->arena))
        return dq_fail_memory(error, "lists");
    if (l->training == 0)
        return dq_fail(error, DQ_ERR_RANGE,
                       "nobody has a row whose reward is above that of an action passed over, %g: a list has "
                       "nothing to prefer",
                       (double)run->config.negative_reward);
    run->users = l->user;
    run->user_count = l->training;
    size_t batches = offline_batches(run);
    if (!run->config.epochs) run->config.epochs = (DQ_OFFLINE_UPDATES + batches - 1) / batches;
    dq_net_calibrate(dq_agent_network(run->agent, "q"), 1, 0);
    return run->config.start_weight != 0 ? offline_start(run, error) : DQ_OK;
}

static dq_status make(dq_offline *run, dq_error *error)
{
    dq_status status = make_buffers(run) ? DQ_OK : dq_fail_memory(error, "%zu rows", run->rows.count);
    if (!status) status = offline_make_tiles(run, error);
    if (!status) status = split(run, error);
    if (status) return status;
    if (run->config.folds > run->groups)
        return dq_fail(error, DQ_ERR_RANGE, "%u folds of %zu groups: some would hold nothing out",
                       run->config.folds, run->groups);
    status = make_order(run, error);
    if (status) return status;
    if (run->all_training == 0) return dq_fail(error, DQ_ERR_RANGE, "no row with a reward to learn from");
    status = run->by_lists ? make_lists(run, error) : make_priorities(run, error);
    if (!status) status = offline_balance(run, error);
    if (!status) status = offline_make_meta(run, error);
    return status ? status : offline_hold_out(run, error);
}

/* Buffers are as wide as the rows say, and the agent reads them. */
static dq_status check_shape(const dq_agent *agent, const dq_offline_rows *rows, dq_error *error)
{
    const dq_env_spec *shape = dq_agent_get_shape(agent);
    if (dq_agent_input_width(agent) != rows->state_width || shape->action_count != rows->actions)
        return dq_fail(error, DQ_ERR_RANGE,
                       "rows of states %u wide and %u actions, and an agent of %u and %u", rows->state_width,
                       rows->actions, dq_agent_input_width(agent), shape->action_count);
    if (shape->states.count != rows->states.count)
        return dq_fail(error, DQ_ERR_RANGE, "rows of %u numbered states, and an agent of %u",
                       rows->states.count, shape->states.count);
    if (dq_agent_get_config(agent)->given.width != rows->given)
        return dq_fail(error, DQ_ERR_RANGE, "rows with %u features of pairs, and an agent of %u", rows->given,
                       dq_agent_get_config(agent)->given.width);
    return DQ_OK;
}

static dq_status check_lists(const dq_offline_config *config, const dq_agent *agent,
                             const dq_offline_rows *rows, dq_error *error)
{
    const dq_agent_config *c = dq_agent_get_config(agent);
    if (!rows->states.count || rows->states.count != rows->users)
        return dq_fail(error, DQ_ERR_RANGE, "a loss of lists is of users who are states, as in a catalogue");
    if (config->n_step > 1 || config->priority > 0 || config->candidates)
        return dq_fail(error, DQ_ERR_RANGE, "lists have no returns over steps, priorities or candidates");
    if (c->fit_rows < DQ_OFFLINE_LIST_ROWS(*config) || c->list_states < config->batch ||
        c->list_actions < offline_list_columns(config, rows))
        return dq_fail(error, DQ_ERR_RANGE, "the agent takes smaller batches of lists");
    return check_shape(agent, rows, error);
}

static dq_status check(const dq_offline_config *config, dq_agent *agent, const dq_offline_rows *rows,
                       dq_error *error)
{
    const dq_agent_config *c = dq_agent_get_config(agent);
    if (config->batch == 0) return dq_fail(error, DQ_ERR_RANGE, "a batch of no rows");
    if (rows->count >= UINT32_MAX) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 rows");
    bool lists = dq_loss_of_lists(c->loss);
    if (lists) return check_lists(config, agent, rows, error);
    if (config->balance > 0 && config->priority > 0)
        return dq_fail(error, DQ_ERR_RANGE, "rows by priority have weights of their own: none by propensity");
    if (config->epochs == 0) return dq_fail(error, DQ_ERR_RANGE, "no pass over the rows");
    if (c->fit_rows < DQ_OFFLINE_ROWS(*config))
        return dq_fail(error, DQ_ERR_RANGE, "the agent takes smaller batches");
    if (config->candidates && c->offered && c->offered < config->candidates)
        return dq_fail(error, DQ_ERR_RANGE, "the agent takes fewer candidates");
    if (config->negatives && !rows->met)
        return dq_fail(error, DQ_ERR_RANGE,
                       "nothing says which actions were not met: there are no negatives");
    if (config->n_step > 1 && !rows->following)
        return dq_fail(error, DQ_ERR_RANGE, "rows have no order: there are no returns over several steps");
    if (config->n_step > 1 && dq_agent_network(agent, "world.0"))
        return dq_fail(error, DQ_ERR_RANGE,
                       "a world model learns from single steps, not from returns over several");
    return check_shape(agent, rows, error);
}

dq_status dq_offline_new(dq_offline **run, const dq_offline_config *config, dq_agent *agent,
                         const dq_offline_rows *rows, dq_error *error)
{
    *run = NULL;
    dq_status status = check(config, agent, rows, error);
    if (status) return status;
    dq_offline *r = calloc(1, sizeof *r);
    if (!r) return dq_fail_memory(error, "offline training");
    *r = (dq_offline){.config = *config, .agent = agent, .rows = *rows};
    r->gamma = dq_agent_get_config(agent)->gamma;
    r->by_lists = dq_loss_of_lists(dq_agent_get_config(agent)->loss);
    for (unsigned i = 0; i < RNG_OFFLINE_COUNT; i++) r->rng[i] = dq_rng_stream(config->seed, 200 + i);
    status = make(r, error);
    if (status) {
        dq_offline_free(r);
        return status;
    }
    *run = r;
    return DQ_OK;
}

void dq_offline_learn_only(dq_offline_config *config, dq_agent_config *agent)
{
    config->batch = agent->batch;
    if (config->folds) config->validation = 0;
    config->n_step = agent->n_step;
    config->priority = agent->priority;
    config->importance = agent->importance;
    config->seed = agent->seed;
    agent->replay = agent->batch;
    agent->warmup = 0;
    agent->fit_rows = DQ_OFFLINE_ROWS(*config);
    agent->planning = 0;
    agent->target_by = DQ_BY_UPDATES;
    if (config->meta.users) agent->adam.beta1 = 0;
}

void dq_offline_suit(dq_offline_config *config, const dq_offline_rows *rows, dq_agent_config *agent)
{
    agent->given = (dq_pair_features){rows->features_self, rows->given, rows->features};
    agent->tiles = config->tiles / (config->ranks ? config->ranks->count : 1);
    if (!dq_loss_of_lists(agent->loss)) return;
    if (!config->negatives && config->batch * (uint64_t)rows->actions > DQ_OFFLINE_PAIRS)
        config->negatives = DQ_OFFLINE_DRAWN;
    agent->fit_rows = DQ_OFFLINE_LIST_ROWS(*config);
    agent->list_states = config->batch;
    agent->list_actions = (uint32_t)offline_list_columns(config, rows);
    agent->calibrated = true;
}

void dq_offline_bound(const dq_offline_config *config, const dq_offline_rows *rows, dq_agent_config *agent)
{
    double min = INFINITY, max = -INFINITY;
    for (size_t r = 0; r < rows->count; r++) {
        if (isnan(rows->reward[r])) continue;
        min = fmin(min, (double)rows->reward[r]);
        max = fmax(max, (double)rows->reward[r]);
    }
    agent->bounded = min <= max && agent->gamma < 1;
    if (!agent->bounded) return;
    if (config->negatives) min = fmin(min, (double)config->negative_reward);
    if (config->negatives) max = fmax(max, (double)config->negative_reward);
    agent->value_min = (rows->ends ? fmin(0, min) : min) / (1 - agent->gamma);
    agent->value_max = (rows->ends ? fmax(0, max) : max) / (1 - agent->gamma);
}

void dq_offline_free(dq_offline *run)
{
    if (!run) return;
    dq_arena_free(&run->arena);
    dq_meta_free(run->meta);
    dq_replay_free(run->priorities);
    dq_bundle_free(&run->best);
    free(run);
}

dq_offline_sizes dq_offline_size(const dq_offline *run)
{
    return (dq_offline_sizes){.training = run->all_training,
                              .held_out = run->all_held_rows,
                              .groups = run->groups,
                              .held_out_groups = run->held_groups,
                              .batches = offline_batches(run),
                              .epochs = run->config.epochs,
                              .lists = run->by_lists ? run->lists.training : 0,
                              .tells_loss = run->by_lists ? run->lists.held_out > 0 : run->all_held > 0};
}

bool dq_offline_held_out(const dq_offline *run, uint32_t user)
{
    return run->held[user];
}

const char *const dq_best_by_names[] = {"loss", "concordance", "ndcg", NULL};

const char *dq_best_by_lack(dq_best_by asked)
{
    static const char *const lacks[] = {
        [DQ_BEST_BY_LOSS] = "no held-out user has a list that prefers anything",
        [DQ_BEST_BY_CONCORDANCE] = "no two held-out rows of one user have different rewards",
        [DQ_BEST_BY_NDCG] = "no held-out row has a positive reward"};
    return lacks[asked];
}

dq_best_by dq_offline_criterion(const dq_offline *run)
{
    return run->criterion;
}

/* ---- rows of a batch ---- */

/* The exponent of importance weights. */
static double beta_of(const dq_offline *run)
{
    return run->config.importance + (1 - run->config.importance) * dq_agent_scheduled(run->agent);
}

/* The next rows of the pass, or as many by priority; *logged counts them. Returns the rows of the batch. */
static size_t draw_batch(dq_offline *run, size_t *logged)
{
    size_t n = 0, left = run->order_count - (size_t)run->state.position;
    size_t count = left < run->config.batch ? left : run->config.batch;
    if (run->priorities)
        dq_replay_sample(run->priorities, &run->rng[RNG_PRIORITY], beta_of(run), count, run->slots,
                         run->slot_weight);
    for (size_t i = 0; i < count; i++) {
        size_t at = run->priorities ? run->slots[i] : (size_t)run->state.position + i;
        run->first[i] = (uint32_t)n;
        float weight = run->priorities ? run->slot_weight[i] : offline_weight(run, run->order[at]);
        n += offline_add_row(run, n, run->order[at], weight);
    }
    run->state.position += count;
    *logged = count;
    return n;
}

/* ---- learning ---- */

/* Whether no epoch is under way. By tiles some batches have no row, and so may the first one. */
static bool is_between(const dq_offline *run)
{
    if (offline_is_tiled(run)) return run->state.batches % offline_batches(run) == 0;
    return run->state.position == 0;
}

static void begin_epoch(dq_offline *run)
{
    offline_state *p = &run->state;
    p->epoch++;
    p->q_sum = p->world_sum = 0;
    p->row_sum = 0;
    if (offline_is_tiled(run))
        offline_order_tiles(run, p->epoch);
    else if (!run->priorities)
        dq_rng_shuffle(&run->rng[RNG_ORDER], run->order, run->order_count);
    if (run->users) dq_rng_shuffle(&run->rng[RNG_ORDER], run->users, run->user_count);
    if (!offline_draws_candidates(run)) return;
    dq_rng_sample(&run->rng[RNG_ORDER], run->offered, run->config.candidates, run->scratch,
                  run->rows.actions);
    dq_agent_offer(run->agent, run->offered, run->config.candidates);
}

/* What makes an epoch worse than another. */
static double badness(dq_best_by by, const dq_offline_epoch *epoch)
{
    if (by == DQ_BEST_BY_CONCORDANCE) return 1 - epoch->concordance;
    return by == DQ_BEST_BY_NDCG ? 1 - epoch->ndcg : epoch->validation_loss;
}

static dq_status evaluate_epoch(dq_offline *run, dq_offline_epoch *epoch, dq_error *error)
{
    offline_state *p = &run->state;
    dq_status status = offline_validate(run, epoch, error);
    if (status) return status;
    double bad = badness(run->criterion, epoch);
    if (isnan(bad)) return DQ_OK; /* nothing tells epochs apart: the last one stays */
    bool equal = bad == p->min && epoch->validation_loss < p->min_loss;
    epoch->best = bad < p->min || equal || p->best_epoch == 0;
    p->bad_epochs = epoch->best ? 0 : p->bad_epochs + 1;
    p->stopped = run->config.patience && p->bad_epochs >= run->config.patience;
    if (!epoch->best) return DQ_OK;
    p->min = bad;
    p->min_loss = epoch->validation_loss;
    p->best_epoch = epoch->epoch;
    return dq_kept_set(&run->best, run->agent, error);
}

static dq_status end_epoch(dq_offline *run, double rate, double beta, dq_error *error)
{
    offline_state *p = &run->state;
    double n = (double)p->row_sum;
    dq_offline_epoch epoch = {.epoch = p->epoch,
                              .q_loss = p->q_sum / n,
                              .world_loss = p->world_sum / n,
                              .validation_loss = NAN,
                              .concordance = NAN,
                              .hit = NAN,
                              .ndcg = NAN,
                              .rate = rate,
                              .beta = run->priorities ? beta : (double)NAN};
    dq_status status = run->all_held ? evaluate_epoch(run, &epoch, error) : DQ_OK;
    p->position = 0;
    p->last = epoch;
    return status;
}

/* The logged rows' new priorities; negatives have none. */
static void prioritise(dq_offline *run, size_t logged)
{
    const float *errors = dq_agent_errors(run->agent);
    for (size_t i = 0; i < logged; i++) run->errors[i] = errors[run->first[i]];
    dq_replay_prioritise(run->priorities, run->slots, run->errors, logged);
}

static dq_status learn_rows(dq_offline *run, dq_agent_losses *losses, size_t *n, size_t *logged,
                            dq_error *error)
{
    *n = draw_batch(run, logged);
    bool weighs = run->priorities || run->config.balance > 0;
    return dq_agent_fit(run->agent, &run->states, run->batch, *n, weighs ? run->weight : NULL, losses, error);
}

dq_status dq_offline_step(dq_offline *run, bool *ended, dq_error *error)
{
    offline_state *p = &run->state;
    dq_agent_losses losses;
    size_t logged = 0;
    *ended = false;
    if (is_between(run)) begin_epoch(run);
    dq_agent_progress(run->agent, offline_progress(run));
    double rate = dq_agent_rate(run->agent), beta = beta_of(run);
    size_t n;
    dq_status status = run->meta               ? offline_learn_users(run, &losses, &n, error)
                       : run->by_lists         ? offline_learn_lists(run, &losses, &n, error)
                       : offline_is_tiled(run) ? offline_learn_tiles(run, &losses, &n, error)
                                               : learn_rows(run, &losses, &n, &logged, error);
    if (status) return status;
    if (run->priorities) prioritise(run, logged);
    p->batches++;
    p->q_sum += losses.q * (double)n;
    p->world_sum += losses.world * (double)n;
    p->row_sum += n;
    *ended = offline_is_tiled(run) ? is_between(run) : p->position == offline_units(run);
    return *ended ? end_epoch(run, rate, beta, error) : DQ_OK;
}

bool dq_offline_done(const dq_offline *run)
{
    return run->state.stopped || (is_between(run) && run->state.epoch >= run->config.epochs);
}

dq_offline_epoch dq_offline_last(const dq_offline *run)
{
    return run->state.last;
}

uint64_t dq_offline_batches_done(const dq_offline *run)
{
    return run->state.batches;
}

dq_status dq_offline_finish(dq_offline *run, dq_error *error)
{
    if (offline_draws_candidates(run)) dq_agent_offer(run->agent, NULL, 0);
    dq_status status = run->state.best_epoch ? dq_agent_load(run->agent, false, &run->best, error) : DQ_OK;
    return status || !run->by_lists ? status : offline_calibrate(run, error);
}

/* ---- what it tells ---- */

bool dq_offline_report(const dq_offline *run, dq_arena *arena, dq_value *line)
{
    const dq_offline_epoch *e = &run->state.last;
    uint64_t updates = dq_agent_updates(run->agent);
    return dq_map_set(arena, line, "epoch", dq_int((int64_t)e->epoch)) &&
           dq_map_set(arena, line, "batches", dq_int((int64_t)run->state.batches)) &&
           dq_map_set(arena, line, "updates", dq_int((int64_t)updates)) &&
           dq_map_set(arena, line, "rate", dq_real(e->rate)) &&
           (isnan(e->beta) || dq_map_set(arena, line, "beta", dq_real(e->beta))) &&
           dq_map_set(arena, line, "q_loss", dq_real_or_nil(e->q_loss)) &&
           dq_map_set(arena, line, "world_loss", dq_real_or_nil(e->world_loss)) &&
           dq_map_set(arena, line, "validation_loss", dq_real_or_nil(e->validation_loss)) &&
           dq_map_set(arena, line, "validation_concordance", dq_real_or_nil(e->concordance)) &&
           dq_map_set(arena, line, "validation_hit", dq_real_or_nil(e->hit)) &&
           dq_map_set(arena, line, "validation_ndcg", dq_real_or_nil(e->ndcg)) &&
           dq_map_set(arena, line, "best", dq_bool(e->best));
}

/* ---- checkpoints ---- */

#define AT(member) offsetof(offline_state, member)

static const dq_record_field numbers[] = {
    {"q_sum", DQ_RECORD_REAL, AT(q_sum)},
    {"world_sum", DQ_RECORD_REAL, AT(world_sum)},
    {"min", DQ_RECORD_REAL, AT(min)},
    {"min_loss", DQ_RECORD_REAL, AT(min_loss)},
    {"last_q", DQ_RECORD_REAL, AT(last.q_loss)},
    {"last_world", DQ_RECORD_REAL, AT(last.world_loss)},
    {"last_validation", DQ_RECORD_REAL, AT(last.validation_loss)},
    {"last_concordance", DQ_RECORD_REAL, AT(last.concordance)},
    {"last_hit", DQ_RECORD_REAL, AT(last.hit)},
    {"last_ndcg", DQ_RECORD_REAL, AT(last.ndcg)},
    {"last_rate", DQ_RECORD_REAL, AT(last.rate)},
    {"last_beta", DQ_RECORD_REAL, AT(last.beta)},
    {"epoch", DQ_RECORD_COUNT, AT(epoch)},
    {"position", DQ_RECORD_COUNT, AT(position)},
    {"batches", DQ_RECORD_COUNT, AT(batches)},
    {"rows", DQ_RECORD_COUNT, AT(row_sum)},
    {"best_epoch", DQ_RECORD_COUNT, AT(best_epoch)},
    {"bad_epochs", DQ_RECORD_COUNT, AT(bad_epochs)},
    {"last_epoch", DQ_RECORD_COUNT, AT(last.epoch)},
    {"stopped", DQ_RECORD_FLAG, AT(stopped)},
    {"last_best", DQ_RECORD_FLAG, AT(last.best)},
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static const char priorities[] = "offline.priorities";

dq_status dq_offline_save(dq_offline *run, dq_bundle *model, dq_error *error)
{
    const uint64_t n = run->order_count, users = run->user_count;
    dq_status status = dq_record_save(numbers, NUMBERS, &run->state, "offline", model, error);
    if (!status && !offline_is_tiled(run))
        status = dq_bundle_add_tensor(model, "offline.order", DQ_U4, 1, &n, run->order, error);
    if (!status && run->users)
        status = dq_bundle_add_tensor(model, "offline.users", DQ_U4, 1, &users, run->users, error);
    if (!status) status = dq_record_save_rng(run->rng, RNG_OFFLINE_COUNT, "offline.rng", model, error);
    if (!status && run->priorities) status = dq_replay_save(run->priorities, priorities, model, error);
    return status ? status : dq_kept_save(&run->best, model, error);
}

static dq_status check_order(const dq_offline *run, dq_error *error)
{
    for (size_t i = 0; i < run->order_count; i++)
        if (run->order[i] >= run->rows.count)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's order names a row that is not there");
    for (size_t i = 0; i < run->user_count; i++)
        if (run->users[i] >= run->rows.users)
            return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's order names a user who is not there");
    return DQ_OK;
}

static dq_status restore_columns(dq_offline *run, const dq_bundle *model, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!offline_is_tiled(run))
        status = dq_record_column(model, "offline.order", DQ_U4, run->order_count, run->order, error);
    if (!status && run->users)
        status = dq_record_column(model, "offline.users", DQ_U4, run->user_count, run->users, error);
    if (!status) status = dq_record_rng(model, "offline.rng", RNG_OFFLINE_COUNT, run->rng, error);
    if (!status && run->priorities) status = dq_replay_restore(run->priorities, priorities, model, error);
    return status ? status : check_order(run, error);
}

dq_status dq_offline_restore(dq_offline *run, const dq_bundle *model, dq_error *error)
{
    offline_state state = {0};
    dq_status status = dq_record_restore(numbers, NUMBERS, &state, "offline", model, error);
    if (status) return status;
    if (state.position > offline_units(run))
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint's state is beyond the rows");
    status = restore_columns(run, model, error);
    if (!status) status = dq_kept_restore(&run->best, run->agent, model, error);
    if (status) return status;
    if (state.best_epoch && !run->best.kind)
        return dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint lacks the best epoch's model");
    run->state = state;
    if (offline_is_tiled(run)) offline_order_tiles(run, state.epoch);
    return DQ_OK;
}
