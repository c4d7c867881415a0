/* SPDX-License-Identifier: MIT
 *
 * A new model in the place of an old one, if somebody finds it better: it is written beside the place, a
 * command looks at both, and its exit status decides. In the place there is always one whole model.
 *
 *     PLACE               the standing model; replaced by rename
 *     PLACE.candidate     the new one, while it is judged
 *     PLACE.refused       the last one that was refused
 *     PLACE.held          what the last one was judged by, if that was held out
 *
 * The command finds them in DQ_CANDIDATE, DQ_STANDING, the log in DQ_LOG, and in DQ_HELD a stream of
 * interactions that the new model has not learnt from. A model that is promoted says
 * by what:
 *
 *     meta.judged    command (without secrets), verdict (the last line that the command wrote)
 */
#ifndef DQ_SERVE_ONLINE_PROMOTE_H
#define DQ_SERVE_ONLINE_PROMOTE_H

#include "dq/stream.h"
#include "wire/run/command.h"

typedef struct dq_promotion {
    const char *place, *standing, *log, *held; /* files; standing: what the new one is held against */
    const char *command;                       /* NULL: nobody is asked */
    const char *told;                          /* the command as the model says it: without secrets */
    const dq_maker *maker;
    dq_reader *const *inputs; /* (input_count) of the lineage */
    size_t input_count;
    int echo;                 /* where the command's words go; -1: nowhere */
    bool (*stop_asked)(void); /* may be NULL */
} dq_promotion;

/* PLACE.held, where rows for DQ_HELD are written: malloc's, NULL: no memory. */
char *dq_promotion_held(const char *place);

/* Writes a model, which may gain meta.judged. end (NULL only without a command) says how the command ended:
 * end->exit other than 0, and the place is as it was, the new model at PLACE.refused. Without a command the
 * model takes the place at once. The errors of a writer, and of dq_command_run. */
dq_status dq_promote(const dq_promotion *promotion, dq_bundle *model, dq_command_end *end, dq_error *error);

#endif
