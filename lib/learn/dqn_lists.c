/* SPDX-License-Identifier: MIT
 *
 * Learning from lists: a pass is a grid of states and actions (net/net.h), the loss one of net/loss.h. The
 * world model has transitions of its own beside them.
 */
#include "learn/dqn.h"

#include <math.h>

/* The mean loss of the lists, and its gradient into d->dy. Lists with nothing to tell count, too: a share of
 * a batch that is empty is not made up for. */
static double list_loss(dq_agent *a, const dq_agent_lists *l, const float *y)
{
    dqn *d = dqn_of(a);
    const dq_agent_config *c = &a->config;
    double sum = 0;
    for (size_t i = 0; i < l->n; i++) {
        size_t at = i * l->columns;
        sum += dq_loss_list(c->loss, c->list_temperature, y + at, l->grade + at,
                            l->offset ? l->offset + at : NULL, l->columns, 1 / (double)l->n, d->list,
                            d->dy + at);
    }
    return sum / (double)l->n;
}

dq_status dqn_fit_lists(dq_agent *a, const dq_vectors *states, const dq_agent_lists *lists,
                        const dq_transition *rows, size_t n_rows, bool learn, dq_agent_losses *losses,
                        dq_error *error)
{
    dqn *d = dqn_of(a);
    const dq_net_rows grid = {.states = *states,
                              .state = lists->state,
                              .actions = a->actions,
                              .action = lists->action,
                              .rows = lists->n * lists->columns,
                              .grid = lists->columns,
                              .features = lists->features};
    const dqn_batch b = {.n = n_rows, .states = states, .row = rows, .real = true};
    const float *y = dq_net_forward(d->q, &grid, learn ? &a->rng[RNG_DROP_Q] : NULL);
    losses->q = list_loss(a, lists, y);
    if (!learn) return DQ_OK;
    dq_status status = dqn_step(a, losses->q, &losses->gradient, error);
    if (!status && d->after && n_rows) status = d->after(a, &b, true, losses, error);
    if (!status) a->steps++;
    return status;
}
