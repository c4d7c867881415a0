/* SPDX-License-Identifier: MIT */
#include "report/ope_study.h"

#include <math.h>

/* The model of rewards is fitted here. */
static bool fits(const dq_ope_study *s)
{
    return s->rewards >= DQ_OPE_BY_TABLE;
}

static bool is_linear(const dq_ope_study *s)
{
    return s->rewards == DQ_OPE_BY_RIDGE || s->rewards == DQ_OPE_BY_LOGISTIC;
}

/* What the log shows is counted before the last reading. */
static bool counts_first(const dq_ope_study *s)
{
    return s->rewards == DQ_OPE_BY_TABLE || s->propensities == DQ_OPE_BY_COUNTS;
}

bool dq_ope_study_knows_all(const dq_ope_study *study)
{
    return study->target != DQ_OPE_COLUMN || fits(study);
}

bool dq_ope_study_wants_items(const dq_ope_study *study)
{
    return dq_ope_study_knows_all(study) || study->propensities != DQ_OPE_LOGGED;
}

bool dq_ope_study_reads_again(const dq_ope_study *study)
{
    return fits(study) || study->propensities != DQ_OPE_LOGGED ||
           (study->target != DQ_OPE_COLUMN && !study->log.catalogue);
}

/* Keeps the rows for whose users the target has a list; returns how many. */
static size_t keep_known(const dq_ope_study *s, dq_ope_row *rows, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (dq_ope_policy_knows(&s->policy, &rows[i])) rows[kept++] = rows[i];
    return kept;
}

/* ---- the readings before ---- */

static dq_status count_rows(void *arg, dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_study *s = arg;
    dq_status status = DQ_OK;
    size_t kept = keep_known(s, rows, n);
    for (size_t i = 0; i < kept && !status; i++) status = dq_ope_support_log(&s->support, &rows[i], error);
    return status;
}

static dq_status take_rows(void *arg, dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_study *s = arg;
    return dq_ope_linear_take(&s->linear, rows, keep_known(s, rows, n), error);
}

static dq_status take_shown(void *arg, dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_study *s = arg;
    (void)error;
    dq_ope_propensity_take(&s->propensity, rows, keep_known(s, rows, n));
    return DQ_OK;
}

static dq_status fit_propensities(dq_ope_study *s, dq_error *error)
{
    bool done = false;
    dq_status status = dq_ope_propensity_init(&s->propensity, dq_entities_vectors(&s->log.entities.users),
                                              (uint32_t)dq_index_count(dq_ope_log_items(&s->log)), error);
    while (!status && !done) {
        status = dq_ope_log_each(&s->log, take_shown, s, error);
        if (!status) status = dq_ope_propensity_solve(&s->propensity, &done, error);
    }
    return status;
}

static dq_status fit_linear(dq_ope_study *s, dq_error *error)
{
    const dq_catalogue *c = &s->log.entities;
    bool done = false;
    dq_status status = dq_ope_features_init(&s->features, dq_entities_vectors(&c->users),
                                            dq_entities_layout(&c->users), dq_entities_vectors(&c->items),
                                            dq_entities_layout(&c->items), c->pairs, c->pair_count, error);
    if (!status)
        status = dq_ope_linear_init(&s->linear, s->rewards == DQ_OPE_BY_LOGISTIC, &s->features,
                                    (uint32_t)dq_index_count(dq_ope_log_items(&s->log)), error);
    while (!status && !done) {
        dq_ope_linear_begin(&s->linear);
        status = dq_ope_log_each(&s->log, take_rows, s, error);
        if (!status) status = dq_ope_linear_solve(&s->linear, &done, error);
    }
    if (!status) dq_ope_linear_begin(&s->linear);
    return status;
}

static dq_status fit_all(dq_ope_study *s, dq_error *error)
{
    dq_status status = DQ_OK;
    if (counts_first(s)) status = dq_ope_log_each(&s->log, count_rows, s, error);
    if (!status && s->propensities == DQ_OPE_BY_REGRESSION) status = fit_propensities(s, error);
    if (!status && s->rewards == DQ_OPE_BY_TABLE) status = dq_ope_table_fit(&s->table, &s->support, error);
    if (!status && is_linear(s)) status = fit_linear(s, error);
    return status;
}

/* ---- the last reading ---- */

static bool is_above(const dq_ope_study *s, uint32_t item)
{
    for (uint32_t i = 0; i < s->above_count; i++)
        if (s->above[i] == item) return true;
    return false;
}

/* By the policy: of a request place by place from what is left. */
static dq_status choose(dq_ope_study *s, dq_ope_row *row, dq_error *error)
{
    if (s->log.session != DQ_OPE_SESSION_REQUEST) return dq_ope_policy_choose(&s->policy, row, error);
    if (row->begins) s->above_count = s->shown = 0;
    if (row->position && row->position != s->shown)
        return dq_fail(error, DQ_ERR_RANGE,
                       "row %u of a request has position %u: what stands above it has to come before it",
                       s->shown + 1, row->position + 1);
    s->shown++;
    dq_status status = dq_ope_policy_choose_below(&s->policy, row, s->above, s->above_count, &s->choices,
                                                  error);
    if (!status && s->above_count < DQ_OPE_MAX_STEPS && !is_above(s, row->item))
        s->above[s->above_count++] = row->item;
    return status;
}

/* A fitted model values all that the target may take. */
static dq_status check_all_there(const dq_ope_choice *choice, dq_error *error)
{
    const double rounded = 0.01; /* by which numbers of few digits may be off */
    double sum = 0;
    if (!choice->items)
        return dq_fail(
            error, DQ_ERR_SCHEMA,
            "a fitted model of rewards needs the target's probabilities of all items: an object from item "
            "to probability, or --reward-model column:NAME");
    for (uint32_t i = 0; i < choice->count; i++) sum += choice->more[i];
    if (sum >= 1 - rounded) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "the target's probabilities add up to %.9g, and a fitted model of rewards needs them all",
                   sum);
}

/* Fills the row's choice, which a column says already, and what the support wants of it. */
static dq_status complete(dq_ope_study *s, dq_ope_row *row, dq_error *error)
{
    dq_status status = DQ_OK;
    if (s->target != DQ_OPE_COLUMN)
        status = choose(s, row, error);
    else if (fits(s))
        status = check_all_there(&row->choice, error);
    if (s->propensities == DQ_OPE_BY_COUNTS)
        row->propensity = dq_ope_support_share(&s->support, row->item, row->position);
    if (status || !dq_ope_study_knows_all(s)) return status;
    if (!counts_first(s)) status = dq_ope_support_log(&s->support, row, error);
    return status ? status : dq_ope_support_target(&s->support, &row->choice, row->position, error);
}

/* A session is left out as a whole, or not at all. */
static dq_status check_listed(dq_ope_study *s, const dq_ope_row *rows, size_t n, dq_error *error)
{
    for (const dq_ope_row *r = rows; r < rows + n; r++) {
        bool listed = dq_ope_policy_knows(&s->policy, r);
        if (!r->begins && listed != s->listed)
            return dq_fail(error, DQ_ERR_RANGE,
                           "a session has users for whom the target has a list, and users without");
        s->listed = listed;
        s->met++;
        if (!listed) s->left = ((s->left ^ s->met) + 1) * 0x9e3779b97f4a7c15U;
    }
    return DQ_OK;
}

static dq_status judge_rows(void *arg, dq_ope_row *rows, size_t n, dq_error *error)
{
    dq_ope_study *s = arg;
    dq_status status = check_listed(s, rows, n, error);
    size_t kept = keep_known(s, rows, n);
    s->unlisted += n - kept;
    for (size_t i = 0; i < kept && !status; i++) status = complete(s, &rows[i], error);
    if (status) return status;
    if (s->rewards == DQ_OPE_BY_TABLE) dq_ope_table_apply(&s->table, rows, kept);
    if (is_linear(s)) dq_ope_linear_apply(&s->linear, rows, kept);
    if (s->propensities == DQ_OPE_BY_REGRESSION) dq_ope_propensity_apply(&s->propensity, rows, kept);
    if (s->choices.used) dq_arena_free(&s->choices);
    return dq_ope_evaluation_add(s->evaluation, rows, kept, error);
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

static dq_status check_any(const dq_ope_study *s, dq_error *error)
{
    const dq_ope_log *l = &s->log;
    if (l->rows > s->unlisted) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "no row to estimate from: %llu have no reward, %llu no propensity, and of %llu the user "
                   "has no list of the target's",
                   (unsigned long long)l->unrewarded, (unsigned long long)l->unweighed,
                   (unsigned long long)s->unlisted);
}

dq_status dq_ope_study_run(dq_ope_study *study, dq_ope_estimate *estimates, dq_error *error)
{
    dq_ope_study *s = study;
    s->support.keeps_rewards = s->rewards == DQ_OPE_BY_TABLE;
    s->log.wants_propensity = s->propensities == DQ_OPE_LOGGED;
    s->log.wants_items = dq_ope_study_wants_items(s);
    s->log.wants_users |= is_linear(s) || s->propensities == DQ_OPE_BY_REGRESSION;
    dq_status status = dq_ope_log_open(&s->log, error);
    if (!status) status = make_policy(s, error);
    if (!status && s->log.wants_items)
        status = dq_ope_support_grow(&s->support, 1, (uint32_t)dq_index_count(dq_ope_log_items(&s->log)),
                                     error);
    if (!status) status = fit_all(s, error);
    if (!status) status = dq_ope_evaluation_new(&s->evaluation, &s->config, error);
    if (!status) status = dq_ope_log_each(&s->log, judge_rows, s, error);
    if (!status) status = check_any(s, error);
    if (!status) status = dq_ope_evaluation_finish(s->evaluation, estimates, &s->weights, error);
    s->unsupported = dq_ope_study_knows_all(s) ? dq_ope_support_unsupported(&s->support) : NAN;
    return status;
}

void dq_ope_study_free(dq_ope_study *study)
{
    dq_ope_log_free(&study->log);
    dq_lists_free(&study->run);
    dq_ope_policy_free(&study->policy);
    dq_ope_support_free(&study->support);
    dq_ope_table_free(&study->table);
    dq_ope_linear_free(&study->linear);
    dq_ope_propensity_free(&study->propensity);
    dq_ope_evaluation_free(study->evaluation);
    dq_arena_free(&study->choices);
}
