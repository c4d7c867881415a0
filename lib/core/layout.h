/* SPDX-License-Identifier: MIT
 *
 * Layouts: which fields lie where in the vectors of users and of items. A model works on vectors of the
 * layout that it was trained on, and on no others.
 */
#ifndef DQ_CORE_LAYOUT_H
#define DQ_CORE_LAYOUT_H

#include "dq/schema.h"

/* Names are looked up one after the other, so a catalogue names no more than so many, of fields and of pairs.
 */
enum { DQ_FIELDS_MAX = 1024, DQ_PAIRS_MAX = 1024 };

/* How the vectors of users, or of items, are cut into fields; borrowed. */
typedef struct dq_layout {
    const dq_field *fields;
    size_t count;
    uint32_t width; /* 0: no vectors */
} dq_layout;

/* Whether a model fits a catalogue of these layouts: it was trained on vectors of these widths, and of the
 * fields that `trained` names (meta.layout of the model, as dq_layout_value makes it; NULL or nil: the model
 * does not say). DQ_ERR_RANGE when it does not. Equal widths may still hold other fields, or the same in
 * another order, or numbers that were scaled otherwise. */
dq_status dq_layout_fits(dq_layout users, dq_layout items, uint32_t user_width, uint32_t item_width,
                         const dq_value *trained, dq_error *error);

/* The three ways to make vectors, in words. */
#define DQ_VECTORS_ADVICE                                                                                    \
    "dq-embed hash:64 makes them from texts, dq-embed openai:NAME asks a model for them, dq-embed cf:32 "    \
    "makes them from interactions"
/* Fails with DQ_ERR_SCHEMA where somebody ("the users") has no vectors and needs some: says so, with the
 * advice. */
dq_status dq_fail_no_vectors(dq_error *error, const char *who);

#endif
