/* SPDX-License-Identifier: MIT */
#include "distil/candidates.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROUP = 256,       /* lists that an index is asked for at once, and */
    ANSWERS = 1 << 20, /* the numbers that it answers with, of more than one list */
};

static dq_status add(dq_candidates *c, uint32_t row, uint32_t list, dq_error *error)
{
    if (!dq_array_reserve(&c->at, &c->slots, c->count + 1, sizeof *c->at))
        return dq_fail_memory(error, "the candidates");
    c->at[c->count++] = (dq_candidate){row, list};
    return DQ_OK;
}

static int by_row(const void *a, const void *b)
{
    const dq_candidate *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return x->list < y->list ? -1 : x->list > y->list;
}

static int by_list(const void *a, const void *b)
{
    const dq_candidate *x = a, *y = b;
    if (x->list != y->list) return x->list < y->list ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* ---- finding ---- */

static dq_status count_seen(dq_candidates *c, const dq_rank_lists *lists, const dq_rank_seen *seen,
                            dq_error *error)
{
    const dq_pairset *pairs = &seen->pairs;
    c->seen = calloc(lists->count + 1, sizeof *c->seen);
    uint32_t *of = calloc(dq_index_count(&seen->users) + 1U, sizeof *of);
    bool room = c->seen && of;
    for (size_t i = 0; room && i < pairs->slot_count; i++)
        if (pairs->slots[i] != UINT64_MAX) of[pairs->slots[i] >> 32]++;
    for (size_t i = 0; room && i < lists->count; i++) {
        uint32_t user = dq_index_find(&seen->users, lists->users[i].id, lists->users[i].id_bytes);
        c->seen[i] = user == DQ_ABSENT ? 0 : of[user];
    }
    free(of);
    return room ? DQ_OK : dq_fail_memory(error, "what users have seen");
}

typedef struct finding {
    dq_candidates *c;
    dq_distil *distil;
    const dq_rank_lists *lists;
    dq_rank_scorer *scorer;
    size_t shortlist, probes;
} finding;

static size_t wanted_of(const finding *f, size_t list)
{
    size_t items = (size_t)f->distil->items, seen = f->c->seen[list];
    size_t wanted = f->shortlist < items ? f->shortlist : items;
    return items - wanted < seen ? items : wanted + seen;
}

/* How many lists from `first` on are asked for at once, each for *most, as many as one of them wants. */
static size_t group_from(const finding *f, size_t first, size_t *most)
{
    size_t n = 0;
    *most = 0;
    for (; n < GROUP && first + n < f->lists->count; n++) {
        size_t wanted = wanted_of(f, first + n), larger = wanted > *most ? wanted : *most;
        if (n && larger > ANSWERS / (n + 1)) break;
        *most = larger;
    }
    return n;
}

/* Lists first .. first + n - 1, of which each wants `most` at most. */
static dq_status find(const finding *f, size_t first, size_t n, size_t most, dq_error *error)
{
    float *q = malloc(n * f->distil->components * sizeof *q);
    int64_t *rows = malloc(n * most * sizeof *rows);
    dq_status status = q && rows ? dq_distil_queries(f->distil, f->scorer, f->lists->vectors + first, n, q,
                                                     &f->c->explained, error)
                                 : dq_fail_memory(error, "the candidates");
    if (!status) status = dq_distil_search(f->distil, q, n, most, f->probes, rows, error);
    for (size_t i = 0; !status && i < n; i++)
        for (size_t k = 0; !status && k < wanted_of(f, first + i) && rows[i * most + k] >= 0; k++)
            status = add(f->c, (uint32_t)rows[i * most + k], (uint32_t)(first + i), error);
    free(q);
    free(rows);
    return status;
}

dq_status dq_candidates_find(dq_candidates *c, dq_distil *distil, const dq_rank_lists *lists,
                             dq_rank_scorer *scorer, const dq_rank_seen *seen, size_t shortlist,
                             size_t probes, dq_error *error)
{
    const finding f = {c, distil, lists, scorer, shortlist, probes};
    dq_status status = count_seen(c, lists, seen, error);
    for (size_t first = 0, n, most; !status && first < lists->count; first += n) {
        n = group_from(&f, first, &most);
        status = find(&f, first, n, most, error);
    }
    c->explained /= lists->count ? (double)lists->count : 1;
    if (!status && c->count) qsort(c->at, c->count, sizeof *c->at, by_row);
    return status;
}

/* ---- picking ---- */

/* The first candidate whose row is at least this one. */
static size_t first_from(const dq_candidates *c, uint64_t row)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->at[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t dq_candidates_pick(const dq_candidates *c, uint64_t first, uint64_t n, uint32_t *rows)
{
    uint32_t count = 0;
    for (size_t i = first_from(c, first); i < c->count && c->at[i].row < first + n; i++) {
        uint32_t row = (uint32_t)(c->at[i].row - first);
        if (!count || rows[count - 1] != row) rows[count++] = row;
    }
    return count;
}

dq_status dq_candidates_number(dq_candidates *c, uint32_t row, dq_error *error)
{
    if (!dq_array_reserve(&c->row_of, &c->row_slots, c->numbered + 1, sizeof *c->row_of))
        return dq_fail_memory(error, "the candidates");
    c->row_of[c->numbered++] = row;
    return DQ_OK;
}

/* The candidates among a block's items, by list: *count of c->met. */
static dq_status meet(dq_candidates *c, const dq_rank_block *block, size_t *count, dq_error *error)
{
    *count = 0;
    for (uint32_t r = 0; r < block->rows; r++) {
        uint32_t row = c->row_of[block->first + r];
        for (size_t i = first_from(c, row); i < c->count && c->at[i].row == row; i++) {
            if (!dq_array_reserve(&c->met, &c->met_slots, *count + 1, sizeof *c->met))
                return dq_fail_memory(error, "the candidates");
            c->met[(*count)++] = (dq_candidate){r, c->at[i].list};
        }
    }
    if (*count) qsort(c->met, *count, sizeof *c->met, by_list);
    return DQ_OK;
}

static dq_status reserve_mine(dq_candidates *c, const dq_rank_block *block, size_t n, dq_error *error)
{
    dq_rank_block *mine = &c->mine;
    mine->width = block->width;
    if (n <= mine->capacity) return DQ_OK;
    free(mine->room);
    free(c->scores);
    mine->vectors = mine->room = malloc(n * block->width * sizeof(float) + 1);
    c->scores = malloc(n * sizeof *c->scores);
    mine->capacity = (uint32_t)n;
    if (mine->room && c->scores) return DQ_OK;
    mine->capacity = 0;
    return dq_fail_memory(error, "the candidates");
}

/* Copies rows of a block. */
static dq_status gather(dq_candidates *c, const dq_rank_block *block, const dq_candidate *met, size_t n,
                        dq_error *error)
{
    float *to = c->mine.room;
    dq_strings_clear(&c->mine.ids);
    c->mine.rows = (uint32_t)n;
    for (size_t i = 0; i < n; i++, to += block->width) {
        size_t bytes;
        const char *id = dq_strings_get(&block->ids, met[i].row, &bytes);
        dq_status status = dq_strings_add(&c->mine.ids, id, bytes, error);
        if (status) return status;
        const float *from = dq_rank_block_vector(block, met[i].row, to);
        if (from != to) memcpy(to, from, block->width * sizeof *to);
    }
    return DQ_OK;
}

dq_status dq_candidates_offer(dq_candidates *c, dq_rank_lists *lists, dq_rank_scorer *scorer,
                              const dq_rank_block *block, dq_error *error)
{
    size_t count, networks = dq_rank_scorer_members(scorer);
    dq_status status = meet(c, block, &count, error);
    for (size_t first = 0, end; !status && first < count; first = end) {
        uint32_t list = c->met[first].list;
        for (end = first; end < count && c->met[end].list == list;) end++;
        status = reserve_mine(c, block, end - first, error);
        if (!status) status = gather(c, block, c->met + first, end - first, error);
        if (!status)
            status = dq_rank_scorer_score(scorer, lists->vectors + list, 1, list, &c->mine, c->scores, error);
        if (!status)
            status = dq_rank_lists_offer_scores(lists, list, c->scores, networks > 1 ? scorer->members : NULL,
                                                networks, &c->mine, error);
    }
    return status;
}

void dq_candidates_free(dq_candidates *c)
{
    free(c->at);
    free(c->seen);
    free(c->row_of);
    free(c->met);
    free(c->scores);
    dq_rank_block_free(&c->mine);
}
