/* SPDX-License-Identifier: MIT */
#ifndef DQ_CORE_TRANSITION_H
#define DQ_CORE_TRANSITION_H

#include <stdbool.h>
#include <stdint.h>

/* (s, a, r, s', done) by numbers: states are users, actions are items, whose vectors stay in the catalogue.
 * In the catalogue environment next == user. */
typedef struct dq_transition {
    uint32_t user, item;
    float reward;
    uint32_t next;
    bool done; /* s' is terminal: nothing is bootstrapped from it */
} dq_transition;

#endif
