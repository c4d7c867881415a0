/* SPDX-License-Identifier: MIT
 *
 * Numbers as people type them: an optional sign, decimal digits with or without a point, an exponent. No
 * hexadecimal, no blanks before them, no nan, nothing infinite. Every number of a command line that is no
 * plain count is read by this.
 */
#ifndef DQ_CORE_WORDS_NUMBER_H
#define DQ_CORE_WORDS_NUMBER_H

#include <stdbool.h>

/* The number that a text begins with, and where it ends; NULL: it begins with none, or one that is not
 * finite. What may follow is the caller's: "0x10" ends behind the 0. */
const char *dq_number_begin(const char *text, double *value);

/* Whether a text is a number as a whole. */
bool dq_number_is(const char *text, double *value);

#endif
