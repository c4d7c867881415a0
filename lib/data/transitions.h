/* SPDX-License-Identifier: MIT
 *
 * Transitions that a stream already has, carried from their section into the one catalogue of all sections.
 */
#ifndef DQ_DATA_TRANSITIONS_H
#define DQ_DATA_TRANSITIONS_H

#include "data/catalogue.h"

/* A copy (*to) of a transitions bundle of the section being read, whose references count the catalogue's
 * rows. */
dq_status dq_transitions_carry(dq_bundle *to, const dq_bundle *from, const dq_catalogue *catalogue,
                               dq_error *error);

/* A copy (*to) with the rows of the users that are marked (dq_entities_mark); references already count the
 * catalogue's rows. */
dq_status dq_transitions_of(dq_bundle *to, const dq_bundle *from, const bool *users, dq_error *error);

/* Adds to transitions what was logged of the interactions that they are (propensity, position,
 * request, model), row by row; DQ_ABSENT: of none. Columns that none of them has are not added. */
dq_status dq_transitions_add_logged(dq_bundle *to, const dq_catalogue *catalogue, const uint32_t *interaction,
                                    dq_error *error);

/* A column of references as u4, to be freed by the caller; NULL when memory is short. */
uint32_t *dq_transitions_rows(const dq_bundle *transitions, const char *column);

#endif
