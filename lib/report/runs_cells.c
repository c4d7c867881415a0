/* SPDX-License-Identifier: MIT */
#include "report/runs_impl.h"

#include "core/utf8.h"
#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void dq_runs_short_number(const dq_measure_pick *pick, double value, char text[32])
{
    bool count = pick->measure->over == DQ_OVER_SUM;
    (void)snprintf(text, 32, isnan(value) ? "-" : count ? "%.0f" : "%6.4f", value);
}

bool dq_runs_is_number(const dq_measure_pick *pick)
{
    return pick->measure->over != DQ_OVER_NAME && pick->measure->over != DQ_OVER_TEXT;
}

dq_status dq_runs_id_cell(dq_sink *out, const char *id, int bytes, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t n = (size_t)bytes;
    for (size_t i = 0, took; i < n && !status; i += took) {
        char shown[32];
        bool control;
        took = dq_utf8_next(id + i, n - i, &control);
        status = dq_sink_write(out, shown, dq_utf8_show(id + i, took, shown, sizeof shown), error);
    }
    return status;
}

dq_status dq_runs_tsv_start(const dq_run_table *t, size_t run, size_t pick, const char *query, size_t bytes,
                            double value, dq_sink *out, dq_error *error)
{
    char text[32] = "";
    if (!isnan(value)) dq_rows_number(value, text);
    dq_status status = dq_rows_write_text(out, t->runs[run].name, strlen(t->runs[run].name), error);
    if (!status) status = dq_sink_printf(out, error, "\t%s\t", t->picks.at[pick].name);
    if (!status) status = dq_rows_write_text(out, query, bytes, error);
    return status ? status : dq_sink_printf(out, error, "\t%s", text);
}

dq_status dq_runs_tsv_rest(const dq_run_cell *c, const char *group, size_t bytes, dq_sink *out,
                           dq_error *error)
{
    const double numbers[] = {c->against.interval.low,
                              c->against.interval.high,
                              c->against.difference,
                              c->against.difference_interval.low,
                              c->against.difference_interval.high,
                              c->against.p,
                              c->against.p_t};
    dq_status status = DQ_OK;
    for (int i = 0; i < 7 && !status; i++) {
        char text[32] = "";
        if (i < 2 ? c->has_interval : c->has_difference) dq_rows_number(numbers[i], text);
        if (strstr(text, "nan")) text[0] = '\0'; /* a t test of one query */
        status = dq_sink_printf(out, error, "\t%s", text);
    }
    if (!status && group) status = dq_sink_printf(out, error, "\t");
    if (!status && group) status = dq_rows_write_text(out, group, bytes, error);
    return status ? status : dq_sink_printf(out, error, "\n");
}
