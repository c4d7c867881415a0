/* SPDX-License-Identifier: MIT
 *
 * What the latest showings were answered with. Of several answers to one showing that counts which is worth
 * most (log/answers.h), so a later one may have to correct what an earlier one taught. Remembered are the
 * latest DQ_ANSWERED answered showings at least, and twice as many at most; which these are depends on the
 * log alone, so that what is learnt from it does, too. An answer to an older one counts as the first.
 */
#ifndef DQ_SERVE_COLD_ANSWERED_H
#define DQ_SERVE_COLD_ANSWERED_H

#include "core/index.h"

enum { DQ_ANSWERED = 1 << 16 };

/* Zero-initialise to start. */
typedef struct dq_answered {
    dq_index keys[2]; /* the younger ones, and the older ones: digests of request and item */
    float *worth[2];  /* (DQ_ANSWERED) */
} dq_answered;

dq_status dq_answered_init(dq_answered *answered, dq_error *error);
/* Takes an answer. *first: the showing had none; *by: what it is worth, or else how much more than those
 * before (0: no more). DQ_ERR_MEMORY: it is not remembered. */
dq_status dq_answered_take(dq_answered *answered, const char *request, size_t request_bytes, const char *item,
                           size_t item_bytes, float worth, bool *first, float *by, dq_error *error);
/* Columns cold.younger u8, cold.younger_worth f4, cold.older, cold.older_worth, copied; and the way back.
 * DQ_ERR_SCHEMA where they are none. */
dq_status dq_answered_save(const dq_answered *answered, dq_bundle *model, dq_error *error);
dq_status dq_answered_restore(dq_answered *answered, const dq_bundle *model, dq_error *error);
void dq_answered_free(dq_answered *answered);

#endif
