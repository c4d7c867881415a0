/* SPDX-License-Identifier: MIT */
#include "plot/plot.h"

#include "core/array.h"
#include "plot/gnuplot.h"
#include "plot/script_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool dq_plot_form_of(const char *path, dq_plot_form *form)
{
    static const struct {
        const char *end;
        dq_plot_form form;
    } ends[] = {{".svg", DQ_PLOT_SVG}, {".png", DQ_PLOT_PNG}, {".pdf", DQ_PLOT_PDF}};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > 4 && strcmp(path + n - 4, ends[i].end) == 0) {
            *form = ends[i].form;
            return true;
        }
    return false;
}

/* ---- what gnuplot's pictures lack ---- */

typedef struct bytes {
    char *at;
    size_t count, capacity;
} bytes;

static dq_status gather(void *arg, const void *data, size_t n, dq_error *error)
{
    bytes *b = arg;
    if (!dq_array_reserve(&b->at, &b->capacity, b->count + n, 1)) return dq_fail_memory(error, "a picture");
    memcpy(b->at + b->count, data, n);
    b->count += n;
    return DQ_OK;
}

/* Cairo writes when it drew; as many other digits keep the places in the file. */
static dq_status write_pdf(const bytes *b, dq_sink *out, dq_error *error)
{
    static const char key[] = "/CreationDate (D:", date[] = "19700101000000";
    char *found = memmem(b->at, b->count, key, sizeof key - 1);
    if (found && found + sizeof key + sizeof date < b->at + b->count)
        memcpy(found + sizeof key - 1, date, sizeof date - 1);
    return dq_sink_write(out, b->at, b->count, error);
}

/* gnuplot takes a font's weight for a part of its name. */
static dq_status write_svg(const bytes *b, dq_sink *out, dq_error *error)
{
    static const char wrong[] = "sans-serif:Bold\"", right[] = "sans-serif\" font-weight=\"bold\"";
    const char *at = b->at, *end = b->at + b->count, *found;
    dq_status status = DQ_OK;
    while (!status && (found = memmem(at, (size_t)(end - at), wrong, sizeof wrong - 1))) {
        status = dq_sink_write(out, at, (size_t)(found - at), error);
        if (!status) status = dq_sink_write(out, right, sizeof right - 1, error);
        at = found + sizeof wrong - 1;
    }
    return status ? status : dq_sink_write(out, at, (size_t)(end - at), error);
}

static dq_status write_mended(FILE *script, dq_plot_form form, dq_sink *out, dq_error *error)
{
    bytes picture = {0};
    dq_sink *sink;
    dq_status status = dq_sink_open_fn(&sink, "a picture", DQ_SINK_TEXT, gather, &picture, error);
    if (status) return status;
    status = dq_gnuplot_run(script, sink, error);
    if (status)
        dq_sink_abort(sink);
    else
        status = dq_sink_close(sink, error);
    if (!status)
        status = form == DQ_PLOT_PDF ? write_pdf(&picture, out, error) : write_svg(&picture, out, error);
    free(picture.at);
    return status;
}

static dq_status failed_script(dq_error *error)
{
    return dq_fail_errno(error, errno, "cannot write gnuplot's script");
}

static dq_status draw(const dq_figure *figure, dq_plot_form form, unsigned columns, dq_sink *out,
                      dq_error *error)
{
    bool as_it_is = form == DQ_PLOT_PNG || form == DQ_PLOT_TERMINAL || form == DQ_PLOT_COLOUR;
    FILE *script = tmpfile();
    if (!script) return failed_script(error);
    dq_status status = dq_plot_script(script, figure, form, columns, error);
    if (!status && ferror(script)) status = failed_script(error);
    if (!status)
        status = as_it_is ? dq_gnuplot_run(script, out, error) : write_mended(script, form, out, error);
    (void)fclose(script);
    return status;
}

/* ---- in a terminal ---- */

static dq_status write_table(const dq_figure *of_one, dq_plot_form form, unsigned columns, dq_sink *out,
                             dq_error *error)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return dq_fail_memory(error, "a picture");
    dq_status status = plot_table_write(f, of_one, form, columns, error);
    bool lost = ferror(f); /* which fclose may forget, and text too */
    lost = fclose(f) != 0 || lost || !text;
    if (lost && !status) status = dq_fail_memory(error, "a picture");
    if (!status) status = dq_sink_write(out, text, n, error);
    free(text);
    return status;
}

/* Panel by panel: some are tables, gnuplot draws the others. */
static dq_status write_panels(const dq_figure *figure, dq_plot_form form, unsigned columns, dq_sink *out,
                              dq_error *error)
{
    dq_status status = DQ_OK;
    for (const dq_plot_panel *p = figure->panels; p && !status; p = p->next) {
        dq_plot_panel alone = *p;
        dq_figure one = {.arena = figure->arena, .panels = &alone, .panel_count = 1};
        alone.next = NULL;
        status = plot_is_table(p) ? write_table(&one, form, columns, out, error)
                                  : draw(&one, form, columns, out, error);
    }
    return status;
}

dq_status dq_plot_write(const dq_figure *figure, dq_plot_form form, unsigned columns, dq_sink *out,
                        dq_error *error)
{
    bool text = form == DQ_PLOT_TERMINAL || form == DQ_PLOT_COLOUR;
    if (text && figure->panels && !figure->arena.failed)
        return write_panels(figure, form, columns < 40 ? 40 : columns, out, error);
    return draw(figure, form, columns, out, error);
}
