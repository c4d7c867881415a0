/* SPDX-License-Identifier: MIT
 *
 * The documents of one collection that entities are put together from, with their ids, one in hand.
 */
#ifndef DQ_IMPORT_READER_H
#define DQ_IMPORT_READER_H

#include "import/mapping.h"
#include "import/tally.h"

/* The document in hand, and its id, live until the reader goes on. */
typedef struct dq_import_reader {
    const dq_import_part *part;
    dq_documents documents;
    dq_query query;
    const char *const *keys; /* (key_count) that the part is read for */
    size_t key_count;
    dq_arena asked; /* of the query and these */
    bool open;
    bool waiting; /* the document in hand has not been taken yet: its taker makes this false */
    dq_value document;
    dq_import_id id;
    dq_arena arena; /* of the document in hand */
    bool sorted;
    dq_import_id last; /* of the document before, where the order matters */
    char *last_text;
} dq_import_reader;

/* Opens a part's collection. Of the wish ids, where and most count: see dq_query. With `sorted` the place has
 * promised the order of dq_import_merge_compare, and the reader sees that it is kept. Place, part and the
 * wish's texts are borrowed. To be closed also on failure. */
dq_status dq_import_reader_open(dq_import_reader *reader, dq_collections *place, const dq_import_part *part,
                                const dq_query *wish, bool sorted, dq_error *error);

/* Has a document in hand: the one that waits, or the next one with an id; others are counted in the tally. 1,
 * 0 at the end, -1 for an error. */
int dq_import_reader_advance(dq_import_reader *reader, dq_import_tally *tally, dq_error *error);

void dq_import_reader_close(dq_import_reader *reader);

/* The order in which collections are merged: their ids are of one kind, or ObjectIds against their hex
 * digits. */
int dq_import_merge_compare(const dq_import_id *a, const dq_import_id *b);

#endif
