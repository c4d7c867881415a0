/* SPDX-License-Identifier: MIT
 *
 * The files of a command line. No two outputs are one file: the last one closed would be all that is left.
 * Options that write to the file they name have DQ_OPT_WRITES, those that read it DQ_OPT_READS; stdout counts
 * where --output does not stand in for it.
 */
#include "cli/option/option.h"

#include "wire/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_OUTPUTS = 16 };

/* A file that is written, or read: by device and inode where it is there, else by its path behind all links.
 */
typedef struct place {
    char words[64];   /* "--log", "stdout" */
    const char *name; /* as it was given; NULL: stdout */
    bool there;
    struct stat st;
    char *path; /* of one that is not there; NULL: it can be told neither way */
} place;

static place place_of(const dq_cli *cli, const dq_option *option, const char *name)
{
    place p = {.name = name};
    (void)snprintf(p.words, sizeof p.words, "%s%s", option ? "--" : "stdout", option ? option->name : "");
    p.there = (name ? stat(name, &p.st) : fstat(STDOUT_FILENO, &p.st)) == 0;
    if (!p.there && name) p.path = dq_path_resolve(name);
    if (!p.there && name && !p.path && errno == ENOMEM) dq_cli_short_of_memory(cli);
    return p;
}

/* Terminals and /dev/null take from any number of writers. */
static bool same(const place *a, const place *b)
{
    if (a->there != b->there) return false;
    if (!a->there) return a->path && b->path && strcmp(a->path, b->path) == 0;
    return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino && !S_ISCHR(a->st.st_mode);
}

static void check_pair(const dq_cli *cli, const place *a, const place *b)
{
    if (!same(a, b)) return;
    dq_cli_usage(cli, "%s and %s are one file: %s", a->words, b->words, b->name ? b->name : a->name);
}

/* What --output replaces is complete before it goes: a program may read it. Others write where they stand. */
static void check_operands(const dq_cli *cli, const place *output)
{
    for (size_t i = 0; i < cli->operand_count; i++) {
        place input = place_of(cli, NULL, cli->operands[i]);
        if (same(output, &input))
            dq_cli_usage(cli, "%s would overwrite the input %s", output->words, cli->operands[i]);
        free(input.path);
    }
    place input = {.there = fstat(STDIN_FILENO, &input.st) == 0};
    if (input.there && same(output, &input))
        dq_cli_usage(cli, "%s would overwrite the input, stdin", output->words);
}

static void check_input(const dq_cli *cli, const place *output, const dq_option *option, const char *name)
{
    place input = place_of(cli, option, name);
    if (same(output, &input))
        dq_cli_usage(cli, "%s would overwrite the input of %s, %s", output->words, input.words, name);
    free(input.path);
}

/* The files that an option names, to be read: a list's, or the one of a text; none where it is not given. */
typedef struct values {
    const char *const *at;
    size_t count;
} values;

static values values_of(const dq_option *option)
{
    if (option->type == DQ_OPT_LIST) {
        const dq_texts *list = option->target;
        return (values){list->at, list->count};
    }
    const char *const *text = option->target;
    return (values){text, *text ? 1 : 0};
}

static void check_read(const dq_cli *cli, const place *output)
{
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!(o->flags & DQ_OPT_READS)) continue;
        const values names = values_of(o);
        for (size_t i = 0; i < names.count; i++) check_input(cli, output, o, names.at[i]);
    }
}

/* The file that an option writes to; for an --output that is not there, or "-", stdout. False: none. */
static bool find_output(const dq_cli *cli, const dq_option *o, place *found)
{
    if (!(o->flags & DQ_OPT_WRITES)) return false;
    const char *name = *(const char *const *)o->target;
    bool standard = strcmp(o->name, "output") == 0 && (!name || strcmp(name, "-") == 0);
    if (!standard && !name) return false;
    *found = standard ? place_of(cli, NULL, NULL) : place_of(cli, o, name);
    return true;
}

void dq_cli_check_outputs(const dq_cli *cli)
{
    place outputs[MAX_OUTPUTS];
    size_t n = 0;
    for (const dq_option *o = cli->table; o->name && n < MAX_OUTPUTS; o++) {
        if (!find_output(cli, o, &outputs[n])) continue;
        for (size_t i = 0; i < n; i++) check_pair(cli, &outputs[i], &outputs[n]);
        if (strcmp(o->name, "output") != 0) {
            check_operands(cli, &outputs[n]);
            check_read(cli, &outputs[n]);
        }
        n++;
    }
    for (size_t i = 0; i < n; i++) free(outputs[i].path);
}

/* ---- what is read ---- */

static void add_input(const dq_cli *cli, dq_cli_file_of file_of, const char *option, const char *value,
                      dq_cli_files *files)
{
    const char *path = file_of(cli, option, value);
    for (size_t i = 0; path && i < files->count; i++)
        if (strcmp(files->at[i], path) == 0) return; /* a catalogue that is the log, too */
    if (path) files->at[files->count++] = path;
}

static size_t count_values(const dq_cli *cli)
{
    size_t n = cli->operand_count + 1;
    for (const dq_option *o = cli->table; o->name; o++)
        if (o->flags & DQ_OPT_READS) n += values_of(o).count;
    return n;
}

dq_cli_files dq_cli_inputs(dq_cli *cli, dq_cli_file_of file_of)
{
    dq_cli_files files = {.at = dq_arena_zero(&cli->arena, count_values(cli), sizeof *files.at)};
    if (!files.at) dq_cli_short_of_memory(cli);
    for (size_t i = 0; i < cli->operand_count; i++) add_input(cli, file_of, NULL, cli->operands[i], &files);
    if (!cli->operand_count) add_input(cli, file_of, NULL, "-", &files);
    for (const dq_option *o = cli->table; o->name; o++) {
        if (!(o->flags & DQ_OPT_READS) || !dq_option_in(o, cli->mode)) continue;
        const values names = values_of(o);
        for (size_t i = 0; i < names.count; i++) add_input(cli, file_of, o->name, names.at[i], &files);
    }
    return files;
}

void dq_cli_check_stdin(const dq_cli *cli, const char *option)
{
    const char *value = *(const char *const *)dq_option_of(cli, option)->target;
    bool read = cli->operand_count == 0;
    for (size_t i = 0; i < cli->operand_count; i++) read = read || strcmp(cli->operands[i], "-") == 0;
    if (value && strcmp(value, "-") == 0 && read) dq_cli_usage(cli, "--%s -: stdin is the input", option);
}

static dq_status copy_stdin(int to, dq_error *error)
{
    char buffer[65536];
    for (;;) {
        ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dq_fail_errno(error, errno, "cannot read stdin");
        if (n == 0) return DQ_OK;
        for (ssize_t at = 0, put; at<n; at += put> 0 ? put : 0) {
            put = write(to, buffer + at, (size_t)(n - at));
            if (put < 0 && errno != EINTR) return dq_fail_errno(error, errno, "cannot keep stdin");
        }
    }
}

dq_status dq_cli_keep_stdin(int64_t *start, dq_error *error)
{
    dq_source *source; /* what no source is read from is not kept either: a terminal */
    dq_status status = dq_source_open(&source, "-", error);
    dq_source_close(source);
    if (status) return status;
    *start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (*start >= 0) return DQ_OK;
    *start = 0;
    FILE *kept = tmpfile();
    if (!kept) return dq_fail_errno(error, errno, "cannot keep stdin");
    status = copy_stdin(fileno(kept), error);
    if (!status && (lseek(fileno(kept), 0, SEEK_SET) < 0 || dup2(fileno(kept), STDIN_FILENO) < 0))
        status = dq_fail_errno(error, errno, "cannot keep stdin");
    (void)fclose(kept);
    return status;
}
