/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-cat: which rows (cat_select.c, cat_time.c), how they are printed (cat_print.c), whether a
 * stream is sound and where it comes from (cat_check.c), and other file formats (cat_files.c).
 */
#ifndef DQ_CAT_CAT_H
#define DQ_CAT_CAT_H

#include "cli/cli.h"

#include "dq/schema.h"
#include "dq/sink.h"
#include "port/files/json.h"

enum { DQ_CAT_USERS, DQ_CAT_ITEMS, DQ_CAT_SIDES };

/* One side of the section being read: its ids by row, and where each row went. */
typedef struct dq_cat_side {
    dq_strings ids;
    uint32_t *place; /* (ids.count) row in the output, or UINT32_MAX where it was left out */
    size_t room;
    uint32_t kept;
} dq_cat_side;

typedef struct dq_cat_select {
    /* what is asked for */
    dq_texts kinds;   /* empty: all, or the sides that user and item name */
    const char *user; /* id, or NULL */
    const char *item;
    const char *since, *before, *time; /* a span of interactions' time, and the attribute that says it */
    bool by_head, by_row;
    uint64_t head, row;
    bool renumber; /* the output is a stream: rows whose references are left out are left out too */
    /* where we are */
    dq_cat_side side[DQ_CAT_SIDES];
    uint64_t section;
    uint64_t matched, kept; /* rows so far */
    bool done;              /* nothing more can come */
    /* of the current bundle */
    bool whole; /* every row, and no reference has moved */
    uint32_t *rows;
    size_t count, room;
} dq_cat_select;

/* Chooses rows of a bundle into select->rows. A model counts as one row, and so does a bundle that is no
 * table. */
dq_status dq_cat_choose(dq_cat_select *select, const dq_bundle *bundle, uint64_t section, dq_error *error);
/* The chosen rows as a bundle of their own, references renumbered. Not for select->whole. */
dq_status dq_cat_extract(const dq_cat_select *select, const dq_bundle *bundle, dq_bundle *to,
                         dq_error *error);
/* The column that tells when a bundle's rows were; NULL when that does not matter. DQ_ERR_UNKNOWN when it is
 * wanted and not there. */
dq_status dq_cat_time_column(const dq_cat_select *select, const dq_bundle *bundle, const dq_column **time,
                             dq_error *error);
/* Whether a row is not before --since, and before --before; one without a time is not. */
bool dq_cat_in_time(const dq_cat_select *select, const dq_column *time, uint64_t row);
/* DQ_ERR_UNKNOWN when what was asked for by name or number never came. */
dq_status dq_cat_found(const dq_cat_select *select, dq_error *error);
void dq_cat_select_free(dq_cat_select *select);

/* True when all columns have the bundle's rows. */
bool dq_cat_is_table(const dq_bundle *bundle);
/* DQ_CAT_USERS or DQ_CAT_ITEMS for "users" and "items"; -1 for other kinds and NULL. */
int dq_cat_side_of(const char *kind);

/* Appends the chosen rows as JSON lines; with_kind puts the kind first. */
dq_status dq_cat_print_json(dq_json_text *out, const dq_bundle *bundle, const dq_cat_select *select,
                            bool with_kind, dq_error *error);
/* The same as tab-separated values, all of one kind; the first call writes the names of columns. */
typedef struct dq_cat_tsv {
    const char **names;
    size_t count;
    char *kind;
    dq_arena arena;
} dq_cat_tsv;
dq_status dq_cat_print_tsv(dq_json_text *out, const dq_bundle *bundle, const dq_cat_select *select,
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
