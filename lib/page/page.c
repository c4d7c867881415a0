/* SPDX-License-Identifier: MIT */
#include "page/page.h"

#include "core/array.h"
#include "core/digest.h"
#include "dq/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char part_mark[] = "<!--dq part 1 ", part_end[] = "<!--dq end-->\n", page_end[] = "</html>";

/* A piece of a part, not owned. */
typedef struct piece {
    const char *at;
    size_t bytes;
} piece;

/* ---- headings ---- */

typedef struct heading {
    int level; /* 2: the part's, 3: a section's; 0: none is left */
    piece id, words;
} heading;

static piece until(const char *at, const char *end, const char *what)
{
    const char *found = memmem(at, (size_t)(end - at), what, strlen(what));
    return (piece){at, found ? (size_t)(found - at) : 0};
}

static bool starts(const char *at, const char *end, const char *with)
{
    size_t n = strlen(with);
    return (size_t)(end - at) >= n && memcmp(at, with, n) == 0;
}

/* The next line from *at on that is a heading; *at moves behind it. */
static heading next_heading(const char **at, const char *end)
{
    static const char *const opens[] = {"<h2 id=\"", "<h3 id=\""}, *const closes[] = {"</h2>", "</h3>"};
    while (*at < end) {
        const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        *at = newline ? newline + 1 : end;
        for (int i = 0; i < 2; i++) {
            if (!starts(line, stop, opens[i])) continue;
            piece id = until(line + strlen(opens[i]), stop, "\">");
            const char *words = id.at + id.bytes + 2;
            if (!id.bytes) continue;
            return (heading){2 + i, id, until(words, stop, closes[i])};
        }
    }
    return (heading){0};
}

static heading heading_of(const dq_json_text *part)
{
    const char *at = part->data;
    heading h = next_heading(&at, part->data + part->bytes);
    return h.level == 2 ? h : (heading){0};
}

/* ---- parts ---- */

static bool same(piece a, piece b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

dq_status dq_page_add(dq_page *page, dq_json_text *part, dq_error *error)
{
    heading own = heading_of(part);
    dq_status status = own.level ? DQ_OK : dq_fail(error, DQ_ERR_FORMAT, "a part of a page has no heading");
    for (size_t i = 0; i < page->count && !status; i++)
        if (same(heading_of(&page->parts[i]).id, own.id))
            status = dq_fail(error, DQ_ERR_DUPLICATE, "the page has '%.*s' already, from the same inputs",
                             (int)own.words.bytes, own.words.at);
    if (!status && !dq_array_reserve(&page->parts, &page->capacity, page->count + 1, sizeof *page->parts))
        status = dq_fail_memory(error, "a page");
    if (status)
        dq_json_text_free(part);
    else
        page->parts[page->count++] = *part;
    *part = DQ_JSON_TEXT_EMPTY;
    return status;
}

void dq_page_free(dq_page *page)
{
    for (size_t i = 0; i < page->count; i++) dq_json_text_free(&page->parts[i]);
    free(page->parts);
    *page = DQ_PAGE_EMPTY;
}

/* ---- parts of a file ---- */

static dq_status read_file(const char *path, dq_json_text *text, dq_error *error)
{
    char buffer[65536];
    size_t got = 1;
    dq_source *source = NULL;
    dq_status status = dq_source_open(&source, path, error);
    while (!status && got) {
        status = dq_source_read(source, buffer, sizeof buffer, &got, error);
        if (!status) status = dq_json_write_raw(text, buffer, got, error);
    }
    dq_source_close(source);
    return status;
}

/* The part that begins at a mark: its bytes, which the mark's digest is of. */
static dq_status take_part(const char *mark, const char *end, piece *part, dq_error *error)
{
    char line[80];
    uint64_t bytes, digest;
    piece words = until(mark, end, "\n");
    (void)snprintf(line, sizeof line, "%.*s", (int)(words.bytes < sizeof line ? words.bytes : 0), words.at);
    /* a number that is too great fits no part: NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(line, "<!--dq part 1 %" SCNu64 " %" SCNx64 "-->", &bytes, &digest) != 2)
        return dq_fail(error, DQ_ERR_FORMAT, "the mark of a part is damaged");
    *part = (piece){words.at + words.bytes + 1, (size_t)bytes};
    if (bytes > (uint64_t)(end - part->at)) return dq_fail(error, DQ_ERR_TRUNCATED, "a part is cut off");
    if (dq_digest(part->at, part->bytes) != digest || !starts(part->at + bytes, end, part_end))
        return dq_fail(error, DQ_ERR_FORMAT, "a part was changed: its digest is another");
    return DQ_OK;
}

/* Whether all markup is of elements that reports are made of: every other '<' is escaped in them. Where a
 * page leads (meta, links, forms) no policy of it forbids. */
static bool is_report(piece part)
{
    static const char *const elements[] = {
        "section", "h2",  "h3",   "p",      "div",   "table", "caption", "thead",   "tbody",  "tr",
        "th",      "td",  "data", "strong", "small", "span",  "details", "summary", "figure", "picture",
        "source",  "img", "ul",   "li",     "pre",   "code",  "b",       NULL};
    const char *at = part.at, *end = part.at + part.bytes;
    while ((at = memchr(at, '<', (size_t)(end - at)))) {
        at += starts(at, end, "</") ? 2 : 1;
        size_t i = 0, n = 0;
        while (at + n < end && at[n] != '>' && at[n] != ' ') n++;
        while (elements[i] && (strlen(elements[i]) != n || memcmp(at, elements[i], n) != 0)) i++;
        if (!elements[i]) return false;
    }
    return true;
}

static dq_status add_parts(dq_page *page, const dq_json_text *text, dq_error *error)
{
    const char *at = text->data, *end = text->data + text->bytes;
    dq_status status = DQ_OK;
    size_t found = 0;
    while (!status && at && (at = memmem(at, (size_t)(end - at), part_mark, sizeof part_mark - 1))) {
        dq_json_text copy = DQ_JSON_TEXT_EMPTY;
        piece part = {0};
        status = take_part(at, end, &part, error);
        if (!status && !is_report(part))
            status = dq_fail(error, DQ_ERR_FORMAT, "a part has markup that no report of dq-eval has");
        if (!status) status = dq_json_write_raw(&copy, part.at, part.bytes, error);
        if (!status) status = dq_page_add(page, &copy, error);
        if (!status) at = part.at + part.bytes;
        found++;
    }
    if (status) return status;
    if (!found) return dq_fail(error, DQ_ERR_FORMAT, "no report of dq-eval: there is no part in it");
    at = text->bytes ? end - 1 : end;
    while (at > text->data && (*at == '\n' || *at == '\r')) at--;
    bool whole = at + 1 >= text->data + sizeof page_end && starts(at + 2 - sizeof page_end, end, page_end);
    return whole ? DQ_OK : dq_fail(error, DQ_ERR_TRUNCATED, "the page is cut off");
}

dq_status dq_page_add_file(dq_page *page, const char *path, dq_error *error)
{
    dq_json_text text = DQ_JSON_TEXT_EMPTY;
    dq_status status = read_file(path, &text, error);
    if (!status) status = add_parts(page, &text, error);
    dq_json_text_free(&text);
    return status ? dq_error_at(error, strcmp(path, "-") == 0 ? "stdin" : path, DQ_NO_RECORD) : DQ_OK;
}

/* ---- the page ---- */

/* A list of the parts; of one part its sections. */
static void write_contents(const dq_page *page, dq_html *out)
{
    int level = page->count == 1 ? 3 : 2;
    dq_html_raw(out, "<nav aria-label=\"Contents\">\n<ul>\n");
    for (size_t i = 0; i < page->count; i++) {
        const char *at = page->parts[i].data, *end = at + page->parts[i].bytes;
        for (heading h = next_heading(&at, end); h.level; h = next_heading(&at, end)) {
            if (h.level != level) continue;
            dq_html_raw(out, "<li><a href=\"#");
            dq_html_append(out, h.id.at, h.id.bytes);
            dq_html_raw(out, "\">");
            dq_html_append(out, h.words.at, h.words.bytes);
            dq_html_raw(out, "</a></li>\n");
        }
    }
    dq_html_raw(out, "</ul>\n</nav>\n");
}

static void write_title(const dq_page *page, const char *title, dq_html *out)
{
    piece first = page->count ? heading_of(&page->parts[0]).words : (piece){"", 0};
    if (title)
        dq_html_words(out, title);
    else
        dq_html_append(out, first.at, first.bytes); /* escaped when it was made */
}

static void write_head(const dq_page *page, const char *title, const char *maker, dq_html *out)
{
    dq_html_raw(out,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"");
    dq_html_words(out, maker);
    dq_html_raw(out, "\">\n<title>");
    write_title(page, title, out);
    dq_html_raw(out, "</title>\n<style>\n");
    dq_html_raw(out, dq_page_style);
    dq_html_raw(
        out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#report\">To the report</a>\n<header><h1>");
    write_title(page, title, out);
    dq_html_raw(out, "</h1></header>\n");
}

static void write_part(const dq_json_text *part, dq_html *out)
{
    dq_html_printf(out, "%s%zu %016" PRIx64 "-->\n", part_mark, part->bytes,
                   dq_digest(part->data, part->bytes));
    dq_html_append(out, part->data, part->bytes);
    dq_html_raw(out, part_end);
}

dq_status dq_page_write(const dq_page *page, const char *title, const char *maker, dq_sink *out,
                        dq_error *error)
{
    dq_html html = {.error = error};
    write_head(page, title, maker, &html);
    write_contents(page, &html);
    dq_html_raw(&html,
                page->count == 1 ? "<main id=\"report\" class=\"single\">\n" : "<main id=\"report\">\n");
    for (size_t i = 0; i < page->count; i++) write_part(&page->parts[i], &html);
    dq_html_raw(&html, "</main>\n</body>\n</html>\n");
    dq_status status = html.status;
    if (!status) status = dq_sink_write(out, html.text.data, html.text.bytes, error);
    dq_html_free(&html);
    return status;
}
