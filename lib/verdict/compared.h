/* SPDX-License-Identifier: MIT
 *
 * Comparisons as tables: systems held against each other, A/B logs, and the units that a comparison needs.
 * Each fills a dq_compared.
 */
#ifndef DQ_VERDICT_COMPARED_H
#define DQ_VERDICT_COMPARED_H

#include "compare/pairs.h"
#include "compare/power.h"
#include "compare/sequential.h"
#include "measure/run_table.h"
#include "port/files/text_table.h"

/* How to compare, as a command line says it. */
typedef struct dq_compare_options {
    const char *against;    /* "first", "all" or a system's name; NULL: "first" */
    int test, adjust;       /* dq_paired_test, dq_adjustment */
    int unit;               /* of an A/B log: dq_ab_unit */
    uint64_t look, burn_in; /* dq_ab_config */
    double effect;          /* expected of an A/B log; a sample is to find; a difference of means */
    uint64_t units;         /* of a sample; 0: asked for */
    double sd;              /* of one system's values */
    double correlation; /* of two systems' values of a unit: the sd of differences is sd sqrt(2 (1 - r)) */
    double power;
    /* what other evaluations ask for, too */
    uint64_t resamples, seed;
    double confidence;
    const char *map, *time; /* rewards of labels; the attribute that says when */
    const char *unanswered; /* the label of what a server showed and nobody answered; NULL: none */
    bool brief;             /* the columns that people look at; else all */
} dq_compare_options;

#define DQ_COMPARE_DEFAULTS                                                                                  \
    {                                                                                                        \
        .burn_in = 30, .sd = 1, .correlation = 0.5, .power = 0.8                                             \
    }

enum { DQ_COMPARED_NOTES = 5 };

/* What a comparison found: a table, and what a person should know of it, a line each. Zero before, and to be
 * freed, after a failure, too. */
typedef struct dq_compared {
    dq_text_table table;
    char notes[DQ_COMPARED_NOTES][160];
    size_t note_count;
} dq_compared;

void dq_compared_free(dq_compared *compared);

typedef struct dq_compared_names {
    const char *const *systems, *const *measures;
    const bool *sums; /* (measures) units are blocks of several rows: effects and wins, which depend on how
                         many, are left empty. NULL: of none */
} dq_compared_names;

/* The system that `against` names among count, or DQ_AGAINST_ALL. DQ_ERR_UNKNOWN for none of these. */
dq_status dq_compared_against(const char *against, const char *const *systems, size_t count, size_t *number,
                              dq_error *error);

/* Compares, and fills the table: a, b, measure, n, mean_a, mean_b, difference (a less b), lower, upper (the
 * bootstrap's), lower_t, upper_t (Student's),
 * p_randomisation, p_t, p_wilcoxon, p_adjusted, d_z, g, rank_biserial, cliff, wins, losses, ties; in brief
 * the p of the test that counts alone, and d_z alone of the effects. Errors as dq_compare_pairs. */
dq_status dq_compared_values(const dq_run_values *values, const dq_compared_names *names,
                             const dq_compare_options *options, dq_compared *compared, dq_error *error);
/* The same of measured runs, by those measures that are means over queries; the queries are chosen
 * (dq_run_table_choose). */
dq_status dq_compared_runs(const dq_run_table *runs, const dq_compare_options *options, dq_compared *compared,
                           dq_error *error);

/* The same of TSV files (count 0: stdin) with a header, a row a value. Columns, by the first of these names
 * that the header has: system, run, model, agent, policy, target; unit, seed, query, user, episode, at;
 * measure, metric (or none: one measure, "value"); value, score. dq-eval's own tables of queries and episodes
 * are such; their rows of a unit "all" or "gap" are left out. A row without a value is none. DQ_ERR_SCHEMA
 * for a column that is missing, DQ_ERR_FORMAT for what is no number, DQ_ERR_DUPLICATE for two values of one
 * system, measure and unit. */
dq_status dq_compared_scores(const dq_compare_options *options, const char *const *paths, size_t count,
                             dq_compared *compared, dq_error *error);

typedef enum dq_ab_unit { DQ_AB_USER, DQ_AB_REQUEST, DQ_AB_ROW } dq_ab_unit;

/* "user", "request", "row", NULL. */
extern const char *const dq_ab_unit_names[];

/* Reads the interactions of streams (count 0: stdin), sorts them by time where all have one, and judges the
 * models that chose: a, b, rows, units_a,
 * units_b, mean_a, mean_b, difference, lower, upper, p, p_adjusted, verdict ("differs" or "open"). An end of
 * an interval that is not known is empty. DQ_ERR_SCHEMA for no interactions with a model, and for a row
 * without the unit. */
dq_status dq_compared_ab(const dq_compare_options *options, const char *const *paths, size_t count,
                         dq_compared *compared, dq_error *error);

/* design ("paired", "two samples"), units (of each system), effect, sd (that counts: of the differences, or
 * of the values), power (that the units have). Errors as compare/power.h. */
dq_status dq_compared_sizes(const dq_compare_options *options, dq_compared *compared, dq_error *error);

#endif
