/* SPDX-License-Identifier: MIT
 *
 * What the two files of the MongoDB client share: the database, a connection to it, and its errors in our
 * words.
 */
#ifndef DQ_PORT_MONGO_CLIENT_H
#define DQ_PORT_MONGO_CLIENT_H

#include "port/mongo/mongo.h"

#include <mongoc/mongoc.h>

typedef struct dq_mongo_database {
    mongoc_uri_t *uri;
    const char *name;        /* of the uri */
    mongoc_client_t *client; /* for small questions; NULL before the first */
    char host[160];          /* for messages */
} dq_mongo_database;

/* What a connection is for, which says how much patience it has. */
typedef enum dq_mongo_purpose {
    DQ_MONGO_QUESTION, /* asked once more when it is lost */
    DQ_MONGO_RUN,      /* the caller takes it up again */
    DQ_MONGO_RESUME,   /* the server was there: it is waited for, as when it is restarting */
} dq_mongo_purpose;

dq_status dq_mongo_connect(const dq_mongo_database *database, dq_mongo_purpose purpose,
                           mongoc_client_t **client, dq_error *error);

/* libmongoc's error as ours, at the host, without the password. */
dq_status dq_mongo_fail(const dq_mongo_database *database, const bson_error_t *why, dq_error *error);

/* Whether a new connection may do better: the network, a server that steps down or restarts, a cursor that
 * was forgotten. */
bool dq_mongo_passes(const bson_error_t *why);

/* dq_collections' open (cursor.c). */
dq_status dq_mongo_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                        dq_error *error);

#endif
