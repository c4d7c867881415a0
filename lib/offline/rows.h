/* SPDX-License-Identifier: MIT
 *
 * Rows of offline training (offline/offline.h) that are transitions as they were logged: of a catalogue's
 * users and items by number, or with vectors for states.
 */
#ifndef DQ_OFFLINE_ROWS_H
#define DQ_OFFLINE_ROWS_H

#include "data/dataset.h"
#include "data/state_log.h"
#include "offline/offline.h"

/* A state is a user's number, an action an item's. Interactions are pairs that have met, no rows. */
typedef struct dq_offline_catalogue {
    dq_vectors users; /* the states; as dataset and vectors they are borrowed */
    uint32_t items;
    size_t count;
    const dq_transition *transitions; /* (count) but for their rewards, which are these: */
    const float *propensity;          /* (count) NAN: none */
    float *reward;                    /* (count) may be changed between batches; NAN: none */
    uint32_t *user, *action;          /* (count) */
    dq_pairset met;
    dq_arena arena;
} dq_offline_catalogue;

/* Free it also after a failure. */
dq_status dq_offline_catalogue_init(dq_offline_catalogue *catalogue, const dq_dataset *dataset,
                                    dq_error *error);
void dq_offline_catalogue_free(dq_offline_catalogue *catalogue);
/* group as in offline/offline.h. */
dq_offline_rows dq_offline_catalogue_rows(dq_offline_catalogue *catalogue, const uint32_t *group);

/* Transitions with vectors for states, in the order of the log. The arrays are borrowed. */
typedef struct dq_offline_vectors {
    size_t count;
    uint32_t state_width, actions, episodes;
    const float *state, *next; /* (count, state_width) */
    const uint32_t *action, *episode;
    const float *reward, *propensity;
    const uint8_t *done;
    uint32_t *following; /* (count) NULL until asked for */
} dq_offline_vectors;

/* Those of a log, which is borrowed. */
dq_offline_vectors dq_offline_vectors_of(const dq_state_log *log);
/* Their shape, for dq_agent_new: items are the actions, in their order, where the log is of sessions and the
 * stream has some (count 0: none; *named says so). DQ_ERR_RANGE for items that are not those of the log. */
dq_status dq_offline_vectors_shape(const dq_state_log *log, const dq_vectors *items, dq_env_spec *shape,
                                   bool *named, dq_error *error);
/* What a model that is started from says of states and actions beyond what a log of them says (where the user
 * stands, vectors of actions, actions that nobody took) holds here too; where it is of another environment,
 * nothing changes. Vectors point into the model, their array is the arena's. */
dq_status dq_offline_vectors_learn_shape(dq_offline_vectors *log, const dq_bundle *model, dq_arena *arena,
                                         dq_env_spec *shape, dq_error *error);

/* Finds what follows: the next row of the same episode, where it begins in the state in which this one ended
 * (a log may leave rows out, and dq-plan branches). Rows have an order from then on. following is to be
 * freed. */
dq_status dq_offline_vectors_follow(dq_offline_vectors *log, dq_error *error);
dq_offline_rows dq_offline_vectors_rows(dq_offline_vectors *log);

#endif
