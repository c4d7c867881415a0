/* SPDX-License-Identifier: MIT
 *
 * Scores of item-knn go from the candidate: its neighbours are made once a block, and each adds to the lists
 * of those who met it, by ascending number. So no matrix of similarities is ever held.
 */
#include "rank/baseline.h"

#include "core/array.h"
#include "rank/explore.h"

#include <stdlib.h>
#include <string.h>

const char *const dq_rank_by_names[] = {"auto",   "q",        "world",     "cosine", "popularity",
                                        "recent", "item-knn", "last-item", "random", NULL};

/* What a random score is has nothing to do with what rank/explore.h draws by the same seed. */
static const uint64_t OWN_STREAM = 0x72616e646f6dULL;

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "a baseline");
}

/* ---- what it learns from ---- */

bool dq_baseline_is_personal(const dq_baseline *b)
{
    return b->by == DQ_RANK_BY_ITEM_KNN || b->by == DQ_RANK_BY_LAST_ITEM;
}

bool dq_baseline_learns(const dq_baseline *b)
{
    return b->by != DQ_RANK_BY_RANDOM;
}

/* What users met: pairs, or the last of them. */
static unsigned need_of_met(const dq_baseline *b)
{
    return b->by == DQ_RANK_BY_LAST_ITEM ? DQ_FEEDBACK_EVENTS : DQ_FEEDBACK_PAIRS;
}

static unsigned need_of(const dq_baseline *b)
{
    if (b->by == DQ_RANK_BY_POPULARITY) return DQ_FEEDBACK_SUMS;
    if (b->by == DQ_RANK_BY_RECENT) return DQ_FEEDBACK_LATEST;
    unsigned near = b->likeness == DQ_LIKENESS_FOLLOWS ? DQ_FEEDBACK_EVENTS : DQ_FEEDBACK_PAIRS;
    return b->apart ? near : near | need_of_met(b);
}

dq_status dq_baseline_learn(dq_baseline *b, const dq_bundle *interactions, dq_error *error)
{
    b->learnt.need = need_of(b);
    return dq_feedback_add(&b->learnt, interactions, error);
}

dq_status dq_baseline_meet(dq_baseline *b, const dq_bundle *interactions, dq_error *error)
{
    b->met.need = need_of_met(b);
    b->met.map = b->learnt.map;
    b->met.time = b->learnt.time;
    return dq_feedback_add(&b->met, interactions, error);
}

/* ---- who met what ---- */

/* Where the lists of those are who met an item: two passes over what was met, one to count, one to fill. */
typedef struct meeting {
    dq_baseline *b;
    const dq_feedback *met;
    uint32_t *list, *item; /* (users, items of met) the list, the item's number in near; or DQ_ABSENT */
    size_t *next;          /* (near.items) where the next list of an item goes; NULL: count */
    uint8_t *known;        /* (lists) met something that is known */
} meeting;

static void meet(meeting *m, uint32_t user, uint32_t item)
{
    uint32_t list = m->list[user], number = m->item[item];
    if (list == DQ_ABSENT || number == DQ_ABSENT) return;
    m->known[list] = 1;
    if (m->next)
        m->b->met_lists[m->next[number]++] = list;
    else
        m->b->met_first[number + 1]++;
}

static void meet_all(meeting *m)
{
    const dq_feedback *met = m->met;
    if (m->b->by == DQ_RANK_BY_LAST_ITEM) {
        for (size_t i = 0; i < met->event_count; i++)
            if (i + 1 == met->event_count || met->events[i + 1].user != met->events[i].user)
                meet(m, met->events[i].user, met->events[i].item);
        return;
    }
    for (size_t s = 0; s < met->pairs.slot_count; s++)
        if (met->pairs.slots[s] != UINT64_MAX)
            meet(m, (uint32_t)(met->pairs.slots[s] >> 32), (uint32_t)met->pairs.slots[s]);
}

static void find_numbers(meeting *m, const uint32_t *of_row)
{
    size_t n;
    for (uint32_t u = 0; u < dq_index_count(&m->met->users); u++) {
        const char *id = dq_index_id(&m->met->users, u, &n);
        uint32_t row = dq_entities_find(m->b->users, id, n);
        m->list[u] = row == DQ_ABSENT ? DQ_ABSENT : of_row[row];
    }
    for (uint32_t i = 0; i < dq_index_count(&m->met->items); i++) {
        const char *id = dq_index_id(&m->met->items, i, &n);
        uint32_t number = dq_index_find(&m->b->learnt.items, id, n);
        m->item[i] = number == DQ_ABSENT ? DQ_ABSENT : m->b->near.item_of[number];
    }
}

static int compare_lists(const void *x, const void *y)
{
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

static dq_status fill_meeting(meeting *m, const uint32_t *of_row, dq_error *error)
{
    dq_baseline *b = m->b;
    uint32_t items = b->near.items;
    find_numbers(m, of_row);
    meet_all(m);
    for (uint32_t i = 0; i < items; i++) b->met_first[i + 1] += b->met_first[i];
    b->met_lists = malloc((b->met_first[items] + 1) * sizeof *b->met_lists);
    m->next = malloc((items + 1U) * sizeof *m->next);
    if (!b->met_lists || !m->next) return no_memory(error);
    memcpy(m->next, b->met_first, items * sizeof *m->next);
    meet_all(m);
    for (uint32_t i = 0; i < items; i++)
        if (b->met_first[i + 1] > b->met_first[i])
            qsort(b->met_lists + b->met_first[i], b->met_first[i + 1] - b->met_first[i], sizeof *b->met_lists,
                  compare_lists);
    for (size_t i = 0; i < b->lists; i++) b->blank += !m->known[i];
    return DQ_OK;
}

static dq_status make_meeting(dq_baseline *b, const uint32_t *of_row, dq_error *error)
{
    meeting m = {.b = b, .met = b->apart ? &b->met : &b->learnt};
    m.list = malloc((dq_index_count(&m.met->users) + 1) * sizeof *m.list);
    m.item = malloc((dq_index_count(&m.met->items) + 1) * sizeof *m.item);
    m.known = calloc(b->lists + 1, 1);
    b->met_first = calloc(b->near.items + 1U, sizeof *b->met_first);
    bool room = m.list && m.item && m.known && b->met_first;
    dq_status status = room ? fill_meeting(&m, of_row, error) : no_memory(error);
    free(m.list);
    free(m.item);
    free(m.known);
    free(m.next);
    return status;
}

/* ---- when all came ---- */

/* Of what users met only that stays which a person is told. */
static void forget_met(dq_baseline *b)
{
    dq_feedback all = b->met;
    b->met = (dq_feedback){.need = all.need,
                           .map = all.map,
                           .time = all.time,
                           .count = all.count,
                           .unmapped = all.unmapped,
                           .times = all.times};
    memcpy(b->met.suggested, all.suggested, sizeof all.suggested);
    dq_feedback_free(&all);
}

static dq_status begin_personal(dq_baseline *b, const uint32_t *of_row, dq_error *error)
{
    b->near.likeness = b->likeness;
    b->near.shrink = b->shrink;
    b->near.most = b->most;
    dq_status status = dq_neighbours_make(&b->near, &b->learnt, error);
    if (!status && b->apart) status = dq_feedback_finish(&b->met, error);
    if (!status) status = make_meeting(b, of_row, error);
    dq_pairset_free(&b->learnt.pairs);
    forget_met(b);
    b->scratch = calloc(b->threads, sizeof *b->scratch);
    b->sums = calloc(b->threads, sizeof *b->sums);
    return status || (b->scratch && b->sums) ? status : no_memory(error);
}

dq_status dq_baseline_begin(dq_baseline *b, const dq_entities *users, const uint32_t *of_row, size_t lists,
                            unsigned threads, dq_error *error)
{
    b->users = users;
    b->lists = lists;
    b->threads = threads;
    b->user_row = malloc((lists + 1) * sizeof *b->user_row);
    if (!b->user_row) return no_memory(error);
    for (uint32_t row = 0; row < dq_entities_count(users); row++)
        if (of_row[row] != DQ_ABSENT) b->user_row[of_row[row]] = row;
    if (!dq_baseline_learns(b)) return DQ_OK;
    if (b->learnt.count == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "by %s: no interactions come before the items",
                       dq_rank_by_names[b->by]);
    dq_status status = dq_feedback_finish(&b->learnt, error);
    return status || !dq_baseline_is_personal(b) ? status : begin_personal(b, of_row, error);
}

/* ---- scores that are the same for all ---- */

static float common_score(const dq_baseline *b, const char *id, size_t n)
{
    uint32_t item = dq_index_find(&b->learnt.items, id, n);
    if (item == DQ_ABSENT) return 0;
    if (b->by == DQ_RANK_BY_RECENT) return (float)b->learnt.latest[item];
    return (float)(b->learnt.sums[item][0] + b->learnt.sums[item][1]);
}

static float random_score(const dq_baseline *b, size_t list, const char *item, size_t item_bytes)
{
    size_t n;
    const char *user = dq_entities_id(b->users, b->user_row[list], &n);
    dq_rng rng = dq_explore_rng(b->seed ^ OWN_STREAM, user, n, item, item_bytes);
    return dq_explore_uniform(&rng);
}

static void score_simple(const dq_baseline *b, size_t first, size_t count, const dq_rank_block *block,
                         float *out)
{
    size_t n;
    for (uint32_t r = 0; r < block->rows; r++) {
        const char *id = dq_strings_get(&block->ids, r, &n);
        float common = dq_baseline_learns(b) ? common_score(b, id, n) : 0;
        for (size_t u = 0; u < count; u++)
            out[u * block->rows + r] = dq_baseline_learns(b) ? common : random_score(b, first + u, id, n);
    }
}

/* ---- scores by neighbours ---- */

typedef struct scoring {
    dq_baseline *b;
    const dq_rank_block *block;
    size_t first, count;
    float *out;
    dq_error *errors; /* (threads) */
} scoring;

static void find_row(void *arg, size_t row, unsigned thread)
{
    scoring *work = arg;
    dq_baseline *b = work->b;
    size_t n, count;
    const char *id = dq_strings_get(&work->block->ids, (uint32_t)row, &n);
    uint32_t item = dq_index_find(&b->learnt.items, id, n);
    b->count[row] = 0;
    if (item == DQ_ABSENT || work->errors[thread].status) return;
    if (dq_neighbours_of(&b->near, b->near.item_of[item], &b->scratch[thread], &count, &work->errors[thread]))
        return;
    b->of_row[row] = malloc((count + 1) * sizeof **b->of_row);
    if (!b->of_row[row]) {
        (void)no_memory(&work->errors[thread]);
        return;
    }
    if (count) memcpy(b->of_row[row], b->scratch[thread].found, count * sizeof **b->of_row);
    b->count[row] = count;
}

static void forget_block(dq_baseline *b)
{
    for (uint32_t r = 0; r < b->rows; r++) {
        free(b->of_row[r]);
        b->of_row[r] = NULL;
    }
    b->rows = 0;
}

static dq_status find_block(scoring *work, dq_pool *pool, dq_error *error)
{
    dq_baseline *b = work->b;
    uint32_t rows = work->block->rows;
    if (b->rows == rows && b->block == work->block->first) return DQ_OK;
    forget_block(b);
    if (rows > b->row_slots) {
        free(b->of_row);
        free(b->count);
        b->of_row = calloc(rows, sizeof *b->of_row);
        b->count = calloc(rows, sizeof *b->count);
        b->row_slots = b->of_row && b->count ? rows : 0;
        if (!b->row_slots) return no_memory(error);
    }
    b->block = work->block->first;
    b->rows = rows;
    dq_pool_run(pool, find_row, work, rows);
    for (unsigned t = 0; t < b->threads; t++)
        if (work->errors[t].status)
            return dq_fail(error, work->errors[t].status, "%s", work->errors[t].reason);
    return DQ_OK;
}

/* The first of the lists that met an item which is at least `list`. */
static size_t find_list(const dq_baseline *b, uint32_t item, size_t list)
{
    size_t low = b->met_first[item], high = b->met_first[item + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->met_lists[middle] < list)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void score_row(void *arg, size_t row, unsigned thread)
{
    const scoring *work = arg;
    const dq_baseline *b = work->b;
    double *sums = b->sums[thread];
    memset(sums, 0, work->count * sizeof *sums);
    for (size_t k = 0; k < b->count[row]; k++) {
        const dq_neighbour *near = &b->of_row[row][k];
        size_t end = b->met_first[near->item + 1], last = work->first + work->count;
        for (size_t p = find_list(b, near->item, work->first); p < end && b->met_lists[p] < last; p++)
            sums[b->met_lists[p] - work->first] += (double)near->likeness;
    }
    for (size_t u = 0; u < work->count; u++) work->out[u * work->block->rows + row] = (float)sums[u];
}

static dq_status reserve_sums(dq_baseline *b, size_t count, dq_error *error)
{
    if (count <= b->group) return DQ_OK;
    b->group = 0;
    for (unsigned t = 0; t < b->threads; t++) {
        free(b->sums[t]);
        b->sums[t] = malloc(count * sizeof **b->sums);
        if (!b->sums[t]) return no_memory(error);
    }
    b->group = count;
    return DQ_OK;
}

dq_status dq_baseline_score(dq_baseline *b, dq_pool *pool, size_t first, size_t count,
                            const dq_rank_block *block, float *out, dq_error *error)
{
    if (!dq_baseline_is_personal(b)) {
        score_simple(b, first, count, block, out);
        return DQ_OK;
    }
    scoring work = {b, block, first, count, out, calloc(b->threads, sizeof *work.errors)};
    dq_status status = work.errors ? reserve_sums(b, count, error) : no_memory(error);
    if (!status) status = find_block(&work, pool, error);
    if (!status) dq_pool_run(pool, score_row, &work, block->rows);
    free(work.errors);
    return status;
}

void dq_baseline_free(dq_baseline *b)
{
    forget_block(b);
    dq_feedback_free(&b->learnt);
    dq_feedback_free(&b->met);
    dq_neighbours_free(&b->near);
    for (unsigned t = 0; t < b->threads; t++) {
        if (b->scratch) dq_neighbours_scratch_free(&b->scratch[t]);
        if (b->sums) free(b->sums[t]);
    }
    free(b->scratch);
    free(b->sums);
    free(b->met_first);
    free(b->met_lists);
    free(b->user_row);
    free(b->of_row);
    free(b->count);
}
