/* SPDX-License-Identifier: MIT
 *
 * Pictures: what is drawn where, and the words about it.
 */
#include "eval.h"

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
static bool wants_colour(const eval_options *o)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !o->common.output && isatty(STDOUT_FILENO) && !(no && *no) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

typedef struct listener {
    const eval_options *o;
    const dq_cli *cli;
} listener;

static void say_constant(void *arg, const char *title, double value)
{
    const listener *l = arg;
    dq_cli_say(l->cli, &l->o->common, "%s is %.6g throughout and is not drawn", title, value);
}

dq_status eval_draw(const eval_options *o, const dq_cli *cli, dq_figure *figure, dq_error *error)
{
    dq_sink *out = NULL;
    listener l = {o, cli};
    dq_plot_form form = wants_colour(o) ? DQ_PLOT_COLOUR : DQ_PLOT_TERMINAL;
    if (o->plot) (void)dq_plot_form_of(o->plot, &form);
    dq_figure_drop_constant(figure, say_constant, &l);
    dq_status status = dq_sink_open(&out, o->plot ? o->plot : o->common.output, DQ_SINK_TEXT, error);
    if (!status) status = dq_plot_write(figure, form, terminal_columns(), out, error);
    return eval_close(out, status, error);
}

void eval_check_plot(const dq_cli *cli, const eval_options *o)
{
    dq_plot_form form;
    if (o->plot && !dq_plot_form_of(o->plot, &form))
        dq_cli_usage(cli, "--plot FILE: '%s' ends in none of .svg, .png and .pdf", o->plot);
}

const char *eval_mark_label(const char *mark)
{
    const char *equals = strchr(mark, '=');
    return equals ? equals + 1 : NULL;
}
