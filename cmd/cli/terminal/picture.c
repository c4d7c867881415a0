/* SPDX-License-Identifier: MIT */
#include "cli/terminal/picture.h"

#include "plot/plot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The width to draw in: the terminal's, else 79. */
static unsigned terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
    return known ? size.ws_col - 1U : 79;
}

/* Whether colours are welcome: on a terminal that knows them, unless NO_COLOR says otherwise
 * (no-color.org). */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

static bool is_file(const char *path)
{
    return path && strcmp(path, "-") != 0;
}

typedef struct listener {
    const dq_cli *cli;
    const dq_common *common;
} listener;

static void say_constant(void *arg, const char *title, double value)
{
    const listener *l = arg;
    dq_cli_say(l->cli, l->common, "%s is %.6g throughout and is not drawn", title, value);
}

void dq_cli_drop_constant(const dq_cli *cli, const dq_common *common, dq_figure *figure)
{
    listener l = {cli, common};
    dq_figure_drop_constant(figure, say_constant, &l);
}

static dq_status draw(const dq_cli *cli, const dq_common *common, dq_figure *figure, const char *path,
                      dq_error *error)
{
    dq_sink *out = NULL;
    const char *to = path ? path : common->output;
    dq_plot_form form = !is_file(to) && wants_colour() ? DQ_PLOT_COLOUR : DQ_PLOT_TERMINAL;
    if (is_file(path)) (void)dq_plot_form_of(path, &form);
    dq_cli_drop_constant(cli, common, figure);
    dq_status status = dq_sink_open(&out, to, DQ_SINK_TEXT, error);
    if (!status) status = dq_plot_write(figure, form, terminal_columns(), out, error);
    return dq_cli_close(out, status, error);
}

dq_status dq_cli_draw(const dq_cli *cli, const dq_common *common, dq_status status, dq_figure *figure,
                      const char *path, dq_error *error)
{
    if (!status) status = draw(cli, common, figure, path, error);
    dq_figure_free(figure);
    return status;
}

void dq_cli_check_picture(const dq_cli *cli, const char *path)
{
    dq_plot_form form;
    if (is_file(path) && !dq_plot_form_of(path, &form))
        dq_cli_usage(cli, "--plot FILE: '%s' ends in none of .svg, .png and .pdf", path);
}

uint64_t dq_cli_mark(const dq_cli *cli, const char *mark, const char **label)
{
    size_t digits = strspn(mark, "0123456789");
    if (!digits || (mark[digits] && mark[digits] != '='))
        dq_cli_usage(cli, "--mark %s: the number of an episode or epoch is wanted, perhaps =LABEL", mark);
    *label = mark[digits] ? mark + digits + 1 : NULL;
    return strtoull(mark, NULL, 10);
}
