/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share. A tile is some users, at most FEATURE_TILE of them, against the whole
 * list: each product of matrices has FEATURE_TILE rows, of which those beyond the tile's users are zeros, and
 * `stride` columns, which are the list's items between margins of zeros (math/blas.h). So the shape of a
 * product, and with it the order of its sums, does not depend on who is asked about.
 *
 * What several kinds need is computed when the first of them asks (feature_cosines, feature_likely, ...) and
 * stays until the tile is over.
 */
#ifndef DQ_FEATURE_FEATURE_IMPL_H
#define DQ_FEATURE_FEATURE_IMPL_H

#include "dq/arena.h"
#include "feature/feature.h"
#include "math/blas.h"

enum {
    FEATURE_TILE = DQ_GEMM_ROWS, /* users of a tile */
    FEATURE_FIELDS = 32,         /* fields of users, or of items, that are looked at */
    FEATURE_PAIRS = 64,          /* pairs of fields of one width */
};

/* p(i) = softmax of LIKELY_SHARPNESS cos(user field, item field): how likely it is that i is the user's own
 * item. */
#define LIKELY_SHARPNESS 25.0F

/* A range of a vector. */
typedef struct feature_field {
    char name[64];
    uint32_t offset, width;
} feature_field;

typedef struct feature_fields {
    feature_field at[FEATURE_FIELDS];
    uint32_t count;
} feature_fields;

/* Numbers of a user field and an item field of one width. */
typedef struct feature_pair {
    uint32_t user, item;
} feature_pair;

/* Rows of numbers of different length: row v is [start[v], start[v + 1]) of item and gain. */
typedef struct feature_labels {
    uint32_t *start; /* (rows + 1) */
    uint32_t *item;  /* labelled items; in a list's labels: numbers of the list's items */
    float *gain;     /* (0, 1] */
} feature_labels;

/* What training users had seen before, of which R is made (history.c). start NULL: nobody asks. */
typedef struct feature_history {
    uint32_t last;   /* items of a user that count; 0: all */
    double recency;  /* in (0, 1] */
    uint32_t *start; /* (users + 1) */
    uint64_t *item;  /* ids, in the order of time */
} feature_history;

/* Memory of a thread. All but the last three are (FEATURE_TILE, ...). */
typedef struct feature_ridge_scratch {
    float *z;              /* (width) */
    float *kernel;         /* (n) */
    float *weight;         /* (n) */
    uint32_t *left_out;    /* (most + 1) who is left out */
    double *part, *factor; /* (most + 1), and its triangle: the system that is solved for them */
} feature_ridge_scratch;

/* A fit of the labels of some training users (ridge.c). n 0: nobody asks. */
typedef struct feature_ridge {
    uint32_t n, user_width, width;  /* users, and numbers that the kernel compares */
    uint32_t *user;                 /* (n) numbers of training users, ascending */
    float *vectors;                 /* (n, width) */
    float *inverse;                 /* (n, n) A */
    uint32_t groups, most;          /* of users, and the users of the greatest; 0 outside training */
    uint32_t *of_user;              /* (n) number of each one's group */
    uint32_t *member, *first;       /* (n), (groups + 1) who is of a group, ascending */
    double *factor;                 /* of A_SS of group g at factor_at[g] (math/cholesky.h) */
    size_t *factor_at;              /* (groups) */
    feature_ridge_scratch *scratch; /* (threads) */
} feature_ridge;

/* What the set is bound to. */
typedef struct feature_list {
    uint32_t n;            /* items */
    size_t margin, stride; /* stride = n + 2 margin: columns of a tile's rows; item i is column margin + i */
    float **unit;          /* (item fields) each (stride, width): vectors of length 1, or of zeros */
    feature_labels labels; /* the training users' labels of items of this list */
    float *hub;            /* (stride) mean cosine of each item's field of the pair with all items' */
    float *likely;         /* (users, stride) p of each training user; NULL: nobody asks */
    double *likely_sum;    /* (stride) of its columns */
    uint32_t *seen;        /* (items of set.history) numbers of the list's items, or DQ_ABSENT */
    float *seen_weight;    /* (the same) w of its user */
    float *alike;          /* (stride, stride) k of each two items; NULL: nobody asks */
    feature_ridge ridge, held_ridge;
    dq_arena arena;
} feature_list;

/* Memory of a thread. All are (FEATURE_TILE, ...). */
typedef struct feature_scratch {
    float *user[FEATURE_FIELDS]; /* (width) unit vectors */
    float *cosine;               /* (pairs) of (FEATURE_TILE, stride) */
    float *likely;               /* (stride) */
    float *neighbour;            /* (training users) cosines with them */
    float *weight;               /* (training users) */
    float *mean;                 /* (widest item field) */
    float *column;               /* (stride) the column that is being filled */
    float *rank;                 /* -log(1 + rank): (n) by rank */
    uint32_t *order;             /* (4 n) of one user */
    double *rest;                /* (n) of one user */
    float *own;                  /* (3 n) of one user: w, and what is made of it */
    double *holders;             /* (2 n) of one user */
    float *held;                 /* 3 times (stride): R of the users' own items, where it is, and k's sum */
} feature_scratch;

struct dq_feature_set {
    dq_pool *pool;
    const dq_feature_kind *kinds[DQ_FEATURE_KINDS_MAX];
    uint32_t first[DQ_FEATURE_KINDS_MAX + 1]; /* column of each kind, and one behind the last */
    size_t kind_count;
    uint32_t user_width, item_width;
    feature_fields user_fields, item_fields;
    feature_pair pairs[FEATURE_PAIRS];
    uint32_t pair_count, best; /* best: number of the pair that goes together best */
    dq_pairing best_pairing;
    /* learnt: of training users that have a label */
    uint32_t users;
    float *vectors;    /* (users, width of the best pair) of length 1, or of zeros */
    uint64_t *id;      /* (users) */
    uint32_t *group;   /* (users); NULL outside training */
    uint32_t items;    /* that have a label */
    uint64_t *item_id; /* (items) ascending */
    feature_labels labels;
    feature_history history;
    dq_arena arena;
    feature_list list;
    feature_scratch *scratch; /* (threads); in the list's arena */
    uint32_t tile_users;      /* FEATURE_TILE, or 1 where a product's rows are not treated alike */
};

typedef struct feature_tile {
    const dq_feature_set *set;
    const dq_feature_who *who; /* (count) */
    size_t count;
    feature_scratch *scratch;
    uint64_t cosines; /* bit p: the cosines of pair p are there */
    bool likely, neighbours;
} feature_tile;

/* ---- tile.c: what kinds are made of ---- */

/* (FEATURE_TILE, stride) cosines of a pair of fields; p of each item; (FEATURE_TILE, users) cosines with the
 * training users. */
const float *feature_cosines(feature_tile *tile, uint32_t pair);
const float *feature_likely(feature_tile *tile);
const float *feature_neighbour_cosines(feature_tile *tile);
/* Whether training user v says nothing about a user of the tile. */
bool feature_is_left_out(const feature_tile *tile, size_t user, uint32_t v);
/* Row of a user in (FEATURE_TILE, stride), at the first item. */
static inline float *feature_row(const feature_tile *tile, float *of, size_t user)
{
    return of + user * tile->set->list.stride + tile->set->list.margin;
}
/* In place: exp(sharpness (x - max)) over its sum. */
void feature_softmax(float *x, size_t n, float sharpness);
/* The columns of a kind that has one for each field of the items, named as these are. */
uint32_t feature_count_item_fields(const dq_feature_set *set);
void feature_name_item_field(const dq_feature_set *set, uint32_t i, char *name, size_t size);
/* Numbers to the scores of a tile's users: those of field f of the items with (FEATURE_TILE, width). */
void feature_against_items(const dq_feature_set *set, const float *vectors, uint32_t field, float *to);

/* ---- list.c ---- */

/* Copies the fields of the items, and makes the scratch memory: enough for feature_cosines. */
dq_status feature_list_open(dq_feature_set *set, const dq_vectors *items, dq_error *error);
void feature_list_free(dq_feature_set *set);
/* Whether p of all training users fits into memory (DQ_FEATURE_TABLE). */
bool feature_fits_table(const dq_feature_set *set, uint32_t items);
/* Starts a tile in the memory of a thread. */
void feature_tile_start(feature_tile *tile, const dq_feature_set *set, const dq_feature_who *who, size_t n,
                        unsigned thread);

/* The number of a labelled item, or DQ_ABSENT. */
uint32_t feature_find_item(const dq_feature_set *set, uint64_t id);
/* The list's labels: those of items that it has, id (items). False when memory is short. */
bool feature_place_labels(dq_feature_set *set, const uint64_t *id);

/* ---- learn.c ---- */

dq_status feature_set_new(dq_feature_set **set, dq_pool *pool, dq_error *error);
/* The groups of training users, of whom id (n) are some. False when memory is short. */
bool feature_take_groups(dq_feature_set *set, const uint64_t *id, const uint32_t *group, uint32_t n);
/* Fields and their pairs. */
dq_status feature_read_layout(dq_feature_set *set, dq_layout users, dq_layout items, dq_error *error);
/* The pair that goes together best. */
void feature_use_pair(dq_feature_set *set, uint32_t pair);

/* ---- kinds.c ---- */

/* Chooses the kinds by name, and counts columns. have: needs that are met. */
dq_status feature_choose(dq_feature_set *set, const char *names, unsigned have, dq_error *error);
dq_status feature_count_columns(dq_feature_set *set, dq_error *error);
bool feature_has(const dq_feature_set *set, const dq_feature_kind *kind);

/* ---- history.c ---- */

/* Takes what the training users (numbers in training) had seen; places it in a list, with k of each two items
 * where somebody asks (alike); saves and loads it. */
dq_status feature_history_learn(dq_feature_set *set, const dq_feature_training *from, const uint32_t *user,
                                dq_error *error);
/* Whether k of each two items fits into memory (DQ_FEATURE_SQUARE). */
bool feature_fits_square(uint32_t items);
dq_status feature_history_bind(dq_feature_set *set, const uint64_t *id, bool alike, dq_error *error);
dq_status feature_history_save(const dq_feature_set *set, dq_bundle *model, dq_error *error);
dq_status feature_history_load(dq_feature_set *set, const dq_bundle *model, dq_error *error);

/* The mean by weight of what the tile's users have seen, of unit vectors of a field of the items:
 * to (FEATURE_TILE, width); and that of training user v: to (width). */
void feature_own_mean(feature_tile *tile, uint32_t field, float *to);
void feature_seen_mean(const dq_feature_set *set, uint32_t v, uint32_t field, float *to);

/* ---- ridge.c ---- */

/* Fits what the set's kinds ask for: ridge, held-ridge. The list has labels and what was seen. */
dq_status feature_ridge_bind(dq_feature_set *set, bool ridge, bool held, dq_error *error);

/* ---- the kinds ---- */

extern const dq_feature_kind feature_cosine_z, feature_log_rank, feature_hubness;          /* cosines.c */
extern const dq_feature_kind feature_likely_item, feature_reciprocity, feature_neighbours; /* labels.c */
extern const dq_feature_kind feature_held_cosine, feature_held_reciprocity,
    feature_held_transfer;                                           /* history.c */
extern const dq_feature_kind feature_ridge_kind, feature_held_ridge; /* ridge.c */

#endif
