/* SPDX-License-Identifier: MIT
 *
 * The catalogue that is served: read from a file as a whole, shared by all handlers, and replaced as a whole
 * while they read: whoever takes it has a reference, and the one before is freed when the last of these is
 * given back.
 *
 *     const dq_served *now = dq_served_take(serve->served);
 *     if (now->catalogue) ... now->catalogue->users ...
 *     dq_served_release(now);
 */
#ifndef DQ_SERVE_SERVED_H
#define DQ_SERVE_SERVED_H

#include "data/catalogue.h"
#include "dq/value.h"

typedef struct dq_served_file dq_served_file;

/* One state of it, which does not change. */
typedef struct dq_served {
    const dq_catalogue *catalogue; /* NULL: none yet */
    const dq_value
        *maker; /* of a file of one section: who made it (a head's map, dq/stream.h); NULL: several */
    uint64_t generation; /* from 0, one more with each reading */
} dq_served;

/* Reads a catalogue (interactions with users or items that it lacks are kept). may_lack: a file that is not
 * there, or path NULL, is no catalogue yet, and no error. */
dq_status dq_served_open(dq_served_file **file, const char *path, bool may_lack, dq_error *error);
/* When nobody has a reference any more. Accepts NULL. */
void dq_served_close(dq_served_file *file);

/* A counted reference to the catalogue as it is now; from any thread, and without waiting for a reading. */
const dq_served *dq_served_take(dq_served_file *file);
void dq_served_release(const dq_served *served);

/* Whom a user_id of a request means, as text in the arena: a string is an id; an integer is its decimal form,
 * and where there is no such id and dq-sim made the catalogue up, whose ids are letters and digits, the user
 * of that number, from 0. NULL: neither, or memory is short. */
const char *dq_served_user_id(const dq_served *served, const dq_value *id, dq_arena *arena);
/* Whether `dq-sim --users` made the catalogue: its users and items are those of a world that can be
 * simulated.
 */
bool dq_served_is_made_up(const dq_served *served);

/* Reads the file anew: on success that is what is taken from then on, after a failure the one before stays.
 */
dq_status dq_served_reload(dq_served_file *file, dq_error *error);
/* Where it is read from; NULL: nowhere. */
const char *dq_served_path(const dq_served_file *file);

#endif
