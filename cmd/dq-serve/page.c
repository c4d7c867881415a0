/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <string.h>

/* The page may run and load what this server gives, talk to this server, and nothing else: no script or style
 * within the markup, no plug-in, no frame around it. Trusted types: the browser refuses text as markup. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const page_file *find_file(const char *path)
{
    const page_file *f = page_files;
    while (f->path && strcmp(f->path, path) != 0) f++;
    return f->path ? f : NULL;
}

/* If-None-Match is a list of tags, or "*". No tag of ours is within another. */
static bool has_it(const dq_httpd_request *request, const page_file *file)
{
    const char *tags = dq_httpd_header(request, "If-None-Match");
    return tags && (strcmp(tags, "*") == 0 || strstr(tags, file->etag));
}

void page_answer(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply)
{
    (void)serve;
    const page_file *file = find_file(call->request->path);
    if (!file) {
        dq_serve_problem(reply, call->request, 404, "Not Found", "the page has no such file");
        return;
    }
    dq_httpd_reply_header(reply, "Content-Security-Policy", policy);
    dq_httpd_reply_header(reply, "Referrer-Policy", "no-referrer");
    dq_httpd_reply_header(reply, "Cache-Control", "no-cache"); /* kept, and asked about each time */
    dq_httpd_reply_header(reply, "ETag", file->etag);
    reply->body = file->bytes;
    reply->bytes = file->n;
    if (!has_it(call->request, file)) return;
    reply->status = 304;
    reply->type = NULL;
}
