/* SPDX-License-Identifier: MIT
 *
 * A sample of users: those with the lowest lots, which a seed and their ids make, so that it does not depend
 * on where they stand.
 */
#ifndef DQ_DISTIL_DRAW_H
#define DQ_DISTIL_DRAW_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

/* Sets drawn (at most n) to numbers of `count` users, each once, as draw order has them, and *n to how many:
 * n, or all. id(users, i, &bytes) is that of user i. */
dq_status dq_distil_draw(const void *users, const char *(*id)(const void *users, uint32_t i, size_t *bytes),
                         uint32_t count, uint64_t seed, uint32_t *drawn, size_t *n, dq_error *error);

#endif
