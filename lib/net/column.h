/* SPDX-License-Identifier: MIT
 *
 * The columns of a network in a model bundle.
 */
#ifndef DQ_NET_COLUMN_H
#define DQ_NET_COLUMN_H

#include "dq/bundle.h"

/* Reads a column of count numbers, of any type of number, into to (count). DQ_ERR_SCHEMA where there is no
 * such column; DQ_ERR_NUMERIC where a number is not finite, and `to` then holds it. */
dq_status dq_net_load_column(const dq_bundle *model, const char *name, size_t count, float *to,
                             dq_error *error);

#endif
