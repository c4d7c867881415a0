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

/* ---- several targets ---- */

static dq_status list_target(const dq_ope_judged *j, dq_sink *out, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; i < j->study->config.picks->count && !status; i++) {
        double numbers[COLUMNS];
        numbers_of(&j->estimates[i], j->study->unsupported, numbers);
        status = dq_rows_write_text(out, j->target, strlen(j->target), error);
        if (!status) status = dq_sink_printf(out, error, "\t");
        if (!status) status = print_tsv(j->estimates[i].name, numbers, out, error);
    }
    return status;
}

dq_status dq_ope_list_targets(const dq_ope_judged *judged, size_t count, dq_text_table *table,
                              dq_error *error)
{
    dq_sink *out;
    table->texts = 2;
    dq_status status = dq_text_table_open(table, &out, error);
    if (status) return status;
    status = dq_sink_printf(out, error, "target\t");
    if (!status) status = print_head(DQ_OPE_TSV, out, error);
    for (size_t i = 0; i < count && !status; i++) status = list_target(&judged[i], out, error);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}

dq_status dq_ope_compare_targets(const dq_ope_judged *judged, size_t count, const dq_compare_options *options,
                                 dq_compared *compared, dq_error *error)
{
    const dq_ope_study *first = judged->study;
    const char *targets[DQ_OPE_MAX_TARGETS], *estimators[DQ_OPE_MAX_PICKS];
    bool sums[DQ_OPE_MAX_PICKS];
    const dq_compared_names found = {targets, estimators, sums};
    dq_ope_paired paired = {.count = count, .picks = first->config.picks};
    if (count > DQ_OPE_MAX_TARGETS)
        return dq_fail(error, DQ_ERR_RANGE, "more than %d targets", DQ_OPE_MAX_TARGETS);
    for (size_t i = 0; i < count; i++) {
        const dq_ope_study *study = judged[i].study;
        targets[i] = judged[i].target;
        paired.evaluations[i] = study->evaluation;
        if (study->weights.rows != first->weights.rows || study->left != first->left)
            return dq_fail(
                error, DQ_ERR_RANGE,
                "no pairs: %s is judged on %llu rows, %s on %llu, which are others, as users lack a list",
                targets[0], (unsigned long long)first->weights.rows, targets[i],
                (unsigned long long)study->weights.rows);
    }
    for (size_t p = 0; p < paired.picks->count; p++) {
        estimators[p] = paired.picks->at[p].name;
        sums[p] = dq_ope_evaluation_sums(first->evaluation, p);
    }
    dq_status status = dq_ope_paired_find(&paired, error);
    const dq_run_values values = dq_ope_paired_values(&paired);
    if (!status) status = dq_compared_values(&values, &found, options, compared, error);
    dq_ope_paired_free(&paired);
    return status;
}
