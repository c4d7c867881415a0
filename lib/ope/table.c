/* SPDX-License-Identifier: MIT */
#include "ope/table.h"

#include <stdlib.h>

dq_status dq_ope_table_fit(dq_ope_table *table, const dq_ope_support *support, dq_error *error)
{
    size_t cells = (size_t)support->positions * support->actions;
    *table = (dq_ope_table){.positions = support->positions,
                            .actions = support->actions,
                            .q = calloc(cells + 1, sizeof *table->q),
                            .sum = calloc(support->positions + 1, sizeof *table->sum)};
    dq_status status = table->q && table->sum ? DQ_OK : dq_fail_memory(error, "a table of rewards");
    for (size_t i = 0; i < cells && !status; i++) {
        double shown = (double)support->shown[i], rewards = support->rewards[i];
        if (!(rewards >= 0 && rewards <= shown))
            status = dq_fail(error, DQ_ERR_RANGE, "the table of rewards wants rewards in [0, 1]");
        table->q[i] = (rewards + 1) / (shown + 2);
        table->sum[i / support->actions] += table->q[i];
    }
    if (status) dq_ope_table_free(table);
    return status;
}

void dq_ope_table_apply(const dq_ope_table *table, dq_ope_row *rows, size_t n)
{
    for (dq_ope_row *row = rows; row < rows + n; row++) {
        const double *q = table->q + (size_t)row->position * table->actions;
        const dq_ope_choice *c = &row->choice;
        row->q = q[row->item];
        row->q_target = c->rest * table->sum[row->position];
        for (uint32_t i = 0; i < c->count; i++) row->q_target += c->more[i] * q[c->items ? c->items[i] : i];
    }
}

void dq_ope_table_free(dq_ope_table *table)
{
    free(table->q);
    free(table->sum);
    *table = (dq_ope_table){0};
}
