/* SPDX-License-Identifier: MIT */
#include "cli/page.h"

#include "cli/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *maker_of(const dq_cli *cli, char words[64])
{
    (void)snprintf(words, 64, "%s %s", cli->program->name, DQ_VERSION);
    return words;
}

/* ---- which files ---- */

static void add(dq_cli_page *page, dq_cli_file_of file_of, const char *option, const char *value)
{
    const char *path = file_of(page->cli, option, value);
    for (size_t i = 0; path && i < page->count; i++)
        if (strcmp(page->paths[i], path) == 0) return; /* a stream of items that is also a log */
    if (path) page->paths[page->count++] = path;
}

static void add_option(dq_cli_page *page, dq_cli_file_of file_of, const dq_option *o)
{
    const dq_texts *list = o->type == DQ_OPT_LIST ? o->target : NULL;
    const char *value = list ? NULL : *(const char *const *)o->target;
    if (value) add(page, file_of, o->name, value);
    for (size_t i = 0; list && i < list->count; i++) add(page, file_of, o->name, list->at[i]);
}

static size_t most_files(const dq_cli *cli)
{
    size_t n = cli->operand_count + 1;
    for (const dq_option *o = cli->table; o->name; o++)
        if (o->flags & DQ_OPT_READS) n += o->type == DQ_OPT_LIST ? ((const dq_texts *)o->target)->count : 1;
    return n;
}

static dq_status list_files(dq_cli_page *page, dq_cli_file_of file_of, dq_error *error)
{
    const dq_cli *cli = page->cli;
    page->paths = calloc(most_files(cli), sizeof *page->paths);
    if (!page->paths) return dq_fail_memory(error, "a page");
    for (size_t i = 0; i < cli->operand_count; i++) add(page, file_of, NULL, cli->operands[i]);
    if (!cli->operand_count) add(page, file_of, NULL, "-");
    for (const dq_option *o = cli->table; o->name; o++)
        if (o->flags & DQ_OPT_READS && dq_option_in(o, cli->mode)) add_option(page, file_of, o);
    return DQ_OK;
}

/* ---- stdin ---- */

static dq_status copy_stdin(int to, dq_error *error)
{
    char buffer[65536];
    for (;;) {
        ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dq_fail_errno(error, errno, "cannot read stdin");
        if (n == 0) return DQ_OK;
        for (ssize_t at = 0, put; at < n; at += put) {
            put = write(to, buffer + at, (size_t)(n - at));
            if (put < 0 && errno != EINTR)
                return dq_fail_errno(error, errno, "cannot keep stdin for the report");
            if (put < 0) put = 0;
        }
    }
}

/* A pipe becomes a file that has no name. */
static dq_status keep_stdin(dq_cli_page *page, dq_error *error)
{
    page->start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (page->start >= 0) return DQ_OK;
    page->start = 0;
    FILE *kept = tmpfile();
    if (!kept) return dq_fail_errno(error, errno, "cannot keep stdin for the report");
    dq_status status = copy_stdin(fileno(kept), error);
    if (!status && (lseek(fileno(kept), 0, SEEK_SET) < 0 || dup2(fileno(kept), STDIN_FILENO) < 0))
        status = dq_fail_errno(error, errno, "cannot keep stdin for the report");
    (void)fclose(kept);
    return status;
}

static bool reads_stdin(const dq_cli_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        if (strcmp(page->paths[i], "-") == 0) return true;
    return false;
}

/* ---- all ---- */

dq_status dq_cli_page_open(dq_cli_page *page, dq_cli *cli, dq_cli_file_of file_of, dq_error *error)
{
    *page = (dq_cli_page){.cli = cli};
    cli->said = &page->said;
    dq_status status = list_files(page, file_of, error);
    return status || !reads_stdin(page) ? status : keep_stdin(page, error);
}

static dq_status read_inputs(dq_cli_page *page, dq_error *error)
{
    dq_status status = DQ_OK;
    page->inputs = calloc(page->count + 1, sizeof *page->inputs);
    if (!page->inputs) return dq_fail_memory(error, "a page");
    if (reads_stdin(page) && lseek(STDIN_FILENO, page->start, SEEK_SET) < 0)
        return dq_fail_errno(error, errno, "cannot read stdin again");
    for (size_t i = 0; i < page->count && !status; i++)
        status = dq_page_input_read(&page->inputs[i], page->paths[i], error);
    return status;
}

dq_status dq_cli_page_write(dq_cli_page *page, const char *path, const char *title, dq_page_report *report,
                            dq_sink **out, dq_error *error)
{
    char maker[64];
    dq_page pages = DQ_PAGE_EMPTY;
    dq_status status = read_inputs(page, error);
    report->maker = maker_of(page->cli, maker);
    report->words = page->cli->words;
    report->word_count = page->cli->word_count;
    report->inputs = page->inputs;
    report->input_count = page->count;
    report->notes = &page->said;
    if (title) report->title = title;
    if (!status) status = dq_page_add_report(&pages, report, error);
    if (!status) status = dq_sink_open(out, path, DQ_SINK_TEXT, error);
    if (!status) status = dq_page_write(&pages, NULL, maker, *out, error);
    dq_page_free(&pages);
    return status;
}

void dq_cli_page_free(dq_cli_page *page)
{
    for (size_t i = 0; page->inputs && i < page->count; i++) dq_page_input_free(&page->inputs[i]);
    free(page->inputs);
    free(page->paths);
    dq_json_text_free(&page->said);
    if (page->cli) page->cli->said = NULL;
}

dq_status dq_cli_page_join(const dq_cli *cli, const char *path, const char *title, dq_error *error)
{
    char maker[64];
    dq_page page = DQ_PAGE_EMPTY;
    dq_sink *out = NULL;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < cli->operand_count && !status; i++)
        status = dq_page_add_file(&page, cli->operands[i], error);
    if (!status) status = dq_sink_open(&out, path, DQ_SINK_TEXT, error);
    if (!status) status = dq_page_write(&page, title, maker_of(cli, maker), out, error);
    dq_page_free(&page);
    if (!status) return dq_sink_close(out, error);
    dq_sink_abort(out);
    return status;
}
