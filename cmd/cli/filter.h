/* SPDX-License-Identifier: MIT
 *
 * What programs that turn a stream into a stream share: a reader over the operands, a writer on --output
 * whose head names the program, --flush, and an end that is written only when all went well.
 *
 *     dq_filter f;
 *     dq_status status = dq_filter_open(&f, &cli, &o.common, seed, &e);
 *     while (!status && (got = dq_filter_next(&f, &b, &e)) > 0) ...
 *     status = dq_filter_close(&f, status, &e);
 */
#ifndef DQ_CLI_FILTER_H
#define DQ_CLI_FILTER_H

#include "cli/cli.h"

typedef struct dq_filter {
    dq_reader *in;
    dq_writer *out;
    uint64_t section; /* of the input, that the output's stands for */
} dq_filter;

/* Opens both ends; seed as for dq_cli_maker. On failure *filter can still be closed. */
dq_status dq_filter_open(dq_filter *filter, dq_cli *cli, const dq_common *common, int64_t seed,
                         dq_error *error);
/* The same of a filter that has read something else, too: a further input of the output's, if not NULL, which
 * stays the caller's and is closed after the filter. */
dq_status dq_filter_open_with(dq_filter *filter, dq_cli *cli, const dq_common *common, int64_t seed,
                              dq_reader *further, dq_error *error);

/* dq_reader_next as a status: DQ_OK with *more telling whether there was a bundle. */
dq_status dq_filter_next(dq_filter *filter, dq_bundle *bundle, bool *more, dq_error *error);

/* Writes a bundle that stands where the one last read stood: a new section of the input begins one in the
 * output, so that row references stay right. For filters that stream; others call dq_writer_put. */
dq_status dq_filter_put(dq_filter *filter, const dq_bundle *bundle, dq_error *error);

/* Names the input's place in an error about the bundle just read. Returns status. */
dq_status dq_filter_blame(const dq_filter *filter, dq_status status, dq_error *error);

/* Ends the output when status is DQ_OK, gives it up otherwise, and closes the input. Returns the first
 * failure. */
dq_status dq_filter_close(dq_filter *filter, dq_status status, dq_error *error);

#endif
