/* SPDX-License-Identifier: MIT
 *
 * Texts and attributes of the items that stream by, kept for whoever prints a list with more than ids. All
 * items' are held: which will stand in a list, only the end tells.
 */
#ifndef DQ_RANK_TEXTS_H
#define DQ_RANK_TEXTS_H

#include "dq/bundle.h"

enum { DQ_RANK_TEXTS_MOST = 64 };

/* One name's, by the items' numbers. */
typedef struct dq_rank_text {
    const char *name;  /* "title": the column text.title, or else attr.title; "attr.title" that one */
    dq_strings values; /* "" where there is none */
    uint8_t *kinds;    /* of each value: 0 for none, DQ_TEXT, DQ_JSON */
    size_t kind_slots;
    bool found; /* a bundle had such a column */
} dq_rank_text;

/* Zero-initialise; set the names and their count. */
typedef struct dq_rank_texts {
    dq_rank_text at[DQ_RANK_TEXTS_MOST];
    size_t count;
} dq_rank_texts;

/* Takes the texts of rows[0 .. count) of a bundle of items, whose numbers go on from those before. */
dq_status dq_rank_texts_take(dq_rank_texts *texts, const dq_bundle *bundle, const uint32_t *rows,
                             uint32_t count, dq_error *error);
/* DQ_ERR_UNKNOWN for a name that no item has. */
dq_status dq_rank_texts_check(const dq_rank_texts *texts, dq_error *error);
/* The text of an item by its number, of name k; *json: it is a JSON value. NULL: it has none. */
const char *dq_rank_texts_get(const dq_rank_texts *texts, size_t k, uint32_t number, size_t *bytes,
                              bool *json);
void dq_rank_texts_free(dq_rank_texts *texts);

#endif
