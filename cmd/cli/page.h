/* SPDX-License-Identifier: MIT
 *
 * A page about a run of a program (page/report.h), for an option that asks for one: the files that the run
 * reads are those of its operands and of its options with DQ_OPT_READS.
 *
 *     dq_cli_page page;
 *     dq_cli_page_open(&page, &cli, file_of, &e);              before anything is read
 *     ...                                                      the work, whose words are kept
 *     dq_cli_page_write(&page, path, title, &report, &out, &e);  then close or abort the sink
 *     dq_cli_page_free(&page);
 */
#ifndef DQ_CLI_PAGE_H
#define DQ_CLI_PAGE_H

#include "cli/cli.h"
#include "page/report.h"

#include <sys/types.h>

/* The file that an operand (option NULL) or an option's value names; NULL: it names none. */
typedef const char *(*dq_cli_file_of)(const dq_cli *cli, const char *option, const char *value);

typedef struct dq_cli_page {
    dq_cli *cli;
    const char **paths; /* (count) "-": stdin */
    size_t count;
    dq_page_input *inputs;
    dq_json_text said;
    off_t start; /* of stdin */
} dq_cli_page;

/* Lists the files and begins to keep what is said. A stdin that cannot be read twice, a pipe, is first copied
 * to a temporary file, which takes its place: its bytes are read again for their digest and lineage. */
dq_status dq_cli_page_open(dq_cli_page *page, dq_cli *cli, dq_cli_file_of file_of, dq_error *error);
/* Reads the files again and writes the page, to a sink that is then open. report: title, view, caption,
 * table, confidence; the rest is filled in. title NULL: that of the report. */
dq_status dq_cli_page_write(dq_cli_page *page, const char *path, const char *title, dq_page_report *report,
                            dq_sink **out, dq_error *error);
void dq_cli_page_free(dq_cli_page *page);

/* Joins pages, the operands, in one. */
dq_status dq_cli_page_join(const dq_cli *cli, const char *path, const char *title, dq_error *error);

#endif
