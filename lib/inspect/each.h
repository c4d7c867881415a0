/* SPDX-License-Identifier: MIT
 *
 * All bundles of a stream, one after the other, to its clean end.
 */
#ifndef DQ_INSPECT_EACH_H
#define DQ_INSPECT_EACH_H

#include "dq/stream.h"

/* Told how many rows have just passed: for a progress bar. */
typedef struct dq_watch {
    void (*passed)(void *arg, uint64_t rows);
    void *arg;
} dq_watch;

/* May empty the bundle, to keep it. */
typedef dq_status dq_take_bundle(void *arg, dq_bundle *bundle, uint64_t section, dq_error *error);

/* Gives every bundle to `take`, and frees what it leaves. watch may be NULL. A failure of `take` is blamed on
 * the record; others are the reader's. error may not be NULL, here and in all that reads by this. */
dq_status dq_each_bundle(dq_reader *in, dq_take_bundle *take, void *arg, const dq_watch *watch,
                         dq_error *error);

#endif
