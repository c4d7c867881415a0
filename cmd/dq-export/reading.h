/* SPDX-License-Identifier: MIT
 *
 * How the files are read: --columns, --sep and --encoding, each for one of them or for all that it can mean.
 */
#ifndef DQ_EXPORT_READING_H
#define DQ_EXPORT_READING_H

#include "options.h"

/* Gives the request's files their readings, or ends the program with what is wrong with the options. */
void export_set_readings(dq_cli *cli, export_options *options);

#endif
