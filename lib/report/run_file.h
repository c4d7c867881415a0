/* SPDX-License-Identifier: MIT
 *
 * A run read and measured list by list, so that no more of it is held than one list. For that the lines of a
 * query must stand together, as they do in what programs write. Where they do not, a file is read a second
 * time and held in memory; what comes through a pipe is refused. error may not be NULL.
 */
#ifndef DQ_REPORT_RUN_FILE_H
#define DQ_REPORT_RUN_FILE_H

#include "measure/run_table.h"

typedef struct dq_run_reader dq_run_reader;

/* The list of one query, valid until the next. */
typedef struct dq_run_list {
    const char *query;
    size_t bytes;
    const dq_ranking *ranking;
} dq_run_list;

/* A TREC run or a stream ("-": stdin). ahead: of a file, in a thread. DQ_ERR_TRUNCATED for an empty file. */
dq_status dq_run_reader_open(dq_run_reader **reader, const char *path, bool ahead, dq_error *error);
/* 1: a list; 0: the end; -1: broken, and lists just before that may not have been given. A query that comes
 * back, its list having been given already, is DQ_ERR_UNSUPPORTED; DQ_ERR_TRUNCATED for a text without lines,
 * DQ_ERR_SCHEMA for a stream without rankings. A document that a list has twice is whoever measures it to
 * find. */
int dq_run_reader_next(dq_run_reader *reader, dq_run_list *list, dq_error *error)
    __attribute__((warn_unused_result));
/* The run's name, once its end has come: that of the last line, as in trec_eval; of a stream the program that
 * made it. */
const char *dq_run_reader_tag(const dq_run_reader *reader);
/* For messages. */
const char *dq_run_reader_source(const dq_run_reader *reader);
void dq_run_reader_close(dq_run_reader *reader);

/* Measures run number `run` of the table, which its name is the path of, and fills its tag. gathered: whether
 * it was held in memory, its queries not standing together. */
dq_status dq_run_file_measure(dq_run_table *table, size_t run, int32_t relevance, bool ahead, bool *gathered,
                              dq_error *error);

#endif
