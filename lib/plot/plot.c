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

static dq_status restyle(dq_sink *out, uint32_t from, uint32_t to, dq_error *error)
{
    unsigned r = from >> 16, g = from >> 8 & 0xFF, b = from & 0xFF, colour = to;
    return dq_sink_printf(
        out, error,
        "[fill=\"#%06x\"],[fill=\"rgb(%u,%u,%u)\"],[fill=\"rgb(%3u, %3u, %3u)\"]{fill:#%06x}"
        "[stroke=\"rgb(%3u, %3u, %3u)\"]{stroke:#%06x}[color=\"rgb(%3u, %3u, %3u)\"]{color:#%06x}\n",
        from, r, g, b, r, g, b, colour, r, g, b, colour, r, g, b, colour);
}

/* An SVG follows its reader's choice of light or dark, and so is at home on pages of either. gnuplot writes a
 * colour in three ways. */
static dq_status write_style(dq_sink *out, dq_error *error)
{
    const dq_plot_theme *light = dq_plot_theme_of(DQ_PLOT_SVG), *dark = dq_plot_theme_of(DQ_PLOT_SVG_DARK);
    const uint32_t pairs[][2] = {{light->paper, dark->paper},
                                 {light->ink, dark->ink},
                                 {light->frame, dark->frame},
                                 {light->rules, dark->rules},
                                 {light->mark, dark->mark}};
    static const char head[] = "<style>@media (prefers-color-scheme:dark){\n", tail[] = "}</style>\n";
    dq_status status = dq_sink_write(out, head, sizeof head - 1, error);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && !status; i++)
        status = restyle(out, pairs[i][0], pairs[i][1], error);
    for (size_t i = 0; i < DQ_PLOT_HUES && !status; i++)
        status = restyle(out, light->hues[i], dark->hues[i], error);
    return status ? status : dq_sink_write(out, tail, sizeof tail - 1, error);
}

/* What of gnuplot's SVG is not as it should be: it takes a font's weight for a part of its name, and gives
 * its own name, its version and its numbers of curves as titles, which browsers show to who points at them.
 * The style's place is where the description was. */
static const struct mend {
    const char *from, *until, *instead; /* until: of what goes; "": from alone */
    bool style;
} mends[] = {{"sans-serif:Bold\"", "", "sans-serif\" font-weight=\"bold\"", false},
             {"<title>Gnuplot", "</title>\n", "", false},
             {"<title>gnuplot_plot_", "</title>", "", false},
             {"<desc>Produced by GNUPLOT", "</desc>\n", "", true}};

/* The first that is to be mended from `at` on; NULL: nothing. */
static const char *find_mend(const char *at, const char *end, const struct mend **which)
{
    const char *first = NULL;
    for (size_t i = 0; i < sizeof mends / sizeof *mends; i++) {
        const char *found = memmem(at, (size_t)(end - at), mends[i].from, strlen(mends[i].from));
        if (!found || (first && found > first)) continue;
        first = found;
        *which = &mends[i];
    }
    return first;
}

/* adapts: the picture looks right in both themes. */
static dq_status write_svg(const bytes *b, bool adapts, dq_sink *out, dq_error *error)
{
    const char *at = b->at, *end = b->at + b->count, *found;
    const struct mend *m = NULL;
    dq_status status = DQ_OK;
    while (!status && (found = find_mend(at, end, &m))) {
        const char *until = memmem(found, (size_t)(end - found), m->until, strlen(m->until));
        status = dq_sink_write(out, at, (size_t)(found - at), error);
        if (!status) status = dq_sink_write(out, m->instead, strlen(m->instead), error);
        if (!status && m->style && adapts) status = write_style(out, error);
        at = *m->until && until ? until + strlen(m->until) : found + strlen(m->from);
    }
    return status ? status : dq_sink_write(out, at, (size_t)(end - at), error);
}

/* Cells of a grid have colours between those of the theme, which no rule about a colour finds. */
static bool adapts(const dq_figure *figure, dq_plot_form form)
{
    for (const dq_plot_panel *p = figure->panels; p; p = p->next)
        if (p->kind == DQ_PLOT_GRID) return false;
    return form == DQ_PLOT_SVG;
}

/* Up to where a line shows something: blanks and changes of colour at its end do not. */
static size_t shown_bytes(const char *line, size_t n)
{
    size_t shown = 0;
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\033') {
            while (i < n && line[i] != 'm') i++;
        } else if (line[i] != ' ' && line[i] != '\r') {
            shown = i + 1;
        }
    }
    return shown;
}

/* gnuplot begins with a form feed, which clears some terminals, fills its lines with blanks, and leaves lines
 * empty above and below. One above parts a panel from the last. */
static dq_status write_text(const bytes *b, bool colour, dq_sink *out, dq_error *error)
{
    const char *at = b->at, *end = b->at + b->count;
    size_t waiting = 0; /* empty lines that may be the last */
    bool begun = false;
    dq_status status = DQ_OK;
    if (at < end && *at == '\f') at++;
    while (at < end && !status) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at), shown = shown_bytes(at, n);
        waiting = shown && !begun ? 1 : begun ? waiting + 1 : 0;
        for (; shown && waiting && !status; waiting--) status = dq_sink_write(out, "\n", 1, error);
        if (shown && !status) status = dq_sink_write(out, at, shown, error);
        begun = begun || shown;
        at = stop ? stop + 1 : end;
    }
    const char *tail = colour ? "\033[0m\n" : "\n";
    return status ? status : dq_sink_write(out, tail, strlen(tail), error);
}

static dq_status write_mended(FILE *script, const dq_figure *figure, dq_plot_form form, dq_sink *out,
                              dq_error *error)
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
    if (!status && (form == DQ_PLOT_TERMINAL || form == DQ_PLOT_COLOUR))
        status = write_text(&picture, form == DQ_PLOT_COLOUR, out, error);
    else if (!status)
        status = form == DQ_PLOT_PDF ? write_pdf(&picture, out, error)
                                     : write_svg(&picture, adapts(figure, form), out, error);
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
    FILE *script = tmpfile();
    if (!script) return failed_script(error);
    dq_status status = dq_plot_script(script, figure, form, columns, error);
    if (!status && ferror(script)) status = failed_script(error);
    if (!status)
        status = form == DQ_PLOT_PNG ? dq_gnuplot_run(script, out, error)
                                     : write_mended(script, figure, form, out, error);
    (void)fclose(script);
    return status;
}

/* ---- in a terminal ---- */

/* Closes a stream in memory and writes its text, if what filled it came to `status` DQ_OK. */
static dq_status write_memory(FILE *f, char **text, const size_t *n, dq_status status, dq_sink *out,
                              dq_error *error)
{
    bool lost = ferror(f); /* which fclose may forget, and text too */
    lost = fclose(f) != 0 || lost || !*text;
    if (lost && !status) status = dq_fail_memory(error, "a picture");
    if (!status) status = dq_sink_write(out, *text, *n, error);
    free(*text);
    return status;
}

static dq_status write_table(const dq_figure *of_one, dq_plot_form form, unsigned columns, dq_sink *out,
                             dq_error *error)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return dq_fail_memory(error, "a picture");
    dq_status status = plot_table_write(f, of_one, form, columns, error);
    return write_memory(f, &text, &n, status, out, error);
}

static dq_status write_title(const dq_figure *figure, unsigned columns, dq_sink *out, dq_error *error)
{
    char *text = NULL;
    size_t n = 0;
    if (!figure->title || !*figure->title) return DQ_OK;
    FILE *f = open_memstream(&text, &n);
    if (!f) return dq_fail_memory(error, "a picture");
    (void)plot_put(f, figure->title, columns, PLOT_PLAIN);
    (void)fputc('\n', f);
    return write_memory(f, &text, &n, DQ_OK, out, error);
}

/* Panel by panel: some are tables, gnuplot draws the others. */
static dq_status write_panels(const dq_figure *figure, dq_plot_form form, unsigned columns, dq_sink *out,
                              dq_error *error)
{
    dq_status status = write_title(figure, columns, out, error);
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
