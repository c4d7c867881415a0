/* SPDX-License-Identifier: MIT
 *
 * Reading the text is a little more than half of the work, so a thread does it, a block of lists ahead of who
 * measures them. Only for files: who gives up waits for the thread, which a silent pipe could hold up.
 */
#include "report/run_file.h"

#include "core/array.h"
#include "core/bytes.h"
#include "dq/schema.h"
#include "report/rankings.h"
#include "report/rankings_impl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A line of a text, or a row of a stream. */
typedef struct entry {
    const char *query, *doc;
    size_t query_bytes, doc_bytes;
    double score;
} entry;

/* The places of a list, from `first` to the next one's, and its query. */
typedef struct span {
    size_t first, query, query_bytes;
} span;

/* Lists, one after another; the last may be in the making. */
typedef struct block {
    dq_ranking places; /* of all */
    span *lists;       /* (count) */
    char *queries;     /* (query_bytes) */
    size_t count, capacity, query_bytes, query_capacity;
} block;

enum { BLOCKS = 3, BLOCK_PLACES = 4096 };

struct dq_run_reader {
    dq_source *source; /* a text, or */
    dq_trec trec;
    dq_reader *stream; /* a stream: */
    dq_bundle bundle;  /* its rows from `row` on are still to come */
    uint64_t row;
    dq_index seen; /* queries whose lists have begun */
    char tag[128];
    block carry; /* the one entry by which the end of a block was seen */
    /* What is read and not given yet: ring[first], whose list number `list` is next, and those behind it. */
    block ring[BLOCKS];
    size_t first, filled, list;
    dq_ranking given; /* a view */
    int ended;        /* 1 while there may be more, then 0 or -1 and the error */
    dq_error error;
    bool threaded, stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void *read_blocks(void *reader);

/* Whether a path can be read a second time. */
static bool is_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

dq_status dq_run_reader_open(dq_run_reader **reader, const char *path, bool ahead, dq_error *error)
{
    dq_source *source;
    bool is_stream;
    *reader = NULL;
    dq_status status = dq_rankings_open(&source, path, "ranking", &is_stream, error);
    if (status) return status;
    dq_run_reader *r = calloc(1, sizeof *r);
    if (!r) {
        dq_source_close(source);
        return dq_fail_memory(error, "a run");
    }
    if (is_stream)
        status = dq_reader_open_source(&r->stream, source, error);
    else
        r->source = source;
    if (status) {
        free(r);
        return status;
    }
    r->trec = (dq_trec){.source = source, .form = DQ_TREC_RUN};
    r->ended = 1;
    r->error = DQ_ERROR_NONE;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    /* Without a thread to be had, reading and measuring take turns. */
    r->threaded = ahead && is_file(path) && pthread_create(&r->thread, NULL, read_blocks, r) == 0;
    *reader = r;
    return DQ_OK;
}

static void free_block(block *b)
{
    dq_ranking_free(&b->places);
    free(b->lists);
    free(b->queries);
}

void dq_run_reader_close(dq_run_reader *r)
{
    if (!r) return;
    if (r->threaded) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    dq_source_close(r->source);
    dq_bundle_free(&r->bundle);
    dq_reader_close(r->stream);
    dq_index_free(&r->seen);
    free_block(&r->carry);
    for (int i = 0; i < BLOCKS; i++) free_block(&r->ring[i]);
    free(r);
}

const char *dq_run_reader_tag(const dq_run_reader *r)
{
    return r->tag;
}

const char *dq_run_reader_source(const dq_run_reader *r)
{
    return r->source ? dq_source_name(r->source) : dq_reader_source(r->stream);
}

/* ---- entries ---- */

static int next_line(dq_run_reader *r, entry *e, dq_error *error)
{
    dq_trec_line line;
    int got = dq_trec_next(&r->trec, &line, error);
    if (got <= 0) return got;
    dq_rankings_take_tag(&line, r->tag, sizeof r->tag);
    *e = (entry){line.query, line.doc, line.query_bytes, line.doc_bytes, line.value};
    return dq_rankings_check_text(line.doc, line.doc_bytes, "document", error) ? -1 : 1;
}

/* The next bundle that has rankings. */
static int next_rankings(dq_run_reader *r, dq_error *error)
{
    int got = 1;
    do {
        dq_bundle_free(&r->bundle);
        r->row = 0;
        got = dq_reader_next(r->stream, &r->bundle, error);
    } while (got > 0 && (strcmp(r->bundle.kind, DQ_KIND_RANKINGS) != 0 || r->bundle.rows == 0));
    if (got <= 0) r->bundle = (dq_bundle){0};
    return got;
}

static int next_row(dq_run_reader *r, entry *e, dq_error *error)
{
    if (r->row == r->bundle.rows) {
        int got = next_rankings(r, error);
        if (got == 0) dq_rankings_take_maker(r->stream, r->tag, sizeof r->tag);
        if (got <= 0) return got;
    }
    const dq_bundle *b = &r->bundle;
    e->query = dq_column_text(dq_bundle_column(b, "user"), r->row, &e->query_bytes);
    e->doc = dq_column_text(dq_bundle_column(b, "item"), r->row, &e->doc_bytes);
    e->score = dq_column_number(dq_bundle_column(b, "score"), r->row);
    r->row++;
    return 1;
}

static dq_status fail_here(const dq_run_reader *r, dq_error *error)
{
    return dq_error_at(error, dq_run_reader_source(r),
                       r->source ? r->trec.line : dq_reader_record(r->stream));
}

static int next_entry(dq_run_reader *r, entry *e, dq_error *error)
{
    int got = r->source ? next_line(r, e, error) : next_row(r, e, error);
    if (got < 0) (void)fail_here(r, error);
    return got;
}

/* ---- blocks ---- */

static void clear_block(block *b)
{
    dq_ranking_clear(&b->places);
    b->count = b->query_bytes = 0;
}

/* Whether an entry goes on with the last list. */
static bool goes_on(const block *b, const entry *e)
{
    const span *last = &b->lists[b->count - 1];
    return last->query_bytes == e->query_bytes &&
           dq_bytes_equal(b->queries + last->query, e->query, e->query_bytes);
}

static dq_status check_query(dq_run_reader *r, const entry *e, dq_error *error)
{
    bool fresh = false;
    dq_status status = dq_rankings_check_text(e->query, e->query_bytes, "query", error);
    if (!status) status = dq_index_add(&r->seen, e->query, e->query_bytes, NULL, &fresh, error);
    if (status || fresh) return status;
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "query %.*s comes back: in a run from a pipe, the %s of a query must stand together "
                   "(%sgive it as a file)",
                   (int)e->query_bytes, e->query, r->source ? "lines" : "rows",
                   r->source ? "sort -s -k1,1, or " : "");
}

static dq_status start_list(block *b, const entry *e, dq_error *error)
{
    if (!dq_array_reserve(&b->lists, &b->capacity, b->count + 1, sizeof *b->lists) ||
        !dq_array_reserve(&b->queries, &b->query_capacity, b->query_bytes + e->query_bytes + 1, 1))
        return dq_fail_memory(error, "a query");
    b->lists[b->count++] = (span){b->places.count, b->query_bytes, e->query_bytes};
    memcpy(b->queries + b->query_bytes, e->query, e->query_bytes);
    b->query_bytes += e->query_bytes;
    return DQ_OK;
}

static dq_status start_with(block *b, const entry *e, dq_error *error)
{
    dq_status status = start_list(b, e, error);
    return status ? status : dq_ranking_add(&b->places, e->doc, e->doc_bytes, e->score, error);
}

/* The first entry of a block: what the last one saw of it. */
static dq_status take_carry(dq_run_reader *r, block *b, dq_error *error)
{
    block *c = &r->carry;
    if (!c->count) return DQ_OK;
    const dq_ranked *place = &c->places.places[0];
    const entry e = {c->queries, c->places.ids, c->query_bytes, place->bytes, place->score};
    dq_status status = start_with(b, &e, error);
    clear_block(c);
    return status;
}

/* Fills an empty block with whole lists, as many as make BLOCK_PLACES. 1, or 0 at the end or -1. */
static int fill_block(dq_run_reader *r, block *b, dq_error *error)
{
    entry e;
    int got = 1;
    dq_status status = take_carry(r, b, error);
    while (!status && (got = next_entry(r, &e, error)) > 0) {
        if (b->count && goes_on(b, &e)) {
            status = dq_ranking_add(&b->places, e.doc, e.doc_bytes, e.score, error);
            continue;
        }
        status = check_query(r, &e, error);
        bool full = b->places.count >= BLOCK_PLACES;
        if (!status) status = start_with(full ? &r->carry : b, &e, error);
        if (!status && full) return 1;
    }
    if (status) (void)fail_here(r, error);
    return status ? -1 : got;
}

static void *read_blocks(void *arg)
{
    dq_run_reader *r = arg;
    bool more = true;
    while (more) {
        pthread_mutex_lock(&r->lock);
        while (r->filled == BLOCKS && !r->stop) pthread_cond_wait(&r->changed, &r->lock);
        block *b = &r->ring[(r->first + r->filled) % BLOCKS];
        more = !r->stop;
        pthread_mutex_unlock(&r->lock);
        if (!more) break;
        clear_block(b);
        dq_error error = DQ_ERROR_NONE;
        int got = fill_block(r, b, &error);
        pthread_mutex_lock(&r->lock);
        r->ended = got;
        r->error = error;
        r->filled += got >= 0 && b->count;
        more = got > 0;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
    }
    return NULL;
}

/* Gives ring[first] back, and waits for the next. Whether there is one. */
static bool next_block(dq_run_reader *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->list) {
        r->first = (r->first + 1) % BLOCKS;
        r->filled--;
        r->list = 0;
        pthread_cond_broadcast(&r->changed);
    }
    while (r->threaded && !r->filled && r->ended > 0) pthread_cond_wait(&r->changed, &r->lock);
    if (!r->threaded && r->ended > 0) {
        clear_block(&r->ring[r->first]);
        r->ended = fill_block(r, &r->ring[r->first], &r->error);
        r->filled = r->ended >= 0 && r->ring[r->first].count;
    }
    bool more = r->filled > 0;
    pthread_mutex_unlock(&r->lock);
    return more;
}

static int end_run(dq_run_reader *r, dq_error *error)
{
    if (r->ended < 0) *error = r->error;
    if (r->ended < 0) return -1;
    if (dq_index_count(&r->seen)) return 0;
    (void)(r->source ? dq_fail(error, DQ_ERR_TRUNCATED, "no ranking in it")
                     : dq_fail(error, DQ_ERR_SCHEMA, "the stream has no rankings"));
    (void)dq_error_at(error, dq_run_reader_source(r), DQ_NO_RECORD);
    return -1;
}

int dq_run_reader_next(dq_run_reader *r, dq_run_list *list, dq_error *error)
{
    if ((!r->list || r->list == r->ring[r->first].count) && !next_block(r)) return end_run(r, error);
    const block *b = &r->ring[r->first];
    const span *s = &b->lists[r->list++];
    size_t end = r->list < b->count ? s[1].first : b->places.count;
    r->given = b->places;
    r->given.places += s->first;
    r->given.count = end - s->first;
    *list = (dq_run_list){b->queries + s->query, s->query_bytes, &r->given};
    return 1;
}

/* ---- measured ---- */

static dq_status measure_lists(dq_run_table *t, size_t run, int32_t relevance, dq_run_reader *reader,
                               dq_error *error)
{
    dq_run_list list;
    int got;
    dq_status status = dq_run_table_begin(t, run, relevance, error);
    if (status) return status;
    while ((got = dq_run_reader_next(reader, &list, error)) > 0) {
        status = dq_run_table_list(t, run, list.query, list.bytes, list.ranking, error);
        if (status) return dq_error_at(error, dq_run_reader_source(reader), DQ_NO_RECORD);
    }
    (void)snprintf(t->runs[run].tag, sizeof t->runs[run].tag, "%s", dq_run_reader_tag(reader));
    return got < 0 ? error->status : dq_run_table_end(t, run, error);
}

static dq_status measure_gathered(dq_run_table *t, size_t run, int32_t relevance, dq_error *error)
{
    dq_run ranked = DQ_LISTS_EMPTY;
    dq_measured_run *r = &t->runs[run];
    dq_status status = dq_rankings_read_run(r->name, &ranked, r->tag, sizeof r->tag, error);
    if (!status) status = dq_run_table_measure(t, run, &ranked, relevance, error);
    dq_lists_free(&ranked);
    return status;
}

dq_status dq_run_file_measure(dq_run_table *t, size_t run, int32_t relevance, bool ahead, bool *gathered,
                              dq_error *error)
{
    dq_run_reader *reader;
    dq_status status = dq_run_reader_open(&reader, t->runs[run].name, ahead, error);
    if (!status) status = measure_lists(t, run, relevance, reader, error);
    dq_run_reader_close(reader);
    *gathered = status == DQ_ERR_UNSUPPORTED && is_file(t->runs[run].name);
    if (!*gathered) return status;
    *error = DQ_ERROR_NONE;
    return measure_gathered(t, run, relevance, error);
}
