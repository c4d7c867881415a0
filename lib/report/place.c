/* SPDX-License-Identifier: MIT */
#include "report/place.h"

#include "core/utf8.h"
#include "port/files/rows.h"

#include <stdio.h>
#include <string.h>

/* Whether some reader of a TREC run would cut an id there, or take the character away: trec_eval cuts at the
 * white space of C, dq at every byte up to a space, a language's split() at the white space of Unicode, and a
 * byte-order mark at the beginning of a file is none of its text. */
static bool splits(uint32_t code)
{
    return code <= ' ' || (code >= 0x7f && code < 0xa0) || code == 0x180e || dq_utf8_is_space(code);
}

dq_status dq_place_check(const char *what, const char *id, size_t bytes, dq_error *error)
{
    uint32_t code;
    for (size_t i = 0, n; i < bytes; i += n) {
        n = dq_utf8_decode(id + i, bytes - i, &code);
        if (n == 0) return dq_fail(error, DQ_ERR_FORMAT, "%s: an id that is not UTF-8", what);
        if (splits(code))
            return dq_fail(error, DQ_ERR_UNSUPPORTED,
                           "%s %.*s has white space or a control character, which a TREC run cannot hold",
                           what, (int)bytes, id);
    }
    if (bytes == 0) return dq_fail(error, DQ_ERR_UNSUPPORTED, "%s has an empty id: no TREC run", what);
    return DQ_OK;
}

static dq_status number(dq_json_text *line, const char *format, double value, dq_error *error)
{
    char text[64];
    return dq_json_write_raw(line, text, (size_t)snprintf(text, sizeof text, format, value), error);
}

/* TAB propensity TAB request TAB model */
static dq_status tsv_logged(dq_json_text *line, const dq_place *p, dq_error *e)
{
    dq_status s = number(line, "\t%.17g\t", p->propensity, e);
    if (!s) s = dq_rows_add_text(line, p->request, strlen(p->request), e);
    if (!s) s = dq_json_write_raw(line, "\t", 1, e);
    return s ? s : dq_rows_add_text(line, p->model, strlen(p->model), e);
}

static dq_status json_logged(dq_json_text *line, const dq_place *p, dq_error *e)
{
    dq_status s = number(line, ",\"propensity\":%.17g", p->propensity, e);
    if (!s) s = dq_json_write_raw(line, ",\"request\":", strlen(",\"request\":"), e);
    if (!s) s = dq_json_write_string(line, p->request, strlen(p->request), e);
    if (!s) s = dq_json_write_raw(line, ",\"model\":", strlen(",\"model\":"), e);
    return s ? s : dq_json_write_string(line, p->model, strlen(p->model), e);
}

/* ---- texts ---- */

static const char *const columns[] = {"user",       "rank",    "item",  "score",
                                      "propensity", "request", "model", "disagreement"};
enum { PLAIN = 4, DRAWN = 7, COLUMNS = 8 };

/* A text that calls itself JSON is parsed before it is believed: it may have come from anywhere. */
static dq_status add_json(dq_json_text *line, dq_place_form form, const dq_place_text *text, dq_error *e)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    dq_status s = dq_json_parse(text->text, text->bytes, &arena, &value, e);
    if (!s && form == DQ_PLACE_TSV && value.type == DQ_STRING)
        s = dq_rows_add_text(line, value.as.string, value.count, e);
    else if (!s && form == DQ_PLACE_TSV && value.type == DQ_NIL)
        s = DQ_OK; /* no value: an empty cell */
    else if (!s && form == DQ_PLACE_TSV)
        s = dq_rows_add_text(line, text->text, text->bytes, e);
    else if (!s)
        s = dq_json_write(line, &value, e);
    dq_arena_free(&arena);
    return s;
}

/* For TSV each after a tab, for JSON each that there is after its key. */
static dq_status add_texts(dq_json_text *line, dq_place_form form, const dq_place *p, dq_error *e)
{
    dq_status s = DQ_OK;
    for (size_t i = 0; !s && i < p->text_count; i++) {
        const dq_place_text *text = &p->texts[i];
        bool tsv = form == DQ_PLACE_TSV;
        if (!tsv && !text->text) continue;
        s = dq_json_write_raw(line, tsv ? "\t" : ",", 1, e);
        if (!s && !tsv) s = dq_json_write_string(line, text->name, strlen(text->name), e);
        if (!s && !tsv) s = dq_json_write_raw(line, ":", 1, e);
        if (s || !text->text) continue;
        if (text->json)
            s = add_json(line, form, text, e);
        else
            s = tsv ? dq_rows_add_text(line, text->text, text->bytes, e)
                    : dq_json_write_string(line, text->text, text->bytes, e);
    }
    return s;
}

dq_status dq_place_write_header(dq_json_text *line, bool drawn, bool disagreement, const dq_place_text *texts,
                                size_t text_count, dq_error *error)
{
    dq_status s = DQ_OK;
    size_t fixed = drawn ? DRAWN : PLAIN;
    for (size_t i = 0; !s && i < COLUMNS + text_count; i++) {
        const char *name = i < COLUMNS ? columns[i] : texts[i - COLUMNS].name;
        if (i >= fixed && i < COLUMNS && !(i == DRAWN && disagreement)) continue;
        if (i) s = dq_json_write_raw(line, "\t", 1, error);
        if (!s) s = dq_rows_add_text(line, name, strlen(name), error);
    }
    return s ? s : dq_json_write_raw(line, "\n", 1, error);
}

bool dq_place_has_column(const char *name)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(columns[i], name) == 0) return true;
    return false;
}

/* ---- lines ---- */

/* user TAB rank TAB item TAB score, and of a drawn list more */
static dq_status tsv_line(dq_json_text *line, const dq_place *p, dq_error *e)
{
    dq_status s = dq_rows_add_text(line, p->user, p->user_bytes, e);
    if (!s) s = number(line, "\t%.0f\t", (double)p->rank, e);
    if (!s) s = dq_rows_add_text(line, p->item, p->item_bytes, e);
    if (!s) s = number(line, "\t%.9g", p->score, e);
    if (!s && p->propensity > 0) s = tsv_logged(line, p, e);
    if (!s && p->disagreement) s = number(line, "\t%.9g", (double)*p->disagreement, e);
    if (!s) s = add_texts(line, DQ_PLACE_TSV, p, e);
    return s ? s : dq_json_write_raw(line, "\n", 1, e);
}

static dq_status json_line(dq_json_text *line, const dq_place *p, dq_error *e)
{
    dq_status s = dq_rows_begin_pair(line, p->user, p->user_bytes, p->item, p->item_bytes, e);
    if (!s) s = number(line, ",\"rank\":%.0f", (double)p->rank, e);
    if (!s) s = number(line, ",\"score\":%.9g", p->score, e);
    if (!s && p->propensity > 0) s = json_logged(line, p, e);
    if (!s && p->disagreement) s = number(line, ",\"disagreement\":%.9g", (double)*p->disagreement, e);
    if (!s) s = add_texts(line, DQ_PLACE_JSON, p, e);
    return s ? s : dq_json_write_raw(line, "}\n", 2, e);
}

/* user Q0 item rank score run */
static dq_status trec_line(dq_json_text *line, const dq_place *p, const char *run, dq_error *e)
{
    dq_status s = dq_json_write_raw(line, p->user, p->user_bytes, e);
    if (!s) s = dq_json_write_raw(line, " Q0 ", 4, e);
    if (!s) s = dq_json_write_raw(line, p->item, p->item_bytes, e);
    if (!s) s = number(line, " %.0f", (double)p->rank, e);
    if (!s) s = number(line, " %.9g ", p->score, e);
    if (!s) s = dq_json_write_raw(line, run, strlen(run), e);
    return s ? s : dq_json_write_raw(line, "\n", 1, e);
}

dq_status dq_place_write(dq_json_text *line, dq_place_form form, const dq_place *place, const char *run,
                         dq_error *error)
{
    if (form == DQ_PLACE_TSV) return tsv_line(line, place, error);
    return form == DQ_PLACE_JSON ? json_line(line, place, error) : trec_line(line, place, run, error);
}
