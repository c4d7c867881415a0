/* SPDX-License-Identifier: MIT
 *
 * Models that others started from, so that a reader makes deltas (core/delta/delta.h) whole as it meets them.
 * A start is one that was given, or stands beside the file that is read, as DIR/.start-DIGEST.dq; the last
 * few are held.
 *
 *     dq_starts starts = {0};
 *     dq_starts_follow(&starts, reader);      from now on dq_reader_next hands out whole models
 *     dq_starts_free(&starts);                before the reader is closed: it is not followed any more
 */
#ifndef DQ_WIRE_STARTS_H
#define DQ_WIRE_STARTS_H

#include "dq/stream.h"

enum { DQ_STARTS_HELD = 4 };

/* Zero-initialise to start. */
typedef struct dq_starts {
    dq_reader *reader;       /* the one that is followed; borrowed */
    dq_bundle_filter filter; /* through which its bundles go */
    bool given;              /* none is looked for */
    dq_bundle held[DQ_STARTS_HELD];
    size_t next; /* which goes when another comes */
} dq_starts;

/* Replaces the reader that was followed. A delta whose start is not found is DQ_ERR_UNKNOWN, with the place
 * where it was looked for and the way out. It does not move while it follows. */
void dq_starts_follow(dq_starts *starts, dq_reader *reader);
/* The reader that is followed goes; the starts are held for the next one. */
void dq_starts_leave(dq_starts *starts);
/* Gives the one start that there is: the model of a file. DQ_ERR_UNKNOWN for a file without one, DQ_ERR_RANGE
 * for several. */
dq_status dq_starts_give(dq_starts *starts, const char *path, dq_error *error);
/* The name of a start's file in a folder, to be freed; NULL when memory is short. */
char *dq_starts_path(const char *folder, uint64_t digest);
void dq_starts_free(dq_starts *starts);

#endif
