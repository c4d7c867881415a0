/* SPDX-License-Identifier: MIT
 *
 * What the files of the MongoDB client share: the database, a connection to it, and its errors in our
 * words.
 */
#ifndef DQ_PORT_MONGO_CLIENT_H
#define DQ_PORT_MONGO_CLIENT_H

#include "port/mongo/mongo.h"
#include "port/mongo/mongoc.h"

typedef struct dq_mongo_database {
    mongoc_uri_t *uri;
    const char *name; /* of the uri */
    char host[160];   /* for messages */
    const char *lie;  /* what was wrong with the last reply, in words; NULL: nothing */
    struct dq_mongo_link {
        mongoc_client_t *client; /* NULL before it is used */
        struct dq_mongo_database *of;
    } link; /* for small questions */
} dq_mongo_database;

typedef struct dq_mongo_link dq_mongo_link;

/* What a connection is for, which says how much patience it has. */
typedef enum dq_mongo_purpose {
    DQ_MONGO_QUESTION, /* asked once more when it is lost */
    DQ_MONGO_RUN,      /* the caller takes it up again */
    DQ_MONGO_RESUME,   /* the server was there: it is waited for, as when it is restarting */
} dq_mongo_purpose;

/* A client whose replies are looked at before libmongoc sees them (reply.h, stream.c). The link stays where
 * it is until dq_mongo_disconnect, which takes one without a client, too. */
dq_status dq_mongo_connect(dq_mongo_database *database, dq_mongo_purpose purpose, dq_mongo_link *link,
                           dq_error *error);
void dq_mongo_disconnect(dq_mongo_link *link);

/* libmongoc's initiator of streams; self is the link. */
mongoc_stream_t *dq_mongo_stream(const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *self,
                                 bson_error_t *error);

/* libmongoc's error as ours, at the host, without the password. */
dq_status dq_mongo_fail(const dq_mongo_database *database, const bson_error_t *why, dq_error *error);

/* Whether a new connection may do better: the network, a server that steps down or restarts, a cursor that
 * was forgotten; not where the server lied. */
bool dq_mongo_passes(const dq_mongo_database *database, const bson_error_t *why);

/* Finds what stands under a key, or a path. */
bool dq_mongo_find(const bson_t *document, const char *key, bson_iter_t *at);

/* dq_collections' open (cursor.c). */
dq_status dq_mongo_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                        dq_error *error);

#endif
