/* SPDX-License-Identifier: MIT
 *
 * --make-index: items' vectors, distilled out of the scores of a sample of users, in an index.
 */
#include "ranking.h"

#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <unistd.h>

enum { DECEIVED = 5 }; /* per cent that the rest may be explained worse by, before it is said */

const char *ranking_why_no_vectors(const ranking *r)
{
    if (r->sessions.on) return "an agent of sessions, or with an output for each item, costs nothing an item";
    if (rank_agents_each(&r->agents)) return "each user has a model of his own";
    if (dq_rank_scorer_needs_lists(&r->scorer))
        return "the network is given features of pairs, which are no vectors";
    return NULL;
}

dq_status ranking_load_faiss(dq_error *error)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return dq_fail(error, DQ_ERR_IO, "/proc/self/exe: it does not say where this program is");
    path[n] = '\0';
    return dq_ann_load(dirname(path), error); /* in place: NOLINT(concurrency-mt-unsafe) */
}

dq_status ranking_begin_make(ranking *r, dq_error *error)
{
    const rank_options *o = r->options;
    const char *why = ranking_why_no_vectors(r);
    const dq_distil_config config = {.users = (size_t)o->sample_users,
                                     .items = (size_t)o->sample_items,
                                     .components = (size_t)o->components,
                                     .lists = (size_t)o->index_lists,
                                     .seed = o->common.seed,
                                     .threads = dq_pool_threads(r->pool)};
    if (why) return dq_fail(error, DQ_ERR_UNSUPPORTED, "--make-index: %s", why);
    dq_status status = ranking_load_faiss(error);
    return status ? status
                  : dq_distil_maker_new(&r->index.maker, &config, &r->scorer, &r->catalogue.users, error);
}

/* An index knows its items by their place. */
dq_status ranking_check_make(ranking *r, const dq_bundle *bundle, dq_error *error)
{
    ranking_index *x = &r->index;
    const dq_identity *met = &r->items.identity;
    if (met->fresh_count != bundle->rows) {
        uint32_t row = 0;
        while (row < met->fresh_count && met->fresh[row] == row) row++;
        size_t n;
        const char *id = dq_column_text(dq_bundle_column(bundle, "id"), row, &n);
        return dq_fail(
            error, DQ_ERR_DUPLICATE,
            "item %.*s came before: an index takes each item once (dq-cat --join leaves one of them)", (int)n,
            id);
    }
    x->rows += bundle->rows;
    x->catalogue = dq_distil_chain(x->catalogue, r->items.digests, bundle->rows);
    return DQ_OK;
}

dq_status ranking_end_make(ranking *r, const dq_cli *cli, dq_error *error)
{
    dq_distil_made made;
    ranking_index *x = &r->index;
    const dq_common *common = &r->options->common;
    dq_status status = dq_distil_maker_end(x->maker, &made, error);
    if (!status)
        status = dq_distil_maker_write(x->maker, rank_output_writer(r->output),
                                       dq_rank_by_names[r->scorer.by], x->catalogue, &r->items.meta, error);
    if (status) return status;
    dq_cli_say(
        cli, common,
        "%llu items in %zu lists: %zu components explain %.4f of the variance of the scores of %zu users",
        (unsigned long long)made.items, made.lists, made.components, made.explained, made.users);
    if (!isnan(made.explained_rest) && made.explained_rest < made.explained - DECEIVED / 100.0)
        dq_cli_say(cli, common,
                   "the first %llu items, from which that was learnt, are not like the others, where it is "
                   "%.4f: mix the order of the items, or give a larger --sample-items",
                   (unsigned long long)made.learnt, made.explained_rest);
    return DQ_OK;
}
