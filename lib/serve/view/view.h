/* SPDX-License-Identifier: MIT
 *
 * Views of a catalogue in memory, as values that become JSON: what a page shows of users, items and what they
 * did. Each takes time in proportion to the interactions, or to the rows that it looks at, and holds nothing.
 * Values live in the arena, and their texts there or in the catalogue. All return DQ_ERR_MEMORY when memory
 * is short.
 */
#ifndef DQ_SERVE_VIEW_VIEW_H
#define DQ_SERVE_VIEW_VIEW_H

#include "data/catalogue.h"
#include "data/label_map.h"

typedef enum dq_view_side { DQ_VIEW_USERS, DQ_VIEW_ITEMS } dq_view_side;

enum { DQ_VIEW_LIMIT = 100, DQ_VIEW_HISTORY = 100 };

/* A piece of a list. Texts are NUL-terminated; NULL: none. */
typedef struct dq_view_page {
    uint32_t limit;    /* 1 .. DQ_VIEW_LIMIT */
    const char *after; /* begins behind this id */
    const char *words; /* only those that have these words, whatever their case (ASCII), in an id, a text or
                          an attribute */
} dq_view_page;

/* {"users": [{"user_id", "texts", "attributes", "interactions"}], "next", "total"}, or "items" with "item_id"
 * and "title". next: the id to go on behind, or null. DQ_ERR_UNKNOWN for an id that is not there. */
dq_status dq_view_list(const dq_catalogue *catalogue, dq_view_side side, const dq_view_page *page,
                       dq_arena *arena, dq_value *out, dq_error *error);

/* One of them, the same and its "history": what was done last, the latest first, at most DQ_VIEW_HISTORY:
 * {"item_id", "title"} or {"user_id"}, {"label", "reward", "time"}. map: rewards of labels. Where
 * interactions have the attribute `time`, it tells the order; else the order of the stream does.
 * DQ_ERR_UNKNOWN. */
dq_status dq_view_one(const dq_catalogue *catalogue, dq_view_side side, const char *id,
                      const dq_label_map *map, dq_arena *arena, dq_value *out, dq_error *error);

/* How all is distributed: {"interactions", "labels", "rewards", "item_popularity", "user_activity", "users",
 * "items"}. Numbers are counted in at most DQ_VIEW_BINS bins of one width, [from, to), the last with its end;
 * of other values the DQ_VIEW_VALUES most frequent are there, then how many others there are. Attributes of
 * objects and lists are left out. */
enum { DQ_VIEW_BINS = 20, DQ_VIEW_VALUES = 20 };
dq_status dq_view_distributions(const dq_catalogue *catalogue, const dq_label_map *map, dq_arena *arena,
                                dq_value *out, dq_error *error);

/* {"mean", "min", "max", "bins": [{"from", "to", "count"}]} of n finite numbers; of whole ones the bins' ends
 * are whole, too. */
dq_status dq_view_histogram(const double *numbers, size_t n, bool whole, dq_arena *arena, dq_value *out,
                            dq_error *error);

/* What a model makes of one user. */
typedef struct dq_view_model {
    const char *name, *kind, *error; /* kind and error may be NULL; with an error there are no numbers */
    const float *q;                  /* (items) by the catalogue's rows */
    const float *world;              /* (items) its world model's rewards; NULL: it has none */
} dq_view_model;

/* {"user_id", "models": [{"name", "kind", "world", "error"}], "items": [{"item_id", "title", "popularity",
 * "label", "values": [{"model", "q", "world", "rank"}]}]}: of each model the n items of the greatest Q (of
 * equal ones those that come first), those of the first model first. rank: the item's place by Q, from 1.
 * label: of the last interaction of the two that has one. */
dq_status dq_view_values(const dq_catalogue *catalogue, uint32_t user, const dq_view_model *models,
                         size_t count, uint32_t n, dq_arena *arena, dq_value *out, dq_error *error);

/* ---- pieces, for other views ---- */

/* An entity's id as a value. */
dq_value dq_view_id(const dq_entities *entities, uint32_t row);
/* What an item is called: text.title, else its first text; nil: it has none. */
dq_value dq_view_title(const dq_entities *items, uint32_t row);
/* How many interactions each of `count` users or items has; in the arena. NULL: memory is short. */
uint32_t *dq_view_count(const dq_catalogue *catalogue, dq_view_side side, dq_arena *arena);

#endif
