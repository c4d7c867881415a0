/* SPDX-License-Identifier: MIT
 *
 * The name of the file that holds a user's model: the id, ".dq" behind it. Letters, digits, - _ . @ + and
 * bytes above 127 stay as they are; every other byte, and a - or . that the name would begin with, is %XX, in
 * capital hexadecimal digits:
 *
 *     u1         u1.dq              a/b        a%2Fb.dq
 *     50%        50%25.dq           .hidden    %2Ehidden.dq
 *
 * So two ids never share a name, and no name is hidden, an option, or a path.
 */
#ifndef DQ_MODELS_NAME_H
#define DQ_MODELS_NAME_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { DQ_MODEL_NAME_MAX = 248 }; /* bytes; a name of 255 is the longest, and a file aside has 7 more */

/* DQ_ERR_RANGE for an id that is empty, or whose name would be longer. */
dq_status dq_model_name(const char *id, size_t bytes, char name[DQ_MODEL_NAME_MAX + 1], dq_error *error);
/* The id of a name. False: no id has this name. */
bool dq_model_name_id(const char *name, char id[DQ_MODEL_NAME_MAX + 1], size_t *bytes);

#endif
