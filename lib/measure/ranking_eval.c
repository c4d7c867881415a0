/* SPDX-License-Identifier: MIT
 *
 * A table of a query's ids, made anew for each list, tells what is judged and what stands twice: it stays in
 * cache, where one of all documents of judgements and run would not, and what it finds in a list of n
 * documents costs n look-ups, however large the run.
 */
#include "measure/ranking_eval.h"

#include "core/array.h"
#include "core/bytes.h"
#include "core/digest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a list ---- */

dq_status dq_ranking_add(dq_ranking *r, const char *doc, size_t bytes, double score, dq_error *error)
{
    if (!isfinite(score))
        return dq_fail(error, DQ_ERR_NUMERIC, "the score of %.*s is not a finite number", (int)bytes, doc);
    if (bytes > UINT32_MAX - r->id_bytes || r->count >= INT32_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "the ids of a list of %zu pass 4 GiB", r->count);
    if (!dq_array_reserve(&r->places, &r->capacity, r->count + 1, sizeof *r->places) ||
        !dq_array_reserve(&r->ids, &r->id_capacity, r->id_bytes + bytes + 1, 1))
        return dq_fail_memory(error, "a list of %zu documents", r->count + 1);
    dq_bytes_copy(r->ids + r->id_bytes, doc, bytes);
    r->places[r->count++] = (dq_ranked){score, (uint32_t)r->id_bytes, (uint32_t)bytes};
    r->id_bytes += bytes;
    return DQ_OK;
}

void dq_ranking_clear(dq_ranking *r)
{
    r->count = r->id_bytes = 0;
}

dq_status dq_ranking_take(dq_ranking *r, const dq_run *run, uint32_t row, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_ranking_clear(r);
    for (size_t i = run->start[row]; i < run->start[row + 1] && !status; i++) {
        size_t n;
        const char *id = dq_index_id(&run->docs, run->doc[i], &n);
        status = dq_ranking_add(r, id, n, run->value[i], error);
    }
    return status;
}

void dq_ranking_free(dq_ranking *r)
{
    free(r->places);
    free(r->ids);
    *r = DQ_RANKING_EMPTY;
}

/* ---- judged ---- */

struct dq_ranking_eval {
    const dq_qrels *qrels;
    const dq_ranking *ranking;
    int32_t threshold, greatest;
    size_t depth; /* 0: all */
    bool judged_only;
    size_t documents;
    size_t first, pooled; /* judgements of the query at hand: where they begin, how many */
    bool *met;            /* (longest list of the qrels) whether the list has the judged document */
    int32_t *ideal;       /* likewise */
    /* Open addressing: 0 for an empty slot, else 32 bits of the id's digest, and below them 1 + the number of
     * the judged document, or behind those of the list's place. */
    uint64_t *slots;
    size_t mask, slot_capacity;
    size_t capacity; /* of what follows */
    int32_t *found;  /* levels of the places as they came */
    uint32_t *order; /* places, best first */
    int32_t *levels;
    uint32_t *doc;
    double *score;
    uint32_t *hits; /* and one more */
};

static size_t longest(const dq_lists *lists)
{
    size_t most = 0, queries = dq_index_count(&lists->queries);
    for (size_t q = 0; q < queries; q++) {
        size_t n = lists->start[q + 1] - lists->start[q];
        if (n > most) most = n;
    }
    return most;
}

static dq_status check_levels(const dq_qrels *qrels, int32_t *greatest, dq_error *error)
{
    *greatest = 0;
    for (size_t i = 0; i < qrels->count; i++) {
        double v = qrels->value[i];
        if (v < INT32_MIN || v > INT32_MAX || v != (double)(int32_t)v)
            return dq_fail(error, DQ_ERR_RANGE, "a relevance of %.9g: an integer of 32 bits is needed", v);
        if (v > *greatest) *greatest = (int32_t)v;
    }
    return DQ_OK;
}

static dq_status reserve(dq_ranking_eval *e, size_t n, dq_error *error)
{
    size_t capacity = dq_array_capacity(e->capacity, n + 1), slots = 64;
    while (slots < 2 * (n + e->pooled)) slots *= 2;
    bool done = dq_array_reserve(&e->slots, &e->slot_capacity, slots, sizeof *e->slots);
    if (done && capacity != e->capacity) {
        done = dq_array_resize(&e->found, capacity, sizeof *e->found) &&
               dq_array_resize(&e->order, capacity, sizeof *e->order) &&
               dq_array_resize(&e->levels, capacity, sizeof *e->levels) &&
               dq_array_resize(&e->doc, capacity, sizeof *e->doc) &&
               dq_array_resize(&e->score, capacity, sizeof *e->score) &&
               dq_array_resize(&e->hits, capacity + 1, sizeof *e->hits);
        if (done) e->capacity = capacity;
    }
    if (!done) return dq_fail_memory(error, "judging %zu documents", n);
    e->mask = slots - 1;
    memset(e->slots, 0, slots * sizeof *e->slots);
    return DQ_OK;
}

dq_status dq_ranking_eval_new(dq_ranking_eval **eval, const dq_qrels *qrels, int32_t threshold,
                              dq_error *error)
{
    *eval = NULL;
    int32_t greatest;
    dq_status status = check_levels(qrels, &greatest, error);
    if (status) return status;
    dq_ranking_eval *e = calloc(1, sizeof *e);
    if (!e) return dq_fail_memory(error, "judging");
    *e = (dq_ranking_eval){.qrels = qrels, .threshold = threshold, .greatest = greatest};
    size_t most = longest(qrels);
    e->met = calloc(most + 1, sizeof *e->met);
    e->ideal = malloc((most + 1) * sizeof *e->ideal);
    status = e->met && e->ideal ? reserve(e, 0, error) : dq_fail_memory(error, "%zu judgements", most);
    if (status)
        dq_ranking_eval_free(e);
    else
        *eval = e;
    return status;
}

/* ---- the table of ids ---- */

static const char *id_of(const dq_ranking_eval *e, size_t number, size_t *bytes)
{
    if (number < e->pooled) return dq_index_id(&e->qrels->docs, e->qrels->doc[e->first + number], bytes);
    const dq_ranked *place = &e->ranking->places[number - e->pooled];
    *bytes = place->bytes;
    return e->ranking->ids + place->at;
}

/* The number that an id has already, or the one given, which it has then. */
static size_t number_id(dq_ranking_eval *e, const char *id, size_t bytes, size_t number)
{
    uint64_t digest = dq_digest(id, bytes), tag = digest & 0xffffffff00000000U;
    size_t at = (size_t)digest & e->mask;
    for (; e->slots[at]; at = (at + 1) & e->mask) {
        if ((e->slots[at] & 0xffffffff00000000U) != tag) continue;
        size_t held = (uint32_t)e->slots[at] - 1U, n;
        const char *other = id_of(e, held, &n);
        if (n == bytes && dq_bytes_equal(other, id, n)) return held;
    }
    e->slots[at] = tag | (uint32_t)(number + 1);
    return number;
}

static int descending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x < y) - (x > y);
}

/* Puts the query's judged documents into the table, and fills the ideal ranking. */
static void take_judgements(dq_ranking_eval *e, dq_judged_ranking *out)
{
    size_t n = 0, bytes;
    for (size_t i = 0; i < e->pooled; i++) {
        int32_t level = (int32_t)e->qrels->value[e->first + i];
        const char *id = id_of(e, i, &bytes);
        (void)number_id(e, id, bytes, i);
        e->met[i] = false;
        if (level >= 0) e->ideal[n++] = level;
        if (level >= 0 && level >= e->threshold) out->relevant++;
    }
    qsort(e->ideal, n, sizeof *e->ideal, descending);
    out->judged = n;
}

static dq_status refuse_twice(const dq_ranking_eval *e, uint32_t query, size_t place, dq_error *error)
{
    size_t qn, dn;
    const char *id = id_of(e, e->pooled + place, &dn);
    if (query == DQ_ABSENT) return dq_fail(error, DQ_ERR_DUPLICATE, "%.*s is there twice", (int)dn, id);
    const char *of = dq_index_id(&e->qrels->queries, query, &qn);
    return dq_fail(error, DQ_ERR_DUPLICATE, "query %.*s has %.*s twice", (int)qn, of, (int)dn, id);
}

/* Finds the levels of the list's places. */
static dq_status find_levels(dq_ranking_eval *e, uint32_t query, dq_error *error)
{
    for (size_t i = 0; i < e->ranking->count; i++) {
        size_t bytes, number = e->pooled + i;
        const char *id = id_of(e, number, &bytes);
        size_t held = number_id(e, id, bytes, number);
        e->found[i] = DQ_LEVEL_UNPOOLED;
        if (held == number) continue;
        if (held >= e->pooled || e->met[held]) return refuse_twice(e, query, i, error);
        e->met[held] = true;
        double level = e->qrels->value[e->first + held];
        e->found[i] = level < 0 ? DQ_LEVEL_UNJUDGED : (int32_t)level;
    }
    return DQ_OK;
}

/* ---- the order ---- */

/* trec_eval's order: the greater score first, of equal scores the greater id, bytewise. */
static int compare(const dq_ranking *r, uint32_t first, uint32_t second)
{
    const dq_ranked *a = &r->places[first], *b = &r->places[second];
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    int order = memcmp(r->ids + b->at, r->ids + a->at, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order ? order : (a->bytes > b->bytes ? -1 : a->bytes < b->bytes);
}

static int compare_places(const void *a, const void *b, void *ranking)
{
    return compare(ranking, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Lists mostly come sorted. */
static void sort_places(dq_ranking_eval *e)
{
    const dq_ranking *r = e->ranking;
    bool sorted = true;
    for (uint32_t i = 0; i < r->count; i++) {
        e->order[i] = i;
        if (i && sorted) sorted = compare(r, i - 1, i) < 0;
    }
    if (!sorted) /* qsort_r's argument is not const */
        qsort_r(e->order, r->count, sizeof *e->order, compare_places, (void *)(uintptr_t)r);
}

static size_t fill_ranking(dq_ranking_eval *e)
{
    size_t n = e->ranking->count, kept = 0;
    if (e->depth && n > e->depth) n = e->depth;
    for (size_t i = 0; i < n; i++) {
        uint32_t place = e->order[i];
        int32_t level = e->found[place];
        if (e->judged_only && level < 0) continue;
        e->levels[kept] = level;
        e->doc[kept] = place;
        e->score[kept] = e->ranking->places[place].score;
        e->hits[kept + 1] = e->hits[kept] + (level >= 0 && level >= e->threshold);
        kept++;
    }
    return kept;
}

void dq_ranking_eval_limit(dq_ranking_eval *eval, size_t depth, bool judged_only)
{
    eval->depth = depth;
    eval->judged_only = judged_only;
}

void dq_ranking_eval_documents(dq_ranking_eval *eval, size_t documents)
{
    eval->documents = documents;
}

dq_status dq_ranking_eval_list(dq_ranking_eval *e, const dq_ranking *ranking, uint32_t query,
                               dq_judged_ranking *judged, dq_error *error)
{
    static const dq_ranking none = {0};
    bool known = query < dq_index_count(&e->qrels->queries);
    if (!known && query != DQ_ABSENT)
        return dq_fail(error, DQ_ERR_RANGE, "the qrels have no query number %u", query);
    e->ranking = ranking ? ranking : &none;
    e->first = known ? e->qrels->start[query] : 0;
    e->pooled = known ? e->qrels->start[query + 1] - e->first : 0;
    *judged = (dq_judged_ranking){.in_run = ranking != NULL,
                                  .documents = e->documents,
                                  .threshold = e->threshold,
                                  .greatest = e->greatest};
    dq_status status = reserve(e, e->ranking->count, error);
    if (status) return status;
    take_judgements(e, judged);
    status = find_levels(e, query, error);
    if (status) return status;
    sort_places(e);
    e->hits[0] = 0;
    judged->retrieved = fill_ranking(e);
    judged->level = e->levels;
    judged->doc = e->doc;
    judged->score = e->score;
    judged->hits = e->hits;
    judged->ideal = e->ideal;
    return DQ_OK;
}

void dq_ranking_eval_free(dq_ranking_eval *e)
{
    if (!e) return;
    free(e->met);
    free(e->ideal);
    free(e->slots);
    free(e->found);
    free(e->order);
    free(e->levels);
    free(e->doc);
    free(e->score);
    free(e->hits);
    free(e);
}
