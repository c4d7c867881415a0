/* SPDX-License-Identifier: MIT
 *
 * A fuzz target over saved inputs, without libFuzzer: a process each, so that one that crashes, hangs or
 * leaks is one test that fails. Prints TAP.
 *
 *     replay_READER FOLDER...      every file of the folders
 *     replay_READER FILE           that one, in this process, for a debugger
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60 }; /* for one file: a busy machine and sanitizers are slow */

static void replay(const char *path)
{
    struct stat s;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &s)) fuzz_fail("%s cannot be read", path);
    size_t n = (size_t)s.st_size;
    uint8_t *data = malloc(n + !n); /* exactly, so that a read beyond the end is seen */
    if (!data || fread(data, 1, n, f) != n) fuzz_fail("%s cannot be read", path);
    (void)fclose(f);
    (void)LLVMFuzzerTestOneInput(data, n);
    free(data);
}

/* The wait status of a process that replays it. */
static int apart(const char *path)
{
    (void)fflush(stdout);
    pid_t child = fork();
    int status = -1;
    if (child == 0) {
        (void)alarm(SECONDS);
        replay(path);
        exit(0); /* not _exit: leaks are looked for then */
    }
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static int tests, bad;

static void folder(const char *name, struct dirent *const *entries, int count)
{
    char path[4096];
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", name, entries[i]->d_name);
        int status = apart(path);
        if (status) bad++;
        printf("%s %d %s\n", status ? "not ok" : "ok", ++tests, entries[i]->d_name);
        if (status && WIFSIGNALED(status)) printf("# signal %d\n", WTERMSIG(status));
    }
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    struct stat s;
    if (argc == 2 && !stat(argv[1], &s) && S_ISREG(s.st_mode)) {
        replay(argv[1]);
        return 0;
    }
    (void)fuzz_folder(); /* ours, so that a child that crashes leaves none */
    for (int i = 1; i < argc; i++) {
        int count = scandir(argv[i], &entries, NULL, alphasort);
        folder(argv[i], entries, count);
        for (int k = 0; k < count; k++) free(entries[k]);
        if (count >= 0) free(entries);
    }
    if (tests == 0) printf("not ok 1 - no file to replay\n");
    printf("1..%d\n", tests + !tests);
    return bad || tests == 0;
}
