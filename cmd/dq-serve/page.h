/* SPDX-License-Identifier: MIT
 *
 * The page at "/": files within the program. embed.py makes their bytes and routes of page/ and of Debian's
 * Chart.js when the program is built, so that a server needs no files beside it.
 */
#ifndef DQ_SERVE_PAGE_H
#define DQ_SERVE_PAGE_H

#include "serve/route.h"

typedef struct page_file {
    const char *path; /* of its URL: "/style.css"; "/" is index.html */
    const char *etag; /* of its bytes, with quotes */
    const unsigned char *bytes;
    size_t n;
} page_file;

extern const page_file page_files[];       /* ended by {0} */
extern const dq_serve_route page_routes[]; /* of each file one; ended by {0} */

/* Answers with the file of the request's path; 304 where the browser has it already. */
dq_serve_handler page_answer;

#endif
