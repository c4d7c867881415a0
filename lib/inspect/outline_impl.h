/* SPDX-License-Identifier: MIT
 *
 * What outline.c and outline_write.c share: a line in the making.
 */
#ifndef DQ_INSPECT_OUTLINE_IMPL_H
#define DQ_INSPECT_OUTLINE_IMPL_H

#include "inspect/outline.h"

enum { OUTLINE_WORDS = 100, OUTLINE_CUT = 32, OUTLINE_EXAMPLE = 4 * OUTLINE_CUT + 8 };

struct dq_outline_line {
    dq_dtype type;
    bool field; /* of a vector */
    uint64_t rows, nulls;
    double least, most; /* of numbers, or bytes of texts; least > most: there are none */
    bool numbers, texts, lists, objects, flags, others; /* of JSON: what came */
    bool times, timed;                                  /* all of it are times; first and last are set */
    dq_time first, last;
    bool has_example;
    char example[OUTLINE_EXAMPLE + 4];
};

/* Whether numbers of this type have fractions; others are shown with all their digits. */
bool dq_outline_is_real(dq_dtype type);

#endif
