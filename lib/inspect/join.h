/* SPDX-License-Identifier: MIT
 *
 * All sections of a stream as one: equal users and items once, references counted anew. It is held in memory,
 * since a section wants all users before the first item.
 */
#ifndef DQ_INSPECT_JOIN_H
#define DQ_INSPECT_JOIN_H

#include "inspect/each.h"

/* Reads `in` to its end and writes one section. The writer stays open. Users and items as
 * dq_catalogue_add: DQ_ERR_DUPLICATE where equal ids are unequal rows. */
dq_status dq_join_sections(dq_reader *in, dq_writer *out, const dq_watch *watch, dq_error *error);

#endif
