/* SPDX-License-Identifier: MIT
 *
 * The catalogue and the models, as options name them; looked after each second.
 */
#include "serve.h"

#include "serve/models.h"

#include <stdlib.h>

static dq_label_map map;

static dq_status read_specs(const serve_options *o, dq_cli *cli, dq_serve_model_spec **specs, dq_error *error)
{
    dq_status status = DQ_OK;
    *specs = dq_arena_zero(&cli->arena, o->models.count + 1, sizeof **specs);
    if (!*specs) return dq_fail_memory(error, "the models");
    for (size_t i = 0; i < o->models.count && !status; i++)
        status = dq_serve_model_parse(o->models.at[i], &cli->arena, &(*specs)[i], error);
    return status ? status : dq_serve_model_shares(*specs, o->models.count, error);
}

static dq_status open(dq_serve *serve, const serve_options *o, dq_cli *cli, dq_error *error)
{
    dq_serve_model_spec *specs;
    dq_status status = dq_label_map_parse(&map, o->map, error);
    if (status) dq_cli_refuse(cli, "--map", error);
    serve->map = &map;
    if (read_specs(o, cli, &specs, error)) dq_cli_refuse(cli, "--model", error);
    status = dq_served_open(&serve->served, o->catalogue, o->may_lack || !o->catalogue, error);
    if (status) return status;
    const dq_serve_models_config config = {.specs = specs,
                                           .count = o->models.count,
                                           .served = serve->served,
                                           .telemetry = serve->telemetry,
                                           .threads = dq_cli_threads(&o->common, 0),
                                           .cache_bytes = o->cache << 20,
                                           .may_lack = o->may_lack};
    return dq_serve_models_open(&serve->models, &config, error);
}

/* A file that is bad is said to be once, and the model before it stays. */
static void watch(dq_serve *serve, const serve_options *o, dq_cli *cli)
{
    dq_error why = DQ_ERROR_NONE;
    if (dq_serve_models_watch(serve->models, &why))
        dq_cli_say(cli, &o->common, "%s: %s: the model before it stays", why.source, why.reason);
}

static dq_status close(dq_serve *serve, dq_error *error)
{
    (void)error;
    dq_serve_models_close(serve->models);
    dq_served_close(serve->served);
    dq_label_map_free(&map);
    serve->models = NULL;
    serve->served = NULL;
    return DQ_OK;
}

const serve_part serve_models_part = {.open = open, .tick = watch, .reopen = watch, .close = close};
