/* SPDX-License-Identifier: MIT
 *
 * The progress bar: one line on a terminal, redrawn; a line a second where stderr is no terminal.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 28 };

static const double patience = 1.0; /* seconds of work before a bar is worth showing */

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool dq_cli_colour(int fd)
{
    const char *off = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(off && *off) && term && strcmp(term, "dumb") != 0 && isatty(fd);
}

dq_progress dq_progress_start(const dq_common *common, const char *label, uint64_t total)
{
    bool on = !common->quiet && (common->progress || isatty(STDERR_FILENO));
    return (dq_progress){
        .label = label, .total = total, .on = on, .forced = common->progress, .started = on ? now() : 0};
}

/* "label [#####.....]  45% 450/1000 12s left note" */
static void draw(const dq_progress *p, const char *note, double at)
{
    bool terminal = isatty(STDERR_FILENO), colour = dq_cli_colour(STDERR_FILENO);
    char bar[BAR + 1], left[48] = "";
    double share = p->total ? (double)p->done / (double)p->total : 0;
    if (share > 1) share = 1;
    int full = (int)(share * BAR);
    memset(bar, '#', (size_t)full);
    memset(bar + full, '.', (size_t)(BAR - full));
    bar[BAR] = '\0';
    if (share > 0 && share < 1)
        (void)snprintf(left, sizeof left, " %.0fs left", (at - p->started) * (1 - share) / share);
    if (terminal) (void)fprintf(stderr, "\r\033[K");
    (void)fprintf(stderr, "%s ", p->label);
    if (p->total)
        (void)fprintf(stderr, "[%s%s%s] %3.0f%% %llu/%llu%s", colour ? "\033[32m" : "", bar,
                      colour ? "\033[0m" : "", 100 * share, (unsigned long long)p->done,
                      (unsigned long long)p->total, left);
    else
        (void)fprintf(stderr, "%llu", (unsigned long long)p->done);
    if (note && *note) (void)fprintf(stderr, " %s", note);
    if (!terminal) (void)fputc('\n', stderr);
    (void)fflush(stderr);
}

void dq_progress_step(dq_progress *progress, uint64_t done, const char *note)
{
    progress->done = done;
    if (!progress->on) return;
    double at = now();
    if (!progress->forced && at - progress->started < patience) return;
    if (progress->shown > 0 && at - progress->shown < (isatty(STDERR_FILENO) ? 0.1 : 1.0)) return;
    progress->shown = at;
    draw(progress, note, at);
}

void dq_progress_end(dq_progress *progress)
{
    if (!progress->on || (progress->shown <= 0 && !progress->forced)) return;
    draw(progress, NULL, now());
    if (isatty(STDERR_FILENO)) (void)fputc('\n', stderr);
    progress->on = false;
}
