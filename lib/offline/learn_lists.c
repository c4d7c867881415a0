/* SPDX-License-Identifier: MIT
 *
 * What a run does with lists: a batch of them, those of held-out users, and the calibration at the end.
 */
#include "offline/offline_impl.h"

#include "math/sample.h"

#include <math.h>
#include <stdlib.h>

/* The next rows of the pass over rows, which goes on where it was and begins anew as often as needed. */
static size_t world_rows(dq_offline *run)
{
    size_t n = DQ_OFFLINE_LIST_ROWS(run->config), from = (size_t)run->state.batches * n;
    if (!dq_agent_network(run->agent, "world.0")) return 0;
    if (n > run->order_count) n = run->order_count;
    for (size_t i = 0; i < n; i++) offline_fill(run, i, run->order[(from + i) % run->order_count]);
    return n;
}

dq_status offline_learn_lists(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error)
{
    offline_lists *l = &run->lists;
    size_t from = (size_t)run->state.position, batches = offline_batches(run);
    *n = (l->training + batches - 1) / batches; /* of one size: a step on few users would be as long */
    if (*n > l->training - from) *n = l->training - from;
    dq_agent_lists lists = offline_lists_fill(l, l->user + from, *n, &run->rng[RNG_NEGATIVES]);
    size_t rows = world_rows(run);
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

/* What one cosine alone is worth, over some users. */
static double worth_of(const dq_offline *run, const dq_pairing *cosine, float *values)
{
    const dq_env_spec *shape = dq_agent_get_shape(run->agent);
    size_t n = run->lists.training < START_USERS ? run->lists.training : START_USERS;
    double sum = 0;
    for (size_t u = 0; u < n; u++) {
        uint32_t user = run->lists.user[u * run->lists.training / n];
        for (uint32_t a = 0; a < run->rows.actions; a++)
            dq_cosine_block(run->rows.states.at[user], shape->actions[a], 0, 1, cosine, 1, values + a);
        sum += gain_of(run, user, values);
    }
    return sum;
}

dq_status offline_start(dq_offline *run, dq_error *error)
{
    const dq_agent_config *c = dq_agent_get_config(run->agent);
    float *values = calloc(run->rows.actions, sizeof *values);
    double best = -INFINITY;
    uint32_t at = 0;
    if (!values) return dq_fail_memory(error, "%u values", run->rows.actions);
    for (uint32_t f = 0; c->direct && f < c->feature_count; f++) {
        double worth = worth_of(run, &c->features[f], values);
        if (worth > best) at = f;
        best = fmax(best, worth);
    }
    free(values);
    if (!c->direct || !c->feature_count) return DQ_OK;
    dq_net_start_at(dq_agent_network(run->agent, "q"), at, run->config.start_weight);
    dq_net_start_at(dq_agent_network(run->agent, "target"), at, run->config.start_weight);
    return DQ_OK;
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
