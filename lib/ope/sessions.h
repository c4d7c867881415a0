/* SPDX-License-Identifier: MIT
 *
 * Whole sessions (a page of items, a visit) under another policy: what counts is how likely the target would
 * have gone the same way. With rho(t) the product of the weights of a session's first t rows, r(t) its
 * rewards, G = sum of gamma^(t-1) r(t), and n sessions i:
 *
 *     pdis   sum over i, t of gamma^(t-1) rho_i(t) r_i(t) / n                        per decision
 *     wpdis  sum over t of gamma^(t-1) sum_i rho_i(t) r_i(t) / sum_i rho_i(t)        weighted per decision
 *     wis    sum_i rho_i(T) G_i / sum_i rho_i(T)                                     self-normalised
 *
 * (Precup, Sutton and Singh, "Eligibility traces for off-policy policy evaluation", 2000; wpdis in Thomas'
 * consistent form, "Safe reinforcement learning", 2015, 3.7.) A session that has ended stays in wpdis with
 * its last rho and no rewards. An estimate is of the return of a session, not of a row.
 */
#ifndef DQ_OPE_SESSIONS_H
#define DQ_OPE_SESSIONS_H

#include "ope/blocks.h"
#include "ope/estimate.h"
#include "ope/row.h"

enum { DQ_OPE_MAX_STEPS = 200 };

enum { DQ_OPE_SESSION_KINDS = 3 };

typedef enum dq_ope_session_kind {
    DQ_OPE_NO_SESSION,
    DQ_OPE_PDIS,
    DQ_OPE_WPDIS,
    DQ_OPE_WIS
} dq_ope_session_kind;

typedef struct dq_ope_sessions {
    double gamma;
    dq_ope_blocks blocks;
    dq_ope_moments moments; /* of sessions: pdis' term, rho G, rho */
    /* the session at hand */
    double *sums; /* its block's; NULL: none is begun */
    double rho, discount, earned, returned;
    size_t step;
} dq_ope_sessions;

dq_status dq_ope_sessions_init(dq_ope_sessions *sessions, double gamma, dq_error *error);
void dq_ope_sessions_free(dq_ope_sessions *sessions);

/* Takes rows; row->begins tells a new session. DQ_ERR_RANGE for one of more than DQ_OPE_MAX_STEPS rows. */
dq_status dq_ope_sessions_add(dq_ope_sessions *sessions, const dq_ope_row *rows, size_t n, dq_error *error);
/* Ends the last session. */
void dq_ope_sessions_end(dq_ope_sessions *sessions);
/* The estimates of `count` kinds, in these places; their names and bounds are the caller's. DQ_ERR_RANGE for
 * no session, DQ_ERR_NUMERIC for an estimate that is no number (all weights 0 in a ratio), DQ_ERR_MEMORY. */
dq_status dq_ope_sessions_estimate(const dq_ope_sessions *sessions, const dq_ope_session_kind *kinds,
                                   dq_ope_estimate *const *estimates, size_t count, double confidence,
                                   size_t resamples, uint64_t seed, dq_error *error);

/* dq_ope_blocks_influence of a kind, into values (sessions->blocks.count). */
dq_status dq_ope_sessions_influence(const dq_ope_sessions *sessions, dq_ope_session_kind kind, double *values,
                                    dq_error *error);

#endif
