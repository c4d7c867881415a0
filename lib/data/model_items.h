/* SPDX-License-Identifier: MIT
 *
 * The items that a model learnt: meta.items, their ids in the order of its actions, and the column
 * items.digest (XXH3 of each vector's float32), so that nobody ranks other items under equal ids, or an
 * output's item by another's.
 */
#ifndef DQ_DATA_MODEL_ITEMS_H
#define DQ_DATA_MODEL_ITEMS_H

#include "core/index.h"
#include "core/vectors.h"

/* Zero-initialise to start. */
typedef struct dq_model_items {
    dq_index ids;     /* an id's number is its action */
    uint64_t *digest; /* (count); NULL: the model names no items */
} dq_model_items;

/* Of these items (copied). */
dq_status dq_model_items_take(dq_model_items *items, const dq_index *ids, const dq_vectors *vectors,
                              dq_error *error);
/* Into a model; nothing where there are none. */
dq_status dq_model_items_save(const dq_model_items *items, dq_bundle *model, dq_error *error);
/* Empty where the model names none; DQ_ERR_SCHEMA for names that are not those of `actions` items. */
dq_status dq_model_items_load(dq_model_items *items, const dq_bundle *model, uint32_t actions,
                              dq_error *error);
void dq_model_items_free(dq_model_items *items);

/* The action of an item, or DQ_ABSENT for one that the model did not learn. DQ_ERR_RANGE when it did learn
 * one of this id, with another vector. */
dq_status dq_model_items_find(const dq_model_items *items, const char *id, size_t bytes, const float *vector,
                              uint32_t width, uint32_t *action, dq_error *error);
/* The same of all these items, into action (count; NULL: not wanted). */
dq_status dq_model_items_match(const dq_model_items *items, const dq_index *ids, const dq_vectors *vectors,
                               uint32_t *action, dq_error *error);
/* Whether a model may act on these items: DQ_ERR_RANGE names the first that it may not. Outputs are items':
 * there must be the same ones in the same order (`outputs`). A head on actions scores any: but one whose id
 * it knows must have the vector that it learnt. A model that names none, or items without names, may be
 * anything.
 */
dq_status dq_model_items_check(const dq_bundle *model, bool outputs, const dq_index *ids,
                               const dq_vectors *vectors, dq_error *error);

#endif
