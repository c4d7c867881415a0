/* SPDX-License-Identifier: MIT */
#ifndef DQ_CORE_TRANSITION_H
#define DQ_CORE_TRANSITION_H

#include <stdbool.h>
#include <stdint.h>

/* (s, a, r, s') by numbers. A state is a number of a state store (dq_vectors: the users of a catalogue, the
 * slots of a replay, the rows of a batch), an action the number of what is on offer (an item). In a catalogue
 * next == state. */
typedef struct dq_transition {
    uint32_t state, action, next;
    float reward;   /* of one step, or the discounted sum over several */
    float discount; /* what V(next) counts beside gamma: 1 after one step, gamma^(n-1) after n */
    bool done;      /* next is terminal: it has no value */
} dq_transition;

#endif
