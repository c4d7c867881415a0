/* SPDX-License-Identifier: MIT
 *
 * A database as a place: its URI, and which kinds of ids its collections have. The documents are cursor.c's.
 */
#include "port/mongo/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 8000, ANSWER_MS = 60000 };

/* ---- opening ---- */

static void default_int32(mongoc_uri_t *uri, const char *option, int32_t value)
{
    if (!mongoc_uri_has_option(uri, option)) (void)mongoc_uri_set_option_as_int32(uri, option, value);
}

static void name_host(dq_mongo_database *d)
{
    const char *service = mongoc_uri_get_srv_hostname(d->uri);
    size_t used = 0;
    if (service) (void)snprintf(d->host, sizeof d->host, "%s", service);
    for (const mongoc_host_list_t *h = mongoc_uri_get_hosts(d->uri); !service && h && used < sizeof d->host;
         h = h->next)
        used += (size_t)snprintf(d->host + used, sizeof d->host - used, "%s%s", used ? "," : "",
                                 h->host_and_port);
}

/* ---- kinds of ids ---- */

static unsigned kind_of(const bson_t *document, const char *key)
{
    bson_iter_t at;
    if (!dq_mongo_find(document, key, &at)) return 0;
    bool other_number = BSON_ITER_HOLDS_DOUBLE(&at) || BSON_ITER_HOLDS_DECIMAL128(&at);
    if (BSON_ITER_HOLDS_INT(&at) || other_number) return DQ_ID_INTEGER;
    if (BSON_ITER_HOLDS_UTF8(&at)) return DQ_ID_STRING;
    if (BSON_ITER_HOLDS_BINARY(&at)) return DQ_ID_BINARY;
    return BSON_ITER_HOLDS_OID(&at) ? DQ_ID_OBJECT : 0;
}

/* The kind of a document's key that the filter finds, if it finds one. */
static dq_status ask(dq_mongo_database *d, const dq_query *query, const bson_t *filter, unsigned *kinds,
                     bson_error_t *why, dq_error *error)
{
    const bson_t *document;
    dq_status status = d->link.client ? DQ_OK : dq_mongo_connect(d, DQ_MONGO_QUESTION, &d->link, error);
    if (status) return status;
    bson_t *options = BCON_NEW("limit", BCON_INT64(1), "projection", "{", query->key, BCON_INT32(1), "}");
    mongoc_collection_t *collection = mongoc_client_get_collection(d->link.client, d->name,
                                                                   query->collection);
    mongoc_cursor_t *run = mongoc_collection_find_with_opts(collection, filter, options, NULL);
    if (mongoc_cursor_next(run, &document)) *kinds |= kind_of(document, query->key);
    if (mongoc_cursor_error(run, why)) status = dq_mongo_fail(d, why, error);
    mongoc_cursor_destroy(run);
    mongoc_collection_destroy(collection);
    bson_destroy(options);
    return status;
}

/* The same, asked once more over a new connection where that may help. */
static dq_status probe(dq_mongo_database *d, const dq_query *query, const bson_t *filter, unsigned *kinds,
                       dq_error *error)
{
    bson_error_t why = {0};
    dq_status status = ask(d, query, filter, kinds, &why, error);
    if (!status || !dq_mongo_passes(d, &why)) return status;
    *error = DQ_ERROR_NONE;
    dq_mongo_disconnect(&d->link);
    return ask(d, query, filter, kinds, &why, error);
}

static dq_status mongo_kinds(dq_collections *place, const dq_query *query, unsigned *kinds, dq_error *error)
{
    const char *key = query->key;
    bson_t *filters[] = {BCON_NEW(key, "{", "$type", BCON_UTF8("number"), "}"),
                         BCON_NEW(key, "{", "$type", BCON_UTF8("string"), "}"),
                         BCON_NEW(key, "{", "$type", BCON_UTF8("binData"), "}"),
                         BCON_NEW(key, "{", "$type", BCON_UTF8("objectId"), "}")};
    dq_status status = DQ_OK;
    *kinds = 0;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (!status) status = probe(place->self, query, filters[i], kinds, error);
        bson_destroy(filters[i]);
    }
    return status;
}

/* ---- the place ---- */

bool dq_mongo_is_uri(const char *text)
{
    return strncmp(text, "mongodb://", 10) == 0 || strncmp(text, "mongodb+srv://", 14) == 0;
}

static void mongo_close_place(dq_collections *place)
{
    dq_mongo_database *d = place->self;
    place->self = NULL;
    if (!d) return;
    dq_mongo_disconnect(&d->link);
    mongoc_uri_destroy(d->uri);
    free(d);
}

/* An @ or a / that a password has as it is would make a host of its rest, and be named as one. */
static bool has_stray_at(const char *uri)
{
    const char *from = strstr(uri, "://"), *at = from ? strchr(from, '@') : NULL;
    if (!at) return false;
    const char *slash = strchr(from + 3, '/'), *options = strchr(from, '?');
    const char *second = strchr(at + 1, '@');
    return (slash && slash < at && (!options || at < options)) || (second && (!options || second < options));
}

static dq_status read_uri(dq_mongo_database *d, const char *text, dq_error *error)
{
    d->uri = has_stray_at(text) ? NULL : mongoc_uri_new_with_error(text, NULL);
    if (!d->uri) /* libmongoc's words may quote what is secret */
        return dq_fail(
            error, DQ_ERR_RANGE,
            "not a MongoDB URI: mongodb://[USER:PASSWORD@]HOST[:PORT]/DATABASE[?OPTIONS], with %%40 "
            "for an @ and %%2F for a / in the password");
    name_host(d);
    d->name = mongoc_uri_get_database(d->uri);
    if (!d->name || !*d->name) {
        dq_fail(error, DQ_ERR_RANGE, "the URI names no database (mongodb://HOST/DATABASE)");
        return dq_error_at(error, d->host, DQ_NO_RECORD);
    }
    default_int32(d->uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_MS);
    default_int32(d->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, CONNECT_MS);
    default_int32(d->uri, MONGOC_URI_SOCKETTIMEOUTMS, ANSWER_MS);
    (void)mongoc_uri_set_compressors(d->uri, ""); /* what is compressed cannot be looked at (reply.h) */
    return DQ_OK;
}

dq_status dq_collections_open_mongo(dq_collections *place, const char *uri, dq_error *error)
{
    dq_status status = dq_mongo_load(error);
    dq_mongo_database *d = status ? NULL : calloc(1, sizeof *d);
    if (status) return status;
    if (!d) return dq_fail_memory(error, "a database");
    *place = (dq_collections){
        .open = dq_mongo_open, .kinds = mongo_kinds, .close = mongo_close_place, .self = d};
    status = read_uri(d, uri, error);
    if (status) mongo_close_place(place);
    return status;
}
