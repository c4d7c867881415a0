/* SPDX-License-Identifier: MIT
 *
 * The directory that --split fills with DIR/00000.dq, DIR/00001.dq ... Who joins them takes all that are
 * there, so none of another split may be among them.
 */
#ifndef DQ_CAT_SPLIT_H
#define DQ_CAT_SPLIT_H

#include "dq/status.h"

#include <stddef.h>
#include <stdint.h>

/* Makes the directory, if it is not there. DQ_ERR_RANGE, naming them, where it holds files of a split: a
 * longer one's last files would stay, and a split that dies would leave a mixture. Nothing is removed. */
dq_status cat_split_begin(const char *directory, dq_error *error);
/* The path of a section's file. */
dq_status cat_split_path(const char *directory, uint64_t section, char *path, size_t size, dq_error *error);

#endif
