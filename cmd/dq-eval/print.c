/* SPDX-License-Identifier: MIT */
#include "eval.h"

#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

dq_status eval_tsv_line(dq_sink *out, const char *model, const char *measure, size_t bytes, size_t at,
                        double value, dq_error *error)
{
    char text[32], where[24] = "all";
    if (isnan(value)) return DQ_OK;
    dq_rows_number(value, text);
    if (at) (void)snprintf(where, sizeof where, "%zu", at);
    dq_status status = dq_rows_write_text(out, model, strlen(model), error);
    if (!status) status = dq_sink_printf(out, error, "\t");
    if (!status) status = dq_rows_write_text(out, measure, bytes, error);
    return status ? status : dq_sink_printf(out, error, "\t%s\t%s\n", where, text);
}
