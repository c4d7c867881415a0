/* SPDX-License-Identifier: MIT
 *
 * What was written, in words: "9742 items (title; vectors 384)", "100836 interactions (reward 0 to 1, time)".
 */
#ifndef DQ_IMPORT_SUMMARY_H
#define DQ_IMPORT_SUMMARY_H

#include "import/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of one kind. */
typedef struct dq_import_made {
    uint64_t rows;
    char texts[160], vectors[160]; /* names of texts; names and widths of fields; "" where there are none */
    bool rewarded;
    float lowest, highest; /* of the rewards */
    char logged[80];       /* what interactions have beside a reward: "label, time" */
} dq_import_made;

/* All of it; zero-initialise. */
typedef struct dq_import_summary {
    dq_import_made users, items, interactions;
} dq_import_summary;

dq_import_made *dq_import_summary_of(dq_import_summary *summary, const char *kind);

/* Notes the fields of a layout that has vectors: "384", or "title 384, plot 384". */
void dq_import_made_vectors(dq_import_made *made, const dq_import_layout *layout);

/* Writes "610 users", and what `made` says of them in parentheses, cut to size >= 1 bytes. `how` follows the
 * noun (" made from the interactions", or ""); `column` is the one that the reward stood in, or NULL. */
void dq_import_made_describe(const dq_import_made *made, const char *noun, const char *how,
                             const char *column, char *text, size_t size);

#endif
