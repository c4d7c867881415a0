/* SPDX-License-Identifier: MIT
 *
 * Values of one theta for many actions: what it is worth with a state is folded first, f = [1, state]' theta,
 * so that an action costs its own width, not the product's.
 */
#include "learn/bandit/bandit.h"

#include "core/record.h"
#include "learn/agent_impl.h"
#include "learn/bandit/posterior.h"
#include "math/cholesky.h"
#include "math/cosine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of a posterior: 2 GiB. */
enum { MAX_NUMBERS = 1 << 28 };

typedef struct bandit {
    dq_posterior posterior;
    double *x, *theta; /* (width) */
    double *fold;      /* (1 + action_width) of one posterior for all */
    uint64_t fresh;    /* observations that no learning step has told of, */
    double square;     /* and their squared errors */
    bool broken;       /* one of them was no number */
} bandit;

static bool is_thompson(const dq_agent *a)
{
    return a->kind == &dq_agent_thompson;
}

bool dq_bandit_is(const char *kind)
{
    return strcmp(kind, dq_agent_linucb.name) == 0 || strcmp(kind, dq_agent_thompson.name) == 0;
}

/* ---- making ---- */

static bool is_shared(const dq_agent_config *c)
{
    return c->head == DQ_HEAD_ACTIONS;
}

static uint32_t arms_of(const dq_agent_config *c, const dq_env_spec *s)
{
    return is_shared(c) ? 1 : s->action_count;
}

/* Numbers of x; UINT32_MAX: beyond any use. */
static uint32_t width_of(const dq_agent_config *c, const dq_env_spec *s)
{
    uint64_t action = 1 + (uint64_t)s->action_width, state = 1 + (uint64_t)s->state_width;
    uint64_t width = !is_shared(c) ? state : action * (c->outer ? state : 1) + c->feature_count;
    return width < UINT32_MAX ? (uint32_t)width : UINT32_MAX;
}

static dq_status check_own(const dq_agent_config *c, dq_error *error)
{
    if (c->gamma != 0)
        return dq_fail(error, DQ_ERR_RANGE, "a bandit's reward is for its action alone: gamma is 0, not %g",
                       c->gamma);
    if (!(c->ridge > 0 && isfinite(c->ridge)) || !(c->spread >= 0 && isfinite(c->spread)))
        return dq_fail(error, DQ_ERR_RANGE, "a ridge of %g, and a spread of %g", c->ridge, c->spread);
    if (c->epsilon > 0 || c->explore_by != DQ_EXPLORE_EPSILON)
        return dq_fail(error, DQ_ERR_RANGE, "a bandit explores by what it does not know, not by epsilon");
    const char *foreign = c->given.width ? "features of lists" : agent_find_foreign(c);
    if (!foreign && !is_shared(c) && (c->feature_count || c->outer))
        foreign = "features without a head on actions";
    if (!foreign && c->alpha > 0) foreign = "alpha";
    if (foreign)
        return dq_fail(error, DQ_ERR_RANGE, "%s means nothing to a bandit, whose posterior is linear",
                       foreign);
    return DQ_OK;
}

static dq_status check(const dq_agent *a, dq_error *error)
{
    const dq_agent_config *c = &a->config;
    dq_status status = check_own(c, error);
    if (status) return status;
    if (is_shared(c) && !a->actions.at)
        return dq_fail(error, DQ_ERR_RANGE, "a head on actions needs their vectors: these have none");
    uint32_t width = width_of(c, &a->shape), arms = arms_of(c, &a->shape);
    size_t numbers = dq_posterior_size(arms, width);
    if (numbers <= MAX_NUMBERS) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "%u posterior%s of %u numbers %s over 2 GiB: narrower vectors (dq-embed --dims)%s", arms,
                   arms > 1 ? "s" : "", width, arms > 1 ? "are" : "is",
                   is_shared(c) ? " or no products are wanted"
                                : " or one for all actions (a head on actions)");
}

static dq_status bandit_init(dq_agent *a, dq_error *error)
{
    dq_status status = check(a, error);
    if (status) return status;
    uint32_t width = width_of(&a->config, &a->shape);
    bandit *b = a->self = dq_arena_zero(&a->arena, 1, sizeof *b);
    if (!b) return dq_fail_memory(error, "a bandit");
    const dq_buffer buffers[] = {
        DQ_BUFFER(b->x, width),
        DQ_BUFFER(b->theta, width),
        DQ_BUFFER(b->fold, is_shared(&a->config) ? 1 + (size_t)a->shape.action_width : 0),
    };
    if (dq_buffers_take(&a->arena, buffers, DQ_BUFFERS(buffers)) &&
        dq_posterior_init(&b->posterior, &a->arena, arms_of(&a->config, &a->shape), width, a->config.ridge))
        return DQ_OK;
    return dq_fail_memory(error, "a posterior of %u numbers", width);
}

/* ---- what is known of a state and an action ---- */

/* [1, vector] times factor */
static double *put(double *x, double factor, const float *vector, uint32_t width)
{
    *x++ = factor;
    for (uint32_t i = 0; i < width; i++) *x++ = factor * (double)vector[i];
    return x;
}

static void fill(const dq_agent *a, const float *state, uint32_t action, double *x)
{
    const dq_agent_config *c = &a->config;
    if (!is_shared(c)) {
        put(x, 1, state, a->shape.state_width);
        return;
    }
    const float *vector = a->actions.at[action];
    x = put(x, 1, vector, a->shape.action_width);
    for (uint32_t i = 0; c->outer && i < a->shape.state_width; i++)
        x = put(x, (double)state[i], vector, a->shape.action_width);
    for (uint32_t k = 0; k < c->feature_count; k++) *x++ = dq_cosine(state, vector, &c->features[k], 1);
}

static uint32_t arm_of(const dq_agent *a, uint32_t action)
{
    return is_shared(&a->config) ? 0 : action;
}

/* ---- values ---- */

/* What theta is worth with this state: (1 + action_width). */
static void fold_state(const dq_agent *a, const double *theta, const float *state, double *fold)
{
    uint32_t width = 1 + a->shape.action_width;
    memcpy(fold, theta, width * sizeof *fold);
    for (uint32_t i = 0; a->config.outer && i < a->shape.state_width; i++)
        for (uint32_t j = 0; j < width; j++) fold[j] += (double)state[i] * theta[(i + 1) * (size_t)width + j];
}

/* One theta's values of the actions on offer. */
static void value_shared(dq_agent *a, const double *theta, const float *state, float *q)
{
    const bandit *b = a->self;
    const dq_agent_config *c = &a->config;
    const double *of_features = theta + b->posterior.width - c->feature_count;
    fold_state(a, theta, state, b->fold);
    for (uint32_t j = 0; j < a->offered; j++) {
        const float *vector = a->actions.at[a->offer[j]];
        double sum = b->fold[0];
        for (uint32_t i = 0; i < a->shape.action_width; i++) sum += b->fold[i + 1] * (double)vector[i];
        for (uint32_t k = 0; k < c->feature_count; k++)
            sum += of_features[k] * dq_cosine(state, vector, &c->features[k], 1);
        q[j] = (float)sum;
    }
}

static void value(dq_agent *a, const float *state, float *q)
{
    bandit *b = a->self;
    if (is_shared(&a->config)) {
        value_shared(a, dq_posterior_mean(&b->posterior, 0), state, q);
        return;
    }
    fill(a, state, 0, b->x);
    for (uint32_t j = 0; j < a->offered; j++)
        q[j] = (float)dq_posterior_dot(dq_posterior_mean(&b->posterior, a->offer[j]), b->x,
                                       b->posterior.width);
}

static void bandit_values(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n, float *q)
{
    for (size_t i = 0; i < n; i++) value(a, states->at[agent_number(number, i)], q + i * a->offered);
}

static void upper(dq_agent *a, const float *state, double spread, float *q)
{
    bandit *b = a->self;
    value(a, state, q);
    for (uint32_t j = 0; j < a->offered; j++) {
        fill(a, state, a->offer[j], b->x);
        double deviation = dq_posterior_deviation(&b->posterior, arm_of(a, a->offer[j]), b->x);
        q[j] = (float)((double)q[j] + spread * deviation);
    }
}

/* Arms are independent, and the value of one is normal: no theta is drawn where each has its own. */
static void draw(dq_agent *a, const float *state, double spread, dq_rng *rng, float *q)
{
    bandit *b = a->self;
    if (is_shared(&a->config)) {
        dq_posterior_draw(&b->posterior, 0, spread, rng, b->theta);
        value_shared(a, b->theta, state, q);
        return;
    }
    value(a, state, q);
    fill(a, state, 0, b->x);
    for (uint32_t j = 0; j < a->offered; j++) {
        double deviation = dq_posterior_deviation(&b->posterior, a->offer[j], b->x);
        q[j] = (float)((double)q[j] + spread * deviation * dq_rng_normal(rng));
    }
}

static void bandit_explore(dq_agent *a, const dq_vectors *states, const uint32_t *number, size_t n,
                           dq_rng *rng, float *q)
{
    for (size_t i = 0; i < n; i++, q += a->offered) {
        const float *state = states->at[agent_number(number, i)];
        if (is_thompson(a))
            draw(a, state, a->config.spread, rng, q);
        else
            upper(a, state, a->config.spread, q);
    }
}

static double spread_of(const dq_agent *a, double spread)
{
    return isnan(spread) ? a->config.spread : spread;
}

void dq_bandit_upper(dq_agent *a, const dq_vectors *states, uint32_t state, double spread, float *q)
{
    upper(a, agent_store(a, states)->at[state], spread_of(a, spread), q);
}

/* Of arms of their own the mean and the deviation are found once. */
static void draw_arms(dq_agent *a, const float *state, double spread, uint32_t draws, dq_rng *rng, float *q)
{
    bandit *b = a->self;
    fill(a, state, 0, b->x);
    for (uint32_t j = 0; j < a->offered; j++) {
        const double *theta = dq_posterior_mean(&b->posterior, a->offer[j]);
        double mean = dq_posterior_dot(theta, b->x, b->posterior.width);
        double deviation = spread * dq_posterior_deviation(&b->posterior, a->offer[j], b->x);
        for (uint32_t d = 0; d < draws; d++)
            q[(size_t)d * a->offered + j] = (float)(mean + deviation * dq_rng_normal(rng));
    }
}

void dq_bandit_draw(dq_agent *a, const dq_vectors *states, uint32_t state, double spread, uint32_t draws,
                    dq_rng *rng, float *q)
{
    const float *vector = agent_store(a, states)->at[state];
    if (!is_shared(&a->config)) {
        draw_arms(a, vector, spread_of(a, spread), draws, rng, q);
        return;
    }
    for (uint32_t d = 0; d < draws; d++)
        draw(a, vector, spread_of(a, spread), rng, q + (size_t)d * a->offered);
}

/* ---- learning ---- */

/* The error of what was believed, reward less mean; with learn the row is believed, too. */
static double take(dq_agent *a, const dq_vectors *states, const dq_transition *t, double weight, bool learn,
                   double *taken)
{
    bandit *b = a->self;
    uint32_t arm = arm_of(a, t->action);
    fill(a, states->at[t->state], t->action, b->x);
    *taken = dq_posterior_dot(dq_posterior_mean(&b->posterior, arm), b->x, b->posterior.width);
    double by = (double)t->reward - *taken;
    if (!learn || !isfinite(by)) return by;
    dq_posterior_add(&b->posterior, arm, b->x, (double)t->reward, weight);
    a->steps++;
    a->updates++;
    return by;
}

void dq_bandit_correct(dq_agent *a, const dq_vectors *states, uint32_t state, uint32_t action, double by)
{
    bandit *b = a->self;
    fill(a, agent_store(a, states)->at[state], action, b->x);
    dq_posterior_correct(&b->posterior, arm_of(a, action), b->x, by);
}

static void bandit_observe(dq_agent *a, uint32_t env, const dq_vectors *states, const dq_transition *t,
                           bool over)
{
    bandit *b = a->self;
    double taken, by = take(a, states, t, 1, true, &taken);
    (void)env;
    (void)over;
    b->broken |= !isfinite(by);
    b->square += by * by;
    b->fresh++;
}

static bool bandit_ready(const dq_agent *a)
{
    const bandit *b = a->self;
    return b->fresh > 0;
}

static dq_status no_number(dq_error *error)
{
    return dq_fail(error, DQ_ERR_NUMERIC, "a reward or a state is no finite number");
}

/* All is learnt: tells of one observation, as the mean of those that nobody has told of. */
static dq_status bandit_learn(dq_agent *a, dq_agent_losses *losses, dq_error *error)
{
    bandit *b = a->self;
    if (b->broken) return no_number(error);
    losses->q = b->square / (double)b->fresh;
    b->fresh--;
    b->square = b->fresh ? b->square - losses->q : 0;
    return DQ_OK;
}

static dq_status bandit_fit(dq_agent *a, const dq_vectors *states, const dq_transition *rows, size_t n,
                            const float *weight, bool learn, dq_agent_losses *losses, dq_error *error)
{
    losses->q = 0;
    for (size_t i = 0; i < n; i++) {
        double taken, scale = weight ? (double)weight[i] : 1;
        double by = take(a, states, &rows[i], scale, learn, &taken);
        if (!isfinite(by) || !(scale >= 0) || !isfinite(scale)) return no_number(error);
        a->taken[i] = (float)taken;
        a->errors[i] = (float)-by;
        losses->q += scale * by * by / (double)n;
    }
    return DQ_OK;
}

/* ---- bundles ---- */

enum { PARTS = 3 };

static void list_parts(const dq_agent *a, dq_record_part parts[PARTS])
{
    const bandit *b = a->self;
    const dq_posterior *p = &b->posterior;
    parts[0] = (dq_record_part){"factor", DQ_F8, p->arms, dq_triangle(p->width), p->factor};
    parts[1] = (dq_record_part){"y", DQ_F8, p->arms, p->width, p->y};
    parts[2] = (dq_record_part){"rows", DQ_U8, p->arms, 0, p->rows};
}

static const dq_record_field counts[] = {
    {"fresh", DQ_RECORD_COUNT, offsetof(bandit, fresh)},
    {"square", DQ_RECORD_REAL, offsetof(bandit, square)},
};
enum { COUNTS = sizeof counts / sizeof *counts };

static dq_status bandit_save(dq_agent *a, bool checkpoint, dq_bundle *model, dq_error *error)
{
    dq_record_part parts[PARTS];
    list_parts(a, parts);
    dq_status status = dq_record_save_parts(parts, PARTS, "bandit", model, error);
    return status || !checkpoint ? status : dq_record_save(counts, COUNTS, a->self, "bandit", model, error);
}

static bool is_matrix(const dq_bundle *model, const char *name, uint64_t rows, uint64_t width)
{
    const dq_column *c = dq_bundle_column(model, name);
    return c && c->type == DQ_F8 && c->dims == 2 && c->shape[0] == rows && c->shape[1] == width;
}

static bool bandit_holds(const dq_bundle *model, const dq_agent_config *c, const dq_env_spec *s)
{
    uint32_t arms = arms_of(c, s), width = width_of(c, s);
    return is_matrix(model, "bandit.factor", arms, dq_triangle(width)) &&
           is_matrix(model, "bandit.y", arms, width);
}

/* What it was before any row is in the factor. */
static dq_status check_ridge(const dq_agent *a, const dq_bundle *model, dq_error *error)
{
    double ridge = dq_value_number(dq_map_get(dq_map_get(&model->meta, "agent"), "ridge"), NAN);
    if (ridge == a->config.ridge) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "the model's posterior began with a ridge of %g, which stays: not %g",
                   ridge, a->config.ridge);
}

static dq_status bandit_load(dq_agent *a, bool checkpoint, const dq_bundle *model, dq_error *error)
{
    bandit *b = a->self;
    dq_record_part parts[PARTS];
    list_parts(a, parts);
    dq_status status = check_ridge(a, model, error);
    if (!status) status = dq_record_restore_parts(parts, PARTS, "bandit", model, error);
    if (!dq_posterior_restored(&b->posterior) && !status)
        status = dq_fail(error, DQ_ERR_SCHEMA, "the model's posterior is none");
    b->fresh = 0;
    b->square = 0;
    b->broken = false;
    if (status || !checkpoint) return status;
    return dq_record_restore(counts, COUNTS, b, "bandit", model, error);
}

static const struct dq_agent_functions functions = {
    .init = bandit_init,
    .values = bandit_values,
    .explore = bandit_explore,
    .observe = bandit_observe,
    .ready = bandit_ready,
    .learn = bandit_learn,
    .fit = bandit_fit,
    .holds = bandit_holds,
    .save = bandit_save,
    .load = bandit_load,
};

/* clang-format off */
#define BANDIT_DEFAULTS \
    AGENT_DEFAULTS, .target_every = 1, .batch = 256, .replay = 256, .epsilon_decay = 1, .ridge = 1
/* clang-format on */

const dq_agent_kind dq_agent_linucb = {
    .name = "linucb",
    .help = "a linear bandit that explores by upper bounds: immediate rewards alone",
    .defaults = {BANDIT_DEFAULTS, .spread = 1},
    .functions = &functions,
};

const dq_agent_kind dq_agent_thompson = {
    .name = "thompson",
    .help = "a linear bandit that explores by draws from its posterior: immediate rewards alone",
    .defaults = {BANDIT_DEFAULTS, .spread = 0.5},
    .functions = &functions,
};
