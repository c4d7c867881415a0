/* SPDX-License-Identifier: MIT */
#include "env/env_impl.h"

#include "core/record.h"
#include "core/words/nearest.h"
#include "core/words/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 24 };

/* ---- the table ---- */

const dq_env_kind *dq_env_find(const char *name)
{
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++)
        if (strcmp((*k)->name, name) == 0) return *k;
    return NULL;
}

const dq_env_kind *const dq_env_kinds[] = {&dq_env_session, &dq_env_sequence, &dq_env_films,
                                           &dq_env_maze,    &dq_env_chain,    &dq_env_cartpole,
                                           &dq_env_graph,   &dq_env_linear,   NULL};

const char *dq_env_name(size_t i)
{
    return dq_env_kinds[i] ? dq_env_kinds[i]->name : NULL;
}

/* ---- options ---- */

static const char *option_at(const void *options, size_t i)
{
    return ((const dq_env_option *)options)[i].name;
}

static dq_status unknown_option(const dq_env_kind *kind, const char *name, size_t n, dq_error *error)
{
    char all[256] = "";
    size_t used = 0;
    for (const dq_env_option *o = kind->options; o->name && used < sizeof all; o++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", o->name);
    return dq_fail(error, DQ_ERR_UNKNOWN, "%s has no option '%.*s'; it has %s%s", kind->name, (int)n, name,
                   used ? all : "none", dq_hint_of(name, n, option_at, kind->options).words);
}

static dq_status read_value(const dq_env_kind *kind, const dq_env_option *o, const char *text, size_t n,
                            double *value, dq_error *error)
{
    char copy[64] = "";
    if (n < sizeof copy) memcpy(copy, text, n);
    if (!dq_number_is(copy, value))
        return dq_fail(error, DQ_ERR_RANGE, "%s: %s=%.*s is not a number", kind->name, o->name, (int)n, text);
    if (*value < o->min || *value > o->max || (o->whole && *value != floor(*value)))
        return dq_fail(error, DQ_ERR_RANGE, "%s: %s=%.*s is not %s %.9g to %.9g", kind->name, o->name, (int)n,
                       text, o->whole ? "a whole number," : "in the range", o->min, o->max);
    return DQ_OK;
}

static dq_status read_option(const dq_env_kind *kind, const char *text, size_t n, double *values,
                             dq_error *error)
{
    const char *equals = memchr(text, '=', n);
    size_t name = equals ? (size_t)(equals - text) : n;
    for (size_t i = 0; kind->options[i].name; i++) {
        const dq_env_option *o = &kind->options[i];
        if (strlen(o->name) != name || memcmp(o->name, text, name) != 0) continue;
        if (!equals) return dq_fail(error, DQ_ERR_RANGE, "%s: %s needs a value", kind->name, o->name);
        return read_value(kind, o, equals + 1, n - name - 1, &values[i], error);
    }
    return unknown_option(kind, text, name, error);
}

/* Options that lay states out take the values of a layout. What is out of their range stays: the states will
 * not be the same, and whoever compares them says so. */
static void take_layout(const dq_env_kind *kind, const dq_session_layout *like, double *values)
{
    const struct {
        const char *name;
        double value;
    } shown[] = {{"history", like->history},
                 {"full", !like->mean},
                 {"recency", like->recency},
                 {"clock", like->clock},
                 {"since", like->since}};
    for (size_t i = 0; kind->options[i].name; i++)
        for (size_t k = 0; k < sizeof shown / sizeof *shown; k++)
            if (strcmp(kind->options[i].name, shown[k].name) == 0 && shown[k].value >= kind->options[i].min &&
                shown[k].value <= kind->options[i].max)
                values[i] = shown[k].value;
}

static dq_status read_options(const dq_env_kind *kind, const char *text, const dq_session_layout *like,
                              double *values, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < MAX_OPTIONS && kind->options[i].name; i++) values[i] = kind->options[i].value;
    if (like && like->item_width) take_layout(kind, like, values);
    while (!status && text && *text) {
        size_t n = strcspn(text, ",");
        status = read_option(kind, text, n, values, error);
        text += n + (text[n] == ',');
    }
    return status;
}

static const char *name_at(const void *none, size_t i)
{
    (void)none;
    return dq_env_name(i);
}

static dq_status unknown_name(const char *name, size_t n, dq_error *error)
{
    return dq_fail(error, DQ_ERR_UNKNOWN, "no environment '%.*s'%s (dq-sim --list names them)", (int)n, name,
                   dq_hint_of(name, n, name_at, NULL).words);
}

dq_status dq_env_check(const char *text, dq_error *error)
{
    char name[64] = "";
    double values[MAX_OPTIONS];
    size_t n = strcspn(text, ":");
    if (n < sizeof name) memcpy(name, text, n);
    const dq_env_kind *kind = dq_env_find(name);
    if (!kind) return unknown_name(text, n, error);
    return read_options(kind, text[n] ? text + n + 1 : NULL, NULL, values, error);
}

/* ---- an environment's life ---- */

static dq_status make(dq_env **env, const dq_env_kind *kind, void *self, const char *options,
                      const dq_session_layout *like, uint64_t seed, dq_error *error)
{
    double values[MAX_OPTIONS];
    *env = NULL;
    dq_status status = read_options(kind, options, like, values, error);
    if (status) return status;
    dq_env *made = calloc(1, sizeof *made);
    if (!made) return dq_fail_memory(error, "an environment");
    *made = (dq_env){.kind = kind, .self = self, .rng = dq_rng_new(seed)};
    status = kind->init(made, values, error);
    if (!status) status = dq_env_spec_check(&made->shape, error);
    if (status) {
        dq_env_free(made);
        return status;
    }
    *env = made;
    return DQ_OK;
}

dq_status dq_env_new_kind(dq_env **env, const dq_env_kind *kind, void *self, const char *options,
                          uint64_t seed, dq_error *error)
{
    return make(env, kind, self, options, NULL, seed, error);
}

dq_status dq_env_new_like(dq_env **env, const char *name, const char *options, const dq_session_layout *like,
                          uint64_t seed, dq_error *error)
{
    const dq_env_kind *kind = dq_env_find(name);
    *env = NULL;
    if (!kind) return unknown_name(name, strlen(name), error);
    return make(env, kind, NULL, options, like, seed, error);
}

dq_status dq_env_new(dq_env **env, const char *name, const char *options, uint64_t seed, dq_error *error)
{
    return dq_env_new_like(env, name, options, NULL, seed, error);
}

static bool in_table(const dq_env_kind *kind)
{
    const dq_env_kind *const *k = dq_env_kinds;
    while (*k && *k != kind) k++;
    return *k != NULL;
}

/* Memories lie one behind the other, each in cache lines of its own. */
dq_status dq_env_twins(dq_env **twins, size_t count, const dq_env *of, dq_arena *arena, dq_error *error)
{
    enum { LINE = 64 };
    if (!in_table(of->kind) || of->offered)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "%s is one environment", of->kind->name);
    size_t bytes = (of->memory_bytes + LINE - 1) / LINE * LINE;
    dq_env *made = dq_arena_zero(arena, count, sizeof *made);
    unsigned char *memory = dq_arena_zero(arena, count, bytes);
    if (!made || !memory) return dq_fail_memory(error, "environments");
    for (size_t i = 0; i < count; i++, memory += bytes) {
        dq_env *twin = twins[i] = &made[i];
        *twin = *of;
        twin->memory = memory;
        if (of->state)
            twin->state = (float *)(void *)(memory +
                                            ((unsigned char *)of->state - (unsigned char *)of->memory));
        twin->arena = DQ_ARENA_EMPTY;
        twin->rng = dq_rng_new(0);
        twin->number = 0;
        twin->steps = 0;
        memset(twin->counters, 0, sizeof twin->counters);
    }
    return DQ_OK;
}

dq_status dq_env_item_ids(const dq_env *env, dq_index *ids, dq_error *error)
{
    dq_status status = DQ_OK;
    for (uint32_t i = 0, row; !status && i < env->items.count; i++) {
        char id[DQ_ENTITY_ID_SIZE];
        dq_env_entities_name(&env->items, i, id);
        status = dq_index_add(ids, id, strlen(id), &row, NULL, error);
    }
    return status;
}

void dq_env_free(dq_env *env)
{
    if (!env) return;
    dq_arena_free(&env->arena);
    free(env);
}

dq_status dq_env_reset(dq_env *env, dq_error *error)
{
    env->steps = 0;
    memset(env->counters, 0, sizeof env->counters);
    return env->kind->reset(env, error);
}

void dq_env_reseed(dq_env *env, uint64_t seed)
{
    env->rng = dq_rng_new(seed);
}

static bool offers(const dq_env *env, uint32_t action)
{
    bool found = !env->offered;
    for (uint32_t i = 0; !found && i < env->offered_count; i++) found = env->offered[i] == action;
    return found;
}

static dq_status check_action(const dq_env *env, uint32_t action, dq_error *error)
{
    if (action >= env->shape.action_count)
        return dq_fail(error, DQ_ERR_RANGE, "%s has no action %u, only %u", env->kind->name, action,
                       env->shape.action_count);
    if (!offers(env, action))
        return dq_fail(error, DQ_ERR_RANGE, "%s does not offer action %u in this episode", env->kind->name,
                       action);
    return DQ_OK;
}

static void count_step(dq_env *env, dq_step *step)
{
    env->steps++;
    if (env->shape.step_limit && env->steps >= env->shape.step_limit && !step->terminal)
        step->truncated = true;
}

dq_status dq_env_step(dq_env *env, uint32_t action, dq_step *step, dq_error *error)
{
    *step = (dq_step){0};
    dq_status status = check_action(env, action, error);
    if (!status) status = env->kind->step(env, action, step, error);
    if (!status) count_step(env, step);
    return status;
}

dq_status dq_env_step_many(dq_env *const *envs, const uint32_t *which, size_t n, const uint32_t *actions,
                           dq_step *steps, dq_error *error)
{
    dq_status status = DQ_OK;
    if (n == 0) return DQ_OK;
    const dq_env_kind *kind = envs[which[0]]->kind;
    for (size_t k = 0; !status && !kind->step_many && k < n; k++)
        status = dq_env_step(envs[which[k]], actions[which[k]], &steps[which[k]], error);
    if (!kind->step_many) return status;
    for (size_t k = 0; !status && k < n; k++) {
        status = check_action(envs[which[k]], actions[which[k]], error);
        steps[which[k]] = (dq_step){0};
    }
    if (status) return status;
    kind->step_many(envs, which, n, actions, steps);
    for (size_t k = 0; k < n; k++) count_step(envs[which[k]], &steps[which[k]]);
    return DQ_OK;
}

void dq_env_copy(dq_env *to, const dq_env *from)
{
    memcpy(to->memory, from->memory, from->memory_bytes);
    memcpy(to->counters, from->counters, sizeof to->counters);
    to->steps = from->steps;
    to->number = from->number;
}

/* ---- checkpoints ---- */

enum { PARTS = 4 };

static void list_parts(dq_env *env, dq_record_part parts[PARTS])
{
    parts[0] = (dq_record_part){"memory", DQ_U1, env->memory_bytes, 0, env->memory};
    parts[1] = (dq_record_part){"number", DQ_U4, 1, 0, &env->number};
    parts[2] = (dq_record_part){"steps", DQ_U8, 1, 0, &env->steps};
    parts[3] = (dq_record_part){"counters", DQ_F8, DQ_ENV_COUNTERS, 0, env->counters};
}

dq_status dq_env_save(dq_env *env, const char *prefix, dq_bundle *model, dq_error *error)
{
    char name[80];
    dq_record_part parts[PARTS];
    list_parts(env, parts);
    (void)snprintf(name, sizeof name, "%s.rng", prefix);
    dq_status status = dq_record_save_parts(parts, PARTS, prefix, model, error);
    return status ? status : dq_record_save_rng(&env->rng, 1, name, model, error);
}

/* A checkpoint is a file that somebody may have changed. */
static dq_status check_sound(const dq_env *env, dq_error *error)
{
    bool sound = !env->kind->sound || env->kind->sound(env);
    for (uint32_t i = 0; env->state && i < env->shape.state_width; i++)
        sound = sound && isfinite(env->state[i]);
    sound = sound && (env->number == 0 || env->number < env->shape.states.count);
    for (size_t i = 0; i < DQ_ENV_COUNTERS; i++) sound = sound && isfinite(env->counters[i]);
    if (sound) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "a checkpoint of the environment %s that cannot be",
                   env->kind->name);
}

dq_status dq_env_restore(dq_env *env, const char *prefix, const dq_bundle *model, dq_error *error)
{
    char name[80];
    dq_record_part parts[PARTS];
    list_parts(env, parts);
    (void)snprintf(name, sizeof name, "%s.rng", prefix);
    dq_status status = dq_record_restore_parts(parts, PARTS, prefix, model, error);
    if (!status) status = dq_record_rng(model, name, 1, &env->rng, error);
    return status ? status : check_sound(env, error);
}
