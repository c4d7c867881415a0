/* SPDX-License-Identifier: MIT */
#include "report/rankings_impl.h"

#include "report/rankings.h"

#include "core/bytes.h"
#include "core/utf8.h"
#include "dq/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Takes the rows of a bundle that it knows, and counts them. */
typedef dq_status (*take_bundle)(const dq_bundle *bundle, void *arg, uint64_t *taken, dq_error *error);

dq_status dq_rankings_check_text(const char *text, size_t bytes, const char *what, dq_error *error)
{
    if (dq_utf8_valid(text, bytes)) return DQ_OK;
    return dq_fail(error, DQ_ERR_FORMAT, "the %s is not UTF-8", what);
}

static dq_status add_line(dq_lists *lists, const dq_trec_line *line, dq_error *error)
{
    dq_status status = dq_rankings_check_text(line->query, line->query_bytes, "query", error);
    if (!status) status = dq_rankings_check_text(line->doc, line->doc_bytes, "document", error);
    if (!status)
        status = dq_lists_add(lists, line->query, line->query_bytes, line->doc, line->doc_bytes, line->value,
                              error);
    return status;
}

void dq_rankings_take_tag(const dq_trec_line *line, char *tag, size_t tag_size)
{
    size_t n = line->tag_bytes < tag_size ? line->tag_bytes : tag_size - 1;
    if (dq_bytes_equal(tag, line->tag, n) && tag[n] == '\0') return; /* as on the line before */
    memcpy(tag, line->tag, n);
    tag[n] = '\0';
}

static dq_status read_text(dq_source *source, dq_trec_form form, dq_lists *lists, char *tag, size_t tag_size,
                           dq_error *error)
{
    dq_trec trec = {.source = source, .form = form};
    dq_trec_line line;
    int got;
    while ((got = dq_trec_next(&trec, &line, error)) > 0) {
        dq_status status = add_line(lists, &line, error);
        if (status) return dq_error_at(error, dq_source_name(source), trec.line);
        if (tag) dq_rankings_take_tag(&line, tag, tag_size);
    }
    return got < 0 ? error->status : DQ_OK;
}

void dq_rankings_take_maker(dq_reader *reader, char *tag, size_t tag_size)
{
    const dq_value *heads = dq_reader_heads(reader);
    const dq_value *program = heads->count ? dq_map_get(&heads->as.list[heads->count - 1], "program") : NULL;
    if (program && program->type == DQ_STRING)
        (void)snprintf(tag, tag_size, "%.*s", (int)program->count, program->as.string);
}

static dq_status read_stream(dq_reader *reader, take_bundle take, void *arg, const char *kind,
                             dq_error *error)
{
    uint64_t taken = 0;
    dq_bundle bundle;
    int got;
    while ((got = dq_reader_next(reader, &bundle, error)) > 0) {
        dq_status status = strcmp(bundle.kind, kind) == 0 ? take(&bundle, arg, &taken, error) : DQ_OK;
        dq_bundle_free(&bundle);
        if (status) return dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    if (got < 0) return error->status;
    if (taken) return DQ_OK;
    (void)dq_fail(error, DQ_ERR_SCHEMA, "the stream has no %s", kind);
    return dq_error_at(error, dq_reader_source(reader), DQ_NO_RECORD);
}

static dq_status take_rankings(const dq_bundle *bundle, void *arg, uint64_t *taken, dq_error *error)
{
    dq_lists *run = arg;
    const dq_column *user = dq_bundle_column(bundle, "user"), *item = dq_bundle_column(bundle, "item"),
                    *score = dq_bundle_column(bundle, "score");
    dq_status status = DQ_OK;
    for (uint64_t i = 0; i < bundle->rows && !status; i++) {
        size_t un, in;
        const char *u = dq_column_text(user, i, &un), *v = dq_column_text(item, i, &in);
        status = dq_lists_add(run, u, un, v, in, dq_column_number(score, i), error);
        ++*taken;
    }
    return status;
}

typedef struct judging {
    dq_lists *qrels;
    dq_label_map gains;
} judging;

/* Interactions whose label has a level are judgements, whatever their reward; others are not (SEEN, say). */
static dq_status take_interactions(const dq_bundle *bundle, void *arg, uint64_t *taken, dq_error *error)
{
    judging *j = arg;
    const dq_column *user = dq_bundle_column(bundle, "user"), *item = dq_bundle_column(bundle, "item"),
                    *label = dq_bundle_column(bundle, "label");
    dq_status status = DQ_OK;
    for (uint64_t i = 0; label && i < bundle->rows && !status; i++) {
        size_t un, in, ln;
        const char *l = dq_column_text(label, i, &ln);
        double level;
        if (!l || !dq_label_map_find(&j->gains, l, ln, &level)) continue;
        const char *u = dq_column_text(user, i, &un), *v = dq_column_text(item, i, &in);
        status = dq_lists_add(j->qrels, u, un, v, in, level, error);
        ++*taken;
    }
    return status;
}

dq_status dq_rankings_gains(const char *text, dq_label_map *gains, dq_error *error)
{
    dq_status status = dq_label_map_parse(gains, text, error);
    for (size_t i = 0; !status && i < dq_index_count(&gains->labels); i++)
        if (gains->rewards[i] != floor(gains->rewards[i]) || fabs(gains->rewards[i]) > 1000)
            status = dq_fail(error, DQ_ERR_RANGE, "%.9g is not a whole level", gains->rewards[i]);
    return status;
}

static dq_status read_judged_stream(dq_source *source, const char *text, dq_qrels *qrels, dq_error *error)
{
    judging j = {.qrels = qrels};
    dq_reader *reader;
    dq_status status = dq_reader_open_source(&reader, source, error);
    if (status) return status;
    status = dq_rankings_gains(text, &j.gains, error);
    if (!status) status = read_stream(reader, take_interactions, &j, DQ_KIND_INTERACTIONS, error);
    if (!status) status = dq_lists_finish(qrels, DQ_TWICE_GREATEST, error);
    dq_label_map_free(&j.gains);
    dq_reader_close(reader);
    return status;
}

dq_status dq_rankings_open(dq_source **source, const char *path, const char *what, bool *is_stream,
                           dq_error *error)
{
    int first;
    dq_status status = dq_source_open(source, path, error);
    if (status) return status;
    status = dq_source_peek(*source, &first, error);
    if (!status && first < 0) status = dq_fail(error, DQ_ERR_TRUNCATED, "empty: no %s in it", what);
    if (!status) status = dq_source_is_stream(*source, is_stream, error);
    if (status) {
        (void)dq_error_at(error, dq_source_name(*source), DQ_NO_RECORD);
        dq_source_close(*source);
    }
    return status;
}

/* The end of a text: lists grouped, duplicates refused. */
static dq_status finish_text(dq_lists *lists, const char *what, const char *name, dq_error *error)
{
    dq_status status = dq_lists_finish(lists, DQ_TWICE_REFUSED, error);
    if (!status && lists->count == 0) status = dq_fail(error, DQ_ERR_TRUNCATED, "no %s in it", what);
    if (status) (void)dq_error_at(error, name, DQ_NO_RECORD);
    return status;
}

dq_status dq_rankings_read_qrels(const char *path, const char *gains, dq_qrels *qrels, dq_error *error)
{
    dq_source *source;
    bool is_stream;
    dq_status status = dq_rankings_open(&source, path, "judgements", &is_stream, error);
    if (status) return status;
    if (is_stream) return read_judged_stream(source, gains, qrels, error);
    status = read_text(source, DQ_TREC_QRELS, qrels, NULL, 0, error);
    if (!status) status = finish_text(qrels, "judgements", dq_source_name(source), error);
    dq_source_close(source);
    return status;
}

dq_status dq_rankings_read_run(const char *path, dq_run *run, char *tag, size_t tag_size, dq_error *error)
{
    dq_source *source;
    bool is_stream;
    tag[0] = '\0';
    dq_status status = dq_rankings_open(&source, path, "ranking", &is_stream, error);
    if (status) return status;
    if (!is_stream) {
        status = read_text(source, DQ_TREC_RUN, run, tag, tag_size, error);
        if (!status) status = finish_text(run, "ranking", dq_source_name(source), error);
        dq_source_close(source);
        return status;
    }
    dq_reader *reader;
    status = dq_reader_open_source(&reader, source, error);
    if (status) return status;
    status = read_stream(reader, take_rankings, run, DQ_KIND_RANKINGS, error);
    dq_rankings_take_maker(reader, tag, tag_size);
    if (!status) status = dq_lists_finish(run, DQ_TWICE_REFUSED, error);
    if (status) (void)dq_error_at(error, dq_reader_source(reader), DQ_NO_RECORD);
    dq_reader_close(reader);
    return status;
}
