/* SPDX-License-Identifier: MIT */
#include "report/ope_study.h"

#include <math.h>

/* All of the target's probabilities are known, not only those of what was logged. */
static bool knows_all(const dq_ope_study *s)
{
    return s->target != DQ_OPE_COLUMN || s->rewards == DQ_OPE_BY_TABLE;
}

bool dq_ope_study_reads_again(const dq_ope_study *study)
{
    return study->rewards == DQ_OPE_BY_TABLE || (study->target != DQ_OPE_COLUMN && !study->log.catalogue);
}

/* ---- the first reading ---- */

static dq_status count_rows(void *arg, dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_study *s = arg;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < n && !status; i++)
        if (dq_ope_policy_knows(&s->policy, &rows[i]))
            status = dq_ope_support_log(&s->support, &rows[i], error);
    return status;
}

static dq_status fit_model(dq_ope_study *s, dq_error *error)
{
    dq_status status = dq_ope_log_each(&s->log, count_rows, s, error);
    return status ? status : dq_ope_table_fit(&s->table, &s->support, error);
}

/* ---- the last reading ---- */

/* Fills what the row lacks; the choice of a column is there already. */
static dq_status complete(dq_ope_study *s, dq_ope_row *row, dq_error *error)
{
    dq_status status = DQ_OK;
    if (s->target != DQ_OPE_COLUMN)
        status = dq_ope_policy_choose(&s->policy, row, error);
    else if (knows_all(s) && !row->choice.items)
        status = dq_fail(
            error, DQ_ERR_SCHEMA,
            "a model of rewards needs the target's probabilities of all items: an object from item to "
            "probability, or --reward-model column:NAME");
    return status;
}

static dq_status judge_rows(void *arg, dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_study *s = arg;
    dq_status status = DQ_OK;
    size_t kept = 0;
    for (size_t i = 0; i < n && !status; i++) {
        if (!dq_ope_policy_knows(&s->policy, &rows[i])) {
            s->unlisted++;
            continue;
        }
        status = complete(s, &rows[i], error);
        if (!status && s->log.wants_items && s->rewards != DQ_OPE_BY_TABLE)
            status = dq_ope_support_log(&s->support, &rows[i], error);
        if (!status && s->log.wants_items)
            dq_ope_support_target(&s->support, &rows[i].choice, rows[i].position);
        rows[kept++] = rows[i];
    }
    if (status) return status;
    if (s->rewards == DQ_OPE_BY_TABLE) dq_ope_table_apply(&s->table, rows, kept);
    dq_ope_evaluation_add(s->evaluation, rows, kept);
    return DQ_OK;
}

/* ---- all of it ---- */

static dq_status make_policy(dq_ope_study *s, dq_error *error)
{
    const dq_index *items = dq_ope_log_items(&s->log);
    s->policy = dq_ope_policy_uniform((uint32_t)dq_index_count(items));
    if (s->target != DQ_OPE_LISTS) return DQ_OK;
    dq_status status = s->lists(s->arg, &s->log, &s->run, error);
    if (!s->log.wants_users) s->log.users = &s->run.queries;
    const dq_index *users = s->log.wants_users ? &s->log.entities.users.identity.ids : s->log.users;
    if (!status)
        status = dq_ope_policy_lists(&s->policy, &s->run, users, items, s->temperature, s->epsilon, error);
    return status;
}

dq_status dq_ope_study_run(dq_ope_study *study, dq_ope_estimate *estimates, dq_error *error)
{
    dq_ope_study *s = study;
    s->log.wants_items = knows_all(s);
    dq_status status = dq_ope_log_open(&s->log, error);
    if (!status) status = make_policy(s, error);
    if (!status && s->log.wants_items)
        status = dq_ope_support_grow(&s->support, 1, (uint32_t)dq_index_count(dq_ope_log_items(&s->log)),
                                     error);
    if (!status && s->rewards == DQ_OPE_BY_TABLE) status = fit_model(s, error);
    if (!status) status = dq_ope_evaluation_new(&s->evaluation, &s->config, error);
    if (!status) status = dq_ope_log_each(&s->log, judge_rows, s, error);
    if (!status) status = dq_ope_evaluation_finish(s->evaluation, estimates, &s->weights, error);
    s->unsupported = s->log.wants_items ? dq_ope_support_unsupported(&s->support) : NAN;
    return status;
}

void dq_ope_study_free(dq_ope_study *study)
{
    dq_ope_log_free(&study->log);
    dq_lists_free(&study->run);
    dq_ope_policy_free(&study->policy);
    dq_ope_support_free(&study->support);
    dq_ope_table_free(&study->table);
    dq_ope_evaluation_free(study->evaluation);
}
