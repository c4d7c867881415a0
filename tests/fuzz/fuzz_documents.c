/* SPDX-License-Identifier: MIT
 *
 * Files of JSON documents: lines, documents over lines, arrays. The first byte chooses an encoding, the
 * second in how small pieces the file comes; the rest is the file.
 *
 * However it is cut, the same answers come. Of a file of lines every line that is not empty has its answer,
 * and of one that is a whole array every element: nothing is lost.
 */
#include "fuzz.h"
#include "pieces.h"

#include "port/files/documents.h"
#include "port/files/ejson.h"

#include <string.h>

/* Documents that are read, and the last answer. */
typedef struct reading {
    fuzz_pieces pieces;
    dq_documents documents;
    dq_arena arena;
    dq_value document;
    dq_error error;
    int answer;
} reading;

static bool open_documents(reading *r, fuzz_bytes file, size_t piece, const char *encoding)
{
    *r = (reading){.pieces = {file, piece}};
    r->error = DQ_ERROR_NONE;
    dq_source *source = fuzz_source(&r->pieces, "documents");
    if (encoding && dq_source_encoding(source, encoding, &r->error)) {
        fuzz_refused(&r->error);
        dq_source_close(source);
        return false;
    }
    if (dq_documents_open_json(&r->documents, source, &r->error)) fuzz_fail("no documents");
    return true;
}

static void next_document(reading *r)
{
    dq_arena_free(&r->arena);
    r->error = DQ_ERROR_NONE;
    r->document = dq_nil();
    r->answer = r->documents.next(&r->documents, &r->arena, &r->document, &r->error);
    bool fine = r->answer == DQ_DOCUMENT || r->answer == DQ_DOCUMENT_END;
    if (!fine) fuzz_failed(&r->error);
    if (fine && r->error.status) fuzz_fail("an answer %d, but '%s'", r->answer, r->error.reason);
    if (r->answer == DQ_DOCUMENT && r->document.type != DQ_MAP) fuzz_fail("a document that is no map");
}

static void close_documents(reading *r)
{
    r->documents.close(&r->documents);
    dq_arena_free(&r->arena);
}

static void check_same(const reading *a, const reading *b)
{
    if (a->answer != b->answer || a->documents.record != b->documents.record)
        fuzz_fail("%d of line %llu, in pieces %d of line %llu", a->answer,
                  (unsigned long long)a->documents.record, b->answer,
                  (unsigned long long)b->documents.record);
    if (a->answer == DQ_DOCUMENT && !dq_value_equal(&a->document, &b->document))
        fuzz_fail("another document in pieces");
    if (strcmp(a->error.reason, b->error.reason) != 0)
        fuzz_fail("'%s', in pieces '%s'", a->error.reason, b->error.reason);
}

/* ---- what there is ---- */

typedef struct content {
    dq_arena arena;
    dq_value all; /* of a file that is one array */
    bool array, lines;
    uint64_t count; /* of its lines that are not empty */
} content;

static bool is_blank(const uint8_t *line, size_t n)
{
    while (n && (*line == ' ' || *line == '\t')) line++, n--;
    return n == 0 || (n == 1 && *line == '\r');
}

/* Lines that are documents each: the first one begins with {, which its end closes. */
static content look_at(fuzz_bytes file)
{
    content c = {0};
    dq_error none = DQ_ERROR_NONE;
    dq_value first;
    c.array = !dq_ejson_parse((const char *)file.data, file.n, &c.arena, &c.all, &none) &&
              c.all.type == DQ_LIST;
    const uint8_t *newline = memchr(file.data, '\n', file.n);
    size_t n = newline ? (size_t)(newline - file.data) : file.n;
    none = DQ_ERROR_NONE;
    c.lines = !c.array && !dq_ejson_parse((const char *)file.data, n, &c.arena, &first, &none) &&
              first.type == DQ_MAP;
    for (fuzz_bytes rest = file; c.lines && rest.n;) {
        newline = memchr(rest.data, '\n', rest.n);
        n = newline ? (size_t)(newline - rest.data) : rest.n;
        bool mark = n >= 3 && memcmp(rest.data, "\xef\xbb\xbf", 3) == 0;
        c.count += !is_blank(rest.data + (mark ? 3 : 0), n - (mark ? 3 : 0));
        n += newline != NULL;
        rest.data += n;
        rest.n -= n;
    }
    return c;
}

static bool has_long_number(fuzz_bytes file)
{
    size_t digits = 0;
    for (size_t i = 0; i < file.n && digits < 16; i++)
        digits = file.data[i] >= '0' && file.data[i] <= '9' ? digits + 1 : 0;
    return digits >= 16;
}

/* An element of the array; a number over 64 bits is read as the whole text allows. */
static void check_element(const content *c, uint64_t count, const reading *r, bool exact)
{
    if (count >= c->all.count) fuzz_fail("more answers than the %u elements", c->all.count);
    const dq_value *element = &c->all.as.list[count];
    if ((element->type == DQ_MAP) != (r->answer == DQ_DOCUMENT) && exact)
        fuzz_fail("element %llu: answer %d", (unsigned long long)count, r->answer);
    if (exact && r->answer == DQ_DOCUMENT && !dq_value_equal(element, &r->document))
        fuzz_fail("element %llu is another", (unsigned long long)count);
}

static void read_documents(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    const char *encoding = fuzz_encoding(fuzz_byte(&rest));
    size_t piece = fuzz_byte(&rest) % 64 + 1;
    reading whole, cut;
    uint64_t count = 0;
    if (fuzz_is_compressed(rest)) return;
    if (!open_documents(&whole, rest, SIZE_MAX, encoding)) return;
    if (!open_documents(&cut, rest, piece, encoding)) fuzz_fail("an encoding that is there, and is not");
    content c = {0};
    if (!encoding) c = look_at(rest);
    bool exact = !has_long_number(rest);
    do {
        next_document(&whole);
        next_document(&cut);
        check_same(&whole, &cut);
        if (whole.answer > 0 && c.array) check_element(&c, count, &whole, exact);
        count += whole.answer > 0;
        if (count > rest.n) fuzz_fail("more answers than bytes");
    } while (whole.answer > 0);
    if (whole.answer == 0 && c.array && count != c.all.count)
        fuzz_fail("%u elements, %llu answers", c.all.count, (unsigned long long)count);
    if (whole.answer == 0 && c.lines && count != c.count)
        fuzz_fail("%llu lines, %llu answers", (unsigned long long)c.count, (unsigned long long)count);
    close_documents(&whole);
    close_documents(&cut);
    dq_arena_free(&c.arena);
}

const fuzz_target fuzz_it = {.read = read_documents, .memory = 4 << 20, .per_byte = 1500};
