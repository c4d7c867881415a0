/* SPDX-License-Identifier: MIT
 *
 * --follow: a model goes on learning from a server's log (serve/online/follow.h). A shot takes the standing
 * model and what has been settled since its position, learns, and puts what came of it in the place of the
 * old one, if --accept finds it better (serve/online/promote.h). --every makes shot after shot.
 */
#include "train.h"

#include "page/command.h"
#include "serve/online/follow.h"
#include "serve/online/promote.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct follow {
    train *t;
    dq_follow_every every;
    dq_follow_at at; /* of the standing model */
    dq_follow_rows rows;
    uint64_t tried; /* position of the last shot: what it learnt from is no reason for another */
    dq_json_text told;
    char *held; /* a file of rows that are held out for --accept */
    dq_log log;
} follow;

/* ---- the model that stands ---- */

/* Reads it, and with it which agent learns. Before the options are settled: they have its defaults. */
static dq_status read_standing(train *t, dq_error *error)
{
    const char *kind;
    dq_models_free(&t->base.init);
    dq_reader_close(t->inputs[1]);
    t->inputs[1] = NULL;
    t->input_count = 1;
    dq_status status = train_read_init(t, error);
    if (!status) status = dq_follow_check(&t->base.init, &kind, error);
    for (int i = 0; !status && !dq_cli_given(t->cli, "agent") && train_agents[i]; i++)
        if (strcmp(train_agents[i], kind) == 0) t->o->agent = i;
    return dq_training_blame_init(&t->base, status, error);
}

dq_status train_follow_read(train *t, dq_error *error)
{
    dq_status status = train_read_all(t, error);
    return status ? status : read_standing(t, error);
}

/* The agent of the standing model as it was left; where it has followed nothing, or numbers meant others,
 * with what it has learnt alone. */
static dq_status make_agent(follow *f, dq_agent **agent, dq_error *error)
{
    train *t = f->t;
    const dq_vectors users = dq_entities_vectors(&t->base.dataset.catalogue.users),
                     items = dq_entities_vectors(&t->base.dataset.catalogue.items);
    const dq_env_spec shape = dq_catalogue_env_spec(&users, &items);
    uint64_t catalogue = dq_dataset_digest(&t->base.dataset);
    bool same = f->at.catalogue == catalogue;
    dq_feature_users_free(t->base.features);
    t->base.features = NULL;
    train_ask(t); /* the standing model may be another kind by now */
    dq_status status = train_agent(t, &shape, DQ_ABSENT, agent, error);
    if (!status && same) status = dq_agent_load(*agent, true, &t->base.init.at[0], error);
    if (!status && !same && f->at.catalogue)
        dq_cli_say(
            t->cli, &t->o->common,
            "the catalogue is another one: what the agent remembered is forgotten, not what it learnt");
    f->at.catalogue = catalogue;
    return dq_training_blame_init(&t->base, status, error);
}

/* ---- a shot ---- */

static dq_status log_shot(follow *f, const dq_follow_learnt *learnt, const dq_command_end *end,
                          dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool ok = dq_follow_report(&f->at, &f->rows, learnt, f->t->o->accept ? end : NULL, &arena, &line);
    return dq_log_made(&f->log, ok, &line, &arena, error);
}

static dq_status promote(follow *f, dq_bundle *model, dq_command_end *end, dq_error *error)
{
    train *t = f->t;
    const train_options *o = t->o;
    const char *place = o->common.output;
    const dq_promotion promotion = {
        place,        o->init,   o->follow, f->held,        o->accept,
        f->told.data, &t->maker, t->inputs, t->input_count, o->common.quiet ? -1 : STDERR_FILENO,
        dq_stop_asked};
    dq_status status = dq_promote(&promotion, model, end, error);
    t->refused = end->exit != 0;
    if (!status && t->refused)
        dq_cli_say(t->cli, &o->common, "refused (status %d): the new model is %s.refused", end->exit, place);
    else if (!status)
        dq_cli_say(t->cli, &o->common, "the new model is %s", place);
    return status;
}

static dq_status learn(follow *f, dq_error *error)
{
    train *t = f->t;
    dq_agent *agent;
    dq_bundle model = DQ_BUNDLE_EMPTY;
    dq_follow_learnt learnt;
    dq_command_end end = {0};
    char words[256];
    const dq_vectors users = dq_entities_vectors(&t->base.dataset.catalogue.users);
    f->tried = f->rows.position;
    dq_status status = make_agent(f, &agent, error);
    if (!status) status = dq_follow_learn(&f->rows, agent, &users, &f->at, &model, &learnt, error);
    if (!status) status = dq_training_finish(&t->base, &model, DQ_ABSENT, error);
    if (!status) {
        dq_follow_describe(&f->rows, &learnt, words, sizeof words);
        dq_cli_say(t->cli, &t->o->common, "%s", words);
        status = promote(f, &model, &end, error);
    }
    if (!status) status = log_shot(f, &learnt, &end, error);
    dq_bundle_free(&model);
    dq_agent_free(agent);
    return status;
}

/* ---- shot after shot ---- */

/* From the standing model's position, until there is enough for a shot: in one shot what there is. *ready
 * says whether there is. */
static dq_status gather(follow *f, bool *ready, dq_error *error)
{
    train *t = f->t;
    const dq_log_settle_config config = {&t->base.map, t->o->unanswered, t->o->answer_time};
    dq_log_settle *log = NULL;
    f->rows = (dq_follow_rows){
        .catalogue = &t->base.dataset.catalogue, .map = &t->base.map, .past = f->tried};
    dq_status status = dq_follow_load(&f->at, &t->base.init.at[0], error);
    if (status) return dq_training_blame_init(&t->base, status, error);
    status = dq_log_settle_open(&log, t->o->follow, f->at.position, &config, error);
    f->rows.log = log;
    if (!status)
        status = dq_follow_hold(&f->rows, t->o->accept ? t->o->hold_out : 0, f->held, &t->maker, error);
    if (!status) status = dq_follow_gather(&f->rows, &f->every, dq_stop_asked, ready, error);
    if (!status && !*ready && !dq_stop_asked())
        dq_cli_say(t->cli, &t->o->common,
                   "nothing to learn from: %llu showings wait for answers, or --answer-time",
                   (unsigned long long)dq_log_settle_waiting(log));
    dq_log_settle_close(log);
    status = dq_follow_held(&f->rows, status, error);
    return status ? dq_error_at(error, t->o->follow, DQ_NO_RECORD) : DQ_OK;
}

static dq_status go(follow *f, dq_error *error)
{
    train *t = f->t;
    bool ready = false;
    for (;;) {
        dq_status status = gather(f, &ready, error);
        if (!status && ready) status = learn(f, error);
        dq_follow_rows_free(&f->rows);
        bool over = status || !t->o->every || dq_stop_asked();
        if (status == DQ_ERR_STOPPED) return DQ_OK; /* what stands is whole */
        if (over) return status;
        if (!t->refused) t->o->init = t->o->common.output;
        status = read_standing(t, error);
        if (status) return status;
    }
}

dq_status train_run_follow(train *t, dq_error *error)
{
    follow f = {.t = t};
    train_options *o = t->o;
    (void)dq_follow_parse_every(o->every, &f.every); /* options.c has checked it */
    if (!o->common.output || strcmp(o->common.output, "-") == 0) o->common.output = o->init;
    f.held = dq_promotion_held(o->common.output);
    dq_status status = f.held ? train_read_map(t, error) : dq_fail_memory(error, "a file's name");
    if (!status) status = dq_pool_new(&t->base.pool, dq_cli_threads(&o->common, 1), error);
    if (!status && o->accept)
        status = dq_page_without_secrets(o->accept, strlen(o->accept) + 1, &f.told, error); /* its NUL, too */
    if (!status) status = dq_log_open(&f.log, o->log, 0, error);
    if (status) return status;
    if (o->every) dq_stop_catch(); /* a shot is ended; in one a signal leaves the old model */
    status = go(&f, error);
    t->refused &= !o->every; /* of many shots, the last is nothing special */
    free(f.held);
    dq_json_text_free(&f.told);
    return dq_log_close(&f.log, status, error);
}
