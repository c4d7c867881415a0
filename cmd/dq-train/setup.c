/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "data/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the input ---- */

static dq_status check_entities(const dq_entities *entities, const char *what, dq_error *error)
{
    if (dq_entities_count(entities) == 0) return dq_fail(error, DQ_ERR_SCHEMA, "the input has no %s", what);
    if (entities->width == 0)
        return dq_fail(error, DQ_ERR_SCHEMA, "the %s have no vectors (dq-embed makes them from texts)", what);
    return DQ_OK;
}

static dq_status read_all(train *t, dq_error *error)
{
    dq_status status = dq_reader_open(&t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (status) return status;
    t->input_count = 1;
    if ((status = dq_dataset_read(&t->dataset, t->inputs[0], error))) return status;
    if ((status = check_entities(&t->dataset.catalogue.users, "users", error))) return status;
    if ((status = check_entities(&t->dataset.catalogue.items, "items", error))) return status;
    if (!t->o->init) return DQ_OK;
    status = dq_models_read(&t->init, &t->inputs[1], t->o->init, error);
    if (t->inputs[1]) t->input_count = 2;
    return status;
}

dq_status train_read_map(train *t, dq_error *error)
{
    dq_status status = dq_label_map_parse(&t->map, t->o->map, error);
    if (status) return status;
    t->ignore = (float)dq_label_map_ignore(&t->map);
    return DQ_OK;
}

dq_status train_open(train *t, dq_error *error)
{
    dq_status status = train_read_map(t, error);
    if (!status) status = read_all(t, error);
    if (status) return status;
    return dq_writer_open(&t->output, t->o->common.output, &t->maker, t->inputs, t->input_count, error);
}

void train_close(train *t)
{
    dq_writer_abort(t->output);
    dq_pool_free(t->pool);
    dq_dataset_free(&t->dataset);
    dq_models_free(&t->init);
    dq_label_map_free(&t->map);
    dq_reader_close(t->inputs[0]);
    dq_reader_close(t->inputs[1]);
}

dq_status train_find_user(const train *t, const char *id, uint32_t *user, dq_error *error)
{
    *user = dq_entities_find(&t->dataset.catalogue.users, id, strlen(id));
    if (*user == DQ_ABSENT) return dq_fail(error, DQ_ERR_UNKNOWN, "no user '%s' in the input", id);
    return DQ_OK;
}

/* ---- the agent ---- */

/* The model that a user's training starts from, or NULL. user may be DQ_ABSENT. */
static const dq_bundle *init_model(const train *t, uint32_t user)
{
    const dq_models *models = t->init.count ? &t->init : &t->dataset.models;
    size_t n = 0;
    const char *id = user == DQ_ABSENT ? NULL : dq_entities_id(&t->dataset.catalogue.users, user, &n);
    return dq_models_of(models, id, n);
}

dq_status train_parse_widths(const char *text, const char *option, uint32_t *widths, uint32_t most,
                             uint32_t *count, dq_error *error)
{
    const char *p = text;
    *count = 0;
    for (;;) {
        char *end;
        unsigned long width = strtoul(p, &end, 10);
        if (*p < '0' || *p > '9' || width == 0 || width > 1 << 20 || (*end && *end != ',') || *count == most)
            return dq_fail(error, DQ_ERR_RANGE, "--%s %s: widths such as 1024,512,256, at most %u", option,
                           text, most);
        widths[(*count)++] = (uint32_t)width;
        if (!*end) return DQ_OK;
        p = end + 1;
    }
}

static bool add_match(dq_net_spec *spec, const dq_field *user, const dq_field *item)
{
    if (!user || !item || user->width != item->width || spec->match_count == DQ_NET_MAX_MATCHES) return false;
    spec->matches[spec->match_count++] = (dq_pairing){user->offset, item->offset, user->width};
    return true;
}

/* --matches: cosines of the catalogue's pairs of fields, or of every two fields of equal width. */
static dq_status choose_matches(const train *t, dq_net_spec *spec, dq_error *error)
{
    const dq_catalogue *c = &t->dataset.catalogue;
    const dq_entities *users = &c->users, *items = &c->items;
    bool ok = true;
    spec->match_count = 0;
    if (t->o->matches == MATCHES_PAIRS) {
        for (size_t p = 0; ok && p < c->pair_count; p++)
            ok = add_match(spec, dq_field_find(users->fields, users->field_count, c->pairs[p].user_field),
                           dq_field_find(items->fields, items->field_count, c->pairs[p].item_field));
        if (!ok)
            return dq_fail(error, DQ_ERR_RANGE,
                           "--matches pairs: the catalogue's pairs do not fit its fields");
    }
    if (t->o->matches == MATCHES_ALL)
        for (size_t u = 0; u < users->field_count; u++)
            for (size_t i = 0; i < items->field_count; i++)
                if (users->fields[u].width == items->fields[i].width &&
                    !add_match(spec, &users->fields[u], &items->fields[i]))
                    return dq_fail(error, DQ_ERR_RANGE, "--matches all: more than %d; use pairs or none",
                                   DQ_NET_MAX_MATCHES);
    return DQ_OK;
}

/* What was not asked for is the model's that training starts from. */
static void inherit(const dq_cli *cli, const char *hidden, const dq_net_spec *saved, dq_net_spec *spec)
{
    if (!dq_cli_given(cli, hidden)) {
        memcpy(spec->hidden, saved->hidden, sizeof spec->hidden);
        spec->hidden_count = saved->hidden_count;
    }
    if (dq_cli_given(cli, "matches")) return;
    memcpy(spec->matches, saved->matches, sizeof spec->matches);
    spec->match_count = saved->match_count;
}

/* The shape of one network: the option's, or the model's that training starts from. */
static dq_status shape(const train *t, const dq_bundle *model, const char *prefix, const char *option,
                       const char *text, dq_net_spec *spec, dq_error *error)
{
    dq_net_spec saved;
    dq_status status = train_parse_widths(text, option, spec->hidden, DQ_NET_MAX_HIDDEN, &spec->hidden_count,
                                          error);
    if (!status) status = choose_matches(t, spec, error);
    if (!status && model && dq_net_load_spec(model, prefix, &saved, NULL) == DQ_OK)
        inherit(t->cli, option, &saved, spec);
    spec->user_width = t->dataset.catalogue.users.width;
    spec->item_width = t->dataset.catalogue.items.width;
    spec->dropout = t->o->dropout;
    return status;
}

static uint64_t learning_steps(const train_options *o)
{
    uint64_t all = o->episodes * o->steps, before = o->warmup > o->batch ? o->warmup : o->batch;
    return all >= before ? all - before + 1 : 1;
}

static dq_status configure(const train *t, const dq_bundle *model, size_t max_rows, dq_dynaq_config *c,
                           dq_error *error)
{
    const train_options *o = t->o;
    dq_dynaq_config config = DQ_DYNAQ_DEFAULTS;
    dq_status status = shape(t, model, "q", "hidden", o->hidden, &config.q, error);
    if (!status) status = shape(t, model, "world", "world-hidden", o->world_hidden, &config.world, error);
    config.no_world = !o->world;
    config.gamma = o->gamma;
    config.bootstrap = o->bootstrap ? DQ_BOOTSTRAP_SAME : DQ_BOOTSTRAP_MAX;
    config.adam.rate = o->rate;
    config.adam.decay = o->decay;
    config.schedule = &dq_schedules[o->schedule];
    config.schedule_steps = learning_steps(o);
    config.target_every = o->target_every;
    config.batch = o->offline ? 1 : o->batch;
    config.planning = o->offline ? 0 : o->planning;
    config.replay = o->offline ? 1 : o->replay;
    config.warmup = o->warmup;
    config.max_rows = max_rows;
    config.epsilon = o->epsilon;
    config.epsilon_min = o->epsilon_min;
    config.epsilon_decay = o->epsilon_decay;
    config.seed = o->common.seed;
    *c = config;
    return status;
}

/* Layers are compared when weights are loaded. */
static dq_status check_model(const train *t, const dq_bundle *model, dq_error *error)
{
    const dq_catalogue *c = &t->dataset.catalogue;
    dq_net_spec spec;
    dq_status status = dq_net_load_spec(model, "q", &spec, error);
    if (status) return status;
    return dq_layout_fits(dq_entities_layout(&c->users), dq_entities_layout(&c->items), spec.user_width,
                          spec.item_width, dq_map_get(&model->meta, "layout"), error);
}

dq_status train_agent(train *t, uint32_t user, size_t max_rows, dq_dynaq **agent, dq_error *error)
{
    const dq_bundle *model = init_model(t, user);
    dq_vectors users = dq_entities_vectors(&t->dataset.catalogue.users);
    dq_vectors items = dq_entities_vectors(&t->dataset.catalogue.items);
    dq_dynaq_config config;
    dq_status status = configure(t, model, max_rows, &config, error);
    *agent = NULL;
    if (!status && (t->init.count || t->dataset.models.count) && !model)
        status = dq_fail(error, DQ_ERR_UNKNOWN, "several models to start from, and none for this user");
    if (!status && model) status = check_model(t, model, error);
    if (!status) status = dq_dynaq_new(agent, &config, &users, &items, t->pool, error);
    if (!status && model) status = dq_dynaq_init_from(*agent, model, error);
    return status;
}

/* ---- the output ---- */

/* The fields that the inputs were, so that no one ranks a catalogue of another order with this model. */
static dq_status remember_layout(const train *t, dq_bundle *model, dq_error *error)
{
    const dq_entities *users = &t->dataset.catalogue.users, *items = &t->dataset.catalogue.items;
    dq_value layout;
    dq_status status = dq_layout_value(users->fields, users->field_count, items->fields, items->field_count,
                                       &model->arena, &layout, error);
    if (!status && !dq_map_set(&model->arena, &model->meta, "layout", layout))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a model");
    return status;
}

dq_status train_write_model(train *t, dq_dynaq *agent, uint32_t user, const dq_value *labeller,
                            dq_error *error)
{
    dq_bundle model;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_dynaq_save(agent, false, &model, error);
    if (!status) status = remember_layout(t, &model, error);
    if (!status && user != DQ_ABSENT) {
        size_t n;
        const char *id = dq_entities_id(&t->dataset.catalogue.users, user, &n);
        if (!dq_map_set(&model.arena, &model.meta, "user", dq_string_n(&model.arena, id, n)))
            status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a model");
    }
    if (!status && labeller && labeller->type != DQ_NIL &&
        !dq_map_set(&model.arena, &model.meta, "labeller", *labeller))
        status = dq_fail(error, DQ_ERR_MEMORY, "no memory for a model");
    if (!status) status = dq_writer_put(t->output, &model, error);
    if (!status && t->o->common.flush) status = dq_writer_flush(t->output, error);
    dq_bundle_free(&model);
    return status;
}
