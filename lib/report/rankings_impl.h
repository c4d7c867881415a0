/* SPDX-License-Identifier: MIT
 *
 * What reading a run as a whole and list by list have in common.
 */
#ifndef DQ_REPORT_RANKINGS_IMPL_H
#define DQ_REPORT_RANKINGS_IMPL_H

#include "dq/source.h"
#include "dq/stream.h"
#include "port/files/trec.h"

/* Opens a path and looks at its first bytes; closes it again on a failure. what: for an empty one. */
dq_status dq_rankings_open(dq_source **source, const char *path, const char *what, bool *is_stream,
                           dq_error *error);
/* A run's name: that of the line, or of a stream the program that made its last section. */
void dq_rankings_take_tag(const dq_trec_line *line, char *tag, size_t tag_size);
void dq_rankings_take_maker(dq_reader *reader, char *tag, size_t tag_size);
/* DQ_ERR_FORMAT, what: "query". */
dq_status dq_rankings_check_text(const char *text, size_t bytes, const char *what, dq_error *error);

#endif
