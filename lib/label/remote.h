/* SPDX-License-Identifier: MIT
 *
 * A labeller in another process. The command gets one user, what the user did, and the items once, then
 * bundles of pairs as long as somebody asks; it answers each bundle with the rewards of its pairs, as
 * `dq-reward --labels-only` does (DQ_LABELS_ONLY=1 is set for it). A pair is never asked twice, so what it
 * said is a table by items:
 *
 *     asked      in a bundle that is on its way
 *     known      answered: a reward, or none
 *
 * Items may be asked ahead: behind the one that is needed, in a bundle of their own, so that nobody waits for
 * them; their answers are read when the next unknown one is needed.
 */
#ifndef DQ_LABEL_REMOTE_H
#define DQ_LABEL_REMOTE_H

#include "data/catalogue.h"
#include "dq/stream.h"

/* What it points to outlives the labeller. */
typedef struct dq_remote_config {
    const char *command;   /* of the shell */
    const dq_maker *maker; /* of the stream that it gets */
    const dq_catalogue *catalogue;
    uint32_t user;            /* a row */
    bool (*stop_asked)(void); /* asked while it is waited for: true ends that with DQ_ERR_STOPPED; or NULL */
} dq_remote_config;

typedef struct dq_remote dq_remote;

/* The process is started with the first question. */
dq_status dq_remote_new(dq_remote **remote, const dq_remote_config *config, dq_error *error);
/* Parts with the process, which may have to say how it ended. Frees; returns status, or the process's
 * failure. Accepts NULL. */
dq_status dq_remote_end(dq_remote *remote, dq_status status, dq_error *error);

/* Asks for an item unless it was asked, and for n more behind it; waits until the first is known. DQ_ERR_IO
 * where the process died, DQ_ERR_SCHEMA where its answer is none, DQ_ERR_RANGE where it is another labeller
 * than that of the checkpoint. */
dq_status dq_remote_need(dq_remote *remote, uint32_t item, const uint32_t *ahead, size_t n, dq_error *error);
/* Whether an item was never asked. */
bool dq_remote_unasked(const dq_remote *remote, uint32_t item);
/* The reward of a known item as it was given, and its part of the language model (the reward, where the
 * answer has no such part); NAN: none. */
float dq_remote_reward(const dq_remote *remote, uint32_t item);
float dq_remote_llm(const dq_remote *remote, uint32_t item);
/* Its label, of *bytes, where the answer of this run had one; else NULL. */
const char *dq_remote_label(const dq_remote *remote, uint32_t item, size_t *bytes);

/* Pairs that were asked, and whether some bundle of them was answered: since dq_remote_new, whatever a
 * checkpoint brought. */
uint64_t dq_remote_asked(const dq_remote *remote);
bool dq_remote_answered(const dq_remote *remote);
/* The status that the process exited with, once dq_remote_need has failed because it is gone; else -1. */
int dq_remote_exit(const dq_remote *remote);
/* {program, options} of who labelled, the labeller's; NULL when nobody was asked. */
const dq_value *dq_remote_maker(const dq_remote *remote);

/* What is known, as columns of a checkpoint: labels.item, labels.reward, labels.llm, and labels.none where
 * those are not there. Who labelled is the checkpoint's meta.labeller, for the caller to write; restore reads
 * it. */
dq_status dq_remote_save(const dq_remote *remote, dq_bundle *model, dq_error *error);
dq_status dq_remote_restore(dq_remote *remote, const dq_bundle *model, dq_error *error);

#endif
