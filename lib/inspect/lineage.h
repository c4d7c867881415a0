/* SPDX-License-Identifier: MIT
 *
 * What a stream's heads and ends say of it: how many rows it holds, and what made it of what. A section's end
 * counts rows, and of models, which have none, 0: they are counted as they pass.
 */
#ifndef DQ_INSPECT_LINEAGE_H
#define DQ_INSPECT_LINEAGE_H

#include "dq/sink.h"
#include "inspect/each.h"

/* Told, in this order, of each section and of who made it: first the maker of the section, at depth 0, then
 * the makers of its inputs below it. rows: a map from kinds to counts. A maker is a map of program, version,
 * options, seed and inputs; what a foreign writer left out is not there. The values live until the reader is
 * closed. */
typedef struct dq_lineage_visitor {
    void *arg;
    dq_status (*section)(void *arg, const dq_value *digest, const dq_value *rows, dq_error *error);
    dq_status (*maker)(void *arg, unsigned depth, const dq_value *maker, dq_error *error);
} dq_lineage_visitor;

/* Reads to the end, and then tells. watch may be NULL. */
dq_status dq_lineage_visit(dq_reader *in, const dq_lineage_visitor *visitor, const dq_watch *watch,
                           dq_error *error);

/* Reads to the end and writes a tree a section: its digest and rows, then who made it, with which options,
 * and below that the makers of its inputs, indented. */
dq_status dq_lineage_write(dq_reader *in, dq_sink *out, const dq_watch *watch, dq_error *error);

#endif
