/* SPDX-License-Identifier: MIT
 *
 * What a mode has found goes out, as text, as a picture, as a page: each complete, or not at all.
 */
#include "eval.h"

#include "cli/terminal/picture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char maker[] = "dq-eval " DQ_VERSION;

/* ---- pages ---- */

dq_status eval_begin_report(eval_options *o, dq_cli *cli, dq_cli_file_of file_of, dq_page_run *run,
                            dq_json_text *said, dq_error *error)
{
    const dq_cli_files inputs = dq_cli_inputs(cli, file_of);
    *run = (dq_page_run){maker, cli->words, cli->word_count, inputs.at, inputs.count, said};
    o->run = run;
    o->start = -1;
    cli->said = said;
    for (size_t i = 0; i < inputs.count; i++)
        if (strcmp(inputs.at[i], "-") == 0) return dq_cli_keep_stdin(&o->start, error);
    return DQ_OK;
}

static dq_status write_page(const dq_page *page, const eval_options *o, const char *title, dq_sink **out,
                            dq_error *error)
{
    dq_status status = dq_sink_open(out, o->report, DQ_SINK_TEXT, error);
    return status ? status : dq_page_write(page, title, maker, *out, error);
}

dq_status eval_join_pages(const eval_options *o, const dq_cli *cli, dq_error *error)
{
    dq_page page = DQ_PAGE_EMPTY;
    dq_sink *out = NULL;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < cli->operand_count && !status; i++)
        status = dq_page_add_file(&page, cli->operands[i], error);
    if (!status) status = write_page(&page, o, o->title, &out, error);
    dq_page_free(&page);
    return dq_cli_close(out, status, error);
}

static dq_status collect_rows(const eval_result *result, const eval_options *o, dq_text_table *table,
                              dq_error *error)
{
    dq_sink *rows = NULL;
    dq_status status = dq_text_table_open(table, &rows, error);
    if (!status) status = result->print(result->of, o, EVAL_TSV, rows, error);
    return dq_cli_close(rows, status, error);
}

static dq_status report(const eval_result *result, const eval_options *o, const dq_figure *figure,
                        dq_sink **out, dq_error *error)
{
    dq_text_table own = {0};
    const dq_text_table *table = result->table ? result->table : result->print ? &own : NULL;
    dq_page page = DQ_PAGE_EMPTY;
    dq_figure untitled = *figure; /* the page has the title */
    untitled.title = NULL;
    dq_status status = table == &own ? collect_rows(result, o, &own, error) : DQ_OK;
    const dq_page_report part = {.title = o->title ? o->title : result->title,
                                 .run = o->run,
                                 .view = result->table ? DQ_PAGE_PLAIN : result->view,
                                 .caption = result->caption,
                                 .table = table ? table->data : NULL,
                                 .table_bytes = table ? table->bytes : 0,
                                 .confidence = o->confidence,
                                 .figure = &untitled};
    if (!status && o->start >= 0 && lseek(STDIN_FILENO, o->start, SEEK_SET) < 0)
        status = dq_fail_errno(error, errno, "cannot read stdin again");
    if (!status) status = dq_page_add_report(&page, &part, error);
    if (!status) status = write_page(&page, o, NULL, out, error);
    dq_text_table_free(&own);
    dq_page_free(&page);
    return status;
}

static dq_status print(const eval_result *result, const eval_options *o, dq_sink *out, dq_error *error)
{
    static const dq_text_form forms[] = {
        [EVAL_TABLE] = DQ_TEXT_TABLE, [EVAL_TSV] = DQ_TEXT_TSV,     [EVAL_JSON] = DQ_TEXT_JSON,
        [EVAL_CSV] = DQ_TEXT_CSV,     [EVAL_LATEX] = DQ_TEXT_LATEX, [EVAL_MARKDOWN] = DQ_TEXT_MARKDOWN};
    dq_text_table table = {.texts = result->texts};
    if (result->table) return dq_text_table_write(result->table, forms[o->format], out, error);
    if (o->format < EVAL_CSV && !(o->format == EVAL_JSON && result->no_json))
        return result->print(result->of, o, o->format, out, error);
    dq_status status = collect_rows(result, o, &table, error);
    if (!status) status = dq_text_table_write(&table, forms[o->format], out, error);
    dq_text_table_free(&table);
    return status;
}

/* ---- all ---- */

/* The picture, where one is wanted; a report goes without, where there is no number to draw. */
static dq_status make_figure(const eval_result *result, const eval_options *o, const dq_cli *cli,
                             dq_figure *figure, dq_error *error)
{
    bool draws = o->plot || result->drawn;
    if (!result->figure || !(draws || o->run)) return DQ_OK;
    dq_status status = result->figure(result->of, o, figure, error);
    if (draws) figure->title = o->title;
    if (!status) dq_cli_drop_constant(cli, &o->common, figure);
    return status == DQ_ERR_SCHEMA && !draws ? DQ_OK : status;
}

dq_status eval_write(const eval_result *result, const eval_options *o, const dq_cli *cli, dq_error *error)
{
    dq_sink *out = NULL, *page = NULL;
    dq_figure figure = DQ_FIGURE_EMPTY;
    dq_status status = make_figure(result, o, cli, &figure, error);
    if (!status && !result->drawn) status = dq_sink_open(&out, o->common.output, DQ_SINK_TEXT, error);
    if (!status && !result->drawn) status = print(result, o, out, error);
    if (!status && o->run) status = report(result, o, &figure, &page, error);
    if (result->close) status = result->close(result->of, status, error);
    if (out) status = dq_cli_close(out, status, error);
    if (o->plot || result->drawn) status = dq_cli_draw(cli, &o->common, status, &figure, o->plot, error);
    dq_figure_free(&figure);
    return page ? dq_cli_close(page, status, error) : status;
}
