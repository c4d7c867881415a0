/* SPDX-License-Identifier: MIT
 *
 * The file of a person's answers. It is opened, an answer is kept and one taken back; opened again, the file
 * says the same.
 */
#include "fuzz.h"

#include "label/answer_log.h"

#include <stdio.h>
#include <string.h>

static dq_answer_log *open_log(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_answer_log *log;
    if (!dq_answer_log_open(&log, path, &e)) return log;
    fuzz_failed(&e);
    dq_answer_log_close(log);
    return NULL;
}

static bool says(const dq_answer_log *log, const char *item, const char *label)
{
    const char *found = dq_answer_log_find(log, "u\n", 2, item, strlen(item));
    return label ? found && strcmp(found, label) == 0 : !found;
}

static void read_log(const uint8_t *data, size_t n)
{
    char path[300];
    dq_error e = DQ_ERROR_NONE;
    (void)snprintf(path, sizeof path, "%s/answers.jsonl", fuzz_folder());
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f)) fuzz_fail("no file");
    dq_answer_log *log = open_log(path);
    if (!log) return;
    if (dq_answer_log_keep(log, "u\n", 2, "kept", 4, "SAVE", &e) ||
        dq_answer_log_keep(log, "u\n", 2, "taken", 5, "APPLY", &e) ||
        dq_answer_log_keep(log, "u\n", 2, "taken", 5, NULL, &e))
        fuzz_fail("%s", e.reason);
    if (!says(log, "kept", "SAVE") || !says(log, "taken", NULL)) fuzz_fail("an answer that was not kept");
    dq_answer_log_close(log);
    log = open_log(path);
    if (!log) fuzz_fail("it does not open again");
    if (!says(log, "kept", "SAVE") || !says(log, "taken", NULL))
        fuzz_fail("an answer that is not in the file");
    dq_answer_log_close(log);
}

/* Of a compressed file zstd takes the window that it claims, 128 MiB at most. */
const fuzz_target fuzz_it = {.read = read_log, .memory = 130 << 20, .per_byte = 1000};
