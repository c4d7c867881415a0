/* SPDX-License-Identifier: MIT
 *
 * What a stream's heads and ends say of it: how many rows it holds, and what made it of what. A section's end
 * counts rows, and of models, which have none, 0: they are counted as they pass.
 */
#ifndef DQ_INSPECT_LINEAGE_H
#define DQ_INSPECT_LINEAGE_H

#include "dq/sink.h"
#include "inspect/each.h"

/* Reads to the end and writes a tree a section: its digest and rows, then who made it, with which options,
 * and below that the makers of its inputs, indented. */
dq_status dq_lineage_write(dq_reader *in, dq_sink *out, const dq_watch *watch, dq_error *error);

#endif
