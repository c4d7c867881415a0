/* SPDX-License-Identifier: MIT
 *
 * Every remedy on every system: it learns, or it says in one line why it cannot be.
 */
#include "life.h"

#include <stdio.h>

/* What a system is, as far as a remedy asks. */
enum { PAIRS = 1, HISTORY = 2, NUMBERED = 4, WORLD = 8 };

typedef struct system {
    const char *name, *kind, *env, *options;
    unsigned is;
} system;

static const system systems[] = {
    {"A", "dyna-q", "catalogue", NULL, PAIRS | NUMBERED | WORLD},
    {"A without a world", "dqn", "catalogue", NULL, PAIRS | NUMBERED},
    {"A with an output an item", "dyna-q", "catalogue", NULL, NUMBERED | WORLD},
    {"B", "dqn", "session", "items=20,full=1", HISTORY},
    {"B on items", "dqn", "session", "items=20,full=1", HISTORY | PAIRS},
    {"B with a world", "dyna-q", "session", "items=20,full=1", HISTORY | WORLD},
    {"C", "dqn", "sequence", NULL, 0},
    {"D", "dyna-q", "films", NULL, HISTORY | WORLD},
    {"a pole", "dyna-q", "cartpole", NULL, WORLD},
};

enum { SYSTEMS = sizeof systems / sizeof *systems };

static void twice(dq_agent_config *c)
{
    c->double_q = true;
}

static void dueling(dq_agent_config *c)
{
    c->dueling = true;
    c->value_hidden[0] = 8;
    c->value_hidden_count = 1;
}

static void several(dq_agent_config *c)
{
    c->n_step = 3;
}

static void priorities(dq_agent_config *c)
{
    c->priority = 0.6;
}

static void huber(dq_agent_config *c)
{
    c->loss = DQ_LOSS_HUBER;
    c->huber_delta = 0.5;
}

static void clipping(dq_agent_config *c)
{
    c->clip_norm = 1;
    c->clip_value = 0.1;
}

static void softly(dq_agent_config *c)
{
    c->tau = 0.01;
    c->target_every = 1;
}

static void conservative(dq_agent_config *c)
{
    c->conservative = 0.5;
}

static void ensemble(dq_agent_config *c)
{
    c->models = 3;
}

static void ahead(dq_agent_config *c)
{
    c->rollout = 2;
}

static void shortcut(dq_agent_config *c)
{
    c->bootstrap = DQ_BOOTSTRAP_SAME;
}

static void features(dq_agent_config *c)
{
    c->features[c->feature_count++] = (dq_pairing){0, 0, 4};
}

static void mean(dq_agent_config *c)
{
    c->encoder = DQ_ENCODER_MEAN;
}

static void attention(dq_agent_config *c)
{
    c->encoder = DQ_ENCODER_ATTENTION;
}

static void sasrec(dq_agent_config *c)
{
    c->encoder = DQ_ENCODER_SASREC;
    c->encoder_width = 16;
}

static void sparse(dq_agent_config *c)
{
    c->sparse = true;
}

static void norms(dq_agent_config *c)
{
    c->batch_norm = true;
    c->dropout = 0.2;
    c->activation = DQ_GELU;
    c->adam.decay = 1e-4;
}

static void schedules(dq_agent_config *c)
{
    c->schedule = dq_schedule_find("one-cycle");
    c->schedule_steps = 50;
    c->explore_by = DQ_EXPLORE_SOFTMAX;
}

/* A remedy, what a system must be for it, and what it must not. */
static const struct remedy {
    const char *name;
    void (*take)(dq_agent_config *config);
    unsigned needs, bars;
} remedies[] = {
    {"Double", twice, 0, 0},
    {"dueling", dueling, 0, 0},
    {"n steps", several, 0, WORLD},
    {"priorities", priorities, 0, 0},
    {"Huber", huber, 0, 0},
    {"clipping", clipping, 0, 0},
    {"soft targets", softly, 0, 0},
    {"conservative", conservative, 0, 0},
    {"an ensemble", ensemble, WORLD, 0},
    {"a look ahead", ahead, WORLD, NUMBERED},
    {"the shortcut", shortcut, 0, 0},
    {"cross features", features, PAIRS, 0},
    {"the mean of the history", mean, HISTORY, 0},
    {"attention to the history", attention, HISTORY, 0},
    {"self-attention over the history", sasrec, HISTORY, 0},
    {"sparse states", sparse, 0, 0},
    {"norms, dropout, decay", norms, 0, 0},
    {"schedules", schedules, 0, 0},
};

enum { REMEDIES = sizeof remedies / sizeof *remedies };

static dq_agent_config config_of(const system *s)
{
    dq_agent_config c = dq_agent_find(s->kind)->defaults;
    c.hidden[0] = c.hidden[1] = 12;
    c.head = s->is & PAIRS ? DQ_HEAD_ACTIONS : DQ_HEAD_OUTPUTS;
    c.batch = 8;
    c.replay = 60;
    c.warmup = 12;
    c.target_every = 5;
    c.loss = DQ_LOSS_MSE;
    c.clip_norm = 0;
    if (s->is & WORLD) c.planning = 2;
    if (s->is & NUMBERED) c.offered = LIFE_OFFERED;
    return c;
}

static void check_lives(const system *s, const dq_agent_config *config, const char *name)
{
    life l;
    begin(&l, s->env, s->options, s->kind, config, 1);
    live(&l, 60);
    if (dq_agent_steps(l.agent) < 30 || !isfinite(l.losses.q)) fail_msg("%s on %s", name, s->name);
    bool world = s->is & WORLD;
    if (world != isfinite(l.losses.world) || world != isfinite(l.losses.planning))
        fail_msg("%s on %s: the world", name, s->name);
    end(&l);
}

static void check_refused(const system *s, const dq_agent_config *config, const char *name)
{
    dq_env *env = NULL;
    dq_pool *pool = pool_of(1);
    dq_agent *agent;
    dq_error e = DQ_ERROR_NONE;
    if (s->is & NUMBERED)
        env = life_catalogue(1);
    else
        assert_int_equal(dq_env_new(&env, s->env, s->options, 1, NULL), DQ_OK);
    dq_status status = dq_agent_new(&agent, s->kind, config, &env->shape, pool, &e);
    if (status != DQ_ERR_RANGE || !*e.reason || strchr(e.reason, '\n')) fail_msg("%s on %s", name, s->name);
    dq_agent_free(agent);
    dq_env_free(env);
    dq_pool_free(pool);
}

static void every_remedy_works_on_every_system_or_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < SYSTEMS; i++)
        for (size_t j = 0; j < REMEDIES; j++) {
            const struct remedy *r = &remedies[j];
            dq_agent_config config = config_of(&systems[i]);
            r->take(&config);
            bool fits = (systems[i].is & r->needs) == r->needs && !(systems[i].is & r->bars);
            (fits ? check_lives : check_refused)(&systems[i], &config, r->name);
        }
}

/* All that fit, at once. */
static void they_work_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < SYSTEMS; i++) {
        dq_agent_config config = config_of(&systems[i]);
        for (size_t j = 0; j < REMEDIES; j++) {
            const struct remedy *r = &remedies[j];
            bool fits = (systems[i].is & r->needs) == r->needs && !(systems[i].is & r->bars);
            bool other = r->take == shortcut || (r->take == sparse && systems[i].is & HISTORY);
            if (fits && !other) r->take(&config);
        }
        check_lives(&systems[i], &config, "all");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_remedy_works_on_every_system_or_says_why),
        cmocka_unit_test(they_work_together),
    };
    return cmocka_run_group_tests_name("agent_remedies", tests, NULL, NULL);
}
