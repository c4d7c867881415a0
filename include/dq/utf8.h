/* SPDX-License-Identifier: MIT
 *
 * UTF-8, checked: texts are checked where they enter (a record's body, a cell, an id file), never later.
 */
#ifndef DQ_UTF8_H
#define DQ_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True for well-formed UTF-8 (no overlong forms, surrogates, or values over 10FFFF). */
bool dq_utf8_valid(const void *text, size_t n);

#endif
