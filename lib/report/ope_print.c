/* SPDX-License-Identifier: MIT */
#include "report/ope_print.h"

#include "port/files/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The numbers of a line, by name. */
enum { COLUMNS = 10 };
static const char *const names[COLUMNS] = {
    "value",      "se",          "lower",           "upper",           "ess",
    "max_weight", "unsupported", "bernstein_lower", "bernstein_upper", "bound"};

static void numbers_of(const dq_ope_estimate *e, double unsupported, double numbers[COLUMNS])
{
    const double all[COLUMNS] = {e->value,   e->se,       e->bootstrap.low, e->bootstrap.high, e->ess,
                                 e->largest, unsupported, e->bernstein.low, e->bernstein.high, e->bound};
    memcpy(numbers, all, sizeof all);
}

static dq_status print_json(const char *name, const double *numbers, dq_sink *out, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value line = dq_map();
    bool made = dq_map_set(&arena, &line, "estimator", dq_string(&arena, name));
    for (size_t i = 0; i < COLUMNS; i++)
        made = made && dq_map_set(&arena, &line, names[i], dq_real_or_nil(numbers[i]));
    dq_status status = made ? dq_rows_write_json(out, &line, error) : dq_fail_memory(error, "a line");
    dq_arena_free(&arena);
    return status;
}

static dq_status print_tsv(const char *name, const double *numbers, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%s", name);
    for (size_t i = 0; i < COLUMNS && !status; i++) {
        char text[32] = "";
        if (!isnan(numbers[i])) dq_rows_number(numbers[i], text);
        status = dq_sink_printf(out, error, "\t%s", text);
    }
    return status ? status : dq_sink_printf(out, error, "\n");
}

static int width_of(size_t column)
{
    enum { LEAST = 9 };
    size_t bytes = strlen(names[column]);
    return bytes > LEAST ? (int)bytes : LEAST;
}

static dq_status print_row(const char *name, const double *numbers, dq_sink *out, dq_error *error)
{
    dq_status status = dq_sink_printf(out, error, "%-16s", name);
    for (size_t i = 0; i < COLUMNS && !status; i++) {
        char text[32] = "-";
        if (!isnan(numbers[i])) (void)snprintf(text, sizeof text, "%.6g", numbers[i]);
        status = dq_sink_printf(out, error, "  %*s", width_of(i), text);
    }
    return status ? status : dq_sink_printf(out, error, "\n");
}

static dq_status print_head(dq_ope_format format, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    if (format == DQ_OPE_JSON) return DQ_OK;
    status = dq_sink_printf(out, error, format == DQ_OPE_TSV ? "%s" : "%-16s", "estimator");
    for (size_t i = 0; i < COLUMNS && !status; i++)
        status = format == DQ_OPE_TSV ? dq_sink_printf(out, error, "\t%s", names[i])
                                      : dq_sink_printf(out, error, "  %*s", width_of(i), names[i]);
    return status ? status : dq_sink_printf(out, error, "\n");
}

dq_status dq_ope_print(const dq_ope_estimate *estimates, size_t count, double unsupported,
                       dq_ope_format format, dq_sink *out, dq_error *error)
{
    dq_status status = print_head(format, out, error);
    for (size_t i = 0; i < count && !status; i++) {
        double numbers[COLUMNS];
        numbers_of(&estimates[i], unsupported, numbers);
        if (format == DQ_OPE_JSON)
            status = print_json(estimates[i].name, numbers, out, error);
        else if (format == DQ_OPE_TSV)
            status = print_tsv(estimates[i].name, numbers, out, error);
        else
            status = print_row(estimates[i].name, numbers, out, error);
    }
    return status;
}
