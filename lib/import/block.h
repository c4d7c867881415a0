/* SPDX-License-Identifier: MIT
 *
 * Rows into blocks of columns. A column begins where its name is first seen and is null in the rows before;
 * in each block only the columns with a value are written. A block is cut once its bytes pass 2 MiB, which
 * depends on the rows alone, so the same rows give the same blocks.
 */
#ifndef DQ_IMPORT_BLOCK_H
#define DQ_IMPORT_BLOCK_H

#include "dq/stream.h"
#include "import/row.h"
#include "import/summary.h"

/* Told how many rows of a kind have been taken: 0 as it begins, then after every row, and once more, with
 * `ended`, when all are written. */
typedef void (*dq_import_watch)(void *arg, const char *kind, uint64_t rows, bool ended);

/* Where blocks go. */
typedef struct dq_import_target {
    dq_writer *writer;
    bool flush;            /* every block is made visible to the reader of a pipe */
    dq_import_watch watch; /* or NULL */
    void *watch_arg;
    dq_import_summary *summary; /* is told what was written; or NULL */
    const dq_pair_names *pairs; /* (pair_count), for items' metadata */
    size_t pair_count;
} dq_import_target;

typedef struct dq_import_block dq_import_block;

/* Begins rows of a kind. The layout is that of users or items, and need not be known before the first row;
 * interactions have none (NULL). Kind, layout and target are borrowed until the block is freed. */
dq_status dq_import_block_new(dq_import_block **block, const char *kind, const dq_import_layout *layout,
                              const dq_import_target *target, dq_error *error);
/* Adds a row; a full block is written. */
dq_status dq_import_block_entity(dq_import_block *block, const dq_import_entity *entity, dq_error *error);
dq_status dq_import_block_interaction(dq_import_block *block, const dq_import_interaction *interaction,
                                      dq_error *error);
/* Writes the last rows. */
dq_status dq_import_block_finish(dq_import_block *block, dq_error *error);
void dq_import_block_free(dq_import_block *block);

/* Every pair of the target names fields of equal width (of those, users or items, that have vectors):
 * DQ_ERR_UNKNOWN, DQ_ERR_RANGE. */
dq_status dq_import_check_pairs(const dq_import_target *target, const dq_import_layout *users,
                                const dq_import_layout *items, dq_error *error);

#endif
