/* SPDX-License-Identifier: MIT */
#include "measure/pick.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *said, *name;
} aliases[] = {
    {"mrr", "recip_rank"},   {"precision", "P"},  {"p", "P"},      {"hit", "success"},
    {"hit_rate", "success"}, {"hits", "success"}, {"r", "recall"}, {"r_prec", "Rprec"},
};

static const struct {
    const char *name;
    unsigned flag;
} groups[] = {
    {"official", DQ_IN_OFFICIAL},
    {"all_trec", DQ_IN_ALL},
    {"set", DQ_IN_SET},
    {"ranking", DQ_IN_RANKING},
};

static const dq_measure *find(const char *name, size_t n)
{
    for (size_t i = 0; i < dq_measure_count; i++)
        if (strlen(dq_measures[i].name) == n && memcmp(dq_measures[i].name, name, n) == 0)
            return &dq_measures[i];
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strlen(aliases[i].said) == n && memcmp(aliases[i].said, name, n) == 0)
            return find(aliases[i].name, strlen(aliases[i].name));
    return NULL;
}

/* NAME_cut, the form at a rank of a measure of the whole ranking: ndcg@10 means ndcg_cut_10. */
static const dq_measure *find_cut(const dq_measure *whole)
{
    char name[40];
    (void)snprintf(name, sizeof name, "%s_cut", whole->name);
    return find(name, strlen(name));
}

static void name_pick(dq_measure_pick *pick)
{
    const dq_measure *m = pick->measure;
    const char *format = m->parameter == DQ_TAKES_CUTOFF     ? "%s_%.0f"
                         : m->parameter == DQ_TAKES_FRACTION ? "%s_%.2f"
                                                             : "%s";
    (void)snprintf(pick->name, sizeof pick->name, format, m->name, pick->parameter);
}

static dq_status add_one(dq_measure_picks *picks, const dq_measure *measure, double parameter,
                         dq_error *error)
{
    for (size_t i = 0; i < picks->count; i++)
        if (picks->at[i].measure == measure && picks->at[i].parameter == parameter) return DQ_OK;
    if (picks->count == DQ_MAX_PICKS)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d measures", DQ_MAX_PICKS);
    dq_measure_pick *pick = &picks->at[picks->count++];
    *pick = (dq_measure_pick){.measure = measure, .parameter = parameter};
    name_pick(pick);
    return DQ_OK;
}

static bool is_parameter(const dq_measure *measure, double value)
{
    if (measure->parameter == DQ_TAKES_CUTOFF) return value >= 1 && value <= 1e9 && value == floor(value);
    return value >= 0 && value <= 1000;
}

/* A list "5,10,20" of the measure's parameters. */
static dq_status add_list(dq_measure_picks *picks, const dq_measure *measure, const char *list,
                          dq_error *error)
{
    const char *at = list;
    for (;;) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || (*end && *end != ',') || !is_parameter(measure, value))
            return dq_fail(error, DQ_ERR_RANGE, "%s needs %s, not '%s'", measure->name,
                           measure->parameter == DQ_TAKES_CUTOFF ? "whole ranks from 1 as in 5,10"
                                                                 : "fractions as in 0.1,0.5",
                           list);
        dq_status status = add_one(picks, measure, value, error);
        if (status || !*end) return status;
        at = end + 1;
    }
}

static dq_status add_default(dq_measure_picks *picks, const dq_measure *measure, const char *cutoffs,
                             dq_error *error)
{
    if (measure->parameter == DQ_TAKES_NOTHING) return add_one(picks, measure, 0, error);
    bool replace = cutoffs && measure->parameter == DQ_TAKES_CUTOFF;
    return add_list(picks, measure, replace ? cutoffs : measure->defaults, error);
}

static dq_status add_group(dq_measure_picks *picks, unsigned flag, const char *cutoffs, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < dq_measure_count && !status; i++)
        if (dq_measures[i].groups & flag) status = add_default(picks, &dq_measures[i], cutoffs, error);
    return status;
}

/* NAME@LIST, NAME.LIST or NAME_LIST: where the list of numbers begins, or NULL. */
static const char *find_list(const char *text)
{
    size_t n = strlen(text);
    while (n && strchr("0123456789.,", text[n - 1])) n--;
    const char *list = text + n;
    if (n && (text[n - 1] == '_' || text[n - 1] == '@') && *list) return list;
    return n && *list == '.' && list[1] ? list + 1 : NULL;
}

dq_status dq_measure_pick_add(dq_measure_picks *picks, const char *text, const char *cutoffs, dq_error *error)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].name, text) == 0) return add_group(picks, groups[i].flag, cutoffs, error);
    const dq_measure *whole = find(text, strlen(text));
    if (whole) return add_default(picks, whole, cutoffs, error);
    const char *list = find_list(text);
    const dq_measure *measure = list ? find(text, (size_t)(list - text) - 1) : NULL;
    if (measure && measure->parameter == DQ_TAKES_NOTHING) measure = find_cut(measure);
    if (!measure) return dq_fail(error, DQ_ERR_UNKNOWN, "no measure is called '%s'", text);
    return add_list(picks, measure, list, error);
}

static int compare(const void *a, const void *b)
{
    const dq_measure_pick *x = a, *y = b;
    if (x->measure != y->measure) return x->measure < y->measure ? -1 : 1;
    return (x->parameter > y->parameter) - (x->parameter < y->parameter);
}

void dq_measure_pick_sort(dq_measure_picks *picks)
{
    qsort(picks->at, picks->count, sizeof *picks->at, compare);
}
