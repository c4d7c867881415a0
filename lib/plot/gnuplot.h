/* SPDX-License-Identifier: MIT
 *
 * gnuplot, a process of its own. It gets its script as stdin and hands the picture back on stdout; no shell,
 * no file name and no text of the user's but quoted titles is in the script.
 */
#ifndef DQ_PLOT_GNUPLOT_H
#define DQ_PLOT_GNUPLOT_H

#include "dq/sink.h"

#include <stdio.h>

/* Runs the script (a file, from its start) and writes what gnuplot draws. DQ_ERR_UNSUPPORTED where there is
 * no gnuplot, DQ_ERR_IO with the first line that it had to say when it failed. */
dq_status dq_gnuplot_run(FILE *script, dq_sink *out, dq_error *error);

#endif
