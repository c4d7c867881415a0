/* SPDX-License-Identifier: MIT */
#include "learn/lookahead.h"

#include "learn/agent_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* actions that are thought of at once */

/* A list in the making, and where it leads. */
typedef struct node {
    float *state;               /* (width) */
    dq_lookahead_place *places; /* (places) */
    uint32_t count;
    double sum, discount, score; /* discounted rewards; of the next one; with what comes after */
    bool over;
} node;

struct dq_lookahead {
    dq_agent *agent;
    dq_lookahead_config config;
    size_t width;
    uint32_t actions;
    double gamma;
    node *now, *later; /* (beam) */
    size_t now_count, later_count;
    float *next;                          /* (BLOCK, width) */
    const float *from[BLOCK], *to[BLOCK]; /* the states that are left, and next */
    uint32_t action[BLOCK];
    float reward[BLOCK], end[BLOCK], disagreement[BLOCK];
    float *values; /* (BLOCK, actions) */
    dq_arena arena;
};

/* ---- making ---- */

static dq_status check(dq_agent *agent, const dq_lookahead_config *config, dq_error *error)
{
    if (config->places == 0 || config->beam == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a list of %u places by %u at a time", config->places,
                       config->beam);
    return agent_check_world(agent, config->max, error);
}

static bool allocate(dq_lookahead *l)
{
    size_t beam = l->config.beam, places = l->config.places;
    float *states;            /* (2 beam, width) */
    dq_lookahead_place *list; /* (2 beam, places) */
    const dq_buffer buffers[] = {
        DQ_BUFFER(l->now, 2 * beam),
        DQ_BUFFER(states, 2 * beam * l->width),
        DQ_BUFFER(list, 2 * beam * places),
        DQ_BUFFER(l->next, BLOCK * l->width),
        DQ_BUFFER(l->values, (size_t)BLOCK * l->actions),
    };
    if (!dq_buffers_take(&l->arena, buffers, DQ_BUFFERS(buffers))) return false;
    for (size_t b = 0; b < 2 * beam; b++)
        l->now[b] = (node){.state = states + b * l->width, .places = list + b * places};
    for (size_t i = 0; i < BLOCK; i++) l->to[i] = l->next + i * l->width;
    l->later = l->now + beam;
    return true;
}

dq_status dq_lookahead_new(dq_lookahead **out, dq_agent *agent, const dq_lookahead_config *config,
                           dq_error *error)
{
    const dq_env_spec *shape = dq_agent_get_shape(agent);
    *out = NULL;
    dq_status status = check(agent, config, error);
    if (status) return status;
    dq_lookahead *l = calloc(1, sizeof *l);
    if (!l) return dq_fail_memory(error, "looking ahead");
    *l = (dq_lookahead){.agent = agent,
                        .config = *config,
                        .width = shape->state_width,
                        .actions = shape->action_count,
                        .gamma = dq_agent_get_config(agent)->gamma};
    if (l->config.places > l->actions) l->config.places = l->actions; /* none comes twice */
    if (!allocate(l)) {
        dq_lookahead_free(l);
        return dq_fail_memory(error, "looking ahead");
    }
    *out = l;
    return DQ_OK;
}

void dq_lookahead_free(dq_lookahead *l)
{
    if (!l) return;
    dq_arena_free(&l->arena);
    free(l);
}

/* ---- the beam ---- */

/* Where a list of that score is kept: a free slot, or the worst one's when that is worse; NULL: nowhere. Of
 * equals the first stays. */
static node *slot_for(dq_lookahead *l, double score)
{
    if (l->later_count < l->config.beam) return &l->later[l->later_count++];
    node *worst = &l->later[0];
    for (size_t b = 1; b < l->later_count; b++)
        if (l->later[b].score <= worst->score) worst = &l->later[b];
    return score > worst->score ? worst : NULL;
}

/* What from is, but for the buffers, which it keeps. */
static void copy(const dq_lookahead *l, node *to, const node *from)
{
    float *state = to->state;
    dq_lookahead_place *places = to->places;
    *to = *from;
    to->state = memcpy(state, from->state, l->width * sizeof *state);
    to->places = memcpy(places, from->places, from->count * sizeof *places);
}

/* The list that was thought of in row i of the block. */
static void offer(dq_lookahead *l, const node *from, size_t i, double best)
{
    double sum = from->sum + from->discount * (double)l->reward[i], discount = from->discount * l->gamma;
    bool over = l->end[i] > 0.5F;
    double score = over ? sum : sum + discount * best;
    node *slot = slot_for(l, score);
    if (!slot) return;
    copy(l, slot, from);
    memcpy(slot->state, l->next + i * l->width, l->width * sizeof *slot->state);
    slot->places[slot->count++] = (dq_lookahead_place){l->action[i], l->reward[i], l->disagreement[i]};
    slot->sum = sum;
    slot->discount = discount;
    slot->score = score;
    slot->over = over;
}

static bool holds(const node *n, uint32_t action)
{
    for (uint32_t k = 0; k < n->count; k++)
        if (n->places[k].action == action) return true;
    return false;
}

/* The next actions from place *at of the offer on that the list does not hold. */
static size_t fill_block(dq_lookahead *l, const node *from, uint32_t *at)
{
    size_t n = 0;
    for (; n < BLOCK && *at < l->agent->offered; (*at)++) {
        uint32_t action = l->agent->offer[*at];
        if (holds(from, action)) continue;
        l->from[n] = from->state;
        l->action[n++] = action;
    }
    return n;
}

static bool agreed(const dq_lookahead *l, size_t i)
{
    return !((double)l->disagreement[i] > l->config.max);
}

/* Offers the lists that end with the n actions of the block; *offered: how many more. */
static dq_status offer_block(dq_lookahead *l, const node *from, size_t n, size_t *offered, dq_error *error)
{
    const dq_vectors states = {l->from, BLOCK, (uint32_t)l->width}, next = {l->to, BLOCK, states.width};
    uint32_t actions = l->agent->offered;
    dq_status status = dq_agent_predict(l->agent, &states, NULL, l->action, n, l->next, l->reward, l->end,
                                        l->disagreement, error);
    if (status) return status;
    dq_agent_values(l->agent, &next, NULL, n, l->values);
    for (size_t i = 0; i < n; i++) {
        const float *q = l->values + i * actions;
        double best = (double)q[agent_best(q, actions)];
        if (!isfinite((double)l->reward[i] + best))
            return dq_fail(error, DQ_ERR_NUMERIC, "what is predicted of action %u is not finite",
                           l->action[i]);
        if (!agreed(l, i)) continue;
        offer(l, from, i, best);
        ++*offered;
    }
    return DQ_OK;
}

/* Offers all lists that are one place longer; *offered: how many. */
static dq_status expand(dq_lookahead *l, const node *from, size_t *offered, dq_error *error)
{
    size_t n;
    dq_status status = DQ_OK;
    *offered = 0;
    for (uint32_t at = 0; !status && (n = fill_block(l, from, &at)) > 0;)
        status = offer_block(l, from, n, offered, error);
    return status;
}

/* What cannot grow any more competes as it is. */
static void keep(dq_lookahead *l, const node *from)
{
    node *slot = slot_for(l, from->score);
    if (!slot) return;
    copy(l, slot, from);
    slot->over = true;
}

static dq_status grow(dq_lookahead *l, bool *grown, dq_error *error)
{
    *grown = false;
    l->later_count = 0;
    for (size_t b = 0; b < l->now_count; b++) {
        size_t offered = 0;
        dq_status status = l->now[b].over ? DQ_OK : expand(l, &l->now[b], &offered, error);
        if (status) return status;
        if (offered == 0) keep(l, &l->now[b]);
        *grown = *grown || offered;
    }
    node *swap = l->now;
    l->now = l->later;
    l->later = swap;
    l->now_count = l->later_count;
    return DQ_OK;
}

dq_status dq_lookahead_list(dq_lookahead *l, const float *state, dq_lookahead_place *places, size_t *count,
                            dq_error *error)
{
    node *first = &l->now[0];
    bool grown = true;
    *count = 0;
    memcpy(first->state, state, l->width * sizeof *state);
    first->count = 0;
    first->sum = first->score = 0;
    first->discount = 1;
    first->over = false;
    l->now_count = 1;
    for (uint32_t k = 0; grown && k < l->config.places; k++) {
        dq_status status = grow(l, &grown, error);
        if (status) return status;
    }
    const node *best = &l->now[0];
    for (size_t b = 1; b < l->now_count; b++)
        if (l->now[b].score > best->score) best = &l->now[b];
    memcpy(places, best->places, best->count * sizeof *places);
    *count = best->count;
    return DQ_OK;
}
