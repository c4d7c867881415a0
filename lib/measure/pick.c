/* SPDX-License-Identifier: MIT */
#include "measure/pick.h"

#include "core/words/nearest.h"
#include "core/words/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *said, *name;
} aliases[] = {
    {"mrr", "recip_rank"}, {"precision", "P"},      {"p", "P"},
    {"hit", "success"},    {"hit_rate", "success"}, {"hits", "success"},
    {"r", "recall"},       {"r_prec", "Rprec"},     {"ild", "diversity"},
};

static const struct {
    const char *name;
    unsigned flag;
} groups[] = {
    {"official", DQ_IN_OFFICIAL},
    {"all_trec", DQ_IN_ALL},
    {"set", DQ_IN_SET},
    {"ranking", DQ_IN_RANKING},
    {"recommender", DQ_IN_RECOMMENDER},
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

/* NAME_cut or NAME_p, the form with a parameter of a measure without: ndcg@10 means ndcg_cut_10, rbp@0.8
 * rbp_p_0.8. */
static const dq_measure *find_form(const dq_measure *whole)
{
    char name[40];
    (void)snprintf(name, sizeof name, "%s_cut", whole->name);
    const dq_measure *cut = find(name, strlen(name));
    if (cut) return cut;
    (void)snprintf(name, sizeof name, "%s_p", whole->name);
    return find(name, strlen(name));
}

/* given: the parameter as it was said; NULL: it was not. */
static void name_pick(dq_measure_pick *pick, const char *given)
{
    static const char *const formats[] = {[DQ_TAKES_NOTHING] = "%s%s%s",
                                          [DQ_TAKES_CUTOFF] = "%s%s%s_%.0f",
                                          [DQ_TAKES_FRACTION] = "%s%s%s_%.2f",
                                          [DQ_TAKES_SHARE] = "%s%s%s_%.9g"};
    const dq_measure *m = pick->measure;
    if (m->bare && !given) {
        (void)snprintf(pick->name, sizeof pick->name, "%s", m->name);
        return;
    }
    if (m->parameter == DQ_TAKES_WEIGHTS) {
        (void)snprintf(pick->name, sizeof pick->name, "%s_%s", m->name, given);
        return;
    }
    (void)snprintf(pick->name, sizeof pick->name, formats[m->parameter], m->name, *pick->argument ? ":" : "",
                   pick->argument, pick->parameter);
}

/* What is added: a measure, what its parameters are said as (NULL: not said), and what it is about ("":
 * nothing). */
typedef struct chosen {
    const dq_measure *measure;
    const char *given;
    char argument[sizeof((dq_measure_pick *)0)->argument];
} chosen;

/* weights: of a measure that takes them, else NULL. */
static dq_status add_one(dq_measure_picks *picks, const chosen *c, double parameter, const double *weights,
                         dq_error *error)
{
    dq_measure_pick made = {.measure = c->measure, .parameter = parameter, .about = DQ_WHOLE_VECTOR};
    memcpy(made.argument, c->argument, sizeof made.argument);
    if (weights) memcpy(made.weights, weights, sizeof made.weights);
    name_pick(&made, c->given);
    for (size_t i = 0; i < picks->count; i++)
        if (strcmp(picks->at[i].name, made.name) == 0) return DQ_OK;
    if (c->measure->about == DQ_ABOUT_ATTRIBUTE && !*c->argument)
        return dq_fail(error, DQ_ERR_RANGE, "%s is of an attribute of the items, as in %s:genre@10",
                       c->measure->name, c->measure->name);
    if (picks->count == DQ_MAX_PICKS)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d measures", DQ_MAX_PICKS);
    picks->at[picks->count++] = made;
    return DQ_OK;
}

/* All of a measure's weights, "1,-2,0,0". */
static dq_status add_weights(dq_measure_picks *picks, const chosen *c, const char *list, dq_error *error)
{
    double weights[DQ_MEASURE_WEIGHTS] = {0};
    size_t wanted = 1, n = 0;
    for (const char *p = c->measure->defaults; *p; p++) wanted += *p == ',';
    for (const char *at = list;; at++) {
        double value;
        const char *end = dq_number_begin(at, &value);
        if (!end || (*end && *end != ',') || !(fabs(value) <= 1e9) || n == wanted) break;
        weights[n++] = value;
        at = end;
        if (*at) continue;
        if (n == wanted && strlen(list) < 60 && (n > 1 || value >= 0))
            return add_one(picks, c, 0, weights, error);
        break;
    }
    return dq_fail(error, DQ_ERR_RANGE, "%s needs %zu number%s as in %s, not '%s'", c->measure->name, wanted,
                   wanted > 1 ? "s" : " of at least 0", c->measure->defaults, list);
}

static bool is_parameter(const dq_measure *measure, double value)
{
    if (measure->of_text && value > DQ_MAX_TEXT) return false;
    if (measure->parameter == DQ_TAKES_CUTOFF) return value >= 1 && value <= 1e9 && value == floor(value);
    if (measure->parameter == DQ_TAKES_SHARE) return value > 0 && value < 1;
    return value >= 0 && value <= 1000;
}

/* A list "5,10,20" of the measure's parameters. */
static dq_status add_list(dq_measure_picks *picks, const chosen *c, const char *list, dq_error *error)
{
    static const char *const wanted[] = {[DQ_TAKES_CUTOFF] = "whole ranks from 1 as in 5,10",
                                         [DQ_TAKES_FRACTION] = "fractions as in 0.1,0.5",
                                         [DQ_TAKES_SHARE] = "numbers between 0 and 1 as in 0.5,0.8"};
    const char *at = list;
    for (;;) {
        double value;
        const char *end = dq_number_begin(at, &value);
        if (!end || (*end && *end != ',') || !is_parameter(c->measure, value))
            return dq_fail(error, DQ_ERR_RANGE, "%s needs %s, not '%s'", c->measure->name,
                           wanted[c->measure->parameter], list);
        dq_status status = add_one(picks, c, value, NULL, error);
        if (status || !*end) return status;
        at = end + 1;
    }
}

static dq_status add_default(dq_measure_picks *picks, const chosen *c, const char *cutoffs, dq_error *error)
{
    const dq_measure *m = c->measure;
    if (m->parameter == DQ_TAKES_NOTHING) return add_one(picks, c, 0, NULL, error);
    if (m->parameter == DQ_TAKES_WEIGHTS) return add_weights(picks, c, m->defaults, error);
    if (!cutoffs || m->parameter != DQ_TAKES_CUTOFF) return add_list(picks, c, m->defaults, error);
    chosen at = *c;
    at.given = cutoffs;
    return add_list(picks, &at, cutoffs, error);
}

static dq_status add_group(dq_measure_picks *picks, unsigned flag, const char *cutoffs, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < dq_measure_count && !status; i++)
        if (dq_measures[i].groups & flag)
            status = add_default(picks, &(chosen){.measure = &dq_measures[i]}, cutoffs, error);
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

/* NAME@WEIGHTS, NAME.WEIGHTS or NAME_WEIGHTS: where the weights begin, or NULL. Weights may be negative. */
static const char *find_weights(const char *text, const dq_measure **measure)
{
    for (size_t i = 0; i < dq_measure_count; i++) {
        size_t n = strlen(dq_measures[i].name);
        *measure = &dq_measures[i];
        if (dq_measures[i].parameter == DQ_TAKES_WEIGHTS && strncmp(text, dq_measures[i].name, n) == 0 &&
            text[n] && strchr("@._", text[n]))
            return text + n + 1;
    }
    return NULL;
}

/* NAME:ARGUMENT or NAME:ARGUMENT@LIST. */
static dq_status add_about(dq_measure_picks *picks, const char *text, const char *colon, const char *cutoffs,
                           dq_error *error)
{
    chosen c = {.measure = find(text, (size_t)(colon - text))};
    const char *list = strrchr(colon, '@');
    size_t n = list ? (size_t)(list - colon) - 1 : strlen(colon + 1);
    if (!c.measure || c.measure->about == DQ_ABOUT_NOTHING)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no measure of a field or an attribute is called '%.*s'",
                       (int)(colon - text), text);
    if (n == 0 || n >= sizeof c.argument)
        return dq_fail(error, DQ_ERR_RANGE, "%s: a name of 1 to %zu bytes is wanted behind the colon",
                       c.measure->name, sizeof c.argument - 1);
    memcpy(c.argument, colon + 1, n);
    c.given = list ? list + 1 : NULL;
    return list ? add_list(picks, &c, list + 1, error) : add_default(picks, &c, cutoffs, error);
}

static const char *name_at(const void *none, size_t i)
{
    (void)none;
    return i < dq_measure_count ? dq_measures[i].name : NULL;
}

static dq_status add_named(dq_measure_picks *picks, const char *text, const char *cutoffs, dq_error *error)
{
    const char *colon = strchr(text, ':');
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].name, text) == 0) return add_group(picks, groups[i].flag, cutoffs, error);
    if (colon) return add_about(picks, text, colon, cutoffs, error);
    chosen c = {.measure = find(text, strlen(text))};
    if (c.measure) return add_default(picks, &c, cutoffs, error);
    const char *list = find_weights(text, &c.measure);
    c.given = list;
    if (list) return add_weights(picks, &c, list, error);
    list = find_list(text);
    c.given = list;
    c.measure = list ? find(text, (size_t)(list - text) - 1) : NULL;
    if (c.measure && c.measure->parameter == DQ_TAKES_NOTHING) c.measure = find_form(c.measure);
    if (!c.measure)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no measure is called '%s'%s", text,
                       dq_hint_of(text, strcspn(text, "@_:"), name_at, NULL).words);
    return add_list(picks, &c, list, error);
}

/* Where the text of a measure ends: at a comma that a number follows, its parameters go on. */
static size_t length_of_name(const char *text)
{
    size_t n = 0;
    while (text[n] && !(text[n] == ',' && isalpha((unsigned char)text[n + 1]))) n++;
    return n;
}

dq_status dq_measure_pick_add(dq_measure_picks *picks, const char *text, const char *cutoffs, dq_error *error)
{
    for (;;) {
        size_t n = length_of_name(text);
        char *name = strndup(text, n);
        dq_status status = name ? add_named(picks, name, cutoffs, error)
                                : dq_fail_memory(error, "the measures");
        free(name);
        if (status || !text[n]) return status;
        text += n + 1;
    }
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
