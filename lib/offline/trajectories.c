/* SPDX-License-Identifier: MIT */
#include "offline/trajectories.h"

#include "core/buffers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dq_offline_trajectories {
    dq_offline_rows rows; /* of the log */
    dq_trajectory of;
    uint32_t *before; /* (count) the row that each follows, or DQ_OFFLINE_NO_ROW */
    double *to_go;    /* (count) */
    size_t starts;
    double least, mean, greatest; /* returns of whole trajectories */
    dq_arena arena;
};

/* A row that follows another stands behind it. */
static dq_status find_before(dq_offline_trajectories *t, dq_error *error)
{
    const dq_offline_rows *rows = &t->rows;
    for (size_t r = 0; r < rows->count; r++) t->before[r] = DQ_OFFLINE_NO_ROW;
    for (size_t r = 0; r < rows->count; r++) {
        uint32_t after = rows->following[r];
        if (after == DQ_OFFLINE_NO_ROW) continue;
        if (after <= r || after >= rows->count)
            return dq_fail(error, DQ_ERR_RANGE, "row %u follows row %zu", after, r);
        t->before[after] = (uint32_t)r;
    }
    return DQ_OK;
}

static void sum_returns(dq_offline_trajectories *t, dq_agent_config *c)
{
    const dq_offline_rows *rows = &t->rows;
    double count = (double)rows->count, squares = 0;
    c->greatest_return = t->greatest = -INFINITY;
    t->least = INFINITY;
    c->return_mean = 0;
    for (size_t r = rows->count; r-- > 0;) {
        uint32_t after = rows->following[r];
        double reward = isnan(rows->reward[r]) ? 0 : (double)rows->reward[r];
        t->to_go[r] = reward + (after == DQ_OFFLINE_NO_ROW ? 0 : t->to_go[after]);
        c->return_mean += t->to_go[r] / count;
        c->greatest_return = fmax(c->greatest_return, t->to_go[r]);
        if (t->before[r] != DQ_OFFLINE_NO_ROW) continue;
        t->starts++;
        t->mean += t->to_go[r];
        t->least = fmin(t->least, t->to_go[r]);
        t->greatest = fmax(t->greatest, t->to_go[r]);
    }
    t->mean /= (double)t->starts;
    for (size_t r = 0; r < rows->count; r++)
        squares += (t->to_go[r] - c->return_mean) * (t->to_go[r] - c->return_mean);
    c->return_scale = squares > 0 ? sqrt(squares / count) : 1;
}

/* Windows as a model has them already. */
static dq_status follow_model(const dq_bundle *init, bool (*given)(const void *arg, const char *part),
                              const void *arg, dq_agent_config *c, dq_error *error)
{
    const char *kind;
    dq_agent_config saved;
    dq_env_spec shape;
    dq_status status = init ? dq_agent_read_config(init, &kind, &saved, &shape, error) : DQ_OK;
    if (status || !init || !saved.context) return status; /* another agent's, as loading it will say */
    if (!given(arg, "context")) c->context = saved.context;
    if (!given(arg, "wish")) {
        c->imitates = saved.imitates;
        c->wish = saved.wish;
    }
    c->return_mean = saved.return_mean;
    c->return_scale = saved.return_scale;
    c->greatest_return = fmax(c->greatest_return, saved.greatest_return);
    return DQ_OK;
}

static dq_status make(dq_offline_trajectories *t, const dq_bundle *init,
                      bool (*given)(const void *arg, const char *part), const void *arg, dq_agent_config *c,
                      dq_error *error)
{
    size_t n = t->rows.count;
    const dq_buffer buffers[] = {DQ_BUFFER(t->before, n), DQ_BUFFER(t->to_go, n)};
    if (!dq_buffers_take(&t->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "%zu rows", n);
    dq_status status = find_before(t, error);
    if (status) return status;
    sum_returns(t, c);
    if (isnan(c->wish)) c->wish = t->greatest;
    return follow_model(init, given, arg, c, error);
}

/* A window has no next one: nothing is bootstrapped. */
static void fill(void *self, size_t row, dq_transition *transition, float *state, float *next)
{
    const dq_offline_trajectories *t = self;
    const dq_offline_rows *rows = &t->rows;
    size_t step = dq_trajectory_step_width(&t->of), r = row;
    dq_transition earlier;
    rows->fill(rows->self, row, transition, NULL, NULL);
    (void)next;
    if (!state) return;
    memset(state, 0, dq_trajectory_width(&t->of) * sizeof *state);
    for (uint32_t i = 0; i < t->of.context; i++, state += step) {
        rows->fill(rows->self, r, &earlier, dq_trajectory_show(&t->of, state, t->to_go[r]), NULL);
        if (i > 0) dq_trajectory_choose(&t->of, state, rows->action[r]);
        if (t->before[r] == DQ_OFFLINE_NO_ROW) break;
        r = t->before[r];
    }
}

/* The rows of windows, of which none follows another. */
static void replace_rows(dq_offline_trajectories *t, dq_offline_rows *rows)
{
    rows->self = t;
    rows->fill = fill;
    rows->state_width = dq_trajectory_width(&t->of);
    rows->following = NULL;
    rows->met = NULL;
}

dq_status dq_offline_trajectories_new(dq_offline_trajectories **out, dq_offline_rows *rows,
                                      const dq_env_spec *shape, const dq_bundle *init,
                                      bool (*given)(const void *arg, const char *part), const void *arg,
                                      dq_agent_config *config, dq_error *error)
{
    *out = NULL;
    if (!rows->following || rows->states.count || rows->count == 0)
        return dq_fail(error, DQ_ERR_RANGE, "rows without an order are no trajectories");
    dq_offline_trajectories *t = calloc(1, sizeof *t);
    if (!t) return dq_fail_memory(error, "trajectories");
    t->rows = *rows;
    dq_status status = make(t, init, given, arg, config, error);
    if (status) {
        dq_offline_trajectories_free(t);
        return status;
    }
    t->of = dq_trajectory_of(config, shape);
    replace_rows(t, rows);
    *out = t;
    return DQ_OK;
}

void dq_offline_trajectories_free(dq_offline_trajectories *t)
{
    if (!t) return;
    dq_arena_free(&t->arena);
    free(t);
}

void dq_offline_trajectories_describe(const dq_offline_trajectories *t, char *words, size_t size)
{
    int used = snprintf(words, size, "%zu trajectories, with returns of %.6g to %.6g, %.6g in the mean",
                        t->starts, t->least, t->greatest, t->mean);
    if (used > 0 && (size_t)used < size)
        (void)(t->of.imitates
                   ? snprintf(words + used, size - (size_t)used, "; no return is wished for")
                   : snprintf(words + used, size - (size_t)used, "; the wish is %.6g", t->of.wish));
}
