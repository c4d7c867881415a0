/* SPDX-License-Identifier: MIT
 *
 * Texts as programs of other systems write them: byte-order marks, UTF-16 refused with what to do, other
 * encodings converted, and whether the last line was ended.
 */
#include "dq/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"

/* All lines joined by '|', whatever the pieces; the status of the first that fails. */
static dq_status lines(const char *bytes, size_t n, size_t size, const char *encoding, char *text,
                       bool *ended, dq_error *e)
{
    pieces p = {bytes, n, size};
    dq_source *s;
    char *line = text;
    size_t length, used = 0;
    *e = DQ_ERROR_NONE;
    text[0] = '\0';
    assert_int_equal(dq_source_open_fn(&s, "it", give, &p, e), DQ_OK);
    dq_status status = encoding ? dq_source_encoding(s, encoding, e) : DQ_OK;
    while (!status && line) {
        status = dq_source_line(s, &line, &length, e);
        if (status || !line) break;
        *ended = dq_source_line_ended(s);
        used += (size_t)sprintf(text + used, "%s|", line);
    }
    dq_source_close(s);
    return status;
}

static void reads(const char *bytes, size_t n, const char *encoding, const char *expected)
{
    char text[256];
    bool ended;
    dq_error e;
    for (size_t size = 1; size <= n; size++) {
        assert_int_equal(lines(bytes, n, size, encoding, text, &ended, &e), DQ_OK);
        assert_string_equal(text, expected);
    }
}

static void refused(const char *bytes, size_t n, const char *encoding, const char *words)
{
    char text[256];
    bool ended;
    dq_error e;
    for (size_t size = 1; size <= n; size++) {
        assert_int_not_equal(lines(bytes, n, size, encoding, text, &ended, &e), DQ_OK);
        assert_string_equal(e.reason, words);
        assert_string_equal(e.source, "it");
    }
}

#define BYTES(text) text, sizeof(text) - 1

static void marks(void **state)
{
    (void)state;
    reads(BYTES("\xef\xbb\xbf"
                "a\nb"),
          NULL, "a|b|");
    reads(BYTES("\xef\xbb\xbf"), NULL, "");
    reads(BYTES("\xef\xbb"), NULL, "\xef\xbb|");
    reads(BYTES("a\n\xef\xbb\xbf"
                "b\n"),
          NULL,
          "a|\xef\xbb\xbf"
          "b|"); /* only the text begins with one */
    reads(BYTES("\n\nx"), NULL, "||x|");
    reads(BYTES("ab"), NULL, "ab|");
}

static void wide_characters(void **state)
{
    (void)state;
    static const char marked[] = "this is UTF-16; iconv -f UTF-16 -t UTF-8 makes it readable";
    refused(BYTES("\xff\xfei\0d\0"), NULL, marked);
    refused(BYTES("\xfe\xff\0i\0d"), NULL, marked);
    refused(BYTES("i\0d\0"), NULL, "this is UTF-16; iconv -f UTF-16LE -t UTF-8 makes it readable");
    refused(BYTES("\n\0i\0"), NULL, "this is UTF-16; iconv -f UTF-16LE -t UTF-8 makes it readable");
    refused(BYTES("\0\n\0i"), NULL, "this is UTF-16; iconv -f UTF-16BE -t UTF-8 makes it readable");
    refused(BYTES("\0i\0d"), NULL, "this is UTF-16; iconv -f UTF-16BE -t UTF-8 makes it readable");
    refused(BYTES("i\0\0\0d\0\0\0"), NULL, "this is UTF-32; iconv -f UTF-32LE -t UTF-8 makes it readable");
    refused(BYTES("\0\0\xfe\xff\0\0\0i"), NULL, "this is UTF-32; iconv -f UTF-32 -t UTF-8 makes it readable");
}

static void encodings(void **state)
{
    (void)state;
    reads(BYTES("Cr\xe8me\n\xe9t\xe9"), "latin1", "Cr\xc3\xa8me|\xc3\xa9t\xc3\xa9|");
    reads(BYTES("\x80 5\n"), "windows-1252", "\xe2\x82\xac 5|");
    reads(BYTES("\xff\xfei\0d\0\n\0\x3d\xd8\x00\xde"), "UTF-16", "id|\xf0\x9f\x98\x80|");
    reads(BYTES("\xef\xbb\xbfid\n"), "UTF-8", "id|");
    refused(BYTES("ab\n\x81\n"), "windows-1252", "not windows-1252 at byte 4");
    refused(BYTES("a\xc3"), "UTF-8", "cut off inside a character");
    char text[64];
    bool ended;
    dq_error e;
    assert_int_equal(lines("", 0, 1, "no-such-thing", text, &ended, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.reason, "no encoding 'no-such-thing' (iconv -l lists them)");
}

/* Converted text that is longer than every buffer. */
static void much(void **state)
{
    (void)state;
    enum { MANY = 700000 };
    char *bytes = malloc(MANY), *line;
    assert_non_null(bytes);
    memset(bytes, '\xe9', MANY);
    bytes[MANY - 1] = '\n';
    pieces p = {bytes, MANY, MANY};
    dq_source *s;
    dq_error e = DQ_ERROR_NONE;
    size_t n;
    assert_int_equal(dq_source_open_fn(&s, "it", give, &p, &e), DQ_OK);
    assert_int_equal(dq_source_encoding(s, "latin1", &e), DQ_OK);
    assert_int_equal(dq_source_line(s, &line, &n, &e), DQ_OK);
    assert_int_equal(n, 2 * (MANY - 1));
    for (size_t i = 0; i < n; i += 2) assert_memory_equal(line + i, "\xc3\xa9", 2);
    assert_int_equal(dq_source_line(s, &line, &n, &e), DQ_OK);
    assert_null(line);
    dq_source_close(s);
    free(bytes);
}

static void ends_of_lines(void **state)
{
    (void)state;
    char text[64];
    bool ended;
    dq_error e;
    assert_int_equal(lines("a\nb", 3, 3, NULL, text, &ended, &e), DQ_OK);
    assert_false(ended);
    assert_int_equal(lines("a\nb\n", 4, 1, NULL, text, &ended, &e), DQ_OK);
    assert_true(ended);
}

/* Looking takes nothing away; a text read by bytes has its mark passed over, too, and is converted. */
static void bytes_of_texts(void **state)
{
    (void)state;
    static const char bytes[] = "\xef\xbb\xbf\xe9!";
    pieces p = {bytes, 5, 1};
    dq_source *s;
    dq_error e = DQ_ERROR_NONE;
    const char *first;
    char got[8];
    size_t n;
    assert_int_equal(dq_source_open_fn(&s, "it", give, &p, &e), DQ_OK);
    assert_int_equal(dq_source_look(s, 8, &first, &n, &e), DQ_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(first, bytes, 5);
    assert_int_equal(dq_source_text(s, &e), DQ_OK);
    assert_int_equal(dq_source_text(s, &e), DQ_OK);
    assert_int_equal(dq_source_read_full(s, got, sizeof got, &n, &e), DQ_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(got, "\xe9!", 2);
    dq_source_close(s);
    p = (pieces){bytes + 3, 2, 1};
    assert_int_equal(dq_source_open_fn(&s, "it", give, &p, &e), DQ_OK);
    assert_int_equal(dq_source_encoding(s, "latin1", &e), DQ_OK);
    assert_int_equal(dq_source_read(s, got, 1, &n, &e), DQ_OK); /* less than the character has */
    assert_int_equal(n, 1);
    assert_int_equal(dq_source_read_full(s, got + 1, 7, &n, &e), DQ_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(got, "\xc3\xa9!", 3);
    dq_source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks), cmocka_unit_test(wide_characters), cmocka_unit_test(encodings),
        cmocka_unit_test(much),  cmocka_unit_test(ends_of_lines),   cmocka_unit_test(bytes_of_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
