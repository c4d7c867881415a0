/* SPDX-License-Identifier: MIT
 *
 * JSON documents of a file, in the three ways in which they are written:
 *
 *     lines       a document a line; a damaged line costs that line alone
 *     documents   one after the other over several lines, as jq prints them
 *     an array    its elements; several arrays may follow each other
 *
 * The first line tells which. Documents and elements are cut out by json_cut.c, so no more than one is held.
 */
#include "port/files/documents.h"

#include "core/utf8.h"
#include "dq/source.h"
#include "port/files/ejson.h"
#include "port/files/json.h"
#include "port/files/json_cut.h"
#include "port/text/json_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 << 10, DOCUMENT_LIMIT = 256 << 20 };

typedef enum way { UNKNOWN, LINES, DOCUMENTS } way;

/* Where a cut stands in an array: what may come next. */
typedef enum array_place { NO_ARRAY, FIRST_ELEMENT, ELEMENT, COMMA } array_place;

typedef struct file {
    dq_source *source;
    dq_json_reader *reader;
    way way;
    uint64_t line; /* of the byte at hand */
    /* of documents and arrays: */
    array_place place;
    uint64_t array_line; /* where it began */
    char *piece;         /* bytes at hand, [at, end) */
    size_t at, end;
    dq_json_text text; /* of a document that pieces cut */
} file;

/* ---- what a document says ---- */

/* What jansson cannot say of a text that it refuses. */
static void explain(const char *text, size_t bytes, dq_error *error)
{
    if (bytes > 1 && text[0] == '{' && text[1 + strspn(text + 1, " ")] == '\'')
        dq_fail(error, DQ_ERR_FORMAT,
                "a dictionary of Python's, no JSON; python3 -c 'import ast, json, sys; [print(json.dumps("
                "ast.literal_eval(line))) for line in sys.stdin]' rewrites such lines");
}

/* A document, or why this text is none. */
static int read_document(file *f, const char *text, size_t bytes, dq_arena *arena, dq_value *document,
                         dq_error *error)
{
    dq_status status = dq_json_reader_parse(f->reader, text, bytes, arena, document, error);
    if (!status) status = dq_ejson_normalise(document, arena, error);
    if (!status && document->type == DQ_MAP) return DQ_DOCUMENT;
    if (status == DQ_ERR_MEMORY) return DQ_DOCUMENT_BROKEN;
    if (!status) {
        dq_fail(error, DQ_ERR_FORMAT, "not a JSON object");
    } else if (!dq_utf8_valid(text, bytes)) {
        dq_fail(error, DQ_ERR_FORMAT, "not UTF-8");
        return DQ_DOCUMENT_NOT_UTF8;
    } else {
        explain(text, bytes, error);
    }
    return DQ_DOCUMENT_BAD;
}

/* ---- lines ---- */

/* The next line that is not empty; *line is NULL at the end. The mark of a file that was joined to another
 * stands before a line, too. */
static dq_status next_line(file *f, char **line, size_t *bytes, dq_error *error)
{
    do {
        dq_status status = dq_source_line(f->source, line, bytes, error);
        if (status || !*line) return status;
        f->line++;
        if (*bytes < 3 || memcmp(*line, "\xef\xbb\xbf", 3) != 0) continue;
        *line += 3;
        *bytes -= 3;
    } while (strspn(*line, " \t") == *bytes);
    return DQ_OK;
}

/* A line that a newline would have ended, and that stops inside a document. */
static bool was_cut_off(const file *f, const char *line, size_t bytes)
{
    dq_json_cut cut = {0};
    size_t taken, blanks = strspn(line, " \t");
    if (dq_source_line_ended(f->source)) return false;
    return line[blanks] != '{' || dq_json_cut_on(&cut, line, bytes, &taken) == DQ_JSON_CUT_MORE;
}

static int line_document(dq_documents *documents, const char *line, size_t bytes, dq_arena *arena,
                         dq_value *document, dq_error *error)
{
    file *f = documents->self;
    documents->record = f->line;
    int answer = read_document(f, line, bytes, arena, document, error);
    if (answer <= DQ_DOCUMENT || !was_cut_off(f, line, bytes)) return answer;
    dq_fail(error, DQ_ERR_TRUNCATED, "the last line is cut off");
    return DQ_DOCUMENT_BROKEN;
}

/* Whether the first line is a document by itself; else it begins one that goes on, or several. */
static bool is_line(const char *line, size_t bytes)
{
    dq_json_cut cut = {0};
    size_t taken = 0, blanks = strspn(line, " \t");
    if (line[blanks] == '[') return false;
    if (line[blanks] != '{') return true;
    dq_json_cut_end end = dq_json_cut_on(&cut, line, bytes, &taken);
    if (end == DQ_JSON_CUT_MORE) return cut.string; /* no string goes over a line */
    return end == DQ_JSON_CUT_BROKEN || line[taken + strspn(line + taken, " \t")] != '{';
}

/* ---- documents over lines, and elements of arrays ---- */

/* Has a byte at hand; *there is false at the end. */
static dq_status fill(file *f, bool *there, dq_error *error)
{
    dq_status status = DQ_OK;
    if (f->at == f->end) {
        f->at = f->end = 0;
        status = dq_source_read(f->source, f->piece, PIECE, &f->end, error);
    }
    *there = f->at < f->end;
    return status;
}

static void step(file *f)
{
    f->line += f->piece[f->at++] == '\n';
}

/* Cuts out the document that begins at hand, into the text. */
static int cut_document(file *f, dq_error *error)
{
    dq_json_cut cut = {0};
    dq_json_cut_end end = DQ_JSON_CUT_MORE;
    f->text.bytes = 0;
    while (end == DQ_JSON_CUT_MORE) {
        bool there;
        size_t taken;
        if (fill(f, &there, error)) return DQ_DOCUMENT_BROKEN;
        if (!there) {
            dq_fail(error, DQ_ERR_TRUNCATED, "the last document is cut off");
            return DQ_DOCUMENT_BROKEN;
        }
        end = dq_json_cut_on(&cut, f->piece + f->at, f->end - f->at, &taken);
        if (f->text.bytes + taken > DOCUMENT_LIMIT) {
            dq_fail(error, DQ_ERR_FORMAT, "a document of more than %d MiB", DOCUMENT_LIMIT >> 20);
            return DQ_DOCUMENT_BROKEN;
        }
        if (dq_json_write_raw(&f->text, f->piece + f->at, taken, error)) return DQ_DOCUMENT_BROKEN;
        for (size_t i = 0; i < taken; i++) step(f);
    }
    if (end == DQ_JSON_CUT_BROKEN && f->place == COMMA) f->place = FIRST_ELEMENT; /* another may begin */
    return DQ_DOCUMENT;
}

/* What is neither a document nor what may stand between two: up to the next that may be one. */
static int cut_other(file *f, dq_error *error)
{
    bool there = true;
    f->text.bytes = 0;
    while (there) {
        char c = f->piece[f->at];
        if (f->text.bytes && (c == '\n' || c == '{' || c == '[' || c == ',' || c == ']')) break;
        if (f->text.bytes < PIECE && dq_json_write_raw(&f->text, &c, 1, error)) return DQ_DOCUMENT_BROKEN;
        step(f);
        if (fill(f, &there, error)) return DQ_DOCUMENT_BROKEN;
    }
    return DQ_DOCUMENT;
}

static int missing_element(dq_error *error, const char *where)
{
    dq_fail(error, DQ_ERR_FORMAT, "JSON: no element %s", where);
    return DQ_DOCUMENT_BAD;
}

/* A bracket or comma that is no document's. DQ_DOCUMENT: taken, and another byte is to be looked at. */
static int between(file *f, char c, dq_error *error)
{
    array_place before = f->place;
    if (before == NO_ARRAY && c == '[') {
        f->array_line = f->line;
        f->place = FIRST_ELEMENT;
    } else if (before != NO_ARRAY && c == ']') {
        f->place = NO_ARRAY;
    } else if (before != NO_ARRAY && c == ',') {
        f->place = ELEMENT;
    } else {
        dq_fail(error, DQ_ERR_FORMAT, "JSON: '%c' where %s", c,
                before == COMMA ? "a comma or ] is expected" : "a document is to begin");
        return DQ_DOCUMENT_BROKEN;
    }
    step(f);
    if (before == ELEMENT) return missing_element(error, "behind a comma");
    if (before == FIRST_ELEMENT && c == ',') return missing_element(error, "before a comma");
    return DQ_DOCUMENT;
}

/* Passes over what stands before the next document, and cuts that out. */
static int next_text(dq_documents *documents, dq_error *error)
{
    file *f = documents->self;
    for (;;) {
        bool there;
        if (fill(f, &there, error)) return DQ_DOCUMENT_BROKEN;
        documents->record = there || f->place == NO_ARRAY ? f->line : f->array_line;
        if (!there && f->place == NO_ARRAY) return DQ_DOCUMENT_END;
        if (!there) {
            dq_fail(error, DQ_ERR_TRUNCATED, "cut off: the array that begins here has no end");
            return DQ_DOCUMENT_BROKEN;
        }
        char c = f->piece[f->at];
        bool begins = c == '{' || (c == '[' && f->place != NO_ARRAY);
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            step(f);
        } else if (f->place != COMMA && (begins || !strchr("[],}", c))) {
            if (f->place != NO_ARRAY) f->place = COMMA;
            return begins ? cut_document(f, error) : cut_other(f, error);
        } else {
            int answer = between(f, c, error);
            if (answer != DQ_DOCUMENT) return answer;
        }
    }
}

/* ---- the file ---- */

/* The first byte that is no white space, -1 at the end. */
static dq_status first_byte(file *f, int *first, dq_error *error)
{
    dq_status status = dq_source_text(f->source, error);
    for (f->line = 1; !status;) {
        char c;
        size_t got;
        status = dq_source_peek(f->source, first, error);
        if (status || *first < 0 || !strchr(" \n\t\r", *first) || !*first) break;
        status = dq_source_read(f->source, &c, 1, &got, error);
        f->line += c == '\n';
    }
    return status;
}

/* The first line tells the way. One that is a document by itself is handed on, else its bytes are the first
 * at hand. */
static dq_status tell_way(file *f, char **line, size_t *bytes, dq_error *error)
{
    int first = -1;
    dq_status status = first_byte(f, &first, error);
    if (!status && first != '[') {
        status = dq_source_line(f->source, line, bytes, error);
        f->way = LINES;
        if (status || !*line || is_line(*line, *bytes)) return status;
    }
    f->way = DOCUMENTS;
    f->piece = malloc(*bytes + PIECE);
    if (!f->piece) return dq_fail_memory(error, "documents");
    if (*line) memcpy(f->piece, *line, *bytes);
    if (*line) f->piece[(*bytes)++] = '\n';
    f->end = *bytes;
    return status;
}

static int next_of_lines(dq_documents *documents, char *line, size_t bytes, dq_arena *arena,
                         dq_value *document, dq_error *error)
{
    file *f = documents->self;
    if (!line && next_line(f, &line, &bytes, error)) return DQ_DOCUMENT_BROKEN;
    return line ? line_document(documents, line, bytes, arena, document, error) : DQ_DOCUMENT_END;
}

static int next_document(dq_documents *documents, dq_arena *arena, dq_value *document, dq_error *error)
{
    file *f = documents->self;
    char *line = NULL;
    size_t bytes = 0;
    int answer = DQ_DOCUMENT;
    if (f->way == UNKNOWN && tell_way(f, &line, &bytes, error)) answer = DQ_DOCUMENT_BROKEN;
    if (answer == DQ_DOCUMENT && f->way == LINES) {
        answer = next_of_lines(documents, line, bytes, arena, document, error);
    } else if (answer == DQ_DOCUMENT) {
        answer = next_text(documents, error);
        if (answer == DQ_DOCUMENT)
            answer = read_document(f, f->text.data ? f->text.data : "", f->text.bytes, arena, document,
                                   error);
    }
    if (answer != DQ_DOCUMENT && answer != DQ_DOCUMENT_END)
        dq_error_at(error, documents->name, documents->record);
    return answer;
}

static void close_documents(dq_documents *documents)
{
    file *f = documents->self;
    documents->self = NULL;
    if (!f) return;
    dq_source_close(f->source);
    dq_json_reader_free(f->reader);
    dq_json_text_free(&f->text);
    free(f->piece);
    free(f);
}

dq_status dq_documents_open_json(dq_documents *documents, dq_source *source, dq_error *error)
{
    file *f = calloc(1, sizeof *f);
    *documents = (dq_documents){.next = next_document, .close = close_documents, .self = f};
    if (!f || !(f->reader = dq_json_reader_new())) {
        close_documents(documents);
        dq_source_close(source);
        return dq_fail_memory(error, "documents");
    }
    f->source = source;
    (void)snprintf(documents->name, sizeof documents->name, "%s", dq_source_name(source));
    return DQ_OK;
}
