/* SPDX-License-Identifier: MIT
 *
 * Tasks: environments whose states are vectors and whose actions are numbers (those of the catalogue, whose
 * states are users by number, are in dq/env.h). Each kind is one entry of a table: its options, its shape,
 * and three functions. The session, sequence and film tasks of systems B, C and D are entries, and so are the
 * small tasks with known answers; a process that speaks the stream is one more, which cmd/ makes.
 *
 *     dq_task_new(&task, "session", options, seed, &e);
 *     dq_task_reset(task, &e);                            the state: task->state
 *     dq_task_step(task, action, &step, &e);              the next state; step.reward, .terminal, .truncated
 *
 * A task draws from its own random numbers. Everything that it may change is in one flat block of memory
 * (task->memory), so that a checkpoint keeps the block, the generator and the counts below, and nothing else.
 *
 * What is drawn once and then stays (the users and items of a session) belongs to the option `world`, not to
 * the seed: tasks of one world that differ in their seeds are the same task lived through again.
 */
#ifndef DQ_ENV_ENV_H
#define DQ_ENV_ENV_H

#include "core/rng.h"
#include "dq/bundle.h"
#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

/* What an agent must know of a task. A state is
 *
 *     [ user (user_width) | history (history, item_width), the latest first, zeros where none | rest ]
 *
 * with user_width = history = 0 for tasks without users: then all is `rest`. The history holds actions that
 * were taken; whether the actions on offer are described to the agent, too, is another question. */
typedef struct dq_task_shape {
    uint32_t state_width;
    uint32_t user_width, history;
    uint32_t item_width;   /* numbers that one item of the history takes; above 0 where history is */
    uint32_t action_count; /* actions 0 .. action_count - 1, all of them on offer at every step */
    uint32_t action_width; /* numbers that describe an action; 0 exactly when actions is NULL */
    const float *actions;  /* (action_count, action_width), the task's; NULL: actions are not described */
    uint32_t step_limit;   /* steps after which an episode is truncated; 0: none */
} dq_task_shape;

/* DQ_ERR_RANGE for a shape that contradicts itself: without states or actions, a user and history that the
 * state has no room for, a width without vectors or vectors without a width, items and actions of unequal
 * widths where both have one. dq_task_new and dq_agent_new ask this. */
dq_status dq_task_shape_check(const dq_task_shape *shape, dq_error *error);

enum { DQ_TASK_COUNTERS = 4 };

/* What a step came to. */
typedef struct dq_step {
    float reward;
    bool terminal;  /* the next state has no value: nothing is bootstrapped from it */
    bool truncated; /* the episode is over, though the next state has a value */
} dq_step;

/* An option of a kind: a number. */
typedef struct dq_task_option {
    const char *name, *help;
    double value, least, most; /* the default, and the inclusive range */
    bool whole;                /* a whole number */
} dq_task_option;

typedef struct dq_task dq_task;

typedef struct dq_task_kind {
    const char *name, *help, *source;       /* source: where the task is published */
    const dq_task_option *options;          /* ended by one without a name */
    const char *counters[DQ_TASK_COUNTERS]; /* what is counted besides reward, e.g. "clicks"; NULL: no more */
    /* Fills shape and makes memory and self from the options' values, in their order. */
    dq_status (*init)(dq_task *task, const double *options, dq_error *error);
    void (*free)(dq_task *task); /* what init made beside memory; may be NULL */
    dq_status (*reset)(dq_task *task, dq_error *error);
    dq_status (*step)(dq_task *task, uint32_t action, dq_step *step, dq_error *error);
    /* Whether memory out of a checkpoint can be what this task left there; may be NULL: anything can. */
    bool (*sound)(const dq_task *task);
} dq_task_kind;

struct dq_task {
    const dq_task_kind *kind;
    dq_task_shape shape;
    float *state; /* (state_width), the current one; inside memory */
    void *memory; /* (memory_bytes): all that changes, without pointers */
    size_t memory_bytes;
    void *self; /* what stays as init made it */
    dq_rng rng;
    uint64_t steps;                    /* of this episode */
    double counters[DQ_TASK_COUNTERS]; /* of this episode */
};

/* Ended by NULL. */
extern const dq_task_kind *const dq_task_kinds[];
const dq_task_kind *dq_task_find(const char *name);

/* options: "name=value,name=value" or NULL. DQ_ERR_UNKNOWN for a kind or option that is not in the table,
 * DQ_ERR_RANGE for a value outside its range. */
dq_status dq_task_new(dq_task **task, const char *kind, const char *options, uint64_t seed, dq_error *error);
/* The same for a kind that is not in the table. self is handed to init in task->self. */
dq_status dq_task_new_kind(dq_task **task, const dq_task_kind *kind, void *self, const char *options,
                           uint64_t seed, dq_error *error);
void dq_task_free(dq_task *task);

/* Begins an episode: state, steps and counters are new. */
dq_status dq_task_reset(dq_task *task, dq_error *error);
/* Draws from now on as a task of this seed does; what it remembers of earlier episodes stays. */
void dq_task_reseed(dq_task *task, uint64_t seed);
/* One step, truncated by the shape's limit. DQ_ERR_RANGE for an action that the task does not have. */
dq_status dq_task_step(dq_task *task, uint32_t action, dq_step *step, dq_error *error);

/* Takes up what another task of the same kind and options remembers (not its generator). */
void dq_task_copy(dq_task *to, const dq_task *from);

/* Adds PREFIX.memory, .rng, .steps and .counters to a checkpoint (pointing into the task), and takes them up
 * again. */
dq_status dq_task_save(const dq_task *task, const char *prefix, dq_bundle *model, dq_error *error);
dq_status dq_task_restore(dq_task *task, const char *prefix, const dq_bundle *model, dq_error *error);

#endif
