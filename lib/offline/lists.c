/* SPDX-License-Identifier: MIT
 *
 * Where all actions are a list there is nothing to draw. Features of a pair are asked for in each batch:
 * whoever computes them keeps what stands still (feature/catalogue.h). Where actions are drawn a batch has
 * the actions that its users have rows of, and as many drawn ones as were asked for, each of them with the
 * chance drawn / actions. In a user's list are those of his own rows, by themselves, and the drawn ones, each
 * for as many as it stands for; what was drawn for nobody but is another user's is not in it.
 */
#include "offline/lists.h"

#include "core/buffers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool counts(const dq_offline_rows *rows, size_t row)
{
    return !isnan(rows->reward[row]);
}

static int descending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x < y) - (x > y);
}

/* The rows of the `batch` users who have the most. */
static size_t most_rows(const dq_offline_rows *rows, size_t batch)
{
    size_t *count = calloc((size_t)rows->users + 1, sizeof *count), sum = 0;
    if (!count) return rows->actions;
    for (size_t r = 0; r < rows->count; r++) count[rows->user[r]] += counts(rows, r);
    qsort(count, rows->users, sizeof *count, descending);
    for (size_t u = 0; u < batch && u < rows->users; u++) sum += count[u];
    free(count);
    return sum;
}

size_t offline_list_columns(const dq_offline_config *config, const dq_offline_rows *rows)
{
    if (!config->negatives) return rows->actions;
    size_t columns = config->negatives + most_rows(rows, config->batch);
    return columns < rows->actions ? columns : rows->actions;
}

/* ---- making ---- */

bool offline_sort_rows(const dq_offline_rows *rows, uint32_t **first, uint32_t **row, dq_arena *arena)
{
    const dq_buffer buffers[] = {DQ_BUFFER(*first, (size_t)rows->users + 2), DQ_BUFFER(*row, rows->count)};
    if (!dq_buffers_take(arena, buffers, DQ_BUFFERS(buffers))) return false;
    uint32_t *at = *first;
    for (size_t r = 0; r < rows->count; r++)
        if (counts(rows, r)) at[rows->user[r] + 1]++;
    for (uint32_t u = 0; u < rows->users; u++) at[u + 1] += at[u];
    for (size_t r = 0; r < rows->count; r++)
        if (counts(rows, r)) (*row)[at[rows->user[r]]++] = (uint32_t)r;
    for (uint32_t u = rows->users; u > 0; u--) at[u] = at[u - 1]; /* each stands at its end */
    at[0] = 0;
    return true;
}

static float grade_of(const offline_lists *l, uint32_t row)
{
    return sqrtf(fmaxf(0, l->rows->reward[row] - l->none));
}

/* A list needs something to prefer. */
static bool tells(const offline_lists *l, uint32_t user)
{
    for (uint32_t i = l->first[user]; i < l->first[user + 1]; i++)
        if (grade_of(l, l->row[i]) > 0) return true;
    return false;
}

static void list_users(offline_lists *l, const uint8_t *held)
{
    for (uint32_t u = 0; u < l->rows->users; u++)
        if (!held[u] && tells(l, u)) l->user[l->training++] = u;
    for (uint32_t u = 0; u < l->rows->users; u++)
        if (held[u] && tells(l, u)) l->user[l->training + l->held_out++] = u;
}

/* Whether pairs have met that no row with a reward is of. */
static bool has_masks(const dq_offline_rows *rows, const offline_lists *l)
{
    dq_pairset with = DQ_PAIRSET_EMPTY;
    if (!rows->met) return false;
    for (size_t i = 0; i < l->first[rows->users]; i++)
        if (dq_pairset_add(&with, rows->user[l->row[i]], rows->action[l->row[i]], NULL, NULL)) break;
    size_t count = dq_pairset_count(&with);
    dq_pairset_free(&with);
    return count < dq_pairset_count(rows->met);
}

bool offline_lists_make(offline_lists *l, const dq_offline_config *config, const dq_offline_rows *rows,
                        const uint8_t *held, dq_arena *arena)
{
    *l = (offline_lists){.rows = rows, .none = config->negative_reward, .drawn = config->negatives};
    size_t columns = l->max_columns = offline_list_columns(config, rows), pairs = config->batch * columns;
    if (l->drawn > rows->actions) l->drawn = rows->actions;
    const dq_buffer buffers[] = {
        DQ_BUFFER(l->user, rows->users),
        DQ_BUFFER(l->action, columns),
        DQ_BUFFER(l->column, rows->actions),
        DQ_BUFFER(l->scratch, l->drawn ? rows->actions : 0),
        DQ_BUFFER(l->grade, pairs),
        DQ_BUFFER(l->offset, pairs),
        DQ_BUFFER(l->features, pairs * rows->given),
    };
    if (!dq_buffers_take(arena, buffers, DQ_BUFFERS(buffers)) ||
        !offline_sort_rows(rows, &l->first, &l->row, arena))
        return false;
    list_users(l, held);
    l->masks = has_masks(rows, l);
    for (uint32_t a = 0; a < rows->actions; a++) l->column[a] = l->drawn ? DQ_OFFLINE_NO_ROW : a;
    for (uint32_t a = 0; !l->drawn && a < rows->actions; a++) l->action[a] = a;
    return true;
}

/* ---- the actions of a batch ---- */

static void add_action(offline_lists *l, uint32_t action, size_t *columns)
{
    if (l->column[action] != DQ_OFFLINE_NO_ROW) return;
    l->column[action] = (uint32_t)*columns;
    l->action[(*columns)++] = action;
}

/* Drawn ones first, so that their columns tell them. */
static size_t choose_actions(offline_lists *l, const uint32_t *users, size_t n, dq_rng *rng)
{
    size_t columns = 0;
    if (!l->drawn) return l->rows->actions;
    for (uint32_t a = 0; a < l->rows->actions; a++) l->column[a] = DQ_OFFLINE_NO_ROW;
    dq_rng_sample(rng, l->action, (uint32_t)l->drawn, l->scratch, l->rows->actions);
    for (size_t i = 0; i < l->drawn; i++) add_action(l, l->action[i], &columns);
    for (size_t i = 0; i < n; i++)
        for (uint32_t r = l->first[users[i]]; r < l->first[users[i] + 1]; r++)
            add_action(l, l->rows->action[l->row[r]], &columns);
    return columns;
}

/* ---- one user's list ---- */

/* What is there by itself has offset 0, which a row says. */
static void fill_grades(offline_lists *l, uint32_t user, size_t columns, float *grade, float *offset)
{
    const dq_offline_rows *rows = l->rows;
    float stands_for = l->drawn ? logf((float)rows->actions / (float)l->drawn) : 0;
    size_t drawn = l->drawn ? l->drawn : columns;
    memset(grade, 0, columns * sizeof *grade);
    for (size_t c = 0; c < columns; c++) {
        bool met = c < drawn && l->masks && dq_pairset_has(rows->met, user, l->action[c]);
        offset[c] = c < drawn && !met ? stands_for : -INFINITY;
    }
    for (uint32_t i = l->first[user]; i < l->first[user + 1]; i++) {
        size_t c = l->column[rows->action[l->row[i]]];
        grade[c] = fmaxf(grade[c], grade_of(l, l->row[i]));
        offset[c] = 0;
    }
}

dq_agent_lists offline_lists_fill(offline_lists *l, const uint32_t *users, size_t n, dq_rng *rng)
{
    size_t columns = choose_actions(l, users, n, rng), given = l->rows->given;
    bool offsets = l->drawn || l->masks;
    const uint32_t *actions = l->drawn ? l->action : NULL;
    for (size_t i = 0; i < n; i++) {
        size_t at = i * columns;
        fill_grades(l, users[i], columns, l->grade + at, l->offset + at);
        if (given)
            l->rows->features(l->rows->features_self, users[i], actions, columns, l->features + at * given);
    }
    return (dq_agent_lists){.n = n,
                            .columns = columns,
                            .state = users,
                            .action = l->action,
                            .grade = l->grade,
                            .offset = offsets ? l->offset : NULL,
                            .features = given ? l->features : NULL};
}
