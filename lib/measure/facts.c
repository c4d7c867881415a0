/* SPDX-License-Identifier: MIT */
#include "measure/facts.h"

#include "core/array.h"

#include <math.h>
#include <stdlib.h>

/* ---- attributes ---- */

dq_status dq_attribute_add(dq_attribute *a, const char *value, size_t bytes, dq_error *error)
{
    uint32_t number;
    dq_status status = dq_index_add(&a->values, value, bytes, &number, NULL, error);
    if (status) return status;
    for (size_t i = a->start ? a->start[a->count] : 0; i < a->value_count; i++)
        if (a->value[i] == number) return DQ_OK;
    if (!dq_array_reserve(&a->value, &a->value_capacity, a->value_count + 1, sizeof *a->value))
        return dq_fail_memory(error, "%zu values of %s", a->value_count, a->name);
    a->value[a->value_count++] = number;
    return DQ_OK;
}

dq_status dq_attribute_next(dq_attribute *a, dq_error *error)
{
    if (!dq_array_reserve(&a->start, &a->capacity, a->count + 2, sizeof *a->start))
        return dq_fail_memory(error, "%zu rows of %s", a->count, a->name);
    if (!a->count) a->start[0] = 0;
    a->start[++a->count] = a->value_count;
    return DQ_OK;
}

dq_status dq_attribute_finish(dq_attribute *a, dq_error *error)
{
    a->shares = calloc(2 * dq_index_count(&a->values) + 1, sizeof *a->shares);
    return a->shares ? DQ_OK : dq_fail_memory(error, "%zu values of %s", dq_index_count(&a->values), a->name);
}

const uint32_t *dq_attribute_of(const dq_attribute *a, uint32_t row, size_t *n)
{
    *n = row < a->count ? a->start[row + 1] - a->start[row] : 0;
    return *n ? a->value + a->start[row] : NULL;
}

bool dq_attribute_has(const dq_attribute *a, uint32_t row, uint32_t value)
{
    size_t n;
    const uint32_t *values = dq_attribute_of(a, row, &n);
    for (size_t i = 0; i < n; i++)
        if (values[i] == value) return true;
    return false;
}

void dq_attribute_free(dq_attribute *a)
{
    dq_index_free(&a->values);
    free(a->start);
    free(a->value);
    free(a->shares);
    *a = (dq_attribute){0};
}

/* ---- who met which ---- */

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

/* The tail begins behind the items, ties included, that make up 80 % of what was met. */
static void find_tail(dq_facts *f)
{
    const double head = 0.8;
    double total = 0, sum = 0;
    for (size_t i = 0; i < f->counted; i++) total += f->falling[i];
    size_t i = 0;
    while (i < f->counted && (sum < head * total || (i && f->falling[i] == f->falling[i - 1])))
        sum += f->falling[i++];
    f->tail = i < f->counted ? f->falling[i] : 0;
}

/* Counts pairs that are distinct and grouped by user. */
static dq_status count_pairs(dq_facts *f, const dq_pairset_pair *pairs, size_t n, dq_error *error)
{
    f->counted = dq_facts_items(f);
    f->met = calloc(f->counted + 1, sizeof *f->met);
    f->falling = calloc(f->counted + 1, sizeof *f->falling);
    if (!f->met || !f->falling) return dq_fail_memory(error, "%zu items", f->counted);
    for (size_t i = 0; i < n; i++) {
        f->met[pairs[i].item]++;
        f->users += i == 0 || pairs[i].user != pairs[i - 1].user;
    }
    for (size_t i = 0; i < f->counted; i++) f->falling[i] = f->met[i];
    qsort(f->falling, f->counted, sizeof *f->falling, descending);
    find_tail(f);
    return DQ_OK;
}

/* Where each user's pairs begin. */
static dq_status index_history(dq_facts *f, size_t pairs, dq_error *error)
{
    size_t users = dq_entities_count(&f->catalogue->users), at = 0;
    f->history_start = malloc((users + 1) * sizeof *f->history_start);
    if (!f->history_start) return dq_fail_memory(error, "%zu users", users);
    for (size_t u = 0; u <= users; u++) {
        while (at < pairs && f->history[at].user < u) at++;
        f->history_start[u] = at;
    }
    return DQ_OK;
}

static dq_status sort_pairs(const dq_pairset *set, dq_pairset_pair **pairs, dq_error *error)
{
    *pairs = malloc((dq_pairset_count(set) + 1) * sizeof **pairs);
    if (!*pairs) return dq_fail_memory(error, "%zu pairs of a user and an item", dq_pairset_count(set));
    dq_pairset_sorted(set, *pairs);
    return DQ_OK;
}

dq_status dq_facts_use_catalogue(dq_facts *f, const dq_catalogue *catalogue, dq_error *error)
{
    dq_pairset set = DQ_PAIRSET_EMPTY;
    dq_status status = DQ_OK;
    f->catalogue = catalogue;
    f->by_interactions = catalogue->interaction_count > 0;
    if (!f->by_interactions) return DQ_OK;
    for (size_t i = 0; i < catalogue->interaction_count && !status; i++)
        status = dq_pairset_add(&set, catalogue->interactions[i].user, catalogue->interactions[i].item, NULL,
                                error);
    size_t n = dq_pairset_count(&set);
    if (!status) status = sort_pairs(&set, &f->history, error);
    dq_pairset_free(&set);
    if (!status) status = count_pairs(f, f->history, n, error);
    return status ? status : index_history(f, n, error);
}

/* The judgements' relevant pairs, of items that there are. */
static dq_status collect_judged(dq_facts *f, const dq_qrels *qrels, int32_t relevance, dq_pairset *set,
                                dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t q = 0; q < f->queries; q++)
        for (size_t i = qrels->start[q]; i < qrels->start[q + 1] && !status; i++) {
            size_t n;
            uint32_t item;
            const char *id = dq_index_id(&qrels->docs, qrels->doc[i], &n);
            status = dq_facts_item(f, id, n, &item, error);
            if (!status && item != DQ_ABSENT && qrels->value[i] >= fmax(relevance, 0))
                status = dq_pairset_add(set, q, item, NULL, error);
        }
    return status;
}

dq_status dq_facts_use_qrels(dq_facts *f, const dq_qrels *qrels, int32_t relevance, dq_error *error)
{
    dq_pairset set = DQ_PAIRSET_EMPTY;
    dq_pairset_pair *pairs = NULL;
    f->queries = (uint32_t)dq_index_count(&qrels->queries);
    if (f->by_interactions) return DQ_OK;
    dq_status status = collect_judged(f, qrels, relevance, &set, error);
    if (!status) status = sort_pairs(&set, &pairs, error);
    if (!status) status = count_pairs(f, pairs, dq_pairset_count(&set), error);
    dq_pairset_free(&set);
    free(pairs);
    return status;
}

/* ---- asked by measures ---- */

dq_status dq_facts_item(dq_facts *f, const char *id, size_t bytes, uint32_t *item, dq_error *error)
{
    if (!f->catalogue) return dq_index_add(&f->named, id, bytes, item, NULL, error);
    *item = dq_entities_find(&f->catalogue->items, id, bytes);
    return DQ_OK;
}

size_t dq_facts_items(const dq_facts *f)
{
    return f->catalogue ? dq_entities_count(&f->catalogue->items) : dq_index_count(&f->named);
}

uint32_t dq_facts_user(const dq_facts *f, const char *id, size_t bytes)
{
    return f->catalogue ? dq_entities_find(&f->catalogue->users, id, bytes) : DQ_ABSENT;
}

uint32_t dq_facts_met(const dq_facts *f, uint32_t item)
{
    return item < f->counted ? f->met[item] : 0;
}

bool dq_facts_in_tail(const dq_facts *f, uint32_t item)
{
    return dq_facts_met(f, item) <= f->tail;
}

bool dq_facts_is_popular(const dq_facts *f, uint32_t item, double k)
{
    uint32_t met = dq_facts_met(f, item);
    return met > 0 && (k > (double)f->counted || met >= f->falling[(size_t)k - 1]);
}

const dq_pairset_pair *dq_facts_history(const dq_facts *f, uint32_t user, size_t *n)
{
    bool known = f->history_start && user != DQ_ABSENT;
    *n = known ? f->history_start[user + 1] - f->history_start[user] : 0;
    return *n ? f->history + f->history_start[user] : NULL;
}

void dq_facts_free(dq_facts *f)
{
    dq_index_free(&f->named);
    free(f->met);
    free(f->falling);
    free(f->history);
    free(f->history_start);
    for (size_t i = 0; i < f->attribute_count; i++) dq_attribute_free(&f->attributes[i]);
    dq_attribute_free(&f->by);
    *f = DQ_FACTS_NONE;
}
