/* SPDX-License-Identifier: MIT */
#include "page/report.h"

#include "core/digest.h"
#include "page/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A part's id: the same command on the same inputs has the same. */
static uint32_t id_of(const dq_page_report *r)
{
    uint64_t digest = dq_digest(r->title, strlen(r->title));
    for (size_t i = 0; i < r->word_count; i++)
        digest = dq_digest_seeded(r->words[i], strlen(r->words[i]) + 1, digest);
    for (size_t i = 0; i < r->input_count; i++)
        digest = dq_digest_seeded(r->inputs[i].digest, sizeof r->inputs[i].digest, digest);
    return (uint32_t)(digest >> 32);
}

typedef struct writing {
    const dq_page_report *report;
    dq_html html;
    uint32_t id;
    unsigned sections;
} writing;

static void begin_section(writing *w, const char *heading)
{
    dq_html_printf(&w->html, "<h3 id=\"p%08" PRIx32 "-%u\">", w->id, ++w->sections);
    dq_html_words(&w->html, heading);
    dq_html_raw(&w->html, "</h3>\n");
}

static void write_notes(writing *w)
{
    const dq_json_text *notes = w->report->notes;
    if (!notes || !notes->bytes) return;
    dq_html_raw(&w->html, "<ul class=\"notes\">\n");
    for (size_t at = 0; at < notes->bytes; at += strlen(notes->data + at) + 1) {
        dq_html_raw(&w->html, "<li>");
        dq_html_words(&w->html, notes->data + at);
        dq_html_raw(&w->html, "</li>\n");
    }
    dq_html_raw(&w->html, "</ul>\n");
}

static void write_origin(writing *w)
{
    const dq_page_report *r = w->report;
    begin_section(w, "How this was made");
    dq_html_raw(&w->html, "<p>By ");
    dq_html_words(&w->html, r->maker);
    dq_html_raw(&w->html, ":</p>\n<pre><code>");
    dq_page_command_write(r->words, r->word_count, &w->html);
    dq_html_raw(&w->html, "</code></pre>\n");
    dq_page_inputs_write(r->inputs, r->input_count, &w->html);
}

dq_status dq_page_add_report(dq_page *page, const dq_page_report *r, dq_error *error)
{
    writing w = {.report = r, .html = {.error = error}, .id = id_of(r)};
    dq_html_printf(&w.html, "<section aria-labelledby=\"p%08" PRIx32 "\">\n<h2 id=\"p%08" PRIx32 "\">", w.id,
                   w.id);
    dq_html_words(&w.html, r->title);
    dq_html_raw(&w.html, "</h2>\n");
    begin_section(&w, "Results");
    dq_page_view_write(r->view, r->caption, r->table->data, r->table->bytes, r->confidence, &w.html);
    write_notes(&w);
    write_origin(&w);
    dq_html_raw(&w.html, "</section>\n");
    if (!w.html.status) return dq_page_add(page, &w.html.text, error);
    dq_html_free(&w.html);
    return w.html.status;
}

static dq_status append(void *arg, const void *data, size_t n, dq_error *error)
{
    return dq_json_write_raw(arg, data, n, error);
}

dq_status dq_page_collect(dq_sink **sink, dq_json_text *text, dq_error *error)
{
    return dq_sink_open_fn(sink, "a table", DQ_SINK_TEXT, append, text, error);
}
