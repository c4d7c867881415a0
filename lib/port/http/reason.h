/* SPDX-License-Identifier: MIT
 *
 * What a server says of its own failure, as the servers of this world put it: JSON with the words in `error`
 * (a text, or a map with `message`), `errors`, `detail` (a text, or a list of {"loc", "msg"} as FastAPI's),
 * `message`, `title` and `detail` (RFC 9457), a list around one of these (Gemini); a line of plain text; a
 * page, of which only the title counts. And whether these words are of money: what has been spent does not
 * come back by waiting.
 */
#ifndef DQ_PORT_HTTP_REASON_H
#define DQ_PORT_HTTP_REASON_H

#include <stdbool.h>
#include <stddef.h>

enum { DQ_HTTP_SAID = 2048 };

typedef struct dq_http_reason {
    char words[DQ_HTTP_SAID]; /* UTF-8 on one line, without control characters, cut at a character;
                                 empty: it says nothing */
    bool error;               /* JSON that is an error's: a 200 with it is no answer */
    bool spent;               /* a code or a type says that a quota, a budget or a balance is spent */
    bool seems_spent;         /* the words do, and name no time to come back at */
} dq_http_reason;

/* Reads a body (any bytes; it may be NULL when it has none). */
void dq_http_read_reason(const char *body, size_t bytes, dq_http_reason *reason);

/* Cuts a text of UTF-8 to at most `most` bytes, at a character, with "..." at its end where it was longer;
 * most >= 4. */
void dq_http_shorten(char *text, size_t most);

#endif
