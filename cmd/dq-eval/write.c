/* SPDX-License-Identifier: MIT
 *
 * What a mode has found goes out: complete, or not at all.
 */
#include "eval.h"

static dq_status print(const eval_result *result, const eval_options *o, dq_sink *out, dq_error *error)
{
    static const dq_text_form forms[] = {
        [EVAL_TABLE] = DQ_TEXT_TABLE, [EVAL_TSV] = DQ_TEXT_TSV,     [EVAL_JSON] = DQ_TEXT_JSON,
        [EVAL_CSV] = DQ_TEXT_CSV,     [EVAL_LATEX] = DQ_TEXT_LATEX, [EVAL_MARKDOWN] = DQ_TEXT_MARKDOWN};
    dq_text_table table = {.texts = result->texts};
    dq_sink *rows;
    if (result->table) return dq_text_table_write(result->table, forms[o->format], out, error);
    if (o->format < EVAL_CSV && !(o->format == EVAL_JSON && result->no_json))
        return result->print(result->of, o, o->format, out, error);
    dq_status status = dq_text_table_open(&table, &rows, error);
    if (status) return status;
    status = result->print(result->of, o, EVAL_TSV, rows, error);
    if (status)
        dq_sink_abort(rows);
    else
        status = dq_sink_close(rows, error);
    if (!status) status = dq_text_table_write(&table, forms[o->format], out, error);
    dq_text_table_free(&table);
    return status;
}

dq_status eval_write(const eval_result *result, const eval_options *o, dq_error *error)
{
    dq_sink *out = NULL;
    dq_status status = dq_sink_open(&out, o->plot ? o->plot : o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = print(result, o, out, error);
    if (result->close) status = result->close(result->of, status, error);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}
