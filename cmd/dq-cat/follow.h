/* SPDX-License-Identifier: MIT
 *
 * --follow: the bundles of a server's log, those that are there and those that come.
 */
#ifndef DQ_CAT_FOLLOW_H
#define DQ_CAT_FOLLOW_H

#include "log/follow.h"

typedef struct cat_follow {
    const char *path;
    uint64_t position; /* where to begin */
    bool (*enough)(void *arg);
    dq_status (*put)(void *arg, dq_bundle *bundle, uint64_t section, dq_error *error);
    void (*flush)(void *arg); /* before it waits */
    void *arg;
} cat_follow;

/* Until there is enough, or the process is told to stop: then what was written is complete. *position is that
 * behind the last bundle. */
dq_status cat_follow_run(const cat_follow *follow, uint64_t *position, dq_error *error);

#endif
