/* SPDX-License-Identifier: MIT
 *
 * Judgements and rankings read for an evaluation: TREC's text files, or streams, told apart by the first
 * byte. In a stream labelled interactions are judgements, and bundles of kind rankings a run. error may not
 * be NULL.
 */
#ifndef DQ_REPORT_RANKINGS_H
#define DQ_REPORT_RANKINGS_H

#include "data/label_map.h"
#include "measure/qrels.h"

/* LABEL=level,...: as rewards, but whole numbers, else DQ_ERR_RANGE. Free with dq_label_map_free. */
dq_status dq_rankings_gains(const char *text, dq_label_map *gains, dq_error *error);

/* Reads judgements from a path ("-": stdin), finished. gains: the levels of a stream's labels, as above;
 * interactions with another label are no judgements. DQ_ERR_TRUNCATED for an empty file, DQ_ERR_SCHEMA for a
 * stream without interactions of that kind. */
dq_status dq_rankings_read_qrels(const char *path, const char *gains, dq_qrels *qrels, dq_error *error);
/* Reads a run into memory, finished (run_file.h measures one without). tag gets its name: that of the last
 * line, as in trec_eval; of a stream the program that made it. */
dq_status dq_rankings_read_run(const char *path, dq_run *run, char *tag, size_t tag_size, dq_error *error);

#endif
