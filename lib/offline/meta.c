/* SPDX-License-Identifier: MIT */
#include "offline/meta.h"

#include "core/buffers.h"
#include "offline/offline_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32, FIXED = 3 };

/* A network of the agent by its name: it is fetched anew each time that its weights are set. */
typedef struct meta_net {
    char name[NAME_BYTES];
    dq_net *start, *mean;
} meta_net;

struct dq_meta {
    dq_agent *agent;
    meta_net *nets; /* (count) */
    size_t count, adapted;
};

/* ---- what moves ---- */

/* A target moves where something is bootstrapped from it. */
static bool moves(dq_agent *agent, const char *name)
{
    bool target = strcmp(name, "target") == 0;
    return dq_agent_network(agent, name) && (!target || dq_agent_get_config(agent)->gamma > 0);
}

static dq_status add(dq_meta *m, const char *name, dq_error *error)
{
    meta_net *net = &m->nets[m->count];
    if (!moves(m->agent, name)) return DQ_OK;
    m->count++;
    (void)snprintf(net->name, sizeof net->name, "%s", name);
    dq_status status = dq_net_clone(&net->start, dq_agent_network(m->agent, name), error);
    return status ? status : dq_net_clone(&net->mean, net->start, error);
}

static dq_status add_all(dq_meta *m, uint32_t worlds, dq_error *error)
{
    static const char *const names[FIXED] = {"q", "target", "policy"};
    char name[NAME_BYTES];
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < FIXED; i++) status = add(m, names[i], error);
    for (uint32_t i = 0; !status && i < worlds; i++) {
        (void)snprintf(name, sizeof name, "world.%u", i);
        status = add(m, name, error);
    }
    return status;
}

static dq_status check(const dq_meta *m, dq_error *error)
{
    if (m->count == 0)
        return dq_fail(error, DQ_ERR_UNSUPPORTED, "an agent without networks has no weights to start from");
    if (dq_agent_get_config(m->agent)->batch_norm)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "batch norm takes statistics of one user at a time, which hold for nobody else");
    return DQ_OK;
}

dq_status dq_meta_new(dq_meta **out, dq_agent *agent, dq_error *error)
{
    uint32_t worlds = dq_agent_get_config(agent)->models;
    dq_meta *m = *out = calloc(1, sizeof *m);
    if (!m) return dq_fail_memory(error, "meta-learning");
    m->agent = agent;
    m->nets = calloc((size_t)worlds + FIXED, sizeof *m->nets);
    dq_status status = m->nets ? add_all(m, worlds, error) : dq_fail_memory(error, "meta-learning");
    if (!status) status = check(m, error);
    if (!status) return DQ_OK;
    dq_meta_free(m);
    *out = NULL;
    return status;
}

void dq_meta_free(dq_meta *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->count; i++) {
        dq_net_free(m->nets[i].start);
        dq_net_free(m->nets[i].mean);
    }
    free(m->nets);
    free(m);
}

/* ---- the outer update ---- */

void dq_meta_begin(dq_meta *m)
{
    m->adapted = 0;
    for (meta_net *n = m->nets; n < m->nets + m->count; n++)
        dq_net_copy(n->start, dq_agent_network(m->agent, n->name));
}

void dq_meta_adapted(dq_meta *m)
{
    m->adapted++;
    for (meta_net *n = m->nets; n < m->nets + m->count; n++) {
        dq_net *net = dq_agent_network(m->agent, n->name);
        if (m->adapted == 1)
            dq_net_copy(n->mean, net);
        else
            dq_net_soft_update(n->mean, net, 1 / (double)m->adapted);
        dq_net_copy(net, n->start);
    }
}

void dq_meta_update(dq_meta *m, double step)
{
    for (meta_net *n = m->nets; n < m->nets + m->count; n++)
        dq_net_soft_update(dq_agent_network(m->agent, n->name), n->mean, step);
}

/* ---- a batch of users in a run ---- */

/* The rows of a user, who is a task, in an order of their own each time that he is one. */
static size_t draw_rows(dq_offline *run, uint32_t user)
{
    const offline_tasks *t = &run->tasks;
    size_t from = t->first[user], n = t->first[user + 1] - from;
    memcpy(t->drawn, t->row + from, n * sizeof *t->drawn);
    dq_rng_shuffle(&run->rng[RNG_ORDER], t->drawn, n);
    return n;
}

/* Update k on a user's n rows: the next batch of them, around and around. */
static dq_status learn_rows(dq_offline *run, size_t n, size_t k, dq_agent_losses *losses, dq_error *error)
{
    size_t batch = run->config.batch < n ? run->config.batch : n, rows = 0;
    for (size_t i = 0; i < batch; i++) /* of no rows there is no batch: NOLINTNEXTLINE(*.DivideZero) */
        rows += offline_add_row(run, rows, run->tasks.drawn[(k * batch + i) % n], 1);
    return dq_agent_fit(run->agent, &run->states, run->batch, rows, NULL, losses, error);
}

/* An update on the user's list; a world model has his rows beside it. */
static dq_status learn_list(dq_offline *run, const uint32_t *user, size_t n, size_t k,
                            dq_agent_losses *losses, dq_error *error)
{
    dq_agent_lists list = offline_lists_fill(&run->lists, user, 1, &run->rng[RNG_NEGATIVES]);
    size_t rows = offline_world_rows(run, run->tasks.drawn, n, k * (DQ_OFFLINE_LIST_ROWS(run->config) / 2));
    return dq_agent_fit_lists(run->agent, &run->states, &list, run->batch, rows, losses, error);
}

static double step_of(const dq_offline *run)
{
    const dq_meta_config *c = &run->config.meta;
    return c->step + (c->step_end - c->step) * offline_progress(run);
}

static dq_status adapt(dq_offline *run, const uint32_t *user, dq_agent_losses *sum, dq_error *error)
{
    size_t n = draw_rows(run, *user), steps = run->config.meta.steps;
    dq_status status = DQ_OK;
    for (size_t k = 0; !status && k < steps; k++) {
        dq_agent_losses one;
        status = run->by_lists ? learn_list(run, user, n, k, &one, error)
                               : learn_rows(run, n, k, &one, error);
        sum->q += one.q / (double)steps;
        sum->world += one.world / (double)steps;
    }
    return status;
}

dq_status offline_learn_users(dq_offline *run, dq_agent_losses *losses, size_t *n, dq_error *error)
{
    size_t from = (size_t)run->state.position, left = run->user_count - from;
    double step = step_of(run);
    dq_status status = DQ_OK;
    *n = left < run->config.meta.users ? left : run->config.meta.users;
    *losses = (dq_agent_losses){0, 0, (double)NAN, (double)NAN};
    dq_meta_begin(run->meta);
    for (size_t i = 0; !status && i < *n; i++) {
        status = adapt(run, run->users + from + i, losses, error);
        if (!status) dq_meta_adapted(run->meta);
    }
    if (status) return status;
    dq_meta_update(run->meta, step);
    run->state.position += *n;
    losses->q /= (double)*n;
    losses->world /= (double)*n;
    return DQ_OK;
}

/* ---- users as tasks ---- */

static size_t most_rows(const offline_tasks *t, uint32_t users)
{
    size_t most = 0;
    for (uint32_t u = 0; u < users; u++)
        if (t->first[u + 1] - t->first[u] > most) most = t->first[u + 1] - t->first[u];
    return most;
}

/* Whoever has a row and is not held out; of lists those that have one. */
static dq_status list_users(dq_offline *run, dq_error *error)
{
    const dq_offline_rows *rows = &run->rows;
    uint32_t *user;
    if (run->by_lists) return DQ_OK;
    const dq_buffer buffer = DQ_BUFFER(user, rows->users);
    if (!dq_buffers_take(&run->arena, &buffer, 1)) return dq_fail_memory(error, "%u users", rows->users);
    for (uint32_t u = 0; u < rows->users; u++)
        if (!run->held[u] && run->tasks.first[u + 1] > run->tasks.first[u]) user[run->user_count++] = u;
    run->users = user;
    return DQ_OK;
}

static dq_status check_run(const dq_offline *run, dq_error *error)
{
    const dq_meta_config *c = &run->config.meta;
    if (c->steps == 0 || !(c->step >= 0) || !(c->step_end >= 0))
        return dq_fail(error, DQ_ERR_RANGE,
                       "a user is adapted to in one update or more, by steps of 0 or more");
    if (run->config.priority > 0)
        return dq_fail(error, DQ_ERR_RANGE, "rows are drawn user by user: they have no priorities");
    return DQ_OK;
}

dq_status offline_make_meta(dq_offline *run, dq_error *error)
{
    offline_tasks *t = &run->tasks;
    if (!run->config.meta.users) return DQ_OK;
    dq_status status = check_run(run, error);
    if (status) return status;
    if (!offline_sort_rows(&run->rows, &t->first, &t->row, &run->arena))
        return dq_fail_memory(error, "%zu rows", run->rows.count);
    const dq_buffer buffer = DQ_BUFFER(t->drawn, most_rows(t, run->rows.users));
    if (!dq_buffers_take(&run->arena, &buffer, 1)) return dq_fail_memory(error, "a user's rows");
    status = list_users(run, error);
    return status ? status : dq_meta_new(&run->meta, run->agent, error);
}
