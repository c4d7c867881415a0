/* SPDX-License-Identifier: MIT
 *
 * Agents of environments: states that were lived through, out of the stream's transitions or a checkpoint's
 * replay, or where the stream's users stand, go in blocks to whoever looks ahead from them.
 */
#include "plan.h"

#include "core/buffers.h"

#include <string.h>

typedef struct states {
    plan *plan;
    dq_bundle *model;
    dq_agent *agent;
    uint32_t actions;
    plan_starts starts;
    plan_standing standing;
    plan_writer writer;
} states;

bool plan_states_wanted(const dq_bundle *model)
{
    const dq_value *spec = dq_map_get(&model->meta, "env_spec");
    return strcmp(model->kind, DQ_KIND_MODEL) == 0 && spec &&
           dq_value_integer(dq_map_get(spec, "states"), 0) == 0;
}

/* ---- opening ---- */

static dq_status make_agent(states *s, dq_error *error)
{
    dq_status status = dq_agent_of_model(&s->agent, s->model, NULL, s->plan->pool, error);
    if (status) return status;
    const dq_env_spec *shape = dq_agent_get_shape(s->agent);
    s->actions = shape->action_count;
    s->starts.width = shape->state_width;
    return plan_standing_begin(&s->standing, s->model, shape, error);
}

static dq_status make_starts(plan_starts *starts, size_t room, dq_error *error)
{
    starts->room = room;
    const dq_buffer buffers[] = {DQ_BUFFER(starts->state, room * starts->width),
                                 DQ_BUFFER(starts->state_at, room),
                                 DQ_BUFFER(starts->action, room),
                                 DQ_BUFFER(starts->episode, room),
                                 DQ_BUFFER(starts->step, room),
                                 DQ_BUFFER(starts->placed, room)};
    if (!dq_buffers_take(&starts->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "states");
    for (size_t i = 0; i < room; i++) starts->state_at[i] = starts->state + i * starts->width;
    return DQ_OK;
}

static dq_status open_all(states *s, const dq_maker *maker, dq_error *error)
{
    plan *p = s->plan;
    dq_status status = make_agent(s, error);
    if (!status)
        status = p->o->lists ? plan_lists_open(&s->writer, p, s->agent, s->model, error)
                             : plan_rollout_open(&s->writer, p, s->agent, error);
    if (!status) status = make_starts(&s->starts, s->writer.room, error);
    if (status) return status;
    return dq_writer_open(&p->output, p->o->common.output, maker, p->inputs, p->input_count, error);
}

/* ---- states ---- */

static dq_status put(void *arg, dq_error *error)
{
    states *s = arg;
    dq_status status = s->starts.count ? s->writer.put(s->writer.self, &s->starts, error) : DQ_OK;
    s->starts.first += s->starts.count;
    s->starts.count = 0;
    return status;
}

/* Columns of states and what is known of them; NULL where nothing is. */
typedef struct columns {
    const dq_column *state, *choice, *episode, *step;
} columns;

static dq_status take_row(states *s, const columns *c, uint64_t r, dq_error *error)
{
    plan_starts *to = &s->starts;
    size_t i = to->count, bytes = dq_dtype_size(c->state->type) * to->width;
    bool remembered = s->plan->o->actions == PLAN_REMEMBERED;
    double choice = remembered ? dq_column_number(c->choice, r) : 0;
    if (choice >= s->actions)
        return dq_fail(error, DQ_ERR_RANGE, "choice %.0f, where the model knows %u actions", choice,
                       s->actions);
    dq_convert_f4(to->state + i * to->width, (const char *)c->state->data + r * bytes, c->state->type,
                  to->width);
    to->action[i] = (uint32_t)choice;
    to->placed[i] = c->episode && c->step;
    to->episode[i] = to->placed[i] ? (uint64_t)dq_column_number(c->episode, r) : 0;
    to->step[i] = to->placed[i] ? (uint64_t)dq_column_number(c->step, r) : 0;
    return ++to->count == to->room ? put(s, error) : DQ_OK;
}

static dq_status take(states *s, const columns *c, uint64_t rows, dq_error *error)
{
    dq_status status = DQ_OK;
    if (dq_column_width(c->state) != s->starts.width)
        return dq_fail(error, DQ_ERR_RANGE, "states of %llu numbers, where the model knows states of %zu",
                       (unsigned long long)dq_column_width(c->state), s->starts.width);
    if (s->plan->o->actions == PLAN_REMEMBERED && !c->choice)
        return dq_fail(error, DQ_ERR_SCHEMA, "--actions remembered needs the column choice");
    for (uint64_t r = 0; !status && r < rows; r++) status = take_row(s, c, r, error);
    return status;
}

/* A model behind the one that was taken from the stream; beside --model none is looked at. */
static dq_status pass_model(states *s, const dq_bundle *b, dq_error *error)
{
    plan *p = s->plan;
    if (p->o->model) return DQ_OK;
    if (!dq_kept_passes_over(&p->models.kept, b, dq_reader_section(p->inputs[0])))
        return dq_fail(error, DQ_ERR_RANGE, "a second model, where one is wanted");
    dq_cli_say_kept(p->cli, &p->o->common, NULL, &p->models.kept);
    return DQ_OK;
}

static dq_status take_bundle(states *s, dq_bundle *b, dq_error *error)
{
    columns c = {dq_bundle_column(b, "state"), dq_bundle_column(b, "choice"), dq_bundle_column(b, "episode"),
                 dq_bundle_column(b, "step")};
    dq_session_layout layout;
    if (strcmp(b->kind, DQ_KIND_MODEL) == 0) return pass_model(s, b, error);
    if (strcmp(b->kind, DQ_KIND_TRANSITIONS) != 0)
        return plan_standing_take(&s->standing, b, dq_reader_section(s->plan->inputs[0]), error);
    if (!c.state) return DQ_OK;
    dq_status status = dq_session_layout_load(&layout, b, error);
    if (!status) status = dq_session_layout_fits(&s->standing.layout, &layout, error);
    return status ? status : take(s, &c, b->rows, error);
}

/* Where transitions with states came, these are what is asked for. */
static dq_status take_standing(states *s, dq_error *error)
{
    if (s->starts.first + s->starts.count) return DQ_OK;
    if (s->plan->o->actions == PLAN_REMEMBERED && dq_entities_count(&s->standing.catalogue.users))
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "--actions remembered: where a user stands nothing was done yet");
    dq_status status = plan_standing_put(&s->standing, &s->starts, put, s, error);
    char words[512];
    if (!status && dq_session_log_describe_order(&s->standing.log, words, sizeof words))
        dq_cli_say(s->plan->cli, &s->plan->o->common, "%s", words);
    return status;
}

static dq_status take_stream(states *s, dq_error *error)
{
    dq_reader *reader = s->plan->inputs[0];
    dq_bundle b;
    dq_status status = DQ_OK;
    int got;
    while (!status && (got = dq_reader_next(reader, &b, error)) > 0) {
        status = take_bundle(s, &b, error);
        dq_bundle_free(&b);
        if (status) return dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    if (!status && got < 0) status = error->status;
    return status ? status : take_standing(s, error);
}

static dq_status take_replay(states *s, dq_error *error)
{
    columns c = {.state = dq_bundle_column(s->model, "replay.state"),
                 .choice = dq_bundle_column(s->model, "replay.action")};
    if (!c.state || !c.choice || c.state->dims != 2 || c.choice->type != DQ_U4 || c.choice->dims != 1 ||
        c.choice->shape[0] != c.state->shape[0])
        return dq_fail(error, DQ_ERR_SCHEMA, "the model remembers nothing: --replay needs a checkpoint");
    return take(s, &c, c.state->shape[0], error);
}

static dq_status run(states *s, const dq_maker *maker, dq_error *error)
{
    dq_status status = open_all(s, maker, error);
    if (!status) status = s->plan->o->replay ? take_replay(s, error) : take_stream(s, error);
    if (!status) status = put(s, error);
    if (!status && s->starts.first == 0)
        status = dq_fail(error, DQ_ERR_SCHEMA,
                         "the input has no transitions with states%s to look ahead from",
                         s->standing.layout.item_width ? ", nor users," : "");
    if (!status) status = s->writer.finish(s->writer.self, error);
    if (!status) s->writer.say(s->writer.self, s->starts.first);
    return status;
}

dq_status plan_states_run(plan *p, const dq_maker *maker, dq_error *error)
{
    states s = {.plan = p, .model = &p->models.at[0]};
    dq_status status;
    if (p->models.count > 1)
        status = dq_fail(error, DQ_ERR_RANGE, "%zu models, where one is wanted", p->models.count);
    else
        status = run(&s, maker, error);
    if (s.writer.free) s.writer.free(s.writer.self);
    dq_agent_free(s.agent);
    plan_standing_free(&s.standing);
    dq_arena_free(&s.starts.arena);
    return status;
}
