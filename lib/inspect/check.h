/* SPDX-License-Identifier: MIT
 *
 * Whether a whole stream is sound. The reader has verified lengths, hashes, shapes, references, order and
 * ends; here come the rules that need memory of ids: vectors of one kind are of one width, equal ids are
 * equal rows, interactions name users and items that are there (where any are), and what calls itself JSON is
 * JSON.
 */
#ifndef DQ_INSPECT_CHECK_H
#define DQ_INSPECT_CHECK_H

#include "inspect/each.h"

/* Reads to the end; the first breach, with its source and record: DQ_ERR_SCHEMA, DQ_ERR_DUPLICATE,
 * DQ_ERR_UNKNOWN (an interaction's user or item, known only at the end, so without a record),
 * DQ_ERR_FORMAT. */
dq_status dq_check_stream(dq_reader *in, const dq_watch *watch, dq_error *error);

#endif
