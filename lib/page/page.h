/* SPDX-License-Identifier: MIT
 *
 * A page of HTML in one file: parts below each other, a table of contents, a style. It needs no network and
 * no script, and its policy (Content-Security-Policy) forbids both, whatever stands in a part;
 * parts of other pages have no elements but those of reports.
 *
 *     dq_page page = DQ_PAGE_EMPTY;
 *     dq_page_add_file(&page, "rankings.html", &e);  dq_page_add_file(&page, "curves.html", &e);
 *     dq_page_write(&page, "Both", "dq-eval 0.1.0", out, &e);
 *     dq_page_free(&page);
 *
 * Parts can be taken out of a page again: each stands between two comments, of which the first says its bytes
 * and their XXH3-64.
 */
#ifndef DQ_PAGE_PAGE_H
#define DQ_PAGE_PAGE_H

#include "dq/sink.h"
#include "page/html.h"

/* A part is a section whose headings are lines of their own: <h2 id="...">, once, <h3 id="...">. Its ids
 * begin with its own, which no other part of a page has. */
typedef struct dq_page {
    dq_json_text *parts; /* (count) */
    size_t count, capacity;
} dq_page;

#define DQ_PAGE_EMPTY ((dq_page){0})

/* Takes a part over, also when it fails. DQ_ERR_DUPLICATE where the page has it already; DQ_ERR_FORMAT where
 * it is none. */
dq_status dq_page_add(dq_page *page, dq_json_text *part, dq_error *error);
/* Adds the parts of a page ("-": stdin). DQ_ERR_FORMAT for what is no such page, was changed, or has elements
 * that no report has (a meta that leads elsewhere, which no policy forbids); DQ_ERR_TRUNCATED for a part of
 * one. */
dq_status dq_page_add_file(dq_page *page, const char *path, dq_error *error);

/* title NULL: that of the first part; maker: "dq-eval 0.1.0". */
dq_status dq_page_write(const dq_page *page, const char *title, const char *maker, dq_sink *out,
                        dq_error *error);
void dq_page_free(dq_page *page);

/* style.c: the page's style sheet. */
extern const char dq_page_style[];

#endif
