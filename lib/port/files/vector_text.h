/* SPDX-License-Identifier: MIT
 *
 * Vectors that somebody printed: a list in JSON or Python, an array as NumPy prints it ("[0.5  0.25]", over
 * several lines, or "array([0.5, 0.25], dtype=float32)"), a vector of pgvector ("[1,2,3]"), an array of
 * PostgreSQL ("{1,2,3}"), numbers between spaces, commas or semicolons.
 */
#ifndef DQ_PORT_FILES_VECTOR_TEXT_H
#define DQ_PORT_FILES_VECTOR_TEXT_H

#include "dq/status.h"
#include "dq/value.h"

/* The numbers of such a text, which ends with a NUL, as DQ_FLOATS in the arena; they may be NAN or infinite
 * ("nan", "inf"). One row in brackets of its own ("[[1 2]]") is that row. DQ_ERR_FORMAT with the way out
 * where it is none: what NumPy or PyTorch cut as they printed it, several rows, numbers that are parted now
 * by commas and now by spaces, and so may have decimal commas. */
dq_status dq_vector_text_read(const char *text, size_t bytes, dq_arena *arena, dq_value *floats,
                              dq_error *error);

#endif
