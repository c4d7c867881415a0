/* SPDX-License-Identifier: MIT
 *
 * What a model says of the users and items that it learnt from: meta.layout, the fields of their vectors, so
 * that no one ranks a catalogue of another order with it; and which items it knows (data/model_items.h).
 */
#ifndef DQ_DATA_DESCRIBE_H
#define DQ_DATA_DESCRIBE_H

#include "data/catalogue.h"

/* Of a catalogue; with items also their names. DQ_ERR_MEMORY. */
dq_status dq_describe_catalogue(const dq_catalogue *catalogue, bool items, dq_bundle *model, dq_error *error);
/* What another model says of them, of sessions too, and of so many actions. */
dq_status dq_describe_as(const dq_bundle *other, uint32_t actions, dq_bundle *model, dq_error *error);

#endif
