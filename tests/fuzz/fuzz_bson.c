/* SPDX-License-Identifier: MIT
 *
 * BSON, as a database sends it. The first byte says what the rest is:
 *
 *     0  a document
 *     1  elements of a document, into which the lengths of documents and arrays are put
 *     2  the payload of a binary vector, behind its subtype and its width
 *     3  a filter in extended JSON
 *
 * Of a document made by 1 (elements.h) that is read, every element has come over.
 */
#include "elements.h"

#include "port/mongo/mongo.h"

#include <stdlib.h>

static const dq_vector_key vectors[] = {{"v", 2}, {"w", 4}, {"vector", 3}};
enum { VECTORS = sizeof vectors / sizeof *vectors };

/* ---- the reader ---- */

static void use(const dq_value *v, unsigned depth)
{
    if (depth > DQ_BSON_DEPTH + 4) fuzz_fail("%u levels", depth);
    for (uint32_t i = 0; v->type == DQ_LIST && i < v->count; i++) use(&v->as.list[i], depth + 1);
    for (uint32_t i = 0; v->type == DQ_MAP && i < v->count; i++) use(&v->as.map[i].value, depth + 1);
    if (v->type == DQ_REAL) fuzz_finite(v->as.real);
}

static void read_document(const void *bytes, size_t n, bool counted, size_t elements)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    if (dq_bson_read(bytes, n, vectors, VECTORS, &arena, &document, &e)) {
        fuzz_refused(&e);
    } else {
        if (document.type != DQ_MAP) fuzz_fail("a document that is no map");
        if (counted && document.count != elements) fuzz_fail("%u of %zu elements", document.count, elements);
        use(&document, 0);
    }
    dq_arena_free(&arena);
}

static void read_vector(fuzz_bytes rest)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value floats;
    unsigned subtype = fuzz_byte(&rest), width = fuzz_byte(&rest);
    if (dq_bson_vector(rest.data, rest.n, subtype, width, &arena, &floats, &e))
        fuzz_refused(&e);
    else if (floats.type != DQ_FLOATS)
        fuzz_fail("a vector of type %d", (int)floats.type);
    dq_arena_free(&arena);
}

static void read_bson(const uint8_t *data, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    fuzz_bytes rest = {data, n};
    unsigned char *document;
    size_t bytes, elements;
    char *text;
    switch (fuzz_byte(&rest) & 3) {
    case 0: read_document(rest.data, rest.n, false, 0); break;
    case 1:
        document = fuzz_make_document(rest, &bytes, &elements);
        if (document) read_document(document, bytes, true, elements);
        free(document);
        break;
    case 2: read_vector(rest); break;
    default:
        text = fuzz_text(rest);
        if (dq_mongo_check_filter(text, &e)) fuzz_refused(&e);
        free(text);
    }
}

const fuzz_target fuzz_it = {.read = read_bson, .memory = 1 << 20, .per_byte = 1024};
