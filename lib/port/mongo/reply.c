/* SPDX-License-Identifier: MIT
 *
 * A reply as a chain of small pieces, each looked at when its last byte is there, and of bytes that are
 * passed over.
 */
#include "port/mongo/reply.h"

#include "port/mongo/bytes.h"

#include <string.h>

typedef enum state { LENGTH, HEAD, MSG, REPLY, DOCUMENT, TYPE, NAME, TEXT, ROW, BINARY, LAST } state;

static const uint8_t bytes_of[] = {
    [LENGTH] = 4, [HEAD] = 12, [MSG] = 5, [REPLY] = 20, [DOCUMENT] = 4, [TYPE] = 1,
    [NAME] = 1,   [TEXT] = 4,  [ROW] = 4, [BINARY] = 5, [LAST] = 1};

enum { OP_REPLY = 1, OP_COMPRESSED = 2012, OP_MSG = 2013 };
enum { HEAD_BYTES = 16, LEAST_DOCUMENT = 5 };
enum { PLAIN, CURSOR, BATCH };

/* What reads a piece returns false where it refuses the reply. */
static bool refuse(dq_reply *r, const char *fault)
{
    r->fault = fault;
    return false;
}

/* Bytes that the innermost document has left before its final 0x00. */
static uint32_t left(const dq_reply *r)
{
    uint32_t last = r->open[r->depth - 1].end - 1;
    return last > r->at ? last - r->at : 0;
}

/* Of a value: the piece that begins it. */
static bool expect(dq_reply *r, state next)
{
    if (bytes_of[next] > left(r)) return refuse(r, "a value passes the end of its document");
    r->state = next;
    return true;
}

/* n bytes of anything, then `next`. */
static bool pass(dq_reply *r, int64_t n, state next)
{
    if (n < 0) return refuse(r, "a negative length");
    if (n + (next == LAST) > left(r)) return refuse(r, "a value passes the end of its document");
    r->skip = (uint32_t)n;
    r->state = next;
    return true;
}

/* ---- the message ---- */

static bool read_length(dq_reply *r)
{
    int32_t length = dq_int32_at(r->piece);
    if (length < HEAD_BYTES || length > DQ_REPLY_BYTES)
        return refuse(r, "a message of a length that none has (is this MongoDB's port?)");
    r->length = (uint32_t)length;
    r->state = HEAD;
    return true;
}

static bool read_head(dq_reply *r)
{
    int32_t kind = dq_int32_at(r->piece + 8);
    if (kind == OP_COMPRESSED) return refuse(r, "a compressed message, which nobody asked for");
    if (kind != OP_MSG && kind != OP_REPLY) return refuse(r, "a message of an unknown kind");
    r->state = kind == OP_MSG ? MSG : REPLY;
    uint32_t least = (uint32_t)HEAD_BYTES + bytes_of[r->state] + LEAST_DOCUMENT;
    return r->length >= least || refuse(r, "a message too short for a document");
}

static bool read_before_document(dq_reply *r)
{
    bool message = r->state == MSG;
    if (message && (dq_int32_at(r->piece) || r->piece[4]))
        return refuse(r, "a message with flags or sections that nobody asked for");
    if (!message && dq_int32_at(r->piece + 16) != 1) return refuse(r, "a reply that is not one document");
    r->state = DOCUMENT;
    return true;
}

/* ---- documents ---- */

/* What the document that begins is to those who read the reply. */
static uint8_t role(const dq_reply *r)
{
    enum { LIST = 4 };
    uint8_t outer = r->depth ? r->open[r->depth - 1].role : PLAIN;
    if (r->depth == 1 && r->type != LIST && strcmp(r->name, "cursor") == 0) return CURSOR;
    bool batch = strcmp(r->name, "firstBatch") == 0 || strcmp(r->name, "nextBatch") == 0;
    return outer == CURSOR && r->type == LIST && batch ? BATCH : PLAIN;
}

static bool read_document(dq_reply *r)
{
    int32_t size = dq_int32_at(r->piece);
    uint32_t rest = (uint32_t)size - 4; /* behind the size */
    if (size < LEAST_DOCUMENT) return refuse(r, "a document shorter than any");
    if (!r->depth && rest != r->length - r->at) return refuse(r, "a document that does not fill its message");
    if (r->depth && rest > left(r)) return refuse(r, "a document passes the end of its own");
    if (r->depth == DQ_REPLY_DEPTH) return refuse(r, "documents nested deeper than 100");
    r->open[r->depth].role = role(r);
    r->open[r->depth++].end = r->at + rest;
    r->state = TYPE;
    return true;
}

/* An element's type, or the end of the document. */
static bool read_type(dq_reply *r)
{
    bool ends = r->at == r->open[r->depth - 1].end;
    r->type = r->piece[0];
    r->named = 0;
    r->state = NAME;
    if (ends != !r->type) return refuse(r, "a document that does not end where it says");
    if (!ends) return true;
    r->depth--;
    r->state = r->depth ? TYPE : LENGTH;
    if (!r->depth) r->at = 0;
    return true;
}

/* How many bytes a value of the type has; -1: its first bytes say it, or it is none that a reply has. */
static int fixed(uint8_t type)
{
    switch (type) {
    case DQ_BSON_DOUBLE:
    case 0x09: /* date */
    case 0x11: /* timestamp */
    case DQ_BSON_INT64: return 8;
    case DQ_BSON_INT32: return 4;
    case 0x07: return 12; /* ObjectId */
    case 0x13: return 16; /* decimal */
    case 0x08: return 1;
    case 0x06:
    case 0x0a:
    case 0x7f:
    case 0xff: return 0; /* undefined, null, greatest, least */
    default: return -1;
    }
}

static bool begin_value(dq_reply *r)
{
    int size = fixed(r->type);
    if (r->open[r->depth - 1].role == BATCH) {
        if (r->type != 0x03) return refuse(r, "a row that is no document");
        return expect(r, ROW);
    }
    if (size >= 0) return pass(r, size, TYPE);
    switch (r->type) {
    case 0x02:
    case 0x0d:
    case 0x0e: return expect(r, TEXT); /* text, code, symbol */
    case 0x03:
    case 0x04: return expect(r, DOCUMENT);
    case 0x05: return expect(r, BINARY);
    default: return refuse(r, "a value of a type that no reply has");
    }
}

static bool read_name(dq_reply *r)
{
    if (r->at >= r->open[r->depth - 1].end) return refuse(r, "a name without an end");
    if (r->named < sizeof r->name) r->name[r->named++] = (char)r->piece[0];
    r->name[sizeof r->name - 1] = '\0';
    return r->piece[0] || begin_value(r);
}

static bool step(dq_reply *r)
{
    switch ((state)r->state) {
    case LENGTH: return read_length(r);
    case HEAD: return read_head(r);
    case MSG:
    case REPLY: return read_before_document(r);
    case DOCUMENT: return read_document(r);
    case TYPE: return read_type(r);
    case NAME: return read_name(r);
    case TEXT: return pass(r, (int64_t)dq_int32_at(r->piece) - 1, LAST);    /* counts its final 0x00 */
    case ROW: return pass(r, (int64_t)dq_int32_at(r->piece) - 4 - 1, LAST); /* counts its size, too */
    case BINARY: return pass(r, dq_int32_at(r->piece), TYPE);
    case LAST: r->state = TYPE; return !r->piece[0] || refuse(r, "a text or a row without an end");
    }
    return false;
}

bool dq_reply_push(dq_reply *r, const void *bytes, size_t n)
{
    const uint8_t *at = bytes, *end = at + n;
    while (at < end && !r->fault) {
        uint32_t some = r->skip < (size_t)(end - at) ? r->skip : (uint32_t)(end - at);
        r->skip -= some;
        r->at += some;
        at += some;
        if (r->skip || at == end) break;
        r->piece[r->have++] = *at++;
        r->at++;
        if (r->have < bytes_of[r->state]) continue;
        r->have = 0;
        if (!step(r)) break;
    }
    return !r->fault;
}
