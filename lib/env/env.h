/* SPDX-License-Identifier: MIT
 *
 * Environments: what they show is a state, what is chosen is an action by its number. Each kind is one entry
 * of a table: its options, its shape, and three functions. The session, sequence and film environments of
 * systems B, C and D are entries, and so are the small environments with known answers. Two more are made
 * otherwise: a catalogue of users and items (system A's, env/catalogue.h), and a process that speaks the
 * stream (rollout/client.h).
 *
 *     dq_env_new(&env, "session", options, seed, &e);
 *     dq_env_reset(env, &e);                            the state: env->state
 *     dq_env_step(env, action, &step, &e);              the next state; step.reward, .terminal, .truncated
 *
 * States are vectors that come and go, or numbered: then a state is one of shape.states that do not change
 * (the users of a catalogue), and env->number says which. All actions are on offer, or those that
 * env->offered lists (a catalogue's candidates), which are others in each episode.
 *
 * An environment draws from its own random numbers. Everything that it may change is in one flat block of
 * memory (env->memory), so that a checkpoint keeps the block, the generator and the counts below, and nothing
 * else.
 *
 * What is drawn once and then stays (the users and items of a session) belongs to the option `world`, not to
 * the seed: environments of one world that differ in their seeds are the same environment lived through
 * again.
 */
#ifndef DQ_ENV_ENV_H
#define DQ_ENV_ENV_H

#include "core/index.h"
#include "core/rng.h"
#include "core/vectors.h"
#include "data/session_state.h"
#include "dq/arena.h"
#include "dq/bundle.h"
#include "dq/status.h"
#include "env/entities.h"

#include <stdbool.h>
#include <stddef.h>

/* What an agent must know of an environment. A state is
 *
 *     [ user (user_width) | history (history, item_width), the latest first, zeros where none | rest ]
 *
 * with user_width = history = 0 for environments without users: then all is `rest`. The history holds actions
 * that were taken; whether the actions on offer are described to the agent, too, is another question.
 *
 * Where users meet items, layout says what stands where in all of it, and the actions are the items. */
typedef struct dq_env_spec {
    uint32_t state_width;
    uint32_t user_width, history;
    uint32_t item_width;         /* numbers that one item of the history takes; above 0 where history is */
    uint32_t action_count;       /* actions 0 .. action_count - 1 */
    uint32_t action_width;       /* numbers that describe an action; 0 exactly when actions is NULL */
    const float *const *actions; /* (action_count) vectors (action_width), borrowed from whoever made the
                                     environment; NULL: actions are not described */
    uint32_t step_limit;         /* steps after which an episode is truncated; 0: none */
    dq_vectors states; /* numbered states, borrowed likewise; count 0: states are vectors that come and go */
    dq_session_layout layout; /* item_width 0: of states that are of no sessions, or of which nobody said */
} dq_env_spec;

/* The shape of states of this layout. actions: the vectors of `items` items, or NULL: not described. */
dq_env_spec dq_env_session_spec(const dq_session_layout *layout, uint32_t items, const float *const *actions);

/* DQ_ERR_RANGE for a shape that contradicts itself: without states or actions, a user and history that the
 * state has no room for, a width without vectors or vectors without a width, items and actions of unequal
 * widths where both have one, numbered states of another width, a layout of other states. dq_env_new and
 * dq_agent_new ask this. */
dq_status dq_env_spec_check(const dq_env_spec *shape, dq_error *error);

/* Whether states are as wide and laid out alike, and actions as many and described alike. */
bool dq_env_spec_same(const dq_env_spec *a, const dq_env_spec *b);

enum { DQ_ENV_COUNTERS = 4 };

/* What a step came to. */
typedef struct dq_step {
    float reward;
    bool terminal;  /* the next state has no value: nothing is bootstrapped from it */
    bool truncated; /* the episode is over, though the next state has a value */
} dq_step;

/* An option of a kind: a number. */
typedef struct dq_env_option {
    const char *name, *help;
    double value, min, max; /* the default, and the inclusive range */
    bool whole;             /* a whole number */
} dq_env_option;

typedef struct dq_env dq_env;

typedef struct dq_env_kind {
    const char *name, *help, *source;      /* source: where the environment is published */
    const dq_env_option *options;          /* ended by one without a name */
    const char *counters[DQ_ENV_COUNTERS]; /* what is counted besides reward, e.g. "clicks"; NULL: no more */
    /* Fills shape, users and items, and makes memory and self in the arena from the options' values, in
     * their order; and offered, where there is such a list. In the table: memory is zero, self stays. */
    dq_status (*init)(dq_env *env, const double *options, dq_error *error);
    dq_status (*reset)(dq_env *env, dq_error *error);
    /* A failure, such as a reward that did not come (DQ_ERR_STOPPED), leaves everything as it was. */
    dq_status (*step)(dq_env *env, uint32_t action, dq_step *step, dq_error *error);
    /* The same of n environments at once, envs[which[k]], with the action and the step of that number: for a
     * kind whose arithmetic gains by it. It cannot fail, and comes to the same bits. NULL: one by one. */
    void (*step_many)(dq_env *const *envs, const uint32_t *which, size_t n, const uint32_t *actions,
                      dq_step *steps);
    /* Whether memory out of a checkpoint can be what this environment left there; may be NULL: anything can.
     */
    bool (*sound)(const dq_env *env);
} dq_env_kind;

struct dq_env {
    const dq_env_kind *kind;
    void *self;      /* what stays as init made it */
    void *memory;    /* (memory_bytes): all that changes, without pointers */
    float *state;    /* (state_width), the current one, inside memory; NULL where states are numbered */
    uint32_t number; /* of the current state in shape.states; 0 where they are not numbered */
    uint32_t offered_count;
    const uint32_t *offered; /* (offered_count) actions on offer in this episode, inside memory; NULL: all */
    uint64_t steps;          /* of this episode */
    double counters[DQ_ENV_COUNTERS]; /* of this episode */
    dq_rng rng;
    dq_env_spec shape;
    /* Who is served and what is shown, of environments about users and items; else all zero. They stay as
     * they are, and are the environment's. Item a is the action a, with its vector; the first user_width
     * numbers of a state are the vector of the user whose episode it is. */
    dq_env_entities users, items;
    size_t memory_bytes;
    dq_arena arena; /* of memory, self and what they point to */
};

/* Ended by NULL. */
extern const dq_env_kind *const dq_env_kinds[];
const dq_env_kind *dq_env_find(const char *name);
/* The name of environment i; NULL: there are no more. */
const char *dq_env_name(size_t i);
/* Whether "NAME" or "NAME:option=value,..." could be made as far as its words go: errors as of dq_env_new. */
dq_status dq_env_check(const char *text, dq_error *error);

/* options: "name=value,name=value" or NULL. DQ_ERR_UNKNOWN for a kind or option that is not in the table,
 * DQ_ERR_RANGE for a value outside its range. */
dq_status dq_env_new(dq_env **env, const char *kind, const char *options, uint64_t seed, dq_error *error);
/* The same, with states laid out as `like` where the environment has an option for it (history, full,
 * recency, clock, since) and options do not say otherwise; NULL or a layout of no sessions: dq_env_new. */
dq_status dq_env_new_like(dq_env **env, const char *kind, const char *options, const dq_session_layout *like,
                          uint64_t seed, dq_error *error);
/* The same for a kind that is not in the table. self is handed to init in env->self. */
dq_status dq_env_new_kind(dq_env **env, const dq_env_kind *kind, void *self, const char *options,
                          uint64_t seed, dq_error *error);
void dq_env_free(dq_env *env);

/* `count` further environments of the same kind and options, as dq_env_new makes them, which share what stays
 * with `of`: its users, items and tables are there once. They are in the arena, live as long as both, and are
 * not freed by themselves. DQ_ERR_UNSUPPORTED for a kind that is not in the table, or whose actions on offer
 * change; DQ_ERR_MEMORY. */
dq_status dq_env_twins(dq_env **twins, size_t count, const dq_env *of, dq_arena *arena, dq_error *error);

/* Adds the ids of the items that its actions are; none where they are no items. dq-sim writes them under
 * these. */
dq_status dq_env_item_ids(const dq_env *env, dq_index *ids, dq_error *error);

/* Begins an episode: state, steps and counters are new. */
dq_status dq_env_reset(dq_env *env, dq_error *error);
/* Draws from now on as an environment of this seed does; what it remembers of earlier episodes stays. */
void dq_env_reseed(dq_env *env, uint64_t seed);
/* One step, truncated by the shape's limit. DQ_ERR_RANGE for an action that the environment does not have, or
 * does not offer. After a failure the step was not taken. */
dq_status dq_env_step(dq_env *env, uint32_t action, dq_step *step, dq_error *error);
/* One step of each of n environments of one kind, envs[which[k]], with the action and the step of that
 * number. The error is dq_env_step's of the first that fails: those after it took none, those before it may
 * have. */
dq_status dq_env_step_many(dq_env *const *envs, const uint32_t *which, size_t n, const uint32_t *actions,
                           dq_step *steps, dq_error *error);

/* Takes up what another environment of the same kind and options remembers (not its generator). */
void dq_env_copy(dq_env *to, const dq_env *from);

/* Adds PREFIX.memory, .rng, .number, .steps and .counters to a checkpoint (pointing into the env), and takes
 * them up again. */
dq_status dq_env_save(dq_env *env, const char *prefix, dq_bundle *model, dq_error *error);
dq_status dq_env_restore(dq_env *env, const char *prefix, const dq_bundle *model, dq_error *error);

#endif
