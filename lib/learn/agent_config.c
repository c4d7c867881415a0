/* SPDX-License-Identifier: MIT
 *
 * An agent's configuration: whether its options fit each other, and its place in a model bundle, so that a
 * model says by itself how it is to be used:
 *
 *     meta.architecture   the kind's name
 *     meta.gamma, .step   as every model has
 *     meta.agent          the configuration, a name an option; hidden layers as lists; the schedule by name;
 *                         features as [[user_offset, item_offset, width] ...]; format; q_models where Q is
 *                         an ensemble (learn/members.h)
 *     meta.env_spec       the shape
 *     meta.states         what stands where in a state, where users meet items (data/session_state.h)
 *     column actions      (action_count, action_width), where actions are described and states not numbered
 *
 * and in a checkpoint meta.counts and columns `agent.rng`, `agent.offer`.
 */
#include "learn/agent_impl.h"

#include "core/delta/delta.h"
#include "core/record.h"

#include <math.h>
#include <string.h>

/* ---- tables: names of choices, and the kinds ---- */

const char *const dq_bootstrap_names[] = {"max", "same", NULL};
const char *const dq_explore_by_names[] = {"epsilon", "softmax", NULL};
const char *const dq_decay_form_names[] = {"multiplicative", "exponential", "linear", NULL};
const char *const dq_count_by_names[] = {"updates", "steps", "episodes", "run", NULL};

const dq_agent_kind *const dq_agent_kinds[] = {
    &dq_agent_tabular,  &dq_agent_dqn, &dq_agent_dyna_q, &dq_agent_dt, &dq_agent_linucb,
    &dq_agent_thompson, NULL};

const dq_agent_kind *dq_agent_find(const char *name)
{
    for (const dq_agent_kind *const *kind = dq_agent_kinds; *kind; kind++)
        if (strcmp((*kind)->name, name) == 0) return *kind;
    return NULL;
}

/* ---- options that do not fit ---- */

static bool in_unit_interval(double x)
{
    return x >= 0 && x <= 1;
}

static dq_status check_exploration(const dq_agent_config *c, dq_error *error)
{
    if (!in_unit_interval(c->epsilon) || !in_unit_interval(c->epsilon_min) || c->epsilon_min > c->epsilon)
        return dq_fail(error, DQ_ERR_RANGE, "epsilon goes from %g to %g", c->epsilon, c->epsilon_min);
    if (!(c->epsilon_decay > 0) || (c->decay_form == DQ_DECAY_MULTIPLICATIVE && c->epsilon_decay > 1))
        return dq_fail(error, DQ_ERR_RANGE, "epsilon does not decay by %g", c->epsilon_decay);
    if (c->decay_by == DQ_BY_RUN && (c->decay_form != DQ_DECAY_LINEAR || c->epsilon_decay > 1))
        return dq_fail(error, DQ_ERR_RANGE,
                       "by the run epsilon falls linearly, over all of it or less: else it has no end there");
    if (c->explore_by == DQ_EXPLORE_SOFTMAX && !(c->temperature > 0))
        return dq_fail(error, DQ_ERR_RANGE, "softmax needs a temperature above 0, not %g", c->temperature);
    return DQ_OK;
}

static dq_status check_schedule(const dq_agent_config *c, dq_error *error)
{
    if (c->schedule && !(c->schedule_decay > 0 && c->schedule_decay <= 1))
        return dq_fail(error, DQ_ERR_RANGE, "a rate does not fall to %g of itself", c->schedule_decay);
    if (c->target_by == DQ_BY_RUN)
        return dq_fail(error, DQ_ERR_RANGE, "the target moves by updates, steps or episodes, not by the run");
    return DQ_OK;
}

dq_status agent_check(const dq_agent_config *c, dq_error *error)
{
    if (c->dropout_layers && !(c->dropout > 0))
        return dq_fail(error, DQ_ERR_RANGE, "dropout behind the first %u layers, and no dropout",
                       c->dropout_layers);
    if (!in_unit_interval(c->gamma))
        return dq_fail(error, DQ_ERR_RANGE, "gamma is in [0, 1], not %g", c->gamma);
    if (dq_loss_of_lists(c->loss) && !(c->list_temperature > 0))
        return dq_fail(error, DQ_ERR_RANGE, "a list's temperature is above 0, not %g", c->list_temperature);
    if (c->train_every == 0 || c->updates == 0 || c->envs == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an agent learns at least once, of at least one environment");
    if (c->bootstrap == DQ_BOOTSTRAP_SAME && c->double_q)
        return dq_fail(error, DQ_ERR_RANGE,
                       "Double chooses the best action of the next state; the taken one is not chosen");
    dq_status status = check_exploration(c, error);
    return status ? status : check_schedule(c, error);
}

/* ---- what is written ---- */

enum {
    FORMAT = 2,          /* of models; those before had two shapes, and none of them said so */
    MAX_UNITS = 1 << 20, /* of what a file may claim; so are the rows of a batch */
    MAX_MODELS = 1 << 10,
    MAX_ENVS = 1 << 16,
};

#define AT(field) offsetof(dq_agent_config, field)

static const dq_record_field options[] = {
    {"dropout", DQ_RECORD_REAL, AT(dropout)},
    {"dropout_layers", DQ_RECORD_SMALL, AT(dropout_layers)},
    {"activation", DQ_RECORD_SMALL, AT(activation)},
    {"precision", DQ_RECORD_SMALL, AT(precision)},
    {"batch_norm", DQ_RECORD_FLAG, AT(batch_norm)},
    {"dueling", DQ_RECORD_FLAG, AT(dueling)},
    {"sparse", DQ_RECORD_FLAG, AT(sparse)},
    {"head", DQ_RECORD_SMALL, AT(head)},
    {"encoder", DQ_RECORD_SMALL, AT(encoder)},
    {"blocks", DQ_RECORD_SMALL, AT(blocks)},
    {"heads", DQ_RECORD_SMALL, AT(heads)},
    {"encoder_width", DQ_RECORD_SMALL, AT(encoder_width)},
    {"gamma", DQ_RECORD_REAL, AT(gamma)},
    {"bootstrap", DQ_RECORD_SMALL, AT(bootstrap)},
    {"double", DQ_RECORD_FLAG, AT(double_q)},
    {"n_step", DQ_RECORD_SMALL, AT(n_step)},
    {"loss", DQ_RECORD_SMALL, AT(loss)},
    {"huber_delta", DQ_RECORD_REAL, AT(huber_delta)},
    {"rate", DQ_RECORD_REAL, AT(adam.rate)},
    {"beta1", DQ_RECORD_REAL, AT(adam.beta1)},
    {"beta2", DQ_RECORD_REAL, AT(adam.beta2)},
    {"eps", DQ_RECORD_REAL, AT(adam.eps)},
    {"decay", DQ_RECORD_REAL, AT(adam.decay)},
    {"decoupled", DQ_RECORD_FLAG, AT(adam.decoupled)},
    {"given", DQ_RECORD_SMALL, AT(given.width)},
    {"feature_scale", DQ_RECORD_REAL, AT(feature_scale)},
    {"hidden_inputs", DQ_RECORD_SMALL, AT(hidden_inputs)},
    {"direct", DQ_RECORD_FLAG, AT(direct)},
    {"factored", DQ_RECORD_SMALL, AT(factored)},
    {"input_dropout", DQ_RECORD_REAL, AT(input_dropout)},
    {"calibrated", DQ_RECORD_FLAG, AT(calibrated)},
    {"list_temperature", DQ_RECORD_REAL, AT(list_temperature)},
    {"clip_norm", DQ_RECORD_REAL, AT(clip_norm)},
    {"clip_value", DQ_RECORD_REAL, AT(clip_value)},
    {"schedule_decay", DQ_RECORD_REAL, AT(schedule_decay)},
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
    {"offered", DQ_RECORD_SMALL, AT(offered)},
    {"priority", DQ_RECORD_REAL, AT(priority)},
    {"importance", DQ_RECORD_REAL, AT(importance)},
    {"conservative", DQ_RECORD_REAL, AT(conservative)},
    {"context", DQ_RECORD_SMALL, AT(context)},
    {"imitates", DQ_RECORD_FLAG, AT(imitates)},
    {"wish", DQ_RECORD_REAL, AT(wish)},
    {"greatest_return", DQ_RECORD_REAL, AT(greatest_return)},
    {"return_mean", DQ_RECORD_REAL, AT(return_mean)},
    {"return_scale", DQ_RECORD_REAL, AT(return_scale)},
    {"alpha", DQ_RECORD_REAL, AT(alpha)},
    {"ridge", DQ_RECORD_REAL, AT(ridge)},
    {"spread", DQ_RECORD_REAL, AT(spread)},
    {"outer", DQ_RECORD_FLAG, AT(outer)},
    {"states", DQ_RECORD_SMALL, AT(states)},
    {"world", DQ_RECORD_FLAG, AT(world)},
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
    {"envs", DQ_RECORD_SMALL, AT(envs)},
    {"seed", DQ_RECORD_COUNT, AT(seed)},
};

#define SHAPE_AT(field) offsetof(dq_env_spec, field)

static const dq_record_field shape_numbers[] = {
    {"state_width", DQ_RECORD_SMALL, SHAPE_AT(state_width)},
    {"states", DQ_RECORD_SMALL, SHAPE_AT(states.count)},
    {"user_width", DQ_RECORD_SMALL, SHAPE_AT(user_width)},
    {"history", DQ_RECORD_SMALL, SHAPE_AT(history)},
    {"item_width", DQ_RECORD_SMALL, SHAPE_AT(item_width)},
    {"action_count", DQ_RECORD_SMALL, SHAPE_AT(action_count)},
    {"action_width", DQ_RECORD_SMALL, SHAPE_AT(action_width)},
    {"step_limit", DQ_RECORD_SMALL, SHAPE_AT(step_limit)},
};

static const dq_record_field counts[] = {
    {"steps", DQ_RECORD_COUNT, offsetof(dq_agent, steps)},
    {"updates", DQ_RECORD_COUNT, offsetof(dq_agent, updates)},
    {"observed", DQ_RECORD_COUNT, offsetof(dq_agent, observed)},
    {"episodes", DQ_RECORD_COUNT, offsetof(dq_agent, episodes)},
    {"due", DQ_RECORD_COUNT, offsetof(dq_agent, due)},
    {"progress", DQ_RECORD_REAL, offsetof(dq_agent, progress)},
};

enum {
    OPTIONS = sizeof options / sizeof *options,
    SHAPE_NUMBERS = sizeof shape_numbers / sizeof *shape_numbers,
    COUNTS = sizeof counts / sizeof *counts,
};

/* ---- writing ---- */

static dq_status no_memory(dq_error *error)
{
    return dq_fail_memory(error, "a model bundle");
}

/* The lists and names beside the numbers of meta.agent. */
static bool save_rest(const dq_agent_config *c, dq_bundle *model)
{
    dq_arena *arena = &model->arena;
    dq_value map = *dq_map_get(&model->meta, "agent");
    return dq_map_set(arena, &map, "format", dq_int(FORMAT)) &&
           dq_pairing_save(c->features, c->feature_count, "features", &map, arena) &&
           dq_map_set(arena, &map, "schedule", dq_string(arena, c->schedule->name)) &&
           dq_record_save_list(c->hidden, c->hidden_count, "hidden", &map, arena) &&
           dq_record_save_list(c->value_hidden, c->value_hidden_count, "value_hidden", &map, arena) &&
           dq_record_save_list(c->world_hidden, c->world_hidden_count, "world_hidden", &map, arena) &&
           dq_map_set(arena, &model->meta, "agent", map);
}

static dq_status save_actions(const dq_agent *a, dq_bundle *model, dq_error *error)
{
    size_t width = a->shape.action_width, count = a->shape.action_count;
    uint64_t shape[2] = {count, width};
    float *all = dq_arena_zero(&model->arena, count * width, sizeof *all);
    if (!all) return no_memory(error);
    for (size_t i = 0; i < count; i++) memcpy(all + i * width, a->actions.at[i], width * sizeof *all);
    return dq_bundle_add_tensor(model, "actions", DQ_F4, 2, shape, all, error);
}

dq_status agent_save_config(const dq_agent *a, dq_bundle *model, dq_error *error)
{
    dq_arena *arena = &model->arena;
    if (!dq_map_set(arena, &model->meta, "architecture", dq_string(arena, a->kind->name)) ||
        !dq_map_set(arena, &model->meta, "gamma", dq_real(a->config.gamma)) ||
        !dq_map_set(arena, &model->meta, "step", dq_int((int64_t)a->steps)))
        return no_memory(error);
    dq_status status = dq_record_save(options, OPTIONS, &a->config, "agent", model, error);
    if (!status && !save_rest(&a->config, model)) status = no_memory(error);
    if (!status) status = dq_record_save(shape_numbers, SHAPE_NUMBERS, &a->shape, "env_spec", model, error);
    if (!status) status = dq_session_layout_save(&a->shape.layout, model, error);
    return status || a->numbered || !a->actions.at ? status : save_actions(a, model, error);
}

/* ---- reading ---- */

static bool read_rest(const dq_value *map, dq_agent_config *c)
{
    for (const dq_schedule *s = dq_schedules; s->name; s++)
        if (dq_value_is(dq_map_get(map, "schedule"), s->name)) c->schedule = s;
    int64_t q_models = dq_value_integer(dq_map_get(map, "q_models"), 1);
    if (q_models < 1 || q_models > MAX_MODELS) return false;
    c->q_models = (uint32_t)q_models;
    return c->schedule && dq_net_read_hidden(map, "hidden", c->hidden, &c->hidden_count) &&
           dq_net_read_hidden(map, "value_hidden", c->value_hidden, &c->value_hidden_count) &&
           dq_net_read_hidden(map, "world_hidden", c->world_hidden, &c->world_hidden_count) &&
           dq_pairing_read(dq_map_get(map, "features"), c->features, DQ_NET_MAX_FEATURES, &c->feature_count);
}

/* The enumerations are in range, and what memory is taken by is not absurd. */
static bool sound(const dq_agent_config *c)
{
    return c->head <= DQ_HEAD_ACTIONS && c->encoder <= DQ_ENCODER_SASREC && c->activation <= DQ_TANH &&
           c->precision <= DQ_PRECISION_BF16 && c->bootstrap <= DQ_BOOTSTRAP_SAME &&
           c->loss <= DQ_LOSS_PAIRWISE && c->hidden_inputs <= DQ_HIDDEN_OF_FEATURES &&
           c->factored <= MAX_UNITS && c->given.width <= DQ_NET_MAX_GIVEN && c->target_by <= DQ_BY_EPISODES &&
           c->decay_by <= DQ_BY_RUN && c->explore_by <= DQ_EXPLORE_SOFTMAX &&
           c->decay_form <= DQ_DECAY_LINEAR && c->fit_rows <= MAX_UNITS && c->batch <= c->fit_rows &&
           c->replay <= INT32_MAX && c->models <= MAX_MODELS && c->envs <= MAX_ENVS &&
           c->n_step <= MAX_ENVS && c->train_every <= UINT32_MAX && c->states <= MAX_UNITS * 64U &&
           c->context <= DQ_NET_MAX_TOKENS;
}

/* ---- whether a model holds what it claims to be: nothing is made on its word alone ---- */

/* The networks, by their columns. A world model without its networks is none: a model of Q alone says so. */
static bool holds_networks(const dq_bundle *model, const dq_agent_config *c, const dq_env_spec *s)
{
    char name[AGENT_WORLD_NAME], member[DQ_AGENT_Q_NAME];
    const dq_net_spec q = agent_spec(c, s), world = agent_world_spec(c, s);
    bool holds = !c->context || dq_net_saved_as(model, AGENT_POLICY, &q, NULL) == DQ_OK;
    for (uint32_t m = 0; holds && !c->context && m < c->q_models; m++)
        holds = dq_net_saved_as(model, dq_agent_q_name(member, m), &q, NULL) == DQ_OK;
    for (uint32_t m = 0; c->world && holds && m < c->models; m++)
        holds = dq_net_saved_as(model, agent_world_name(name, m), &world, NULL) == DQ_OK;
    return holds;
}

static bool is_matrix(const dq_column *column, uint64_t rows, uint64_t width)
{
    return column && column->type == DQ_F4 && column->dims == 2 && column->shape[0] == rows &&
           column->shape[1] == width;
}

/* The table: rows of states, as many as are numbered, or were met. */
static bool holds_table(const dq_bundle *model, const dq_agent_config *c, const dq_env_spec *s)
{
    const dq_column *q = dq_bundle_column(model, "table.q");
    uint64_t rows = s->states.count ? s->states.count : q ? q->shape[0] : 0;
    if (!is_matrix(q, rows, s->action_count)) return false;
    return s->states.count ||
           (rows <= c->states && is_matrix(dq_bundle_column(model, "table.state"), rows, s->state_width));
}

static dq_status read_options(const dq_bundle *model, dq_agent_config *config, dq_error *error)
{
    *config = (dq_agent_config){0};
    dq_status status = dq_record_restore(options, OPTIONS, config, "agent", model, error);
    if (status) return status;
    if (!read_rest(dq_map_get(&model->meta, "agent"), config) || !sound(config))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.agent is no configuration");
    return DQ_OK;
}

dq_status dq_agent_read_actions(const dq_bundle *model, const dq_env_spec *shape, const float **at,
                                dq_error *error)
{
    const dq_column *column;
    uint64_t n = (uint64_t)shape->action_count * shape->action_width;
    dq_status status = dq_record_find(model, "actions", DQ_F4, &n, &column, error);
    for (size_t i = 0; !status && i < shape->action_count; i++)
        at[i] = (const float *)column->data + i * shape->action_width;
    return status;
}

static dq_status read_shape(const dq_bundle *model, dq_env_spec *shape, dq_error *error)
{
    *shape = (dq_env_spec){0};
    dq_status status = dq_record_restore(shape_numbers, SHAPE_NUMBERS, shape, "env_spec", model, error);
    if (status) return status;
    shape->states.width = shape->state_width;
    if (shape->state_width > MAX_UNITS || shape->action_count > MAX_UNITS || shape->item_width > MAX_UNITS ||
        shape->action_width > MAX_UNITS)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.env_spec is no shape");
    if ((status = dq_session_layout_load(&shape->layout, model, error))) return status;
    dq_env_spec counted = *shape; /* the vectors are elsewhere */
    counted.states = (dq_vectors){0};
    counted.action_width = 0;
    if (dq_env_spec_check(&counted, NULL))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.env_spec is no shape");
    return DQ_OK;
}

dq_status dq_agent_read_config(const dq_bundle *model, const char **kind, dq_agent_config *config,
                               dq_env_spec *shape, dq_error *error)
{
    const dq_value *architecture = dq_map_get(&model->meta, "architecture");
    *kind = NULL;
    dq_status status = dq_delta_refuse(model, error);
    if (status) return status;
    for (const dq_agent_kind *const *k = dq_agent_kinds; *k; k++)
        if (dq_value_is(architecture, (*k)->name)) *kind = (*k)->name;
    if (!*kind) return dq_fail(error, DQ_ERR_SCHEMA, "the model is of no agent");
    if (dq_value_integer(dq_map_get(dq_map_get(&model->meta, "agent"), "format"), 0) != FORMAT)
        return dq_fail(error, DQ_ERR_SCHEMA, "the model is of an older dq: train it anew");
    status = read_options(model, config, error);
    if (!status) status = read_shape(model, shape, error);
    if (status) return status;
    bool table = strcmp(*kind, dq_agent_tabular.name) == 0;
    if ((strcmp(*kind, dq_agent_dt.name) == 0) != (config->context > 0))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.agent is no configuration of a %s", *kind);
    if (config->q_models > 1 && (table || dq_agent_find(*kind)->functions->holds))
        return dq_fail(error, DQ_ERR_SCHEMA, "the model's meta.agent is no configuration");
    bool (*holds)(const dq_bundle *, const dq_agent_config *,
                  const dq_env_spec *) = dq_agent_find(*kind)->functions->holds;
    if (!holds) holds = table ? holds_table : holds_networks;
    if (holds(model, config, shape)) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "the model does not hold the %s that it claims to be",
                   holds == holds_table      ? "table"
                   : holds == holds_networks ? "networks"
                                             : "posterior");
}

/* ---- checkpoints ---- */

dq_status agent_save_state(dq_agent *a, dq_bundle *model, dq_error *error)
{
    uint64_t offered = a->offered;
    dq_status status = dq_record_save(counts, COUNTS, a, "counts", model, error);
    if (!status) status = dq_record_save_rng(a->rng, RNG_AGENT_COUNT, "agent.rng", model, error);
    return status ? status : dq_bundle_add_tensor(model, "agent.offer", DQ_U4, 1, &offered, a->offer, error);
}

static dq_status restore_offer(dq_agent *a, const dq_bundle *model, dq_error *error)
{
    const dq_column *column;
    uint64_t n = DQ_RECORD_ANY;
    dq_status status = dq_record_find(model, "agent.offer", DQ_U4, &n, &column, error);
    if (status) return status;
    const uint32_t *offer = column->data;
    bool fits = n >= 1 && n <= a->shape.action_count; /* more than it learns from: it acts and ranks */
    for (uint64_t i = 0; fits && i < n; i++) fits = offer[i] < a->shape.action_count;
    if (!fits)
        return dq_fail(error, DQ_ERR_RANGE, "the checkpoint offers an action that the environment lacks");
    memcpy(a->offer, offer, n * sizeof *offer);
    a->offered = (uint32_t)n;
    if (a->does->offer) a->does->offer(a);
    return DQ_OK;
}

dq_status agent_restore_state(dq_agent *a, const dq_bundle *model, dq_error *error)
{
    dq_status status = dq_record_restore(counts, COUNTS, a, "counts", model, error);
    if (!status) status = dq_record_rng(model, "agent.rng", RNG_AGENT_COUNT, a->rng, error);
    /* What is due is learnt after each step of the environments; a step of each makes one more due. */
    bool due = a->due < a->config.train_every + a->config.envs + 1;
    if (!status && !(a->progress >= 0 && a->progress <= 1 && due)) {
        a->progress = 0;
        a->due = 0;
        status = dq_fail(error, DQ_ERR_SCHEMA, "the checkpoint's meta.counts are of no run");
    }
    return status ? status : restore_offer(a, model, error);
}

/* ---- of a model that is started from ---- */

static void copy_widths(uint32_t *to, uint32_t *to_count, const uint32_t *from, uint32_t count)
{
    memcpy(to, from, count * sizeof *to);
    *to_count = count;
}

void dq_agent_config_inherit(dq_agent_config *c, const dq_agent_config *saved,
                             bool (*given)(const void *arg, const char *part), const void *arg)
{
    if (!given(arg, "hidden")) copy_widths(c->hidden, &c->hidden_count, saved->hidden, saved->hidden_count);
    if (!given(arg, "value-hidden"))
        copy_widths(c->value_hidden, &c->value_hidden_count, saved->value_hidden, saved->value_hidden_count);
    if (c->world && saved->world && !given(arg, "world-hidden"))
        copy_widths(c->world_hidden, &c->world_hidden_count, saved->world_hidden, saved->world_hidden_count);
    if (!given(arg, "features")) {
        memcpy(c->features, saved->features, sizeof c->features);
        c->feature_count = saved->feature_count;
    }
    if (!given(arg, "feature-scale")) c->feature_scale = saved->feature_scale;
    if (!given(arg, "hidden-inputs")) c->hidden_inputs = saved->hidden_inputs;
    if (!given(arg, "direct")) c->direct = saved->direct;
    if (!given(arg, "factored")) c->factored = saved->factored;
    c->calibrated |= saved->calibrated;
    if (!given(arg, "head")) c->head = saved->head;
    if (!given(arg, "outer")) c->outer = saved->outer;
    if (!given(arg, "ridge")) c->ridge = saved->ridge;
    if (!given(arg, "encoder")) c->encoder = saved->encoder;
    if (!given(arg, "blocks")) c->blocks = saved->blocks;
    if (!given(arg, "heads")) c->heads = saved->heads;
    if (!given(arg, "encoder-width")) c->encoder_width = saved->encoder_width;
    if (!given(arg, "dueling")) c->dueling = saved->dueling;
    if (!given(arg, "batch-norm")) c->batch_norm = saved->batch_norm;
    if (!given(arg, "activation")) c->activation = saved->activation;
}

void dq_agent_config_drop_world(dq_agent_config *c)
{
    c->world_hidden_count = c->planning = 0;
    c->rollout = c->models = 1;
}

void dq_agent_config_drop_features(dq_agent_config *c, bool (*given)(const void *arg, const char *part),
                                   const void *arg)
{
    if (c->feature_count + c->given.width > 0) return;
    if (!given(arg, "hidden-inputs")) c->hidden_inputs = DQ_HIDDEN_OF_ALL;
    if (!given(arg, "direct")) c->direct = false;
}

void dq_agent_config_choose_target(dq_agent_config *c, bool (*given)(const void *arg, const char *part),
                                   const void *arg)
{
    bool tau = given(arg, "tau"), every = given(arg, "target-every");
    if (tau && !every) c->target_every = 1;
    if (every && !tau) c->tau = 0;
}

dq_status dq_agent_config_choose_decay(dq_agent_config *c, const dq_agent_decay *asked,
                                       bool (*given)(const void *arg, const char *part), const void *arg,
                                       dq_error *error)
{
    bool over = given(arg, "epsilon-over"), factor = given(arg, "epsilon-decay");
    if (!given(arg, "epsilon-form")) {
        if (factor) c->decay_form = DQ_DECAY_MULTIPLICATIVE;
        bool falls = over || (c->decay_by == DQ_BY_RUN && !factor);
        if (falls && c->decay_form == DQ_DECAY_MULTIPLICATIVE) c->decay_form = DQ_DECAY_LINEAR;
    }
    bool timed = c->decay_form != DQ_DECAY_MULTIPLICATIVE;
    if (over && !timed)
        return dq_fail(error, DQ_ERR_RANGE, "--epsilon-over needs --epsilon-form exponential or linear");
    if (timed && factor)
        return dq_fail(error, DQ_ERR_RANGE, "--epsilon-decay needs --epsilon-form multiplicative");
    double whole = c->decay_by == DQ_BY_RUN && !over ? 1 : asked->over;
    if (timed && !(whole > 0))
        return dq_fail(error, DQ_ERR_RANGE, "--epsilon-form %s needs --epsilon-over",
                       c->decay_form == DQ_DECAY_LINEAR ? "linear" : "exponential");
    c->epsilon_decay = timed ? whole : asked->factor;
    return DQ_OK;
}

bool dq_agent_suits_sparse(const char *kind, const dq_agent_config *c, const dq_env_spec *shape)
{
    const dq_vectors items = {shape->actions, shape->action_count, shape->action_width};
    return dq_agent_find(kind)->functions->network && c->encoder == DQ_ENCODER_NONE && items.at &&
           dq_session_layout_is_sparse(&shape->layout, &items);
}

dq_status dq_agent_shape_fits(const dq_env_spec *shape, const dq_catalogue *c, const dq_bundle *model,
                              dq_error *error)
{
    uint32_t item_width = shape->item_width ? shape->item_width : shape->action_width;
    return dq_layout_fits(dq_entities_layout(&c->users), dq_entities_layout(&c->items), shape->user_width,
                          item_width, dq_map_get(&model->meta, "layout"), error);
}
