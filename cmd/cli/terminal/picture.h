/* SPDX-License-Identifier: MIT
 *
 * Pictures: into which file, in how many columns, in colour or not.
 */
#ifndef DQ_CLI_PICTURE_H
#define DQ_CLI_PICTURE_H

#include "cli/cli.h"
#include "plot/figure.h"

/* Takes panels out that are one number throughout, and says which. */
void dq_cli_drop_constant(const dq_cli *cli, const dq_common *common, dq_figure *figure);
/* Draws a figure into a file whose name ends as dq_plot_form_of wants it; or as characters, for "-" on stdout
 * and for NULL into --output (else stdout): as wide as the terminal, in colours where it knows them and
 * NO_COLOR is not set. Drops what is constant, as above. With a status other than DQ_OK it draws nothing, and
 * returns that. Frees the figure. */
dq_status dq_cli_draw(const dq_cli *cli, const dq_common *common, dq_status status, dq_figure *figure,
                      const char *path, dq_error *error);
/* A usage error where a file's name does not say what to draw. */
void dq_cli_check_picture(const dq_cli *cli, const char *path);
/* Reads --mark N[=LABEL]: a usage error where N is no number of an episode or epoch. label: NULL for none. */
uint64_t dq_cli_mark(const dq_cli *cli, const char *mark, const char **label);

#endif
