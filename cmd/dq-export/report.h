/* SPDX-License-Identifier: MIT
 *
 * What dq-export says, at its end, of what it wrote, and of the documents that it passed over.
 */
#ifndef DQ_EXPORT_REPORT_H
#define DQ_EXPORT_REPORT_H

#include "options.h"

/* "items: 3 skipped: 2 wrong width (first: line 17), 1 duplicate id (first: line 20)": a line for each kind
 * of rows of which some were skipped; and one of what was written: "610 users, 9742 items (title)". */
void export_report(const dq_cli *cli, const export_options *options);

#endif
