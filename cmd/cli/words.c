/* SPDX-License-Identifier: MIT
 *
 * What a program says on stderr: usage errors, failures, warnings and summaries.
 */
#include "cli/cli.h"

#include "cli/terminal/line.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* end: what follows the words as it is. */
static void say(const dq_program *program, const char *end, const char *format, va_list args)
{
    char words[1024], text[2 * sizeof words], line[sizeof text + 180];
    (void)vsnprintf(words, sizeof words, format, args);
    (void)dq_utf8_show(words, strlen(words), text, sizeof text);
    (void)snprintf(line, sizeof line, "%.60s: %s%.100s\n", program->name, text, end);
    dq_line_say(line);
}

/* " (try dq-train --help offline)": of the mode, once that is known. */
static void usage_end(const dq_cli *cli, char *to, size_t size)
{
    const dq_mode *m = cli->mode ? cli->program->modes : NULL;
    while (m && m->name && m->bit != cli->mode) m++;
    bool one = m && m->name;
    (void)snprintf(to, size, " (try %s --help%s%s)", cli->program->name, one ? " " : "", one ? m->name : "");
}

void dq_cli_usage(const dq_cli *cli, const char *format, ...)
{
    va_list args;
    char end[96];
    usage_end(cli, end, sizeof end);
    dq_line_clear();
    va_start(args, format);
    say(cli->program, end, format, args);
    va_end(args);
    exit(DQ_EXIT_USAGE);
}

/* say() with its arguments. */
static void say_words(const dq_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cli->program, "", format, args);
    va_end(args);
}

void dq_cli_shard(const dq_cli *cli, const char *text, dq_shard *shard)
{
    dq_error why = DQ_ERROR_NONE;
    if (text && dq_shard_parse(shard, text, &why)) dq_cli_refuse(cli, "--shard", &why);
}

void dq_cli_refuse(const dq_cli *cli, const char *option, const dq_error *why)
{
    dq_line_clear();
    bool machine = why->status == DQ_ERR_MEMORY || why->status == DQ_ERR_IO;
    const char *who = option ? option : "", *colon = option ? ": " : "";
    if (!machine) dq_cli_usage(cli, "%s%s%s", who, colon, why->reason);
    say_words(cli, "%s%s%s", who, colon, why->reason);
    exit(DQ_EXIT_FAILED);
}

void dq_cli_short_of_memory(const dq_cli *cli)
{
    dq_line_clear();
    say_words(cli, "out of memory");
    exit(DQ_EXIT_FAILED);
}

void dq_cli_report(const dq_cli *cli, const dq_error *error)
{
    const char *reason = error->reason[0] ? error->reason : dq_status_word(error->status);
    char record[48] = "", end[96] = "", line[1024];
    if (error->record != DQ_NO_RECORD)
        (void)snprintf(record, sizeof record, "record %llu: ", (unsigned long long)error->record);
    if (error->status == DQ_ERR_TERMINAL) usage_end(cli, end, sizeof end);
    (void)snprintf(line, sizeof line, "%.60s: %s%s%s%s%s\n", cli->program->name, error->source,
                   error->source[0] ? ": " : "", record, reason, end);
    dq_line_clear();
    dq_line_say(line);
}

static void keep(const dq_cli *cli, const char *format, va_list args)
{
    char words[1024];
    (void)vsnprintf(words, sizeof words, format, args);
    if (dq_json_write_raw(cli->said, words, strlen(words) + 1, NULL)) dq_cli_short_of_memory(cli);
}

void dq_cli_say(const dq_cli *cli, const dq_common *common, const char *format, ...)
{
    va_list args;
    if (cli->said) {
        va_start(args, format);
        keep(cli, format, args);
        va_end(args);
    }
    if (common->quiet) return;
    va_start(args, format);
    say(cli->program, "", format, args);
    va_end(args);
}

void dq_cli_say_kept(const dq_cli *cli, const dq_common *common, const char *path, const dq_kept *kept)
{
    if (kept->passed)
        dq_cli_say(cli, common,
                   "%s: of the best model and the last one the best is taken (the other: dq-cat --kept last)",
                   path ? path : "the input");
}
