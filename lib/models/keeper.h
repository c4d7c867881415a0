/* SPDX-License-Identifier: MIT
 *
 * Models on their way into a folder: a file is written aside at once, and a thread makes it durable, with all
 * that gathered while it was at work: their bytes are synced one after the other, then all get their names,
 * in their order, then the folder is synced once. So whoever makes small models does not wait for the disk
 * with each of them, and a file that is there is whole, as ever.
 */
#ifndef DQ_MODELS_KEEPER_H
#define DQ_MODELS_KEEPER_H

#include "models/directory.h"

typedef struct dq_model_keeper dq_model_keeper;

/* What is to be durable before files get their names: called by the keeper's thread; may be NULL. */
typedef dq_status (*dq_model_keeper_before)(void *arg, dq_error *error);

/* The folder is borrowed, and is there; one that cannot be opened is an error, but where it may not be read,
 * and so not be synced. The thread starts with the first file, so that who forks before has none beside;
 * without one to be had each file is completed as it comes. It can be freed also when this fails. */
dq_status dq_model_keeper_new(dq_model_keeper **keeper, const dq_model_dir *dir,
                              dq_model_keeper_before before, void *arg, dq_error *error);
/* Makes or replaces a user's file of the bytes that read(from, ...) gives: a stream of this maker and these
 * inputs, as it is to stand there. Waits where much has gathered. A failure is this file's or that of one
 * before, after which none is taken. */
dq_status dq_model_keeper_put(dq_model_keeper *keeper, const char *id, size_t bytes, dq_source_fn read,
                              void *from, dq_error *error);
/* Waits until all are in the folder, durably. */
dq_status dq_model_keeper_settle(dq_model_keeper *keeper, dq_error *error);
/* Settles, and ends; NULL is nothing. */
void dq_model_keeper_free(dq_model_keeper *keeper);

#endif
