/* SPDX-License-Identifier: MIT
 *
 * Whose models a run makes in a folder, so that no other run makes the same at the same time: record locks
 * (fcntl) of the file DIR/.lock, of the byte at the hash of an id, or at the number of a part (core/shard/).
 * Parts of one number go beside each other, and so do lists of other users; a part beside a list, or beside a
 * part of another number, is refused, whoever is in them. They end with the process, however that
 * ends, and are not a forked child's; the file stays, empty. On several machines they hold as far as the file
 * system's locks do. Where it has none nothing is claimed: files are whole all the same, and work may be done
 * twice.
 */
#ifndef DQ_MODELS_CLAIM_H
#define DQ_MODELS_CLAIM_H

#include "models/directory.h"
#include "models/users.h"

/* Zero-initialise to start. */
typedef struct dq_model_claim {
    int fd; /* of DIR/.lock, plus 1; 0: none */
} dq_model_claim;

/* Claims those of a folder that is there who are meant among these ids: each, or everybody at once where the
 * list narrows nothing. DQ_ERR_UNSUPPORTED names the process that is in the way. Once a folder and
 * process: a claim ends when the process closes any descriptor of that file. It can be ended also when this
 * fails. */
dq_status dq_model_claim_take(dq_model_claim *claim, const dq_model_dir *dir, const dq_user_list *users,
                              const dq_index *among, dq_error *error);
/* Claims everybody besides. False where another process has claimed somebody, or the file system has no
 * locks. */
bool dq_model_claim_all(const dq_model_claim *claim);
void dq_model_claim_end(dq_model_claim *claim);

#endif
