/* SPDX-License-Identifier: MIT */
#include "ope/estimator.h"

#include "core/words/nearest.h"

#include <stdio.h>
#include <string.h>

static void logged(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
                   double *over)
{
    (void)weight, (void)bound, (void)over;
    for (size_t i = 0; i < n; i++) base[i] = rows[i].reward;
}

static void ips(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
                double *over)
{
    (void)bound, (void)over;
    for (size_t i = 0; i < n; i++) base[i] = weight[i] * rows[i].reward;
}

static void snips(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
                  double *over)
{
    (void)bound;
    for (size_t i = 0; i < n; i++) {
        base[i] = 0;
        over[i] = weight[i] * rows[i].reward;
    }
}

static void dm(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
               double *over)
{
    (void)weight, (void)bound, (void)over;
    for (size_t i = 0; i < n; i++) base[i] = rows[i].q_target;
}

static void dr(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
               double *over)
{
    (void)bound, (void)over;
    for (size_t i = 0; i < n; i++) base[i] = rows[i].q_target + weight[i] * (rows[i].reward - rows[i].q);
}

static void sndr(const dq_ope_row *rows, const double *weight, size_t n, double bound, double *base,
                 double *over)
{
    (void)bound;
    for (size_t i = 0; i < n; i++) {
        base[i] = rows[i].q_target;
        over[i] = weight[i] * (rows[i].reward - rows[i].q);
    }
}

static void switch_dr(const dq_ope_row *rows, const double *weight, size_t n, double tau, double *base,
                      double *over)
{
    (void)over;
    for (size_t i = 0; i < n; i++)
        base[i] = rows[i].q_target + (weight[i] <= tau ? weight[i] * (rows[i].reward - rows[i].q) : 0);
}

/* lambda w / (w^2 + lambda), which is w where lambda is infinite and 0 where it is 0. */
static double shrink(double w, double lambda)
{
    if (lambda <= 0 || w <= 0) return 0;
    return w / (w * w / lambda + 1);
}

static void dr_os(const dq_ope_row *rows, const double *weight, size_t n, double lambda, double *base,
                  double *over)
{
    (void)over;
    for (size_t i = 0; i < n; i++)
        base[i] = rows[i].q_target + shrink(weight[i], lambda) * (rows[i].reward - rows[i].q);
}

const dq_ope_estimator dq_ope_estimators[DQ_OPE_ESTIMATORS] = {
    {"log", "what the policy earned that wrote the log", logged, .unweighted = true, .bound = DQ_OPE_UNBOUND},
    {"ips", "inverse propensity score", ips, .bound = DQ_OPE_CLIP},
    {"snips", "the same, self-normalised", snips, .normalised = true, .bound = DQ_OPE_CLIP},
    {"dm", "direct method", dm, .needs_model = true, .unweighted = true},
    {"dr", "doubly robust", dr, .needs_model = true, .bound = DQ_OPE_CLIP},
    {"sndr", "the same, self-normalised", sndr, .normalised = true, .needs_model = true,
     .bound = DQ_OPE_CLIP},
    {"switch-dr", "doubly robust up to a weight", switch_dr, .needs_model = true, .bound = DQ_OPE_SWITCH},
    {"dr-os", "doubly robust with optimistic shrinkage", dr_os, .needs_model = true,
     .bound = DQ_OPE_SHRINKAGE},
    {"pdis", "sessions, per decision", .session = DQ_OPE_PDIS},
    {"wpdis", "sessions, weighted per decision", .session = DQ_OPE_WPDIS},
    {"wis", "sessions, self-normalised", .session = DQ_OPE_WIS},
};

static const dq_ope_estimator *find(const char *name, size_t bytes)
{
    for (size_t i = 0; i < DQ_OPE_ESTIMATORS; i++)
        if (strlen(dq_ope_estimators[i].name) == bytes && memcmp(dq_ope_estimators[i].name, name, bytes) == 0)
            return &dq_ope_estimators[i];
    return NULL;
}

static dq_status add(dq_ope_picks *picks, const dq_ope_estimator *estimator, bool slope, dq_error *error)
{
    for (size_t i = 0; i < picks->count; i++)
        if (picks->at[i].estimator == estimator && picks->at[i].slope == slope) return DQ_OK;
    if (picks->count == DQ_OPE_MAX_PICKS)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d estimators", DQ_OPE_MAX_PICKS);
    dq_ope_pick *pick = &picks->at[picks->count++];
    *pick = (dq_ope_pick){.estimator = estimator, .slope = slope};
    (void)snprintf(pick->name, sizeof pick->name, "%s%s", slope ? "slope:" : "", estimator->name);
    picks->needs_model |= estimator->needs_model;
    picks->sessions |= estimator->session != DQ_OPE_NO_SESSION;
    picks->rows |= estimator->session == DQ_OPE_NO_SESSION;
    return DQ_OK;
}

static const char *name_at(const void *none, size_t i)
{
    (void)none;
    return i < DQ_OPE_ESTIMATORS ? dq_ope_estimators[i].name : NULL;
}

static dq_status add_one(dq_ope_picks *picks, const char *name, size_t bytes, dq_error *error)
{
    static const char prefix[] = "slope:";
    size_t before = sizeof prefix - 1;
    bool slope = bytes > before && memcmp(name, prefix, before) == 0;
    if (bytes == before - 1 && memcmp(name, prefix, bytes) == 0)
        return add(picks, find("ips", 3), true, error);
    const dq_ope_estimator *estimator = slope ? find(name + before, bytes - before) : find(name, bytes);
    if (!estimator)
        return dq_fail(error, DQ_ERR_UNKNOWN, "there is no estimator '%.*s'%s", (int)bytes, name,
                       dq_hint_of(name, bytes, name_at, NULL).words);
    if (slope && (estimator->bound == DQ_OPE_UNBOUND || estimator->normalised))
        return dq_fail(error, DQ_ERR_UNKNOWN,
                       "SLOPE chooses a bound of ips, dr, switch-dr or dr-os, not of %s", estimator->name);
    return add(picks, estimator, slope, error);
}

dq_status dq_ope_picks_add(dq_ope_picks *picks, const char *names, dq_error *error)
{
    dq_status status = DQ_OK;
    for (const char *at = names; !status; at++) {
        size_t bytes = strcspn(at, ",");
        status = add_one(picks, at, bytes, error);
        at += bytes;
        if (!*at) break;
    }
    return status;
}
