/* SPDX-License-Identifier: MIT */
#include "page/html.h"

#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dq_html_append(dq_html *h, const char *markup, size_t bytes)
{
    if (!h->status) h->status = dq_json_write_raw(&h->text, markup, bytes, h->error);
}

void dq_html_raw(dq_html *h, const char *markup)
{
    dq_html_append(h, markup, strlen(markup));
}

void dq_html_printf(dq_html *h, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text) {
        if (!h->status) h->status = dq_fail(h->error, DQ_ERR_RANGE, "a piece of markup is too long");
        return;
    }
    dq_html_append(h, text, (size_t)n);
}

static const char *reference_of(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9, table 4), which can make
 * a text look like another. */
static bool turns_direction(uint32_t code)
{
    return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* The character's own form, in `shown`, where it has one; 0: it stands as it is. */
static size_t show(const char *at, size_t n, size_t took, bool control, char shown[16])
{
    uint32_t code = 0;
    if (control) return dq_utf8_show(at, took, shown, 16);
    if (dq_utf8_decode(at, n, &code) == 0)
        return (size_t)snprintf(shown, 16, "\\x%02x", (unsigned)(unsigned char)*at);
    return turns_direction(code) ? (size_t)snprintf(shown, 16, "\\u%04x", (unsigned)code) : 0;
}

void dq_html_text(dq_html *h, const char *text, size_t bytes)
{
    size_t from = 0;
    for (size_t i = 0, took; i < bytes; i += took) {
        char shown[16];
        bool control;
        took = dq_utf8_next(text + i, bytes - i, &control);
        const char *reference = reference_of(text[i]);
        size_t n = reference ? strlen(reference) : show(text + i, bytes - i, took, control, shown);
        if (!n) continue;
        dq_html_append(h, text + from, i - from);
        dq_html_append(h, reference ? reference : shown, n);
        from = i + took;
    }
    dq_html_append(h, text + from, bytes - from);
}

void dq_html_words(dq_html *h, const char *text)
{
    if (text) dq_html_text(h, text, strlen(text));
}

void dq_html_base64(dq_html *h, const void *data, size_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = data;
    for (size_t i = 0; i < bytes; i += 3) {
        size_t n = bytes - i < 3 ? bytes - i : 3;
        uint32_t group = (uint32_t)in[i] << 16;
        if (n > 1) group |= (uint32_t)in[i + 1] << 8;
        if (n > 2) group |= in[i + 2];
        char out[4] = {digits[group >> 18], digits[group >> 12 & 63], n > 1 ? digits[group >> 6 & 63] : '=',
                       n > 2 ? digits[group & 63] : '='};
        dq_html_append(h, out, 4);
    }
}

void dq_html_free(dq_html *h)
{
    dq_json_text_free(&h->text);
}
