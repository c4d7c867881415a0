/* SPDX-License-Identifier: MIT
 *
 * A database as a place of documents. Each run of documents has a client, hence a connection, of its own:
 * when that is lost nothing else is, and it is taken up again from the last key that was seen.
 *
 * A resumed run begins with the documents of the last key once more (one key may have many, and the cut may
 * have come among them), and those that were given already are told by their _id. `_id` itself is unique, so
 * there the run begins behind it. $gte compares within one type only; kinds that sort behind the last key's
 * are asked for by name.
 */
#include "dq/mongo.h"

#include "dq/index.h"

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 8000, ANSWER_MS = 60000, BATCH = 1000, TRIES = 3 };

typedef struct database {
    mongoc_uri_t *uri;
    const char *name; /* of the uri */
    char host[160];   /* for messages */
} database;

typedef struct cursor {
    const database *of;
    dq_query query;
    bson_t filter, options; /* of the first find */
    mongoc_client_t *client;
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

static dq_status out_of_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a database");
}

/* ---- words ---- */

/* Standard error is the program's: libmongoc's log goes nowhere. What fails is told by its errors. */
static void no_log(mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
    (void)level;
    (void)domain;
    (void)message;
    (void)data;
}

/* What libmongoc says of a server that cannot be chosen, without its brackets around what matters. */
static const char *matter(const bson_error_t *why, char *room, size_t size)
{
    const char *from = strchr(why->message, '['), *to = from ? strpbrk(from, "]") : NULL;
    const char *calling = from ? strstr(from, " calling ") : NULL;
    if (why->domain != MONGOC_ERROR_SERVER_SELECTION || !to) return why->message;
    if (calling && calling < to) to = calling;
    (void)snprintf(room, size, "cannot reach the server: %.*s", (int)(to - from - 1), from + 1);
    return room;
}

/* libmongoc's error as ours; a password that stands in its words does not leave. */
static dq_status fail_with(const database *d, const bson_error_t *why, dq_error *error)
{
    char room[sizeof why->message + 32];
    const char *words = matter(why, room, sizeof room), *secret = mongoc_uri_get_password(d->uri);
    if (secret && *secret && strstr(words, secret)) words = "refused, in words that would tell the password";
    dq_fail(error, DQ_ERR_IO, "%s", words);
    return dq_error_at(error, d->host, DQ_NO_RECORD);
}

/* ---- connecting ---- */

/* Once: a server that is not there fails at once. Otherwise it is waited for, as when it is restarting. */
static dq_status connect_to(const database *d, bool once, mongoc_client_t **client, dq_error *error)
{
    bson_error_t why;
    mongoc_uri_t *uri = mongoc_uri_copy(d->uri);
    if (!mongoc_uri_has_option(uri, MONGOC_URI_SERVERSELECTIONTRYONCE))
        (void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, once);
    *client = mongoc_client_new_from_uri_with_error(uri, &why);
    mongoc_uri_destroy(uri);
    if (!*client) return fail_with(d, &why, error);
    (void)mongoc_client_set_error_api(*client, MONGOC_ERROR_API_VERSION_2);
    return DQ_OK;
}

static void default_int32(mongoc_uri_t *uri, const char *option, int32_t value)
{
    if (!mongoc_uri_has_option(uri, option)) (void)mongoc_uri_set_option_as_int32(uri, option, value);
}

static void name_host(database *d)
{
    const char *service = mongoc_uri_get_srv_hostname(d->uri);
    size_t used = 0;
    if (service) (void)snprintf(d->host, sizeof d->host, "%s", service);
    for (const mongoc_host_list_t *h = mongoc_uri_get_hosts(d->uri); !service && h && used < sizeof d->host;
         h = h->next)
        used += (size_t)snprintf(d->host + used, sizeof d->host - used, "%s%s", used ? "," : "",
                                 h->host_and_port);
}

/* ---- what is asked ---- */

bool dq_mongo_is_uri(const char *text)
{
    return strncmp(text, "mongodb://", 10) == 0 || strncmp(text, "mongodb+srv://", 14) == 0;
}

static bson_t *filter_of(const char *text, dq_error *error)
{
    bson_error_t why;
    bson_t *filter = text ? bson_new_from_json((const uint8_t *)text, -1, &why) : bson_new();
    if (!filter) dq_fail(error, DQ_ERR_FORMAT, "no filter: %s", text ? why.message : "out of memory");
    return filter;
}

dq_status dq_mongo_check_filter(const char *text, dq_error *error)
{
    bson_t *filter = filter_of(text, error);
    bson_destroy(filter);
    return filter ? DQ_OK : DQ_ERR_FORMAT;
}

/* A text as every id that it may stand for: itself, an ObjectId, an integer. */
static bool append_forms(bson_t *list, uint32_t *n, const char *text)
{
    char key[16], back[24];
    bson_oid_t oid;
    char *end;
    bool ok = true;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    (void)snprintf(key, sizeof key, "%u", (*n)++);
    ok &= bson_append_utf8(list, key, -1, text, -1);
    if (strlen(text) == 24 && strspn(text, "0123456789abcdef") == 24) {
        bson_oid_init_from_string(&oid, text);
        (void)snprintf(key, sizeof key, "%u", (*n)++);
        ok &= bson_append_oid(list, key, -1, &oid);
    }
    (void)snprintf(back, sizeof back, "%lld", integer);
    if (errno || strcmp(back, text) != 0) return ok;
    (void)snprintf(key, sizeof key, "%u", (*n)++);
    return ok && bson_append_int64(list, key, -1, integer);
}

/* {key: {$in: [...]}} */
static bool append_ids(bson_t *filter, const char *key, const char *const *ids)
{
    bson_t in, list;
    uint32_t n = 0;
    bool ok = bson_append_document_begin(filter, key, -1, &in) &&
              bson_append_array_begin(&in, "$in", -1, &list);
    for (; ok && *ids; ids++) ok = append_forms(&list, &n, *ids);
    return ok && bson_append_array_end(&in, &list) && bson_append_document_end(filter, &in);
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

static bool is_path(const char *key)
{
    return *key == '$' || strchr(key, '.');
}

/* A key that would be read as a path is not asked for by name: then everything comes. */
static bool append_projection(bson_t *options, const dq_query *query)
{
    bson_t projection;
    for (size_t i = 0; query->keys && query->keys[i]; i++)
        if (is_path(query->keys[i])) return true;
    if (!query->keys) return true;
    bool ok = bson_append_document_begin(options, "projection", -1, &projection) &&
              bson_append_int32(&projection, "_id", -1, 1);
    for (size_t i = 0; ok && query->keys[i]; i++)
        if (!bson_has_field(&projection, query->keys[i]))
            ok = bson_append_int32(&projection, query->keys[i], -1, 1);
    return ok && bson_append_document_end(options, &projection);
}

static dq_status ask(cursor *c, dq_error *error)
{
    const dq_query *query = &c->query;
    bson_t ids, sort, *where = filter_of(query->where, error);
    bson_init(&ids);
    if (!where) return DQ_ERR_FORMAT;
    int32_t batch = query->most && query->most < BATCH ? (int32_t)query->most + 1 : BATCH;
    bool ok = !query->ids || append_ids(&ids, query->key, query->ids);
    bson_destroy(&c->filter);
    ok = ok && both(&c->filter, where, &ids) && append_projection(&c->options, query) &&
         bson_append_int32(&c->options, "batchSize", -1, batch) &&
         bson_append_document_begin(&c->options, "sort", -1, &sort) &&
         bson_append_int32(&sort, query->key, -1, 1) && bson_append_document_end(&c->options, &sort);
    bson_destroy(where);
    bson_destroy(&ids);
    return ok ? DQ_OK : dq_fail(error, DQ_ERR_RANGE, "the filter is larger than a document may be");
}

/* ---- going on after the last key ---- */

static bool note_given(cursor *c, uint64_t hash)
{
    if (c->given_count == c->given_slots) {
        size_t slots = c->given_slots ? 2 * c->given_slots : 16;
        uint64_t *given = realloc(c->given, slots * sizeof *given);
        if (!given) return false;
        c->given = given;
        c->given_slots = slots;
    }
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

/* The key of a document as {"": key}, integers as int64; false where it is no id. */
static bool key_of(const cursor *c, const bson_t *document, bson_t *key)
{
    bson_iter_t at;
    if (!bson_iter_init_find(&at, document, c->query.key)) return false;
    if (BSON_ITER_HOLDS_INT(&at)) return bson_append_int64(key, "", 0, bson_iter_as_int64(&at));
    if (!BSON_ITER_HOLDS_UTF8(&at) && !BSON_ITER_HOLDS_OID(&at)) return false;
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

/* {key: {$gte: last}}, or {$or: [that, {key: {$type: [kinds behind]}}]}. */
static bool append_rest(const cursor *c, bson_t *rest)
{
    const char *key = c->query.key, *operator= strcmp(key, "_id") == 0 ? "$gt" : "$gte";
    bson_iter_t last;
    bson_t list, first = BSON_INITIALIZER, behind = BSON_INITIALIZER, from, type, kinds;
    if (!bson_iter_init_find(&last, &c->last, "")) return true;
    bool oid = BSON_ITER_HOLDS_OID(&last), integer = BSON_ITER_HOLDS_INT(&last);
    bool ok = bson_append_document_begin(&first, key, -1, &from) &&
              bson_append_iter(&from, operator, - 1, &last) && bson_append_document_end(&first, &from);
    if (ok && oid) ok = bson_concat(rest, &first);
    if (ok && !oid)
        ok = bson_append_document_begin(&behind, key, -1, &type) &&
             bson_append_array_begin(&type, "$type", -1, &kinds) &&
             bson_append_utf8(&kinds, "0", -1, "objectId", -1) &&
             (!integer || bson_append_utf8(&kinds, "1", -1, "string", -1)) &&
             bson_append_array_end(&type, &kinds) && bson_append_document_end(&behind, &type) &&
             bson_append_array_begin(rest, "$or", -1, &list) &&
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
    mongoc_client_destroy(c->client);
    c->run = NULL;
    c->collection = NULL;
    c->client = NULL;
}

/* Asks, from the last key on where there is one. */
static dq_status start(cursor *c, bool once, dq_error *error)
{
    bson_t rest = BSON_INITIALIZER, filter;
    dq_status status = connect_to(c->of, once, &c->client, error);
    if (status) return status;
    bool ok = append_rest(c, &rest) && both(&filter, &c->filter, &rest);
    if (ok) {
        c->collection = mongoc_client_get_collection(c->client, c->of->name, c->query.collection);
        c->run = mongoc_collection_find_with_opts(c->collection, &filter, &c->options, NULL);
        bson_destroy(&filter);
    }
    bson_destroy(&rest);
    return ok ? DQ_OK : dq_fail(error, DQ_ERR_RANGE, "the filter is larger than a document may be");
}

/* Whether a new connection may do better: the network, a server that steps down or restarts, a cursor that
 * was forgotten. */
static bool is_passing(const bson_error_t *why)
{
    static const uint32_t codes[] = {6,   7,    43,    89,    91,    175,   189,  237,
                                     262, 9001, 10107, 11600, 11602, 13435, 13436};
    if (why->domain == MONGOC_ERROR_STREAM) return true;
    if (why->domain == MONGOC_ERROR_SERVER_SELECTION) return false; /* it has been waited for */
    for (size_t i = 0; why->domain == MONGOC_ERROR_SERVER && i < sizeof codes / sizeof *codes; i++)
        if (why->code == codes[i]) return true;
    return false;
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
        if (!is_passing(&why) || c->tries == TRIES) {
            fail_with(c->of, &why, error);
            return -1;
        }
        c->tries++;
        c->resumed = true;
        hang_up(c);
        if (start(c, false, error)) return -1;
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
    dq_status status = note(c, raw) ? DQ_OK : out_of_memory(error);
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
    mongoc_database_t *d = mongoc_client_get_database(c->client, c->of->name);
    mongoc_cursor_t *names = mongoc_database_find_collections_with_opts(d, options);
    bool there = mongoc_cursor_next(names, &document), asked = !mongoc_cursor_error(names, &why);
    mongoc_cursor_destroy(names);
    mongoc_database_destroy(d);
    bson_destroy(options);
    if (there || !asked) return DQ_OK; /* who may read a collection need not be let to list them */
    dq_fail(error, DQ_ERR_UNKNOWN, "the database %s has no collection %s", c->of->name, c->query.collection);
    return dq_error_at(error, c->of->host, DQ_NO_RECORD);
}

static dq_status mongo_open(dq_collections *place, const dq_query *query, dq_documents *documents,
                            dq_error *error)
{
    cursor *c = calloc(1, sizeof *c);
    if (!c) return out_of_memory(error);
    c->of = place->self;
    c->query = *query;
    bson_init(&c->filter);
    bson_init(&c->options);
    bson_init(&c->last);
    *documents = (dq_documents){.next = mongo_next, .close = mongo_close, .self = c, .record = DQ_NO_RECORD};
    (void)snprintf(documents->name, sizeof documents->name, "%s", query->collection);
    dq_status status = DQ_OK;
    if (is_path(query->key))
        status = dq_fail(error, DQ_ERR_UNSUPPORTED, "a database cannot sort by '%s': it would be a path",
                         query->key);
    if (!status) status = ask(c, error);
    if (!status) status = start(c, true, error);
    if (!status) {
        int got = fetch(c, &c->first, error);
        status = got < 0 ? error->status : got ? DQ_OK : check_name(c, error);
        if (got <= 0) c->first = NULL;
    }
    if (status) mongo_close(documents);
    return status;
}

/* One probe: the kind of a document's key, asked for by the names of its types. */
static dq_status probe(cursor *c, const bson_t *filter, unsigned *kinds, dq_error *error)
{
    bson_error_t why;
    bson_iter_t at;
    const bson_t *document;
    bson_t *options = BCON_NEW("limit", BCON_INT64(1), "projection", "{", c->query.key, BCON_INT32(1), "}");
    mongoc_cursor_t *run = mongoc_collection_find_with_opts(c->collection, filter, options, NULL);
    if (mongoc_cursor_next(run, &document) && bson_iter_init_find(&at, document, c->query.key)) {
        if (BSON_ITER_HOLDS_INT(&at)) *kinds |= DQ_ID_INTEGER;
        if (BSON_ITER_HOLDS_UTF8(&at)) *kinds |= DQ_ID_STRING;
        if (BSON_ITER_HOLDS_OID(&at)) *kinds |= DQ_ID_OBJECT;
    }
    dq_status status = mongoc_cursor_error(run, &why) ? fail_with(c->of, &why, error) : DQ_OK;
    mongoc_cursor_destroy(run);
    bson_destroy(options);
    return status;
}

static dq_status mongo_kinds(dq_collections *place, const dq_query *query, unsigned *kinds, dq_error *error)
{
    cursor c = {.of = place->self, .query = *query};
    const char *key = query->key;
    *kinds = 0;
    dq_status status = connect_to(c.of, true, &c.client, error);
    if (status) return status;
    c.collection = mongoc_client_get_collection(c.client, c.of->name, query->collection);
    bson_t *filters[] = {BCON_NEW(key, "{", "$type", "[", BCON_UTF8("int"), BCON_UTF8("long"), "]", "}"),
                         BCON_NEW(key, "{", "$type", BCON_UTF8("string"), "}"),
                         BCON_NEW(key, "{", "$type", BCON_UTF8("objectId"), "}")};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (!status) status = probe(&c, filters[i], kinds, error);
        bson_destroy(filters[i]);
    }
    hang_up(&c);
    return status;
}

/* ---- the place ---- */

static void mongo_close_place(dq_collections *place)
{
    database *d = place->self;
    place->self = NULL;
    if (!d) return;
    mongoc_uri_destroy(d->uri);
    free(d);
}

/* An @ or a / that a password has as it is would make a host of its rest, and be named as one. */
static bool has_stray_at(const char *uri)
{
    const char *from = strstr(uri, "://"), *at = from ? strchr(from, '@') : NULL;
    if (!at) return false;
    const char *slash = strchr(from + 3, '/'), *options = strchr(from, '?');
    const char *second = strchr(at + 1, '@');
    return (slash && slash < at && (!options || at < options)) || (second && (!options || second < options));
}

static dq_status read_uri(database *d, const char *text, dq_error *error)
{
    d->uri = has_stray_at(text) ? NULL : mongoc_uri_new_with_error(text, NULL);
    if (!d->uri) /* libmongoc's words may quote what is secret */
        return dq_fail(
            error, DQ_ERR_RANGE,
            "not a MongoDB URI: mongodb://[USER:PASSWORD@]HOST[:PORT]/DATABASE[?OPTIONS], with %%40 "
            "for an @ and %%2F for a / in the password");
    name_host(d);
    d->name = mongoc_uri_get_database(d->uri);
    if (!d->name || !*d->name) {
        dq_fail(error, DQ_ERR_RANGE, "the URI names no database (mongodb://HOST/DATABASE)");
        return dq_error_at(error, d->host, DQ_NO_RECORD);
    }
    default_int32(d->uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_MS);
    default_int32(d->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, CONNECT_MS);
    default_int32(d->uri, MONGOC_URI_SOCKETTIMEOUTMS, ANSWER_MS);
    if (!mongoc_uri_has_option(d->uri, MONGOC_URI_RETRYREADS)) /* what is lost is taken up again here */
        (void)mongoc_uri_set_option_as_bool(d->uri, MONGOC_URI_RETRYREADS, false);
    return DQ_OK;
}

dq_status dq_collections_open_mongo(dq_collections *place, const char *uri, dq_error *error)
{
    database *d = calloc(1, sizeof *d);
    if (!d) return out_of_memory(error);
    mongoc_log_set_handler(no_log, NULL);
    mongoc_init();
    *place = (dq_collections){
        .open = mongo_open, .kinds = mongo_kinds, .close = mongo_close_place, .self = d};
    dq_status status = read_uri(d, uri, error);
    if (status) mongo_close_place(place);
    return status;
}
