/* SPDX-License-Identifier: MIT
 *
 * The command line of dq-export.
 */
#ifndef DQ_EXPORT_OPTIONS_H
#define DQ_EXPORT_OPTIONS_H

#include "cli/cli.h"
#include "import/import.h"

/* Where rows come from; EXPORT_SHOW: a mapping is printed. */
enum { EXPORT_FILES = 1, EXPORT_FOLDER = 2, EXPORT_DATABASE = 4, EXPORT_SHOW = 8, EXPORT_LOG = 16 };

/* The --schema whose place is a log (port/files/obd.h). */
#define EXPORT_OBD "obd"

typedef struct export_options {
    dq_common common;
    dq_import_request request;
    dq_import_summary summary;               /* what was written */
    char reward_name[DQ_IMPORT_REWARD_NAME]; /* the column that was the reward, where it has another name */
    const char *schema, *show_schema, *scale;
    dq_texts user_ids, item_ids, limits, wheres, pairs, columns, separators, encodings;
    const char *place; /* a folder, a log, or a database's URI: no option, so never recorded */
    bool strict;
} export_options;

/* Turns the options into the request, or ends the program with what is wrong with them. */
void export_apply_defaults(dq_cli *cli, export_options *options);

#endif
