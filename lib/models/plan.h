/* SPDX-License-Identifier: MIT
 *
 * Whose models are wanted, whose are kept in a folder already, and whose are to be made: jobs, in the order
 * of the catalogue. As jobs end their models are kept, and can leave in one stream in that order, whatever
 * was made when.
 *
 *     dq_model_plan plan;
 *     dq_model_plan_make(&plan, &users, &wanted, &dir, &e);
 *     for each job: dq_model_plan_take(&plan, job, read, from, out, &e)   or  dq_model_plan_fail(&plan, job)
 *                   or, where the run is stopped, dq_model_plan_leave(&plan, job, &left, &e)
 *     dq_model_plan_settle(&plan, &e);
 *     dq_model_plan_finish(&plan, out, &e);
 *     dq_model_plan_free(&plan);
 */
#ifndef DQ_MODELS_PLAN_H
#define DQ_MODELS_PLAN_H

#include "models/claim.h"
#include "models/directory.h"
#include "models/half.h"
#include "models/keeper.h"
#include "models/users.h"

typedef enum dq_model_state {
    DQ_MODEL_UNWANTED,
    DQ_MODEL_TO_MAKE,
    DQ_MODEL_KEPT, /* in the folder, or without one in the stream */
    DQ_MODEL_FAILED
} dq_model_state;

typedef struct dq_model_plan {
    const dq_index *users;   /* of the catalogue; borrowed */
    const dq_model_dir *dir; /* borrowed; NULL: none */
    uint32_t *job;           /* (jobs) the users' numbers */
    uint8_t *state;          /* (users) dq_model_state */
    bool everybody;          /* no list narrows the users */
    size_t wanted, jobs, passed;
    size_t resumed, replaced; /* models that were there; that were there of another run, and are made anew */
    size_t made, failed;
    size_t begun;            /* left as halves */
    bool halves;             /* the folder had a place of halves when the plan was made */
    dq_model_claim claim;    /* of the folder */
    dq_model_keeper *keeper; /* of the folder; NULL: there is none */
} dq_model_plan;

/* Users that are wanted must be of the catalogue. Makes the folder, claims them there until the plan is freed
 * (models/claim.h), and removes what a killed run left aside. `before` (or NULL) makes durable what is to be
 * so before a model is (models/keeper.h). DQ_ERR_RANGE for an id that can have no file. It can be freed also
 * when this fails. */
dq_status dq_model_plan_make(dq_model_plan *plan, const dq_index *users, const dq_user_list *wanted,
                             const dq_model_dir *dir, dq_model_keeper_before before, void *arg,
                             dq_error *error);
/* A job's model, the bytes of a stream that read(from, ...) gives: into the folder where there is one, as
 * they are, and soon; and into a stream (NULL: none), behind those of all users before this one, and then it
 * is in the folder. A failure may be that of a model before. */
dq_status dq_model_plan_take(dq_model_plan *plan, size_t job, dq_source_fn read, void *from, dq_writer *out,
                             dq_error *error);
void dq_model_plan_fail(dq_model_plan *plan, size_t job);
/* A stop: what a job that is not taken came to, into the folder, as a half (models/half.h). */
dq_status dq_model_plan_leave(dq_model_plan *plan, size_t job, const dq_model_left *left, dq_error *error);
/* A job begins: the half that an earlier run left of it, to be closed (reader NULL: none). logged: whether
 * there is a log, whose lines it must have. Of a child as well. */
dq_status dq_model_plan_take_up(const dq_model_plan *plan, size_t job, bool logged, dq_model_half *half,
                                dq_error *error);
/* Waits until all models that were taken are in the folder, durably, and removes their halves, and those of
 * agents that failed. Freeing the plan waits as well. */
dq_status dq_model_plan_settle(dq_model_plan *plan, dq_error *error);
/* All jobs have ended: the rest into the stream. */
dq_status dq_model_plan_finish(dq_model_plan *plan, dq_writer *out, dq_error *error);

/* Whether this user's model is kept; arg is the plan. For dq_log_length (cli/log.h). */
bool dq_model_plan_keeps(void *arg, const char *id, size_t bytes);
/* "trained 4998, failed 2, resumed 100"; what is 0 is left out, but for the first. */
void dq_model_plan_describe(const dq_model_plan *plan, char *words, size_t size);
/* When all is done: removes the place of halves, and the folder's starts of which no agent is any more
 * (dq_model_dir_sweep), unless others make agents there. A plan for some users leaves them: it would claim
 * everybody, and others that begin beside it be refused. Whether there is something to say, in words: how
 * many went, or what kept them from going, which is no fault of the agents that were made. */
bool dq_model_plan_sweep(const dq_model_plan *plan, char *words, size_t size);
void dq_model_plan_free(dq_model_plan *plan);

#endif
