/* SPDX-License-Identifier: MIT
 *
 * dq-train: a stream of users, items, and maybe interactions and transitions in; an agent out.
 */
#include "train.h"

#include "data/load.h"

/* Agents of a catalogue. */
static dq_status train_catalogue(train *t, dq_error *error)
{
    dq_status status = train_open(t, error);
    if (status) return status;
    if (t->cli->mode == TRAIN_OFFLINE) return train_run_offline(t, error);
    return t->cli->mode == TRAIN_EACH ? train_run_each(t, error) : train_run_online(t, error);
}

static dq_status train_all(train *t, dq_error *error)
{
    if (t->cli->mode == TRAIN_SESSIONS) return train_run_logged(t, error);
    return t->cli->mode == TRAIN_ENV ? train_run_env(t, error) : train_catalogue(t, error);
}

static dq_status run(train_options *o, dq_cli *cli, dq_error *error)
{
    train t = {.o = o, .cli = cli, .maker = dq_cli_maker(cli, (int64_t)o->common.seed)};
    train_weight_choose(&t);
    dq_status status = train_all(&t, error);
    if (!status && o->pass) status = dq_catalogue_write(&t.dataset.catalogue, t.output, error);
    if (!status) {
        status = dq_writer_close(t.output, error);
        t.output = NULL;
    }
    train_close(&t);
    return status;
}

int main(int argc, char **argv)
{
    dq_cli cli;
    dq_error error = DQ_ERROR_NONE;
    train_options *o = train_options_parse(&cli, argc, argv);
    dq_status status = run(o, &cli, &error);
    return dq_cli_finish(&cli, status, &error);
}
