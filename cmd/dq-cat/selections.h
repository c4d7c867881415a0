/* SPDX-License-Identifier: MIT
 *
 * Which selections mean something together: one that can leave nothing out is refused, never ignored.
 */
#ifndef DQ_CAT_SELECTIONS_H
#define DQ_CAT_SELECTIONS_H

#include "cli/cli.h"
#include "data/select.h"

/* Sets of kinds. */
enum { CAT_MODEL = 1, CAT_USERS = 2, CAT_INTERACTIONS = 4, CAT_ITEMS = 8, CAT_OTHERS = 16, CAT_ALL = 31 };

/* A usage error where an option that chooses rows chooses among none of the kinds that are read, asked for
 * and written. */
void cat_selections_check(const dq_cli *cli, unsigned read, unsigned written, const dq_selection *select);

#endif
