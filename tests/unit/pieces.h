/* SPDX-License-Identifier: MIT
 *
 * Bytes that come in pieces of a size, as a slow pipe gives them.
 */
#ifndef DQ_TESTS_UNIT_PIECES_H
#define DQ_TESTS_UNIT_PIECES_H

#include "dq/source.h"

#include <string.h>

/* What is left of the bytes; a size as great as theirs gives them at once. */
typedef struct pieces {
    const char *at;
    size_t left, size;
} pieces;

/* Reads for dq_source_open_fn. */
static inline dq_status give(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    (void)error;
    pieces *p = arg;
    *got = p->left < p->size ? p->left : p->size;
    if (*got > n) *got = n;
    memcpy(to, p->at, *got);
    p->at += *got;
    p->left -= *got;
    return DQ_OK;
}

#endif
