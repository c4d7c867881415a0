/* SPDX-License-Identifier: MIT */
#include "label/agreement_print.h"

#include "core/utf8.h"
#include "port/files/rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64 }; /* bytes of a name that a table shows */

typedef struct printing {
    const dq_labelled *labelled;
    const dq_agreement *agreement;
    double level;
    dq_sink *out;
    dq_error *error;
    dq_status status; /* the first failure stays */
} printing;

#define PUT(p, ...)                                                                                          \
    ((p)->status = (p)->status ? (p)->status : dq_sink_printf((p)->out, (p)->error, __VA_ARGS__))

static const char *path_of(const printing *p, uint32_t rater)
{
    return p->labelled->rater[rater].path;
}

static uint32_t labels(const printing *p)
{
    return (uint32_t)dq_index_count(&p->labelled->labels);
}

/* ---- tables ---- */

static int shown(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void pad(printing *p, const char *text, int width)
{
    PUT(p, "%s%*s", text, width > shown(text) ? width - shown(text) : 0, "");
}

static void show_path(const printing *p, uint32_t rater, char to[NAME])
{
    (void)dq_utf8_show(path_of(p, rater), strlen(path_of(p, rater)), to, NAME);
}

static void show_streams(const printing *p, const dq_agreement_row *row, char to[2 * NAME])
{
    char a[NAME], b[NAME];
    show_path(p, row->first, a);
    show_path(p, row->second, b);
    if (row->first == row->second)
        (void)snprintf(to, 2 * NAME, "all");
    else
        (void)snprintf(to, 2 * NAME, "%s %s", a, b);
}

static void table_row(printing *p, const dq_agreement_row *row, int width)
{
    char streams[2 * NAME];
    show_streams(p, row, streams);
    PUT(p, "%-15s  ", dq_agreement_name(row->measure));
    pad(p, streams, width);
    if (isnan(row->value))
        PUT(p, "  %7s  %-18s", "-", "");
    else
        PUT(p, "  %7.4f  [%7.4f, %7.4f]", row->value, row->interval.low, row->interval.high);
    PUT(p, "  %7" PRIu64 "\n", row->pairs);
}

static void show_label(const printing *p, uint32_t label, char to[NAME])
{
    size_t n;
    const char *text = dq_index_id(&p->labelled->labels, label, &n);
    (void)dq_utf8_show(text, n, to, NAME);
}

/* A matrix under the names of its two streams: rows are the first's. */
static void table_matrix(printing *p, uint32_t a, uint32_t b, const uint64_t *counts)
{
    char first[NAME], second[NAME], corner[2 * NAME + 3], name[NAME];
    uint32_t n = labels(p);
    show_path(p, a, first);
    show_path(p, b, second);
    (void)snprintf(corner, sizeof corner, "%s \\ %s", first, second);
    int width = shown(corner);
    for (uint32_t i = 0; i < n; i++) {
        show_label(p, i, name);
        if (shown(name) > width) width = shown(name);
    }
    PUT(p, "\n");
    pad(p, corner, width);
    for (uint32_t j = 0; j < n; j++) {
        show_label(p, j, name);
        PUT(p, "  %*s%s", shown(name) < 6 ? 6 - shown(name) : 0, "", name);
    }
    PUT(p, "\n");
    for (uint32_t i = 0; i < n; i++) {
        show_label(p, i, name);
        pad(p, name, width);
        for (uint32_t j = 0; j < n; j++) {
            show_label(p, j, name);
            PUT(p, "  %*" PRIu64, shown(name) < 6 ? 6 : shown(name), counts[i * n + j]);
        }
        PUT(p, "\n");
    }
}

static void print_table(printing *p)
{
    char streams[2 * NAME], percent[40];
    int width = 7;
    for (size_t i = 0; i < p->agreement->count; i++) {
        show_streams(p, &p->agreement->rows[i], streams);
        if (shown(streams) > width) width = shown(streams);
    }
    (void)snprintf(percent, sizeof percent, "%.9g%% interval", 100 * p->level);
    PUT(p, "%-15s  %-*s  %7s  %-18s  %7s\n", "measure", width, "streams", "value", percent, "pairs");
    for (size_t i = 0; i < p->agreement->count; i++) table_row(p, &p->agreement->rows[i], width);
}

/* ---- TSV and JSON ---- */

static void tsv_text(printing *p, const char *text, size_t n)
{
    if (!p->status) p->status = dq_rows_write_text(p->out, text, n, p->error);
    PUT(p, "\t");
}

static void number(printing *p, double value, const char *none)
{
    char text[32];
    dq_rows_number(value, text);
    PUT(p, "%s", isnan(value) ? none : text);
}

static void tsv_row(printing *p, const dq_agreement_row *row)
{
    bool all = row->first == row->second;
    const char *first = all ? "all" : path_of(p, row->first), *second = all ? "" : path_of(p, row->second);
    PUT(p, "%s\t", dq_agreement_name(row->measure));
    tsv_text(p, first, strlen(first));
    tsv_text(p, second, strlen(second));
    PUT(p, "\t\t");
    number(p, row->value, "");
    PUT(p, "\t");
    number(p, row->interval.low, "");
    PUT(p, "\t");
    number(p, row->interval.high, "");
    PUT(p, "\t%" PRIu64 "\n", row->pairs);
}

static void tsv_matrix(printing *p, uint32_t a, uint32_t b, const uint64_t *counts)
{
    uint32_t n = labels(p);
    for (uint32_t i = 0; i < n * n; i++) {
        size_t bytes;
        PUT(p, "confusion\t");
        tsv_text(p, path_of(p, a), strlen(path_of(p, a)));
        tsv_text(p, path_of(p, b), strlen(path_of(p, b)));
        const char *label = dq_index_id(&p->labelled->labels, i / n, &bytes);
        tsv_text(p, label, bytes);
        label = dq_index_id(&p->labelled->labels, i % n, &bytes);
        tsv_text(p, label, bytes);
        PUT(p, "%" PRIu64 "\t\t\t\n", counts[i]);
    }
}

static void json_text(printing *p, const char *text, size_t n)
{
    dq_json_text json = DQ_JSON_TEXT_EMPTY;
    if (!p->status) p->status = dq_json_write_string(&json, text, n, p->error);
    if (!p->status) p->status = dq_sink_write(p->out, json.data, json.bytes, p->error);
    dq_json_text_free(&json);
}

static void json_start(printing *p, const char *measure, uint32_t a, uint32_t b)
{
    PUT(p, "{\"measure\":\"%s\",\"streams\":[", measure);
    for (uint32_t i = 0, n = 0; i < p->labelled->raters; i++) {
        if (a != b && i != a && i != b) continue;
        if (n++) PUT(p, ",");
        json_text(p, path_of(p, i), strlen(path_of(p, i)));
    }
    PUT(p, "]");
}

static void json_row(printing *p, const dq_agreement_row *row)
{
    json_start(p, dq_agreement_name(row->measure), row->first, row->second);
    PUT(p, ",\"value\":");
    number(p, row->value, "null");
    PUT(p, ",\"low\":");
    number(p, row->interval.low, "null");
    PUT(p, ",\"high\":");
    number(p, row->interval.high, "null");
    PUT(p, ",\"pairs\":%" PRIu64 "}\n", row->pairs);
}

static void json_matrix(printing *p, uint32_t a, uint32_t b, const uint64_t *counts)
{
    uint32_t n = labels(p);
    json_start(p, "confusion", a, b);
    PUT(p, ",\"labels\":[");
    for (uint32_t i = 0; i < n; i++) {
        size_t bytes;
        const char *label = dq_index_id(&p->labelled->labels, i, &bytes);
        if (i) PUT(p, ",");
        json_text(p, label, bytes);
    }
    PUT(p, "],\"counts\":[");
    for (uint32_t i = 0; i < n * n; i++)
        PUT(p, "%s%" PRIu64 "%s", i % n ? "," : i ? ",[" : "[", counts[i], i % n == n - 1 ? "]" : "");
    PUT(p, "]}\n");
}

/* ---- all ---- */

static void print_rows(printing *p, void (*print)(printing *, const dq_agreement_row *))
{
    for (size_t i = 0; i < p->agreement->count; i++) print(p, &p->agreement->rows[i]);
}

static void print_matrices(printing *p, void (*print)(printing *, uint32_t, uint32_t, const uint64_t *))
{
    const dq_ratings ratings = dq_labelled_ratings(p->labelled);
    uint64_t *counts = calloc((size_t)ratings.labels * ratings.labels, sizeof *counts);
    if (!counts && !p->status) p->status = dq_fail_memory(p->error, "a confusion matrix");
    for (uint32_t a = 0; a < ratings.raters && !p->status; a++)
        for (uint32_t b = a + 1; b < ratings.raters; b++) {
            dq_agreement_confusion(&ratings, a, b, counts);
            print(p, a, b, counts);
        }
    free(counts);
}

dq_status dq_agreement_print(const dq_labelled *labelled, const dq_agreement *agreement,
                             dq_agreement_format format, double level, dq_sink *out, dq_error *error)
{
    printing p = {.labelled = labelled, .agreement = agreement, .level = level, .out = out, .error = error};
    if (format == DQ_AGREEMENT_JSON) {
        print_rows(&p, json_row);
        print_matrices(&p, json_matrix);
    } else if (format == DQ_AGREEMENT_TSV) {
        PUT(&p, "measure\tfirst\tsecond\tlabel\tother\tvalue\tlow\thigh\tpairs\n");
        print_rows(&p, tsv_row);
        print_matrices(&p, tsv_matrix);
    } else {
        print_table(&p);
        print_matrices(&p, table_matrix);
    }
    return p.status;
}
