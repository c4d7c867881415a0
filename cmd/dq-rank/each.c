/* SPDX-License-Identifier: MIT
 *
 * Models of one user each, and the fallback of whoever has none.
 */
#include "ranking.h"

#include "models/directory.h"

#include <stdlib.h>

/* ---- before the catalogue ---- */

/* --model FILE */
dq_status ranking_read_model(ranking *r, dq_reader *reader, dq_error *error)
{
    const char *name = r->options->model;
    dq_status status = rank_agents_read(&r->agents, reader, name, error);
    if (status) return status;
    bool sessions = dq_rank_sessions_fits(&r->agents.models[0]);
    if (sessions && r->agents.count > 1)
        status = dq_fail(error, DQ_ERR_DUPLICATE,
                         "a second model, and one is of sessions or has an output for each item");
    else if (sessions)
        status = dq_rank_sessions_load(&r->sessions, &r->agents.models[0], error);
    else
        status = dq_rank_scorer_load(&r->scorer, &r->agents.models[0], error);
    if (!status && !sessions) status = dq_rank_history_load(&r->history, &r->agents.models[0], error);
    if (sessions) rank_agents_free(&r->agents);
    return status ? dq_error_at(error, name, DQ_NO_RECORD) : DQ_OK;
}

/* --models-dir: what the models are like, from one of them. */
dq_status ranking_read_dir(ranking *r, dq_error *error)
{
    dq_status status = rank_agents_read_dir(&r->agents, error);
    if (status == DQ_ERR_UNKNOWN && dq_shard_cuts(&r->options->wanted.shard)) {
        r->no_model = *error;
        return DQ_OK;
    }
    if (!status && !r->agents.count) return DQ_OK; /* the fallback is all there is */
    if (!status && dq_rank_sessions_fits(&r->agents.models[0]))
        status = dq_fail(error, DQ_ERR_UNSUPPORTED,
                         "models of users are wanted, and one is of sessions or has an output for each item");
    if (!status) status = dq_rank_scorer_load(&r->scorer, &r->agents.models[0], error);
    if (!status) status = dq_rank_history_load(&r->history, &r->agents.models[0], error);
    return status ? dq_error_at(error, r->options->models_dir, DQ_NO_RECORD) : DQ_OK;
}

/* --fallback FILE */
dq_status ranking_read_fallback(ranking *r, dq_reader *reader, dq_error *error)
{
    const char *name = r->options->fallback;
    rank_agents one = {0};
    dq_status status = rank_agents_read(&one, reader, name, error);
    if (!status && (one.count > 1 || dq_rank_sessions_fits(&one.models[0])))
        status = dq_fail(error, DQ_ERR_UNSUPPORTED,
                         "a fallback is one model for all users, of no sessions and with a head on actions");
    if (!status) status = dq_rank_scorer_load(&r->fallback, &one.models[0], error);
    if (!status) status = dq_rank_history_load(&r->history, &one.models[0], error);
    rank_agents_free(&one);
    return status ? dq_error_at(error, name, DQ_NO_RECORD) : DQ_OK;
}

void ranking_settle_fallback(ranking *r)
{
    if (!r->agents.fallback || r->scorer.net_count) return;
    dq_rank_by by = r->scorer.by;
    r->scorer = r->fallback;
    r->scorer.by = by;
    r->fallback = (dq_rank_scorer){0};
    r->agents.fallback = false;
    r->agents.dir = NULL;
    r->no_own = true;
}

dq_status ranking_fit_fallback(ranking *r, dq_error *error)
{
    r->fallback.by = r->scorer.by;
    dq_status status = dq_rank_scorer_fit(&r->fallback, &r->catalogue.users, &r->items, NULL, 0, error);
    if (!status && dq_rank_scorer_members(&r->fallback) != dq_rank_scorer_members(&r->scorer))
        status = dq_fail(error, DQ_ERR_RANGE, "a model of %zu networks, where the users' own have %zu",
                         r->fallback.net_count, r->scorer.net_count);
    return status ? dq_error_at(error, r->options->fallback, DQ_NO_RECORD) : DQ_OK;
}

/* ---- when all items are there ---- */

/* Ranks all items for the user of one model. */
static dq_status rank_agent(ranking *r, const dq_bundle *model, uint8_t *ranked, dq_error *error)
{
    const dq_value *user = dq_map_get(&model->meta, "user");
    if (!user || user->type != DQ_STRING)
        return dq_fail(error, DQ_ERR_SCHEMA, "one of several models does not name its user");
    uint32_t row = dq_entities_find(&r->catalogue.users, user->as.string, user->count);
    uint32_t u = row == DQ_ABSENT ? DQ_ABSENT : r->lists.of_row[row];
    if (u == DQ_ABSENT && !dq_user_list_has(&r->options->wanted, user->as.string, user->count)) return DQ_OK;
    if (u == DQ_ABSENT)
        return dq_fail(error, DQ_ERR_UNKNOWN, "a model of user %.*s, who is not in the stream",
                       (int)user->count, user->as.string);
    if (ranked[u])
        return dq_fail(error, DQ_ERR_DUPLICATE, "a second model of user %.*s", (int)user->count,
                       user->as.string);
    ranked[u] = 1;
    size_t n = 1;
    dq_status status = dq_rank_scorer_reload(&r->scorer, model, error);
    if (!status && dq_rank_scorer_needs_lists(&r->scorer)) status = ranking_bind_features(r, error);
    return status ? status : ranking_rank_group(r, u, &n, error);
}

/* As models come, or as users ask for theirs in the folder. */
static dq_status rank_agents_own(ranking *r, uint8_t *ranked, dq_error *error)
{
    dq_bundle model;
    dq_status status = DQ_OK;
    int got = 1;
    for (size_t u = 0; !status && (r->agents.dir ? u < r->lists.count : got > 0); u++) {
        const dq_rank_user *user = &r->lists.users[r->agents.dir ? u : 0];
        got = r->agents.dir ? rank_agents_of(&r->agents, user->id, user->id_bytes, &model, error)
                            : rank_agents_next(&r->agents, &model, error);
        if (got < 0) return error->status;
        if (!got) continue;
        if (r->agents.dir && !dq_model_is_of(&model, user->id, user->id_bytes))
            status = dq_fail(error, DQ_ERR_UNKNOWN, "the file of user %.*s has the model of another",
                             (int)user->id_bytes, user->id);
        if (!status) status = rank_agent(r, &model, ranked, error);
        dq_bundle_free(&model);
    }
    return status;
}

/* Whoever has no model. */
static dq_status rank_others(ranking *r, const uint8_t *ranked, dq_error *error)
{
    dq_status status = DQ_OK;
    dq_rank_scorer own = r->scorer;
    bool fallback = r->agents.fallback;
    if (fallback) r->scorer = r->fallback;
    r->scorer.seen = own.seen;
    for (size_t u = 0; !status && u < r->lists.count; u++) {
        size_t n = 1;
        if (ranked[u]) continue;
        if (!fallback)
            status = dq_fail(
                error, DQ_ERR_UNKNOWN,
                "user %.*s has no model, and others have one each (--fallback FILE ranks for them)",
                (int)r->lists.users[u].id_bytes, r->lists.users[u].id);
        else if (!r->fallen++ && dq_rank_scorer_needs_lists(&r->scorer))
            status = ranking_bind_features(r, error);
        if (!status) status = ranking_rank_group(r, u, &n, error);
    }
    if (fallback) r->fallback = r->scorer;
    r->scorer = own;
    return status;
}

dq_status ranking_rank_agents(ranking *r, dq_error *error)
{
    uint8_t *ranked = calloc(r->lists.count + 1, 1);
    if (!ranked) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for the users");
    dq_status status = rank_agents_own(r, ranked, error);
    if (!status) status = rank_others(r, ranked, error);
    free(ranked);
    return status;
}
