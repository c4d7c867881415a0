/* SPDX-License-Identifier: MIT
 *
 * A folder of models, one file a user (models/name.h): a stream that one run made, written aside, synced and
 * renamed, so that a file that is there is whole, and a run that was ended goes on from those.
 *
 *     dq_model_dir dir = {"agents", &maker, inputs, count};
 *     dq_model_dir_make(&dir, &e);
 *     dq_model_dir_find(&dir, id, bytes, &found, &e);      DQ_MODEL_SAME: it need not be made again
 *     dq_model_keeper_put(keeper, id, bytes, read, from, &e);      models/keeper.h
 *     dq_model_dir_open(&dir, id, bytes, &reader, &e);
 */
#ifndef DQ_MODELS_DIRECTORY_H
#define DQ_MODELS_DIRECTORY_H

#include "dq/stream.h"

/* What it points to is borrowed; a folder that is only read needs the path alone. */
typedef struct dq_model_dir {
    const char *path;
    const dq_maker *maker;    /* of the models that are to be there */
    dq_reader *const *inputs; /* (input_count) what they are made of, read to the end */
    size_t input_count;
} dq_model_dir;

typedef enum dq_model_found {
    DQ_MODEL_NONE,  /* there is no file */
    DQ_MODEL_OTHER, /* of other options, another seed, version or input; or it is damaged */
    DQ_MODEL_SAME   /* it is what this maker makes of these inputs */
} dq_model_found;

/* Makes the folder, unless it is there. */
dq_status dq_model_dir_make(const dq_model_dir *dir, dq_error *error);

/* What a user's file is, which is read to its end. DQ_ERR_RANGE for an id that can have no file, DQ_ERR_IO
 * for one that cannot be read. */
dq_status dq_model_dir_find(const dq_model_dir *dir, const char *id, size_t bytes, dq_model_found *found,
                            dq_error *error);
/* PATH/NAME of a user's file, to be freed. DQ_ERR_RANGE for an id that can have none. */
dq_status dq_model_dir_path(const dq_model_dir *dir, const char *id, size_t bytes, char **path,
                            dq_error *error);
/* Keeps a model that others started from beside them, where a reader looks for it (wire/delta/starts.h),
 * unless it is there already. It is as it was read. */
dq_status dq_model_dir_keep_start(const dq_model_dir *dir, const dq_bundle *start, dq_error *error);
/* Removes the starts of which no model of the folder is any more, *removed of them. Nobody else may put
 * models there meanwhile (dq_model_claim_all). It reads models until each start has been seen to be of one;
 * where that fails none is removed. */
dq_status dq_model_dir_sweep(const dq_model_dir *dir, size_t *removed, dq_error *error);
/* Opens a user's file, as it stands: it may have a delta; *reader NULL: there is none. */
dq_status dq_model_dir_open(const dq_model_dir *dir, const char *id, size_t bytes, dq_reader **reader,
                            dq_error *error);
/* Opens the file of some user, the first by name. DQ_ERR_UNKNOWN for a folder without any. */
dq_status dq_model_dir_any(const dq_model_dir *dir, dq_reader **reader, dq_error *error);
/* Whether a model names this user (meta.user). */
bool dq_model_is_of(const dq_bundle *model, const char *id, size_t bytes);
/* Hands every bundle on to a writer, up to the clean end. */
dq_status dq_models_pass(dq_reader *reader, dq_writer *writer, dq_error *error);
/* Removes what was written aside for users whom `ours` knows, and never got its name: of a run that was
 * killed where files without a name cannot be. */
dq_status dq_model_dir_clean(const dq_model_dir *dir, bool (*ours)(void *arg, const char *id, size_t bytes),
                             void *arg, dq_error *error);

#endif
