/* SPDX-License-Identifier: MIT
 *
 * An agent's configuration in a model bundle, so that a model says by itself how it is to be used:
 *
 *     meta.architecture   the kind's name        meta.gamma, meta.step, as every model has
 *     meta.agent          the configuration, a name an option; hidden: [..], schedule by name
 *     meta.task           the shape              column `actions` (action_count, action_width), where actions
 *                                                are described
 *
 *     meta.states         what stands where in a state, where users meet items (data/session_state.h)
 *
 * meta.task has one width, of items and actions alike, and calls it action_width also where only items of the
 * history have it: whether actions are described, the column says.
 *
 * and in a checkpoint meta.counts and column `agent.rng`.
 */
#include "learn/agent_impl.h"

#include "core/record.h"

#include <math.h>
#include <string.h>

/* ---- the table of kinds ---- */

const dq_agent_kind *const dq_agent_kinds[] = {&dq_agent_tabular, &dq_agent_dqn, &dq_agent_dyna_q, NULL};

const dq_agent_kind *dq_agent_find(const char *name)
{
    for (const dq_agent_kind *const *kind = dq_agent_kinds; *kind; kind++)
        if (strcmp((*kind)->name, name) == 0) return *kind;
    return NULL;
}

#define AT(field) offsetof(dq_agent_config, field)

static const dq_record_field options[] = {
    {"dropout", DQ_RECORD_REAL, AT(dropout)},
    {"batch_norm", DQ_RECORD_FLAG, AT(batch_norm)},
    {"dueling", DQ_RECORD_FLAG, AT(dueling)},
    {"head", DQ_RECORD_SMALL, AT(head)},
    {"encoder", DQ_RECORD_SMALL, AT(encoder)},
    {"gamma", DQ_RECORD_REAL, AT(gamma)},
    {"double", DQ_RECORD_FLAG, AT(double_q)},
    {"n_step", DQ_RECORD_SMALL, AT(n_step)},
    {"loss", DQ_RECORD_SMALL, AT(loss)},
    {"rate", DQ_RECORD_REAL, AT(adam.rate)},
    {"beta1", DQ_RECORD_REAL, AT(adam.beta1)},
    {"beta2", DQ_RECORD_REAL, AT(adam.beta2)},
    {"eps", DQ_RECORD_REAL, AT(adam.eps)},
    {"decay", DQ_RECORD_REAL, AT(adam.decay)},
    {"clip_norm", DQ_RECORD_REAL, AT(clip_norm)},
    {"clip_value", DQ_RECORD_REAL, AT(clip_value)},
    {"schedule_steps", DQ_RECORD_COUNT, AT(schedule_steps)},
    {"target_every", DQ_RECORD_COUNT, AT(target_every)},
    {"target_by", DQ_RECORD_SMALL, AT(target_by)},
    {"tau", DQ_RECORD_REAL, AT(tau)},
    {"batch", DQ_RECORD_COUNT, AT(batch)},
    {"replay", DQ_RECORD_COUNT, AT(replay)},
    {"warmup", DQ_RECORD_COUNT, AT(warmup)},
    {"train_every", DQ_RECORD_COUNT, AT(train_every)},
    {"updates", DQ_RECORD_COUNT, AT(updates)},
    {"fit_rows", DQ_RECORD_COUNT, AT(fit_rows)},
    {"priority", DQ_RECORD_REAL, AT(priority)},
    {"importance", DQ_RECORD_REAL, AT(importance)},
    {"conservative", DQ_RECORD_REAL, AT(conservative)},
    {"alpha", DQ_RECORD_REAL, AT(alpha)},
    {"states", DQ_RECORD_SMALL, AT(states)},
    {"planning", DQ_RECORD_SMALL, AT(planning)},
    {"rollout", DQ_RECORD_SMALL, AT(rollout)},
    {"models", DQ_RECORD_SMALL, AT(models)},
    {"explore_by", DQ_RECORD_SMALL, AT(explore_by)},
    {"decay_form", DQ_RECORD_SMALL, AT(decay_form)},
    {"decay_by", DQ_RECORD_SMALL, AT(decay_by)},
    {"epsilon", DQ_RECORD_REAL, AT(epsilon)},
    {"epsilon_min", DQ_RECORD_REAL, AT(epsilon_min)},
    {"epsilon_decay", DQ_RECORD_REAL, AT(epsilon_decay)},
    {"temperature", DQ_RECORD_REAL, AT(temperature)},
    {"tasks", DQ_RECORD_SMALL, AT(tasks)},
    {"seed", DQ_RECORD_COUNT, AT(seed)},
};

#define SHAPE_AT(field) offsetof(dq_env_spec, field)

static const dq_record_field shape_numbers[] = {
    {"state_width", DQ_RECORD_SMALL, SHAPE_AT(state_width)},
    {"user_width", DQ_RECORD_SMALL, SHAPE_AT(user_width)},
    {"history", DQ_RECORD_SMALL, SHAPE_AT(history)},
    {"action_count", DQ_RECORD_SMALL, SHAPE_AT(action_count)},
    {"action_width", DQ_RECORD_SMALL, SHAPE_AT(item_width)},
    {"step_limit", DQ_RECORD_SMALL, SHAPE_AT(step_limit)},
};

static const dq_record_field counts[] = {
    {"steps", DQ_RECORD_COUNT, offsetof(dq_agent, steps)},
    {"observed", DQ_RECORD_COUNT, offsetof(dq_agent, observed)},
    {"episodes", DQ_RECORD_COUNT, offsetof(dq_agent, episodes)},
    {"due", DQ_RECORD_COUNT, offsetof(dq_agent, due)},
};

enum {
    OPTIONS = sizeof options / sizeof *options,
    SHAPE_NUMBERS = sizeof shape_numbers / sizeof *shape_numbers,
    COUNTS = sizeof counts / sizeof *counts,
    MOST_UNITS = 1 << 20, /* of what a file may claim; so are the rows of a batch */
    MOST_MODELS = 1 << 10,
    MOST_TASKS = 1 << 16,
};

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "no memory for a model bundle");
}

/* The lists and names beside the numbers of meta.agent. */
static bool save_rest(const dq_agent_config *c, dq_bundle *model)
{
    dq_arena *arena = &model->arena;
    dq_value map = *dq_map_get(&model->meta, "agent"), hidden = dq_list();
    for (uint32_t l = 0; l < c->hidden_count; l++)
        if (!dq_list_add(arena, &hidden, dq_int(c->hidden[l]))) return false;
    return dq_map_set(arena, &map, "hidden", hidden) &&
           dq_map_set(arena, &map, "schedule", dq_string(arena, c->schedule->name)) &&
           dq_map_set(arena, &model->meta, "agent", map);
}

uint32_t agent_vector_width(const dq_env_spec *s)
{
    return s->item_width ? s->item_width : s->action_width;
}

dq_status agent_save_config(const dq_agent *a, dq_bundle *model, dq_error *error)
{
    dq_arena *arena = &model->arena;
    uint64_t shape[2] = {a->shape.action_count, a->shape.action_width};
    dq_env_spec written = a->shape;
    written.item_width = agent_vector_width(&a->shape);
    if (!dq_map_set(arena, &model->meta, "architecture", dq_string(arena, a->kind->name)) ||
        !dq_map_set(arena, &model->meta, "gamma", dq_real(a->config.gamma)) ||
        !dq_map_set(arena, &model->meta, "step", dq_int((int64_t)a->steps)) ||
        !dq_record_save(options, OPTIONS, &a->config, "agent", model) || !save_rest(&a->config, model) ||
        !dq_record_save(shape_numbers, SHAPE_NUMBERS, &written, "task", model))
        return no_memory(error);
    dq_status status = dq_session_layout_save(&a->shape.layout, model, error);
    if (status || !a->vectors) return status;
    return dq_bundle_add_tensor(model, "actions", DQ_F4, 2, shape, a->vectors, error);
}

static bool read_hidden(const dq_value *list, dq_agent_config *config)
{
    if (!list || list->type != DQ_LIST || list->count > DQ_MLP_MAX_HIDDEN) return false;
    for (uint32_t l = 0; l < list->count; l++) {
        int64_t n = dq_value_integer(&list->as.list[l], 0);
        if (n < 1 || n > MOST_UNITS) return false;
        config->hidden[config->hidden_count++] = (uint32_t)n;
    }
    return true;
}

/* The enumerations are in range, and what memory is taken by is not absurd. */
static bool sound(const dq_agent_config *c)
{
    return c->head <= DQ_HEAD_ACTIONS && c->encoder <= DQ_ENCODER_ATTENTION && c->loss <= DQ_LOSS_HUBER &&
           c->target_by <= DQ_BY_EPISODES && c->decay_by <= DQ_BY_EPISODES &&
           c->explore_by <= DQ_EXPLORE_SOFTMAX && c->decay_form <= DQ_DECAY_LINEAR &&
           c->fit_rows <= MOST_UNITS && c->batch <= c->fit_rows && c->replay <= UINT32_MAX &&
           c->models <= MOST_MODELS && c->tasks <= MOST_TASKS && c->n_step <= MOST_TASKS &&
           c->train_every <= UINT32_MAX && c->states <= MOST_UNITS * 64U;
}

/* Whether the model is as large as the network that it claims to hold: nothing is allocated on its word
 * alone. */
static bool holds_network(const dq_bundle *model, const dq_agent_config *c, const dq_env_spec *s)
{
    uint64_t bytes = 0, weights = 0, in = s->state_width - (uint64_t)s->history * s->item_width;
    for (size_t i = 0; i < model->column_count; i++) bytes += model->columns[i].bytes;
    for (uint32_t l = 0; l < c->hidden_count; in = c->hidden[l++]) weights += in * c->hidden[l];
    if (c->hidden_count && c->head == DQ_HEAD_OUTPUTS) weights += in * s->action_count;
    return weights <= bytes; /* a number may be stored in two bytes, and is never in less than one */
}

static dq_status read_options(const dq_bundle *model, dq_agent_config *config, dq_error *error)
{
    const dq_value *map = dq_map_get(&model->meta, "agent"), *schedule = dq_map_get(map, "schedule");
    *config = (dq_agent_config){0};
    dq_status status = dq_record_restore(options, OPTIONS, config, "agent", model, error);
    if (status) return status;
    for (const dq_schedule *s = dq_schedules; s->name; s++)
        if (dq_value_is(schedule, s->name)) config->schedule = s;
    if (!config->schedule || !read_hidden(dq_map_get(map, "hidden"), config) || !sound(config))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.agent is no configuration");
    return DQ_OK;
}

static dq_status read_actions(dq_bundle *model, dq_env_spec *shape, dq_error *error)
{
    const dq_column *column = dq_bundle_column(model, "actions");
    if (!column) return DQ_OK;
    if (column->type != DQ_F4 || column->shape[0] != shape->action_count ||
        dq_column_width(column) != shape->item_width)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's vectors of actions do not fit its task");
    const float **at = dq_arena_zero(&model->arena, shape->action_count, sizeof *at);
    if (!at) return dq_fail(error, DQ_ERR_MEMORY, "no memory for vectors of actions");
    for (uint32_t i = 0; i < shape->action_count; i++)
        at[i] = (const float *)column->data + (size_t)i * shape->item_width;
    shape->action_width = shape->item_width;
    shape->actions = at;
    return DQ_OK;
}

static dq_status read_shape(const dq_bundle *model, dq_env_spec *shape, dq_error *error)
{
    *shape = (dq_env_spec){0};
    dq_status status = dq_record_restore(shape_numbers, SHAPE_NUMBERS, shape, "task", model, error);
    if (status) return status;
    if (shape->state_width > MOST_UNITS || shape->action_count > MOST_UNITS || shape->item_width > MOST_UNITS)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.task is no shape");
    status = dq_session_layout_load(&shape->layout, model, error);
    if (!status && dq_env_spec_check(shape, NULL))
        status = dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.task is no shape");
    return status;
}

dq_status agent_read_config(const dq_bundle *model, const char **kind, dq_agent_config *config,
                            dq_env_spec *shape, dq_error *error)
{
    const dq_value *architecture = dq_map_get(&model->meta, "architecture");
    *kind = NULL;
    for (const dq_agent_kind *const *k = dq_agent_kinds; *k; k++)
        if (dq_value_is(architecture, (*k)->name)) *kind = (*k)->name;
    if (!*kind || !dq_map_get(&model->meta, "task"))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model is of no agent for tasks");
    dq_status status = read_options(model, config, error);
    if (!status) status = read_shape(model, shape, error);
    if (!status && !holds_network(model, config, shape))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model is smaller than the network that it claims to be");
    return status;
}

dq_status dq_agent_read_config(dq_bundle *model, const char **kind, dq_agent_config *config,
                               dq_env_spec *shape, dq_error *error)
{
    dq_status status = agent_read_config(model, kind, config, shape, error);
    return status ? status : read_actions(model, shape, error);
}

dq_status agent_save_place(dq_agent *a, dq_bundle *model, dq_error *error)
{
    uint64_t shape[2] = {RNG_AGENT_COUNT, 4};
    if (!dq_record_save(counts, COUNTS, a, "counts", model)) return no_memory(error);
    return dq_bundle_add_tensor(model, "agent.rng", DQ_U8, 2, shape, a->rng, error);
}

dq_status agent_restore_place(dq_agent *a, const dq_bundle *model, dq_error *error)
{
    dq_status status = dq_record_restore(counts, COUNTS, a, "counts", model, error);
    if (status) return status;
    return dq_record_column(model, "agent.rng", DQ_U8, (uint64_t)RNG_AGENT_COUNT * 4, a->rng, error);
}
