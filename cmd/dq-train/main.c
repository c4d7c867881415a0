/* SPDX-License-Identifier: MIT
 *
 * dq-train: a stream of users, items, and maybe interactions and transitions in; an agent out.
 */
#include "train.h"

#include "data/load.h"
#include "learn/offline.h"
#include "math/blas.h"

#include <string.h>

enum { MAX_SCHEDULES = 16 };

static const dq_program program = {
    .name = "dq-train",
    .summary = "trains agents: online for one user or each, offline from transitions, or in an environment",
    .operands = "[FILE...]",
    .examples = {"dq-export --schema jobs FOLDER | dq-train --user U --pass | dq-rank --user U -k 10",
                 "dq-reward --strategy logged < c.dq | dq-train --offline --negatives 3 -o model.dq"},
    .all_cores = true,
    .version_note_fn = dq_blas_core,
};

static const char *const presets[] = {"tuned",        "published", "session", "sequence",
                                      "sequence-dqn", "films",     "maze",    NULL};
static const char *const bests[] = {"loss", "order", NULL}; /* as dq_best_by */
static const char *const bootstraps[] = {"max", "same", NULL};
static const char *const matches[] = {"none", "pairs", "all", NULL};
static const char *const rewards[] = {"auto", "cosine", "logged", NULL};

/* Options that belong to one way of training, and whether they were given. */
typedef struct belongs {
    const char *name;
    bool given, offline;
} belongs;

enum { BELONGINGS = 23 };

static void list_belongings(const train_options *o, belongs list[BELONGINGS])
{
    const belongs all[BELONGINGS] = {
        {"epochs", o->given.epochs, true},
        {"negatives", o->given.negatives, true},
        {"patience", o->given.patience, true},
        {"best-by", o->given.best_by, true},
        {"validation", o->given.validation, true},
        {"validate-by", o->given.validate_by, true},
        {"fold", o->fold != NULL, true},
        {"planning", o->given.planning, false},
        {"replay", o->given.replay, false},
        {"warmup", o->given.warmup, false},
        {"episodes", o->given.episodes, false},
        {"steps", o->given.steps, false},
        {"epsilon", o->given.epsilon, false},
        {"epsilon-min", o->given.epsilon_min, false},
        {"epsilon-decay", o->given.epsilon_decay, false},
        {"reward", o->given.reward, false},
        {"pair", o->given.pairs, false},
        {"raw-cosine", o->given.raw_cosine, false},
        {"reward-cmd", o->reward_cmd != NULL, false},
        {"ask-ahead", o->given.ask_ahead, false},
        {"switch-episode", o->given.switch_episode, false},
        {"user", o->user != NULL, false},
        {"each-user", o->each_user, false},
    };
    memcpy(list, all, sizeof all);
}

/* An option of the other way of training is a mistake when given, and no part of the record. */
static void part_ways(const dq_cli *cli, const train_options *o, dq_option *table)
{
    belongs list[BELONGINGS];
    train_logged_part(cli, o, table);
    if (train_logged_wanted(cli, o)) return;
    train_env_part(cli, o, table);
    if (train_env_wanted(o)) return;
    list_belongings(o, list);
    for (size_t i = 0; i < BELONGINGS; i++) {
        if (list[i].offline == o->offline) continue;
        if (list[i].given)
            dq_cli_usage(cli, "--%s %s --offline", list[i].name,
                         o->offline ? "has no meaning with" : "needs");
        for (dq_option *row = table; row->name; row++)
            if (strcmp(row->name, list[i].name) == 0) row->flags = 0;
    }
}

/* --reward-cmd: the labeller of one user takes the place of --reward. */
static void check_labeller(const dq_cli *cli, const train_options *o, dq_option *table)
{
    if (o->given.ask_ahead && !o->reward_cmd) dq_cli_usage(cli, "--ask-ahead needs --reward-cmd");
    if (!o->reward_cmd) return;
    if (o->given.reward) dq_cli_usage(cli, "--reward and --reward-cmd exclude each other");
    if (o->each_user) dq_cli_usage(cli, "--reward-cmd labels for one user, not --each-user");
    for (dq_option *row = table; row->name; row++)
        if (strcmp(row->name, "reward") == 0) row->flags = 0;
}

static void check(const dq_cli *cli, const train_options *o)
{
    if (o->user && o->each_user) dq_cli_usage(cli, "--user and --each-user exclude each other");
    if (o->each_user && o->checkpoint) dq_cli_usage(cli, "--checkpoint keeps one agent, not --each-user");
    if (o->given.checkpoint_every && !o->checkpoint)
        dq_cli_usage(cli, "--checkpoint-every needs --checkpoint");
    if (train_env_wanted(o)) return;
    if (!o->offline && o->replay < o->batch) dq_cli_usage(cli, "--replay is smaller than --batch");
    if (!o->offline && o->candidates == 0) dq_cli_usage(cli, "--candidates 0 needs --offline");
}

/* --fold I/K */
static void parse_fold(const dq_cli *cli, train_options *o)
{
    char rest;
    if (!o->fold) return;
    if (o->given.validation) dq_cli_usage(cli, "--fold and --validation exclude each other");
    if (strchr(o->fold, '-') || sscanf(o->fold, "%u/%u%c", &o->fold_number, &o->folds, &rest) != 2 ||
        o->folds < 2 || o->fold_number < 1 || o->fold_number > o->folds)
        dq_cli_usage(cli, "--fold %s: I/K is wanted, with K at least 2 and I from 1 to K", o->fold);
}

/* Defaults that depend on the way of training: 6A's numbers, and offline those found on real labels. */
static void settle(train_options *o)
{
    bool published = o->preset == PRESET_PUBLISHED, tuned = !published;
    if (!o->given.checkpoint_every) o->checkpoint_every = o->offline ? 1 : 10;
    if (!o->offline) return;
    if (!o->given.candidates) o->candidates = 0;
    if (!o->given.batch) o->batch = tuned ? 256 : 128;
    if (!o->given.gamma) o->gamma = tuned ? 0 : 0.9;
    if (!o->given.matches) o->matches = tuned ? MATCHES_ALL : MATCHES_NONE;
    if (!o->given.rate && tuned) o->rate = 3e-4;
    if (!o->given.decay) o->decay = tuned ? 0 : 1e-5;
    if (!o->given.epochs) o->epochs = tuned ? 10 : 20;
    if (!o->given.dropout && tuned) o->dropout = 0.1;
    if (!o->given.validation && tuned) o->validation = 0.05;
    if (!o->given.best_by && published) o->best_by = DQ_BEST_BY_LOSS;
    if (!o->given.patience) o->patience = tuned ? 0 : 5;
    if (!o->given.schedule && tuned) o->schedule = (int)(dq_schedule_find("one-cycle") - dq_schedules);
}

static dq_status train_all(train *t, dq_error *error)
{
    if (t->o->offline) return train_run_offline(t, error);
    if (t->o->each_user) return train_run_each(t, error);
    return train_run_online(t, error);
}

static dq_status run(train_options *o, dq_cli *cli, dq_error *error)
{
    train t = {.o = o, .cli = cli, .maker = dq_cli_maker(cli, (int64_t)o->common.seed)};
    train_weight_choose(&t);
    bool env = train_env_wanted(o), logged = train_logged_wanted(cli, o);
    dq_status status = DQ_OK;
    if (logged)
        status = train_run_logged(&t, error);
    else if (env)
        status = train_run_env(&t, error);
    else if (!(status = train_open(&t, error)))
        status = train_all(&t, error);
    if (!status && o->pass) status = dq_catalogue_write(&t.dataset.catalogue, t.output, error);
    if (!status) {
        status = dq_writer_close(t.output, error);
        t.output = NULL;
    }
    train_close(&t);
    return status;
}

/* clang-format off */
int main(int argc, char **argv)
{
    train_options o = {
        .common = DQ_COMMON_DEFAULTS, .world = true, .hidden = "1024,512,256", .world_hidden = "1024,512",
        .map = DQ_LABEL_MAP_DEFAULT, .best_by = DQ_BEST_BY_ORDER, .dropout = 0.2, .rate = 1e-3, .gamma = 0.9, .batch = 64, .target_every = 1000,
        .candidates = 100, .planning = 5, .replay = 100000, .warmup = 1000, .episodes = 100, .steps = 100,
        .epsilon = 1, .epsilon_min = 0.01, .epsilon_decay = 0.995, .epochs = 10, .validation = 0.1,
        .checkpoint_every = 10, .env = TRAIN_ENV_DEFAULTS, .logged = TRAIN_LOGGED_DEFAULTS};
    const char *schedules[MAX_SCHEDULES] = {0};
    for (int i = 0; dq_schedules[i].name && i < MAX_SCHEDULES - 1; i++) schedules[i] = dq_schedules[i].name;
    const unsigned payload = DQ_OPT_PAYLOAD;
    dq_option table[] = {
        {"user", 'u', DQ_OPT_TEXT, &o.user, "ID", "train online for this user", .flags = payload},
        {"each-user", 0, DQ_OPT_FLAG, &o.each_user, NULL, "an agent for each user, one worker a thread", .flags = payload},
        {"offline", 0, DQ_OPT_FLAG, &o.offline, NULL, "train on the stream's transitions, for all users", .flags = payload},
        {"preset", 0, DQ_OPT_CHOICE, &o.preset, "NAME", "offline defaults: tuned on real labels, or as published; or a published system in its environment", .flags = payload, .choices = presets},
        {"init", 'i', DQ_OPT_TEXT, &o.init, "MODEL", "start from a model (also one in the stream)", .flags = 0},
        {"pass", 0, DQ_OPT_FLAG, &o.pass, NULL, "send the catalogue after the model", .flags = payload},
        {"checkpoint", 'c', DQ_OPT_TEXT, &o.checkpoint, "FILE", "keep progress in FILE, and go on from it when it exists", .flags = 0},
        {"checkpoint-every", 0, DQ_OPT_COUNT, &o.checkpoint_every, "N", "episodes (offline: epochs, 1) between checkpoints", 0, .min = 1, .max = 1e9, .given = &o.given.checkpoint_every},
        {"log", 'l', DQ_OPT_TEXT, &o.log, "FILE", "metrics as JSON lines, one an episode or epoch", .flags = 0},
        {"hidden", 0, DQ_OPT_TEXT, &o.hidden, "N,N,...", "the Q-network's hidden widths (else --init's)", payload, .given = &o.given.hidden, .section = "Networks"},
        {"world-hidden", 0, DQ_OPT_TEXT, &o.world_hidden, "N,N,...", "the world model's hidden widths (else --init's)", payload, .given = &o.given.world_hidden},
        {"world", 0, DQ_OPT_FLAG, &o.world, NULL, "train a world model too (--no-world: neither it nor planning)", .flags = payload},
        {"matches", 0, DQ_OPT_CHOICE, &o.matches, "WHICH", "further inputs: cosines of the catalogue's pairs of fields, or of all of equal width (offline: all; else --init's)", payload, matches, .given = &o.given.matches},
        {"dropout", 0, DQ_OPT_REAL, &o.dropout, "P", "share of hidden units dropped in training (offline: 0.1; published 0.2)", payload, .min = 0, .max = 0.95, .given = &o.given.dropout},
        {"lr", 0, DQ_OPT_REAL, &o.rate, "RATE", "Adam's learning rate, at its peak (offline: 3e-4; published 1e-3)", payload, .min = 0, .max = 10, .given = &o.given.rate, .section = "Learning"},
        {"lr-schedule", 0, DQ_OPT_CHOICE, &o.schedule, "NAME", "of the learning rate (offline: one-cycle)", payload, schedules, .given = &o.given.schedule},
        {"weight-decay", 0, DQ_OPT_REAL, &o.decay, "X", "L2 decay (--preset published: 1e-5)", payload, .min = 0, .max = 10, .given = &o.given.decay},
        {"gamma", 'g', DQ_OPT_REAL, &o.gamma, "X", "discount (offline: 0)", payload, .min = 0, .max = 0.9999, .given = &o.given.gamma},
        {"bootstrap", 0, DQ_OPT_CHOICE, &o.bootstrap, "NAME", "value of the next state: max over candidates, or same item", .flags = payload, .choices = bootstraps},
        {"batch", 'b', DQ_OPT_COUNT, &o.batch, "N", "rows a batch (offline: labelled rows, 256; published 128)", payload, .min = 1, .max = 1e6, .given = &o.given.batch},
        {"target-every", 0, DQ_OPT_COUNT, &o.target_every, "N", "Q updates between copies of the target", payload, .min = 1, .max = 1e15},
        {"candidates", 0, DQ_OPT_COUNT, &o.candidates, "N", "items drawn an episode (offline: for the maximum, 0: all)", payload, .min = 0, .max = 4e9, .given = &o.given.candidates},
        {"map", 0, DQ_OPT_TEXT, &o.map, "LABEL=X,...", "rewards of labels; IGNORE is that of the unlabelled", .flags = payload},
        {"episodes", 'e', DQ_OPT_COUNT, &o.episodes, "N", "online: episodes", payload, .min = 1, .max = 1e9, .given = &o.given.episodes, .section = "Online"},
        {"steps", 's', DQ_OPT_COUNT, &o.steps, "N", "online: steps an episode", payload, .min = 1, .max = 1e9, .given = &o.given.steps},
        {"reward", 'r', DQ_OPT_CHOICE, &o.reward, "NAME", "online: cosine, logged labels, or auto (logged when there are transitions)", payload, rewards, .given = &o.given.reward},
        {"reward-cmd", 0, DQ_OPT_TEXT, &o.reward_cmd, "COMMAND", "online: rewards from a labeller that is asked as training goes on, such as 'dq-reward -s llm ...'", .flags = 0},
        {"ask-ahead", 0, DQ_OPT_COUNT, &o.ask_ahead, "N", "online: candidates asked behind each unknown one, the likeliest first", 0, .min = 0, .max = 1e6, .given = &o.given.ask_ahead},
        {"cosine-weight", 0, DQ_OPT_TEXT, &o.cosine_weight, "A[:B@N]", "the cosine's share of the reward, the rest is the llm part's: A, or from A to B over N episodes (offline: epochs)", .flags = payload},
        {"switch-episode", 0, DQ_OPT_COUNT, &o.switch_episode, "N", "online: the share jumps at episode N (1:0, or --cosine-weight A:B)", payload | DQ_OPT_UNSET, .min = 1, .max = 1e9, .given = &o.given.switch_episode},
        {"pair", 0, DQ_OPT_LIST, &o.pairs, "USER:ITEM", "online: fields whose cosine rewards (default the catalogue's)", payload, .given = &o.given.pairs},
        {"raw-cosine", 0, DQ_OPT_FLAG, &o.raw_cosine, NULL, "online: cosines in [-1, 1], not [0, 1]", payload, .given = &o.given.raw_cosine},
        {"planning", 'n', DQ_OPT_COUNT, &o.planning, "N", "online: planning updates a step", payload, .min = 0, .max = 1e4, .given = &o.given.planning},
        {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "X", "online: exploration at the start", payload, .min = 0, .max = 1, .given = &o.given.epsilon},
        {"epsilon-min", 0, DQ_OPT_REAL, &o.epsilon_min, "X", "online: exploration at least", payload, .min = 0, .max = 1, .given = &o.given.epsilon_min},
        {"epsilon-decay", 0, DQ_OPT_REAL, &o.epsilon_decay, "X", "online: its factor a learning step", payload, .min = 0, .max = 1, .given = &o.given.epsilon_decay},
        {"replay", 0, DQ_OPT_COUNT, &o.replay, "N", "online: transitions remembered", payload, .min = 1, .max = 1e8, .given = &o.given.replay},
        {"warmup", 0, DQ_OPT_COUNT, &o.warmup, "N", "online: transitions before learning", payload, .min = 0, .max = 1e8, .given = &o.given.warmup},
        {"epochs", 0, DQ_OPT_COUNT, &o.epochs, "N", "offline: passes (published: 20)", payload, .min = 1, .max = 1e6, .given = &o.given.epochs, .section = "Offline"},
        {"negatives", 0, DQ_OPT_COUNT, &o.negatives, "N", "offline: unlabelled items drawn per labelled row, as IGNORE", payload, .min = 0, .max = 1000, .given = &o.given.negatives},
        {"validation", 0, DQ_OPT_REAL, &o.validation, "X", "offline: share of the groups held out (tuned: 0.05)", payload, .min = 0, .max = 0.9, .given = &o.given.validation},
        {"validate-by", 0, DQ_OPT_TEXT, &o.validate_by, "NAME", "offline: group users by this attribute (default: each alone)", payload, .given = &o.given.validate_by},
        {"fold", 0, DQ_OPT_TEXT, &o.fold, "I/K", "offline: hold out part I of K of the groups instead (cross-validation)", .flags = payload},
        {"best-by", 0, DQ_OPT_CHOICE, &o.best_by, "WHAT", "offline: the epoch to keep, by held-out rows (published: loss)", payload, bests, .given = &o.given.best_by},
        {"patience", 0, DQ_OPT_COUNT, &o.patience, "N", "offline: epochs without a better validation before stopping (0: never; published 5)", payload, .min = 0, .max = 1e6, .given = &o.given.patience},
        TRAIN_ENV_OPTIONS(o.env),
        TRAIN_LOGGED_OPTIONS(o.logged),
        {"seed", 0, DQ_OPT_COUNT, &o.common.seed, "N", "seed of the random numbers", .min = 0, .max = 9.2e18, .section = "Running"},
        DQ_OPTIONS_COMMON(o.common), {0}};
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    part_ways(&cli, &o, table);
    check_labeller(&cli, &o, table);
    if (train_logged_wanted(&cli, &o)) train_logged_settle(&cli, &o, table);
    else if (train_env_wanted(&o)) train_env_settle(&cli, &o, table);
    else settle(&o);
    parse_fold(&cli, &o);
    check(&cli, &o);
    dq_error error = DQ_ERROR_NONE;
    dq_status status = run(&o, &cli, &error);
    return dq_cli_finish(&cli, status, &error);
}
/* clang-format on */
