/* SPDX-License-Identifier: MIT
 *
 * A run of a database's documents. Each has a client, hence a connection, of its own: when that is lost
 * nothing else is, and it is taken up again from the last key that was seen.
 *
 * A resumed run begins with the documents of the last key once more (one key may have many, and the cut may
 * have come among them), and those that were given already are told by their _id. `_id` itself is unique, so
 * there the run begins behind it. $gte compares within one type only; kinds that sort behind the last key's
 * are asked for by name.
 */
#include "port/mongo/client.h"

#include "core/array.h"
#include "core/index.h"
#include "port/files/ejson.h"
#include "port/files/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3 };

typedef struct cursor {
    dq_mongo_database *of;
    dq_query query;
    bson_t filter, options; /* of the first find */
    dq_mongo_link link;
    mongoc_collection_t *collection;
    mongoc_cursor_t *run;
    const bson_t *first; /* read when the run was opened, and not given yet */
    bson_t last;         /* {"": last key that is an id}, empty before there is one */
    uint64_t *given;     /* hashes of the documents given since that key came */
    size_t given_count, given_slots;
    unsigned tries; /* of taking it up again since a document was given */
    bool resumed;   /* since that key came */
    bool ended;
} cursor;

/* ---- what is asked ---- */

static bson_t *filter_of(const char *text, dq_error *error)
{
    bson_error_t why;
    bson_t *filter = bson_new_from_json((const uint8_t *)(text ? text : "{}"), -1, &why);
    if (!filter) dq_fail(error, DQ_ERR_FORMAT, "no filter: %s", why.message);
    return filter;
}

dq_status dq_mongo_check_filter(const char *text, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value json;
    dq_status status = dq_json_parse(text, strlen(text), &arena, &json, error);
    if (!status && json.type != DQ_MAP) status = dq_fail(error, DQ_ERR_FORMAT, "not a JSON object");
    dq_arena_free(&arena);
    if (status) return status; /* libbson would take a list, or the first of two objects */
    bson_t *filter = filter_of(text, error);
    bson_destroy(filter);
    return filter ? DQ_OK : DQ_ERR_FORMAT;
}

/* A list in the making: each element under its number. */
typedef struct growing {
    bson_t list;
    uint32_t count;
    char key[16];
} growing;

static const char *next_key(growing *g)
{
    (void)snprintf(g->key, sizeof g->key, "%u", g->count++);
    return g->key;
}

static bool append_integer(growing *g, const char *text)
{
    char back[24], *end;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    (void)snprintf(back, sizeof back, "%lld", integer);
    if (errno || strcmp(back, text) != 0) return true;
    return bson_append_int64(&g->list, next_key(g), -1, integer);
}

/* Hex digits as bytes, up to `most` of them, dashes passed over; 0 where the text is none. */
static uint32_t bytes_of(const char *text, uint8_t *to, uint32_t most)
{
    uint32_t n = 0;
    for (; *text && n < most; n++, text += 2) {
        if (*text == '-') text++;
        char two[] = {text[0], text[0] ? text[1] : '\0', '\0'};
        if (strspn(two, "0123456789abcdef") != 2) return 0;
        to[n] = (uint8_t)strtoul(two, NULL, 16);
    }
    return *text ? 0 : n;
}

/* A UUID, or bytes of the subtypes that are ids (import/value.h); 24 digits are an ObjectId's. */
static bool append_binaries(growing *g, const char *text)
{
    enum { MOST = 512, OBJECT_ID = 12 };
    static const bson_subtype_t plain[] = {BSON_SUBTYPE_BINARY, BSON_SUBTYPE_MD5, BSON_SUBTYPE_USER};
    uint8_t bytes[MOST];
    char uuid[DQ_UUID_TEXT + 1] = "";
    uint32_t n = bytes_of(text, bytes, MOST);
    bool ok = true;
    if (n == DQ_UUID_BYTES) dq_ejson_uuid(bytes, uuid);
    if (n && strcmp(uuid, text) == 0)
        return bson_append_binary(&g->list, next_key(g), -1, BSON_SUBTYPE_UUID, bytes, n);
    bool bare = n && n != OBJECT_ID && !strchr(text, '-');
    for (size_t i = 0; i < 3 && bare && ok; i++)
        ok = bson_append_binary(&g->list, next_key(g), -1, plain[i], bytes, n);
    return ok;
}

/* A text as every id that it may stand for: itself, an ObjectId, an integer, bytes. */
static bool append_forms(growing *g, const char *text)
{
    bson_oid_t oid;
    bool ok = bson_append_utf8(&g->list, next_key(g), -1, text, -1);
    if (ok && strlen(text) == 24 && strspn(text, "0123456789abcdef") == 24) {
        bson_oid_init_from_string(&oid, text);
        ok = bson_append_oid(&g->list, next_key(g), -1, &oid);
    }
    return ok && append_integer(g, text) && append_binaries(g, text);
}

/* {key: {$in: [...]}} */
static bool append_ids(bson_t *filter, const char *key, const char *const *ids)
{
    bson_t in;
    growing g = {.count = 0};
    bool ok = bson_append_document_begin(filter, key, -1, &in) &&
              bson_append_array_begin(&in, "$in", -1, &g.list);
    for (; ok && *ids; ids++) ok = append_forms(&g, *ids);
    return ok && bson_append_array_end(&in, &g.list) && bson_append_document_end(filter, &in);
}

/* {$and: [a, b]}; either may be empty. */
static bool both(bson_t *out, const bson_t *a, const bson_t *b)
{
    bson_t list;
    bson_init(out);
    if (bson_empty(a) || bson_empty(b)) return bson_concat(out, bson_empty(a) ? b : a);
    return bson_append_array_begin(out, "$and", -1, &list) && bson_append_document(&list, "0", -1, a) &&
           bson_append_document(&list, "1", -1, b) && bson_append_array_end(out, &list);
}

/* A key that a server does not take for a path: it names an operator, or has nothing between two points. */
static bool is_no_path(const char *key)
{
    size_t n = strlen(key);
    return *key == '$' || *key == '.' || strstr(key, ".$") || strstr(key, "..") || (n && key[n - 1] == '.');
}

/* How much of a path a projection can name: it knows no elements of lists ("skills.0.name": skills). */
static size_t projected(const char *key)
{
    for (const char *part = key; (part = strchr(part, '.')); part++)
        if (part[1] >= '0' && part[1] <= '9') return (size_t)(part - key);
    return strlen(key);
}

/* Whether another key's path is a part of this one's, or the same and earlier: naming both is an error. */
static bool is_covered(const dq_query *query, size_t which)
{
    const char *key = query->keys[which];
    size_t n = projected(key);
    bool covered = strncmp(key, "_id", 3) == 0 && (n == 3 || key[3] == '.');
    for (size_t i = 0; query->keys[i] && !covered; i++) {
        size_t m = projected(query->keys[i]);
        if (i == which || strncmp(key, query->keys[i], m) != 0) continue;
        covered = m < n ? key[m] == '.' : m == n && i < which;
    }
    return covered;
}

/* A key that is no path is not asked for by name: then everything comes. */
static bool append_projection(bson_t *options, const dq_query *query)
{
    bson_t projection;
    for (size_t i = 0; query->keys && query->keys[i]; i++)
        if (is_no_path(query->keys[i])) return true;
    if (!query->keys) return true;
    bool ok = bson_append_document_begin(options, "projection", -1, &projection) &&
              bson_append_int32(&projection, "_id", -1, 1);
    for (size_t i = 0; ok && query->keys[i]; i++)
        if (!is_covered(query, i))
            ok = bson_append_int32(&projection, query->keys[i], (int)projected(query->keys[i]), 1);
    return ok && bson_append_document_end(options, &projection);
}

/* About 1000 documents, but of those with wide vectors so many as make some 8 MB: libmongoc holds a batch
 * twice. */
static int32_t batch_size(const dq_query *query)
{
    enum { MOST = 1000, BYTES = 8 << 20, TEXT = 1 << 10, NUMBER = 14 };
    uint64_t document = TEXT, batch;
    for (size_t i = 0; i < query->vector_count; i++) document += (uint64_t)NUMBER * query->vectors[i].width;
    batch = BYTES / document + 1;
    if (query->most && query->most < batch) batch = query->most + 1;
    return batch < MOST ? (int32_t)batch : MOST;
}

static dq_status ask(cursor *c, dq_error *error)
{
    const dq_query *query = &c->query;
    bson_t ids, sort, *where = filter_of(query->where, error);
    bson_init(&ids);
    if (!where) return DQ_ERR_FORMAT;
    bool ok = !query->ids || append_ids(&ids, query->key, query->ids);
    bson_destroy(&c->filter);
    ok = ok && both(&c->filter, where, &ids) && append_projection(&c->options, query) &&
         bson_append_int32(&c->options, "batchSize", -1, batch_size(query)) &&
         bson_append_document_begin(&c->options, "sort", -1, &sort) &&
         bson_append_int32(&sort, query->key, -1, 1) && bson_append_document_end(&c->options, &sort);
    bson_destroy(where);
    bson_destroy(&ids);
    return ok ? DQ_OK : dq_fail(error, DQ_ERR_RANGE, "the filter is larger than a document may be");
}

/* ---- going on after the last key ---- */

static bool note_given(cursor *c, uint64_t hash)
{
    if (!dq_array_reserve(&c->given, &c->given_slots, c->given_count + 1, sizeof *c->given)) return false;
    c->given[c->given_count++] = hash;
    return true;
}

static bool was_given(const cursor *c, uint64_t hash)
{
    for (size_t i = 0; c->resumed && i < c->given_count; i++)
        if (c->given[i] == hash) return true;
    return false;
}

static uint64_t identity(const bson_t *document)
{
    bson_iter_t at;
    if (!bson_iter_init_find(&at, document, "_id")) return dq_hash(bson_get_data(document), document->len, 0);
    return dq_hash(at.raw + at.off, at.next_off - at.off, 0);
}

/* A whole number of another type than an integer's. */
static bool whole_number(const bson_iter_t *at, int64_t *integer)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_t decimal;
    double number = 0.5;
    if (BSON_ITER_HOLDS_DOUBLE(at)) number = bson_iter_double(at);
    if (BSON_ITER_HOLDS_DECIMAL128(at) && bson_iter_decimal128(at, &decimal)) {
        bson_decimal128_to_string(&decimal, text);
        number = strtod(text, NULL);
    }
    if (number != rint(number) || fabs(number) > 0x1p53) return false;
    *integer = (int64_t)number;
    return true;
}

/* The key of a document as {"": key}, integers as int64; false where it is no id. */
static bool key_of(const cursor *c, const bson_t *document, bson_t *key)
{
    bson_iter_t at;
    int64_t integer;
    if (!dq_mongo_find(document, c->query.key, &at)) return false;
    if (BSON_ITER_HOLDS_INT(&at)) return bson_append_int64(key, "", 0, bson_iter_as_int64(&at));
    if (whole_number(&at, &integer)) return bson_append_int64(key, "", 0, integer);
    if (!BSON_ITER_HOLDS_UTF8(&at) && !BSON_ITER_HOLDS_OID(&at) && !BSON_ITER_HOLDS_BINARY(&at)) return false;
    return bson_append_iter(key, "", 0, &at);
}

static bool note(cursor *c, const bson_t *document)
{
    bson_t key = BSON_INITIALIZER;
    if (key_of(c, document, &key) && !bson_equal(&key, &c->last)) {
        bson_destroy(&c->last);
        bson_copy_to(&key, &c->last);
        c->given_count = 0;
        c->resumed = false;
    }
    bson_destroy(&key);
    c->tries = 0;
    return note_given(c, identity(document));
}

/* {key: {$type: [the kinds that sort behind the last key]}}; false also where there are none. */
static bool append_behind(const char *key, const bson_iter_t *last, bson_t *behind)
{
    static const char *const kinds[] = {"string", "binData", "objectId"}; /* as they sort, behind numbers */
    bson_t type;
    growing g = {.count = 0};
    size_t first = BSON_ITER_HOLDS_INT(last) ? 0 : BSON_ITER_HOLDS_UTF8(last) ? 1 : 2;
    if (BSON_ITER_HOLDS_OID(last)) return false;
    bool ok = bson_append_document_begin(behind, key, -1, &type) &&
              bson_append_array_begin(&type, "$type", -1, &g.list);
    for (size_t i = first; i < 3 && ok; i++) ok = bson_append_utf8(&g.list, next_key(&g), -1, kinds[i], -1);
    return ok && bson_append_array_end(&type, &g.list) && bson_append_document_end(behind, &type);
}

/* {key: {$gte: last}}, or {$or: [that, {key: {$type: [kinds behind]}}]}. */
static bool append_rest(const cursor *c, bson_t *rest)
{
    const char *key = c->query.key, *operator= strcmp(key, "_id") == 0 ? "$gt" : "$gte";
    bson_iter_t last;
    bson_t list, first = BSON_INITIALIZER, behind = BSON_INITIALIZER, from;
    if (!bson_iter_init_find(&last, &c->last, "")) return true;
    bool oid = BSON_ITER_HOLDS_OID(&last);
    bool ok = bson_append_document_begin(&first, key, -1, &from) &&
              bson_append_iter(&from, operator, - 1, &last) && bson_append_document_end(&first, &from);
    if (ok && oid) ok = bson_concat(rest, &first);
    if (ok && !oid)
        ok = append_behind(key, &last, &behind) && bson_append_array_begin(rest, "$or", -1, &list) &&
             bson_append_document(&list, "0", -1, &first) && bson_append_document(&list, "1", -1, &behind) &&
             bson_append_array_end(rest, &list);
    bson_destroy(&first);
    bson_destroy(&behind);
    return ok;
}

static void hang_up(cursor *c)
{
    mongoc_cursor_destroy(c->run);
    mongoc_collection_destroy(c->collection);
    dq_mongo_disconnect(&c->link);
    c->run = NULL;
    c->collection = NULL;
}

/* Asks, from the last key on where there is one. */
static dq_status start(cursor *c, dq_mongo_purpose purpose, dq_error *error)
{
    bson_t rest = BSON_INITIALIZER, filter;
    dq_status status = dq_mongo_connect(c->of, purpose, &c->link, error);
    if (status) return status;
    bool ok = append_rest(c, &rest) && both(&filter, &c->filter, &rest);
    if (ok) {
        c->collection = mongoc_client_get_collection(c->link.client, c->of->name, c->query.collection);
        c->run = mongoc_collection_find_with_opts(c->collection, &filter, &c->options, NULL);
        bson_destroy(&filter);
    }
    bson_destroy(&rest);
    return ok ? DQ_OK : dq_fail(error, DQ_ERR_RANGE, "the filter is larger than a document may be");
}

/* What a server says that was to sort more than it can hold is given its remedy. */
static dq_status fail_run(const cursor *c, bson_error_t *why, dq_error *error)
{
    enum { TOO_LONG = 96, NO_DISK = 292 };
    size_t used = strlen(why->message);
    if (why->domain == MONGOC_ERROR_SERVER && (why->code == TOO_LONG || why->code == NO_DISK))
        (void)snprintf(why->message + used, sizeof why->message - used, " (an index on %s spares the sort)",
                       c->query.key);
    return dq_mongo_fail(c->of, why, error);
}

/* The next document as the server has it: 1, 0 at the end, -1. */
static int fetch(cursor *c, const bson_t **document, dq_error *error)
{
    bson_error_t why;
    if (c->first) {
        *document = c->first;
        c->first = NULL;
        return 1;
    }
    while (!c->ended) {
        while (mongoc_cursor_next(c->run, document))
            if (!was_given(c, identity(*document))) return 1;
        c->ended = !mongoc_cursor_error(c->run, &why); /* the end and a failure look alike */
        if (c->ended) break;
        if (!dq_mongo_passes(c->of, &why) || c->tries == TRIES) {
            fail_run(c, &why, error);
            return -1;
        }
        c->tries++;
        c->resumed = true;
        hang_up(c);
        if (start(c, DQ_MONGO_RESUME, error)) return -1;
    }
    return 0;
}

/* ---- documents ---- */

static int mongo_next(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    cursor *c = documents->self;
    const bson_t *raw;
    int got = fetch(c, &raw, error);
    if (got <= 0) return got;
    dq_status status = note(c, raw) ? DQ_OK : dq_fail_memory(error, "a database");
    if (!status)
        status = dq_bson_read(bson_get_data(raw), raw->len, c->query.vectors, c->query.vector_count, arena,
                              document, error);
    if (!status) return DQ_DOCUMENT;
    dq_error_at(error, documents->name, DQ_NO_RECORD);
    return status == DQ_ERR_MEMORY ? DQ_DOCUMENT_BROKEN : DQ_DOCUMENT_BAD;
}

static void mongo_close(dq_documents *documents)
{
    cursor *c = documents->self;
    documents->self = NULL;
    if (!c) return;
    hang_up(c);
    bson_destroy(&c->filter);
    bson_destroy(&c->options);
    bson_destroy(&c->last);
    free(c->given);
    free(c);
}

/* An empty answer may mean a name that nobody has: a slip of the pen is not silence. */
static dq_status check_name(cursor *c, dq_error *error)
{
    bson_error_t why;
    const bson_t *document;
    bson_t *options = BCON_NEW("filter", "{", "name", BCON_UTF8(c->query.collection), "}", "nameOnly",
                               BCON_BOOL(true));
    mongoc_database_t *d = mongoc_client_get_database(c->link.client, c->of->name);
    mongoc_cursor_t *names = mongoc_database_find_collections_with_opts(d, options);
    bool there = mongoc_cursor_next(names, &document), asked = !mongoc_cursor_error(names, &why);
    mongoc_cursor_destroy(names);
    mongoc_database_destroy(d);
    bson_destroy(options);
    if (there || !asked) return DQ_OK; /* who may read a collection need not be let to list them */
    dq_fail(error, DQ_ERR_UNKNOWN, "the database %s has no collection %s", c->of->name, c->query.collection);
    return dq_error_at(error, c->of->host, DQ_NO_RECORD);
}

dq_status dq_mongo_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                        dq_error *error)
{
    cursor *c = calloc(1, sizeof *c);
    if (!c) return dq_fail_memory(error, "a database");
    c->of = place->self;
    c->query = *query;
    bson_init(&c->filter);
    bson_init(&c->options);
    bson_init(&c->last);
    *documents = (dq_documents){.next = mongo_next, .close = mongo_close, .self = c, .record = DQ_NO_RECORD};
    (void)snprintf(documents->name, sizeof documents->name, "%s", query->collection);
    dq_status status = DQ_OK;
    if (is_no_path(query->key))
        status = dq_fail(error, DQ_ERR_UNSUPPORTED, "a database cannot sort by '%s'", query->key);
    if (!status) status = ask(c, error);
    if (!status) status = start(c, DQ_MONGO_RUN, error);
    if (!status) {
        int got = fetch(c, &c->first, error);
        status = got < 0 ? error->status : got ? DQ_OK : check_name(c, error);
        if (got <= 0) c->first = NULL;
    }
    if (status) mongo_close(documents);
    return status;
}
