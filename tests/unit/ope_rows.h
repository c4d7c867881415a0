/* SPDX-License-Identifier: MIT
 *
 * The rows of the fixture of off-policy evaluation, without what a target would do.
 */
#ifndef OPE_ROWS_H
#define OPE_ROWS_H

#include "../fixtures/ope/ope.h"

#include "ope/evaluation.h"

static inline void read_rows(dq_ope_row *rows)
{
    for (size_t i = 0; i < OPE_ROWS; i++)
        rows[i] = (dq_ope_row){.user = ope_user[i],
                               .item = ope_item[i],
                               .position = ope_place[i],
                               .begins = ope_begins[i],
                               .reward = ope_reward[i],
                               .propensity = ope_propensity[i]};
}

#endif
