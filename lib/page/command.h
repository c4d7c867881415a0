/* SPDX-License-Identifier: MIT
 *
 * A command line on a page: as a shell would take it, without what looks like a secret. There "***" stands
 * for
 *
 *     the name and password of an address    https://me:secret@host/
 *     a value whose name ends in key, token, secret, password, passwd, pwd, passphrase, auth or
 *     credentials, of whatever form          API_KEY=..., --api-key ..., ?token=..., {"token":"..."}
 *     what follows Bearer or Basic           Authorization: Bearer ...
 *
 * Nothing else is known to be one: whoever puts a secret where none belongs finds it on the page.
 */
#ifndef DQ_PAGE_COMMAND_H
#define DQ_PAGE_COMMAND_H

#include "page/html.h"

/* Appends the words, escaped for HTML. */
void dq_page_command_write(const char *const *words, size_t count, dq_html *out);
/* Whether a name of n bytes ends in a word for secrets: "API_KEY", "token", not "monkey". */
bool dq_page_names_secret(const char *name, size_t n);
/* A text without secrets. */
dq_status dq_page_without_secrets(const char *text, size_t bytes, dq_json_text *to, dq_error *error);

#endif
