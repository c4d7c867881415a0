/* SPDX-License-Identifier: MIT */
#include "train.h"

#include "core/delta/delta.h"
#include "data/load.h"

#include <string.h>

/* ---- the input ---- */

dq_status train_read_init(train *t, dq_error *error)
{
    const char *init = t->o->init;
    dq_reader **reader = &t->inputs[t->input_count];
    dq_status status = init ? dq_models_read(&t->base.init, reader, init, error) : DQ_OK;
    if (*reader) t->input_count++;
    t->base.init_name = init;
    dq_cli_say_kept(t->cli, &t->o->common, init, init ? &t->base.init.kept : &t->base.dataset.models.kept);
    return status;
}

dq_status train_read_all(train *t, dq_error *error)
{
    dq_status status = dq_reader_open(&t->inputs[0], t->cli->operands, t->cli->operand_count, error);
    if (status) return status;
    t->input_count = 1;
    status = dq_dataset_read(&t->base.dataset, t->inputs[0], error);
    return status ? status : dq_catalogue_check_vectors(&t->base.dataset.catalogue, error);
}

dq_status train_read_map(train *t, dq_error *error)
{
    dq_status status = dq_label_map_parse(&t->base.map, t->o->map, error);
    if (status) return status;
    t->base.ignore = (float)dq_label_map_ignore(&t->base.map);
    return DQ_OK;
}

dq_status train_open_output(train *t, dq_error *error)
{
    return dq_writer_open(&t->output, t->o->common.output, &t->maker, t->inputs, t->input_count, error);
}

dq_status train_open(train *t, dq_error *error)
{
    dq_status status = train_read_map(t, error);
    if (!status && t->cli->mode != TRAIN_ENV) status = train_read_all(t, error);
    if (!status) status = train_read_init(t, error);
    bool files_alone = t->o->models_dir && !t->o->common.output;
    return status || files_alone ? status : train_open_output(t, error);
}

void train_close(train *t)
{
    dq_writer_abort(t->output);
    dq_training_free(&t->base);
    dq_reader_close(t->inputs[0]);
    dq_reader_close(t->inputs[1]);
}

/* ---- the agent ---- */

static dq_training_from source(unsigned mode)
{
    return mode == TRAIN_OFFLINE    ? DQ_TRAINING_ROWS
           : mode == TRAIN_SESSIONS ? DQ_TRAINING_SESSIONS
           : mode == TRAIN_STATES   ? DQ_TRAINING_STATES
           : mode == TRAIN_ENV      ? DQ_TRAINING_ENV
                                    : DQ_TRAINING_CATALOGUE;
}

void train_ask(train *t)
{
    const train_options *o = t->o;
    t->base.asked = (dq_training_asked){.from = source(t->cli->mode),
                                        .agent = train_agents[o->agent],
                                        .features = o->features,
                                        .seen = o->seen,
                                        .layout = &o->layout,
                                        .time = o->time,
                                        .map = o->map,
                                        .env = o->env,
                                        .given = train_is_given,
                                        .arg = t->cli};
}

dq_status train_agent(train *t, const dq_env_spec *shape, uint32_t user, dq_agent **agent, dq_error *error)
{
    const train_options *o = t->o;
    dq_agent_config config = o->config;
    if (t->cli->mode & TRAIN_LIVE)
        config.run_steps = o->acting.steps ? o->acting.steps : o->acting.episodes * o->steps;
    bool held = t->o->passes.validation > 0 || t->o->passes.folds, asked = dq_cli_given(t->cli, "features");
    *agent = NULL;
    dq_status status = dq_training_features(&t->base, user, &config, error);
    if (status) return status;
    if (!config.feature_count && asked && dq_cli_given(t->cli, "feature-scale"))
        dq_cli_usage(t->cli, "--feature-scale needs cosines among --features: pairs or all");
    if (!t->base.features && !held && dq_cli_given(t->cli, "validate-by"))
        dq_cli_usage(t->cli, "--validate-by needs --validation or --fold, or features of users' labels");
    return dq_training_agent(&t->base, &config, shape, user, agent, error);
}

/* ---- the output ---- */

dq_status train_write_model(const train *t, dq_status status, dq_bundle *model, dq_writer *out,
                            dq_error *error)
{
    dq_bundle delta = DQ_BUNDLE_EMPTY;
    bool whole = t->o->save == TRAIN_SAVE_WHOLE;
    if (!status && !whole) status = dq_delta_make(&delta, &t->base.init.at[0], model, error);
    if (!status) status = dq_writer_put(out, whole ? model : &delta, error);
    dq_bundle_free(&delta);
    if (!status && t->o->common.flush) status = dq_writer_flush(out, error);
    dq_bundle_free(model);
    return status;
}

dq_checkpoint train_checkpoint(const train *t)
{
    const char *path = t->o->checkpoint;
    return (dq_checkpoint){path, &t->maker, path ? (int64_t)dq_training_digest(&t->base) : 0, "pass"};
}
