/* SPDX-License-Identifier: MIT
 *
 * A MongoDB database as a place of documents (port/files/documents.h), and BSON into values. Only the files
 * beside it see libmongoc and libbson.
 *
 * A value is what the document's relaxed extended JSON says ({"$oid": hex}, {"$date": "..."} ...), so that a
 * database and the folder that mongoexport makes of it are one and the same to a reader.
 */
#ifndef DQ_PORT_MONGO_MONGO_H
#define DQ_PORT_MONGO_MONGO_H

#include "port/files/documents.h"

/* Opens the database that the URI (mongodb:// or mongodb+srv://) names. Nothing is asked of the server yet.
 * Time-outs that the URI does not give are 8 s to connect and a minute for an answer. Errors name the host
 * and never a credential.
 *
 * Documents come sorted by the query's key: integers by value, strings by bytes, ObjectIds; what is no id
 * stands before, among or behind them. A connection lost, or a cursor that the server forgot, is taken up
 * again after the last key, up to three times without progress, and a server that is restarting is waited
 * for; a document is given once, whatever happens. Only documents without an id that stand behind ids may go
 * unmentioned when the connection is lost before them. */
dq_status dq_collections_open_mongo(dq_collections *place, const char *uri, dq_error *error);

/* What ends the process where libbson finds no memory; by itself it aborts. It does not return, and may run
 * in any thread. Before a place is opened. */
void dq_mongo_when_short_of_memory(void (*end_process)(void));

/* Whether text is such a URI. */
bool dq_mongo_is_uri(const char *text);

/* DQ_ERR_FORMAT unless text can be a query's `where`: one object of extended JSON. */
dq_status dq_mongo_check_filter(const char *text, dq_error *error);

enum { DQ_BSON_DEPTH = 32 };

/* One BSON document into a DQ_MAP in the arena. A list of numbers, or a binary vector, under one of the keys
 * of `vectors` becomes DQ_FLOATS, decoded without a value a number; where it is anything else it comes as
 * elsewhere. DQ_ERR_FORMAT for bytes that are no BSON, text that is not UTF-8, a key that stands twice, more
 * than 32 levels. */
dq_status dq_bson_read(const void *bytes, size_t size, const dq_vector_key *vectors, size_t vector_count,
                       dq_arena *arena, dq_value *document, dq_error *error);

/* What a BSON binary holds, as DQ_FLOATS in the arena. Subtype 9 is a byte for the type (0x27 float32, 0x03
 * int8), a byte of padding (0 for these), then the numbers, little-endian. Subtype 0, which people used
 * before there was a 9, is taken for plain little-endian float32 when it is exactly 4 * width bytes long.
 * DQ_ERR_SCHEMA for anything else. */
dq_status dq_bson_vector(const void *payload, size_t bytes, unsigned subtype, uint32_t width, dq_arena *arena,
                         dq_value *floats, dq_error *error);

#endif
