/* SPDX-License-Identifier: MIT
 *
 * Features (feature/feature.h) of the users of a catalogue, for whoever asks of them by number, again and
 * again: training and planning. Lists are computed for some users at a time, and kept as far as memory
 * allows.
 */
#ifndef DQ_FEATURE_CATALOGUE_H
#define DQ_FEATURE_CATALOGUE_H

#include "data/catalogue.h"
#include "data/seen.h"
#include "feature/feature.h"

/* Labels of users and items, by their rows in the catalogue; borrowed. */
typedef struct dq_feature_rows {
    size_t count;
    const uint32_t *user, *item; /* (count) */
    const float *reward;         /* (count) NAN: none */
    float ignored;               /* the reward of an item that was passed over */
} dq_feature_rows;

#define DQ_FEATURE_AS_LEARNT UINT32_MAX

/* The features of a catalogue's users against its items. */
typedef struct dq_feature_users dq_feature_users;

/* What they are made from; borrowed, the catalogue as long as they live. names is "none", "auto", or by
 * commas "pairs" or "all" (cosines of the catalogue's pairs of fields, or of all of one width, which a
 * network computes by itself: math/cosine.h), and kinds of feature/feature.h. "auto" is all cosines, and with
 * `learn` all kinds that the data allow. */
typedef struct dq_feature_source {
    const dq_catalogue *catalogue;
    const char *names;
    bool learn;             /* there are labels to learn kinds from: */
    dq_feature_rows rows;   /* these */
    const uint32_t *group;  /* (users) who goes together, and is left out with each; NULL: each alone */
    const dq_history *seen; /* what users have seen, of the catalogue; NULL: kinds are not told */
    uint32_t last;          /* so many of it, 0: all; DQ_FEATURE_AS_LEARNT: as the model says */
    double recency;         /* each of which weighs so much of the one after it */
    const dq_bundle *model; /* that brings what it learnt, in place of what the names say; NULL: none */
    dq_pool *pool;
} dq_feature_source;

/* The names' cosines into cosines (room for max), *count of them. *users is NULL where there are no kinds, or
 * the model has none. DQ_ERR_UNKNOWN for a name that there is not, DQ_ERR_RANGE for names that do not go
 * together, for kinds without labels, and where what was seen is told and nobody has seen anything, or no
 * kind asks; DQ_ERR_UNSUPPORTED for a model whose kinds ask for it, where it is not told; else the errors of
 * dq_pairing_features, dq_feature_learn, _load and _bind. */
dq_status dq_feature_users_new(dq_feature_users **users, const dq_feature_source *source, dq_pairing *cosines,
                               size_t max, uint32_t *count, dq_error *error);
void dq_feature_users_free(dq_feature_users *users);

/* Its set: for names, columns, and saving in a model. */
const dq_feature_set *dq_feature_users_set(const dq_feature_users *users);

/* Features of a user against n items (NULL: 0 .. n - 1): out (n, columns). self is the users; one thread at a
 * time. */
void dq_feature_users_fill(void *self, uint32_t user, const uint32_t *items, size_t n, float *out);

#endif
