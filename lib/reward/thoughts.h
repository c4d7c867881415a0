/* SPDX-License-Identifier: MIT
 *
 * What of a model's words is not its answer: thoughts, channels, special tokens.
 */
#ifndef DQ_REWARD_THOUGHTS_H
#define DQ_REWARD_THOUGHTS_H

#include <stddef.h>

/* Puts blanks where n bytes of text think, or are marks around what is said, as completion.h says. */
void dq_thoughts_blank(char *text, size_t n);

#endif
