/* SPDX-License-Identifier: MIT
 *
 * libmongoc's header, of a libmongoc that is loaded with the first database (core/load/shared.h): it begins
 * with threads, TLS, SASL and a file of counters, which is 6 ms of CPU and 7 MiB for an export of files. Its
 * functions, as many as this room calls, are called by their names, each of which stands for a pointer.
 */
#ifndef DQ_PORT_MONGO_MONGOC_H
#define DQ_PORT_MONGO_MONGOC_H

#include "dq/status.h"

#include <mongoc/mongoc.h>

/* What libmongoc uses where nobody says otherwise; self is the client. It is exported, and in no header: its
 * prototype is ours, and the compiler checks it against the type of initiators, which the headers have. A
 * libmongoc that has it no more cannot be loaded. */
mongoc_stream_t *mongoc_client_default_stream_initiator(const mongoc_uri_t *uri,
                                                        const mongoc_host_list_t *host, void *self,
                                                        bson_error_t *error);

/* clang-format off */
#define DQ_MONGOC_CALLS(call) \
    call(client_destroy) call(client_get_collection) call(client_get_database) \
    call(client_new_from_uri_with_error) call(client_set_error_api) call(client_set_stream_initiator) \
    call(collection_destroy) call(collection_find_with_opts) call(cursor_destroy) call(cursor_error) \
    call(cursor_next) call(database_destroy) call(database_find_collections_with_opts) call(init) \
    call(stream_check_closed) call(stream_close) call(stream_destroy) call(stream_failed) \
    call(stream_flush) call(stream_readv) call(stream_setsockopt) call(stream_should_retry) \
    call(stream_timed_out) call(stream_writev) call(uri_copy) call(uri_destroy) call(uri_get_database) \
    call(uri_get_hosts) call(uri_get_password) call(uri_get_srv_hostname) call(uri_has_option) \
    call(uri_new_with_error) call(uri_set_compressors) call(uri_set_option_as_bool) \
    call(uri_set_option_as_int32) call(client_default_stream_initiator)
/* clang-format on */

#define DQ_POINTER(name) __typeof__(&mongoc_##name) name;
extern struct dq_mongoc {
    DQ_MONGOC_CALLS(DQ_POINTER)
} dq_mongoc;
#undef DQ_POINTER

/* Before any of them is called; once, any thread. DQ_ERR_UNSUPPORTED where libmongoc cannot be loaded. */
dq_status dq_mongo_load(dq_error *error);

#define mongoc_client_destroy                      dq_mongoc.client_destroy
#define mongoc_client_get_collection               dq_mongoc.client_get_collection
#define mongoc_client_get_database                 dq_mongoc.client_get_database
#define mongoc_client_new_from_uri_with_error      dq_mongoc.client_new_from_uri_with_error
#define mongoc_client_set_error_api                dq_mongoc.client_set_error_api
#define mongoc_client_set_stream_initiator         dq_mongoc.client_set_stream_initiator
#define mongoc_collection_destroy                  dq_mongoc.collection_destroy
#define mongoc_collection_find_with_opts           dq_mongoc.collection_find_with_opts
#define mongoc_cursor_destroy                      dq_mongoc.cursor_destroy
#define mongoc_cursor_error                        dq_mongoc.cursor_error
#define mongoc_cursor_next                         dq_mongoc.cursor_next
#define mongoc_database_destroy                    dq_mongoc.database_destroy
#define mongoc_database_find_collections_with_opts dq_mongoc.database_find_collections_with_opts
#define mongoc_init                                dq_mongoc.init
#define mongoc_stream_check_closed                 dq_mongoc.stream_check_closed
#define mongoc_stream_close                        dq_mongoc.stream_close
#define mongoc_stream_destroy                      dq_mongoc.stream_destroy
#define mongoc_stream_failed                       dq_mongoc.stream_failed
#define mongoc_stream_flush                        dq_mongoc.stream_flush
#define mongoc_stream_readv                        dq_mongoc.stream_readv
#define mongoc_stream_setsockopt                   dq_mongoc.stream_setsockopt
#define mongoc_stream_should_retry                 dq_mongoc.stream_should_retry
#define mongoc_stream_timed_out                    dq_mongoc.stream_timed_out
#define mongoc_stream_writev                       dq_mongoc.stream_writev
#define mongoc_uri_copy                            dq_mongoc.uri_copy
#define mongoc_uri_destroy                         dq_mongoc.uri_destroy
#define mongoc_uri_get_database                    dq_mongoc.uri_get_database
#define mongoc_uri_get_hosts                       dq_mongoc.uri_get_hosts
#define mongoc_uri_get_password                    dq_mongoc.uri_get_password
#define mongoc_uri_get_srv_hostname                dq_mongoc.uri_get_srv_hostname
#define mongoc_uri_has_option                      dq_mongoc.uri_has_option
#define mongoc_uri_new_with_error                  dq_mongoc.uri_new_with_error
#define mongoc_uri_set_compressors                 dq_mongoc.uri_set_compressors
#define mongoc_uri_set_option_as_bool              dq_mongoc.uri_set_option_as_bool
#define mongoc_uri_set_option_as_int32             dq_mongoc.uri_set_option_as_int32
#define mongoc_client_default_stream_initiator     dq_mongoc.client_default_stream_initiator

#endif
