/* SPDX-License-Identifier: MIT
 *
 * A place of a user's list as a line of text: what rankings are written as, and read from
 * (report/rankings.h).
 */
#ifndef DQ_REPORT_PLACE_H
#define DQ_REPORT_PLACE_H

#include "port/files/json.h"

typedef enum dq_place_form {
    DQ_PLACE_TREC, /* user Q0 item rank score run */
    DQ_PLACE_TSV,  /* user, rank, item, score; of a drawn list also propensity, request, model; disagreement,
                      where asked for; tabs and line ends in ids escaped */
    DQ_PLACE_JSON, /* {"user":"u","item":"i","rank":1,"score":0.5}, and likewise */
} dq_place_form;

/* A text or an attribute of the item, in a column, or under a key, of that name. */
typedef struct dq_place_text {
    const char *name;
    const char *text; /* NULL: it has none; an empty cell, no key */
    size_t bytes;
    bool json; /* text is a JSON value; a cell has a string without quotes */
} dq_place_text;

typedef struct dq_place {
    const char *user;
    size_t user_bytes;
    const char *item;
    size_t item_bytes;
    size_t rank;                 /* from 1 */
    double score;                /* trec_eval orders by it alone, not by the rank */
    double propensity;           /* of a list that was drawn; 0: of another, which has no request, no model */
    const char *request, *model; /* a run of TREC has no room for these three */
    const float *disagreement;   /* of the networks of a score; NULL: no column of it; nor for this */
    const dq_place_text *texts;  /* (text_count) nor for these */
    size_t text_count;
} dq_place;

/* Appends the line; run names a run of TREC. DQ_ERR_MEMORY; DQ_ERR_FORMAT for a text that is not the JSON it
 * calls itself. */
dq_status dq_place_write(dq_json_text *line, dq_place_form form, const dq_place *place, const char *run,
                         dq_error *error);
/* Appends the names of the columns of TSV; drawn: of lists that were; disagreement: with that column. */
dq_status dq_place_write_header(dq_json_text *line, bool drawn, bool disagreement, const dq_place_text *texts,
                                size_t text_count, dq_error *error);
/* Whether a column, or key, that is no text of the item's has that name. */
bool dq_place_has_column(const char *name);
/* Whether a TREC run can hold an id, which `what` ("user", "item") says in an error: DQ_ERR_UNSUPPORTED for
 * white space in it, and for none at all. */
dq_status dq_place_check(const char *what, const char *id, size_t bytes, dq_error *error);

#endif
