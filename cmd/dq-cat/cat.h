/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-cat: how the rows that data/select chose are printed (print.c, tsv.c), whether a stream is
 * sound and where it comes from (check.c), sections as one (join.c), and other file formats (files.c).
 */
#ifndef DQ_CAT_CAT_H
#define DQ_CAT_CAT_H

#include "cli/cli.h"
#include "data/select.h"
#include "dq/schema.h"
#include "dq/sink.h"
#include "port/files/json.h"

/* Appends the chosen rows as JSON lines; with_kind puts the kind first. */
dq_status dq_cat_print_json(dq_json_text *out, const dq_bundle *bundle, const dq_selection *select,
                            bool with_kind, dq_error *error);
/* The same as tab-separated values, all of one kind; the first call writes the names of columns. */
typedef struct dq_cat_tsv {
    const char **names;
    size_t count;
    char *kind;
    dq_arena arena;
} dq_cat_tsv;
dq_status dq_cat_print_tsv(dq_json_text *out, const dq_bundle *bundle, const dq_selection *select,
                           dq_cat_tsv *tsv, dq_error *error);

/* What --check, --count and --lineage do with a whole stream. */
dq_status dq_cat_check(dq_reader *in, dq_progress *progress, dq_error *error);
dq_status dq_cat_count(dq_reader *in, const dq_texts *kinds, dq_sink *out, dq_progress *progress,
                       dq_error *error);
dq_status dq_cat_lineage(dq_reader *in, dq_sink *out, dq_progress *progress, dq_error *error);

/* Writes all sections as one: entities once, references to the joined rows. */
dq_status dq_cat_join(dq_reader *in, dq_writer *out, dq_progress *progress, dq_error *error);

/* Vectors of users or items, kept until all are there: .npy has its number of rows first. */
typedef struct dq_cat_array {
    dq_bundle *bundles;
    size_t count, room;
    uint64_t rows, width;
    dq_dtype type;
    char kind[16]; /* of the first */
} dq_cat_array;
/* Keeps the bundle (it is emptied). */
dq_status dq_cat_array_add(dq_cat_array *array, dq_bundle *bundle, dq_error *error);
/* Writes the array, and the ids to the file `ids` unless it is NULL. */
dq_status dq_cat_array_write(const dq_cat_array *array, dq_sink *out, const char *ids, dq_error *error);
void dq_cat_array_free(dq_cat_array *array);

/* Reads an .npy file as a stream's bundles of a kind, `users` or `items`, each given to put. Ids come one a
 * line from the file `ids`; NULL: rows are numbered from 0. */
typedef dq_status (*dq_cat_put)(void *arg, dq_bundle *bundle, dq_error *error);
dq_status dq_cat_read_npy(const char *path, const char *ids, const char *kind, dq_cat_put put, void *arg,
                          dq_error *error);
/* Reads a safetensors file as one model bundle. */
dq_status dq_cat_read_safetensors(const char *path, dq_cat_put put, void *arg, dq_error *error);

#endif
