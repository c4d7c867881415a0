/* SPDX-License-Identifier: MIT
 *
 * The vectors of users and items as another type of floats: a catalogue of halves is half as large, in a file
 * and to whoever reads it.
 */
#ifndef DQ_INSPECT_VECTORS_H
#define DQ_INSPECT_VECTORS_H

#include "dq/bundle.h"

/* *to borrows `from`, with its column "vector" of floats as DQ_F4, DQ_F2 or DQ_BF16: rounded to the nearest,
 * ties to even, by way of float32; the column's place among the others may change. A bundle of another kind,
 * without vectors, or with vectors of that type already, is borrowed as it is. DQ_ERR_RANGE where a number is
 * beyond what the type holds: no vector becomes infinite unseen. */
dq_status dq_vectors_as(dq_bundle *to, const dq_bundle *from, dq_dtype type, dq_error *error);

#endif
