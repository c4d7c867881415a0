/* SPDX-License-Identifier: MIT
 *
 * libcurl's header, of a libcurl that is loaded with the first client (core/load/shared.h): most runs of a
 * program that could ask a server ask none, and libcurl comes with thirty libraries. Its functions, as many
 * as this room calls, are called by their names, each of which stands for a pointer. Those that take
 * arguments of any type (curl_easy_setopt and its like) are curl.c's functions, since libcurl's header checks
 * the arguments by macros of their names.
 */
#ifndef DQ_PORT_HTTP_CURL_H
#define DQ_PORT_HTTP_CURL_H

#include "dq/status.h"

#include <curl/curl.h>

/* clang-format off */
#define DQ_CURL_CALLS(call) \
    call(easy_cleanup) call(easy_init) call(easy_strerror) call(easy_unescape) call(free) \
    call(global_cleanup) call(global_init) call(multi_add_handle) call(multi_assign) call(multi_cleanup) \
    call(multi_info_read) call(multi_init) call(multi_remove_handle) call(multi_socket_action) \
    call(slist_append) call(slist_free_all) call(url) call(url_cleanup) call(url_get) call(url_set) \
    call(easy_getinfo) call(easy_setopt) call(multi_setopt)
/* clang-format on */

#define DQ_POINTER(name) __typeof__(&curl_##name) name;
extern struct dq_curl {
    DQ_CURL_CALLS(DQ_POINTER)
} dq_curl;
#undef DQ_POINTER

/* Before any of them is called. DQ_ERR_UNSUPPORTED where libcurl cannot be loaded. */
dq_status dq_http_load_curl(dq_error *error);

#define curl_easy_cleanup        dq_curl.easy_cleanup
#define curl_easy_init           dq_curl.easy_init
#define curl_easy_strerror       dq_curl.easy_strerror
#define curl_easy_unescape       dq_curl.easy_unescape
#define curl_free                dq_curl.free
#define curl_global_cleanup      dq_curl.global_cleanup
#define curl_global_init         dq_curl.global_init
#define curl_multi_add_handle    dq_curl.multi_add_handle
#define curl_multi_assign        dq_curl.multi_assign
#define curl_multi_cleanup       dq_curl.multi_cleanup
#define curl_multi_info_read     dq_curl.multi_info_read
#define curl_multi_init          dq_curl.multi_init
#define curl_multi_remove_handle dq_curl.multi_remove_handle
#define curl_multi_socket_action dq_curl.multi_socket_action
#define curl_slist_append        dq_curl.slist_append
#define curl_slist_free_all      dq_curl.slist_free_all
#define curl_url                 dq_curl.url
#define curl_url_cleanup         dq_curl.url_cleanup
#define curl_url_get             dq_curl.url_get
#define curl_url_set             dq_curl.url_set

#endif
