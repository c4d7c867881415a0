/* SPDX-License-Identifier: MIT */
#include "reward/label.h"

#include "reward/cosines.h"
#include "reward/mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 16 }; /* verdicts of a model that are taken at a time, where progress is wanted */

const dq_strategy_kind dq_strategies[] = {
    [DQ_STRATEGY_COSINE] = {.name = "cosine", .cosine = true, .columns = {"reward", "cosine"}},
    [DQ_STRATEGY_LOGGED] = {.name = "logged", .logged = true, .columns = {"reward", "label"}},
    [DQ_STRATEGY_LLM] = {.name = "llm",
                         .asked = true,
                         .model = true,
                         .columns = {"reward", "llm", "label", "soft"}},
    [DQ_STRATEGY_HYBRID] = {.name = "hybrid",
                            .cosine = true,
                            .asked = true,
                            .model = true,
                            .columns = {"reward", "cosine", "llm", "label", "soft"}},
    [DQ_STRATEGY_HUMAN] = {.name = "human", .asked = true, .columns = {"reward", "label"}},
    {.name = NULL},
};

/* ---- cosines ---- */

static dq_cosines cosines_of(const dq_labeller *l)
{
    const dq_entities *users = &l->catalogue->users;
    return (dq_cosines){.users = users->vectors,
                        .items = l->catalogue->items.vectors,
                        .pairings = l->pairings,
                        .pairing_count = l->pairing_count,
                        .threads = l->threads,
                        .user_scales = l->scales,
                        .item_scales = l->scales ? l->scales + dq_entities_count(users) * l->pairing_count
                                                 : NULL};
}

void dq_labeller_measure(dq_labeller *l)
{
    const dq_cosines work = cosines_of(l);
    size_t users = dq_entities_count(&l->catalogue->users), items = dq_entities_count(&l->catalogue->items);
    dq_cosine_scale *scales = l->scales ? NULL : calloc((users + items) * l->pairing_count, sizeof *scales);
    if (!scales) return;
    dq_cosines_measure(&work, false, users, scales);
    dq_cosines_measure(&work, true, items, scales + users * l->pairing_count);
    l->scales = scales;
}

void dq_labeller_cosines(const dq_labeller *l, const uint32_t *users, size_t count, float *out, size_t n)
{
    dq_cosines work = cosines_of(l);
    dq_cosines_table(&work, users, count, out, n);
}

static void scale_cosines(const dq_labeller *l, float *cosine, size_t n)
{
    for (size_t i = 0; i < n && !l->raw_cosine; i++)
        cosine[i] = (float)dq_reward_of_cosine((double)cosine[i]);
}

void dq_labeller_cosine_rewards(const dq_labeller *labeller, uint32_t user, float *out, size_t n)
{
    dq_labeller_cosines(labeller, &user, 1, out, n);
    scale_cosines(labeller, out, n);
}

static void fill_cosines(const dq_labeller *l, const uint32_t *user, const uint32_t *item, dq_rewards *r)
{
    dq_cosines work = cosines_of(l);
    dq_cosines_pairs(&work, user, item, r->cosine, r->count);
    scale_cosines(l, r->cosine, r->count);
}

static dq_status label_by_cosine(const dq_labeller *l, const uint32_t *user, const uint32_t *item,
                                 dq_rewards *r)
{
    fill_cosines(l, user, item, r);
    memcpy(r->reward, r->cosine, r->count * sizeof *r->reward);
    return DQ_OK;
}

/* ---- logged labels ---- */

static int by_user_item(const dq_interaction *a, const dq_interaction *b)
{
    if (a->user != b->user) return a->user < b->user ? -1 : 1;
    if (a->item != b->item) return a->item < b->item ? -1 : 1;
    return 0;
}

static int compare_interactions(const void *a, const void *b, void *arg)
{
    const dq_interaction *all = arg;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order = by_user_item(&all[i], &all[j]);
    return order ? order : (i > j) - (i < j);
}

static dq_status sort_interactions(dq_labeller *labeller, const dq_catalogue *catalogue, dq_error *error)
{
    size_t n = catalogue->interaction_count;
    if (n >= DQ_ABSENT) return dq_fail(error, DQ_ERR_RANGE, "more than 2^32 - 2 interactions");
    labeller->by_pair = malloc(n * sizeof *labeller->by_pair + 1);
    if (!labeller->by_pair) return dq_fail_memory(error, "%zu interactions", n);
    for (size_t i = 0; i < n; i++) labeller->by_pair[i] = (uint32_t)i;
    qsort_r(labeller->by_pair, n, sizeof *labeller->by_pair, compare_interactions, catalogue->interactions);
    return DQ_OK;
}

/* The last interaction of a pair, or DQ_ABSENT. */
static uint32_t find_interaction(const dq_labeller *l, uint32_t user, uint32_t item)
{
    dq_interaction wanted = {.user = user, .item = item};
    size_t low = 0, high = l->catalogue->interaction_count; /* the first that is greater */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_user_item(&l->catalogue->interactions[l->by_pair[middle]], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return DQ_ABSENT;
    uint32_t found = l->by_pair[low - 1];
    return by_user_item(&l->catalogue->interactions[found], &wanted) == 0 ? found : DQ_ABSENT;
}

static dq_status label_by_log(const dq_labeller *l, uint32_t interaction, size_t i, dq_rewards *r,
                              dq_error *error)
{
    const dq_interaction *x = interaction == DQ_ABSENT ? NULL : &l->catalogue->interactions[interaction];
    size_t n = 0;
    const char *label = x ? dq_catalogue_label(l->catalogue, x, &n) : NULL;
    float reward = x ? dq_label_map_reward(&l->map, x->reward, label, n) : NAN;
    bool none = isnan(reward);
    r->none[i] = none;
    if (!none) r->reward[i] = reward;
    return dq_strings_add(&r->labels, label, n, error);
}

static dq_status label_all_by_log(const dq_labeller *l, const uint32_t *user, const uint32_t *item,
                                  const uint32_t *interaction, dq_rewards *r, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < r->count; i++) {
        uint32_t x = interaction ? interaction[i] : DQ_ABSENT;
        if (x == DQ_ABSENT) x = find_interaction(l, user[i], item[i]);
        status = label_by_log(l, x, i, r, error);
    }
    return status;
}

/* ---- labels that are asked for ---- */

/* A person's are taken at once: within what is taken, a person may go back. */
static dq_status take_verdicts(dq_labeller *l, dq_verdict *verdicts, size_t n, dq_error *error)
{
    size_t few = l->labelled && dq_strategies[l->strategy].model ? FEW : n;
    dq_status status = DQ_OK;
    for (size_t at = 0, count; !status && at < n; at += count) {
        count = n - at < few ? n - at : few;
        status = l->source.take(l->source.self, count, verdicts + at, error);
        if (!status && l->labelled) l->labelled(l->labelled_arg, at + count);
    }
    return status;
}

/* The source's reward, alone or mixed with the cosine. Both parts stay, so that another weight needs nobody.
 */
static dq_status label_by_source(dq_labeller *l, const uint32_t *user, const uint32_t *item, dq_rewards *r,
                                 dq_error *error)
{
    bool mixed = dq_strategies[l->strategy].cosine;
    dq_verdict *verdicts = malloc(r->count * sizeof *verdicts + 1);
    if (!verdicts) return dq_fail_memory(error, "%zu labels", r->count);
    dq_status status = take_verdicts(l, verdicts, r->count, error);
    if (mixed && !status) fill_cosines(l, user, item, r);
    for (size_t i = 0; !status && i < r->count; i++) {
        const char *label = verdicts[i].label;
        r->none[i] = verdicts[i].none;
        r->soft[i] = verdicts[i].soft;
        r->llm[i] = verdicts[i].none ? 0 : verdicts[i].reward;
        r->reward[i] = r->llm[i];
        if (mixed && !r->none[i])
            r->reward[i] = (float)dq_reward_mix(l->weight, (double)r->cosine[i], (double)r->llm[i]);
        status = dq_strings_add(&r->labels, label, label ? strlen(label) : 0, error);
    }
    free(verdicts);
    return status;
}

dq_status dq_label_submit(dq_labeller *l, const uint32_t *user, const uint32_t *item, size_t n,
                          dq_error *error)
{
    return l->source.submit ? l->source.submit(l->source.self, user, item, n, error) : DQ_OK;
}

/* ---- all ---- */

dq_status dq_labeller_ready(dq_labeller *labeller, const dq_catalogue *catalogue, dq_error *error)
{
    labeller->catalogue = catalogue;
    return dq_strategies[labeller->strategy].logged ? sort_interactions(labeller, catalogue, error) : DQ_OK;
}

/* The fields of the pairs' names as ranges. */
static dq_status choose_fields(dq_labeller *l, const dq_pair_names *pairs, size_t count, dq_error *error)
{
    const dq_entities *users = &l->catalogue->users, *items = &l->catalogue->items;
    l->pairings = malloc((count + 1) * sizeof *l->pairings);
    if (!l->pairings) return dq_fail_memory(error, "pairs of fields");
    return dq_pairing_choose(pairs, count, dq_entities_layout(users), dq_entities_layout(items), l->pairings,
                             &l->pairing_count, error);
}

dq_status dq_labeller_fields(dq_labeller *labeller, const char *const *given, size_t count, dq_error *error)
{
    const dq_catalogue *c = labeller->catalogue;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_status status = DQ_OK;
    if (count == 0) return choose_fields(labeller, c->pairs, c->pair_count, error);
    dq_pair_names *named = dq_arena_zero(&arena, count, sizeof *named);
    if (!named) return dq_fail_memory(error, "pairs of fields");
    for (size_t i = 0; !status && i < count; i++) status = dq_pair_parse(given[i], &arena, &named[i], error);
    if (!status) status = choose_fields(labeller, named, count, error);
    dq_arena_free(&arena);
    return status;
}

void dq_labeller_free(dq_labeller *labeller)
{
    dq_label_map_free(&labeller->map);
    free(labeller->by_pair);
    free(labeller->pairings);
    free(labeller->scales);
}

static bool make_room(dq_rewards *r, size_t n)
{
    *r = (dq_rewards){.count = n};
    r->reward = calloc(n + 1, sizeof *r->reward);
    r->cosine = calloc(n + 1, sizeof *r->cosine);
    r->llm = calloc(n + 1, sizeof *r->llm);
    r->none = calloc(n + 1, 1);
    r->soft = calloc(n + 1, 1);
    return r->reward && r->cosine && r->llm && r->none && r->soft;
}

dq_status dq_label_pairs(dq_labeller *l, const uint32_t *user, const uint32_t *item,
                         const uint32_t *interaction, size_t n, dq_rewards *rewards, dq_error *error)
{
    const dq_strategy_kind *kind = &dq_strategies[l->strategy];
    dq_status status;
    if (!make_room(rewards, n))
        status = dq_fail_memory(error, "%zu rewards", n);
    else if (kind->asked)
        status = label_by_source(l, user, item, rewards, error);
    else if (kind->logged)
        status = label_all_by_log(l, user, item, interaction, rewards, error);
    else
        status = label_by_cosine(l, user, item, rewards);
    for (size_t i = 0; !status && i < n; i++) l->unrewarded += rewards->none[i];
    if (status) dq_rewards_free(rewards);
    return status;
}

dq_status dq_rewards_add(const dq_rewards *r, const dq_labeller *l, dq_bundle *bundle, dq_error *error)
{
    const dq_strategy_kind *kind = &dq_strategies[l->strategy];
    const uint8_t *none = r->count && memchr(r->none, 1, r->count) ? r->none : NULL;
    dq_status status = dq_bundle_add_numbers(bundle, "reward", DQ_F4, r->reward, NULL, none, error);
    if (!status && kind->cosine)
        status = dq_bundle_add_numbers(bundle, "cosine", DQ_F4, r->cosine, NULL, NULL, error);
    if (!status && kind->model)
        status = dq_bundle_add_numbers(bundle, "llm", DQ_F4, r->llm, NULL, none, error);
    if (!status && (kind->logged || kind->asked))
        status = dq_bundle_add_text(bundle, "label", DQ_TEXT, r->labels.offsets, r->labels.data,
                                    r->labels.nulls, error);
    if (!status && kind->asked && l->source.soft)
        status = dq_bundle_add_numbers(bundle, "soft", DQ_U1, r->soft, NULL, NULL, error);
    return status;
}

const char *const *dq_rewards_replaced(const dq_labeller *labeller)
{
    return dq_strategies[labeller->strategy].columns;
}

void dq_rewards_free(dq_rewards *rewards)
{
    free(rewards->reward);
    free(rewards->cosine);
    free(rewards->llm);
    free(rewards->none);
    free(rewards->soft);
    dq_strings_free(&rewards->labels);
    *rewards = (dq_rewards){0};
}
