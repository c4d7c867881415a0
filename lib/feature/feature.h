/* SPDX-License-Identifier: MIT
 *
 * Features of a pair within its user's whole list: what a user and an item are to each other beside all items
 * that the user could be shown, and what similar users made of the item. A network that is given them
 * (net/net.h: given) need not find out from few labels what arithmetic knows.
 *
 * A set is a list of kinds out of a table, and what these learnt from training: which two fields go together
 * best, the training users' vectors of that field, their labels. It is bound to a list of items, and then
 * computes the features of users against the whole of it; so training, ranking, planning and serving use one
 * function:
 *
 *     dq_feature_learn(&set, &training, names, pool, &e);      or dq_feature_load(&set, model, &e)
 *     dq_feature_bind(set, &items, ids, &e);
 *     dq_feature_lists(set, who, n, out);                      (n, items, dq_feature_columns(set))
 *
 * Labels leak: a user's own labels, and those of users who share them, would be features that say the target.
 * So whoever is asked about is never one's own neighbour (who->id), and while training neither is anybody of
 * the same group (who->group), the groups that validation holds out.
 *
 * Features depend on the list: z-scores, ranks and means run over all items that the set is bound to. The
 * bits of a user's features depend on the user and the list alone: neither on who else is asked about, nor on
 * the number of threads.
 */
#ifndef DQ_FEATURE_FEATURE_H
#define DQ_FEATURE_FEATURE_H

#include "core/index.h"
#include "core/layout.h"
#include "core/vectors.h"
#include "dq/bundle.h"
#include "math/cosine.h"
#include "math/pool.h"

enum {
    DQ_FEATURE_KINDS_MAX = 32,
    DQ_FEATURE_COLUMNS_MAX = 256,
};

typedef struct dq_feature_set dq_feature_set;
struct feature_tile;

/* What a kind can be computed from, beside vectors. */
typedef enum dq_feature_need {
    DQ_FEATURE_PAIR = 1,    /* a user field and an item field of one width */
    DQ_FEATURE_LABELS = 2,  /* training labels */
    DQ_FEATURE_SEEN = 4,    /* what users did before, as state (who->seen) */
    DQ_FEATURE_TABLE = 8,   /* memory for a number of each training user with each item */
    DQ_FEATURE_SQUARE = 16, /* memory for a number of each two items */
} dq_feature_need;

typedef struct dq_feature_kind {
    const char *name, *help;
    unsigned needs; /* of dq_feature_need, or'ed */
    /* How many features of a pair, where there is one a field, or one a pair of fields; NULL: 1. */
    uint32_t (*columns)(const dq_feature_set *set);
    /* What the i-th is of: a pair of fields, a parameter; NULL: there is one. */
    void (*name_column)(const dq_feature_set *set, uint32_t i, char *name, size_t size);
    /* Fills the i-th for the tile's users (feature_impl.h): to (FEATURE_TILE, stride). What is filled then
     * becomes its z-score over the list, 0 where all are equal. */
    void (*fill)(struct feature_tile *tile, uint32_t i, float *to);
} dq_feature_kind;

/* Ended by NULL. */
extern const dq_feature_kind *const dq_feature_kinds[];
const dq_feature_kind *dq_feature_find(const char *name, size_t bytes);
/* The name of kind i; NULL: there are no more. */
const char *dq_feature_name_at(size_t i);
/* DQ_ERR_UNKNOWN in words: no kind is called so. */
dq_status dq_feature_unknown(const char *name, size_t bytes, dq_error *error);

/* ---- training ---- */

/* What a set learns from; borrowed while it learns. Of several labels of one user and item the greatest
 * reward counts. Its gain is the rank of that reward among the distinct ones above `ignored` (the reward of
 * an item that was passed over), over their number: of APPLY, SAVE and CLICK 1, 2/3 and 1/3. */
typedef struct dq_feature_training {
    dq_layout user_layout, item_layout;
    dq_vectors users, items;
    const uint64_t *user_id, *item_id; /* (users), (items) dq_feature_id */
    const uint32_t *group;             /* (users) whose labels go together; NULL: each user's alone */
    size_t count;                      /* labels */
    const uint32_t *user, *item;       /* (count) */
    const float *reward;               /* (count) NAN: none */
    float ignored;
    const uint32_t *seen;     /* items that users saw before, in the order of time; user u's are */
    const size_t *seen_start; /* (users + 1) seen[seen_start[u]] ...; NULL: nobody saw any */
    uint32_t history;         /* of what somebody saw the last so many items count; 0: all */
    double recency;           /* in (0, 1]: an item's weight, of the one after it */
} dq_feature_training;

/* An id as a number that is not 0: a digest. */
uint64_t dq_feature_id(const char *id, size_t bytes);
/* Those of all ids of an index: (count), to be freed. NULL: memory is short. */
uint64_t *dq_feature_ids(const dq_index *ids);

/* Makes a set of the kinds named: "cosine-z,neighbours", or "auto" for all that the training data allow (none
 * where users times items are over 2^26: lists are long work).
 * The set is bound to the training items. DQ_ERR_UNKNOWN for a name that is not in the table, DQ_ERR_RANGE
 * for a kind that cannot be computed from these data (which says why), DQ_ERR_MEMORY. pool is kept. */
dq_status dq_feature_learn(dq_feature_set **set, const dq_feature_training *training, const char *names,
                           dq_pool *pool, dq_error *error);
void dq_feature_free(dq_feature_set *set);

/* Features of a pair. */
uint32_t dq_feature_columns(const dq_feature_set *set);
/* The name of a column, "cosine-z.hard_skills:title"; cut to size bytes. */
void dq_feature_name(const dq_feature_set *set, uint32_t column, char *name, size_t size);
/* The user field and the item field that go together best: of all pairs of one width the one whose cosine
 * ranks the training labels best. */
const dq_pairing *dq_feature_pair(const dq_feature_set *set);

/* Whether some kind is of what users have seen. */
bool dq_feature_asks_seen(const dq_feature_set *set);

/* ---- lists ---- */

/* Whom a list is for. */
typedef struct dq_feature_who {
    const float *vector;  /* the user's, or a state that begins with it */
    uint64_t id;          /* dq_feature_id, or 0: nobody of training */
    uint32_t group;       /* to be left out, in training; else DQ_ABSENT */
    const uint32_t *seen; /* numbers of the list's items that the user saw before, in the order of time */
    size_t seen_count;
} dq_feature_who;

/* The list that features are computed within; id (items) as above, by which labels find their items. Vectors
 * are copied. DQ_ERR_RANGE for a list that is too long for a kind, or not of the items' width. */
dq_status dq_feature_bind(dq_feature_set *set, const dq_vectors *items, const uint64_t *id, dq_error *error);

/* Features of n users against the whole list: out (n, items, columns). */
void dq_feature_lists(dq_feature_set *set, const dq_feature_who *who, size_t n, float *out);
/* Of one: out (items, columns). */
void dq_feature_list(dq_feature_set *set, const dq_feature_who *who, float *out);

/* ---- in a model ---- */

/* Columns features.* and meta.features; copied into the bundle's arena or borrowed from the set. */
dq_status dq_feature_save(const dq_feature_set *set, dq_bundle *model, dq_error *error);
/* A set out of a model, bound to nothing yet; *set NULL where the model has none. DQ_ERR_SCHEMA for columns
 * that do not fit together, before memory is taken by what they claim. pool is kept. */
dq_status dq_feature_load(dq_feature_set **set, const dq_bundle *model, dq_pool *pool, dq_error *error);

/* Whether a model's features are of what users have seen. */
bool dq_feature_model_asks_seen(const dq_bundle *model);

#endif
