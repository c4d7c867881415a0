/* SPDX-License-Identifier: MIT
 *
 * A model as what differs from the one that its training started from. What has the start's very bits is left
 * out: a column as a whole, or rows of it; an entry of the metadata. The start is a model as it was read from
 * a stream, known by the digest of its record.
 *
 *     meta.delta           {start: 16 hexadecimal digits, columns: [name ..], meta: [key ..]}: all that the
 *                          model has, in its order; what is not here is the start's
 *     meta.user, .kept     always here
 *     column NAME          all of it; or, beside delta.NAME, the rows that differ; or, of one dimension
 *                          where the start's has more, the single numbers that differ
 *     column delta.NAME    u4, ascending: which rows these are, or which places of the start's column,
 *                          taken as one run of numbers
 *
 *     dq_delta_make(&delta, &start, &model, &e);        borrows both
 *     dq_delta_expand(&model, &start, &delta, &e);      owns what it has
 *
 * Nothing of a delta is taken on trust: an expanded model is as sound as its start.
 */
#ifndef DQ_CORE_DELTA_H
#define DQ_CORE_DELTA_H

#include "dq/bundle.h"

/* Whether a model is a delta, and then, where it says so soundly, of which start. */
bool dq_delta_is(const dq_bundle *model);
bool dq_delta_start(const dq_bundle *delta, uint64_t *digest);
/* Refuses a delta where a whole model is wanted, with the way out. */
dq_status dq_delta_refuse(const dq_bundle *model, dq_error *error);

/* *delta is overwritten, and empty on failure; start and model must outlive it. DQ_ERR_UNSUPPORTED for a
 * start that is no record as it was read, or a delta itself, and a model with columns that are no numbers. */
dq_status dq_delta_make(dq_bundle *delta, const dq_bundle *start, const dq_bundle *model, dq_error *error);
/* *model is overwritten, and empty on failure. DQ_ERR_RANGE: delta is of another start. DQ_ERR_SCHEMA: it is
 * not as above. */
dq_status dq_delta_expand(dq_bundle *model, const dq_bundle *start, const dq_bundle *delta, dq_error *error);

#endif
