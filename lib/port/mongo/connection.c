/* SPDX-License-Identifier: MIT
 *
 * Connections to a database, and what libmongoc complains of in words.
 */
#include "port/mongo/client.h"

#include <stdio.h>
#include <string.h>

/* ---- words ---- */

/* What libmongoc says of a server that cannot be chosen, without its brackets around what matters; what it
 * says too little of in our words. */
static const char *matter(const bson_error_t *why, char *room, size_t size)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {
        {"Failed to connect to target host", "connection refused or timed out"},
        {"Failed to receive length header", "Server closed connection (does it want tls=true?)"},
        {"TLS handshake timed out", "TLS handshake timed out (does the server speak TLS?)"},
        {"TLS handshake failed.", "TLS handshake failed (does the server speak TLS?)"},
    };
    const char *from = strchr(why->message, '['), *to = from ? strpbrk(from, "]") : NULL;
    const char *calling = from ? strstr(from, " calling ") : NULL;
    if (why->domain != MONGOC_ERROR_SERVER_SELECTION || !to) return why->message;
    if (calling && calling < to) to = calling;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(from + 1, words[i].theirs, strlen(words[i].theirs)) == 0) {
            (void)snprintf(room, size, "cannot reach the server: %s", words[i].ours);
            return room;
        }
    (void)snprintf(room, size, "cannot reach the server: %.*s", (int)(to - from - 1), from + 1);
    return room;
}

/* libmongoc's error as ours; a password that stands in its words does not leave. */
dq_status dq_mongo_fail(const dq_mongo_database *d, const bson_error_t *why, dq_error *error)
{
    char room[sizeof why->message + 32];
    const char *words = matter(why, room, sizeof room), *secret = mongoc_uri_get_password(d->uri);
    bool lied = d->lie &&
                (why->domain == MONGOC_ERROR_STREAM || why->domain == MONGOC_ERROR_SERVER_SELECTION);
    if (lied) {
        (void)snprintf(room, sizeof room, "the server's reply is not sound: %s", d->lie);
        words = room;
    }
    if (secret && *secret && strstr(words, secret)) words = "refused, in words that would tell the password";
    dq_fail(error, DQ_ERR_IO, "%s", words);
    return dq_error_at(error, d->host, DQ_NO_RECORD);
}

bool dq_mongo_passes(const dq_mongo_database *d, const bson_error_t *why)
{
    static const uint32_t codes[] = {6,   7,    43,    89,    91,    175,   189,  237,
                                     262, 9001, 10107, 11600, 11602, 13435, 13436};
    if (why->domain == MONGOC_ERROR_STREAM) return !d->lie;
    if (why->domain == MONGOC_ERROR_SERVER_SELECTION) return false; /* it has been waited for */
    for (size_t i = 0; why->domain == MONGOC_ERROR_SERVER && i < sizeof codes / sizeof *codes; i++)
        if (why->code == codes[i]) return true;
    return false;
}

/* ---- connecting ---- */

dq_status dq_mongo_connect(dq_mongo_database *d, dq_mongo_purpose purpose, dq_mongo_link *link,
                           dq_error *error)
{
    bson_error_t why;
    mongoc_uri_t *uri = mongoc_uri_copy(d->uri);
    if (!mongoc_uri_has_option(uri, MONGOC_URI_SERVERSELECTIONTRYONCE))
        (void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE,
                                            purpose != DQ_MONGO_RESUME);
    if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYREADS))
        (void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, purpose == DQ_MONGO_QUESTION);
    *link = (dq_mongo_link){.client = mongoc_client_new_from_uri_with_error(uri, &why), .of = d};
    mongoc_uri_destroy(uri);
    if (!link->client) return dq_mongo_fail(d, &why, error);
    (void)mongoc_client_set_error_api(link->client, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_stream_initiator(link->client, dq_mongo_stream, link);
    return DQ_OK;
}

void dq_mongo_disconnect(dq_mongo_link *link)
{
    mongoc_client_destroy(link->client);
    link->client = NULL;
}

bool dq_mongo_find(const bson_t *document, const char *key, bson_iter_t *at)
{
    bson_iter_t root;
    if (!strchr(key, '.')) return bson_iter_init_find(at, document, key);
    return bson_iter_init(&root, document) && bson_iter_find_descendant(&root, key, at);
}
