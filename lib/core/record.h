/* SPDX-License-Identifier: MIT
 *
 * A run's place in a checkpoint: the numbers of a struct, each under a name in a map of the metadata, and
 * columns that must have as many numbers as the run has room for.
 */
#ifndef DQ_CORE_RECORD_H
#define DQ_CORE_RECORD_H

#include "dq/bundle.h"

typedef enum learn_number_type { LEARN_REAL, LEARN_COUNT, LEARN_SMALL, LEARN_FLAG } learn_number_type;

/* A double (a NAN or infinity travels as nil), a uint64_t, a uint32_t (or enumeration), or a bool of a
 * struct.
 */
typedef struct learn_number {
    const char *name;
    learn_number_type type;
    size_t offset;
} learn_number;

/* meta[key] of a model from a place; false when memory is short. */
bool learn_place_save(const learn_number *numbers, size_t count, const void *place, const char *key,
                      dq_bundle *model);
/* The way back; what is not there is NAN, 0, false, and a small number out of range is UINT32_MAX.
 * DQ_ERR_SCHEMA when the model has no such key. */
dq_status learn_place_restore(const learn_number *numbers, size_t count, void *place, const char *key,
                              const dq_bundle *model, dq_error *error);

/* Copies a column of exactly n elements of a type; DQ_ERR_SCHEMA for another. */
dq_status learn_column_take(const dq_bundle *model, const char *name, dq_dtype type, uint64_t n, void *to,
                            dq_error *error);

#endif
