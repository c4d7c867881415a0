/* SPDX-License-Identifier: MIT
 *
 * What a mode has found goes out, as text and as a page: each complete, or not at all.
 */
#include "eval.h"

static dq_status collect_table(const eval_result *result, const eval_options *o, dq_json_text *table,
                               dq_error *error)
{
    dq_sink *sink = NULL;
    dq_status status = dq_page_collect(&sink, table, error);
    if (!status) status = result->print(result->of, o, EVAL_TSV, sink, error);
    if (!status) return dq_sink_close(sink, error);
    dq_sink_abort(sink);
    return status;
}

static dq_status write_page(const eval_result *result, const eval_options *o, dq_sink **out, dq_error *error)
{
    dq_json_text table = DQ_JSON_TEXT_EMPTY;
    dq_page_report report = {.title = result->title,
                             .caption = result->caption,
                             .view = result->view,
                             .table = &table,
                             .confidence = o->confidence};
    dq_status status = collect_table(result, o, &table, error);
    if (!status) status = dq_cli_page_write(o->page, o->report, o->title, &report, out, error);
    dq_json_text_free(&table);
    return status;
}

dq_status eval_write(const eval_result *result, const eval_options *o, dq_error *error)
{
    dq_sink *out = NULL, *page = NULL;
    dq_status status = dq_sink_open(&out, o->plot ? o->plot : o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = result->print(result->of, o, o->format, out, error);
    if (!status && o->page) status = write_page(result, o, &page, error);
    if (result->close) status = result->close(result->of, status, error);
    if (!status) {
        status = dq_sink_close(out, error);
        out = NULL;
    }
    if (!status && page) return dq_sink_close(page, error);
    dq_sink_abort(out);
    dq_sink_abort(page);
    return status;
}
