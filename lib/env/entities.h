/* SPDX-License-Identifier: MIT
 *
 * The users or the items of a made-up world, by number and by name. Synthetic ones (env/synthetic.h) and
 * those of an environment (env/env.h) describe theirs so, and one rule names both: user 42 of an environment
 * with 500 users is "u042", as is user 42 of `dq-sim --users 500`. A model can therefore tell the items that
 * it was trained with from others by their ids and vectors, and a catalogue of them can be ranked.
 */
#ifndef DQ_ENV_ENTITIES_H
#define DQ_ENV_ENTITIES_H

#include "dq/schema.h"

#include <stddef.h>
#include <stdint.h>

/* A view: whoever made it owns what it points to. */
typedef struct dq_env_entities {
    char letter; /* that ids begin with: 'u' for users, 'i' for items */
    uint32_t count, width;
    const float *vectors;   /* (count, width); NULL exactly when there are none */
    const dq_field *fields; /* (field_count) parts of a vector; NULL: it has none */
    size_t field_count;
} dq_env_entities;

enum { DQ_ENTITY_ID_SIZE = 16 };

/* The id of number 0 .. count - 1: the letter, and as many digits as the last one needs, so that ids in the
 * order of their bytes are in the order of their numbers. */
void dq_env_entities_name(const dq_env_entities *entities, uint32_t number, char id[DQ_ENTITY_ID_SIZE]);

#endif
