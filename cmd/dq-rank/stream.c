/* SPDX-License-Identifier: MIT
 *
 * Users and interactions come first in a stream and are held; items are ranked block by block as they arrive
 * and are gone. Items that come before the users they are for are held until those are known.
 */
#include "ranking.h"

#include "core/array.h"
#include "learn/bandit/bandit.h"
#include "math/blas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_THREAD = 168 }; /* of a bundle that is scored where it lies: a tile of a network's products */

/* ---- a piece of the stream ---- */

/* An agent of sessions: the only model. */
static dq_status take_session_model(ranking *r, dq_bundle *bundle, dq_error *error)
{
    if (r->agents.count)
        return dq_fail(error, DQ_ERR_DUPLICATE,
                       "a second model, and one is of sessions or has an output for each item");
    if (r->sessions.on)
        return dq_fail(error, DQ_ERR_DUPLICATE, "a second model: of sessions dq-rank takes one");
    return dq_rank_sessions_load(&r->sessions, bundle, error);
}

static dq_status take_model(ranking *r, dq_bundle *bundle, uint64_t section, dq_error *error)
{
    if (r->options->by >= DQ_RANK_BY_COSINE) return DQ_OK;
    if (r->options->model || r->options->models_dir)
        return dq_fail(error, DQ_ERR_DUPLICATE, "a model in the stream, and --model%s %s: give one of them",
                       r->options->model ? "" : "s-dir",
                       r->options->model ? r->options->model : r->options->models_dir);
    if (r->catalogue_came)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "the model comes after the catalogue: put it first, as in `cat model.dq "
                       "catalogue.dq | dq-rank`, or name it with --model");
    if (dq_kept_passes_over(&r->agents.kept, bundle, section)) return DQ_OK;
    if (dq_rank_sessions_fits(bundle) || r->sessions.on) return take_session_model(r, bundle, error);
    dq_status status = r->agents.count ? DQ_OK : dq_rank_scorer_load(&r->scorer, bundle, error);
    if (!status) status = dq_rank_history_load(&r->history, bundle, error);
    return status ? status : rank_agents_add(&r->agents, bundle, error);
}

/* Whether items are scored only when all are there. */
static bool keeps_blocks(const ranking *r)
{
    return rank_agents_each(&r->agents) || r->sessions.on || dq_rank_scorer_needs_lists(&r->scorer);
}

static dq_status take_users(ranking *r, dq_prefetched *piece, dq_error *error)
{
    const dq_index *ids = &r->catalogue.users.identity.ids;
    size_t before = dq_index_count(ids), bytes;
    bool taken;
    dq_status status = dq_catalogue_add(&r->catalogue, &piece->bundle, piece->section, &taken, error);
    if (status || !r->begun || dq_index_count(&r->options->wanted.ids)) return status;
    for (uint32_t u = (uint32_t)before; u < dq_index_count(ids); u++) {
        const char *id = dq_index_id(ids, u, &bytes);
        if (dq_user_list_has(&r->options->wanted, id, bytes))
            return dq_fail(
                error, DQ_ERR_UNSUPPORTED,
                "user %.*s comes after items were ranked: put all users before the items, or use --hold",
                (int)bytes, id);
    }
    return DQ_OK;
}

static bool users_are_known(const ranking *r)
{
    const dq_index *ids = &r->catalogue.users.identity.ids;
    bool all = !dq_user_list_check(&r->options->wanted, ids, "", NULL);
    return all && dq_index_count(ids) > 0;
}

/* Widths, fields and pairs must fit. */
static dq_status fit_scorer(ranking *r, dq_error *error)
{
    const rank_options *o = r->options;
    ranking_settle_fallback(r);
    bool chosen = r->scorer.by == DQ_RANK_BY_AUTO, model = r->scorer.net_count || r->sessions.on;
    if (r->scorer.baseline) return DQ_OK;
    bool wishes = r->sessions.on && r->sessions.config.context && !r->sessions.config.imitates;
    if (!isnan(o->wish) && !wishes)
        return dq_fail(error, DQ_ERR_RANGE,
                       "--wish is for a decision transformer that learnt by returns (dq-train --agent dt)");
    if (chosen) r->scorer.by = model ? DQ_RANK_BY_Q : DQ_RANK_BY_COSINE;
    if (r->scorer.by != DQ_RANK_BY_COSINE && !model)
        return dq_fail(
            error, DQ_ERR_SCHEMA,
            "--by %s needs a model: put one first, as in `cat model.dq catalogue.dq | dq-rank`, or "
            "name it with --model",
            dq_rank_by_names[r->scorer.by]);
    if (r->sessions.on && r->scorer.by == DQ_RANK_BY_WORLD)
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "--by world: an agent of sessions, or with an output for each item, ranks by its values alone");
    if (r->sessions.on) return DQ_OK; /* the rest fits when all is read */
    if (!rank_agents_each(&r->agents)) rank_agents_free(&r->agents);
    dq_status status = dq_rank_scorer_fit(&r->scorer, &r->catalogue.users, &r->items, o->pair_names,
                                          o->pairs.count, error);
    if (!status && r->agents.fallback) status = ranking_fit_fallback(r, error);
    if (!status || !chosen || model) return status;
    dq_error why = *error;
    return dq_fail(error, status, "no model comes before the items, and by cosine: %s", why.reason);
}

/* What is of several networks' scores. */
static dq_status check_ensemble(const ranking *r, dq_error *error)
{
    const rank_options *o = r->options;
    bool of_networks = o->explore == RANK_ENSEMBLE || o->disagreement;
    if (o->explore >= RANK_THOMPSON && !(r->sessions.on && dq_bandit_is(r->sessions.kind)))
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "--explore %s is for a bandit, which says how much it does not know (dq-train --agent thompson)",
            rank_explorers[o->explore]);
    if (!of_networks || r->scorer.net_count > 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "%s: one network's scores, or none's, disagree with nothing; train several (dq-train "
                   "--offline --q-models 3, or --models 3 for --by world)",
                   o->disagreement ? "--disagreement" : "--explore ensemble");
}

static dq_rank_config config_of(const rank_options *o, const dq_rank_seen *seen, size_t networks)
{
    return (dq_rank_config){.k = (size_t)o->k,
                            .pool = (size_t)(o->pool ? o->pool : 10 * o->k),
                            .order = o->order,
                            .shortlist = rank_shortlist(o),
                            .lambda = o->lambda,
                            .epsilon = o->epsilon,
                            .temperature = o->temperature,
                            .members = networks,
                            .seed = o->common.seed,
                            .seen = o->exclude_seen ? seen : NULL,
                            .users = &o->wanted.ids,
                            .shard = o->wanted.shard};
}

/* An empty block. Halves stay what they are but for models that look at single vectors of all items. */
static dq_status open_block(ranking *r, uint32_t first, dq_error *error)
{
    bool floats = r->sessions.on || dq_rank_scorer_needs_lists(&r->scorer) ||
                  dq_rank_scorer_needs_lists(&r->fallback);
    uint32_t enough = ROWS_A_THREAD * dq_pool_threads(r->pool);
    r->block = (dq_rank_block){.floats = floats, .borrows = keeps_blocks(r) ? 0 : enough};
    dq_status status = dq_rank_block_open(&r->block, r->items.width, dq_pool_threads(r->pool), error);
    dq_rank_block_clear(&r->block, first);
    return status;
}

/* Users are known and the first items at hand. */
static dq_status begin(ranking *r, dq_error *error)
{
    r->begun = true;
    dq_status status = fit_scorer(r, error);
    if (r->options->explore == RANK_THOMPSON) r->scorer.draws = (size_t)r->options->draws;
    dq_rank_config config = config_of(r->options, &r->seen, dq_rank_scorer_members(&r->scorer));
    if (!status && r->options->make_index) status = ranking_begin_make(r, error);
    if (status || r->options->make_index) return status ? status : open_block(r, 0, error);
    status = check_ensemble(r, error);
    if (!status) status = ranking_check_first_pass(r, error);
    if (!status) status = ranking_open_exact(r, &config, error);
    if (!status) status = dq_rank_lists_open(&r->lists, &config, &r->catalogue.users, error);
    if (!status && r->options->index) status = ranking_begin_index(r, error);
    if (!status && r->scorer.baseline)
        status = rank_baseline_begin(r->options, &r->baseline, &r->catalogue.users, &r->lists, r->pool,
                                     error);
    return status ? status : open_block(r, 0, error);
}

/* Puts the block aside for models that come later. */
static dq_status keep_block(ranking *r, dq_error *error)
{
    if (!dq_array_reserve(&r->blocks, &r->block_slots, r->block_count + 1, sizeof *r->blocks))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the items");
    uint32_t next = r->block.first + r->block.rows;
    r->blocks[r->block_count++] = r->block;
    return open_block(r, next, error);
}

/* Ranks what the block holds. */
static dq_status rank_block_now(ranking *r, dq_error *error)
{
    ranking_index *x = &r->index;
    dq_status status = DQ_OK;
    if (keeps_blocks(r)) return keep_block(r, error);
    if (x->maker)
        status = dq_distil_maker_take(x->maker, &r->block, error);
    else if (x->reader)
        status = dq_candidates_offer(&x->candidates, &r->lists, &r->scorer, &r->block, error);
    else
        status = dq_rank_lists_offer(&r->lists, &r->scorer, &r->block, 0, r->lists.count, error);
    if (!status) status = ranking_offer_exact(r, error);
    dq_rank_block_clear(&r->block, r->block.first + r->block.rows);
    dq_progress_step(&r->progress, x->reader ? x->rows : r->block.first, NULL);
    return status;
}

static dq_status rank_bundle(ranking *r, const dq_bundle *bundle, uint64_t section, dq_error *error)
{
    const dq_identity *met = &r->items.identity;
    uint32_t at = 0;
    dq_status status = dq_rank_items_take(&r->items, bundle, section, r->pool, error);
    if (!status && r->index.maker) status = ranking_check_make(r, bundle, error);
    if (!status && r->index.reader) status = ranking_number_picked(r, error);
    if (!status) status = dq_rank_texts_take(&r->texts, bundle, met->fresh, met->fresh_count, error);
    while (!status && at < met->fresh_count) {
        status = dq_rank_block_fill(&r->block, bundle, met->fresh, met->fresh_count, &at, error);
        if (!status && dq_rank_block_is_full(&r->block, bundle)) status = rank_block_now(r, error);
    }
    return status;
}

static dq_status rank_items_of(ranking *r, const dq_prefetched *piece, dq_error *error)
{
    dq_bundle some = DQ_BUNDLE_EMPTY;
    dq_status status = dq_rank_items_agree(&r->items, &piece->bundle, error);
    if (status || piece->bundle.rows == 0) return status;
    if (!r->begun && (status = begin(r, error))) return status;
    if (!r->index.reader) return rank_bundle(r, &piece->bundle, piece->section, error);
    status = ranking_pick(r, &piece->bundle, &some, error);
    if (!status && some.rows) status = rank_bundle(r, &some, piece->section, error);
    dq_bundle_free(&some);
    return status;
}

static dq_status hold(ranking *r, dq_prefetched *piece, dq_error *error)
{
    if (!dq_array_reserve(&r->held, &r->held_slots, r->held_count + 1, sizeof *r->held))
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for items that wait for users");
    r->held[r->held_count++] = *piece;
    piece->bundle = DQ_BUNDLE_EMPTY;
    return DQ_OK;
}

static dq_status rank_held(ranking *r, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < r->held_count; i++) {
        dq_prefetched *piece = &r->held[i];
        if (!status && (status = rank_items_of(r, piece, error)))
            dq_error_at(error, piece->source, piece->record);
        dq_bundle_free(&piece->bundle);
    }
    r->held_count = 0;
    return status;
}

static dq_status take_interactions(ranking *r, const dq_bundle *bundle, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t before = dq_pairset_count(&r->seen.pairs);
    if (r->options->exclude_seen)
        status = dq_rank_seen_add(&r->seen, bundle, r->begun ? &r->items.identity.ids : NULL, error);
    if (!status && r->begun && r->index.reader && dq_pairset_count(&r->seen.pairs) > before)
        status = dq_fail(error, DQ_ERR_UNSUPPORTED,
                         "an interaction comes after an index was asked, which goes by what was seen");
    if (status == DQ_ERR_UNSUPPORTED) {
        dq_error why = *error;
        return dq_fail(error, status, "%s: give the interactions first, or use --hold", why.reason);
    }
    if (!status) status = dq_rank_history_add(&r->history, bundle, error);
    if (!status && r->scorer.baseline) return rank_baseline_take(&r->baseline, bundle, r->begun, error);
    return status || !r->sessions.on || r->sessions.catalogue
               ? status
               : dq_session_log_add(&r->sessions.log, bundle, error);
}

static dq_status take(ranking *r, dq_prefetched *piece, dq_error *error)
{
    const char *kind = piece->bundle.kind;
    dq_status status = DQ_OK;
    if (strcmp(kind, DQ_KIND_MODEL) == 0) return take_model(r, &piece->bundle, piece->section, error);
    if (strcmp(kind, DQ_KIND_USERS) == 0) {
        r->catalogue_came = true;
        return take_users(r, piece, error);
    }
    if (strcmp(kind, DQ_KIND_INTERACTIONS) == 0) return take_interactions(r, &piece->bundle, error);
    if (strcmp(kind, DQ_KIND_ITEMS) != 0) return DQ_OK;
    r->catalogue_came = true;
    if (r->options->hold || keeps_blocks(r) || !users_are_known(r)) return hold(r, piece, error);
    if (r->held_count && (status = rank_held(r, error))) return status;
    return rank_items_of(r, piece, error);
}

/* ---- the whole ---- */

static dq_status read_all(ranking *r, dq_error *error)
{
    dq_prefetched piece;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = dq_prefetch_next(r->prefetch, &piece, error)) > 0) {
        if ((status = take(r, &piece, error))) dq_error_at(error, piece.source, piece.record);
        dq_bundle_free(&piece.bundle);
    }
    return status || got == 0 ? status : error->status;
}

/* Ranks by a model whose network is given features of whole lists. */
static dq_status rank_features_all(ranking *r, dq_error *error)
{
    dq_status status = ranking_bind_features(r, error);
    r->progress.unit = "lists";
    r->progress.total = r->lists.count;
    for (size_t first = 0, n; !status && first < r->lists.count; first += n) {
        n = r->lists.count - first;
        status = ranking_rank_group(r, first, &n, error);
    }
    return status;
}

/* Ranks all items for one group of users after the other. */
static dq_status rank_sessions_all(ranking *r, dq_error *error)
{
    const rank_options *o = r->options;
    size_t first = 0, n;
    r->sessions.bandit = (dq_rank_bandit){.upper = o->explore == RANK_UCB,
                                          .draws = (uint32_t)r->scorer.draws,
                                          .spread = o->spread,
                                          .seed = o->common.seed};
    r->sessions.config.wish = isnan(o->wish) ? r->sessions.config.wish : o->wish;
    dq_status status = dq_rank_sessions_begin(&r->sessions, &r->lists, &r->catalogue.users, &r->items,
                                              r->blocks, r->block_count, r->pool, error);
    r->scorer.output_of = r->sessions.output_of;
    r->scorer.outputs = r->sessions.shape.action_count;
    for (; !status && (n = dq_rank_sessions_next(&r->sessions, &r->lists)) > 0; first += n)
        status = ranking_rank_group(r, first, &n, error);
    return status;
}

/* Only now is it known who never came. */
static dq_status check_interactions(const ranking *r, dq_error *error)
{
    const dq_index *users = &r->seen.users;
    for (uint32_t u = 0; u < dq_index_count(users); u++) {
        size_t n;
        const char *id = dq_index_id(users, u, &n);
        if (dq_entities_find(&r->catalogue.users, id, n) == DQ_ABSENT)
            return dq_fail(error, DQ_ERR_UNKNOWN, "an interaction of user %.*s, who is not in the stream",
                           (int)n, id);
    }
    return DQ_OK;
}

static dq_status check_users(const ranking *r, dq_error *error)
{
    dq_status status = dq_user_list_check(&r->options->wanted, &r->catalogue.users.identity.ids,
                                          "in the stream", error);
    if (status) return status;
    if (dq_entities_count(&r->catalogue.users) == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "no users in the stream to rank for");
    return check_interactions(r, error);
}

static dq_status write_lists(ranking *r, dq_error *error)
{
    dq_rank_lists *lists = &r->lists;
    size_t most = dq_index_count(&r->items.identity.ids), count;
    dq_status status = DQ_OK;
    r->all = lists->count;
    rank_output_describe(r->output, dq_rank_by_names[r->scorer.by], r->options->order,
                         dq_rank_scorer_needs_lists(&r->scorer) ? most : 0, r->scorer.net_count);
    rank_output_with(r->output, &r->texts, &r->items.identity.ids);
    for (size_t u = 0; !status && u < lists->count; u++) {
        const dq_scored *items;
        count = dq_topk_sorted(lists->best[u], &items);
        status = rank_output_check(r->output, lists->users[u].id, lists->users[u].id_bytes, items, count,
                                   error);
        count = lists->other[u] && !status ? dq_topk_sorted(lists->other[u], &items) : 0;
        if (count)
            status = rank_output_check(r->output, lists->users[u].id, lists->users[u].id_bytes, items, count,
                                       error);
    }
    if (most > r->options->k) most = (size_t)r->options->k;
    dq_rank_place *places = malloc((most + 1) * sizeof *places);
    if (!places) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a list of %zu", most);
    for (size_t u = 0; !status && u < lists->count; u++) {
        status = dq_rank_lists_finish(lists, u, places, &count, error);
        if (!status)
            status = rank_output_list(r->output, lists->users[u].id, lists->users[u].id_bytes, places, count,
                                      error);
    }
    free(places);
    return status;
}

/* What is given beside the stream: a model, or what a baseline learns from. */
static dq_status read_beside(ranking *r, dq_reader *const more[RANK_READERS], dq_error *error)
{
    dq_reader *beside = more[RANK_BESIDE], *fallback = more[RANK_FALLBACK];
    r->index.reader = more[RANK_INDEX];
    r->agents.dir = r->options->models_dir;
    r->agents.fallback = fallback != NULL;
    dq_status status = fallback ? ranking_read_fallback(r, fallback, error) : DQ_OK;
    if (!status && r->agents.dir) status = ranking_read_dir(r, error);
    if (status || r->agents.dir) return status;
    if (!rank_by_baseline(r->options)) return beside ? ranking_read_model(r, beside, error) : DQ_OK;
    r->scorer.baseline = &r->baseline;
    r->items.bare = r->options->order != DQ_RANK_MMR;
    return rank_baseline_open(r->options, &r->baseline, beside, error);
}

/* A part without users has no lists, and wants no model for them: none of its folder may be there yet. */
static bool serves_nobody(const ranking *r)
{
    const dq_index *ids = &r->catalogue.users.identity.ids;
    const dq_user_list *wanted = &r->options->wanted;
    if (!dq_shard_cuts(&wanted->shard)) return false;
    for (uint32_t u = 0; u < dq_index_count(ids); u++) {
        size_t n;
        const char *id = dq_index_id(ids, u, &n);
        if (dq_user_list_has(wanted, id, n)) return false;
    }
    return true;
}

/* Reads the stream, and ranks what can be ranked as it comes. `nobody`: see serves_nobody(). */
static dq_status rank_as_read(ranking *r, bool *nobody, dq_error *error)
{
    dq_status status = read_all(r, error);
    if (!status) status = check_users(r, error);
    *nobody = !status && serves_nobody(r);
    if (status || *nobody) return status;
    if (r->no_model.status) {
        if (error) *error = r->no_model;
        return r->no_model.status;
    }
    status = rank_held(r, error);
    if (!status && !r->begun) status = dq_fail(error, DQ_ERR_SCHEMA, "no items in the stream to rank");
    if (!status) status = rank_block_now(r, error);
    return !status && r->index.reader ? ranking_end_index(r, error) : status;
}

static dq_status rank_whole(ranking *r, const dq_cli *cli, dq_reader *const more[RANK_READERS],
                            dq_error *error)
{
    const rank_options *o = r->options;
    unsigned threads = dq_cli_threads(&o->common, 0);
    bool nobody = false;
    r->scorer.by = r->fallback.by = (dq_rank_by)o->by;
    for (size_t i = 0; i < o->with.count; i++) r->texts.at[r->texts.count++].name = o->with.at[i];
    r->progress = dq_progress_start(&o->common, o->make_index ? "indexing" : "ranking", "items", 0);
    dq_status status = dq_pool_new(&r->pool, threads, error);
    r->scorer.pool = r->fallback.pool = r->pool;
    if (!status) status = read_beside(r, more, error);
    if (!status) status = dq_prefetch_open(&r->prefetch, r->reader, threads > 1, error);
    if (!status) status = rank_as_read(r, &nobody, error);
    if (o->make_index || nobody) {
        if (!status && o->make_index) status = ranking_end_make(r, cli, error);
        dq_progress_end(&r->progress);
        return status || o->make_index ? status : write_lists(r, error);
    }
    if (!status)
        status = dq_rank_history_bind(&r->history, &r->scorer, &r->lists, &r->catalogue.users.identity.ids,
                                      &r->items, error);
    if (!status && rank_agents_each(&r->agents)) status = ranking_rank_agents(r, error);
    if (!status && r->sessions.on) status = rank_sessions_all(r, error);
    if (!status && !rank_agents_each(&r->agents) && dq_rank_scorer_needs_lists(&r->scorer))
        status = rank_features_all(r, error);
    if (!status) status = ranking_second_pass(r, error);
    if (!status) status = dq_rank_texts_check(&r->texts, error);
    dq_progress_end(&r->progress);
    return status ? status : write_lists(r, error);
}

static void free_ranking(ranking *r)
{
    for (size_t i = 0; i < r->held_count; i++) dq_bundle_free(&r->held[i].bundle);
    free(r->held);
    for (size_t i = 0; i < r->block_count; i++) dq_rank_block_free(&r->blocks[i]);
    free(r->blocks);
    dq_rank_lists_free(&r->lists);
    dq_rank_lists_free(&r->exact);
    ranking_free_index(r);
    dq_rank_seen_free(&r->seen);
    dq_rank_block_free(&r->block);
    dq_rank_items_free(&r->items);
    dq_rank_scorer_free(&r->scorer);
    dq_rank_scorer_free(&r->fallback);
    dq_rank_history_free(&r->history);
    dq_baseline_free(&r->baseline);
    dq_rank_texts_free(&r->texts);
    rank_agents_free(&r->agents);
    dq_rank_sessions_free(&r->sessions);
    dq_catalogue_free(&r->catalogue);
    dq_pool_free(r->pool);
}

dq_status rank_stream_run(const dq_cli *cli, const rank_options *options, dq_reader *reader,
                          dq_reader *const more[RANK_READERS], rank_output *output, bool *reader_in_use,
                          dq_error *error)
{
    ranking r = {.options = options, .reader = reader, .output = output};
    if (options->by <= DQ_RANK_BY_WORLD && dq_blas_slow())
        dq_cli_say(cli, &options->common, "warning: %s", dq_blas_slow());
    dq_status status = rank_whole(&r, cli, more, error);
    if (!status) dq_cli_say_kept(cli, &options->common, options->model, &r.agents.kept);
    if (!status && options->fallback)
        dq_cli_say(cli, &options->common, "%zu of %zu users are ranked by %s", r.no_own ? r.all : r.fallen,
                   r.all, options->fallback);
    if (!status && r.scorer.net_count > 1)
        dq_cli_say(cli, &options->common, "%zu networks: %s", r.scorer.net_count,
                   options->order == DQ_RANK_ENSEMBLE ? "each list is by one of them, drawn for its user"
                                                      : "scores are the means of theirs, in rewards");
    if (!status) ranking_say_recall(&r, cli);
    if (!status && options->index) ranking_say_index(&r, cli);
    if (!status && r.scorer.baseline) rank_baseline_say(cli, options, &r.baseline);
    char words[512];
    if (!status && r.sessions.on && dq_session_log_describe_order(&r.sessions.log, words, sizeof words))
        dq_cli_say(cli, &options->common, "%s", words);
    *reader_in_use = !dq_prefetch_close(r.prefetch);
    free_ranking(&r);
    return status;
}
