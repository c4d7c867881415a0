/* SPDX-License-Identifier: MIT
 *
 * What this machine can do at best, as a JSON object of rates a second: what `make bench` compares with.
 *
 *     ceilings THREADS SECONDS
 *
 *     fma_1, fma    float32 operations of multiply-adds (two each) in registers, one core, all threads
 *     read_1, read  bytes read from memory in order, of 256 MiB a thread, and 1 GiB in all at most
 *     adam_1, adam  bytes read and written by an update in place of three arrays by a fourth, 48 MiB in all,
 *                   as Adam does for three million weights
 *     pipe          bytes through a pipe whose buffer is 1 MiB, in writes of 64 KiB, to another process
 *
 * Each is the best of the passes that SECONDS allow.
 */
#include "fma.h"
#include "seconds.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FMA_TURNS = 1 << 21, READ_FLOATS = 64 << 20, WEIGHTS = 3 << 20, PIPE_BYTES = 256 << 20 };

typedef float four __attribute__((vector_size(16)));

typedef struct worker {
    pthread_t thread;
    size_t floats, turns;
    float *data, result;
    void (*pass)(struct worker *);
} worker;

static fma_loop widest; /* the CPU's widest */

static void fma_pass(worker *me)
{
    me->result += widest.run(me->turns);
}

static void read_pass(worker *w)
{
    const four *at = (const four *)w->data;
    four sum[8] = {0};
    for (size_t i = 0; i < w->floats / 4; i += 8)
        for (size_t c = 0; c < 8; c++) sum[c] += at[i + c];
    for (int c = 0; c < 8; c++) w->result += sum[c][0];
}

static void adam_pass(worker *w)
{
    size_t n = w->floats / 4;
    float *p = w->data, *m = p + n, *v = m + n;
    const float *g = v + n;
    for (size_t i = 0; i < n; i++) {
        m[i] = 0.9F * m[i] + 0.1F * g[i];
        v[i] = 0.999F * v[i] + 0.001F * g[i];
        p[i] -= 1e-3F * m[i] + v[i];
    }
}

static void *work(void *arg)
{
    worker *w = arg;
    w->pass(w);
    return NULL;
}

/* The best seconds of a pass on so many threads. */
static double best(void (*pass)(worker *), unsigned threads, size_t floats, double until)
{
    worker *workers = calloc(threads, sizeof *workers);
    double least = 1e9, begun = seconds(CLOCK_MONOTONIC);
    if (!workers) exit(1);
    for (unsigned t = 0; t < threads; t++) {
        workers[t] = (worker){.floats = floats / 128 * 128, .turns = FMA_TURNS, .pass = pass};
        if (floats && posix_memalign((void **)&workers[t].data, 64, floats * sizeof(float))) exit(1);
        for (size_t i = 0; i < floats; i++) workers[t].data[i] = 1e-3F;
    }
    do {
        double t0 = seconds(CLOCK_MONOTONIC);
        for (unsigned t = 0; t < threads; t++)
            if (pthread_create(&workers[t].thread, NULL, work, workers + t)) exit(1);
        for (unsigned t = 0; t < threads; t++) (void)pthread_join(workers[t].thread, NULL);
        double took = seconds(CLOCK_MONOTONIC) - t0;
        if (took < least) least = took;
    } while (seconds(CLOCK_MONOTONIC) - begun < until);
    for (unsigned t = 0; t < threads; t++) free(workers[t].data);
    free(workers);
    return least;
}

/* Seconds for PIPE_BYTES through a pipe. */
static double pipe_pass(void)
{
    static char block[1 << 16];
    int ends[2];
    if (pipe(ends)) exit(1);
    (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    double t0 = seconds(CLOCK_MONOTONIC);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[1]);
        while (read(ends[0], block, sizeof block) > 0) {
        }
        _exit(0);
    }
    (void)close(ends[0]);
    for (size_t sent = 0; sent < PIPE_BYTES; sent += sizeof block)
        if (write(ends[1], block, sizeof block) != (ssize_t)sizeof block) exit(1);
    (void)close(ends[1]);
    (void)waitpid(child, NULL, 0);
    return seconds(CLOCK_MONOTONIC) - t0;
}

/* `each`: what a thread does in a pass. */
static void print_rate(const char *name, void (*pass)(worker *), unsigned threads, size_t floats, double each,
                       double until)
{
    printf("\"%s\": %.4g, ", name, each * threads / best(pass, threads, floats, until));
}

int main(int argc, char **argv)
{
    unsigned threads = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
    if (threads < 1) return 2;
    double until = atof(argv[2]), least = 1e9;
    size_t part = threads > 4 ? 4 * (size_t)READ_FLOATS / threads / 128 * 128 : READ_FLOATS;
    widest = fma_widest();
    printf("{");
    print_rate("fma_1", fma_pass, 1, 0, widest.operations * FMA_TURNS, until);
    print_rate("fma", fma_pass, threads, 0, widest.operations * FMA_TURNS, until);
    print_rate("read_1", read_pass, 1, READ_FLOATS, 4.0 * READ_FLOATS, until);
    print_rate("read", read_pass, threads, part, 4.0 * (double)part, until);
    print_rate("adam_1", adam_pass, 1, 4 * WEIGHTS, 7.0 * 4 * WEIGHTS, until);
    print_rate("adam", adam_pass, threads, 4 * WEIGHTS / threads, 7.0 * 4 * WEIGHTS / threads, until);
    double begun = seconds(CLOCK_MONOTONIC);
    do {
        double took = pipe_pass();
        if (took < least) least = took;
    } while (seconds(CLOCK_MONOTONIC) - begun < until);
    printf("\"pipe\": %.4g}\n", PIPE_BYTES / least);
    return 0;
}
