/* SPDX-License-Identifier: MIT
 *
 * Features (feature/feature.h) of the users of a catalogue, for whoever asks of them by number, again and
 * again: training and planning. Lists are computed for some users at a time, and kept as far as memory
 * allows.
 */
#ifndef DQ_FEATURE_CATALOGUE_H
#define DQ_FEATURE_CATALOGUE_H

#include "data/catalogue.h"
#include "feature/feature.h"

/* Labels of users and items, by their rows in the catalogue; borrowed. */
typedef struct dq_feature_rows {
    size_t count;
    const uint32_t *user, *item; /* (count) */
    const float *reward;         /* (count) NAN: none */
    float ignored;               /* the reward of an item that was passed over */
} dq_feature_rows;

/* dq_feature_learn of a catalogue; group (users) or NULL. */
dq_status dq_feature_learn_catalogue(dq_feature_set **set, const dq_catalogue *catalogue,
                                     const dq_feature_rows *rows, const uint32_t *group, const char *names,
                                     dq_pool *pool, dq_error *error);
/* dq_feature_bind to its items. */
dq_status dq_feature_bind_items(dq_feature_set *set, const dq_entities *items, dq_error *error);

/* The lists of a catalogue's users within what the set is bound to. */
typedef struct dq_feature_users dq_feature_users;

/* set and users are borrowed, and stay as they are; group (users) of those to be left out with each (copied),
 * or NULL: nobody. */
dq_status dq_feature_users_new(dq_feature_users **lists, dq_feature_set *set, const dq_entities *users,
                               const uint32_t *group, dq_error *error);
void dq_feature_users_free(dq_feature_users *lists);

/* Features of a user against n items (NULL: 0 .. n - 1) of the list: out (n, columns). self is the lists; one
 * thread at a time. */
void dq_feature_users_fill(void *self, uint32_t user, const uint32_t *items, size_t n, float *out);

#endif
