/* SPDX-License-Identifier: MIT
 *
 * dq-plan: what an agent's world model expects. Of system A's agents: rewards of pairs of a catalogue. Of
 * agents of environments: transitions some steps ahead of states that were lived through, or lists of what to
 * do next. Which of them, the model says.
 */
#include "plan.h"

#include "data/load.h"
#include "math/blas.h"

#include <math.h>

static const dq_mode modes[] = {
    {PLAN_PAIRS, "pairs", "a catalogue's agent", .help = "rewards of pairs, by an agent of a catalogue"},
    {PLAN_ROLLOUTS, "rollouts", "roll-outs of an environment's agent",
     .help = "transitions some steps ahead, by an agent of environments"},
    {PLAN_LISTS, "lists", "--lists",
     .help = "lists of what to do next, by an agent of environments (--lists)"},
    {0}};

static const dq_program program = {
    .name = "dq-plan",
    .guide = "planning.md",
    .summary = "simulates transitions with an agent's world model",
    .operands = "[FILE...]",
    .examples = {"dq-plan --model m.dq < catalogue.dq | dq-train --offline --init m.dq -o m2.dq",
                 "dq-plan --model agent.dq --rollout 3 --max-disagreement 0.1 log.dq > simulated.dq"},
    .version_note_fn = dq_blas_core,
    .modes = modes,
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
        dq_cli_say_kept(p->cli, &p->o->common, p->o->model, &p->models.kept);
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
    return dq_models_add(&p->models, &p->pending, dq_reader_section(p->inputs[0]), error);
}

static dq_status work(plan *p, dq_cli *cli, dq_error *error)
{
    dq_status status = open_all(p, error);
    if (status) return status;
    bool states = is_for_states(p);
    dq_cli_enter(cli, !states ? PLAN_PAIRS : p->o->lists ? PLAN_LISTS : PLAN_ROLLOUTS);
    if (p->o->replay && cli->operand_count) dq_cli_usage(cli, "--replay reads no file but the model");
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
    plan_options o = {.common = DQ_COMMON_DEFAULTS, .rollout = 1, .beam = 4, .max_disagreement = (double)INFINITY};
    const unsigned payload = DQ_OPT_PAYLOAD;
    const dq_option table[] = {
        {"model", 'm', DQ_OPT_TEXT, &o.model, "FILE", "the agent (else the one in the stream)", .flags = 0},
        {"pairs", 'p', DQ_OPT_CHOICE, &o.pairs, "WHICH", "pairs of the stream, or pairs outside it", payload, .choices = plan_pair_names, .modes = PLAN_PAIRS, .section = "A catalogue's agents"},
        {"per-user", 0, DQ_OPT_COUNT, &o.per_user, "N", "at most N pairs a user, drawn (0: all)", payload, .modes = PLAN_PAIRS},
        {"user", 'u', DQ_OPT_LIST, &o.users, "ID", "pairs of this user only; may be repeated", payload, .modes = PLAN_PAIRS},
        {"actions", 0, DQ_OPT_CHOICE, &o.actions, "WHOSE", "what is done in a state: the agent's choice, any; or first all, or what was done", payload, .choices = plan_action_names, .modes = PLAN_ROLLOUTS, .section = "Agents of environments"},
        {"rollout", 0, DQ_OPT_COUNT, &o.rollout, "K", "steps ahead", payload, .min = 1, .max = 1e6, .modes = PLAN_ROLLOUTS},
        {"epsilon", 0, DQ_OPT_REAL, &o.epsilon, "X", "share of the agent's choices that are any action", payload, .min = 0, .max = 1, .modes = PLAN_ROLLOUTS},
        {"lists", 'k', DQ_OPT_COUNT, &o.lists, "K", "instead, of each state the next K actions, as rankings", payload | DQ_OPT_UNSET, .min = 1, .max = 1e6, .modes = PLAN_LISTS},
        {"beam", 0, DQ_OPT_COUNT, &o.beam, "N", "lists that are pursued at once", payload, .min = 1, .max = 1e4, .modes = PLAN_LISTS},
        {"replay", 0, DQ_OPT_FLAG, &o.replay, NULL, "from the states of --model, a checkpoint; nothing is read", payload, .modes = PLAN_ROLLOUTS | PLAN_LISTS},
        {"max-disagreement", 0, DQ_OPT_REAL, &o.max_disagreement, "X", "drop what an ensemble disagrees on by more than X", payload | DQ_OPT_UNSET, .min = 0, .max = 1e30, .section = "Either"},
        DQ_OPTION_SEED(o.common), DQ_OPTIONS_COMMON(o.common), {0}};
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    if (o.replay && !o.model) dq_cli_usage(&cli, "--replay needs --model, a checkpoint");
    dq_error error = DQ_ERROR_NONE;
    plan p = {.o = &o, .cli = &cli};
    dq_status status = work(&p, &cli, &error);
    close_all(&p);
    return dq_cli_finish(&cli, status, &error);
}
/* clang-format on */
