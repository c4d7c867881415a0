/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-eval: what a mode found, written (write.c); rankings against judgements (measure.c),
 * roll-outs of agents (rollout.c), off-policy evaluation (ope.c), labels against labels (agreement.c).
 * Learning curves are lib/report's.
 */
#ifndef DQ_EVAL_EVAL_H
#define DQ_EVAL_EVAL_H

#include "cli/terminal/picture.h"

#include "data/label_map.h"
#include "ope.h"
#include "page/report.h"
#include "plot/figure.h"
#include "report/runs.h"
#include "verdict/compared.h"

typedef enum eval_format {
    EVAL_TABLE = DQ_RUNS_TABLE,
    EVAL_TSV = DQ_RUNS_TSV,
    EVAL_JSON = DQ_RUNS_JSON,
    EVAL_TREC = DQ_RUNS_TREC,
    EVAL_CSV, /* from here on made of tsv */
    EVAL_LATEX,
    EVAL_MARKDOWN
} eval_format;

enum { EVAL_REWARD_AUTO, EVAL_REWARD_COSINE, EVAL_REWARD_LOGGED };

typedef struct eval_options {
    dq_common common;
    const char *report, *title; /* FILE.html, and what it is called */
    dq_page_run *run;           /* of the report; NULL: none is wanted */
    int64_t start;              /* where stdin is read again from for it; -1: it is no input */
    /* rankings against judgements */
    const char *qrels;
    dq_texts runs;
    bool by_query, complete, interval, list;
    int format; /* eval_format */
    dq_texts measures;
    const char *cutoffs; /* "5,10"; NULL: 10, in trec format trec_eval's */
    uint64_t relevance;  /* the least relevance that is relevant */
    uint64_t max_documents, documents;
    bool judged_only;
    const char *by;    /* the users' groups; the catalogue is ope.catalogue */
    const char *gains; /* LABEL=level,... */
    double confidence;
    uint64_t resamples;
    /* roll-outs */
    bool rollout, cold_start, distinct, raw_cosine;
    dq_texts models, pairs;
    dq_texts users;
    const char *map, *unanswered, *env, *env_cmd, *reward_cmd;
    int reward;
    uint64_t episodes, steps, max_steps, candidates;
    double epsilon;
    /* off-policy evaluation */
    ope_options ope;
    bool agreement;
    /* comparisons */
    bool paired, ab, sample_size;
    dq_compare_options compare; /* against NULL: values rather than differences */
    /* interactions */
    bool traffic;
    const char *time;
    double session_gap, return_within; /* minutes, days */
    /* learning curves */
    bool curves;
    uint64_t smooth;
    dq_texts metrics, marks;
    /* pictures */
    const char *plot; /* FILE.svg, FILE.png or FILE.pdf; -: in the terminal */
    dq_texts draw;    /* tables of the operands: plot/table.h */
} eval_options;

/* What a mode has found: a table, which has every format; or what it prints itself in a format (eval_format)
 * of its own, from which the others are made. */
typedef struct eval_result {
    const dq_text_table *table; /* or NULL, and */
    size_t texts;               /* the first columns of its tsv that are no numbers */
    bool no_json;               /* of its own: made of the tsv, too */
    void *of;
    dq_status (*print)(const void *of, const eval_options *o, int format, dq_sink *out, dq_error *error);
    /* what may still fail when all is printed: frees, and returns status or that failure; NULL: nothing */
    dq_status (*close)(void *of, dq_status status, dq_error *error);
    const char *title, *caption; /* of a report, and of its first table; NULL: has none */
    dq_page_view view;
    dq_status (*figure)(const void *of, const eval_options *o, dq_figure *figure, dq_error *error);
    bool drawn; /* the picture is the output, and print is for a report alone */
} eval_result;

/* Prints or draws it, and writes the report; each is then complete, or left as it was. */
dq_status eval_write(const eval_result *result, const eval_options *o, const dq_cli *cli, dq_error *error);
/* Begins to keep what a report says of the run. */
dq_status eval_begin_report(eval_options *o, dq_cli *cli, dq_cli_file_of file_of, dq_page_run *run,
                            dq_json_text *said, dq_error *error);
/* Joins the operands, pages, in one. */
dq_status eval_join_pages(const eval_options *o, const dq_cli *cli, dq_error *error);

/* Comparisons (compare.c): how they are to be made; the notes of one, said; one written, with its
 * notes, and freed; tables of values,
 * A/B logs and sample sizes; usage errors of all. */
dq_compare_options eval_compare_options(const eval_options *o);
void eval_say_compared(const dq_compared *compared, const eval_options *o, const dq_cli *cli);
dq_status eval_write_compared(dq_compared *compared, dq_status status, const eval_options *o,
                              const dq_cli *cli, dq_error *error);
dq_status eval_compare(const eval_options *o, const dq_cli *cli, dq_error *error);
void eval_check_compared(const dq_cli *cli, const eval_options *o);

/* Measures all runs and compares them. The table is zero, and to be freed after a failure, too. */
dq_status eval_measure(dq_run_table *table, const eval_options *o, const dq_cli *cli, dq_error *error);

/* Off-policy evaluation (ope.c), printed. */
dq_status eval_off_policy(const eval_options *o, dq_cli *cli, dq_error *error);
/* Compares the labels of the operands; its usage errors. */
dq_status eval_agreement(const eval_options *o, const dq_cli *cli, dq_error *error);
void eval_check_agreement(const dq_cli *cli, const eval_options *o);

#endif
