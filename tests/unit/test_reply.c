/* SPDX-License-Identifier: MIT
 *
 * Replies of a server as they may be cut, as they may break off, and with every byte of them another.
 */
#include "port/mongo/reply.h"

#include <bson/bson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OP_REPLY = 1, OP_MSG = 2013, ROOM = 4096 };

static uint8_t message[ROOM];

static size_t put(size_t at, uint32_t n)
{
    for (int i = 0; i < 4; i++) message[at + (size_t)i] = (uint8_t)(n >> 8 * i);
    return at + 4;
}

/* The message of a document, in `message`; returns its bytes. */
static size_t message_of(bson_t *document, uint32_t kind)
{
    size_t at = put(put(put(put(0, 0), 1), 2), kind);
    if (kind == OP_MSG) message[at = put(at, 0)] = 0, at++;
    if (kind == OP_REPLY) at = put(put(put(put(put(at, 8), 0), 0), 0), 1);
    assert_true(at + document->len <= ROOM);
    memcpy(message + at, bson_get_data(document), document->len);
    put(0, (uint32_t)(at + document->len));
    at += document->len;
    bson_destroy(document);
    return at;
}

/* An answer with a batch, under whatever name, and a value of each type that answers have. */
static bson_t *answer(const char *batch)
{
    static const uint8_t bytes[2] = {0, 1};
    bson_oid_t oid;
    bson_decimal128_t decimal = {.low = 15, .high = 0x303e000000000000};
    bson_oid_init_from_string(&oid, "65f1000000000000000001f5");
    return BCON_NEW(
        "cursor", "{", "id", BCON_INT64(7), "ns", BCON_UTF8("db.c"), batch, "[", "{", "_id", BCON_INT32(1),
        "v", "[", BCON_DOUBLE(1), BCON_DOUBLE(2.5), "]", "}", "{", "}", "{", "_id", BCON_INT32(2), "}", "]",
        "}", "t", BCON_TIMESTAMP(1, 2), "b", BCON_BIN(BSON_SUBTYPE_BINARY, bytes, 2), "e",
        BCON_BIN(BSON_SUBTYPE_BINARY, bytes, 0), "n", BCON_NULL, "o", BCON_OID(&oid), "d", BCON_DATE_TIME(5),
        "m", BCON_DECIMAL128(&decimal), "s", BCON_UTF8(""), "c", BCON_CODE("f"), "min", BCON_MINKEY, "max",
        BCON_MAXKEY, "l", "[", "[", "{", "a", "{", "}", "}", "]", "]", "ok", BCON_DOUBLE(1));
}

/* Pushes memory of exactly these bytes, in pieces. */
static dq_reply pushed(size_t n, size_t piece)
{
    dq_reply r;
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memset(&r, 0, sizeof r);
    memcpy(copy, message, n);
    for (size_t at = 0; at < n; at += piece)
        if (!dq_reply_push(&r, copy + at, n - at < piece ? n - at : piece)) break;
    free(copy);
    return r;
}

static void check_cuts(size_t n)
{
    for (size_t piece = 1; piece <= n; piece++) {
        dq_reply r = pushed(n, piece);
        if (r.fault) fail_msg("pieces of %zu: %s", piece, r.fault);
        assert_int_equal(r.state, 0);
    }
    for (size_t some = 1; some < n; some++) { /* one that breaks off is neither wrong nor whole */
        dq_reply r = pushed(some, 7);
        assert_null(r.fault);
        assert_true(r.state || r.have);
    }
}

static void test_a_sound_reply_however_it_is_cut(void **state)
{
    (void)state;
    check_cuts(message_of(answer("nextBatch"), OP_MSG));
    check_cuts(message_of(answer("nextBatch"), OP_REPLY));
    check_cuts(message_of(bson_new(), OP_MSG));
}

/* Whether libbson comes to the end of the document, too. */
static bool libbson_takes(size_t at, size_t n)
{
    bson_t b;
    return bson_init_static(&b, message + at, n - at) && bson_validate(&b, BSON_VALIDATE_NONE, NULL);
}

/* What passes with any byte another is a document to libbson, but for what is no matter of lengths: text that
 * is not UTF-8, and a binary that becomes one of the old subtype, whose length stands within it once more. */
static void test_every_byte_another(void **state)
{
    (void)state;
    const size_t n = message_of(answer("elsewhere"), OP_MSG), head = 21;
    size_t refused = 0, neither = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned by = 1; by < 256; by++) {
            message[i] ^= (uint8_t)by;
            dq_reply r = pushed(n, n);
            refused += r.fault != NULL;
            neither += !r.fault && i >= head && message[i] < 0x80 && !libbson_takes(head, n);
            message[i] ^= (uint8_t)by;
        }
    assert_true(refused > n * 255 / 4);
    assert_true(neither <= 4);
}

static void test_two_replies_in_one_piece(void **state)
{
    (void)state;
    size_t n = message_of(answer("nextBatch"), OP_MSG);
    memcpy(message + n, message, n);
    assert_null(pushed(2 * n, 2 * n).fault);
    message[2 * n - 1] = 1;
    assert_non_null(pushed(2 * n, 2 * n).fault);
}

/* A value of which the document ends before its first piece does: nothing is left to wait for. */
static void test_a_value_cut_by_its_document(void **state)
{
    (void)state;
    static const uint8_t types[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x07, 0x08, 0x0d, 0x0e, 0x10, 0x13};
    for (size_t i = 0; i < sizeof types; i++)
        for (size_t some = 0; some < 4; some++) {
            size_t n = message_of(bson_new(), OP_MSG), at = n - 5;
            memset(message + at, 0, 16);
            put(at, (uint32_t)(8 + some)); /* size, type, "a", some bytes of a value, end */
            memcpy(message + at + 4, (const uint8_t[]){types[i], 'a', 0}, 3);
            n = at + 8 + some;
            put(0, (uint32_t)n);
            dq_reply r = pushed(n, n);
            bool fits = types[i] == 0x08 && some == 1;
            if (!fits && !r.fault) fail_msg("type %02x, %zu bytes of it: taken", types[i], some);
            if (fits) assert_null(r.fault);
        }
}

/* Documents in documents, as many as are taken and one more. */
static void test_depth(void **state)
{
    (void)state;
    for (int levels = DQ_REPLY_DEPTH - 1; levels <= DQ_REPLY_DEPTH; levels++) {
        bson_t *inner = bson_new();
        for (int i = 0; i < levels; i++) {
            bson_t *outer = bson_new();
            bson_append_document(outer, "a", -1, inner);
            bson_destroy(inner);
            inner = outer;
        }
        size_t n = message_of(inner, OP_MSG);
        assert_int_equal(pushed(n, n).fault != NULL, levels == DQ_REPLY_DEPTH);
    }
}

/* Rows are framed here and read elsewhere: what is wrong within one passes, its frame does not. */
static void test_rows(void **state)
{
    (void)state;
    bson_t *rows = BCON_NEW("cursor", "{", "firstBatch", "[", "{", "a", BCON_UTF8("text"), "}", "]", "}");
    size_t n = message_of(rows, OP_MSG), at = 0;
    while (memcmp(message + at, "text", 4) != 0) at++;
    put(at - 4, 1u << 30);
    assert_null(pushed(n, n).fault);
    message[at + 5] = 1; /* the row's end */
    assert_non_null(pushed(n, n).fault);
    message[at + 5] = 0;
    message[at - 4 - 3 - 4 - 3] = 0x10; /* a row that is a number */
    assert_string_equal(pushed(n, n).fault, "a row that is no document");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sound_reply_however_it_is_cut),
        cmocka_unit_test(test_every_byte_another),
        cmocka_unit_test(test_two_replies_in_one_piece),
        cmocka_unit_test(test_a_value_cut_by_its_document),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
