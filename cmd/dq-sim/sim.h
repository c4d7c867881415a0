/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-sim: main.c writes a made-up world or an environment's users and items
 * (lib/env/bundles.h), play.c episodes of an environment, lib/rollout/server.c lets one be spoken with.
 */
#ifndef DQ_SIM_SIM_H
#define DQ_SIM_SIM_H

#include "cli/cli.h"
#include "rollout/vec_env.h"

typedef struct sim_play_options {
    uint64_t episodes;
    const char *model;  /* NULL: any action */
    double epsilon;     /* the share of steps at which the model's agent takes any */
    uint64_t max_steps; /* of an episode, which is cut off then; 0: any number */
} sim_play_options;

/* Plays episodes of the environment that the operand names, and writes them as transitions. */
dq_status sim_play(const dq_cli *cli, const sim_play_options *options, const dq_common *common,
                   const dq_maker *maker, dq_error *error);

#endif
