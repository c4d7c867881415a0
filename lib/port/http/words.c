/* SPDX-License-Identifier: MIT
 *
 * What is said of a request, on one line and without the key.
 */
#include "port/http/impl.h"

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

void dq_http_mask_text(const char *key, char *text, size_t bytes)
{
    size_t n = strlen(key);
    for (char *at = text; (at = memmem(at, bytes - (size_t)(at - text), key, n)); at += n) memset(at, '*', n);
}

void dq_http_explain(const dq_http *http, dq_request *r, const char *format, ...)
{
    dq_error e = DQ_ERROR_NONE;
    char words[DQ_HTTP_REASON];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    dq_fail(&e, DQ_ERR_IO, "%s: %s", http->server, words); /* which also keeps it on one line */
    (void)snprintf(r->reason, sizeof r->reason, "%s", e.reason);
    dq_http_mask(http, r->reason);
}

void dq_http_mask(const dq_http *http, char *text)
{
    if (http->key && strlen(http->key) >= DQ_HTTP_MASKED) dq_http_mask_text(http->key, text, strlen(text));
}
