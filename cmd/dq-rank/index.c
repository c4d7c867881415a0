/* SPDX-License-Identifier: MIT
 *
 * --index: an index finds candidates for each user; the catalogue streams by, and they alone are scored. For
 * a sample of users everything is, which says how much was found.
 */
#include "ranking.h"

#include "core/array.h"
#include "distil/draw.h"
#include "rank/shortlist/shortlist.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROBES = 64,         /* lists that are looked into, at least, */
    SHARE = 16,          /* and one of so many */
    ROWS_A_THREAD = 256, /* of a bundle that is scored where it lies */
};

/* ---- the sample ---- */

static const char *id_of(const void *lists, uint32_t i, size_t *bytes)
{
    const dq_rank_user *user = &((const dq_rank_lists *)lists)->users[i];
    *bytes = user->id_bytes;
    return user->id;
}

/* Not by the lots of --make-index, whose users are explained best. */
static dq_status draw_sample(ranking *r, dq_error *error)
{
    const dq_rank_lists *lists = &r->lists;
    size_t n = (size_t)r->options->recall_sample < lists->count ? (size_t)r->options->recall_sample
                                                                : lists->count;
    uint32_t *drawn = malloc((n + 1) * sizeof *drawn), row;
    dq_status status = drawn ? dq_distil_draw(lists, id_of, (uint32_t)lists->count, ~r->options->common.seed,
                                              drawn, &n, error)
                             : dq_fail_memory(error, "the sample of users");
    for (size_t i = 0; !status && i < n; i++)
        status = dq_index_add(&r->index.sampled, lists->users[drawn[i]].id, lists->users[drawn[i]].id_bytes,
                              &row, NULL, error);
    free(drawn);
    return status;
}

static dq_status open_sample(ranking *r, const dq_rank_config *config, dq_error *error)
{
    ranking_index *x = &r->index;
    dq_rank_config exact = *config;
    if (!r->options->recall_sample) return DQ_OK;
    exact.users = &x->sampled;
    dq_status status = draw_sample(r, error);
    if (!status) status = dq_rank_lists_open(&r->exact, &exact, &r->catalogue.users, error);
    unsigned threads = dq_pool_threads(r->pool);
    x->all = (dq_rank_block){.borrows = ROWS_A_THREAD * threads};
    if (!status) status = dq_rank_block_open(&x->all, r->items.width, threads, error);
    dq_rank_block_clear(&x->all, 0);
    return status;
}

static dq_status offer_all(ranking *r, dq_error *error)
{
    ranking_index *x = &r->index;
    dq_status status = dq_rank_lists_offer(&r->exact, &r->scorer, &x->all, 0, r->exact.count, error);
    dq_rank_block_clear(&x->all, x->all.first + x->all.rows);
    return status;
}

static dq_status show_sample(ranking *r, const dq_bundle *bundle, dq_error *error)
{
    ranking_index *x = &r->index;
    dq_status status = DQ_OK;
    for (uint32_t i = 0; i < bundle->rows; i++) x->picked[i] = i;
    for (uint32_t at = 0; !status && at < bundle->rows;) {
        status = dq_rank_block_fill(&x->all, bundle, x->picked, (uint32_t)bundle->rows, &at, error);
        if (!status && dq_rank_block_is_full(&x->all, bundle)) status = offer_all(r, error);
    }
    return status;
}

/* ---- candidates ---- */

static size_t probes_of(const ranking *r)
{
    size_t some = r->index.distil.lists / SHARE;
    if (r->options->probes) return (size_t)r->options->probes;
    return some > PROBES ? some : PROBES;
}

static dq_status read_index(ranking *r, dq_error *error)
{
    dq_distil *distil = &r->index.distil;
    dq_status status = ranking_load_faiss(error);
    if (!status) status = dq_distil_read(distil, r->index.reader, dq_pool_threads(r->pool), error);
    if (!status) status = dq_distil_check(distil, &r->items, error);
    return status ? dq_error_at(error, r->options->index, DQ_NO_RECORD) : DQ_OK;
}

dq_status ranking_begin_index(ranking *r, const dq_rank_config *config, dq_error *error)
{
    ranking_index *x = &r->index;
    const char *why = ranking_why_no_vectors(r);
    if (why) return dq_fail(error, DQ_ERR_UNSUPPORTED, "--index: %s", why);
    dq_status status = read_index(r, error);
    if (!status)
        status = dq_candidates_find(&x->candidates, &x->distil, &r->lists, &r->scorer, &r->seen,
                                    rank_candidates(r->options), probes_of(r), error);
    dq_distil_forget(&x->distil);
    return status ? status : open_sample(r, config, error);
}

/* ---- the catalogue ---- */

dq_status ranking_pick(ranking *r, const dq_bundle *bundle, dq_bundle *some, dq_error *error)
{
    ranking_index *x = &r->index;
    if (bundle->rows > UINT32_MAX ||
        !dq_array_reserve(&x->picked, &x->picked_slots, (size_t)bundle->rows, sizeof *x->picked))
        return dq_fail_memory(error, "a bundle of items");
    dq_status status = dq_rank_items_digest(&r->items, bundle, r->pool, error);
    if (!status && r->exact.count) status = show_sample(r, bundle, error);
    if (status) return status;
    x->catalogue = dq_distil_chain(x->catalogue, r->items.digests, bundle->rows);
    x->picked_count = dq_candidates_pick(&x->candidates, x->rows, bundle->rows, x->picked);
    x->picked_from = (uint32_t)x->rows;
    x->rows += bundle->rows;
    return x->picked_count ? dq_bundle_select(some, bundle, x->picked, x->picked_count, error) : DQ_OK;
}

dq_status ranking_number_picked(ranking *r, dq_error *error)
{
    ranking_index *x = &r->index;
    dq_status status = DQ_OK;
    for (uint32_t i = 0; !status && i < r->items.identity.fresh_count; i++)
        status = dq_candidates_number(&x->candidates, x->picked_from + x->picked[r->items.identity.fresh[i]],
                                      error);
    return status;
}

static dq_status find_recall(ranking *r, dq_error *error)
{
    ranking_index *x = &r->index;
    x->recall = (double)NAN;
    if (!r->exact.count) return DQ_OK;
    uint32_t *of = malloc(r->exact.count * sizeof *of);
    dq_status status = of ? offer_all(r, error) : dq_fail_memory(error, "the sample of users");
    const uint32_t *in_exact = r->exact.of_row, *in_lists = r->lists.of_row;
    for (uint32_t row = 0; !status && row < dq_entities_count(&r->catalogue.users); row++)
        if (in_exact[row] != DQ_ABSENT) of[in_exact[row]] = in_lists[row];
    if (!status) x->recall = dq_shortlist_recall(&r->lists, of, &r->exact, &x->full);
    free(of);
    return status;
}

dq_status ranking_end_index(ranking *r, dq_error *error)
{
    ranking_index *x = &r->index;
    if (x->rows != x->distil.items)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s is an index of %llu items, and these are %llu: make it of this catalogue",
                       r->options->index, (unsigned long long)x->distil.items, (unsigned long long)x->rows);
    if (x->catalogue != x->distil.catalogue)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s is an index of other items than these, or of these in another order: make it of "
                       "this catalogue",
                       r->options->index);
    dq_status status = find_recall(r, error);
    if (!status) rank_output_recall(r->output, x->recall, r->exact.count);
    return status;
}

/* Lists that are shorter than the catalogue allows. */
static size_t count_short(ranking *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->lists.count; i++) {
        const dq_scored *items;
        size_t left = (size_t)r->index.distil.items - r->index.candidates.seen[i], k = (size_t)r->options->k;
        count += dq_topk_sorted(r->lists.best[i], &items) < (left < k ? left : k);
    }
    return count;
}

void ranking_say_index(ranking *r, const dq_cli *cli)
{
    const ranking_index *x = &r->index;
    const dq_common *common = &r->options->common;
    size_t few = count_short(r);
    char recall[160] = "recall is not measured (--recall-sample)";
    if (r->exact.count)
        (void)snprintf(recall, sizeof recall,
                       "recall %.4f of the exact %zu best; the same list for %zu of %zu users of a sample",
                       x->recall, (size_t)r->options->k, x->full, r->exact.count);
    dq_cli_say(cli, common,
               "--index, %zu of %zu lists, %zu candidates, which explain %.4f of the users' scores: %s",
               probes_of(r) < x->distil.lists ? probes_of(r) : x->distil.lists, x->distil.lists,
               rank_candidates(r->options), x->candidates.explained, recall);
    if (strcmp(x->distil.by, dq_rank_by_names[r->scorer.by]) != 0)
        dq_cli_say(cli, common, "%s was made of scores by %s, and these are by %s: see the recall",
                   r->options->index, x->distil.by, dq_rank_by_names[r->scorer.by]);
    if (few)
        dq_cli_say(cli, common,
                   "%zu lists are shorter than -k: those looked into hold fewer; give more --probes", few);
}

void ranking_free_index(ranking *r)
{
    ranking_index *x = &r->index;
    dq_distil_maker_free(x->maker);
    dq_distil_free(&x->distil);
    dq_candidates_free(&x->candidates);
    dq_index_free(&x->sampled);
    dq_rank_block_free(&x->all);
    free(x->picked);
}
