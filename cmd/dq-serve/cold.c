/* SPDX-License-Identifier: MIT
 *
 * --cold: the bandit that serves users of whom nothing is known (serve/cold.h). It stands between the
 * catalogue, which it ranks, and the log's writer, which tells it what became durable: what the log has
 * behind the saved state is learnt before that opens.
 */
#include "serve.h"

#include "serve/cold.h"

#include <inttypes.h>

static const dq_served *catalogue; /* whose items are the arms; given back at the end */
static dq_maker maker;
static bool reads_only; /* --check */

static dq_serve_cold_config config_of(const dq_serve *serve, const serve_options *o)
{
    return (dq_serve_cold_config){.by = (dq_serve_cold_by)o->cold,
                                  .catalogue = catalogue->catalogue,
                                  .map = serve->map,
                                  .vectors = o->cold_by == SERVE_COLD_BY_VECTORS,
                                  .ridge = o->cold_ridge,
                                  .spread = o->cold_spread,
                                  .draws = (uint32_t)o->cold_draws,
                                  .seed = o->common.seed,
                                  .maker = maker,
                                  .state = o->cold_state};
}

static void say(dq_serve *serve, const serve_options *o, dq_cli *cli)
{
    uint64_t learnt, unknown;
    dq_serve_cold_counts(serve->cold, &learnt, &unknown);
    dq_cli_say(cli, &o->common, "--cold %s: %" PRIu64 " showings learnt from",
               dq_serve_cold_name(serve->cold), learnt);
    if (unknown)
        dq_cli_say(cli, &o->common, "--cold: %" PRIu64 " answers of items or labels that are not known",
                   unknown);
}

static void check_cold(const serve_options *o, const dq_cli *cli)
{
    if (o->cold > DQ_SERVE_COLD_POPULARITY && !o->log)
        dq_cli_usage(cli, "--cold %s learns from what the log has: --log FILE", dq_serve_cold_names[o->cold]);
}

static dq_status open_cold(dq_serve *serve, const serve_options *o, dq_cli *cli, dq_error *error)
{
    const bool learns = o->cold > DQ_SERVE_COLD_POPULARITY;
    if (o->cold == DQ_SERVE_COLD_NONE) return DQ_OK;
    reads_only = o->check;
    catalogue = dq_served_take(serve->served);
    if (!catalogue->catalogue)
        return dq_fail(error, DQ_ERR_SCHEMA, "--cold: there is no catalogue (--catalogue FILE)");
    maker = dq_cli_maker(cli, (int64_t)o->common.seed);
    const dq_serve_cold_config config = config_of(serve, o);
    dq_status status = dq_serve_cold_open(&serve->cold, &config, o->log, error);
    if (!status && learns) say(serve, o, cli);
    return status;
}

enum { SAVE_SECONDS = 30 }; /* between two saves */

/* A state that is not written now is written later, or learnt from the log anew. */
static void save(dq_serve *serve, const serve_options *o, dq_cli *cli)
{
    static bool failed;
    static unsigned seconds;
    dq_error error = DQ_ERROR_NONE;
    if (!serve->cold || ++seconds % SAVE_SECONDS) return;
    const bool fails = dq_serve_cold_save(serve->cold, &error) != DQ_OK;
    if (fails && !failed) dq_cli_say(cli, &o->common, "--cold-state %s: %s", o->cold_state, error.reason);
    failed = fails;
}

static dq_status close_cold(dq_serve *serve, dq_error *error)
{
    dq_status status = serve->cold && !reads_only ? dq_serve_cold_save(serve->cold, error) : DQ_OK;
    dq_serve_cold_free(serve->cold);
    serve->cold = NULL;
    if (catalogue) dq_served_release(catalogue);
    catalogue = NULL;
    return status;
}

const serve_part serve_cold_part = {
    .check = check_cold, .open = open_cold, .tick = save, .close = close_cold};
