/* SPDX-License-Identifier: MIT */
#include "data/dataset.h"

#include "core/array.h"
#include "core/digest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for the input");
}

static dq_status reserve(dq_dataset *dataset, uint64_t more, dq_error *error)
{
    size_t capacity = dq_array_capacity(dataset->capacity, dataset->count + (size_t)more);
    if (capacity == dataset->capacity) return DQ_OK;
    if (!dq_array_resize(&dataset->transitions, capacity, sizeof *dataset->transitions) ||
        !dq_array_resize(&dataset->cosine, capacity, sizeof *dataset->cosine) ||
        !dq_array_resize(&dataset->llm, capacity, sizeof *dataset->llm) ||
        !dq_array_resize(&dataset->propensity, capacity, sizeof *dataset->propensity) ||
        !dq_array_resize(&dataset->label, capacity, sizeof *dataset->label))
        return no_memory(error);
    dataset->capacity = capacity;
    return DQ_OK;
}

/* The columns of transitions that learning looks at. */
typedef struct columns {
    const dq_column *user, *item, *reward, *cosine, *llm, *label, *done, *next, *propensity;
} columns;

static float number_or_none(const dq_column *column, uint64_t r)
{
    bool known = column && !dq_column_is_null(column, r);
    return known ? (float)dq_column_number(column, r) : NAN;
}

static dq_status resolve(const dq_catalogue *catalogue, const columns *c, uint64_t r, dq_transition *t,
                         dq_error *error)
{
    dq_status status = dq_entities_resolve(&catalogue->users, (uint64_t)dq_column_number(c->user, r),
                                           &t->state, error);
    if (!status)
        status = dq_entities_resolve(&catalogue->items, (uint64_t)dq_column_number(c->item, r), &t->action,
                                     error);
    t->next = t->state;
    if (!status && c->next)
        status = dq_entities_resolve(&catalogue->users, (uint64_t)dq_column_number(c->next, r), &t->next,
                                     error);
    t->reward = number_or_none(c->reward, r);
    t->discount = 1;
    t->done = c->done && dq_column_number(c->done, r) != 0;
    return status;
}

static dq_status add_label(dq_dataset *dataset, const dq_column *label, uint64_t r, dq_error *error)
{
    uint32_t *row = &dataset->label[dataset->count];
    size_t n = 0;
    const char *text = label ? dq_column_text(label, r, &n) : NULL;
    *row = DQ_ABSENT;
    return text ? dq_index_add(&dataset->catalogue.labels, text, n, row, NULL, error) : DQ_OK;
}

/* Takes the transition that stands behind the last one, or leaves it to another process. */
static void take_transition(dq_dataset *d)
{
    const dq_transition *t = &d->transitions[d->count];
    bool here = !d->is_here || d->is_here(d->here_arg, t->state);
    d->count += here;
    d->elsewhere += !here;
    d->elsewhere_rewarded += !here && !isnan(t->reward);
}

static dq_status add_transitions(dq_dataset *dataset, const dq_bundle *b, dq_error *error)
{
    columns c = {.user = dq_bundle_column(b, "user"),
                 .item = dq_bundle_column(b, "item"),
                 .reward = dq_bundle_column(b, "reward"),
                 .cosine = dq_bundle_column(b, "cosine"),
                 .llm = dq_bundle_column(b, "llm"),
                 .label = dq_bundle_column(b, "label"),
                 .done = dq_bundle_column(b, "done"),
                 .next = dq_bundle_column(b, "next_user"),
                 .propensity = dq_bundle_column(b, "propensity")};
    if (!c.user || !c.item || dq_bundle_column(b, "next_state"))
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "transitions must name users and items of the catalogue; these have dense states");
    dq_status status = reserve(dataset, b->rows, error);
    for (uint64_t r = 0; !status && r < b->rows; r++) {
        dataset->cosine[dataset->count] = number_or_none(c.cosine, r);
        dataset->llm[dataset->count] = number_or_none(c.llm, r);
        dataset->propensity[dataset->count] = number_or_none(c.propensity, r);
        status = add_label(dataset, c.label, r, error);
        if (!status)
            status = resolve(&dataset->catalogue, &c, r, &dataset->transitions[dataset->count], error);
        if (!status) take_transition(dataset);
    }
    return status;
}

static bool is_kept_as(const dq_bundle *model, const char *which)
{
    const dq_value *kept = dq_map_get(&model->meta, "kept");
    size_t n = strlen(which);
    return kept && kept->type == DQ_STRING && kept->count == n && memcmp(kept->as.string, which, n) == 0;
}

bool dq_kept_passes_over(dq_kept *kept, const dq_bundle *model, uint64_t section)
{
    const dq_value *name = dq_map_get(&model->meta, "user");
    uint64_t user = name && name->type == DQ_STRING ? dq_digest(name->as.string, name->count) : 0;
    bool passes = kept->best && kept->section == section && kept->user == user && is_kept_as(model, "last");
    kept->passed += passes;
    kept->best = is_kept_as(model, "best");
    kept->section = section;
    kept->user = user;
    return passes;
}

dq_status dq_models_add(dq_models *models, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    if (dq_kept_passes_over(&models->kept, bundle, section)) return DQ_OK;
    if (!dq_array_reserve(&models->at, &models->capacity, models->count + 1, sizeof *models->at))
        return no_memory(error);
    models->at[models->count++] = *bundle;
    *bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

dq_status dq_dataset_add(dq_dataset *dataset, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    bool taken;
    dq_status status = dq_catalogue_add(&dataset->catalogue, bundle, section, &taken, error);
    if (status || taken) return status;
    if (strcmp(bundle->kind, DQ_KIND_MODEL) == 0)
        return dq_models_add(&dataset->models, bundle, section, error);
    if (strcmp(bundle->kind, DQ_KIND_TRANSITIONS) == 0) return add_transitions(dataset, bundle, error);
    return DQ_OK;
}

dq_status dq_dataset_add_shown(dq_dataset *dataset, const dq_bundle *b, const dq_label_map *map,
                               dq_error *error)
{
    const dq_column *user = dq_bundle_column(b, "user"), *item = dq_bundle_column(b, "item"),
                    *reward = dq_bundle_column(b, "reward"), *label = dq_bundle_column(b, "label"),
                    *propensity = dq_bundle_column(b, "propensity");
    dq_status status = reserve(dataset, b->rows, error);
    for (uint64_t r = 0; !status && r < b->rows; r++) {
        size_t n, m, k = 0, at = dataset->count;
        const char *who = dq_column_text(user, r, &n), *what = dq_column_text(item, r, &m),
                   *named = label ? dq_column_text(label, r, &k) : NULL;
        uint32_t state = dq_entities_find(&dataset->catalogue.users, who, n);
        dataset->cosine[at] = dataset->llm[at] = NAN;
        dataset->propensity[at] = number_or_none(propensity, r);
        status = add_label(dataset, label, r, error);
        dataset->transitions[at] = (dq_transition){
            .state = state,
            .next = state,
            .action = dq_entities_find(&dataset->catalogue.items, what, m),
            .reward = dq_label_map_reward(map, number_or_none(reward, r), named, k),
            .discount = 1};
        take_transition(dataset);
    }
    return status;
}

void dq_dataset_free(dq_dataset *dataset)
{
    dq_catalogue_free(&dataset->catalogue);
    dq_models_free(&dataset->models);
    free(dataset->transitions);
    free(dataset->cosine);
    free(dataset->llm);
    free(dataset->propensity);
    free(dataset->label);
    *dataset = DQ_DATASET_EMPTY;
}

void dq_models_free(dq_models *models)
{
    for (size_t i = 0; i < models->count; i++) dq_bundle_free(&models->at[i]);
    free(models->at);
    *models = (dq_models){0};
}

uint64_t dq_models_digest(const dq_models *models, uint64_t seed)
{
    for (size_t i = 0; i < models->count; i++)
        seed = dq_digest_seeded(&models->at[i].body_hash, sizeof models->at[i].body_hash, seed);
    return seed;
}

const dq_bundle *dq_models_of(const dq_models *models, const char *id, size_t bytes)
{
    const dq_bundle *common = models->count == 1 ? &models->at[0] : NULL;
    for (size_t i = 0; i < models->count; i++) {
        const dq_value *user = dq_map_get(&models->at[i].meta, "user");
        if (!user && !common) common = &models->at[i];
        if (user && id && user->type == DQ_STRING && user->count == bytes &&
            memcmp(user->as.string, id, bytes) == 0)
            return &models->at[i];
    }
    return common;
}

static uint64_t digest_ids(const dq_index *ids, uint64_t seed)
{
    for (uint32_t i = 0; i < dq_index_count(ids); i++) {
        size_t n;
        const char *id = dq_index_id(ids, i, &n);
        seed = dq_digest_seeded(id, n, seed);
    }
    return seed;
}

static uint64_t digest_entities(const dq_entities *entities, uint64_t seed)
{
    const dq_identity *identity = &entities->identity;
    size_t count = dq_entities_count(entities);
    if (count) seed = dq_digest_seeded(identity->digests, count * sizeof *identity->digests, seed);
    return digest_ids(&identity->ids, seed);
}

/* Field by field: a transition has padding. */
uint64_t dq_dataset_digest(const dq_dataset *dataset)
{
    uint64_t digest = digest_entities(&dataset->catalogue.users, 1);
    digest = digest_entities(&dataset->catalogue.items, digest);
    digest = digest_ids(&dataset->catalogue.labels, digest);
    for (size_t i = 0; i < dataset->count && !dataset->by_bundles; i++) {
        const dq_transition *t = &dataset->transitions[i];
        uint32_t words[9] = {t->state, t->action, t->next, t->done, dataset->label[i]};
        memcpy(&words[5], &t->reward, sizeof t->reward);
        memcpy(&words[6], &dataset->cosine[i], sizeof(float));
        memcpy(&words[7], &dataset->llm[i], sizeof(float));
        memcpy(&words[8], &dataset->propensity[i], sizeof(float));
        digest = dq_digest_seeded(words, sizeof words, digest);
    }
    for (size_t i = 0; i < dataset->catalogue.interaction_count; i++) {
        const dq_interaction *x = &dataset->catalogue.interactions[i];
        uint32_t words[4] = {x->user, x->item, x->label, 0};
        memcpy(&words[3], &x->reward, sizeof x->reward);
        digest = dq_digest_seeded(words, sizeof words, digest);
    }
    return digest;
}
