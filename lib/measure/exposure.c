/* SPDX-License-Identifier: MIT */
#include "measure/exposure.h"

#include "core/array.h"
#include "measure/measures_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists are counted, or kept ---- */

dq_status dq_shown_lists_expect(dq_shown_lists *s, double k, dq_error *error)
{
    if (isinf(k)) {
        s->scores = true;
        return DQ_OK;
    }
    s->depth = fmax(s->depth, k);
    for (size_t i = 0; i < s->count_count; i++)
        if (s->counts[i].k == k) return DQ_OK;
    if (!dq_array_reserve(&s->counts, &s->count_capacity, s->count_count + 1, sizeof *s->counts))
        return dq_fail_memory(error, "the counts of items");
    s->counts[s->count_count++] = (dq_shown_times){.k = k};
    return DQ_OK;
}

/* How often an item is shown: a place among the counts, which grow to hold it. */
static uint32_t *times_of(dq_shown_times *count, uint32_t item)
{
    size_t had = count->room;
    if (!dq_array_reserve(&count->times, &count->room, (size_t)item + 1, sizeof *count->times)) return NULL;
    if (count->room > had) memset(count->times + had, 0, (count->room - had) * sizeof *count->times);
    return &count->times[item];
}

static dq_status count_places(dq_shown_times *count, const dq_shown_to *to, size_t n, const uint32_t *items,
                              dq_error *error)
{
    bool any = false;
    for (size_t i = 0; i < n && (double)i < count->k; i++) {
        if (items[i] == DQ_ABSENT) continue;
        uint32_t *times = times_of(count, items[i]);
        if (!times) return dq_fail_memory(error, "the counts of items");
        ++*times;
        any = true;
    }
    count->covered += to->known && any;
    return DQ_OK;
}

static bool add_score(dq_shown_scores *scores, double score, uint32_t list)
{
    if (!dq_array_reserve(&scores->at, &scores->capacity, scores->count + 1, sizeof *scores->at))
        return false;
    scores->at[scores->count++] = (dq_shown_score){score, list};
    return true;
}

static dq_status keep_scores(dq_shown_lists *s, const dq_judged_ranking *ranking, dq_error *error)
{
    for (size_t i = 0; i < ranking->retrieved; i++) {
        bool relevant = ranking->hits[i + 1] > ranking->hits[i];
        if (!add_score(relevant ? &s->relevant : &s->others, ranking->score[i], (uint32_t)s->list_count))
            return dq_fail_memory(error, "%zu scores", s->relevant.count + s->others.count);
    }
    return DQ_OK;
}

static dq_status keep_places(dq_shown_lists *s, const dq_shown_to *to, size_t n, const uint32_t *items,
                             dq_error *error)
{
    size_t most = (double)n < s->depth ? n : (size_t)s->depth;
    if (!dq_array_reserve(&s->items, &s->item_capacity, s->item_count + most + 1, sizeof *s->items) ||
        !dq_array_reserve(&s->lists, &s->list_capacity, s->list_count + 2, sizeof *s->lists))
        return dq_fail_memory(error, "%zu places of %zu lists", s->item_count, s->list_count);
    s->lists[s->list_count] = (dq_shown_list){.to = *to, .item = s->item_count};
    for (size_t i = 0; i < most; i++) s->items[s->item_count++] = items[i];
    s->lists[s->list_count + 1].item = s->item_count;
    return DQ_OK;
}

dq_status dq_shown_lists_add(dq_shown_lists *s, const dq_shown_to *to, const dq_judged_ranking *ranking,
                             const uint32_t *items, dq_error *error)
{
    dq_status status = s->scores && to->judged ? keep_scores(s, ranking, error) : DQ_OK;
    if (!status && s->keep) status = keep_places(s, to, ranking->retrieved, items, error);
    for (size_t c = 0; !s->keep && c < s->count_count && !status; c++)
        status = count_places(&s->counts[c], to, ranking->retrieved, items, error);
    if (!status) s->list_count++;
    return status;
}

static int falling_scores(const void *a, const void *b)
{
    double x = ((const dq_shown_score *)a)->score, y = ((const dq_shown_score *)b)->score;
    return (x < y) - (x > y);
}

/* Numbers the items that are kept without gaps, so that what is counted again and again is no longer than
 * they are. */
static dq_status renumber(dq_shown_lists *s, dq_error *error)
{
    size_t most = 0;
    for (size_t i = 0; i < s->item_count; i++)
        if (s->items[i] != DQ_ABSENT && s->items[i] >= most) most = (size_t)s->items[i] + 1;
    uint32_t *number = calloc(most + 1, sizeof *number); /* and 1 */
    if (!number) return dq_fail_memory(error, "%zu items", most);
    for (size_t i = 0; i < s->item_count; i++) {
        uint32_t item = s->items[i];
        if (item == DQ_ABSENT) continue;
        if (!number[item]) number[item] = (uint32_t)++s->distinct;
        s->items[i] = number[item] - 1;
    }
    free(number);
    return DQ_OK;
}

dq_status dq_shown_lists_finish(dq_shown_lists *s, dq_error *error)
{
    if (s->relevant.count) qsort(s->relevant.at, s->relevant.count, sizeof *s->relevant.at, falling_scores);
    if (s->others.count) qsort(s->others.at, s->others.count, sizeof *s->others.at, falling_scores);
    return renumber(s, error);
}

void dq_shown_lists_free(dq_shown_lists *s)
{
    for (size_t c = 0; c < s->count_count; c++) free(s->counts[c].times);
    free(s->counts);
    free(s->items);
    free(s->lists);
    free(s->relevant.at);
    free(s->others.at);
    *s = DQ_SHOWN_LISTS_EMPTY;
}

/* ---- and what they come to ---- */

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

dq_status dq_shown_sample_init(dq_shown_sample *sample, const dq_shown_lists *shown, const dq_facts *facts,
                               uint32_t group, dq_error *error)
{
    *sample = (dq_shown_sample){calloc(shown->list_count + 1, sizeof *sample->times),
                                count_users(facts, group)};
    if (!sample->times) return dq_fail_memory(error, "%zu lists", shown->list_count);
    for (size_t l = 0; l < shown->list_count; l++)
        sample->times[l] = in_group(facts, shown->lists[l].to.user, group);
    return DQ_OK;
}

static void count_list(dq_exposure *e, const dq_shown_lists *shown, size_t l, double k, uint32_t times)
{
    const dq_shown_list *list = &shown->lists[l];
    bool any = false;
    for (size_t i = list[0].item; i < list[1].item && (double)(i - list[0].item) < k; i++) {
        if (shown->items[i] == DQ_ABSENT) continue;
        e->shown[shown->items[i]] += times;
        any = true;
    }
    if (list->to.known && any) e->covered += times;
}

/* The counts for k, or NULL. */
static const dq_shown_times *counts_for(const dq_shown_lists *shown, double k)
{
    for (size_t c = 0; c < shown->count_count; c++)
        if (shown->counts[c].k == k) return &shown->counts[c];
    return NULL;
}

static int ascending_counts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Into ascending order; counts are mostly small, and then counted themselves. */
static dq_status sort_counts(dq_exposure *e, dq_error *error)
{
    uint32_t most = 0;
    for (size_t i = 0; i < e->distinct; i++) most = e->shown[i] > most ? e->shown[i] : most;
    if (most > 4 * e->distinct + 1024) {
        qsort(e->shown, e->distinct, sizeof *e->shown, ascending_counts);
        return DQ_OK;
    }
    size_t *having = calloc((size_t)most + 1, sizeof *having), at = 0;
    if (!having) return dq_fail_memory(error, "%zu items", e->items);
    for (size_t i = 0; i < e->distinct; i++) having[e->shown[i]]++;
    for (uint32_t times = 0; times <= most; times++)
        for (size_t i = 0; i < having[times]; i++) e->shown[at++] = times;
    free(having);
    return DQ_OK;
}

static double weight(const dq_shown_sample *sample, const dq_shown_score *score)
{
    return sample ? sample->times[score->list] : 1;
}

/* Goes down the scores: a relevant place stands above the others that come later, and beside those of its
 * score. */
static void count_order(dq_exposure *e, const dq_shown_lists *shown, const dq_shown_sample *sample)
{
    const dq_shown_scores *r = &shown->relevant, *o = &shown->others;
    double relevant = 0, others = 0; /* so far */
    size_t i = 0;
    for (size_t j = 0, end; j < o->count; j = end) {
        double score = o->at[j].score, beside = 0, here = 0;
        while (i < r->count && r->at[i].score > score) relevant += weight(sample, &r->at[i++]);
        for (end = j; end < o->count && o->at[end].score == score; end++) here += weight(sample, &o->at[end]);
        while (i < r->count && r->at[i].score == score) beside += weight(sample, &r->at[i++]);
        e->above += here * (relevant + beside / 2);
        relevant += beside;
        others += here;
    }
    while (i < r->count) relevant += weight(sample, &r->at[i++]);
    e->pairs = relevant * others;
}

dq_status dq_exposure_init(dq_exposure *e, const dq_shown_lists *shown, const dq_facts *facts, double k,
                           const dq_shown_sample *sample, dq_error *error)
{
    *e = (dq_exposure){.items = dq_facts_items(facts),
                       .users = sample ? sample->users : count_users(facts, DQ_ALL_USERS)};
    const dq_shown_times *counts = shown->keep ? NULL : counts_for(shown, k);
    size_t room = shown->keep ? shown->distinct : counts ? counts->room : 0;
    e->shown = calloc(room + 1, sizeof *e->shown);
    if (!e->shown) return dq_fail_memory(error, "%zu items", room);
    if (isinf(k)) {
        count_order(e, shown, sample);
        return DQ_OK;
    }
    for (size_t l = 0; shown->keep && l < shown->list_count; l++)
        if (!sample || sample->times[l]) count_list(e, shown, l, k, sample ? sample->times[l] : 1);
    if (counts && room) memcpy(e->shown, counts->times, room * sizeof *e->shown);
    if (counts) e->covered = counts->covered;
    for (size_t l = 0; l < shown->list_count; l++) e->lists += sample ? sample->times[l] : 1;
    for (size_t i = 0; i < room; i++) {
        e->total += e->shown[i];
        if (e->shown[i]) e->shown[e->distinct++] = e->shown[i];
    }
    dq_status status = sort_counts(e, error);
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
    return e->items ? (double)e->distinct / (double)e->items : NAN;
}

/* Items of the run are as species of samples: how many n samples show varies by S (1 - S / S'), S' being how
 * many there are to be seen, of which Chao's estimate makes f1^2 / (2 f2) more than S from those shown once
 * and twice (Colwell and others, J. Plant Ecology 5, 2012, equation 18 at no smaller a sample; Chao 1987).
 * Here S' is no more than all items. Drawing lists anew would not do: it never shows an item that the run
 * does not, and of those shown once, it misses a third. One list says nothing of how others differ: NAN. */
double dq_coverage_sd(const dq_exposure *e)
{
    double once = 0, twice = 0, shown = (double)e->distinct, n = e->lists;
    for (size_t i = 0; i < e->distinct && e->shown[i] <= 2; i++) e->shown[i] == 1 ? once++ : twice++;
    if (n < 2) return NAN;
    double unseen = (n - 1) / n * (twice > 0 ? once * once / (2 * twice) : once * (once - 1) / 2);
    double all = fmin(shown + unseen, (double)e->items);
    return all > 0 ? sqrt(shown * (1 - shown / all)) / (double)e->items : 0;
}

/* Herlocker and others, ACM TOIS 22, 2004. */
double dq_user_coverage(const dq_exposure *e)
{
    return e->users ? (double)e->covered / (double)e->users : NAN;
}

/* Of a share of the users; of a single user NAN. */
double dq_user_coverage_sd(const dq_exposure *e)
{
    double share = dq_user_coverage(e);
    return e->users > 1 ? sqrt(share * (1 - share) / (double)e->users) : NAN;
}

/* Gini's index of the n items' shares, ascending: sum of (2 i - n - 1) shown(i) / (n total), i from 1. */
double dq_gini(const dq_exposure *e)
{
    double sum = 0, n = (double)e->items, never = n - (double)e->distinct;
    for (size_t i = 0; i < e->distinct; i++) sum += (2 * (never + (double)(i + 1)) - n - 1) * e->shown[i];
    return e->total > 0 ? sum / (n * e->total) : NAN;
}

/* Shannon's entropy of the items' shares, in nats. */
double dq_entropy(const dq_exposure *e)
{
    double sum = 0;
    for (size_t i = 0; i < e->distinct; i++) sum -= e->shown[i] / e->total * log(e->shown[i] / e->total);
    return e->total > 0 ? sum : NAN;
}

/* The area under the ROC curve of all places together: Mann and Whitney's statistic. */
double dq_auc(const dq_exposure *e)
{
    return e->pairs > 0 ? e->above / e->pairs : NAN;
}
