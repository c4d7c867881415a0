/* SPDX-License-Identifier: MIT
 *
 * Which rows of a stream's bundles stay: by kind, by user and item, by time, by number. References are
 * followed: transitions are chosen by the ids that they refer to, and when the choice is to be a stream again
 * they are counted anew, and those that refer to a row that was left out are left out, too.
 *
 *     dq_selection s = {.user = {.ids = ids, .count = 1}, .renumber = true};
 *     while (!dq_select_done(&s) && ... the next bundle of the stream) {
 *         dq_select_rows(&s, &bundle, section, &e);
 *         if (s.whole) ... the bundle
 *         else if (s.count) dq_select_copy(&s, &bundle, &chosen, &e);
 *     }
 */
#ifndef DQ_DATA_SELECT_H
#define DQ_DATA_SELECT_H

#include "data/identity.h"
#include "data/time.h"

/* The users or the items of the section being read: their ids by row, and where each row went. */
typedef struct dq_selected {
    dq_strings ids;
    uint32_t *place; /* (ids.count) row in the output, or DQ_ABSENT where it was left out */
    size_t capacity;
    uint32_t kept;
} dq_selected;

enum { DQ_SELECT_KINDS = 64, DQ_SELECT_IDS = 64 }; /* that one selection may name */

/* Ids of users or of items that are asked for. */
typedef struct dq_wanted {
    const char *const *ids; /* (count <= DQ_SELECT_IDS); borrowed */
    size_t count;
    uint64_t came; /* bit i: some row was or named ids[i], chosen or not */
} dq_wanted;

/* Set what is asked for and leave the rest zero. All that is asked for must hold of a row. */
typedef struct dq_selection {
    /* what is asked for; borrowed */
    const char *const *kinds; /* (kind_count <= DQ_SELECT_KINDS); none: all, or those that user and item
                               * name */
    size_t kind_count;
    dq_wanted user; /* these users; of other kinds the rows that name or refer to one; none: all */
    dq_wanted item;
    dq_time since, before; /* of interactions: since <= time < before; DQ_TIME_NONE: no bound */
    const char *time;      /* the attribute that says it; wanted with a bound */
    const char *kept_as;   /* of models those of which meta.kept says this; NULL: all */
    bool by_head, by_row;
    uint64_t head; /* with by_head: the first so many rows that match */
    uint64_t row;  /* with by_row: the row of this number among them, from 0 */
    bool renumber; /* the output is a stream: see above */
    bool no_ids;   /* nobody asks what references mean, and neither user nor item is set: ids are not kept */
    /* where we are */
    dq_selected entities[DQ_ENTITY_KINDS];
    uint64_t section;
    uint64_t matched, kept; /* rows so far */
    bool done, kept_came;   /* kept_came: a model that kept_as asks for */
    uint64_t kinds_came;    /* bit i: a bundle of kinds[i] */
    dq_time_tally times;    /* that bounds were compared with */
    /* of the bundle that came last */
    bool whole;     /* every row, and no reference has moved */
    uint32_t *rows; /* (count) ascending */
    size_t count, capacity;
} dq_selection;

/* Chooses rows of a bundle, which is as a reader gives it, into selection->rows. A model counts as one row.
 * section is dq_reader_section. DQ_ERR_RANGE when rows to renumber refer to a kind that is not selected,
 * DQ_ERR_UNKNOWN when a bound of time is set and interactions have no such attribute, DQ_ERR_SCHEMA when one
 * has a time that is none, DQ_ERR_MEMORY. */
dq_status dq_select_rows(dq_selection *selection, const dq_bundle *bundle, uint64_t section, dq_error *error);
/* The chosen rows of a table as a bundle of their own (*to; the caller frees it). Not when all of it stays
 * (selection->whole). */
dq_status dq_select_copy(const dq_selection *selection, const dq_bundle *bundle, dq_bundle *to,
                         dq_error *error);
/* The kinds that the programs write, one by one; NULL: there are no more. A stream may have others. */
const char *dq_select_kind_at(size_t i);
/* Whether rows of this kind are asked for. */
bool dq_select_wants(const dq_selection *selection, const char *kind);
/* Whether nothing more can come, so that the rest of the stream need not be read. */
bool dq_select_done(const dq_selection *selection);
/* When all was read, or enough (dq_select_done: then what did not come may still stand in the rest, and is no
 * error): DQ_ERR_UNKNOWN when a kind, a user, an item, a row or a kept model was asked for and none came, or
 * a user and an item that have nothing in common; DQ_ERR_SCHEMA when the times that bounds were compared with
 * do not go together (dq_time_check_forms). A user or item that is there, and of which no row is chosen, is
 * none. */
dq_status dq_select_found(const dq_selection *selection, dq_error *error);
void dq_select_free(dq_selection *selection);

/* The id that number i of a column of references means; NULL when the column refers to neither users nor
 * items. */
const char *dq_select_id(const dq_selection *selection, const dq_column *column, uint64_t i, size_t *bytes);
/* Whether the columns have the bundle's rows, as those of every kind but a model do (dq_schema_check). */
bool dq_select_is_table(const dq_bundle *bundle);

#endif
