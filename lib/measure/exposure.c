/* SPDX-License-Identifier: MIT */
#include "measure/exposure.h"

#include "core/array.h"
#include "measure/measures_impl.h"

#include <math.h>
#include <stdlib.h>

/* ---- lists are kept ---- */

dq_status dq_shown_lists_add(dq_shown_lists *s, const dq_shown_list *list, const dq_judged_ranking *ranking,
                             const uint32_t *items, double depth, dq_error *error)
{
    size_t n = depth < (double)ranking->retrieved ? (size_t)depth : ranking->retrieved;
    if (!dq_array_reserve(&s->places, &s->place_capacity, s->place_count + n + 1, sizeof *s->places) ||
        !dq_array_reserve(&s->lists, &s->list_capacity, s->list_count + 2, sizeof *s->lists))
        return dq_fail_memory(error, "%zu places of %zu lists", s->place_count, s->list_count);
    s->lists[s->list_count] = *list;
    s->lists[s->list_count++].start = s->place_count;
    for (size_t i = 0; i < n; i++)
        s->places[s->place_count++] = (dq_shown){.score = ranking->score[i],
                                                 .item = items[i],
                                                 .relevant = ranking->hits[i + 1] > ranking->hits[i]};
    s->lists[s->list_count].start = s->place_count;
    return DQ_OK;
}

void dq_shown_lists_free(dq_shown_lists *s)
{
    free(s->places);
    free(s->lists);
    *s = DQ_SHOWN_LISTS_EMPTY;
}

/* ---- and counted ---- */

static bool in_group(const dq_facts *facts, uint32_t user, uint32_t group)
{
    return group == DQ_ALL_USERS || dq_attribute_has(&facts->by, user, group);
}

static size_t count_users(const dq_facts *facts, uint32_t group)
{
    size_t users = facts->catalogue ? dq_entities_count(&facts->catalogue->users) : 0, n = 0;
    if (group == DQ_ALL_USERS) return users ? users : facts->queries;
    for (uint32_t u = 0; u < users; u++) n += in_group(facts, u, group);
    return n;
}

static void count_list(dq_exposure *e, const dq_shown_list *list, const dq_shown *places, double k)
{
    size_t n = list[1].start - list[0].start;
    double before = e->total;
    for (size_t i = 0; i < n && (double)i < k; i++) {
        uint32_t item = places[list->start + i].item;
        if (item == DQ_ABSENT) continue;
        e->shown[item]++;
        e->total++;
    }
    e->covered += list->known && e->total > before;
}

static int ascending_counts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int falling_scores(const void *a, const void *b)
{
    double x = ((const dq_shown *)a)->score, y = ((const dq_shown *)b)->score;
    return (x < y) - (x > y);
}

/* Goes down the places of one score after those of another: a relevant one stands above the others that come
 * later, and beside those of its score. */
static void count_order(dq_exposure *e, const dq_shown *places, size_t n)
{
    double relevant = 0; /* so far */
    for (size_t i = 0, end; i < n; i = end) {
        double here = 0, others = 0;
        for (end = i; end < n && places[end].score == places[i].score; end++)
            places[end].relevant ? here++ : others++;
        e->above += others * (relevant + here / 2);
        relevant += here;
    }
    e->pairs = relevant * ((double)n - relevant);
}

/* All places of the judged lists of a group, by their scores. */
static dq_status order_places(dq_exposure *e, const dq_shown_lists *shown, const dq_facts *facts,
                              uint32_t group, dq_error *error)
{
    dq_shown *places = malloc((shown->place_count + 1) * sizeof *places);
    size_t n = 0;
    if (!places) return dq_fail_memory(error, "%zu places", shown->place_count);
    for (size_t l = 0; l < shown->list_count; l++) {
        const dq_shown_list *list = &shown->lists[l];
        if (!list->judged || !in_group(facts, list->user, group)) continue;
        for (size_t i = list[0].start; i < list[1].start; i++) places[n++] = shown->places[i];
    }
    qsort(places, n, sizeof *places, falling_scores);
    count_order(e, places, n);
    free(places);
    return DQ_OK;
}

dq_status dq_exposure_init(dq_exposure *e, const dq_shown_lists *shown, const dq_facts *facts, double k,
                           uint32_t group, dq_error *error)
{
    *e = (dq_exposure){.items = dq_facts_items(facts), .users = count_users(facts, group)};
    e->shown = calloc(e->items + 1, sizeof *e->shown);
    if (!e->shown) return dq_fail_memory(error, "%zu items", e->items);
    for (size_t l = 0; l < shown->list_count; l++)
        if (in_group(facts, shown->lists[l].user, group)) count_list(e, &shown->lists[l], shown->places, k);
    qsort(e->shown, e->items, sizeof *e->shown, ascending_counts);
    dq_status status = isinf(k) ? order_places(e, shown, facts, group, error) : DQ_OK;
    if (status) dq_exposure_free(e);
    return status;
}

void dq_exposure_free(dq_exposure *e)
{
    free(e->shown);
    *e = (dq_exposure){0};
}

/* ---- measures ---- */

/* Ge, Delgado-Battenfeld and Jannach, RecSys 2010, "catalog coverage". */
double dq_coverage(const dq_exposure *e)
{
    size_t never = 0;
    while (never < e->items && e->shown[never] == 0) never++;
    return e->items ? (double)(e->items - never) / (double)e->items : NAN;
}

/* Herlocker and others, ACM TOIS 22, 2004. */
double dq_user_coverage(const dq_exposure *e)
{
    return e->users ? (double)e->covered / (double)e->users : NAN;
}

/* Gini's index of the n items' shares, ascending: sum of (2 i - n - 1) shown(i) / (n total), i from 1. */
double dq_gini(const dq_exposure *e)
{
    double sum = 0, n = (double)e->items;
    for (size_t i = 0; i < e->items; i++) sum += (2 * (double)(i + 1) - n - 1) * e->shown[i];
    return e->total > 0 ? sum / (n * e->total) : NAN;
}

/* Shannon's entropy of the items' shares, in nats. */
double dq_entropy(const dq_exposure *e)
{
    double sum = 0;
    for (size_t i = 0; i < e->items; i++)
        if (e->shown[i]) sum -= e->shown[i] / e->total * log(e->shown[i] / e->total);
    return e->total > 0 ? sum : NAN;
}

/* The area under the ROC curve of all places together: Mann and Whitney's statistic. */
double dq_auc(const dq_exposure *e)
{
    return e->pairs > 0 ? e->above / e->pairs : NAN;
}
