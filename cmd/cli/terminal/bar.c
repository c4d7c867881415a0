/* SPDX-License-Identifier: MIT */
#include "cli/terminal/bar.h"

#include "cli/terminal/screen.h"
#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

enum { FEWEST = 8, MOST = 30, AROUND = 8, PART = 256 }; /* AROUND: columns of " [" and "]  45%" */

static const double moment = 1, redraw = 0.1, minute = 60;

bool dq_bar_due(double seconds, double shown, bool terminal, bool at_once)
{
    if (shown < 0) return seconds >= moment || (terminal && at_once);
    return seconds - shown >= (terminal ? redraw : minute);
}

/* ---- numbers ---- */

/* "0:01:40" */
static void write_time(double seconds, char *to, size_t room)
{
    if (seconds > 3.6e7) seconds = 3.6e7;
    unsigned s = (unsigned)(seconds + 0.5);
    (void)snprintf(to, room, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
}

static void write_rate(double rate, const char *unit, char *to, size_t room)
{
    bool millions = rate >= 1e6;
    if (millions) rate /= 1e6;
    (void)snprintf(to, room, "%.*f%s %s/s",
                   rate < 1    ? 2
                   : rate < 10 ? 1
                               : 0,
                   rate, millions ? "M" : "", unit);
}

static double share_of(const dq_bar *b)
{
    return b->done < b->total ? (double)b->done / (double)b->total : 1;
}

static void write_count(const dq_bar *b, char *to, size_t room)
{
    unsigned long long done = b->done, total = b->total;
    if (total)
        (void)snprintf(to, room, "%llu/%llu", done, total);
    else
        (void)snprintf(to, room, "%llu %s", done, b->unit);
}

/* How long it takes yet, as long as anybody knows; else how long it took. Empty: neither. */
static void write_when(const dq_bar *b, double rate, char *to, size_t room)
{
    char words[32];
    bool left = b->total && !b->ended;
    *to = '\0';
    if (b->seconds < moment || (left && (rate <= 0 || b->done >= b->total))) return;
    write_time(left ? (double)(b->total - b->done) / rate : b->seconds, words, sizeof words);
    (void)snprintf(to, room, "%s%s", words, left ? " left" : "");
}

/* ---- the line ---- */

typedef struct bar_line {
    char *to;
    size_t room, bytes;
    size_t columns, used;
} bar_line;

/* Adds a part whole, or, where it does not fit, nothing. */
static bool add(bar_line *l, const char *between, const char *part)
{
    char shown[PART];
    size_t gap = strlen(between), n = dq_utf8_show(part, strlen(part), shown, sizeof shown);
    size_t columns = gap + dq_screen_columns(shown, n);
    if (l->used + columns > l->columns || l->bytes + gap + n >= l->room) return false;
    l->bytes += (size_t)snprintf(l->to + l->bytes, l->room - l->bytes, "%s%s", between, shown);
    l->used += columns;
    return true;
}

static void add_cells(bar_line *l, double share, size_t cells, bool colour)
{
    char bar[MOST + 1];
    size_t full = (size_t)(share * (double)cells);
    memset(bar, '#', full);
    memset(bar + full, '.', cells - full);
    bar[cells] = '\0';
    if (l->room - l->bytes < cells + 16) return;
    l->bytes += (size_t)snprintf(l->to + l->bytes, l->room - l->bytes, " [%s%s%s]", colour ? "\033[32m" : "",
                                 bar, colour ? "\033[0m" : "");
    l->used += cells + 3;
}

/* Columns of the parts behind the bar that fit where it has so few cells; *count becomes how many do. */
static size_t measure_parts(char parts[][PART], size_t n, size_t columns, size_t *count)
{
    size_t used = 0;
    for (*count = 0; *count < n; ++*count) {
        const char *part = parts[*count];
        size_t takes = *part ? 2 + dq_screen_columns(part, strlen(part)) : 0;
        if (used + takes > columns) break;
        used += takes;
    }
    return used;
}

void dq_bar_write(const dq_bar *b, size_t columns, bool cells, bool colour, char *to, size_t room)
{
    enum { COUNT, WHEN, RATE, NOTE, PARTS };
    char parts[PARTS][PART] = {""}, percent[8] = "";
    bar_line l = {.to = to, .room = room, .columns = columns};
    double share = b->total ? share_of(b) : 0;
    double rate = b->seconds >= moment && b->done > b->before ? (double)(b->done - b->before) / b->seconds
                                                              : 0;
    write_count(b, parts[COUNT], PART);
    write_when(b, rate, parts[WHEN], PART);
    if (rate > 0) write_rate(rate, b->unit, parts[RATE], PART);
    if (b->note) (void)dq_utf8_show(b->note, strlen(b->note), parts[NOTE], PART);
    *to = '\0';
    if (!add(&l, "", b->label)) return;
    size_t left = columns - l.used, count;
    if (b->total && cells && left >= FEWEST + AROUND) {
        size_t free = left - AROUND - measure_parts(parts, PARTS, left - AROUND - FEWEST, &count);
        add_cells(&l, share, free < MOST ? free : MOST, colour);
    }
    (void)snprintf(percent, sizeof percent, "%3.0f%%", 100 * share);
    if (b->total && !add(&l, " ", percent)) return;
    for (size_t i = 0; i < PARTS; i++)
        if (*parts[i] && !add(&l, "  ", parts[i])) return;
}
