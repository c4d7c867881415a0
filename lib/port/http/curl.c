/* SPDX-License-Identifier: MIT */
#include "port/http/curl.h"

#include "core/load/shared.h"

#include <stdarg.h>

#define SYMBOL(function) {.name = "curl_" #function, .to = &dq_curl.function},
static const dq_shared_symbol symbols[] = {DQ_CURL_CALLS(SYMBOL){0}};

struct dq_curl dq_curl;
static dq_shared library = {
    .soname = DQ_SONAME, .package = "libcurl4 or libcurl3-gnutls", .symbols = symbols};

dq_status dq_http_load_curl(dq_error *error)
{
    return dq_shared_load(&library, error);
}

/* What is got goes to where a pointer points, whatever it is. */
CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO what, ...)
{
    va_list list;
    va_start(list, what);
    void *to = va_arg(list, void *);
    va_end(list);
    return (dq_curl.easy_getinfo)(easy, what, to);
}

/* Options are numbered by the type of their arguments, by which libcurl itself tells them apart: below
 * OBJECTPOINT a long, from OFF_T to BLOB an offset (which may be a long, too), all others a pointer. */
#define SET(set, handle, option)                                                                             \
    do {                                                                                                     \
        va_list list;                                                                                        \
        va_start(list, option);                                                                              \
        if ((int)(option) < CURLOPTTYPE_OBJECTPOINT)                                                         \
            code = (set)(handle, option, va_arg(list, long));                                                \
        else if ((int)(option) >= CURLOPTTYPE_OFF_T && (int)(option) < CURLOPTTYPE_BLOB)                     \
            code = (set)(handle, option, va_arg(list, curl_off_t));                                          \
        else                                                                                                 \
            code = (set)(handle, option, va_arg(list, void *));                                              \
        va_end(list);                                                                                        \
    } while (0)

CURLcode(curl_easy_setopt)(CURL *easy, CURLoption option, ...)
{
    CURLcode code;
    SET(dq_curl.easy_setopt, easy, option); /* NOLINT(bugprone-branch-clone) */
    return code;
}

CURLMcode(curl_multi_setopt)(CURLM *multi, CURLMoption option, ...)
{
    CURLMcode code;
    SET(dq_curl.multi_setopt, multi, option); /* NOLINT(bugprone-branch-clone) */
    return code;
}
