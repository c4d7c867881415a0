/* SPDX-License-Identifier: MIT
 *
 * Operands to records, records to bundles. A body is believed only when its length and XXH3-64 are what its
 * record says; a section only when its end has come and agrees with what was read.
 */
#include "wire/wire.h"

#include "dq/schema.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 18, FIRST_BODY = 64 << 10, ALIGN = 64 };

struct dq_reader {
    char **paths;
    size_t path_count, opened;
    dq_source *source;
    uint64_t record; /* of this source, from 1 */
    dq_arena arena;  /* heads and ends */
    dq_value heads, ends;
    dq_section section;
    bool in_section;
    uint64_t sections; /* heads read */
    size_t largest;    /* bytes of the largest body received so far: the first size of the next buffer */
    int state;         /* 1: reading, 0: ended, -1: broken */
    bool foreign;      /* what broke it was something where a record is wanted */
    dq_error error;
    void (*before_block)(void *);
    void *arg;
    unsigned threads;
    dq_bundle_filter *filters; /* in the order that bundles go through them */
};

typedef struct body {
    unsigned char *bytes; /* 64-aligned */
    size_t n;
    uint64_t hash;
} body;

/* MessagePack's uint64: 0xcf and eight bytes, the highest first. */
static bool read_u64(const unsigned char *p, uint64_t *u)
{
    *u = 0;
    for (int i = 1; i <= 8; i++) *u = *u << 8 | p[i];
    return p[0] == 0xcf;
}

/* Whether bytes may begin a record: the mark of a length, of which the highest byte is no continuation of
 * UTF-8's, for 0xcf begins some letters there. */
static bool may_begin(const unsigned char *first, size_t n)
{
    return first[0] == 0xcf && !(n > 1 && first[1] >= 0x80 && first[1] < 0xc0);
}

/* Something else than a record: shows how it begins, with what more of it is at hand. */
static dq_status fail_foreign(dq_reader *r, const unsigned char *header, size_t n, dq_error *error)
{
    unsigned char first[DQ_SHOWN_BYTES];
    size_t held;
    const void *rest = dq_source_held(r->source, &held);
    size_t more = held < sizeof first - n ? held : sizeof first - n;
    memcpy(first, header, n);
    if (more) memcpy(first + n, rest, more);
    r->foreign = true;
    const char *what = r->record == 1   ? "not a dq stream: it begins with"
                       : !r->in_section ? "bytes after the end that are no head:"
                                        : "not a record:";
    return dq_fail_foreign(what, first, n + more, held > more, error);
}

/* One record's length and hash. *got is false at the end of the source. */
static dq_status read_header(dq_reader *r, body *b, uint64_t *length, bool *got, dq_error *error)
{
    unsigned char header[HEADER];
    size_t n, more = 0;
    r->record++;
    dq_status status = dq_source_read(r->source, header, HEADER, &n, error);
    *got = n > 0;
    if (status || n == 0) return status;
    if (!may_begin(header, n)) return fail_foreign(r, header, n, error); /* no more of it may come */
    if (n < HEADER) status = dq_source_read_full(r->source, header + n, HEADER - n, &more, error);
    if (status) return status;
    n += more;
    if (n < HEADER) return dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside a record's header");
    if (!read_u64(header, length) || !read_u64(header + 9, &b->hash))
        return fail_foreign(r, header, n, error);
    if (*length == 0 || *length > DQ_MAX_RECORD)
        return dq_fail(error, DQ_ERR_FORMAT, "a record that claims %llu bytes: not in 1 .. 1 GiB",
                       (unsigned long long)*length);
    return DQ_OK;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool resize(body *b, size_t capacity)
{
    unsigned char *grown = aligned_alloc(ALIGN, (capacity + ALIGN - 1) / ALIGN * ALIGN);
    if (!grown) return false;
    if (b->n) memcpy(grown, b->bytes, b->n);
    free(b->bytes);
    b->bytes = grown;
    return true;
}

/* The buffer grows by doubling with what arrives, so that a record which lies about its length costs nothing.
 */
static dq_status read_body(dq_reader *r, body *b, uint64_t length, dq_error *error)
{
    size_t capacity = 0;
    b->n = 0;
    while (b->n < length) {
        size_t want = capacity ? 2 * capacity : r->largest > FIRST_BODY ? r->largest : FIRST_BODY, got;
        want = smaller(want, (size_t)length);
        if (!resize(b, want)) return dq_fail_memory(error, "a record of %zu bytes", want);
        capacity = want;
        dq_status status = dq_source_read_full(r->source, b->bytes + b->n, capacity - b->n, &got, error);
        if (status) return status;
        b->n += got;
        if (b->n < capacity) return dq_fail(error, DQ_ERR_TRUNCATED, "cut off inside a record");
    }
    if (dq_digest(b->bytes, b->n) != b->hash)
        return dq_fail(error, DQ_ERR_FORMAT, "a record whose bytes do not match its XXH3-64: it is damaged");
    if (b->n > r->largest) r->largest = b->n;
    return DQ_OK;
}

/* Reads and parses one record; *got is false at the end of the source. The value lives in arena and body. */
static dq_status read_record(dq_reader *r, body *b, dq_arena *arena, dq_value *value, bool *got,
                             dq_error *error)
{
    uint64_t length = 0;
    dq_status status = read_header(r, b, &length, got, error);
    if (status || !*got) return status;
    status = read_body(r, b, length, error);
    if (!status) status = dq_unpack(b->bytes, b->n, arena, value, error);
    if (!status && value->type != DQ_MAP) status = dq_fail(error, DQ_ERR_FORMAT, "a record that is no map");
    return status;
}

static dq_status take_head(dq_reader *r, const dq_value *head, dq_error *error)
{
    const dq_value *version = dq_map_get(head, "version"), *maker = dq_map_get(head, "maker");
    int64_t major = version && version->type == DQ_LIST && version->count == 2
                        ? dq_value_integer(&version->as.list[0], -1)
                        : -1;
    if (major < 0) return dq_fail(error, DQ_ERR_FORMAT, "a head without a version");
    if (major != DQ_STREAM_MAJOR)
        return dq_fail(error, DQ_ERR_VERSION,
                       "version %lld of the stream format; this program reads version %d", (long long)major,
                       DQ_STREAM_MAJOR);
    dq_value copy;
    if (!maker || maker->type != DQ_MAP) return dq_fail(error, DQ_ERR_FORMAT, "a head without a maker");
    if (!dq_value_copy(&r->arena, maker, &copy) || !dq_list_add(&r->arena, &r->heads, copy))
        return dq_fail_memory(error, "a head");
    r->in_section = true;
    r->sections++;
    return dq_section_begin(&r->section, error);
}

/* Between sections: a head, or the end of the source (*got false). */
static dq_status read_head(dq_reader *r, bool *got, dq_error *error)
{
    body b = {0};
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    dq_status status = read_record(r, &b, &arena, &value, got, error);
    if (!status && *got) {
        if (dq_value_is(dq_map_get(&value, "dq"), "head"))
            status = take_head(r, &value, error);
        else
            status = dq_fail(error, DQ_ERR_FORMAT,
                             r->record == 1 ? "not a dq stream: it begins with no head"
                                            : "a record that is no head after the end");
    }
    dq_arena_free(&arena);
    free(b.bytes);
    return status;
}

static bool rows_agree(const dq_section *section, const dq_value *rows)
{
    if (!rows || rows->type != DQ_MAP || rows->count != section->kind_count) return false;
    for (size_t i = 0; i < section->kind_count; i++)
        if (dq_value_integer(dq_map_get(rows, section->kinds[i].kind), -1) != (int64_t)section->kinds[i].rows)
            return false;
    return true;
}

static dq_status take_end(dq_reader *r, const dq_value *end, dq_error *error)
{
    char digest[17];
    dq_section_digest(&r->section, digest);
    if (dq_value_integer(dq_map_get(end, "bundles"), -1) != (int64_t)r->section.bundles ||
        !rows_agree(&r->section, dq_map_get(end, "rows")))
        return dq_fail(error, DQ_ERR_FORMAT, "the section's end does not count what the section holds");
    if (!dq_value_is(dq_map_get(end, "digest"), digest))
        return dq_fail(error, DQ_ERR_FORMAT, "the section's end has another digest than the section");
    dq_value copy;
    if (!dq_value_copy(&r->arena, end, &copy) || !dq_list_add(&r->arena, &r->ends, copy))
        return dq_fail_memory(error, "an end");
    r->in_section = false;
    return DQ_OK;
}

static dq_status take_bundle(dq_reader *r, dq_bundle *bundle, const dq_value *value, dq_error *error)
{
    dq_status status = dq_bundle_read(bundle, value, error);
    if (!status) status = dq_schema_check(bundle, error);
    if (!status) status = dq_section_add(&r->section, bundle, bundle->body_hash, error);
    return status;
}

/* Inside a section: a bundle (*got true) or the section's end. */
static dq_status read_in_section(dq_reader *r, dq_bundle *bundle, bool *got, dq_error *error)
{
    body b = {0};
    dq_value value;
    *bundle = DQ_BUNDLE_EMPTY;
    dq_status status = read_record(r, &b, &bundle->arena, &value, got, error);
    bundle->body = b.bytes;
    bundle->body_bytes = b.n;
    bundle->body_hash = b.hash;
    if (status) return status;
    if (!*got) return dq_fail(error, DQ_ERR_TRUNCATED, "cut off: its section has no end");
    const dq_value *what = dq_map_get(&value, "dq");
    if (dq_value_is(what, "bundle")) return take_bundle(r, bundle, &value, error);
    *got = false;
    if (dq_value_is(what, "end")) return take_end(r, &value, error);
    if (dq_value_is(what, "head"))
        return dq_fail(error, DQ_ERR_TRUNCATED, "cut off: a new section begins before this one's end");
    return dq_fail(error, DQ_ERR_FORMAT, "a record that is neither head, bundle nor end");
}

/* Goes over to a source, which is now the reader's, and reads its first head. */
static dq_status first_head(dq_reader *r, dq_source *source, dq_error *error)
{
    dq_source_close(r->source);
    r->source = source;
    r->record = 0;
    bool got;
    dq_status status = read_head(r, &got, error);
    if (!status && !got)
        status = dq_fail(error, DQ_ERR_TRUNCATED, "empty: a dq stream has at least a head and an end");
    return status;
}

/* Opens the next operand and reads its first head. */
static dq_status next_operand(dq_reader *r, dq_error *error)
{
    dq_source *source;
    dq_status status = dq_source_open(&source, r->paths[r->opened], error);
    if (status) return status;
    r->opened++;
    if (r->before_block) dq_source_on_block(source, r->before_block, r->arg);
    dq_source_threads(source, r->threads);
    return first_head(r, source, error);
}

/* Names the place of a failure, and remembers it. */
static int broken(dq_reader *r, dq_error *error)
{
    if (r->source) {
        (void)dq_error_at(&r->error, dq_source_name(r->source), r->record);
        if (r->error.record == DQ_NO_RECORD && r->error.status != DQ_ERR_IO) r->error.record = r->record;
    }
    r->state = -1;
    if (error) *error = r->error;
    return -1;
}

/* Through all filters, as one of them says. */
static int pass_on(dq_reader *r, dq_bundle *bundle)
{
    int kept = 1;
    for (const dq_bundle_filter *f = r->filters; f && kept > 0; f = f->next)
        kept = f->pass(f->arg, bundle, &r->error);
    return kept;
}

int dq_reader_next(dq_reader *reader, dq_bundle *bundle, dq_error *error)
{
    dq_reader *r = reader;
    *bundle = DQ_BUNDLE_EMPTY;
    if (r->state < 0 && error) *error = r->error;
    while (r->state > 0) {
        bool got;
        dq_status status;
        if (r->in_section) {
            status = read_in_section(r, bundle, &got, &r->error);
            int kept = !status && got ? pass_on(r, bundle) : 0;
            if (kept > 0) return 1;
            if (kept < 0) status = r->error.status;
            dq_bundle_free(bundle);
        } else {
            status = read_head(r, &got, &r->error);
            if (!status && !got && r->opened == r->path_count) return r->state = 0;
            if (!status && !got) status = next_operand(r, &r->error);
        }
        if (status) return broken(r, error);
    }
    return r->state;
}

static dq_status copy_paths(dq_reader *r, const char *const *paths, size_t count, dq_error *error)
{
    static const char *const standard[] = {"-"};
    if (count == 0) paths = standard;
    r->path_count = count ? count : 1;
    r->paths = dq_arena_take(&r->arena, r->path_count * sizeof *r->paths);
    for (size_t i = 0; r->paths && i < r->path_count; i++) {
        /* as many as path_count: NOLINTNEXTLINE(*.CallAndMessage) */
        r->paths[i] = dq_arena_text(&r->arena, paths[i], strlen(paths[i]));
        if (!r->paths[i]) r->paths = NULL;
    }
    return r->paths ? DQ_OK : dq_fail_memory(error, "a reader");
}

static dq_reader *new_reader(dq_error *error)
{
    dq_reader *r = calloc(1, sizeof *r);
    if (!r) {
        (void)dq_fail_memory(error, "a reader");
        return NULL;
    }
    r->state = 1;
    r->error = DQ_ERROR_NONE;
    r->heads = dq_list();
    r->ends = dq_list();
    return r;
}

/* Hands the reader out, or on a failure its error. */
static dq_status opened(dq_reader *r, dq_reader **reader, dq_status status, dq_error *error)
{
    if (status) {
        (void)broken(r, error);
        dq_reader_close(r);
        return status;
    }
    *reader = r;
    return DQ_OK;
}

dq_status dq_reader_open(dq_reader **reader, const char *const *paths, size_t count, dq_error *error)
{
    *reader = NULL;
    dq_reader *r = new_reader(error);
    if (!r) return DQ_ERR_MEMORY;
    dq_status status = copy_paths(r, paths, count, &r->error);
    if (!status) status = next_operand(r, &r->error);
    return opened(r, reader, status, error);
}

dq_status dq_reader_open_source(dq_reader **reader, dq_source *source, dq_error *error)
{
    *reader = NULL;
    dq_reader *r = new_reader(error);
    if (!r) {
        dq_source_close(source);
        return DQ_ERR_MEMORY;
    }
    return opened(r, reader, first_head(r, source, &r->error), error);
}

void dq_reader_close(dq_reader *reader)
{
    if (!reader) return;
    dq_source_close(reader->source);
    dq_section_free(&reader->section);
    dq_arena_free(&reader->arena);
    free(reader);
}

/* Where a filter's place is named: that of NULL is at the end. */
static dq_bundle_filter **place_of(dq_reader *reader, const dq_bundle_filter *filter)
{
    dq_bundle_filter **at = &reader->filters;
    while (*at && *at != filter) at = &(*at)->next;
    return at;
}

void dq_reader_filter(dq_reader *reader, dq_bundle_filter *filter)
{
    filter->next = NULL;
    *place_of(reader, NULL) = filter;
}

void dq_reader_unfilter(dq_reader *reader, const dq_bundle_filter *filter)
{
    dq_bundle_filter **at = place_of(reader, filter);
    if (*at) *at = filter->next;
}

uint64_t dq_reader_section(const dq_reader *reader)
{
    return reader->sections ? reader->sections - 1 : 0;
}

const dq_value *dq_reader_heads(const dq_reader *reader)
{
    return &reader->heads;
}

const dq_value *dq_reader_ends(const dq_reader *reader)
{
    return &reader->ends;
}

const char *dq_reader_source(const dq_reader *reader)
{
    return dq_source_name(reader->source);
}

bool dq_reader_met_foreign(const dq_reader *reader)
{
    return reader->foreign;
}

uint64_t dq_reader_record(const dq_reader *reader)
{
    return reader->record;
}

void dq_reader_on_block(dq_reader *reader, void (*before_block)(void *arg), void *arg)
{
    reader->before_block = before_block;
    reader->arg = arg;
    dq_source_on_block(reader->source, before_block, arg);
}

void dq_reader_threads(dq_reader *reader, unsigned threads)
{
    reader->threads = threads;
    dq_source_threads(reader->source, threads);
}
