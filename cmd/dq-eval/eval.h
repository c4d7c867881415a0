/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-eval: rankings against judgements (input, measure, print), roll-outs of agents (rollout;
 * env in environments that are not catalogues), learning curves (curves, plot).
 */
#ifndef DQ_EVAL_EVAL_H
#define DQ_EVAL_EVAL_H

#include "cli/cli.h"

#include "data/label_map.h"
#include "dq/sink.h"
#include "measure/compare.h"
#include "measure/pick.h"

typedef enum eval_format { EVAL_TABLE, EVAL_TSV, EVAL_JSON, EVAL_TREC } eval_format;

enum { EVAL_REWARD_AUTO, EVAL_REWARD_COSINE, EVAL_REWARD_LOGGED };

typedef struct eval_options {
    dq_common common;
    /* rankings against judgements */
    const char *qrels;
    dq_texts runs;
    bool by_query, complete, interval, list;
    int format; /* eval_format */
    dq_texts measures;
    const char *cutoffs; /* "5,10"; NULL: 10, in trec format trec_eval's */
    uint64_t relevance;  /* the least relevance that is relevant */
    const char *gains;   /* LABEL=level,... */
    double confidence;
    uint64_t resamples;
    /* roll-outs */
    bool rollout, cold_start, distinct, raw_cosine;
    dq_texts models, pairs;
    const char *user, *map, *env, *env_cmd;
    int reward;
    uint64_t episodes, steps, candidates;
    double epsilon;
    /* learning curves */
    bool curves;
    const char *plot; /* FILE.svg or FILE.png; NULL: in the terminal */
    uint64_t smooth;
    dq_texts metrics, marks;
} eval_options;

/* Judgements or a run from a TREC file or a stream ("-": stdin), told apart by the first byte; finished. tag
 * gets the run's name (of the last line, as in trec_eval; of a stream the program that made it). */
dq_status eval_read_qrels(const char *path, const char *gains, dq_qrels *qrels, dq_error *error);
/* LABEL=level,...: as rewards, but whole numbers. Free with dq_label_map_free. */
dq_status eval_parse_gains(const char *text, dq_label_map *gains, dq_error *error);
dq_status eval_read_run(const char *path, dq_run *run, char *tag, size_t tag_size, dq_error *error);

/* What one run got. */
typedef struct eval_run {
    const char *name;  /* the operand */
    const char *label; /* the same without its folders, when that is enough to tell runs apart */
    char tag[128];
    double *values; /* (picks, queries) */
    bool *in_run;   /* (queries) */
} eval_run;

/* A run's summary by one measure, and how it differs from the first run's. */
typedef struct eval_cell {
    double value;
    bool has_interval, has_difference; /* what of `against` counts */
    dq_comparison against;
} eval_cell;

/* Runs, measures, queries: everything that is printed. */
typedef struct eval_table {
    dq_measure_picks picks;
    dq_qrels qrels;
    uint32_t *order; /* (query_count) queries that count, by their ids' bytes */
    size_t query_count;
    eval_run *runs;
    size_t run_count;
    double *ordered;  /* (query_count) scratch */
    eval_cell *cells; /* (runs, picks) */
} eval_table;

dq_status eval_measure(eval_table *table, const eval_options *o, const dq_cli *cli, dq_error *error);
void eval_table_free(eval_table *table);

/* Value of one query. */
double eval_value(const eval_table *table, size_t run, size_t pick, uint32_t query);

/* Fills the cells: summaries, with several runs or --interval also intervals and tests. */
dq_status eval_compare(eval_table *table, const eval_options *o, dq_error *error);

dq_status eval_print(const eval_table *table, const eval_options *o, dq_sink *out, dq_error *error);
dq_status eval_print_measures(dq_sink *out, dq_error *error);

/* A roll-out's number as a row: model, measure, at (a step or an episode; "all" for 0), value. No row for a
 * NAN. */
dq_status eval_tsv_line(dq_sink *out, const char *model, const char *measure, size_t bytes, size_t at,
                        double value, dq_error *error);

#endif
