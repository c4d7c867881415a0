/* SPDX-License-Identifier: MIT
 *
 * Lists by looking ahead, as rankings: of each state the next actions, in their order. What orders a list is
 * not one number a place, so the score is the places left, as dq-rank has it there.
 */
#include "plan.h"

#include "learn/lookahead.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATES = 256, ROWS = 1 << 15 };

typedef struct lists {
    plan *plan;
    dq_lookahead *lookahead;
    dq_lookahead_place *places; /* (k) */
    dq_model_items names;       /* whose names the places have; none: numbers */
    size_t k;
    uint64_t shorter; /* lists of less than k places */
    dq_strings users, items;
    uint32_t rank[ROWS];
    float score[ROWS], value[ROWS], disagreement[ROWS];
} lists;

static dq_status flush(lists *l, dq_error *error)
{
    dq_bundle b;
    if (l->users.count == 0) return DQ_OK;
    dq_status s = dq_bundle_init(&b, DQ_KIND_RANKINGS, l->users.count, error);
    if (!s && (!dq_map_set(&b.arena, &b.meta, "by", dq_string(&b.arena, "look-ahead")) ||
               !dq_map_set(&b.arena, &b.meta, "k", dq_int((int64_t)l->plan->o->lists))))
        s = dq_fail_memory(error, "lists");
    if (!s) s = dq_bundle_add_text(&b, "user", DQ_TEXT, l->users.offsets, l->users.data, NULL, error);
    if (!s) s = dq_bundle_add_text(&b, "item", DQ_TEXT, l->items.offsets, l->items.data, NULL, error);
    if (!s) s = dq_bundle_add_numbers(&b, "rank", DQ_U4, l->rank, NULL, NULL, error);
    if (!s) s = dq_bundle_add_numbers(&b, "score", DQ_F4, l->score, NULL, NULL, error);
    if (!s) s = dq_bundle_add_numbers(&b, "value", DQ_F4, l->value, NULL, NULL, error);
    if (!s) s = dq_bundle_add_numbers(&b, "disagreement", DQ_F4, l->disagreement, NULL, NULL, error);
    if (!s) s = dq_writer_put(l->plan->output, &b, error);
    if (!s && l->plan->o->common.flush) s = dq_writer_flush(l->plan->output, error);
    dq_bundle_free(&b);
    dq_strings_clear(&l->users);
    dq_strings_clear(&l->items);
    return s;
}

/* The user, "episode/step", or else the number of the state. */
static dq_status add_user(lists *l, const plan_starts *starts, size_t i, dq_error *error)
{
    char name[48];
    size_t bytes;
    if (starts->users) {
        const char *id = dq_index_id(starts->users, (uint32_t)(starts->first + i), &bytes);
        return dq_strings_add(&l->users, id, bytes, error);
    }
    int n = starts->placed[i]
                ? snprintf(name, sizeof name, "%" PRIu64 "/%" PRIu64, starts->episode[i], starts->step[i])
                : snprintf(name, sizeof name, "%" PRIu64, starts->first + i);
    return dq_strings_add(&l->users, name, (size_t)n, error);
}

static dq_status add_item(lists *l, uint32_t action, dq_error *error)
{
    char name[16];
    size_t bytes;
    const char *id = l->names.digest ? dq_index_id(&l->names.ids, action, &bytes) : NULL;
    if (id) return dq_strings_add(&l->items, id, bytes, error);
    return dq_strings_add(&l->items, name, (size_t)snprintf(name, sizeof name, "%" PRIu32, action), error);
}

static dq_status add_list(lists *l, const plan_starts *starts, size_t i, size_t count, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t k = 0; !status && k < count; k++) {
        if (l->users.count == ROWS && (status = flush(l, error))) return status;
        size_t at = l->users.count;
        l->rank[at] = (uint32_t)(k + 1);
        l->score[at] = (float)(count - k);
        l->value[at] = l->places[k].reward;
        l->disagreement[at] = l->places[k].disagreement;
        status = add_user(l, starts, i, error);
        if (!status) status = add_item(l, l->places[k].action, error);
    }
    return status;
}

static dq_status put(void *self, const plan_starts *starts, dq_error *error)
{
    lists *l = self;
    dq_status status = DQ_OK;
    for (size_t i = 0, count; !status && i < starts->count; i++) {
        status = dq_lookahead_list(l->lookahead, starts->state + i * starts->width, l->places, &count, error);
        if (status) return status;
        l->shorter += count < l->plan->o->lists;
        status = add_list(l, starts, i, count, error);
    }
    return status;
}

static dq_status finish(void *self, dq_error *error)
{
    return flush(self, error);
}

static void say(const void *self, uint64_t starts)
{
    const lists *l = self;
    dq_cli_say(l->plan->cli, &l->plan->o->common,
               "%" PRIu64 " lists, %" PRIu64 " of them shorter than %" PRIu64
               " (an end, no action left, or no agreement)",
               starts, l->shorter, l->plan->o->lists);
}

static void drop(void *self)
{
    lists *l = self;
    dq_lookahead_free(l->lookahead);
    dq_strings_free(&l->users);
    dq_strings_free(&l->items);
    dq_model_items_free(&l->names);
    free(l->places);
    free(l);
}

dq_status plan_lists_open(plan_writer *writer, plan *p, dq_agent *agent, const dq_bundle *model,
                          dq_error *error)
{
    uint32_t actions = dq_agent_get_shape(agent)->action_count;
    dq_lookahead_config config = {
        .places = (uint32_t)p->o->lists, .beam = (uint32_t)p->o->beam, .max = p->o->max_disagreement};
    lists *l = calloc(1, sizeof *l);
    if (!l) return dq_fail_memory(error, "lists");
    l->plan = p;
    *writer = (plan_writer){
        .room = STATES, .self = l, .put = put, .finish = finish, .say = say, .free = drop};
    l->places = calloc(config.places, sizeof *l->places);
    if (!l->places) return dq_fail_memory(error, "lists");
    dq_status status = dq_model_items_load(&l->names, model, actions, error);
    return status ? status : dq_lookahead_new(&l->lookahead, agent, &config, error);
}
