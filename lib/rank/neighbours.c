/* SPDX-License-Identifier: MIT */
#include "rank/neighbours.h"

#include "core/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dq_likeness_names[] = {"cosine", "jaccard", "tfidf", "follows", NULL};

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "the items' neighbours");
}

/* ---- numbers by id ---- */

typedef struct named {
    const char *id;
    size_t bytes;
    uint32_t number;
} named;

static int compare_ids(const void *x, const void *y)
{
    const named *a = x, *b = y;
    int order = memcmp(a->id, b->id, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* What place each id of an index has in bytewise order; NULL: out of memory. */
static uint32_t *order_of(const dq_index *index)
{
    size_t count = dq_index_count(index);
    uint32_t *place = malloc((count + 1) * sizeof *place);
    named *ids = malloc((count + 1) * sizeof *ids);
    for (uint32_t i = 0; place && ids && i < count; i++) {
        ids[i].id = dq_index_id(index, i, &ids[i].bytes);
        ids[i].number = i;
    }
    if (place && ids && count) qsort(ids, count, sizeof *ids, compare_ids);
    for (uint32_t i = 0; place && ids && i < count; i++) place[ids[i].number] = i;
    if (!ids) {
        free(place);
        place = NULL;
    }
    free(ids);
    return place;
}

/* ---- who met what ---- */

static int compare_numbers(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* first[n + 1] are counts, of which first[i + 1] is that of i: becomes where each begins. */
static void accumulate(size_t *first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) first[i + 1] += first[i];
}

/* What each user met, by his number here. */
static void fill_users(dq_neighbours *nb, const dq_pairset *pairs, size_t *next)
{
    for (size_t s = 0; s < pairs->slot_count; s++)
        if (pairs->slots[s] != UINT64_MAX) nb->user_first[nb->user_of[pairs->slots[s] >> 32] + 1]++;
    accumulate(nb->user_first, nb->users);
    memcpy(next, nb->user_first, nb->users * sizeof *next);
    for (size_t s = 0; s < pairs->slot_count; s++)
        if (pairs->slots[s] != UINT64_MAX)
            nb->met[next[nb->user_of[pairs->slots[s] >> 32]]++] = nb->item_of[(uint32_t)pairs->slots[s]];
    for (uint32_t u = 0; u < nb->users; u++)
        if (nb->user_first[u + 1] > nb->user_first[u])
            qsort(nb->met + nb->user_first[u], nb->user_first[u + 1] - nb->user_first[u], sizeof *nb->met,
                  compare_numbers);
}

/* Who met each item. Users come in their order, and so they stand. */
static void fill_items(dq_neighbours *nb, size_t *next)
{
    size_t pairs = nb->user_first[nb->users];
    for (size_t p = 0; p < pairs; p++) nb->item_first[nb->met[p] + 1]++;
    accumulate(nb->item_first, nb->items);
    memcpy(next, nb->item_first, nb->items * sizeof *next);
    for (uint32_t u = 0; u < nb->users; u++)
        for (size_t p = nb->user_first[u]; p < nb->user_first[u + 1]; p++) nb->met_by[next[nb->met[p]]++] = u;
}

static double weight_of(const dq_neighbours *nb, uint32_t user)
{
    return nb->user_weight ? nb->user_weight[user] : 1;
}

static dq_status weigh(dq_neighbours *nb, dq_error *error)
{
    if (nb->likeness == DQ_LIKENESS_TFIDF) {
        nb->user_weight = malloc((nb->users + 1U) * sizeof *nb->user_weight);
        if (!nb->user_weight) return no_memory(error);
        for (uint32_t u = 0; u < nb->users; u++) {
            size_t met = nb->user_first[u + 1] - nb->user_first[u];
            double w = met ? log((double)nb->items / (double)met) : 0;
            nb->user_weight[u] = w * w;
        }
    }
    for (uint32_t i = 0; i < nb->items; i++)
        for (size_t p = nb->item_first[i]; p < nb->item_first[i + 1]; p++)
            nb->item_size[i] += weight_of(nb, nb->met_by[p]);
    return DQ_OK;
}

static dq_status make_pairs(dq_neighbours *nb, const dq_feedback *feedback, dq_error *error)
{
    size_t count = dq_pairset_count(&feedback->pairs);
    size_t *next = malloc(((nb->users > nb->items ? nb->users : nb->items) + 1U) * sizeof *next);
    nb->user_first = calloc(nb->users + 1U, sizeof *nb->user_first);
    nb->met = malloc((count + 1) * sizeof *nb->met);
    nb->met_by = malloc((count + 1) * sizeof *nb->met_by);
    bool room = next && nb->user_first && nb->met && nb->met_by;
    if (room) {
        fill_users(nb, &feedback->pairs, next);
        fill_items(nb, next);
    }
    free(next);
    return room ? weigh(nb, error) : no_memory(error);
}

/* ---- what followed what ---- */

static int compare_steps(const void *x, const void *y)
{
    const uint64_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* Steps from one item to the next, item << 32 | item before it, each as often as it was made. */
static size_t find_steps(const dq_neighbours *nb, const dq_feedback *feedback, uint64_t *step)
{
    size_t n = 0;
    const dq_feedback_event *e = feedback->events;
    for (size_t i = 1; i < feedback->event_count; i++)
        if (e[i].user == e[i - 1].user)
            step[n++] = (uint64_t)nb->item_of[e[i].item] << 32 | nb->item_of[e[i - 1].item];
    if (n) qsort(step, n, sizeof *step, compare_steps);
    return n;
}

static dq_status make_steps(dq_neighbours *nb, const dq_feedback *feedback, dq_error *error)
{
    uint64_t *step = malloc((feedback->event_count + 1) * sizeof *step);
    size_t n = step ? find_steps(nb, feedback, step) : 0, kept = 0;
    nb->met_by = malloc((n + 1) * sizeof *nb->met_by);
    nb->times = calloc(n + 1, sizeof *nb->times);
    bool room = step && nb->met_by && nb->times;
    for (size_t s = 0; room && s < n; s++) {
        bool again = s && step[s] == step[s - 1];
        if (!again) {
            nb->met_by[kept++] = (uint32_t)step[s];
            nb->item_first[(step[s] >> 32) + 1]++;
        }
        nb->times[kept - 1]++;
        nb->item_size[(uint32_t)step[s]]++;
    }
    accumulate(nb->item_first, nb->items);
    free(step);
    return room ? DQ_OK : no_memory(error);
}

dq_status dq_neighbours_make(dq_neighbours *nb, const dq_feedback *feedback, dq_error *error)
{
    nb->users = (uint32_t)dq_index_count(&feedback->users);
    nb->items = (uint32_t)dq_index_count(&feedback->items);
    nb->user_of = order_of(&feedback->users);
    nb->item_of = order_of(&feedback->items);
    nb->item_first = calloc(nb->items + 1U, sizeof *nb->item_first);
    nb->item_size = calloc(nb->items + 1U, sizeof *nb->item_size);
    if (!nb->user_of || !nb->item_of || !nb->item_first || !nb->item_size) return no_memory(error);
    return nb->likeness == DQ_LIKENESS_FOLLOWS ? make_steps(nb, feedback, error)
                                               : make_pairs(nb, feedback, error);
}

/* ---- one item ---- */

static bool reserve(dq_neighbours_scratch *s, uint32_t items)
{
    if (s->slots >= items && s->count) return true;
    free(s->common);
    free(s->count);
    s->common = calloc(items + 1U, sizeof *s->common);
    s->count = calloc(items + 1U, sizeof *s->count);
    s->slots = s->common && s->count ? items : 0;
    return s->slots == items && s->common && s->count;
}

static bool reserve_found(dq_neighbours_scratch *s, size_t need)
{
    return dq_array_reserve(&s->found, &s->found_slots, need, sizeof *s->found);
}

/* n: how many met both, or how often one followed the other. */
static void keep(const dq_neighbours *nb, dq_neighbours_scratch *s, size_t *count, uint32_t item,
                 double likeness, double n)
{
    double shrunk = likeness * (n / (n + nb->shrink));
    if (shrunk > 0) s->found[(*count)++] = (dq_neighbour){item, (float)shrunk};
}

static bool find_before(const dq_neighbours *nb, uint32_t item, dq_neighbours_scratch *s, size_t *count)
{
    if (!reserve_found(s, nb->item_first[item + 1] - nb->item_first[item])) return false;
    for (size_t p = nb->item_first[item]; p < nb->item_first[item + 1]; p++)
        keep(nb, s, count, nb->met_by[p], nb->times[p] / nb->item_size[nb->met_by[p]], nb->times[p]);
    return true;
}

static double likeness_of(const dq_neighbours *nb, uint32_t i, uint32_t j, double common)
{
    double a = nb->item_size[i], b = nb->item_size[j];
    if (nb->likeness == DQ_LIKENESS_JACCARD) return common / (a + b - common);
    return a > 0 && b > 0 ? common / (sqrt(a) * sqrt(b)) : 0;
}

/* Sums over the users whom the item has in common with each other one. */
static bool find_common(const dq_neighbours *nb, uint32_t item, dq_neighbours_scratch *s, size_t *count)
{
    size_t touched = 0;
    if (!reserve(s, nb->items)) return false;
    for (size_t p = nb->item_first[item]; p < nb->item_first[item + 1]; p++) {
        uint32_t user = nb->met_by[p];
        double weight = weight_of(nb, user);
        if (!reserve_found(s, touched + nb->user_first[user + 1] - nb->user_first[user])) {
            s->slots = 0; /* the sums stand: they are made anew */
            return false;
        }
        for (size_t q = nb->user_first[user]; q < nb->user_first[user + 1]; q++) {
            uint32_t other = nb->met[q];
            if (s->count[other]++ == 0) s->found[touched++].item = other;
            s->common[other] += weight;
        }
    }
    for (size_t t = 0; t < touched; t++) {
        uint32_t other = s->found[t].item;
        double common = s->common[other], n = s->count[other];
        s->common[other] = 0;
        s->count[other] = 0;
        if (other != item) keep(nb, s, count, other, likeness_of(nb, item, other, common), n);
    }
    return true;
}

static int compare_likeness(const void *x, const void *y)
{
    const dq_neighbour *a = x, *b = y;
    if (a->likeness > b->likeness || a->likeness < b->likeness) return a->likeness > b->likeness ? -1 : 1;
    return a->item > b->item ? -1 : a->item < b->item;
}

static int compare_items(const void *x, const void *y)
{
    const dq_neighbour *a = x, *b = y;
    return (a->item > b->item) - (a->item < b->item);
}

dq_status dq_neighbours_of(const dq_neighbours *nb, uint32_t item, dq_neighbours_scratch *s, size_t *count,
                           dq_error *error)
{
    *count = 0;
    bool found = nb->likeness == DQ_LIKENESS_FOLLOWS ? find_before(nb, item, s, count)
                                                     : find_common(nb, item, s, count);
    if (!found) return no_memory(error);
    if (nb->most && *count > nb->most) {
        qsort(s->found, *count, sizeof *s->found, compare_likeness);
        *count = nb->most;
    }
    if (*count) qsort(s->found, *count, sizeof *s->found, compare_items);
    return DQ_OK;
}

void dq_neighbours_free(dq_neighbours *nb)
{
    free(nb->user_of);
    free(nb->item_of);
    free(nb->user_first);
    free(nb->met);
    free(nb->item_first);
    free(nb->met_by);
    free(nb->times);
    free(nb->user_weight);
    free(nb->item_size);
}

void dq_neighbours_scratch_free(dq_neighbours_scratch *s)
{
    free(s->common);
    free(s->count);
    free(s->found);
}
