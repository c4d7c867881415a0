/* SPDX-License-Identifier: MIT */
#include "core/utf8.h"
#include "inspect/outline_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8, PARTS = 6, NAME = 400, HOLDS = 2 * DQ_TIME_WORDS + 100 };
enum { KIND, COLUMN, TYPE, WIDTH, ROWS, NULLS, HELD, EXAMPLE };

static const char *const heads[COLUMNS] = {"kind", "column", "type",  "width",
                                           "rows", "nulls",  "holds", "example"};

typedef struct cells {
    char at[COLUMNS][NAME];
} cells;

/* ---- what a column holds ---- */

/* "0.1 to 1", or the one number that there is, between words. */
static void print_span(const dq_outline_line *line, const char *before, const char *behind, char *to,
                       size_t size)
{
    bool real = dq_outline_is_real(line->type), precise = line->type == DQ_F8 || line->type == DQ_JSON;
    int digits = precise ? 15 : real ? 9 : 17;
    if (line->least < line->most)
        (void)snprintf(to, size, "%s%.*g to %.*g%s", before, digits, line->least, digits, line->most, behind);
    else
        (void)snprintf(to, size, "%s%.*g%s", before, digits, line->least, behind);
}

static void print_json(const dq_outline_line *line, char to[HOLDS])
{
    char numbers[80];
    print_span(line, "numbers ", "", numbers, sizeof numbers);
    const struct {
        bool there;
        const char *words;
    } types[] = {{line->numbers, numbers},   {line->texts, "texts"},         {line->lists, "lists"},
                 {line->objects, "objects"}, {line->flags, "true or false"}, {line->others, "null"}};
    int n = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].there) n += snprintf(to + n, (size_t)(HOLDS - n), "%s%s", n ? ", " : "", types[i].words);
}

static void print_holds(const dq_outline_line *line, const char *ref, char to[HOLDS])
{
    char first[DQ_TIME_WORDS], last[DQ_TIME_WORDS];
    to[0] = '\0';
    if (*ref) {
        (void)snprintf(to, HOLDS, "rows of %.100s", ref);
    } else if (line->type == DQ_JSON && line->times && line->timed) {
        dq_time_print(&line->first, first);
        dq_time_print(&line->last, last);
        (void)snprintf(to, HOLDS, "%s to %s", first, last);
    } else if (line->type == DQ_JSON) {
        print_json(line, to);
    } else if (line->least <= line->most) {
        bool text = line->type == DQ_TEXT;
        print_span(line, text ? "texts of " : "", text ? " bytes" : "", to, HOLDS);
    }
}

/* ---- the table ---- */

/* The parts of a key, each but the last ended by a NUL. */
static void split_key(const char *key, size_t n, const char *parts[PARTS], size_t bytes[PARTS])
{
    for (int i = 0; i < PARTS; i++) {
        const char *end = i + 1 < PARTS ? memchr(key, '\0', n) : NULL;
        parts[i] = key;
        bytes[i] = end ? (size_t)(end - key) : n;
        key += bytes[i] + (end ? 1 : 0);
        n -= bytes[i] + (end ? 1 : 0);
    }
}

static void fill(const dq_outline *o, uint32_t i, cells *c)
{
    const dq_outline_line *line = &o->lines[i];
    const char *parts[PARTS];
    size_t bytes[PARTS], n;
    char ref[128], holds[HOLDS];
    const char *key = dq_index_id(&o->keys, i, &n);
    split_key(key, n, parts, bytes);
    int field = line->field;
    (void)dq_utf8_show(parts[0], bytes[0], c->at[KIND], NAME);
    if (field) c->at[COLUMN][0] = '.';
    (void)dq_utf8_show(parts[1 + field], bytes[1 + field], c->at[COLUMN] + field, (size_t)(NAME - field));
    (void)dq_utf8_show(parts[3], bytes[3], c->at[TYPE], NAME);
    (void)dq_utf8_show(parts[4], bytes[4], c->at[WIDTH], NAME);
    (void)dq_utf8_show(parts[5], bytes[5], ref, sizeof ref);
    print_holds(line, ref, holds);
    (void)snprintf(c->at[ROWS], NAME, "%" PRIu64, line->rows);
    (void)snprintf(c->at[NULLS], NAME, "%" PRIu64, line->nulls);
    (void)snprintf(c->at[HELD], NAME, "%s", *holds ? holds : "-");
    (void)snprintf(c->at[EXAMPLE], NAME, "%s", line->has_example ? line->example : "-");
}

/* How many characters a text shows. */
static int shown(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static dq_status put_cells(dq_sink *out, const cells *c, const int widths[COLUMNS], dq_error *error)
{
    dq_status status = DQ_OK;
    for (int k = 0; !status && k < COLUMNS; k++) {
        int pad = k + 1 < COLUMNS ? widths[k] - shown(c->at[k]) + 2 : 0;
        status = dq_sink_printf(out, error, "%s%*s%s", c->at[k], pad, "", k + 1 < COLUMNS ? "" : "\n");
    }
    return status;
}

dq_status dq_outline_write(const dq_outline *o, dq_sink *out, dq_error *error)
{
    size_t count = dq_index_count(&o->keys);
    int widths[COLUMNS] = {0};
    if (count == 0) return DQ_OK;
    cells *table = calloc(count + 1, sizeof *table);
    if (!table) return dq_fail_memory(error, "an outline");
    for (int k = 0; k < COLUMNS; k++) (void)snprintf(table->at[k], NAME, "%s", heads[k]);
    for (size_t i = 0; i < count; i++) fill(o, (uint32_t)i, &table[i + 1]);
    for (size_t i = 0; i <= count; i++)
        for (int k = 0; k < COLUMNS; k++)
            if (shown(table[i].at[k]) > widths[k]) widths[k] = shown(table[i].at[k]);
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i <= count; i++) status = put_cells(out, &table[i], widths, error);
    free(table);
    return status;
}
