/* SPDX-License-Identifier: MIT
 *
 * UTF-8, checked: texts are checked where they enter (a record's body, a cell, an id file), never later.
 */
#ifndef DQ_CORE_UTF8_H
#define DQ_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The way out for whoever has a text in something else. */
#define DQ_UTF8_ADVICE "iconv -f latin1 -t utf8, or --encoding latin1, if it is Latin-1"

/* True for well-formed UTF-8 (no overlong forms, surrogates, or values over 10FFFF). */
bool dq_utf8_valid(const void *text, size_t n);
/* True where every byte is below 0x80: a text in which nothing more is to be checked. */
bool dq_utf8_ascii(const void *text, size_t n);

/* Decodes the first character of n > 0 bytes; returns its length, or 0 when it is not well-formed. */
size_t dq_utf8_decode(const void *text, size_t n, uint32_t *code);

/* The bytes of the first character of n > 0 bytes of any text (1 for a byte that is no UTF-8), and whether it
 * is a control character: C0, DEL, or C1, as U+0080 to U+009F or as a byte. This is the one rule of what a
 * terminal may obey: each byte of one is written \xNN wherever people read (errors, tables, TSV). */
size_t dq_utf8_next(const char *text, size_t n, bool *control);
/* Writes a text so, NUL-terminated and cut to room - 1 bytes, at a whole character; returns its bytes. */
size_t dq_utf8_show(const char *text, size_t n, char *to, size_t room);

/* Whether a character is white space: Unicode's, and what takes no room, U+200B and U+FEFF. */
bool dq_utf8_is_space(uint32_t code);
/* Whether a text of UTF-8 has nothing else. */
bool dq_utf8_blank(const void *text, size_t n);
/* The bytes of the first `count` characters of a text of UTF-8, at most n. */
size_t dq_utf8_prefix(const void *text, size_t n, size_t count);

#endif
