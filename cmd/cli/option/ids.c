/* SPDX-License-Identifier: MIT
 *
 * Ids of the users or items of a stream, for completion.
 */
#include "cli/option/completion.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

enum { MOST_IDS = 200, SECONDS = 1 };

static bool is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* What a shell can show, and a person can type. */
static bool is_plain(const char *id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)id[i] <= ' ' || id[i] == 127) return false;
    return n > 0 && n < 256;
}

static size_t put_ids(const dq_bundle *bundle, const char *text, size_t most,
                      void (*put)(const char *id, const char *note))
{
    const dq_column *ids = dq_bundle_column(bundle, "id");
    size_t n = strlen(text), found = 0;
    for (uint64_t r = 0; ids && r < bundle->rows && found < most; r++) {
        char word[256];
        size_t bytes;
        const char *id = dq_column_text(ids, r, &bytes);
        if (!id || !is_plain(id, bytes) || bytes < n || memcmp(id, text, n) != 0) continue;
        (void)snprintf(word, sizeof word, "%.*s", (int)bytes, id);
        put(word, NULL);
        found++;
    }
    return found;
}

void dq_completion_ids(const char *const *paths, size_t count, const char *kind, const char *text,
                       void (*put)(const char *id, const char *note))
{
    /* Ends us: what was put by then is what the shell has. Of the processor's time, not the clock's, so that
     * a busy machine completes, too. */
    const struct itimerval limit = {.it_value = {.tv_sec = SECONDS}};
    (void)setitimer(ITIMER_PROF, &limit, NULL);
    for (size_t i = 0, found = 0; i < count && found < MOST_IDS; i++) {
        dq_error error = DQ_ERROR_NONE;
        dq_reader *in = NULL;
        dq_bundle bundle;
        if (!is_regular(paths[i]) || dq_reader_open(&in, &paths[i], 1, &error)) continue;
        while (found < MOST_IDS && dq_reader_next(in, &bundle, &error) > 0) {
            if (strcmp(bundle.kind, kind) == 0) found += put_ids(&bundle, text, MOST_IDS - found, put);
            (void)fflush(stdout);
            dq_bundle_free(&bundle);
        }
        dq_reader_close(in);
    }
}
