/* SPDX-License-Identifier: MIT
 *
 * dq-plan: what an agent's world model expects. Of system A's agents: rewards of pairs of a catalogue. Of
 * agents of tasks: transitions some steps ahead of states that were lived through, or lists of what to do
 * next. Which of them, the model says.
 */
#include "plan.h"

#include "data/load.h"
#include "math/blas.h"

#include <string.h>

static const dq_program program = {
    .name = "dq-plan",
    .summary = "simulates transitions with an agent's world model",
    .operands = "[FILE...]",
    .examples = {"dq-plan --model m.dq < catalogue.dq | dq-train --offline --init m.dq -o m2.dq",
                 "dq-plan --model agent.dq --rollout 3 --max-disagreement 0.1 log.dq > simulated.dq"},
    .version_note_fn = dq_blas_core,
};

/* ---- input ---- */

/* The model is --model's, or the first of the stream; then it is not read twice. */
static dq_status open_all(plan *p, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!p->o->replay) {
        status = dq_reader_open(&p->inputs[0], p->cli->operands, p->cli->operand_count, error);
        if (status) return status;
        p->input_count = 1;
    }
    if (p->o->model) {
        status = dq_models_read(&p->models, &p->inputs[p->input_count], p->o->model, error);
        if (p->inputs[p->input_count]) p->input_count++;
        return status;
    }
    return dq_reader_next(p->inputs[0], &p->pending, error) < 0 ? error->status : DQ_OK;
}

static bool is_for_states(plan *p)
{
    if (p->models.count) return plan_states_wanted(&p->models.at[0]);
    return p->pending.kind && plan_states_wanted(&p->pending);
}

static dq_status take_pending(plan *p, bool states, dq_error *error)
{
    if (!p->pending.kind) return DQ_OK;
    if (!states) return dq_dataset_add(&p->dataset, &p->pending, dq_reader_section(p->inputs[0]), error);
    return dq_models_add(&p->models, &p->pending, error);
}

/* ---- options ---- */

/* Flags of options that mean something for one kind of agent, and there for one kind of output. */
enum { FOR_PAIRS = 1 << 8, FOR_STATES = 1 << 9, FOR_ROLLOUTS = 1 << 10, FOR_LISTS = 1 << 11 };

/* What means nothing here is refused, and not recorded. */
static void refuse(const dq_cli *cli, dq_option *table, unsigned flag, const char *why)
{
    for (dq_option *row = table; row->name; row++) {
        if (!(row->flags & flag)) continue;
        if (dq_cli_given(cli, row->name)) dq_cli_usage(cli, "--%s %s", row->name, why);
        row->flags = 0;
    }
}

static void check(const dq_cli *cli, dq_option *table, const plan_options *o, bool states)
{
    if (!states) {
        refuse(cli, table, FOR_STATES, "is for agents of tasks, and this one is of a catalogue");
        return;
    }
    refuse(cli, table, FOR_PAIRS, "is for agents of a catalogue, and this one is of a task");
    if (o->lists)
        refuse(cli, table, FOR_ROLLOUTS, "has no meaning with --lists");
    else
        refuse(cli, table, FOR_LISTS, "needs --lists");
}

static dq_status work(plan *p, dq_cli *cli, dq_option *table, dq_error *error)
{
    dq_status status = open_all(p, error);
    if (status) return status;
    bool states = is_for_states(p);
    check(cli, table, p->o, states);
    dq_maker maker = dq_cli_maker(cli, (int64_t)p->o->common.seed);
    status = dq_pool_new(&p->pool, dq_cli_threads(&p->o->common, 1), error);
    if (!status) status = take_pending(p, states, error);
    if (!status) status = states ? plan_states_run(p, &maker, error) : plan_pairs_run(p, &maker, error);
    if (status) return status;
    dq_writer *output = p->output;
    p->output = NULL;
    return dq_writer_close(output, error);
}

static void close_all(plan *p)
{
    dq_writer_abort(p->output);
    dq_pool_free(p->pool);
    dq_bundle_free(&p->pending);
    dq_dataset_free(&p->dataset);
    dq_models_free(&p->models);
    dq_reader_close(p->inputs[0]);
    dq_reader_close(p->inputs[1]);
}

/* clang-format off */
int main(int argc, char **argv)
{
    plan_options o = {.common = DQ_COMMON_DEFAULTS, .rollout = 1, .beam = 4};
    const unsigned pairs = DQ_OPT_PAYLOAD | FOR_PAIRS, states = DQ_OPT_PAYLOAD | FOR_STATES,
                   rollouts = states | FOR_ROLLOUTS;
    dq_option table[] = {
        {"model", 'm', DQ_OPT_TEXT, &o.model, "FILE", "the agent (else the one in the stream)", .flags = 0},
        {"pairs", 'p', DQ_OPT_CHOICE, &o.pairs, "WHICH", "pairs of the stream, or pairs outside it", pairs, .choices = plan_pair_names, .section = "A catalogue's agents"},
        {"per-user", 0, DQ_OPT_COUNT, &o.per_user, "N", "at most N pairs a user, drawn (0: all)", .flags = pairs},
        {"user", 'u', DQ_OPT_TEXT, &o.user, "ID", "pairs of this user only", .flags = pairs},
        {"actions", 'a', DQ_OPT_CHOICE, &o.actions, "WHOSE", "what is done in a state: the agent's choice, any; or first all, or what was done", rollouts, .choices = plan_action_names, .section = "Agents of tasks"},
        {"rollout", 'r', DQ_OPT_COUNT, &o.rollout, "K", "steps ahead", rollouts, .min = 1, .max = 1e6},
        {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "X", "share of the agent's choices that are any action", rollouts, .min = 0, .max = 1},
        {"lists", 'k', DQ_OPT_COUNT, &o.lists, "K", "instead, of each state the next K actions, as rankings", states | DQ_OPT_UNSET, .min = 1, .max = 1e6},
        {"beam", 0, DQ_OPT_COUNT, &o.beam, "N", "lists that are pursued at once", states | FOR_LISTS, .min = 1, .max = 1e4},
        {"replay", 0, DQ_OPT_FLAG, &o.replay, NULL, "from the states of --model, a checkpoint; nothing is read", .flags = states},
        {"max-disagreement", 0, DQ_OPT_REAL, &o.most, "X", "drop what an ensemble disagrees on by more than X", DQ_OPT_PAYLOAD | DQ_OPT_UNSET, .min = 0, .max = 1e30, .given = &o.most_given, .section = "Either"},
        DQ_OPTION_SEED(o.common), DQ_OPTIONS_COMMON(o.common), {0}};
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    if (o.replay && !o.model) dq_cli_usage(&cli, "--replay needs --model, a checkpoint");
    if (o.replay && cli.operand_count) dq_cli_usage(&cli, "--replay reads no file but the model");
    dq_error error = DQ_ERROR_NONE;
    plan p = {.o = &o, .cli = &cli};
    dq_status status = work(&p, &cli, table, &error);
    close_all(&p);
    return dq_cli_finish(&cli, status, &error);
}
/* clang-format on */
