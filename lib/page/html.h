/* SPDX-License-Identifier: MIT
 *
 * HTML in the making. Nothing is appended after a failure: the status is asked once, at the end.
 *
 *     dq_html h = {.error = error};
 *     dq_html_raw(&h, "<p>");  dq_html_text(&h, name, bytes);  dq_html_raw(&h, "</p>\n");
 *     if (!h.status) status = dq_sink_write(out, h.text.data, h.text.bytes, error);
 *     dq_html_free(&h);
 */
#ifndef DQ_PAGE_HTML_H
#define DQ_PAGE_HTML_H

#include "port/files/json.h"

#include <stdint.h>

typedef struct dq_html {
    dq_json_text text;
    dq_error *error; /* may be NULL */
    dq_status status;
} dq_html;

/* Markup of ours, as it is; the second for numbers, which need no escaping. */
void dq_html_raw(dq_html *h, const char *markup);
void dq_html_printf(dq_html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dq_html_append(dq_html *h, const char *markup, size_t bytes);

/* Anybody's text, for an element's content and for an attribute's value in either quotes. What could be
 * markup becomes a reference. What no reader should obey is written out: a control character as \xNN
 * (core/utf8.h), a byte that is no UTF-8 likewise, and a character that turns the direction of what follows
 * as \uNNNN. */
void dq_html_text(dq_html *h, const char *text, size_t bytes);
void dq_html_words(dq_html *h, const char *text); /* NUL-terminated; NULL is empty */

/* Bytes in base64 (RFC 4648), as a data: URI holds them. */
void dq_html_base64(dq_html *h, const void *data, size_t bytes);

void dq_html_free(dq_html *h);

#endif
