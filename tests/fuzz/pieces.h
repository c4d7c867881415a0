/* SPDX-License-Identifier: MIT
 *
 * An input as a source that gives a few bytes at a time.
 */
#ifndef DQ_FUZZ_PIECES_H
#define DQ_FUZZ_PIECES_H

#include "fuzz.h"

#include "dq/source.h"

typedef struct fuzz_pieces {
    fuzz_bytes rest;
    size_t piece; /* at most so many bytes at once, at least 1 */
} fuzz_pieces;

/* The source of a name over the pieces, which are kept. */
dq_source *fuzz_source(fuzz_pieces *pieces, const char *name);

/* An encoding of texts by a byte, NULL: UTF-8. */
const char *fuzz_encoding(unsigned choice);

/* Whether it begins as what is compressed: its content has no bound, and the target of streams reads it. */
bool fuzz_is_compressed(fuzz_bytes bytes);

#endif
