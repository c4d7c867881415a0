/* SPDX-License-Identifier: MIT
 *
 * A line of a table cut at its separators, in place: most rows have neither quotes nor escapes, and so are
 * their cells already.
 */
#ifndef DQ_PORT_TEXT_CUT_H
#define DQ_PORT_TEXT_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dq_cut_form {
    char separator;
    char special[2]; /* bytes that mean more than themselves; twice the same where there is one */
} dq_cut_form;

/* The places of the separators in a line of n bytes, below 2^32, which are `count` exactly, into `at`. False
 * where there are more or fewer, or a special byte stands in it. *ascii tells whether all bytes are below
 * 0x80. */
bool dq_cut_line(const char *line, size_t n, dq_cut_form form, uint32_t *at, size_t count, bool *ascii);

#endif
