/* SPDX-License-Identifier: MIT
 *
 * Agents that a stop left half made, or that were made before their turn came: DIR/.half/NAME
 * (models/name.h), a stream of the maker and the inputs of the folder's models, so that the run that goes on
 * takes up what is its own and nothing else:
 *
 *     a section of one bundle, of kind "log"   meta.made, meta.logged; `line` (json): what the agent had
 *                                              written to the log
 *     a section of its models                  where it is made; else of a checkpoint, a model that training
 *                                              goes on from
 *
 *     dq_model_half_keep(&dir, id, bytes, &left, &e);
 *     dq_model_half_open(&half, &dir, id, bytes, logged, &e);       half.reader: NULL where there is none
 *     dq_model_half_close(&half);
 *     dq_model_half_drop(&dir, id, bytes, &e);                       once he is made
 */
#ifndef DQ_MODELS_HALF_H
#define DQ_MODELS_HALF_H

#include "models/directory.h"

/* What an agent's work came to, as whoever did it hands it over: read(stream, ...), read(lines, ...). */
typedef struct dq_model_left {
    dq_source_fn read;
    void *stream; /* the bytes of a stream: its models, or a checkpoint */
    void *lines;  /* those of the log; NULL: there is none */
    bool made;
} dq_model_left;

/* Makes or replaces a user's half, durably. Lines are of JSON, in compact form. DQ_ERR_RANGE for an id that
 * can have no file, DQ_ERR_FORMAT for a log that ends in the midst of a line. */
dq_status dq_model_half_keep(const dq_model_dir *dir, const char *id, size_t bytes, const dq_model_left *left,
                             dq_error *error);

typedef struct dq_model_half {
    dq_reader *reader; /* before what follows the lines; NULL: there is no half of this run */
    dq_bundle lines;   /* `line` */
    bool made;
} dq_model_half;

/* Opens a user's half. One that cannot be read, or is damaged, is none: the agent is made from its beginning.
 * So is with `logged` one that was made without a log: lines would lack. DQ_ERR_MEMORY; it can be closed also
 * then. */
dq_status dq_model_half_open(dq_model_half *half, const dq_model_dir *dir, const char *id, size_t bytes,
                             bool logged, dq_error *error);
void dq_model_half_close(dq_model_half *half);

/* Whether the folder has a place of halves: without one there is none to open or to drop. */
bool dq_model_halves_are(const dq_model_dir *dir);
/* Removes what was written aside there (dq_model_dir_clean). */
dq_status dq_model_halves_clean(const dq_model_dir *dir,
                                bool (*ours)(void *arg, const char *id, size_t bytes), void *arg,
                                dq_error *error);
/* Removes a user's half, where there is one. */
dq_status dq_model_half_drop(const dq_model_dir *dir, const char *id, size_t bytes, dq_error *error);
/* Removes the place where it is empty. Nobody else may keep halves there meanwhile. */
void dq_model_halves_end(const dq_model_dir *dir);

#endif
