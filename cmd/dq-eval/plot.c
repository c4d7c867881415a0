/* SPDX-License-Identifier: MIT
 *
 * Curves drawn by gnuplot, a process of its own. It gets its script as stdin, with the data in it, and hands
 * the picture back on stdout; no shell, no file name and no text of the user's but quoted titles is in the
 * script.
 */
#include "curves.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PANEL_WIDTH = 460, PANEL_HEIGHT = 320, BINS = 24 };

/* Okabe and Ito's colours, told apart by colour-blind eyes too. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000"};
enum { COLOURS = sizeof colours / sizeof *colours };

/* ---- the process ---- */

static dq_status spawn(pid_t *pid, int script, int *picture, int words, dq_error *error)
{
    static char name[] = "gnuplot", *const args[] = {name, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends) < 0) return dq_fail_errno(error, errno, "cannot start gnuplot");
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
    (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
    int failed = posix_spawnp(pid, name, &actions, NULL, args, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *picture = ends[0];
    if (!failed) return DQ_OK;
    (void)close(ends[0]);
    if (failed == ENOENT)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "gnuplot is not installed (Debian: gnuplot-nox); it draws the curves");
    return dq_fail_errno(error, failed, "cannot start gnuplot");
}

static dq_status copy_picture(int from, dq_sink *out, size_t *bytes, dq_error *error)
{
    char buffer[65536];
    for (;;) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return dq_fail_errno(error, errno, "cannot read from gnuplot");
        if (n == 0) return DQ_OK;
        dq_status status = dq_sink_write(out, buffer, (size_t)n, error);
        if (status) return status;
        *bytes += (size_t)n;
    }
}

/* The first line that gnuplot had to say. */
static dq_status gnuplot_failed(FILE *words, dq_error *error)
{
    char line[300];
    rewind(words);
    while (fgets(line, sizeof line, words)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[strspn(line, " ^\t")]) return dq_fail(error, DQ_ERR_IO, "gnuplot failed: %s", line);
    }
    return dq_fail(error, DQ_ERR_IO, "gnuplot failed");
}

/* Runs the script (a file, from its start) and writes what gnuplot draws. */
static dq_status run_gnuplot(FILE *script, dq_sink *out, dq_error *error)
{
    pid_t pid;
    int picture = -1, ended = 0;
    size_t bytes = 0;
    FILE *words = tmpfile();
    if (!words || fflush(script) != 0) {
        int sys = errno;
        if (words) (void)fclose(words);
        return dq_fail_errno(error, sys, "cannot write gnuplot's script");
    }
    (void)lseek(fileno(script), 0, SEEK_SET);
    dq_status status = spawn(&pid, fileno(script), &picture, fileno(words), error);
    if (!status) {
        status = copy_picture(picture, out, &bytes, error);
        (void)close(picture); /* a gnuplot that still writes ends by SIGPIPE */
        while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) continue;
        if (!status && (ended != 0 || bytes == 0)) status = gnuplot_failed(words, error);
    }
    (void)fclose(words);
    return status;
}

/* ---- the script ---- */

/* Single quotes: nothing in them is looked at; a quote is written twice. */
static void quote(FILE *f, const char *text, size_t bytes)
{
    (void)fputc('\'', f);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char ch = (unsigned char)text[i];
        if (ch == '\'') (void)fputc('\'', f);
        (void)fputc(ch < ' ' || ch == 0x7f ? ' ' : ch, f);
    }
    (void)fputc('\'', f);
}

static void write_setting(FILE *f, plot_form form, unsigned columns, int across, int down)
{
    int width = across * PANEL_WIDTH, height = down * PANEL_HEIGHT;
    if (form == PLOT_SVG)
        (void)fprintf(f, "set terminal svg size %d,%d font 'Helvetica,12' background '#ffffff' noenhanced\n",
                      width, height);
    if (form == PLOT_PNG)
        (void)fprintf(f, "set terminal pngcairo size %d,%d font 'Sans,10' background '#ffffff' noenhanced\n",
                      width, height);
    if (form == PLOT_DUMB)
        (void)fprintf(f, "set terminal dumb noenhanced size %u,20\n", columns);
    else
        (void)fprintf(f,
                      "set multiplot layout %d,%d\nset border 3 lc rgb '#606060'\n"
                      "set grid ytics lc rgb '#e0e0e0' lt 1\n",
                      down, across);
    (void)fputs("set tics nomirror out\nset style fill transparent solid 0.2 noborder\n", f);
}

static void write_points(FILE *f, const curves *c, size_t metric)
{
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++) {
        (void)fprintf(f, "$d%u << END\n", g);
        for (size_t x = 0; x < c->points; x++) {
            double mean, sd;
            size_t runs;
            if (curves_at(c, g, metric, x, &mean, &sd, &runs))
                (void)fprintf(f, "%zu %.9g %.9g %.9g\n", x, mean, mean - sd, mean + sd);
        }
        (void)fputs("END\n", f);
    }
}

static size_t runs_of(const curves *c, uint32_t group)
{
    size_t n = 0;
    for (size_t r = 0; r < c->run_count; r++) n += c->runs[r].group == group;
    return n;
}

/* "NAME, mean of 5 runs"; no title when there is nothing to tell apart. */
static void write_title(FILE *f, const curves *c, uint32_t group, const char *before, const char *after)
{
    size_t bytes, runs = runs_of(c, group);
    const char *name = dq_index_id(&c->groups, group, &bytes);
    char text[256];
    int n = snprintf(text, sizeof text, "%.*s", (int)bytes, name);
    if (runs > 1)
        n = snprintf(text, sizeof text, "%.*s%s%s%zu runs%s", (int)bytes, name, bytes ? ", " : "", before,
                     runs, after);
    if (n > 0) (void)fputs(" title ", f);
    if (n > 0)
        quote(f, text, strlen(text));
    else
        (void)fputs(" notitle", f);
}

/* A grey line wherever something changed. */
static void write_marks(FILE *f, const curves *c)
{
    (void)fputs("unset arrow\n", f);
    for (size_t i = 0; i < c->mark_count; i++)
        (void)fprintf(
            f, "set arrow from first %llu, graph 0 to first %llu, graph 1 nohead lw 1.5 lc rgb '#a0a0a0'\n",
            (unsigned long long)c->marks[i], (unsigned long long)c->marks[i]);
}

/* A band from mean - sd to mean + sd and a line for each group. */
static void write_curve_panel(FILE *f, const curves *c, size_t metric, plot_form form)
{
    const char *start = "plot ";
    (void)fputs("set title ", f);
    quote(f, c->metrics[metric].title, strlen(c->metrics[metric].title));
    (void)fprintf(f, "\nset xlabel '%s'\n", c->unit);
    write_marks(f, c);
    write_points(f, c, metric);
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++) {
        if (!curves_have(c, g, metric)) continue;
        if (form != PLOT_DUMB && runs_of(c, g) > 1) {
            (void)fprintf(f, "%s$d%u using 1:3:4 with filledcurves lc rgb '%s' notitle", start, g,
                          colours[g % COLOURS]);
            start = ", ";
        }
        (void)fprintf(f, "%s$d%u using 1:2 with lines lw 1.8 lc rgb '%s'", start, g, colours[g % COLOURS]);
        write_title(f, c, g, "mean of ", form == PLOT_DUMB ? "" : ", ± sd");
        start = ", ";
    }
    (void)fputc('\n', f);
}

static void find_range(const curves *c, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; i < c->runs[r].points; i++) {
            *low = fmin(*low, c->runs[r].y[c->reward][i]); /* fmin leaves NAN out */
            *high = fmax(*high, c->runs[r].y[c->reward][i]);
        }
    if (*high - *low < 1e-9) {
        *low -= 0.5;
        *high += 0.5;
    }
}

/* A group's episodes by their reward, as shares. */
static void write_bins(FILE *f, const curves *c, uint32_t group, double low, double width)
{
    size_t bins[BINS] = {0}, all = 0;
    for (size_t r = 0; r < c->run_count; r++)
        for (size_t i = 0; c->runs[r].group == group && i < c->runs[r].points; i++) {
            double y = c->runs[r].y[c->reward][i];
            if (isnan(y)) continue;
            size_t at = (size_t)((y - low) / width);
            bins[at < BINS ? at : BINS - 1]++;
            all++;
        }
    (void)fprintf(f, "$d%u << END\n", group);
    for (int b = 0; b < BINS; b++)
        (void)fprintf(f, "%.9g %.9g\n", low + (b + 0.5) * width, all ? (double)bins[b] / (double)all : 0);
    (void)fputs("END\n", f);
}

static void write_histogram(FILE *f, const curves *c)
{
    double low, high;
    const char *start = "plot ";
    find_range(c, &low, &high);
    (void)fputs("unset arrow\n", f);
    double width = (high - low) / BINS;
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++) write_bins(f, c, g, low, width);
    (void)fprintf(
        f,
        "set title 'Histogram of rewards'\nset xlabel 'reward per step'\nset ylabel 'share of %ss'\n"
        "set boxwidth %.9g\nset yrange [0:*]\n",
        c->unit, 0.92 * width);
    for (uint32_t g = 0; g < dq_index_count(&c->groups); g++) {
        if (!curves_have(c, g, c->reward)) continue;
        (void)fprintf(f, "%s$d%u using 1:2 with boxes fs transparent solid 0.45 lc rgb '%s'", start, g,
                      colours[g % COLOURS]);
        write_title(f, c, g, "", "");
        start = ", ";
    }
    (void)fputs("\nset yrange [*:*]\nunset ylabel\n", f);
}

/* One legend serves all panels of a picture: it stands in the first, where rising rewards or falling losses
 * leave room, and a little more is made. */
static void write_key(FILE *f, bool first, bool rising)
{
    if (!first)
        (void)fputs("set key off\nunset offsets\n", f);
    else if (rising)
        (void)fputs("set key bottom right Left reverse\nset offsets 0, 0, 0, graph 0.12\n", f);
    else
        (void)fputs("set key top right Left reverse\nset offsets 0, 0, graph 0.2, 0\n", f);
}

static void write_script(FILE *f, const curves *c, plot_form form, unsigned columns)
{
    bool rewards = c->reward < c->metric_count && curves_have(c, DQ_ABSENT, c->reward);
    int panels = rewards ? 1 : 0;
    for (size_t m = 0; m < c->metric_count; m++) panels += curves_have(c, DQ_ABSENT, m);
    int across = panels > 4 ? 3 : panels > 1 ? 2 : 1;
    write_setting(f, form, columns, across, (panels + across - 1) / across);
    bool first = true;
    size_t last_reward = c->cumulative < c->metric_count ? c->cumulative : c->reward;
    for (size_t m = 0; m < c->metric_count; m++) {
        if (curves_have(c, DQ_ABSENT, m)) {
            write_key(f, first || form == PLOT_DUMB, c->metrics[m].rising);
            write_curve_panel(f, c, m, form);
            first = false;
        }
        if (m == last_reward && rewards) write_histogram(f, c);
    }
    if (form != PLOT_DUMB) (void)fputs("unset multiplot\n", f);
}

dq_status curves_plot(const curves *c, plot_form form, unsigned columns, dq_sink *out, dq_error *error)
{
    FILE *script = tmpfile();
    if (!script) return dq_fail_errno(error, errno, "cannot write gnuplot's script");
    write_script(script, c, form, columns);
    dq_status status = ferror(script) ? dq_fail_errno(error, errno, "cannot write gnuplot's script") : DQ_OK;
    if (!status) status = run_gnuplot(script, out, error);
    (void)fclose(script);
    return status;
}
