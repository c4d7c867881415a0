/* SPDX-License-Identifier: MIT
 *
 * What a page was made from: a file's length and SHA-256, and of a dq stream who made it of what, with which
 * options and seeds. Read when the work is done: a file that was changed meanwhile is told as it is then.
 */
#ifndef DQ_PAGE_INPUT_H
#define DQ_PAGE_INPUT_H

#include "page/html.h"
#include "port/files/sha256.h"

typedef struct dq_page_input {
    const char *name; /* as it was given; kept */
    uint64_t bytes;
    char digest[2 * DQ_SHA256_BYTES + 1]; /* as sha256sum prints it */
    dq_html lineage;                      /* markup; empty for what is no stream */
} dq_page_input;

/* Reads a path to its end ("-": what is left of stdin). Errors are those of reading, of a stream its
 * reader's.
 */
dq_status dq_page_input_read(dq_page_input *input, const char *path, dq_error *error);
void dq_page_input_free(dq_page_input *input);

/* Appends a table of all inputs, and the lineage of each stream. */
void dq_page_inputs_write(const dq_page_input *inputs, size_t count, dq_html *out);

#endif
