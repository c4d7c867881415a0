/* SPDX-License-Identifier: MIT */
#include "distil/sample.h"

#include "core/array.h"
#include "distil/draw.h"
#include "rank/shortlist/shortlist.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS_A_THREAD = 256 /* of a bundle that is scored where it lies */ };

static const char *id_of(const void *lists, uint32_t i, size_t *bytes)
{
    const dq_rank_user *user = &((const dq_rank_lists *)lists)->users[i];
    *bytes = user->id_bytes;
    return user->id;
}

/* Not by the lots of the maker's sample, whose users an index explains best. */
static dq_status draw(dq_distil_sample *s, const dq_rank_lists *lists, size_t n, uint64_t seed,
                      dq_error *error)
{
    if (n > lists->count) n = lists->count;
    uint32_t *drawn = malloc((n + 1) * sizeof *drawn), row;
    dq_status status = drawn ? dq_distil_draw(lists, id_of, (uint32_t)lists->count, ~seed, drawn, &n, error)
                             : dq_fail_memory(error, "the sample of users");
    for (size_t i = 0; !status && i < n; i++)
        status = dq_index_add(&s->ids, lists->users[drawn[i]].id, lists->users[drawn[i]].id_bytes, &row, NULL,
                              error);
    free(drawn);
    return status;
}

static dq_status find_lists(dq_distil_sample *s, const dq_rank_lists *lists, uint32_t users, dq_error *error)
{
    s->of = malloc((s->exact.count + 1) * sizeof *s->of);
    if (!s->of) return dq_fail_memory(error, "the sample of users");
    for (uint32_t row = 0; row < users; row++)
        if (s->exact.of_row[row] != DQ_ABSENT) s->of[s->exact.of_row[row]] = lists->of_row[row];
    return DQ_OK;
}

dq_status dq_distil_sample_open(dq_distil_sample *s, const dq_rank_lists *lists, size_t n, uint64_t seed,
                                const dq_entities *users, uint32_t width, unsigned threads, dq_error *error)
{
    dq_rank_config config = lists->config;
    if (n == 0 || lists->count == 0) return DQ_OK; /* a config that names nobody wants everybody */
    config.users = &s->ids;
    dq_status status = draw(s, lists, n, seed, error);
    if (!status) status = dq_rank_lists_open(&s->exact, &config, users, error);
    if (!status) status = find_lists(s, lists, dq_entities_count(users), error);
    s->block.borrows = ROWS_A_THREAD * threads;
    if (!status) status = dq_rank_block_open(&s->block, width, threads, error);
    return status;
}

static dq_status offer(dq_distil_sample *s, dq_rank_scorer *scorer, dq_error *error)
{
    dq_status status = dq_rank_lists_offer(&s->exact, scorer, &s->block, 0, s->exact.count, error);
    dq_rank_block_clear(&s->block, s->block.first + s->block.rows);
    return status;
}

dq_status dq_distil_sample_show(dq_distil_sample *s, dq_rank_scorer *scorer, const dq_bundle *items,
                                dq_error *error)
{
    size_t numbered = s->row_slots, count = (size_t)items->rows;
    dq_status status = DQ_OK;
    if (!s->exact.count) return DQ_OK;
    if (!dq_array_reserve(&s->rows, &s->row_slots, count, sizeof *s->rows))
        return dq_fail_memory(error, "a bundle of items");
    for (; numbered < s->row_slots; numbered++) s->rows[numbered] = (uint32_t)numbered;
    for (uint32_t at = 0; !status && at < count;) {
        status = dq_rank_block_fill(&s->block, items, s->rows, (uint32_t)count, &at, error);
        if (!status && dq_rank_block_is_full(&s->block, items)) status = offer(s, scorer, error);
    }
    return status;
}

dq_status dq_distil_sample_recall(dq_distil_sample *s, dq_rank_scorer *scorer, dq_rank_lists *lists,
                                  double *recall, size_t *full, dq_error *error)
{
    *recall = (double)NAN;
    *full = 0;
    if (!s->exact.count) return DQ_OK;
    dq_status status = offer(s, scorer, error);
    if (!status) *recall = dq_shortlist_recall(lists, s->of, &s->exact, full);
    return status;
}

void dq_distil_sample_free(dq_distil_sample *s)
{
    dq_rank_lists_free(&s->exact);
    dq_index_free(&s->ids);
    dq_rank_block_free(&s->block);
    free(s->of);
    free(s->rows);
}
