/* SPDX-License-Identifier: MIT
 *
 * A server's log out of lines, for tests of who reads one: appends to the file that it is told.
 *
 *     shown  REQUEST USER ITEM PLACE PROPENSITY MODEL TIME
 *     answer REQUEST USER ITEM PLACE PROPENSITY MODEL TIME LABEL
 *
 * Lines of one kind that stand together are a section, and so is what a line "." cuts off.
 */
#include "log/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, WORDS = 9 };

static dq_log_row rows[MOST];
static size_t count;
static dq_log_kind kind;

static void fail(const dq_error *error)
{
    (void)fprintf(stderr, "make_log: %s\n", error->reason);
    exit(1);
}

static void put(dq_log_writer *log)
{
    dq_error error = DQ_ERROR_NONE;
    if (count && dq_log_append(log, kind, rows, count, NULL, &error)) fail(&error);
    count = 0;
}

static dq_log_text text(const char *word)
{
    return (dq_log_text){word, word ? strlen(word) : 0};
}

static void take(dq_log_writer *log, char *line)
{
    char *word[WORDS] = {NULL}, *rest;
    size_t n = 0;
    for (char *w = strtok_r(line, " \n", &rest); w && n < WORDS; w = strtok_r(NULL, " \n", &rest))
        word[n++] = w;
    if (n == 1 && strcmp(word[0], ".") == 0) put(log);
    if (n < WORDS - 1) return;
    dq_log_kind is = strcmp(word[0], "answer") == 0 ? DQ_LOG_ANSWERS : DQ_LOG_SHOWN;
    if (is != kind || count == MOST) put(log);
    kind = is;
    rows[count++] = (dq_log_row){.request = text(word[1]),
                                 .user = text(word[2]),
                                 .item = text(word[3]),
                                 .position = (uint32_t)strtoul(word[4], NULL, 10),
                                 .propensity = strtod(word[5], NULL),
                                 .model = text(word[6]),
                                 .time = strtod(word[7], NULL),
                                 .label = text(word[8]),
                                 .reward = NAN};
}

/* So that the same lines make the same bytes. */
static double noon(void)
{
    return 43200;
}

int main(int argc, char **argv)
{
    static const dq_maker maker = {.program = "make_log", .version = "1", .seed = -1};
    const dq_log_config config = {.maker = maker, .now = noon};
    dq_error error = DQ_ERROR_NONE;
    dq_log_writer *log;
    char line[1024];
    if (argc != 2) return 2;
    if (dq_log_writer_open(&log, argv[1], &config, &error)) fail(&error);
    while (fgets(line, sizeof line, stdin)) {
        char *kept = strdup(line); /* the first word is the line's beginning, the request behind it */
        if (!kept) return 1;
        take(log, kept);
    }
    put(log);
    if (dq_log_writer_close(log, &error)) fail(&error);
    return 0;
}
