/* SPDX-License-Identifier: MIT
 *
 * A struct of numbers as a record in the metadata of a bundle, each under a name, and columns that must have
 * as many numbers as there is room for: what a checkpoint keeps of a run.
 */
#ifndef DQ_CORE_RECORD_H
#define DQ_CORE_RECORD_H

#include "core/rng.h"
#include "dq/bundle.h"

/* A double (a NAN or infinity travels as nil), a uint64_t, a uint32_t (or enumeration), or a bool. */
typedef enum dq_record_type {
    DQ_RECORD_REAL,
    DQ_RECORD_COUNT,
    DQ_RECORD_SMALL,
    DQ_RECORD_FLAG
} dq_record_type;

/* A member of the struct. */
typedef struct dq_record_field {
    const char *name;
    dq_record_type type;
    size_t offset;
} dq_record_field;

/* meta[key] of a model from a record. */
dq_status dq_record_save(const dq_record_field *fields, size_t count, const void *record, const char *key,
                         dq_bundle *model, dq_error *error);
/* The way back; what is not there is NAN, 0, false, and a small number out of range is UINT32_MAX.
 * DQ_ERR_SCHEMA when the model has no such key. */
dq_status dq_record_restore(const dq_record_field *fields, size_t count, void *record, const char *key,
                            const dq_bundle *model, dq_error *error);

/* A list of whole numbers under a name of a map; false when memory is short. */
bool dq_record_save_list(const uint32_t *numbers, size_t count, const char *name, dq_value *map,
                         dq_arena *arena);
/* The way back from such a list: at most `room` numbers, each in [min, max]; false where it is none. */
bool dq_record_read_list(const dq_value *list, uint32_t min, uint32_t max, uint32_t *numbers, uint32_t room,
                         uint32_t *count);

/* What *n says where a column may have any number of elements. */
#define DQ_RECORD_ANY UINT64_MAX

/* Finds a column of exactly *n elements of a type (DQ_RECORD_ANY: *n becomes their number); DQ_ERR_SCHEMA
 * where there is no such column. */
dq_status dq_record_find(const dq_bundle *model, const char *name, dq_dtype type, uint64_t *n,
                         const dq_column **column, dq_error *error);
/* Copies such a column's n elements. */
dq_status dq_record_column(const dq_bundle *model, const char *name, dq_dtype type, uint64_t n, void *to,
                           dq_error *error);

/* A column of a checkpoint, PREFIX.NAME: rows of width numbers, or with width 0 plain numbers. */
typedef struct dq_record_part {
    const char *name;
    dq_dtype type;
    uint64_t rows, width;
    void *data;
} dq_record_part;

/* Adds such columns (borrowed), and takes them up again: DQ_ERR_SCHEMA where one is missing or has another
 * size. */
dq_status dq_record_save_parts(const dq_record_part *parts, size_t count, const char *prefix,
                               dq_bundle *model, dq_error *error);
dq_status dq_record_restore_parts(const dq_record_part *parts, size_t count, const char *prefix,
                                  const dq_bundle *model, dq_error *error);

/* n generators of random numbers as a column u8 (n, 4), pointing to them, and back. DQ_ERR_SCHEMA also for a
 * state of zeros, from which nothing but zeros would ever be drawn. */
dq_status dq_record_save_rng(const dq_rng *rng, uint64_t n, const char *name, dq_bundle *model,
                             dq_error *error);
dq_status dq_record_rng(const dq_bundle *model, const char *name, uint64_t n, dq_rng *rng, dq_error *error);

#endif
