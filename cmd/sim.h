/* SPDX-License-Identifier: MIT
 *
 * The parts of dq-sim: sim_population.c writes a made-up population as a stream, env_serve.c lets an
 * environment be spoken with.
 */
#ifndef DQ_CMD_SIM_H
#define DQ_CMD_SIM_H

#include "cli.h"

#include "dq/population.h"

/* Writes users, interactions and items. */
dq_status sim_write_population(const dq_population *population, const dq_common *common, dq_writer *writer,
                               dq_error *error);

#endif
