/* SPDX-License-Identifier: MIT
 *
 * dq-train: a stream of users, items, and maybe interactions and transitions in; an agent out.
 */
#include "train.h"

#include "math/blas.h"

/* --cosine-weight and --switch-episode, together. */
static void choose_weight(train *t)
{
    const train_options *o = t->o;
    bool jump = dq_cli_given(t->cli, "switch-episode");
    t->weighted = o->cosine_weight || jump;
    const char *fault = t->weighted ? dq_reward_weight_choose(o->cosine_weight,
                                                              jump ? &o->switch_episode : NULL, &t->weight)
                                    : NULL;
    if (fault) dq_cli_usage(t->cli, "--cosine-weight %s: %s", o->cosine_weight, fault);
}

static dq_status train_all(train *t, dq_error *error)
{
    if (t->cli->mode == TRAIN_FOLLOW) return train_run_follow(t, error);
    if (t->cli->mode & TRAIN_LOGGED) return train_run_offline(t, error);
    dq_status status = train_open(t, error);
    if (status) return status;
    return t->cli->mode == TRAIN_EACH ? train_run_each(t, error) : train_run_online(t, error);
}

/* Once the way of training is known. */
static dq_status train_in_mode(train *t, unsigned mode, dq_error *error)
{
    train_options_enter(t->cli, mode);
    t->maker = dq_cli_maker(t->cli, (int64_t)t->o->common.seed);
    if (mode == TRAIN_EACH) t->maker.threads = 0; /* a fork copies no thread, but the locks that one holds */
    choose_weight(t);
    train_ask(t);
    if (dq_blas_slow()) dq_cli_say(t->cli, &t->o->common, "warning: %s", dq_blas_slow());
    dq_status status = train_all(t, error);
    if (!status && t->o->pass) status = dq_catalogue_write(&t->base.dataset.catalogue, t->output, error);
    if (!status && t->output) {
        status = dq_writer_close(t->output, error);
        t->output = NULL;
    }
    if (status || !t->failed.status) return status;
    *error = t->failed;
    return error->status;
}

static dq_status run(train_options *o, dq_cli *cli, char **argv, bool *refused, dq_error *error)
{
    train t = {.o = o, .cli = cli, .failed = DQ_ERROR_NONE};
    unsigned mode = train_options_mode(cli);
    dq_status status = train_ranks_meet(&t, argv, error);
    if (!status && o->offline) status = train_offline_read(&t, &mode, error);
    if (!status) status = train_ranks_settle(error);
    if (!status && o->follow) status = train_follow_read(&t, error);
    if (!status) status = train_in_mode(&t, mode, error);
    train_close(&t);
    *refused = t.refused;
    return status;
}

int main(int argc, char **argv)
{
    dq_cli cli;
    dq_error error = DQ_ERROR_NONE;
    train_ranks_hush(argv);
    train_options *o = train_options_parse(&cli, argc, argv);
    bool refused = false;
    dq_status status = run(o, &cli, argv, &refused, &error);
    if (status) train_ranks_fail(status);
    int end = dq_cli_finish(&cli, status, &error);
    return train_ranks_leave(end == DQ_EXIT_DONE && refused ? DQ_EXIT_REFUSED : end);
}
