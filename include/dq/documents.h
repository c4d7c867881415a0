/* SPDX-License-Identifier: MIT
 *
 * Where documents come from: a run of maps (a JSON-lines file, a table, a database's cursor), and a place
 * that has several of them by name (a folder, a database). What dq-export does with documents is written
 * once, above these two; a new kind of source is one more file in lib/port that fills them in.
 */
#ifndef DQ_DOCUMENTS_H
#define DQ_DOCUMENTS_H

#include "dq/status.h"
#include "dq/value.h"

enum dq_document_answer {
    DQ_DOCUMENT_BROKEN = -1, /* no more can be read: *error says why */
    DQ_DOCUMENT_END = 0,
    DQ_DOCUMENT = 1,
    DQ_DOCUMENT_BAD = 2, /* this one cannot be read (*error says why), the next may be */
};

/* A run of documents. */
typedef struct dq_documents {
    /* The next document, a DQ_MAP in the arena; see dq_document_answer. Sets record. */
    int (*next)(struct dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error);
    void (*close)(struct dq_documents *documents); /* releases self, too */
    void *self;
    char name[160];  /* for messages: a file's name, a collection */
    uint64_t record; /* number of the last document, from 1: its line in a file */
} dq_documents;

/* A place with collections of documents. */
typedef struct dq_collections {
    /* Opens one; DQ_ERR_UNKNOWN when the place has none of that name. */
    dq_status (*open)(struct dq_collections *place, const char *collection, dq_documents *documents,
                      dq_error *error);
    void (*close)(struct dq_collections *place);
    void *self;
} dq_collections;

/* A file of JSON lines ("-" is stdin), plain or compressed; empty lines are passed over. */
dq_status dq_documents_open_jsonl(dq_documents *documents, const char *path, dq_error *error);

/* A folder that holds COLLECTION.jsonl, .jsonl.zst or .jsonl.gz for each of its collections; two of these
 * for one collection is an error (DQ_ERR_DUPLICATE). */
dq_status dq_collections_open_folder(dq_collections *place, const char *path, dq_error *error);

#endif
