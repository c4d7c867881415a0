/* SPDX-License-Identifier: MIT */
#include "ope/support.h"

#include <stdlib.h>
#include <string.h>

/* A table of other sizes with the old rows in it. */
static bool regrow(void *table, size_t element, const dq_ope_support *old, uint32_t positions,
                   uint32_t actions)
{
    unsigned char *from, *to = calloc((size_t)positions * actions + 1, element);
    memcpy(&from, table, sizeof from);
    if (!to) return false;
    for (size_t p = 0; from && p < old->positions; p++)
        memcpy(to + p * actions * element, from + p * old->actions * element, old->actions * element);
    free(from);
    memcpy(table, &to, sizeof to);
    return true;
}

dq_status dq_ope_support_grow(dq_ope_support *support, uint32_t positions, uint32_t actions, dq_error *error)
{
    const dq_ope_support old = *support;
    if (positions < old.positions) positions = old.positions;
    if (actions < old.actions) actions = old.actions;
    if (positions == old.positions && actions == old.actions) return DQ_OK;
    if (positions > DQ_OPE_MAX_POSITIONS)
        return dq_fail(error, DQ_ERR_RANGE, "position %u: over %d", positions, DQ_OPE_MAX_POSITIONS);
    const dq_ope_support line = {.positions = 1, .actions = old.positions};
    bool grown = regrow(&support->shown, sizeof *support->shown, &old, positions, actions) &&
                 (!old.keeps_rewards ||
                  regrow(&support->rewards, sizeof *support->rewards, &old, positions, actions)) &&
                 (!old.target ||
                  regrow(&support->target, sizeof *support->target, &old, positions, actions)) &&
                 regrow(&support->rest, sizeof *support->rest, &line, 1, positions) &&
                 regrow(&support->rows, sizeof *support->rows, &line, 1, positions);
    if (!grown) return dq_fail_memory(error, "%u actions at %u positions", actions, positions);
    support->positions = positions;
    support->actions = actions;
    return DQ_OK;
}

void dq_ope_support_free(dq_ope_support *support)
{
    free(support->shown);
    free(support->rewards);
    free(support->target);
    free(support->rest);
    free(support->rows);
    *support = (dq_ope_support){0};
}

/* At least that many, with room for others to come. */
static uint32_t room_for(uint32_t have, uint32_t need)
{
    if (need <= have) return have;
    return need > 2 * have ? need : 2 * have;
}

dq_status dq_ope_support_log(dq_ope_support *support, const dq_ope_row *row, dq_error *error)
{
    dq_ope_support *s = support;
    if (row->item >= s->actions || row->position >= s->positions) {
        uint32_t positions = row->position < s->positions ? s->positions : row->position + 1;
        dq_status status = dq_ope_support_grow(s, positions, room_for(s->actions, row->item + 1), error);
        if (status) return status;
    }
    size_t cell = (size_t)row->position * s->actions + row->item;
    if (s->shown[cell] < UINT32_MAX) s->shown[cell]++;
    if (s->keeps_rewards) s->rewards[cell] += row->reward;
    s->rows[row->position]++;
    return DQ_OK;
}

double dq_ope_support_share(const dq_ope_support *support, uint32_t action, uint32_t position)
{
    uint32_t shown = support->shown[(size_t)position * support->actions + action];
    return (double)shown / (double)support->rows[position];
}

dq_status dq_ope_support_target(dq_ope_support *support, const dq_ope_choice *choice, uint32_t position,
                                dq_error *error)
{
    dq_ope_support *s = support;
    s->rest[position] += choice->rest;
    if (choice->count == 0) return DQ_OK;
    if (!s->target) s->target = calloc((size_t)s->positions * s->actions, sizeof *s->target);
    if (!s->target) return dq_fail_memory(error, "%u actions at %u positions", s->actions, s->positions);
    double *target = s->target + (size_t)position * s->actions;
    for (uint32_t i = 0; i < choice->count; i++)
        target[choice->items ? choice->items[i] : i] += choice->more[i];
    return DQ_OK;
}

double dq_ope_support_unsupported(const dq_ope_support *support)
{
    const dq_ope_support *s = support;
    double never = 0, all = 0;
    for (size_t p = 0; p < s->positions; p++)
        for (size_t a = 0; a < s->actions; a++) {
            double mass = s->rest[p] + (s->target ? s->target[p * s->actions + a] : 0);
            all += mass;
            if (s->shown[p * s->actions + a] == 0) never += mass;
        }
    return all > 0 ? never / all : 0;
}
