/* SPDX-License-Identifier: MIT
 *
 * What a run does with lists: a batch of them, those of held-out users, and the calibration at the end.
 */
#include "offline/offline_impl.h"

#include "math/sample.h"

#include <math.h>
#include <stdlib.h>

/* Who has seen praise alone predicts praise of everything. */
size_t offline_world_rows(dq_offline *run, const uint32_t *order, size_t count, size_t from)
{
    const dq_offline_rows *rows = &run->rows;
    size_t most = DQ_OFFLINE_LIST_ROWS(run->config) / 2, n = 0;
    if (!dq_agent_network(run->agent, "world.0")) return 0;
    for (size_t i = 0; i < most && i < count; i++) {
        uint32_t row = order[(from + i) % count], action = UINT32_MAX;
        bool ends = offline_fill(run, n++, row);
        if (rows->met)
            action = dq_sample_unmet(rows->met, rows->user[row], rows->actions, &run->rng[RNG_WORLD_ROWS]);
        if (action == UINT32_MAX) continue;
        offline_pass_over(run, n, n - 1, ends, action);
        n++;
    }
    return n;
}

dq_status offline_learn_lists(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error)
{
    offline_lists *l = &run->lists;
    size_t from = (size_t)run->state.position, batches = offline_batches(run);
    *n = (l->training + batches - 1) / batches; /* of one size: a step on few users would be as long */
    if (*n > l->training - from) *n = l->training - from;
    dq_agent_lists lists = offline_lists_fill(l, l->user + from, *n, &run->rng[RNG_NEGATIVES]);
    size_t passed = (size_t)run->state.batches * (DQ_OFFLINE_LIST_ROWS(run->config) / 2);
    size_t rows = offline_world_rows(run, run->order, run->order_count, passed);
    run->state.position += *n;
    return dq_agent_fit_lists(run->agent, &run->states, &lists, run->batch, rows, losses, error);
}

/* ---- the best cosine ---- */

enum { START_USERS = 256 };

/* The sum over a user's rows with a grade of 1 / log2(1 + rank), by values of all actions. */
static double gain_of(const dq_offline *run, uint32_t user, const float *values)
{
    const offline_lists *l = &run->lists;
    double sum = 0;
    for (uint32_t i = l->first[user]; i < l->first[user + 1]; i++) {
        uint32_t row = l->row[i], action = run->rows.action[row];
        size_t rank = 0;
        if (!(run->rows.reward[row] > l->none)) continue;
        for (uint32_t a = 0; a < run->rows.actions; a++) rank += values[a] >= values[action];
        sum += ((double)run->rows.reward[row] - (double)l->none) / log2(1 + (double)rank);
    }
    return sum;
}

/* What each feature alone is worth, over some users: the network's cosines, then those that are given. list:
 * (actions, given), values: (actions). */
static void find_worth(const dq_offline *run, float *list, float *values, double *worth)
{
    const dq_agent_config *c = dq_agent_get_config(run->agent);
    const dq_offline_rows *rows = &run->rows;
    const dq_env_spec *shape = dq_agent_get_shape(run->agent);
    size_t n = run->lists.training < START_USERS ? run->lists.training : START_USERS;
    for (size_t u = 0; u < n; u++) {
        uint32_t user = run->lists.user[u * run->lists.training / n];
        for (uint32_t f = 0; f < c->feature_count; f++) {
            for (uint32_t a = 0; a < rows->actions; a++)
                dq_cosine_block(rows->states.at[user], shape->actions[a], 0, 1, &c->features[f], 1,
                                values + a);
            worth[f] += gain_of(run, user, values);
        }
        if (rows->given) rows->features(rows->features_self, user, NULL, rows->actions, list);
        for (uint32_t g = 0; g < rows->given; g++) {
            for (uint32_t a = 0; a < rows->actions; a++) values[a] = list[(size_t)a * rows->given + g];
            worth[c->feature_count + g] += gain_of(run, user, values);
        }
    }
}

static void start_at(const dq_offline *run, uint32_t feature, double weight)
{
    dq_net_start_at(dq_agent_network(run->agent, "q"), feature, weight);
    dq_net_start_at(dq_agent_network(run->agent, "target"), feature, weight);
}

/* The best cosine starts at start_weight. A feature that is given, a z-score mostly, starts at a quarter of
 * it by the square of what it is worth beside the best of all: few updates could not bring it there. */
static void start_features(const dq_offline *run, const double *worth)
{
    uint32_t cosines = dq_agent_get_config(run->agent)->feature_count, count = cosines + run->rows.given,
             at = 0;
    double best = 0, weight = run->config.start_weight;
    for (uint32_t f = 0; f < count; f++) best = fmax(best, worth[f]);
    for (uint32_t f = 1; f < cosines; f++) at = worth[f] > worth[at] ? f : at;
    if (cosines) start_at(run, at, weight);
    for (uint32_t f = cosines; f < count && best > 0; f++)
        start_at(run, f, weight / 4 * (worth[f] / best) * (worth[f] / best));
}

dq_status offline_start(dq_offline *run, dq_error *error)
{
    const dq_agent_config *c = dq_agent_get_config(run->agent);
    size_t actions = run->rows.actions, given = run->rows.given, count = c->feature_count + given;
    if (!c->direct || count == 0 || run->lists.training == 0) return DQ_OK;
    float *values = calloc(actions, sizeof *values), *list = calloc(actions * given + 1, sizeof *list);
    double *worth = calloc(count, sizeof *worth);
    bool room = values && list && worth;
    if (room) find_worth(run, list, values, worth);
    if (room) start_features(run, worth);
    free(values);
    free(list);
    free(worth);
    return room ? DQ_OK : dq_fail_memory(error, "%zu values", actions);
}

/* ---- who is held out ---- */

/* Values of the held-out rows of the users who stand at held_out[from], state by state. Returns where it
 * ends. */
static size_t value_users(dq_offline *run, float *values, size_t from)
{
    uint32_t state = run->held_out[from].user;
    dq_agent_values(run->agent, &run->states, &state, 1, values);
    for (; from < run->held_count && run->held_out[from].user == state; from++)
        run->held_value[from] = values[run->held_out[from].action];
    return from;
}

static dq_status value_held_out(dq_offline *run, dq_error *error)
{
    float *values = calloc(run->rows.actions, sizeof *values);
    if (!values) return dq_fail_memory(error, "%u values", run->rows.actions);
    for (size_t i = 0; i < run->held_count;) i = value_users(run, values, i);
    free(values);
    return DQ_OK;
}

dq_status offline_evaluate_lists(dq_offline *run, double *loss, dq_error *error)
{
    offline_lists *l = &run->lists;
    dq_rng rng = dq_rng_stream(run->config.seed, LISTS_STREAM);
    double sum = 0;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < l->held_out; i += run->config.batch) {
        size_t n = l->held_out - i < run->config.batch ? l->held_out - i : run->config.batch;
        dq_agent_losses losses;
        dq_agent_lists lists = offline_lists_fill(l, l->user + l->training + i, n, &rng);
        status = dq_agent_evaluate_lists(run->agent, &run->states, &lists, &losses, error);
        sum += losses.q * (double)n;
    }
    *loss = l->held_out ? sum / (double)l->held_out : (double)NAN;
    return status ? status : value_held_out(run, error);
}

/* ---- calibration ---- */

/* Sums of a line through points. */
typedef struct line {
    double n, x, y, xx, xy;
} line;

static void add_point(line *l, double x, double y)
{
    l->n += 1;
    l->x += x;
    l->y += y;
    l->xx += x * x;
    l->xy += x * y;
}

/* All rows with a reward and as many actions passed over. */
static dq_status add_all_rows(dq_offline *run, line *l, dq_error *error)
{
    const dq_offline_rows *rows = &run->rows;
    const offline_lists *lists = &run->lists;
    dq_rng rng = dq_rng_stream(run->config.seed, LISTS_STREAM);
    float *values = calloc(rows->actions, sizeof *values);
    if (!values) return dq_fail_memory(error, "%u values", rows->actions);
    for (size_t u = 0; u < lists->training; u++) {
        uint32_t user = lists->user[u];
        dq_agent_values(run->agent, &run->states, &user, 1, values);
        for (uint32_t i = lists->first[user]; i < lists->first[user + 1]; i++) {
            uint32_t row = lists->row[i], other;
            add_point(l, (double)values[rows->action[row]], (double)rows->reward[row]);
            other = rows->met ? dq_sample_unmet(rows->met, user, rows->actions, &rng) : UINT32_MAX;
            if (other != UINT32_MAX) add_point(l, (double)values[other], (double)run->config.negative_reward);
        }
    }
    free(values);
    return DQ_OK;
}

dq_status offline_calibrate(dq_offline *run, dq_error *error)
{
    line l = {0};
    dq_status status = run->held_count ? value_held_out(run, error) : add_all_rows(run, &l, error);
    if (status) return status;
    for (size_t i = 0; i < run->held_count; i++)
        add_point(&l, (double)run->held_value[i], (double)run->held_out[i].reward);
    double spread = l.xx - l.x * l.x / l.n, scale = (l.xy - l.x * l.y / l.n) / spread;
    if (!(spread > 0) || !(scale > 0) || !isfinite(scale)) scale = 1; /* an order is never turned around */
    double shift = (l.y - scale * l.x) / l.n;
    dq_net_calibrate(dq_agent_network(run->agent, "q"), scale, shift);
    dq_net_calibrate(dq_agent_network(run->agent, "target"), scale, shift);
    return DQ_OK;
}
