/* SPDX-License-Identifier: MIT */
#include "models/plan.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_wanted(void *arg, const char *id, size_t bytes)
{
    const dq_model_plan *plan = arg;
    uint32_t user = dq_index_find(plan->users, id, bytes);
    return user != DQ_ABSENT && plan->state[user] != DQ_MODEL_UNWANTED;
}

bool dq_model_plan_keeps(void *arg, const char *id, size_t bytes)
{
    const dq_model_plan *plan = arg;
    uint32_t user = dq_index_find(plan->users, id, bytes);
    return user != DQ_ABSENT && plan->state[user] == DQ_MODEL_KEPT;
}

/* Looks for a wanted user's file. */
static dq_status look(dq_model_plan *plan, uint32_t user, dq_error *error)
{
    size_t n;
    dq_model_found found = DQ_MODEL_NONE;
    const char *id = dq_index_id(plan->users, user, &n);
    dq_status status = plan->dir ? dq_model_dir_find(plan->dir, id, n, &found, error) : DQ_OK;
    if (status == DQ_ERR_RANGE) {
        dq_error why = *error;
        return dq_fail(error, status, "user %.*s: %s", (int)n, id, why.reason);
    }
    if (status) return status;
    plan->state[user] = found == DQ_MODEL_SAME ? DQ_MODEL_KEPT : DQ_MODEL_TO_MAKE;
    plan->resumed += found == DQ_MODEL_SAME;
    plan->replaced += found == DQ_MODEL_OTHER;
    if (found != DQ_MODEL_SAME) plan->job[plan->jobs++] = user;
    return DQ_OK;
}

dq_status dq_model_plan_make(dq_model_plan *plan, const dq_index *users, const dq_user_list *wanted,
                             const dq_model_dir *dir, dq_model_keeper_before before, void *arg,
                             dq_error *error)
{
    size_t n = dq_index_count(users), bytes;
    *plan = (dq_model_plan){
        .users = users, .dir = dir, .job = calloc(n + 1, sizeof *plan->job), .state = calloc(n + 1, 1)};
    if (!plan->job || !plan->state) return dq_fail_memory(error, "users");
    plan->everybody = !dq_user_list_narrows(wanted);
    dq_status status = dq_user_list_check(wanted, users, "in the stream", error);
    if (!status && dir) status = dq_model_dir_make(dir, error);
    if (!status && dir) status = dq_model_claim_take(&plan->claim, dir, wanted, users, error);
    for (uint32_t u = 0; !status && u < n; u++) {
        const char *id = dq_index_id(users, u, &bytes);
        if (!dq_user_list_has(wanted, id, bytes)) continue;
        plan->wanted++;
        status = look(plan, u, error);
    }
    plan->halves = dir && dq_model_halves_are(dir);
    if (!status && plan->halves) status = dq_model_halves_clean(dir, is_wanted, plan, error);
    if (!status && dir) status = dq_model_dir_clean(dir, is_wanted, plan, error);
    if (!status && dir) status = dq_model_keeper_new(&plan->keeper, dir, before, arg, error);
    return status;
}

/* ---- as they end ---- */

static dq_status pass(const dq_model_plan *plan, uint32_t user, dq_writer *out, dq_error *error)
{
    size_t n;
    dq_reader *reader;
    const char *id = dq_index_id(plan->users, user, &n);
    dq_status status = dq_model_dir_open(plan->dir, id, n, &reader, error);
    if (!status && !reader) {
        status = dq_fail(error, DQ_ERR_IO, "the model of user %.*s is gone", (int)n, id);
        (void)dq_error_at(error, plan->dir->path, DQ_NO_RECORD);
    }
    if (!status) status = dq_models_pass(reader, out, error);
    dq_reader_close(reader);
    return status;
}

/* What the folder keeps of the users before `end` that have not left yet. */
static dq_status pass_until(dq_model_plan *plan, size_t end, dq_writer *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (; !status && out && plan->dir && plan->passed < end; plan->passed++)
        if (plan->state[plan->passed] == DQ_MODEL_KEPT)
            status = pass(plan, (uint32_t)plan->passed, out, error);
    return status;
}

/* Without a folder what was made leaves at once. */
static dq_status pass_bytes(dq_source_fn read, void *from, dq_writer *out, dq_error *error)
{
    dq_source *source;
    dq_reader *reader = NULL;
    dq_status status = dq_source_open_fn(&source, "a worker", read, from, error);
    if (!status) status = dq_reader_open_source(&reader, source, error);
    if (!status) status = dq_models_pass(reader, out, error);
    dq_reader_close(reader);
    return status;
}

dq_status dq_model_plan_take(dq_model_plan *plan, size_t job, dq_source_fn read, void *from, dq_writer *out,
                             dq_error *error)
{
    size_t n;
    uint32_t user = plan->job[job];
    const char *id = dq_index_id(plan->users, user, &n);
    dq_status status = plan->keeper ? dq_model_keeper_put(plan->keeper, id, n, read, from, error)
                                    : pass_bytes(read, from, out, error);
    if (!status && plan->keeper && out) status = dq_model_keeper_settle(plan->keeper, error);
    if (status) return status;
    plan->state[user] = DQ_MODEL_KEPT;
    plan->made++;
    return pass_until(plan, (size_t)user + 1, out, error);
}

void dq_model_plan_fail(dq_model_plan *plan, size_t job)
{
    plan->state[plan->job[job]] = DQ_MODEL_FAILED;
    plan->failed++;
}

/* ---- a stop, and going on ---- */

dq_status dq_model_plan_leave(dq_model_plan *plan, size_t job, const dq_model_left *left, dq_error *error)
{
    size_t n;
    const char *id = dq_index_id(plan->users, plan->job[job], &n);
    dq_status status = dq_model_half_keep(plan->dir, id, n, left, error);
    plan->begun += !status;
    return status;
}

dq_status dq_model_plan_take_up(const dq_model_plan *plan, size_t job, bool logged, dq_model_half *half,
                                dq_error *error)
{
    size_t n;
    const char *id = dq_index_id(plan->users, plan->job[job], &n);
    *half = (dq_model_half){.lines = DQ_BUNDLE_EMPTY};
    return plan->halves ? dq_model_half_open(half, plan->dir, id, n, logged, error) : DQ_OK;
}

/* Halves of those whose models are in the folder; and of those that failed, by their halves perhaps. */
static dq_status drop_halves(const dq_model_plan *plan, dq_error *error)
{
    size_t n;
    dq_status status = DQ_OK;
    for (uint32_t u = 0; plan->halves && !status && u < dq_index_count(plan->users); u++) {
        const char *id = dq_index_id(plan->users, u, &n);
        if (plan->state[u] == DQ_MODEL_KEPT || plan->state[u] == DQ_MODEL_FAILED)
            status = dq_model_half_drop(plan->dir, id, n, error);
    }
    return status;
}

dq_status dq_model_plan_settle(dq_model_plan *plan, dq_error *error)
{
    dq_status status = plan->keeper ? dq_model_keeper_settle(plan->keeper, error) : DQ_OK;
    return status ? status : drop_halves(plan, error);
}

dq_status dq_model_plan_finish(dq_model_plan *plan, dq_writer *out, dq_error *error)
{
    return pass_until(plan, dq_index_count(plan->users), out, error);
}

void dq_model_plan_describe(const dq_model_plan *plan, char *words, size_t size)
{
    const struct {
        const char *what;
        size_t n;
    } parts[] = {{"failed", plan->failed}, {"resumed", plan->resumed}, {"replaced", plan->replaced}};
    size_t used = (size_t)snprintf(words, size, "trained %zu", plan->made);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].n && used < size)
            used += (size_t)snprintf(words + used, size - used, ", %s %zu", parts[i].what, parts[i].n);
}

bool dq_model_plan_sweep(const dq_model_plan *plan, char *words, size_t size)
{
    size_t removed = 0;
    dq_error why = DQ_ERROR_NONE;
    if (!plan->dir || !plan->everybody || !dq_model_claim_all(&plan->claim)) return false;
    dq_model_halves_end(plan->dir);
    dq_status status = dq_model_dir_sweep(plan->dir, &removed, &why);
    if (status)
        (void)snprintf(words, size, "starts that no agent may be of any more are left: %.250s: %s",
                       why.source[0] ? why.source : plan->dir->path, why.reason);
    else
        (void)snprintf(words, size, "%zu start%s that no agent is of any more %s removed", removed,
                       removed == 1 ? "" : "s", removed == 1 ? "is" : "are");
    return status || removed;
}

void dq_model_plan_free(dq_model_plan *plan)
{
    dq_model_keeper_free(plan->keeper);
    free(plan->job);
    free(plan->state);
    dq_model_claim_end(&plan->claim);
    *plan = (dq_model_plan){0};
}
