/* SPDX-License-Identifier: MIT
 *
 * Progress bars: a clock and stderr put to what bar.c says. The width is asked anew for each line, so that a
 * window that is drawn narrower or wider is followed, and no signal of it has to be caught.
 */
#include "cli/cli.h"
#include "cli/terminal/bar.h"
#include "cli/terminal/line.h"
#include "cli/terminal/screen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* SPARE: columns that stay free, so that the ^C which a terminal shows behind the bar does not break the
 * line. LOG: columns of a line in a log, where all parts fit. */
enum { LINE = 1024, SPARE = 3, LOG = 400 };

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

dq_progress dq_progress_start(const dq_common *common, const char *label, const char *unit, uint64_t total)
{
    bool on = !common->quiet && (common->progress || isatty(STDERR_FILENO));
    return (dq_progress){.label = label,
                         .unit = unit,
                         .total = total,
                         .on = on,
                         .forced = common->progress,
                         .shown = -1,
                         .started = on ? now() : 0};
}

void dq_progress_resume(dq_progress *progress, uint64_t done)
{
    progress->done = progress->before = done;
}

static void show(dq_progress *p, double seconds, bool ended)
{
    char text[LINE], line[LINE + 64];
    const dq_bar bar = {p->label, p->unit, p->note, p->done, p->total, p->before, seconds, ended};
    p->shown = seconds;
    if (dq_line_redraws()) {
        unsigned width = dq_screen_width(STDERR_FILENO);
        dq_bar_write(&bar, width > SPARE ? width - SPARE : 0, true, dq_screen_colour(STDERR_FILENO), text,
                     sizeof text);
        dq_line_draw(text);
        return;
    }
    dq_bar_write(&bar, LOG, false, false, text, sizeof text);
    (void)snprintf(line, sizeof line, "%.40s: %s\n", program_invocation_short_name, text);
    dq_line_say(line);
}

void dq_progress_step(dq_progress *progress, uint64_t done, const char *note)
{
    progress->done = done;
    if (!progress->on) return;
    (void)snprintf(progress->note, sizeof progress->note, "%s", note ? note : "");
    double seconds = now() - progress->started;
    if (dq_bar_due(seconds, progress->shown, dq_line_redraws(), progress->forced))
        show(progress, seconds, false);
}

void dq_progress_end(dq_progress *progress)
{
    if (!progress->on || (progress->shown < 0 && !progress->forced)) return;
    show(progress, now() - progress->started, true);
    dq_line_keep();
    progress->on = false;
}
