/* SPDX-License-Identifier: MIT
 *
 * Where documents come from: a run of maps (a JSON-lines file, a table, a database's cursor), and a place
 * that has several of them by name (a folder, a database). What becomes of documents is written once, in
 * lib/import; a new kind of source is one more file in lib/port that fills these two in.
 */
#ifndef DQ_PORT_FILES_DOCUMENTS_H
#define DQ_PORT_FILES_DOCUMENTS_H

#include "dq/source.h"
#include "dq/status.h"
#include "dq/value.h"

enum dq_document_answer {
    DQ_DOCUMENT_BROKEN = -1, /* no more can be read: *error says why */
    DQ_DOCUMENT_END = 0,
    DQ_DOCUMENT = 1,
    DQ_DOCUMENT_BAD = 2,      /* this one cannot be read (*error says why), the next may be */
    DQ_DOCUMENT_NOT_UTF8 = 3, /* so is this one, because of its encoding */
};

/* A run of documents. */
typedef struct dq_documents {
    /* The next document, a DQ_MAP in the arena, of which a table's entries and texts are the table's own,
     * until the next call; see dq_document_answer. Sets record. */
    int (*next)(struct dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error);
    void (*close)(struct dq_documents *documents); /* releases self, too */
    void *self;
    uint64_t shape; /* equal numbers: the documents have the same keys in the same order; 0: it is not said */
    char name[160]; /* for messages: a file's name, a collection */
    uint64_t record; /* number of the last document, from 1: its line in a file; DQ_NO_RECORD where a number
                        says nothing and its _id is what it is known by */
} dq_documents;

/* Kinds of ids, in the order in which ids stand: a bit each. */
enum dq_id_kinds { DQ_ID_INTEGER = 1, DQ_ID_STRING = 2, DQ_ID_BINARY = 4, DQ_ID_OBJECT = 8 };

/* A key under which a vector of that width stands. */
typedef struct dq_vector_key {
    const char *key;
    uint32_t width;
} dq_vector_key;

/* What is wanted of a collection. All but its name are wishes: a place that cannot grant one gives more, in
 * its own order and form, and the reader looks for itself. */
typedef struct dq_query {
    const char *collection;
    const char *key;              /* what its documents are known and sorted by */
    const char *const *keys;      /* NULL-ended: the only keys wanted; NULL: all */
    const dq_vector_key *vectors; /* numbers that may come as DQ_FLOATS */
    size_t vector_count;
    const char *where; /* a filter in the place's own language, or NULL */
    const char *const
        *ids;      /* NULL-ended: only documents whose key is one of these texts, whatever its kind */
    uint64_t most; /* no more than about this many will be read; 0: all */
} dq_query;

/* A place with collections of documents. */
typedef struct dq_collections {
    /* Opens one; DQ_ERR_UNKNOWN when the place has none of that name. The query is borrowed while it is read.
     */
    dq_status (*open)(struct dq_collections *place, const dq_query *query, dq_documents *documents,
                      dq_error *error);
    /* Of a place that grants all wishes, or NULL: which of the kinds (DQ_ID_*) stand under the query's key.
     */
    dq_status (*kinds)(struct dq_collections *place, const dq_query *query, unsigned *kinds, dq_error *error);
    void (*close)(struct dq_collections *place);
    void *self;
} dq_collections;

/* Sees a document that was read ahead. It may leave less of *document than it found, which is then what is
 * given again. *counts = false: the document does not count towards those that are read ahead; equal ones of
 * these, one behind the other, are kept as one. */
typedef dq_status (*dq_documents_see)(void *arg, dq_value *document, bool *counts, dq_error *error);

/* Reads documents ahead, up to so many that count, or until what is kept takes so many bytes, and shows each
 * to `see`; they are then given again, bad ones and the end too, before the rest. DQ_ERR_MEMORY, or what
 * `see` answered; the documents are to be closed all the same. */
dq_status dq_documents_look_ahead(dq_documents *documents, size_t count, size_t bytes, dq_documents_see see,
                                  void *arg, dq_error *error);

/* JSON documents of a source, which is taken over: one a line, one after the other over several lines, or the
 * elements of arrays. Empty lines are passed over. A file that ends inside a document or an array was cut
 * off: DQ_DOCUMENT_BROKEN, DQ_ERR_TRUNCATED. */
dq_status dq_documents_open_json(dq_documents *documents, dq_source *source, dq_error *error);

/* A folder that holds COLLECTION.jsonl or .json, also with .zst or .gz, for each of its collections; two of
 * these for one collection is an error (DQ_ERR_DUPLICATE). It grants no wishes. Files are of the encoding
 * (dq_source_encoding's; NULL: UTF-8), which is borrowed as long as the place is open. */
dq_status dq_collections_open_folder(dq_collections *place, const char *path, const char *encoding,
                                     dq_error *error);

#endif
