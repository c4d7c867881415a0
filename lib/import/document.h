/* SPDX-License-Identifier: MIT
 *
 * Documents of the generic form, as a file of JSON lines has them:
 *
 *     {"id", "text": {NAME: text ...}, "vector": [..] or {FIELD: [..] ...}, attributes ...}
 *     {"user", "item", "label", "reward", "propensity", "position", "request", "model", attributes ...}
 *
 * dq-cat writes such lines with a "kind", the stream's, so that one file may hold all three kinds and each
 * reader takes its own. An attribute of that name then stands under "attr.kind" (port/files/rows.h).
 */
#ifndef DQ_IMPORT_DOCUMENT_H
#define DQ_IMPORT_DOCUMENT_H

#include "import/file/shape.h"
#include "import/row.h"

/* Whether a document says of which of the stream's kinds it is. */
typedef enum dq_import_says {
    DQ_IMPORT_SAYS_NOTHING,
    DQ_IMPORT_SAYS_THIS,
    DQ_IMPORT_SAYS_ANOTHER
} dq_import_says;
dq_import_says dq_import_says_kind(const dq_value *document, const char *kind);
/* False for a document that says it is of another. */
bool dq_import_is_for(const dq_value *document, const char *kind);

/* Looks ahead at the first 1000 users, or items (or as many as 32 MiB hold), and makes the layout that most
 * of them have: the fields of the earliest, in its order, whose number and widths are the commonest; or no
 * vectors, where those without one are more than those of any layout. A row with a vector that cannot be read
 * has no say. The documents are then given again, so that a pipe does as well as a file. DQ_ERR_MEMORY; the
 * documents are to be closed all the same, and the layout's arena is the caller's to free. */
dq_status dq_import_find_layout(dq_documents *documents, const char *kind, dq_import_layout *layout,
                                dq_error *error);

/* A user or an item of a known layout. */
dq_import_fault dq_import_read_entity(const dq_value *document, const char *kind,
                                      const dq_import_layout *layout, dq_arena *arena,
                                      dq_import_entity *entity, dq_error *error);

/* Times of another form than data/time.h reads. */
typedef struct dq_import_times {
    const char *format;       /* dq_time_parse_format's; NULL: they stay as they are */
    uint64_t fitted, without; /* interactions so far whose time fitted, and those without one */
} dq_import_times;

/* Rewards of another scale than 0 to 1: low becomes 0, high 1, and what is between lies between. */
typedef struct dq_import_scale {
    bool given; /* else rewards stay as they are */
    double low, high;
    uint64_t scaled, outside; /* rewards so far: on the scale, and not */
} dq_import_scale;

/* Which of an interaction's keys a document's keys are, kept from one document to the next. Zero-initialise.
 */
typedef struct dq_import_parts {
    dq_import_shape shape;
    uint16_t *are; /* (shape.count) a bit for each that it is */
    size_t slots;
} dq_import_parts;
void dq_import_parts_free(dq_import_parts *parts);

/* The keys of an interaction; but the first two each may be NULL. What stands under `time` becomes the
 * attribute of that name: DQ_IMPORT_DUPLICATE where there are both. With a format of times that becomes ISO
 * 8601: DQ_IMPORT_NO_TIME for a text or number that it does not fit; what is null, absent, or a {"$date"}
 * stays. With a scale a reward outside of it is DQ_IMPORT_REWARD. */
typedef struct dq_import_interaction_keys {
    const char *user, *item, *label, *reward;
    const char *ignored; /* is no attribute */
    const char *time;
    dq_import_times *times;
    dq_import_scale *scale;                              /* or NULL */
    const char *propensity, *position, *request, *model; /* what was logged of the choice */
    dq_import_parts *parts; /* of these keys but `ignored`; or NULL: they are looked for anew */
    uint64_t shape;         /* of the document (dq_documents.shape) */
} dq_import_interaction_keys;

/* dq's own names of them all. */
#define DQ_IMPORT_INTERACTION_KEYS                                                                           \
    ((dq_import_interaction_keys){.user = "user",                                                            \
                                  .item = "item",                                                            \
                                  .label = "label",                                                          \
                                  .reward = "reward",                                                        \
                                  .propensity = "propensity",                                                \
                                  .position = "position",                                                    \
                                  .request = "request",                                                      \
                                  .model = "model"})

dq_import_fault dq_import_read_interaction(const dq_value *document, const dq_import_interaction_keys *keys,
                                           dq_arena *arena, dq_import_interaction *interaction,
                                           dq_error *error);

/* What came of an interaction: {"request", "item", "label", "reward"}, or with a "user" where it names no
 * request. A reward that is absent is 1; others are on the scale, if there is one. */
dq_import_fault dq_import_read_feedback(const dq_value *document, dq_import_scale *scale, dq_arena *arena,
                                        dq_import_interaction *feedback, dq_error *error);

#endif
