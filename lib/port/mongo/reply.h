/* SPDX-License-Identifier: MIT
 *
 * What a server of MongoDB's protocol sends, looked at before libmongoc reads it. libmongoc 1.23 believes the
 * lengths of a reply: one that lies makes it read past its buffer, or abort. The bytes are looked at as they
 * arrive, however they are cut, so nothing is held and no limit of memory is added:
 *
 *     message    int32 length, int32 request, int32 response to, int32 kind
 *       2013     uint32 flags = 0, 0x00, document             (OP_MSG: one section, to the message's end)
 *       1        int32 flags, int64 cursor, int32 from, int32 count = 1, document                (OP_REPLY)
 *
 * Every length is compared with what holds it. The rows of a batch (cursor.firstBatch, cursor.nextBatch) must
 * be documents that end where they say; what is in them is dq_bson_read's to judge, row by row. A compressed
 * message cannot be judged, nobody asked for one, and it is refused.
 */
#ifndef DQ_PORT_MONGO_REPLY_H
#define DQ_PORT_MONGO_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DQ_REPLY_BYTES =
        48000000,         /* maxMessageSizeBytes of every server there is; what one says of it is not asked */
    DQ_REPLY_DEPTH = 100, /* as deep as MongoDB nests */
    DQ_REPLY_PIECE = 20,
};

typedef struct dq_reply {
    const char *fault;   /* what is wrong, in words; NULL while nothing is */
    uint32_t state;      /* which piece comes next; 0 between two messages */
    uint32_t length, at; /* of the message: its bytes, and how many of them came */
    uint32_t skip;       /* bytes to come that may be anything */
    uint8_t piece[DQ_REPLY_PIECE];
    uint32_t have; /* bytes of the piece */
    uint8_t type;  /* of the element */
    char name[12]; /* its first bytes, with 0x00 */
    uint32_t named;
    uint32_t depth;
    struct {
        uint32_t end; /* the message's byte behind its final 0x00 */
        uint8_t role;
    } open[DQ_REPLY_DEPTH];
} dq_reply;

/* The next n bytes of a connection, whose first finds *r all zeros; false when they or those before are no
 * sound messages. */
bool dq_reply_push(dq_reply *r, const void *bytes, size_t n);

#endif
