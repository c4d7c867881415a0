/* SPDX-License-Identifier: MIT */
#include "report/run_file.h"

#include "core/array.h"
#include "dq/schema.h"
#include "report/rankings.h"
#include "report/rankings_impl.h"

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

/* A list in the making. */
typedef struct gathering {
    char *query; /* (query_bytes) */
    size_t query_bytes, query_capacity;
    dq_ranking ranking;
} gathering;

struct dq_run_reader {
    dq_source *source; /* a text, or */
    dq_trec trec;
    dq_reader *stream; /* a stream: */
    dq_bundle bundle;  /* its rows from `row` on are still to come */
    uint64_t row;
    gathering lists[2]; /* the one at hand, and the one that its end is seen by */
    int at;
    bool ended;
    dq_index seen; /* queries whose lists have begun */
    char tag[128];
};

dq_status dq_run_reader_open(dq_run_reader **reader, const char *path, dq_error *error)
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
    r->trec = (dq_trec){.source = source, .form = DQ_TREC_RUN};
    if (status)
        free(r);
    else
        *reader = r;
    return status;
}

void dq_run_reader_close(dq_run_reader *r)
{
    if (!r) return;
    dq_source_close(r->source);
    dq_bundle_free(&r->bundle);
    dq_reader_close(r->stream);
    dq_index_free(&r->seen);
    for (int i = 0; i < 2; i++) {
        free(r->lists[i].query);
        dq_ranking_free(&r->lists[i].ranking);
    }
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

/* The next bundle of rankings that has rows. */
static int next_bundle(dq_run_reader *r, dq_error *error)
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
        int got = next_bundle(r, error);
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

/* ---- lists ---- */

static bool is_of(const gathering *g, const entry *e)
{
    return g->query_bytes == e->query_bytes && memcmp(g->query, e->query, e->query_bytes) == 0;
}

static dq_status start_list(dq_run_reader *r, gathering *g, const entry *e, dq_error *error)
{
    bool fresh;
    dq_status status = dq_rankings_check_text(e->query, e->query_bytes, "query", error);
    if (!status) status = dq_index_add(&r->seen, e->query, e->query_bytes, NULL, &fresh, error);
    if (status) return status;
    if (!fresh)
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "query %.*s comes back: out of a pipe, what a query has must stand together (%sor give "
            "it as a file)",
            (int)e->query_bytes, e->query, r->source ? "sort -s -k1,1, " : "");
    if (!dq_array_reserve(&g->query, &g->query_capacity, e->query_bytes + 1, 1))
        return dq_fail_memory(error, "a query");
    memcpy(g->query, e->query, e->query_bytes);
    g->query_bytes = e->query_bytes;
    return DQ_OK;
}

static dq_status add_entry(dq_run_reader *r, gathering *g, bool starts, const entry *e, dq_error *error)
{
    dq_status status = starts ? start_list(r, g, e, error) : DQ_OK;
    if (!status) status = dq_ranking_add(&g->ranking, e->doc, e->doc_bytes, e->score, error);
    return status ? fail_here(r, error) : DQ_OK;
}

static int end_run(dq_run_reader *r, dq_error *error)
{
    if (dq_index_count(&r->seen)) return 0;
    (void)(r->source ? dq_fail(error, DQ_ERR_TRUNCATED, "no ranking in it")
                     : dq_fail(error, DQ_ERR_SCHEMA, "the stream has no rankings"));
    (void)dq_error_at(error, dq_run_reader_source(r), DQ_NO_RECORD);
    return -1;
}

int dq_run_reader_next(dq_run_reader *r, dq_run_list *list, dq_error *error)
{
    int got = 1;
    dq_ranking_clear(&r->lists[r->at].ranking);
    r->at = !r->at;
    gathering *here = &r->lists[r->at], *next = &r->lists[!r->at];
    while (!r->ended && !next->ranking.count) {
        entry e;
        got = next_entry(r, &e, error);
        if (got < 0) return -1;
        r->ended = got == 0;
        if (!got) break;
        bool first = here->ranking.count == 0, starts = first || !is_of(here, &e);
        if (add_entry(r, starts && !first ? next : here, starts, &e, error)) return -1;
    }
    if (!here->ranking.count) return end_run(r, error);
    *list = (dq_run_list){here->query, here->query_bytes, &here->ranking};
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

/* Whether a path can be read a second time. */
static bool is_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

dq_status dq_run_file_measure(dq_run_table *t, size_t run, int32_t relevance, bool *gathered, dq_error *error)
{
    dq_run_reader *reader;
    dq_status status = dq_run_reader_open(&reader, t->runs[run].name, error);
    if (!status) status = measure_lists(t, run, relevance, reader, error);
    dq_run_reader_close(reader);
    *gathered = status == DQ_ERR_UNSUPPORTED && is_file(t->runs[run].name);
    if (!*gathered) return status;
    *error = DQ_ERROR_NONE;
    return measure_gathered(t, run, relevance, error);
}
