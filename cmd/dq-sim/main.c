/* SPDX-License-Identifier: MIT
 *
 * dq-sim: made-up users, items and interactions as a stream; environments as processes, as catalogues of
 * their users and items, or as logs of what was lived through in them.
 */
#include "against.h"
#include "sim.h"

#include "env/bundles.h"
#include "rollout/episodes.h"
#include "rollout/server.h"

#include <stdio.h>
#include <string.h>

typedef struct sim_options {
    dq_common common;
    uint64_t users, items, interactions;
    bool serve, list, catalogue;
    sim_play_options play;
    sim_against_options against;
} sim_options;

enum { SYNTHETIC = 1, PLAY = 2, SERVE = 4, LIST = 8, CATALOGUE = 16, AGAINST = 32 };

static const dq_mode modes[] = {
    {SYNTHETIC, "synthetic", "synthetic users", .help = "made-up users, items and interactions"},
    {PLAY, "play", "--play", .help = "episodes in an environment (ENV --play N)"},
    {SERVE, "serve", "--serve", .help = "an environment that is spoken with (ENV --serve)"},
    {CATALOGUE, "catalogue", "--catalogue", .help = "an environment's users and items (ENV --catalogue)"},
    {AGAINST, "against", "--against",
     .help = "users as clients of a server of recommendations (ENV --against URL)"},
    {LIST, "list", "--list", .help = "the environments with their options (--list)", .no_operands = true},
    {0}};

static const dq_program program = {
    .name = "dq-sim",
    .guide = "environments.md",
    .summary = "makes up users, items and interactions; plays or serves an environment",
    .operands = "[ENV[:NAME=VALUE,...]]",
    .operand_values = dq_env_name,
    .modes = modes,
    .examples = {"dq-sim --users 1000 --items 500 | dq-reward --strategy logged --map "
                 "VIEW=0,CLICK=0.2,PURCHASE=1,RATING=1",
                 "dq-train --env-cmd 'dq-sim session:items=50 --serve' --agent dqn -o agent.dq"},
};

static void list_env(const dq_env_kind *kind)
{
    printf("%s: %s (%s)\n", kind->name, kind->help, kind->source);
    for (const dq_env_option *o = kind->options; o->name; o++)
        printf("  %s=%.9g\t%s (%.9g to %.9g)\n", o->name, o->value, o->help, o->min, o->max);
}

static dq_status list_envs(void)
{
    for (const dq_env_kind *const *k = dq_env_kinds; *k; k++) list_env(*k);
    return DQ_OK;
}

/* What is written by itself: synthetic users and items, or an environment's users and items. */
static dq_status close_writer(dq_writer *writer, dq_status status, dq_error *error)
{
    if (!status) return dq_writer_close(writer, error);
    dq_writer_abort(writer);
    return status;
}

static dq_status put_bundle(void *writer, const dq_bundle *bundle, dq_error *error)
{
    return dq_writer_put(writer, bundle, error);
}

/* Synthetic users on their way out: the bar is of its interactions. */
typedef struct counted_writer {
    dq_writer *writer;
    dq_progress bar;
} counted_writer;

static dq_status put_counted(void *arg, const dq_bundle *bundle, dq_error *error)
{
    counted_writer *w = arg;
    dq_status status = dq_writer_put(w->writer, bundle, error);
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0)
        dq_progress_step(&w->bar, w->bar.done + bundle->rows, NULL);
    return status;
}

static dq_status write_synthetic(const dq_synthetic *p, const dq_common *common, dq_writer *writer,
                                 dq_error *error)
{
    counted_writer w = {writer, dq_progress_start(common, "making", "interactions", p->event_count)};
    const dq_bundle_taker taker = {put_counted, &w};
    dq_status status = dq_synthetic_bundles(p, &taker, error);
    dq_progress_end(&w.bar);
    return status;
}

static dq_status make_synthetic(const sim_options *o, dq_cli *cli, dq_error *error)
{
    dq_synthetic_config config = {.users = (uint32_t)o->users,
                                  .items = (uint32_t)o->items,
                                  .interactions = o->interactions,
                                  .seed = o->common.seed};
    dq_maker maker = dq_cli_maker(cli, (int64_t)o->common.seed);
    dq_synthetic *synthetic;
    dq_writer *writer;
    dq_status status = dq_synthetic_new(&synthetic, &config, error);
    if (status) return status;
    status = dq_writer_open(&writer, o->common.output, &maker, NULL, 0, error);
    if (!status) status = close_writer(writer, write_synthetic(synthetic, &o->common, writer, error), error);
    dq_synthetic_free(synthetic);
    return status;
}

/* The maker of what comes out of an environment says which it was. */
static dq_status name_env(dq_cli *cli, dq_maker *maker, dq_error *error)
{
    if (dq_map_set(&cli->arena, &maker->options, "env", dq_string(&cli->arena, cli->operands[0])))
        return DQ_OK;
    return dq_fail_memory(error, "options");
}

static dq_status write_catalogue(const sim_options *o, dq_cli *cli, dq_error *error)
{
    dq_maker maker = dq_cli_maker(cli, -1); /* its world is an option of the environment */
    dq_env *env;
    dq_writer *writer = NULL;
    dq_status status = dq_vec_env_make(&env, cli->operands[0], 0, error);
    if (status) return status;
    if (env->items.count)
        status = name_env(cli, &maker, error);
    else
        status = dq_fail(error, DQ_ERR_UNSUPPORTED, "the environment %s has no users and items",
                         env->kind->name);
    if (!status) status = dq_writer_open(&writer, o->common.output, &maker, NULL, 0, error);
    const dq_bundle_taker taker = {put_bundle, writer};
    if (!status) status = close_writer(writer, dq_env_bundles(env, &taker, error), error);
    dq_env_free(env);
    return status;
}

/* The stream of a served environment belongs to whoever speaks with it: none of dq-sim's options is in it. */
static dq_status serve(const dq_cli *cli, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_maker maker = {.program = program.name, .version = DQ_VERSION, .options = dq_map(), .seed = -1};
    dq_status status = DQ_OK;
    if (!dq_map_set(&arena, &maker.options, "env", dq_string(&arena, cli->operands[0])))
        status = dq_fail_memory(error, "options");
    if (!status) status = dq_env_server_run(cli->operands[0], &maker, error);
    dq_arena_free(&arena);
    return status;
}

static dq_status play(const sim_options *o, dq_cli *cli, dq_error *error)
{
    dq_maker maker = dq_cli_maker(cli, (int64_t)o->common.seed);
    dq_status status = name_env(cli, &maker, error);
    return status ? status : sim_play(cli, &o->play, &o->common, &maker, error);
}

static unsigned choose_mode(const sim_options *o)
{
    if (o->list) return LIST;
    if (o->play.episodes) return PLAY;
    if (o->serve) return SERVE;
    if (o->against.address) return AGAINST;
    return o->catalogue ? CATALOGUE : SYNTHETIC;
}

static void check(dq_cli *cli, const sim_options *o)
{
    dq_cli_enter(cli, choose_mode(o));
    dq_error error = DQ_ERROR_NONE;
    if (cli->operand_count > 1) dq_cli_usage(cli, "one environment at a time");
    if (cli->operand_count && dq_env_check(cli->operands[0], &error)) dq_cli_refuse(cli, NULL, &error);
    const char *option = cli->mode == PLAY      ? "play"
                         : cli->mode == SERVE   ? "serve"
                         : cli->mode == AGAINST ? "against"
                                                : "catalogue";
    if ((cli->mode & (PLAY | SERVE | CATALOGUE | AGAINST)) && cli->operand_count == 0)
        dq_cli_usage(cli, "--%s needs an environment (--list names them)", option);
    if (cli->mode == SYNTHETIC && cli->operand_count)
        dq_cli_usage(cli, "an environment needs --serve, --play, --catalogue or --against");
}

static dq_status run(const sim_options *o, dq_cli *cli, dq_error *error)
{
    if (cli->mode == LIST) return list_envs();
    if (cli->mode == PLAY) return play(o, cli, error);
    if (cli->mode == CATALOGUE) return write_catalogue(o, cli, error);
    if (cli->mode == AGAINST) return sim_against(cli, &o->against, &o->common, error);
    return cli->mode == SERVE ? serve(cli, error) : make_synthetic(o, cli, error);
}

int main(int argc, char **argv)
{
    sim_options o = {.common = DQ_COMMON_DEFAULTS,
                     .users = 1000,
                     .items = 500,
                     .play = {.max_steps = DQ_EPISODES_MAX_STEPS},
                     .against = {.click = "CLICK", .sessions = 100, .rounds = 1, .list = 5, .parallel = 4}};
    const unsigned payload = DQ_OPT_PAYLOAD;
    /* clang-format off */
    const dq_option table[] = {
        {"users", 0, DQ_OPT_COUNT, &o.users, "N", "users", payload, .min = 1, .max = 4e8, .modes = SYNTHETIC},
        {"items", 0, DQ_OPT_COUNT, &o.items, "N", "items", payload, .min = 1, .max = 4e8, .modes = SYNTHETIC},
        {"interactions", 0, DQ_OPT_COUNT, &o.interactions, "N", "interactions in all (0: Poisson 5, 20 or 50 a user, by activity)", payload, .min = 0, .max = 4e9, .modes = SYNTHETIC},
        {"serve", 0, DQ_OPT_FLAG, &o.serve, NULL, "let the environment be spoken with on stdin and stdout", .modes = SERVE},
        {"play", 0, DQ_OPT_COUNT, &o.play.episodes, "N", "play N episodes and write them as transitions", payload | DQ_OPT_UNSET, .min = 1, .max = 4e9, .modes = PLAY},
        {"model", 'm', DQ_OPT_TEXT, &o.play.model, "FILE", "who plays: this agent (else any action is taken)", .modes = PLAY},
        {"epsilon", 0, DQ_OPT_REAL, &o.play.epsilon, "X", "the share of steps at which it takes any action", payload | DQ_OPT_UNSET, .min = 0, .max = 1, .modes = PLAY, .needs = "model"},
        {"max-steps", 0, DQ_OPT_COUNT, &o.play.max_steps, "N", "steps after which an episode is cut off, should it not end (0: never)", payload, .min = 0, .max = 1e12, .modes = PLAY},
        {"catalogue", 0, DQ_OPT_FLAG, &o.catalogue, NULL, "write the environment's users and items", payload, .modes = CATALOGUE},
        {"against", 0, DQ_OPT_TEXT, &o.against.address, "URL", "its users ask this server for lists and answer them: http://HOST:PORT or unix:PATH", .modes = AGAINST},
        {"sessions", 0, DQ_OPT_COUNT, &o.against.sessions, "N", "sessions a round", .min = 1, .max = 1e9, .modes = AGAINST},
        {"rounds", 0, DQ_OPT_COUNT, &o.against.rounds, "N", "rounds, each a line of the table", .min = 1, .max = 1e6, .modes = AGAINST},
        {"top", 'k', DQ_OPT_COUNT, &o.against.list, "K", "items a list", .min = 1, .max = 1000, .modes = AGAINST},
        {"parallel", 0, DQ_OPT_COUNT, &o.against.parallel, "N", "users at a time, each with a connection", .min = 1, .max = 1024, .modes = AGAINST},
        {"explore", 0, DQ_OPT_REAL, &o.against.explore, "X", "the share of places that the server is asked to fill at random", .min = 0, .max = 1, .modes = AGAINST},
        {"click-label", 0, DQ_OPT_TEXT, &o.against.click, "LABEL", "the answer to what was clicked", .modes = AGAINST},
        {"pass-label", 0, DQ_OPT_TEXT, &o.against.pass, "LABEL", "the answer to what was not (else there is none)", .modes = AGAINST},
        {"token-file", 0, DQ_OPT_TEXT, &o.against.token_file, "FILE", "the server's bearer token", .flags = DQ_OPT_READS, .modes = AGAINST},
        {"list", 0, DQ_OPT_FLAG, &o.list, NULL, "print the environments with their options, and stop", .modes = LIST},
        {"seed", 0, DQ_OPT_COUNT, &o.common.seed, "N", "seed of the random numbers", .min = 0, .max = 9.2e18, .modes = SYNTHETIC | PLAY | AGAINST},
        DQ_OPTIONS_COMMON_IN(o.common, SYNTHETIC | PLAY | CATALOGUE | AGAINST), {0}};
    /* clang-format on */
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    check(&cli, &o);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&o, &cli, &error);
    return dq_cli_finish(&cli, status, &error);
}
