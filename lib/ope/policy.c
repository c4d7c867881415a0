/* SPDX-License-Identifier: MIT */
#include "ope/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_ope_policy dq_ope_policy_uniform(uint32_t actions)
{
    return (dq_ope_policy){.actions = actions, .epsilon = 1};
}

void dq_ope_policy_free(dq_ope_policy *policy)
{
    free(policy->start);
    free(policy->item);
    free(policy->share);
    free(policy->scaled);
    *policy = (dq_ope_policy){0};
}

/* ---- lists ---- */

typedef struct place {
    double score;
    const char *id;
    size_t bytes;
    uint32_t item;
} place;

/* The order of measure/ranking_eval.h: the greater score first, equal ones by the greater id. */
static int best_first(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    size_t n = x->bytes < y->bytes ? x->bytes : y->bytes;
    int order = memcmp(y->id, x->id, n);
    return order ? order : (y->bytes > x->bytes) - (y->bytes < x->bytes);
}

static dq_status sort_query(const dq_run *run, uint32_t query, const dq_index *actions, place *places,
                            dq_error *error)
{
    size_t n = run->start[query + 1] - run->start[query];
    for (size_t i = 0; i < n; i++) {
        place *p = &places[i];
        size_t entry = run->start[query] + i;
        p->score = run->value[entry];
        p->id = dq_index_id(&run->docs, run->doc[entry], &p->bytes);
        p->item = dq_index_find(actions, p->id, p->bytes);
        if (p->item == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "the target takes '%.*s', which is not among the items",
                           (int)p->bytes, p->id);
    }
    qsort(places, n, sizeof *places, best_first);
    return DQ_OK;
}

/* exp(score / temperature) over the list's sum; of scores that differ by much the greatest has it all. */
static void share_out(const place *places, size_t n, double temperature, double rest, double *share,
                      double *scaled)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        scaled[i] = (places[i].score - places[0].score) / temperature;
        sum += exp(scaled[i]);
    }
    for (size_t i = 0; i < n; i++) share[i] = rest * exp(scaled[i]) / sum;
}

static void put_list(dq_ope_policy *p, size_t at, const place *places, size_t n, double temperature)
{
    for (size_t i = 0; i < n; i++) {
        p->item[at + i] = places[i].item;
        p->share[at + i] = 1 - p->epsilon;
    }
    if (n && p->softmax) share_out(places, n, temperature, 1 - p->epsilon, p->share + at, p->scaled + at);
}

/* The query of each user, or DQ_ABSENT; and the starts of their lists. */
static size_t find_queries(dq_ope_policy *p, const dq_run *run, const dq_index *users, uint32_t *query_of)
{
    size_t longest = 0;
    for (uint32_t u = 0; u < p->users; u++) {
        size_t bytes;
        const char *id = dq_index_id(users, u, &bytes);
        uint32_t query = query_of[u] = dq_index_find(&run->queries, id, bytes);
        size_t n = query == DQ_ABSENT ? 0 : run->start[query + 1] - run->start[query];
        p->start[u + 1] = p->start[u] + n;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static dq_status fill_lists(dq_ope_policy *p, const dq_run *run, const dq_index *actions,
                            const uint32_t *query_of, place *places, double temperature, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t u = 0; u < p->users && !status; u++) {
        size_t n = p->start[u + 1] - p->start[u];
        if (n) status = sort_query(run, query_of[u], actions, places, error);
        if (!status) put_list(p, p->start[u], places, n, temperature);
    }
    return status;
}

dq_status dq_ope_policy_lists(dq_ope_policy *policy, const dq_run *run, const dq_index *users,
                              const dq_index *actions, double temperature, double epsilon, dq_error *error)
{
    uint32_t count = (uint32_t)dq_index_count(users);
    *policy = (dq_ope_policy){.actions = (uint32_t)dq_index_count(actions),
                              .epsilon = epsilon,
                              .softmax = temperature > 0,
                              .users = count,
                              .start = calloc((size_t)count + 1, sizeof *policy->start)};
    uint32_t *query_of = calloc((size_t)count + 1, sizeof *query_of);
    size_t longest = policy->start && query_of ? find_queries(policy, run, users, query_of) : 0;
    place *places = calloc(longest + 1, sizeof *places);
    size_t total = policy->start ? policy->start[count] : 0;
    policy->item = calloc(total + 1, sizeof *policy->item);
    policy->share = calloc(total + 1, sizeof *policy->share);
    if (policy->softmax) policy->scaled = calloc(total + 1, sizeof *policy->scaled);
    dq_status status = DQ_OK;
    if (!policy->start || !query_of || !places || !policy->item || !policy->share ||
        (policy->softmax && !policy->scaled))
        status = dq_fail_memory(error, "the target's lists");
    if (!status) status = fill_lists(policy, run, actions, query_of, places, temperature, error);
    free(query_of);
    free(places);
    if (status) dq_ope_policy_free(policy);
    return status;
}

/* ---- rows ---- */

bool dq_ope_policy_knows(const dq_ope_policy *policy, const dq_ope_row *row)
{
    if (policy->users == 0) return true;
    return row->user < policy->users && policy->start[row->user] < policy->start[row->user + 1];
}

double dq_ope_choice_of(const dq_ope_choice *choice, uint32_t action)
{
    double sum = choice->rest;
    if (!choice->items) return action < choice->count ? sum + choice->more[action] : sum;
    for (uint32_t i = 0; i < choice->count; i++)
        if (choice->items[i] == action) sum += choice->more[i];
    return sum;
}

dq_status dq_ope_policy_choose(const dq_ope_policy *policy, dq_ope_row *row, dq_error *error)
{
    dq_ope_choice *c = &row->choice;
    *c = (dq_ope_choice){.rest = policy->actions ? policy->epsilon / policy->actions : 0};
    if (policy->users) {
        size_t from = policy->start[row->user], n = policy->start[row->user + 1] - from;
        size_t skip = policy->softmax ? 0 : row->position;
        if (skip >= n)
            return dq_fail(error, DQ_ERR_RANGE,
                           "the log shows an item at position %u, and the target's list ends at %zu",
                           row->position + 1, n);
        c->items = policy->item + from + skip;
        c->more = policy->share + from + skip;
        c->count = policy->softmax ? (uint32_t)n : 1;
    }
    row->target = dq_ope_choice_of(c, row->item);
    return DQ_OK;
}

/* ---- without replacement ---- */

static bool holds(const uint32_t *items, uint32_t count, uint32_t item)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i] == item) return true;
    return false;
}

/* Appends what is left of a list: the best of it, or all by their scores, against the best that is left: next
 * to one that is above they may all be too small for a number. Returns false for nothing. */
static bool take_left(const dq_ope_policy *p, uint32_t user, const uint32_t *above, uint32_t count,
                      dq_ope_choice *c, uint32_t *items, double *more)
{
    double sum = 0, best = 0;
    uint32_t first = c->count;
    for (size_t i = p->start[user]; i < p->start[user + 1] && (p->softmax || c->count == first); i++) {
        if (holds(above, count, p->item[i])) continue;
        if (p->softmax && c->count == first) best = p->scaled[i];
        items[c->count] = p->item[i];
        sum += more[c->count++] = p->softmax ? exp(p->scaled[i] - best) : 1;
    }
    for (uint32_t i = first; i < c->count; i++) more[i] *= (1 - p->epsilon) / sum;
    return c->count > first;
}

dq_status dq_ope_policy_choose_below(const dq_ope_policy *policy, dq_ope_row *row, const uint32_t *above,
                                     uint32_t count, dq_arena *arena, dq_error *error)
{
    size_t listed = policy->users ? policy->start[row->user + 1] - policy->start[row->user] : 0;
    uint32_t *items = dq_arena_take(arena, (listed + count) * sizeof *items);
    double *more = dq_arena_take(arena, (listed + count) * sizeof *more);
    dq_ope_choice *c = &row->choice;
    if (!items || !more) return dq_fail_memory(error, "a target's probabilities");
    if (count >= policy->actions)
        return dq_fail(error, DQ_ERR_RANGE, "a request shows more than the %u items that there are",
                       policy->actions);
    *c = (dq_ope_choice){.rest = policy->epsilon / (policy->actions - count), .items = items, .more = more};
    for (uint32_t i = 0; i < count; i++) {
        items[c->count] = above[i];
        more[c->count++] = -c->rest;
    }
    if (policy->users && !take_left(policy, row->user, above, count, c, items, more))
        return dq_fail(error, DQ_ERR_RANGE,
                       "a request shows %u items, and of the target's list of %zu none is left", count + 1,
                       listed);
    row->target = fmax(dq_ope_choice_of(c, row->item), 0);
    return DQ_OK;
}
