/* SPDX-License-Identifier: MIT
 *
 * Simulated users (rollout/visitor.h) as clients of a server of recommendations, over HTTP: each asks for a
 * list, looks at its items, sends what he did, and asks anew until his session is over.
 */
#ifndef DQ_SIM_AGAINST_H
#define DQ_SIM_AGAINST_H

#include "cli/cli.h"

typedef struct sim_against_options {
    const char *address;      /* http://HOST:PORT, or unix:PATH */
    const char *token_file;   /* NULL: no token */
    const char *click, *pass; /* labels; pass NULL: what was passed over is not answered */
    double explore; /* the share of places that the server is asked to fill at random; 0: it is not asked */
    uint64_t sessions, rounds, list, parallel;
} sim_against_options;

/* Sends so many sessions a round to the server, and prints a line for each round and model. */
dq_status sim_against(dq_cli *cli, const sim_against_options *options, const dq_common *common,
                      dq_error *error);

#endif
