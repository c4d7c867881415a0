/* SPDX-License-Identifier: MIT
 *
 * Keys inside of objects, as paths: "profile.bio" is the key bio of the object under profile, "skills.0.name"
 * the key name of the first element of the list under skills. A key that is named so as a whole, points and
 * all, comes before the path.
 */
#ifndef DQ_IMPORT_PATH_H
#define DQ_IMPORT_PATH_H

#include "import/fault.h"

/* Puts what stands under the paths among these names beside the document's own keys, named by the whole path,
 * and takes it out of the objects that it was in, which go when nothing is left; what was in a list stays
 * there, too. A path under which nothing stands is passed over. The document becomes a new map, in the arena,
 * where something was found. DQ_IMPORT_MISTYPED, in words, for a path that enters a list without saying which
 * element. */
dq_import_fault dq_import_flatten(dq_value *document, const char *const *names, size_t count, dq_arena *arena,
                                  dq_error *error);

#endif
