/* SPDX-License-Identifier: MIT */
#include "page/report.h"

#include "core/digest.h"
#include "page/command.h"
#include "plot/plot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct writing {
    const dq_page_report *report;
    dq_page_input *inputs; /* (run's) */
    dq_html html;
    uint32_t id;
    unsigned sections;
} writing;

/* The same command on the same inputs has the same. */
static uint32_t id_of(const writing *w)
{
    const dq_page_run *run = w->report->run;
    uint64_t digest = dq_digest(w->report->title, strlen(w->report->title));
    for (size_t i = 0; i < run->word_count; i++)
        digest = dq_digest_seeded(run->words[i], strlen(run->words[i]) + 1, digest);
    for (size_t i = 0; i < run->input_count; i++)
        digest = dq_digest_seeded(w->inputs[i].digest, sizeof w->inputs[i].digest, digest);
    return (uint32_t)(digest >> 32);
}

static void begin_section(writing *w, const char *heading)
{
    dq_html_printf(&w->html, "<h3 id=\"p%08" PRIx32 "-%u\">", w->id, ++w->sections);
    dq_html_words(&w->html, heading);
    dq_html_raw(&w->html, "</h3>\n");
}

/* ---- pictures ---- */

static dq_status append(void *arg, const void *data, size_t n, dq_error *error)
{
    return dq_json_write_raw(arg, data, n, error);
}

/* A picture for one scheme of colours, as a data: URI. */
static void write_uri(writing *w, const dq_figure *figure, dq_plot_form form)
{
    enum { NO_TERMINAL = 79 };
    dq_json_text svg = DQ_JSON_TEXT_EMPTY;
    dq_sink *sink = NULL;
    dq_status status = w->html.status;
    if (status) return;
    status = dq_sink_open_fn(&sink, "a picture", DQ_SINK_TEXT, append, &svg, w->html.error);
    if (!status) status = dq_plot_write(figure, form, NO_TERMINAL, sink, w->html.error);
    if (!status)
        status = dq_sink_close(sink, w->html.error);
    else
        dq_sink_abort(sink);
    w->html.status = status;
    dq_html_raw(&w->html, "data:image/svg+xml;base64,");
    dq_html_base64(&w->html, svg.data ? svg.data : "", svg.bytes);
    dq_json_text_free(&svg);
}

static void write_picture(writing *w, const dq_figure *figure, const char *title)
{
    dq_html_raw(&w->html, "<figure><picture><source media=\"(prefers-color-scheme:dark)\" srcset=\"");
    write_uri(w, figure, DQ_PLOT_SVG_DARK);
    dq_html_raw(&w->html, "\"><img src=\"");
    write_uri(w, figure, DQ_PLOT_SVG);
    dq_html_raw(&w->html, "\" alt=\"");
    dq_html_words(&w->html, title);
    dq_html_raw(&w->html, ", drawn from the numbers of the tables\"></picture></figure>\n");
}

/* So wide that words are read on a telephone, 360 pixels wide. */
enum { PICTURE = 440 };

/* Each panel alone, so that they stand beside each other where there is room, and below each other else. */
static void write_pictures(writing *w)
{
    const dq_figure *all = w->report->figure;
    if (!all || !all->panels) return;
    begin_section(w, "Pictures");
    dq_html_raw(&w->html, "<div class=\"pictures\">\n");
    for (const dq_plot_panel *p = all->panels; p && !w->html.status; p = p->next) {
        dq_plot_panel alone = *p;
        dq_figure figure = *all;
        alone.next = NULL;
        figure.panels = &alone;
        figure.panel_count = 1;
        figure.title = NULL;
        if (!dq_plot_has_intervals(p)) figure.note = NULL; /* which says what intervals are */
        figure.width = PICTURE;
        write_picture(w, &figure, *p->title ? p->title : w->report->title);
    }
    dq_html_raw(&w->html, "</div>\n");
}

/* ---- all ---- */

static void write_notes(writing *w)
{
    const dq_json_text *said = w->report->run->said;
    if (!said || !said->bytes) return;
    dq_html_raw(&w->html, "<ul class=\"notes\">\n");
    for (size_t at = 0; at < said->bytes; at += strlen(said->data + at) + 1) {
        dq_html_raw(&w->html, "<li>");
        dq_html_words(&w->html, said->data + at);
        dq_html_raw(&w->html, "</li>\n");
    }
    dq_html_raw(&w->html, "</ul>\n");
}

static void write_origin(writing *w)
{
    const dq_page_run *run = w->report->run;
    begin_section(w, "How this was made");
    dq_html_raw(&w->html, "<p>By ");
    dq_html_words(&w->html, run->maker);
    dq_html_raw(&w->html, ":</p>\n<pre><code>");
    dq_page_command_write(run->words, run->word_count, &w->html);
    dq_html_raw(&w->html, "</code></pre>\n");
    dq_page_inputs_write(w->inputs, run->input_count, &w->html);
}

static void write_part(writing *w)
{
    const dq_page_report *r = w->report;
    dq_html_printf(&w->html, "<section aria-labelledby=\"p%08" PRIx32 "\">\n<h2 id=\"p%08" PRIx32 "\">",
                   w->id, w->id);
    dq_html_words(&w->html, r->title);
    dq_html_raw(&w->html, "</h2>\n");
    if (r->table) begin_section(w, "Results");
    if (r->table) dq_page_view_write(r->view, r->caption, r->table, r->table_bytes, r->confidence, &w->html);
    write_notes(w);
    write_pictures(w);
    write_origin(w);
    dq_html_raw(&w->html, "</section>\n");
}

dq_status dq_page_add_report(dq_page *page, const dq_page_report *r, dq_error *error)
{
    writing w = {.report = r, .html = {.error = error}};
    size_t n = r->run->input_count;
    w.inputs = calloc(n + 1, sizeof *w.inputs);
    dq_status status = w.inputs ? DQ_OK : dq_fail_memory(error, "a page");
    for (size_t i = 0; i < n && !status; i++)
        status = dq_page_input_read(&w.inputs[i], r->run->inputs[i], error);
    if (!status) {
        w.id = id_of(&w);
        write_part(&w);
        status = w.html.status;
    }
    if (!status) status = dq_page_add(page, &w.html.text, error);
    for (size_t i = 0; w.inputs && i < n; i++) dq_page_input_free(&w.inputs[i]);
    free(w.inputs);
    dq_html_free(&w.html);
    return status;
}
