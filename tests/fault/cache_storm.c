/* SPDX-License-Identifier: MIT
 *
 * Many processes over one cache, and a hangman: tests/fault/cache.bats.
 *
 *     cache_storm CACHE FOLDER PROCESSES KEYS KILLS SEED [BUDGET]
 *
 * Every process wants all keys, each in an order of its own. What it claims it "asks": a line in
 * FOLDER/calls, a wait as a server would make, an answer that names the run which asked, stored, a line in
 * FOLDER/got. When it has all it writes FOLDER/out.SLOT, a line a key. Meanwhile processes are killed at
 * random moments and begun again, KILLS times in all. Lines are appended by one write each, so that none is
 * torn by a kill. With a BUDGET of requests a process that is refused ends quietly, without an output.
 *
 * Prints: asked=N kills=N.
 */
#include "port/cache/cache.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GROUP = 8, PROCESSES_MOST = 64, WAIT_NS = 2000000 };

typedef struct storm {
    const char *cache, *folder;
    unsigned processes, keys, kills;
    uint64_t random, budget;
} storm;

/* One process's work. */
typedef struct run {
    const storm *s;
    dq_cache *cache;
    unsigned slot, number;
    uint64_t random;
    unsigned *todo; /* (left) keys without an answer yet */
    size_t left;
    char (*labels)[24]; /* (keys) */
    int calls, got;
    bool spent;
} run;

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void die(const char *what, const dq_error *error)
{
    fprintf(stderr, "cache_storm: %s: %s\n", what, error ? error->reason : "");
    _exit(1);
}

static void check(dq_status status, const char *what, const dq_error *error)
{
    if (status) die(what, error);
}

static int open_log(const storm *s, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", s->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0) die(path, NULL);
    return fd;
}

static void say(int fd, unsigned key, unsigned number)
{
    char line[48];
    int n = snprintf(line, sizeof line, "%u run%u\n", key, number);
    if (write(fd, line, (size_t)n) != n) die("cannot write a log", NULL);
}

static dq_cache_key key_of(unsigned n)
{
    dq_cache_key key = {{0}};
    uint32_t mixed = n * 2654435761u; /* spread as digests are */
    memcpy(key.digest, &mixed, sizeof mixed);
    memcpy(key.digest + 8, &n, sizeof n);
    return key;
}

/* What was granted is asked, answered and stored; the rest is let go. */
static void ask(run *r, const unsigned *keys, size_t n)
{
    static const char request[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"an engineer\"}]}",
                      answer[] = "{\"choices\":[{\"message\":{\"content\":\"APPLY\"}}]}";
    dq_error e = DQ_ERROR_NONE;
    dq_cache_budget budget = {.requests = r->s->budget};
    dq_cache_entry entries[GROUP];
    dq_cache_key released[GROUP];
    char label[24];
    uint64_t granted;
    dq_status status = dq_cache_spend(r->cache, "storm", &budget, n, &granted, &e);
    r->spent = status == DQ_ERR_STOPPED;
    if (!r->spent) check(status, "spend", &e);
    for (size_t i = granted; i < n; i++) released[i - granted] = key_of(keys[i]);
    check(dq_cache_release(r->cache, released, n - granted, &e), "release", &e);
    (void)snprintf(label, sizeof label, "run%u", r->number);
    for (size_t i = 0; i < granted; i++) {
        say(r->calls, keys[i], r->number);
        entries[i] = (dq_cache_entry){.key = key_of(keys[i]),
                                      .model = "storm",
                                      .request = request,
                                      .request_bytes = sizeof request - 1,
                                      .answer = answer,
                                      .answer_bytes = sizeof answer - 1,
                                      .label = label,
                                      .tokens_in = 10,
                                      .tokens_out = 1,
                                      .server = "none",
                                      .time = time(NULL),
                                      .asked = 1};
    }
    if (!granted) return;
    nanosleep(&(struct timespec){.tv_nsec = (long)draw(&r->random, WAIT_NS)}, NULL);
    check(dq_cache_store(r->cache, entries, granted, &e), "store", &e);
    for (size_t i = 0; i < granted; i++) say(r->got, keys[i], r->number);
}

/* Claims a handful of what is left, and asks what is ours. */
static void step(run *r)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_key keys[GROUP];
    dq_cache_entry entries[GROUP];
    dq_cache_state states[GROUP];
    size_t places[GROUP], count = 0, mine = 0;
    unsigned asked[GROUP];
    for (; count < GROUP && count < r->left; count++) {
        places[count] = r->left - 1 - count;
        keys[count] = key_of(r->todo[places[count]]);
    }
    check(dq_cache_claim(r->cache, keys, NULL, count, &arena, entries, states, &e), "claim", &e);
    size_t theirs = 0;
    for (size_t i = 0; i < count; i++) { /* from the end, so that what moves was looked at */
        unsigned key = r->todo[places[i]];
        theirs += states[i] == DQ_CACHE_THEIRS;
        if (states[i] == DQ_CACHE_MINE) asked[mine++] = key;
        if (states[i] != DQ_CACHE_HAVE) continue;
        (void)snprintf(r->labels[key], sizeof r->labels[key], "%s", entries[i].label);
        r->todo[places[i]] = r->todo[--r->left];
    }
    dq_arena_free(&arena);
    if (mine) ask(r, asked, mine);
    if (theirs && !mine) { /* waits at the other end of what is left */
        size_t other = draw(&r->random, r->left);
        unsigned last = r->todo[r->left - 1];
        r->todo[r->left - 1] = r->todo[other];
        r->todo[other] = last;
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS / 2}, NULL);
    }
}

static void write_out(const run *r)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/out.%u", r->s->folder, r->slot);
    FILE *out = fopen(path, "w");
    if (!out) die(path, NULL);
    for (unsigned i = 0; i < r->s->keys; i++) fprintf(out, "%u %s\n", i, r->labels[i]);
    if (fclose(out) != 0) die(path, NULL);
}

static void work(const storm *s, unsigned slot, unsigned number)
{
    dq_error e = DQ_ERROR_NONE;
    run r = {.s = s, .slot = slot, .number = number, .random = number * 77u + 1, .left = s->keys};
    r.todo = calloc(s->keys, sizeof *r.todo);
    r.labels = calloc(s->keys, sizeof *r.labels);
    if (!r.todo || !r.labels) die("no memory", NULL);
    for (unsigned i = 0; i < s->keys; i++) { /* Fisher and Yates, inside out */
        size_t at = draw(&r.random, i + 1);
        r.todo[i] = r.todo[at];
        r.todo[at] = i;
    }
    r.calls = open_log(s, "calls");
    r.got = open_log(s, "got");
    check(dq_cache_open(&r.cache, s->cache, false, &e), "open", &e);
    while (r.left && !r.spent) step(&r);
    if (!r.spent) write_out(&r);
    dq_cache_close(r.cache);
    free(r.todo);
    free(r.labels);
    close(r.calls);
    close(r.got);
}

static pid_t start(const storm *s, unsigned slot, unsigned number)
{
    pid_t child = fork();
    if (child < 0) die("cannot fork", NULL);
    if (child > 0) return child;
    work(s, slot, number);
    exit(0);
}

/* Kills and begins again, while there are kills left and somebody works. */
static unsigned hang(storm *s, pid_t *children, unsigned *number)
{
    unsigned kills = 0;
    while (kills < s->kills) {
        nanosleep(&(struct timespec){.tv_nsec = (long)draw(&s->random, 20000000)}, NULL);
        unsigned slot = (unsigned)draw(&s->random, s->processes), alive = 0;
        for (unsigned i = 0; i < s->processes; i++) {
            siginfo_t info = {0};
            if (children[i] && waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOHANG | WNOWAIT) == 0)
                alive += info.si_pid == 0;
        }
        if (!alive) break;
        int status;
        (void)kill(children[slot], SIGKILL);
        (void)waitpid(children[slot], &status, 0);
        if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0) exit(1);
        kills += WIFSIGNALED(status);
        children[slot] = start(s, slot, ++*number);
    }
    return kills;
}

int main(int argc, char **argv)
{
    if (argc < 7) return 2;
    storm s = {.cache = argv[1], .folder = argv[2]};
    s.processes = (unsigned)atoi(argv[3]);
    s.keys = (unsigned)atoi(argv[4]);
    s.kills = (unsigned)atoi(argv[5]);
    s.random = (uint64_t)atoll(argv[6]);
    s.budget = argc > 7 ? (uint64_t)atoll(argv[7]) : 0;
    pid_t children[PROCESSES_MOST];
    if (s.processes < 1 || s.processes > PROCESSES_MOST) return 2;
    unsigned number = 0;
    int failed = 0;
    for (unsigned i = 0; i < s.processes; i++) children[i] = start(&s, i, ++number);
    unsigned kills = hang(&s, children, &number);
    for (unsigned i = 0; i < s.processes; i++) {
        int status;
        (void)waitpid(children[i], &status, 0);
        failed |= status;
    }
    printf("kills=%u runs=%u\n", kills, number);
    return failed != 0;
}
