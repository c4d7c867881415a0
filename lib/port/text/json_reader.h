/* SPDX-License-Identifier: MIT
 *
 * Many JSON texts, one after the other: the lines of people's files. What dq_json_parse (port/files/json.h)
 * reads this reads as the same value, ten times as fast, by simdjson; lib/port/text/json_reader.cc is its
 * only home, in C++. Decimal numbers of other texts are read there, too, by the second of
 * these algorithms, which C++'s std::from_chars has.
 *
 * Langdale, Lemire: Parsing gigabytes of JSON per second. VLDB Journal 28 (2019). Lemire: Number parsing at a
 * gigabyte per second. Software: Practice and Experience 51 (2021).
 */
#ifndef DQ_PORT_TEXT_JSON_READER_H
#define DQ_PORT_TEXT_JSON_READER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "dq/status.h"
#include "dq/value.h"

/* Keeps memory from one text to the next: about ten times the longest. Of one thread at a time. */
typedef struct dq_json_reader dq_json_reader;

/* NULL: memory is short. */
dq_json_reader *dq_json_reader_new(void);
void dq_json_reader_free(dq_json_reader *reader);

/* dq_json_parse: value, errors and their words are the same. */
dq_status dq_json_reader_parse(dq_json_reader *reader, const char *text, size_t bytes, dq_arena *arena,
                               dq_value *value, dq_error *error);

/* The decimal number that begins a text, correctly rounded as strtod(3) does it: how many of its bytes that
 * is, 0 where there is none, or where it is too large or small for a double and strtod has to say. No sign
 * but a minus, no words (nan, inf), no hexadecimal digits. */
size_t dq_json_reader_number(const char *text, size_t bytes, double *number);

#ifdef __cplusplus
}
#endif

#endif
