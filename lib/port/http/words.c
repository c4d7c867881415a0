/* SPDX-License-Identifier: MIT
 *
 * What is said of a request, on one line and without the key.
 */
#include "port/http/impl.h"

#include "core/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

double dq_http_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool dq_http_add_secret(dq_http *http, const char *text, size_t bytes)
{
    if (!dq_array_resize(&http->secrets, http->secret_count + 1, sizeof *http->secrets)) return false;
    char *copy = http->secrets[http->secret_count] = strndup(text, bytes);
    http->secret_count += copy != NULL;
    return copy;
}

void dq_http_mask_text(const dq_http *http, char *text, size_t bytes, size_t least)
{
    for (size_t i = 0; i < http->secret_count; i++) {
        size_t n = strlen(http->secrets[i]);
        if (n < least) continue;
        for (char *at = text; (at = memmem(at, bytes - (size_t)(at - text), http->secrets[i], n)); at += n)
            memset(at, '*', n);
    }
}

void dq_http_explain(const dq_http *http, dq_request *r, const char *format, ...)
{
    dq_error e = DQ_ERROR_NONE;
    char words[DQ_HTTP_REASON], path[DQ_HTTP_SHOWN + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    (void)snprintf(path, sizeof path, "%s", r->path);
    dq_fail(&e, DQ_ERR_IO, "%s/%s%s: %s", http->shown, path, http->via,
            words); /* which keeps it on one line */
    (void)snprintf(r->reason, sizeof r->reason, "%s", e.reason);
    dq_http_mask(http, r->reason);
}

void dq_http_mask(const dq_http *http, char *text)
{
    dq_http_mask_text(http, text, strlen(text), DQ_HTTP_MASKED);
}
