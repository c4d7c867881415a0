/* SPDX-License-Identifier: MIT */
#include "cli/terminal/picture.h"

#include "cli/terminal/screen.h"
#include "plot/plot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NARROWEST = 40 };

/* The width to draw in; the last column stays free. */
static unsigned picture_columns(void)
{
    unsigned width = dq_screen_width(STDOUT_FILENO);
    return width > NARROWEST ? width - 1 : NARROWEST;
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
    dq_plot_form form = !is_file(to) && dq_screen_colour(STDOUT_FILENO) ? DQ_PLOT_COLOUR : DQ_PLOT_TERMINAL;
    if (is_file(path)) (void)dq_plot_form_of(path, &form);
    dq_cli_drop_constant(cli, common, figure);
    dq_status status = dq_sink_open(&out, to, DQ_SINK_TEXT, error);
    if (!status) status = dq_plot_write(figure, form, picture_columns(), out, error);
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
    if (!digits || digits > 18 || (mark[digits] && mark[digits] != '='))
        dq_cli_usage(cli, "--mark %s: the number of an episode or epoch is wanted, perhaps =LABEL", mark);
    *label = mark[digits] ? mark + digits + 1 : NULL;
    return strtoull(mark, NULL, 10);
}
