/* SPDX-License-Identifier: MIT */
#include "plot/script_impl.h"

#include "core/utf8.h"

#include <string.h>

size_t plot_letters(const char *text, size_t longest)
{
    size_t letters = 0, n = strlen(text);
    for (size_t i = 0; i < n && letters < longest; letters++) {
        bool control;
        i += dq_utf8_next(text + i, n - i, &control);
    }
    return letters;
}

/* XML knows neither surrogates, which are no UTF-8, nor the two at the end of the plane. */
static void put_letter(FILE *f, const char *text, size_t n, plot_words how)
{
    uint32_t code;
    bool control;
    size_t bytes = dq_utf8_decode(text, n, &code);
    (void)dq_utf8_next(text, n, &control);
    if (bytes == 0 || code == 0xFFFE || code == 0xFFFF)
        (void)fputs("\uFFFD", f);
    else if (control)
        (void)fputc(' ', f);
    else if ((code == '\'' && how != PLOT_PLAIN) || (code == '%' && how == PLOT_TICK))
        (void)fprintf(f, "%c%c", (int)code, (int)code);
    else
        (void)fwrite(text, 1, bytes, f);
}

size_t plot_put(FILE *f, const char *text, size_t longest, plot_words how)
{
    size_t n = strlen(text), all = plot_letters(text, SIZE_MAX), head = all, tail = 0, at = 0;
    if (all > longest) {
        head = longest / 2;
        tail = longest > head ? longest - head - 1 : 0;
    }
    if (how != PLOT_PLAIN) (void)fputc('\'', f);
    for (size_t i = 0; i < n; at++) {
        bool control;
        size_t bytes = dq_utf8_next(text + i, n - i, &control);
        if (at < head || at >= all - tail) put_letter(f, text + i, n - i, how);
        if (at == head && all > longest) (void)fputs("…", f);
        i += bytes;
    }
    if (how != PLOT_PLAIN) (void)fputc('\'', f);
    return all > longest ? longest : all;
}

void plot_quote(FILE *f, const char *text, size_t longest, bool format)
{
    (void)plot_put(f, text, longest, format ? PLOT_TICK : PLOT_LABEL);
}

void plot_font(const plot_script *s, const char *weight, double size, char font[40])
{
    bool svg = s->form == DQ_PLOT_SVG || s->form == DQ_PLOT_SVG_DARK; /* others count in points */
    (void)snprintf(font, 40, "%s%s,%g", svg ? "sans-serif" : "Sans", weight, svg ? size : 0.75 * size);
}

void plot_axis_title(const dq_plot_axis *axis, char *to, size_t room)
{
    bool both = axis->label && *axis->label && axis->unit && *axis->unit;
    (void)snprintf(to, room, both ? "%s (%s)" : "%s%s", axis->label ? axis->label : "",
                   axis->unit ? axis->unit : "");
}
