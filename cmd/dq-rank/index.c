/* SPDX-License-Identifier: MIT
 *
 * --index: an index finds candidates for each user; the catalogue streams by, and they alone are scored. For
 * a sample of users everything is, which says how much was found.
 */
#include "ranking.h"

#include "core/array.h"

#include <stdio.h>
#include <string.h>

enum {
    PROBES = 64, /* lists that are looked into, at least, */
    SHARE = 16,  /* and one of so many */
};

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

dq_status ranking_begin_index(ranking *r, dq_error *error)
{
    const rank_options *o = r->options;
    ranking_index *x = &r->index;
    const char *why = ranking_why_no_vectors(r);
    if (why) return dq_fail(error, DQ_ERR_UNSUPPORTED, "--index: %s", why);
    dq_status status = read_index(r, error);
    if (!status)
        status = dq_candidates_find(&x->candidates, &x->distil, &r->lists, &r->scorer, &r->seen,
                                    rank_candidates(o), probes_of(r), error);
    dq_distil_forget(&x->distil);
    if (status) return status;
    return dq_distil_sample_open(&x->sample, &r->lists, (size_t)o->recall_sample, o->common.seed,
                                 &r->catalogue.users, r->items.width, dq_pool_threads(r->pool), error);
}

/* ---- the catalogue ---- */

dq_status ranking_pick(ranking *r, const dq_bundle *bundle, dq_bundle *some, dq_error *error)
{
    ranking_index *x = &r->index;
    if (bundle->rows > UINT32_MAX ||
        !dq_array_reserve(&x->picked, &x->picked_slots, (size_t)bundle->rows, sizeof *x->picked))
        return dq_fail_memory(error, "a bundle of items");
    dq_status status = dq_rank_items_digest(&r->items, bundle, r->pool, error);
    if (!status) status = dq_distil_sample_show(&x->sample, &r->scorer, bundle, error);
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
    dq_status status = dq_distil_sample_recall(&x->sample, &r->scorer, &r->lists, &x->recall, &x->full,
                                               error);
    if (!status) rank_output_recall(r->output, x->recall, x->sample.exact.count);
    return status;
}

/* Lists that are shorter than the catalogue allows. */
static size_t count_short(ranking *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->lists.count; i++) {
        const dq_scored *items;
        size_t all = (size_t)r->index.distil.items, seen = r->index.candidates.seen[i];
        size_t left = seen < all ? all - seen : 0,
               k = (size_t)r->options->k; /* of seen items some may be gone */
        count += dq_topk_sorted(r->lists.best[i], &items) < (left < k ? left : k);
    }
    return count;
}

void ranking_say_index(ranking *r, const dq_cli *cli)
{
    const ranking_index *x = &r->index;
    const dq_common *common = &r->options->common;
    if (r->lists.count == 0) return; /* of a part without users, for whom it was perhaps not even read */
    size_t few = count_short(r), sampled = x->sample.exact.count;
    char recall[160] = "recall is not measured (--recall-sample)";
    if (sampled)
        (void)snprintf(recall, sizeof recall,
                       "recall %.4f of the exact %zu best; the same list for %zu of %zu users of a sample",
                       x->recall, (size_t)r->options->k, x->full, sampled);
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
    dq_distil_sample_free(&x->sample);
    free(x->picked);
}
