/* SPDX-License-Identifier: MIT */
#include "page/views.h"

#include "page/data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct view {
    dq_arena arena;
    dq_page_data data;
    char intervals[64]; /* "Brackets: 95 % intervals." */
    dq_html *out;
} view;

static dq_status *status_of(view *v)
{
    return &v->out->status;
}

/* ---- what columns are ---- */

static bool among(dq_page_text name, const char *const *names)
{
    for (; *names; names++)
        if (dq_page_text_is(name, *names)) return true;
    return false;
}

static bool begins(dq_page_text name, const char *with)
{
    size_t n = strlen(with);
    return name.bytes >= n && memcmp(name.words, with, n) == 0;
}

/* Columns that name their row, whatever they hold. */
static const char *const names[] = {"run",       "measure", "query",  "group",  "model",
                                    "estimator", "first",   "second", "label",  "other",
                                    "a",         "b",       "metric", "stream", NULL};

static bool all_numbers(const dq_page_data *data, const dq_page_column *c)
{
    for (size_t r = 0; r < data->rows; r++)
        if (c->cells[r].words && isnan(dq_page_number(c->cells[r]))) return false;
    return true;
}

static dq_page_kind kind_of(const dq_page_data *data, const dq_page_column *c)
{
    static const char *const signs[] = {"difference", "improvement_percent", NULL};
    if (!all_numbers(data, c)) return DQ_PAGE_TEXT;
    if (dq_page_text_is(c->name, "p") || begins(c->name, "p_")) return DQ_PAGE_PROBABILITY;
    return among(c->name, signs) ? DQ_PAGE_DIFFERENCE : DQ_PAGE_NUMBER;
}

/* Values with their intervals, under the names that the programs give these; no bounds are two values'. */
static void join_intervals(const dq_page_data *data)
{
    static const char *const joins[][3] = {{"mean", "low", "high"},
                                           {"value", "low", "high"},
                                           {"value", "lower", "upper"},
                                           {"difference", "difference_low", "difference_high"},
                                           {"difference", "lower", "upper"}};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        dq_page_column *value = dq_page_data_find(data, joins[i][0]);
        const dq_page_column *low = dq_page_data_find(data, joins[i][1]),
                             *high = dq_page_data_find(data, joins[i][2]);
        bool taken = false;
        for (size_t c = 0; c < data->column_count; c++) taken = taken || (low && data->columns[c].low == low);
        if (!value || !low || !high || taken) continue;
        value->low = low;
        value->high = high;
    }
}

static void describe(const dq_page_data *data)
{
    for (size_t i = 0; i < data->column_count; i++) {
        dq_page_column *c = &data->columns[i];
        c->heading = among(c->name, names);
        c->line.kind = c->heading ? DQ_PAGE_TEXT : kind_of(data, c);
    }
    join_intervals(data);
}

/* Measures of which more is better. Of others less is (a divergence), or which is better is for people to
 * say: counts, how even or new or popular a list is, what unjudged ones could add. */
static dq_page_best best_of(dq_page_text measure)
{
    static const char *const unclear[] = {"num_", "gini",      "entropy",   "novelty", "popularity", "tail",
                                          "unj",  "rbp_resid", "ideal_dcg", "runid",   "relstring",  NULL};
    for (size_t i = 0; unclear[i]; i++)
        if (begins(measure, unclear[i])) return DQ_PAGE_NO_BEST;
    return begins(measure, "calibration") ? DQ_PAGE_LEAST : DQ_PAGE_GREATEST;
}

/* What people call them. */
static dq_page_text heading_of(dq_page_text name)
{
    static const char *const better[][2] = {{"p", "p (randomisation)"},
                                            {"p_t", "p (t test)"},
                                            {"p_randomisation", "p (randomisation)"},
                                            {"p_wilcoxon", "p (Wilcoxon)"},
                                            {"p_adjusted", "p, adjusted"},
                                            {"mean_a", "mean of a"},
                                            {"mean_b", "mean of b"},
                                            {"se", "standard error"},
                                            {"ess", "effective sample size"},
                                            {"max_weight", "largest weight"},
                                            {"unsupported", "unsupported share"},
                                            {"bernstein_lower", "Bernstein, lower"},
                                            {"bernstein_upper", "Bernstein, upper"},
                                            {"sd", "standard deviation"},
                                            {"cut", "episodes cut off"},
                                            {"improvement_percent", "improvement, %"}};
    for (size_t i = 0; i < sizeof better / sizeof *better; i++)
        if (dq_page_text_is(name, better[i][0])) return dq_page_words(better[i][1]);
    return name;
}

/* ---- writing ---- */

static bool any_interval(const dq_page_table *t)
{
    for (size_t i = 0; i < t->rows * t->columns; i++)
        if (!isnan(t->cells[i].low)) return true;
    return false;
}

/* lines: by_row's, of the data's rows; NULL: by column. */
static void write(view *v, const dq_page_data *data, const char *caption, bool folded,
                  const dq_page_line *lines)
{
    dq_page_table t = {.caption = caption, .folded = folded};
    if (!*status_of(v)) *status_of(v) = dq_page_data_table(data, &t, lines, v->out->error);
    if (*status_of(v)) return;
    for (size_t i = 0; i < t.columns; i++) t.heads[i] = heading_of(t.heads[i]);
    if (*v->intervals && any_interval(&t)) t.note = v->intervals;
    dq_page_table_write(&t, v->out);
}

/* ---- rows by what they hold ---- */

/* A cell of a row is these words, or is not. Of a column that there is not all rules hold. */
typedef struct rule {
    const char *column, *words;
    bool is;
} rule;

enum { RULES = 3 };

typedef struct rules {
    const dq_page_data *data;
    const rule *at; /* ended by a column NULL, at most RULES */
} rules;

static bool obeys(const void *arg, size_t row)
{
    const rules *all = arg;
    for (const rule *r = all->at; r < all->at + RULES && r->column; r++) {
        const dq_page_column *c = dq_page_data_find(all->data, r->column);
        if (c && dq_page_text_is(c->cells[row], r->words) != r->is) return false;
    }
    return true;
}

static dq_page_data filter(view *v, const rule *at)
{
    dq_page_data data = {.arena = &v->arena};
    const rules all = {&v->data, at};
    if (!*status_of(v)) *status_of(v) = dq_page_data_filter(&v->data, obeys, &all, &data, v->out->error);
    return data;
}

/* Empties a column, which is then not shown. */
static void drop(const dq_page_data *data, const char *column)
{
    dq_page_column *c = dq_page_data_find(data, column);
    for (size_t r = 0; c && r < data->rows; r++) c->cells[r] = (dq_page_text){0};
    if (c) c->heading = false;
}

/* A row for each text of a key, or of two. */
static dq_page_data pivot(view *v, const dq_page_data *from, const char *key, const char *key2,
                          const char *across, const char *value)
{
    dq_page_data data = {.arena = &v->arena};
    dq_page_pivot by = {.across = dq_page_data_find(from, across), .value = dq_page_data_find(from, value)};
    by.keys[0] = dq_page_data_find(from, key);
    if (key2) by.keys[1] = dq_page_data_find(from, key2);
    if (!*status_of(v) && by.keys[0] && by.across && by.value)
        *status_of(v) = dq_page_data_pivot(from, &by, &data, v->out->error);
    return data;
}

static size_t count_distinct(view *v, const dq_page_data *data, const char *column)
{
    return pivot(v, data, column, NULL, column, column).rows;
}

/* A caption with a name or two in it, in the arena. */
static const char *caption_of(view *v, const char *before, dq_page_text name, const char *between,
                              dq_page_text other)
{
    size_t room = strlen(before) + name.bytes + strlen(between) + other.bytes + 1;
    char *caption = dq_arena_zero(&v->arena, room, 1);
    if (!caption) return before; /* the arena has failed, and with it the table */
    (void)snprintf(caption, room, "%s%.*s%s%.*s", before, (int)name.bytes, name.words ? name.words : "",
                   between, (int)other.bytes, other.words ? other.words : "");
    return caption;
}

/* Where rows are of several measures, numbers of a column are not alike: each has decimals of its own. */
static void mark_unlike(const dq_page_data *data, const char *column)
{
    const dq_page_column *measure = dq_page_data_find(data, column);
    bool several = false;
    for (size_t r = 1; measure && r < data->rows; r++)
        several = several || !dq_page_text_same(measure->cells[r], measure->cells[0]);
    for (size_t i = 0; several && i < data->column_count; i++)
        if (data->columns[i].line.kind == DQ_PAGE_NUMBER) data->columns[i].line.kind = DQ_PAGE_UNLIKE;
}

/* ---- rankings ---- */

enum { MOST_ACROSS = 6 }; /* measures beside each other */

static void mark_columns(const dq_page_data *wide)
{
    for (size_t i = 0; i < wide->column_count; i++)
        if (!wide->columns[i].heading) wide->columns[i].line.best = best_of(wide->columns[i].name);
}

/* Measures under each other, whose numbers are alike by row. */
static void write_by_row(view *v, const dq_page_data *wide, const char *caption)
{
    dq_page_line *lines = dq_arena_zero(&v->arena, wide->rows + 1, sizeof *lines);
    if (!lines && !*status_of(v)) *status_of(v) = dq_fail_memory(v->out->error, "the tables of a page");
    for (size_t r = 0; lines && r < wide->rows; r++)
        lines[r] = (dq_page_line){DQ_PAGE_NUMBER, best_of(wide->columns[0].cells[r])};
    if (lines) write(v, wide, caption, false, lines);
}

/* A row a run, where the measures are few; else a row a measure. */
static void write_means(view *v, const dq_page_data *all, const char *caption)
{
    bool beside = count_distinct(v, all, "run") > 1 && count_distinct(v, all, "measure") <= MOST_ACROSS;
    dq_page_data wide = beside ? pivot(v, all, "run", NULL, "measure", "value")
                               : pivot(v, all, "measure", NULL, "run", "value");
    if (beside) mark_columns(&wide);
    if (beside)
        write(v, &wide, caption, false, NULL);
    else
        write_by_row(v, &wide, caption);
}

static void write_differences(view *v, dq_page_text first)
{
    static const char *const told[] = {"query", "value", "low", "high", "group"};
    dq_page_data compared = filter(v, (const rule[]){{"query", "all", true}, {"difference", "", false}, {0}});
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) drop(&compared, told[i]);
    write(v, &compared, caption_of(v, "Difference from ", first, "", (dq_page_text){0}), false, NULL);
}

static void write_groups(view *v)
{
    dq_page_column *group = dq_page_data_find(&v->data, "group"),
                   *query = dq_page_data_find(&v->data, "query");
    if (!group || !query) return;
    for (size_t r = 0; r < v->data.rows; r++)
        if (dq_page_text_is(query->cells[r], "gap"))
            group->cells[r] = dq_page_words("gap, greatest \xe2\x88\x92 least");
    dq_page_data some = filter(v, (const rule[]){{"group", "", false}, {0}});
    dq_page_data wide = pivot(v, &some, "run", "group", "measure", "value");
    write(v, &wide, "By group of users", false, NULL);
}

static void write_queries(view *v)
{
    dq_page_data each = filter(v, (const rule[]){{"query", "all", false}, {"query", "gap", false}, {0}});
    bool one = count_distinct(v, &each, "run") == 1;
    dq_page_data wide = pivot(v, &each, "query", one ? NULL : "run", "measure", "value");
    write(v, &wide, "Each query", true, NULL);
}

/* Runs are told apart by their names; the folder that all lie in says nothing. */
static void drop_folder(const dq_page_column *run, size_t rows)
{
    size_t shared = rows > 1 ? run->cells[0].bytes : 0, folder = 0;
    for (size_t r = 0; r < rows; r++) {
        size_t same = 0;
        while (same < shared && same < run->cells[r].bytes &&
               run->cells[r].words[same] == run->cells[0].words[same])
            same++;
        shared = same;
    }
    for (size_t i = 0; i < shared; i++)
        if (run->cells[0].words[i] == '/') folder = i + 1;
    for (size_t r = 0; folder && r < rows; r++)
        run->cells[r] = (dq_page_text){run->cells[r].words + folder, run->cells[r].bytes - folder};
}

static void write_rankings(view *v, const char *caption)
{
    const dq_page_column *named = dq_page_data_find(&v->data, "run");
    if (named) drop_folder(named, v->data.rows);
    dq_page_data all = filter(v, (const rule[]){{"query", "all", true}, {"group", "", true}, {0}});
    const dq_page_column *run = dq_page_data_find(&all, "run");
    write_means(v, &all, caption);
    if (run && all.rows) write_differences(v, run->cells[0]);
    write_queries(v);
    write_groups(v);
}

/* ---- roll-outs ---- */

/* A row a step, or an episode; a column a model. */
static void write_steps(view *v, const char *measure, const char *caption, bool folded)
{
    dq_page_data steps = filter(v, (const rule[]){{"measure", measure, true}, {"at", "all", false}, {0}});
    dq_page_data wide = pivot(v, &steps, "at", NULL, "model", "value");
    if (wide.column_count) wide.columns[0].name = dq_page_words(measure);
    write(v, &wide, caption, folded, NULL);
}

static void write_rollouts(view *v, const char *caption)
{
    dq_page_data all = filter(v, (const rule[]){{"at", "all", true}, {0}});
    dq_page_data wide = pivot(v, &all, "model", NULL, "measure", "value");
    for (size_t i = 0; i < wide.column_count; i++) {
        dq_page_column *c = &wide.columns[i];
        bool reward = dq_page_text_is(c->name, "mean") || dq_page_text_is(c->name, "discounted");
        if (!c->heading)
            c->line = (dq_page_line){kind_of(&wide, c), reward ? DQ_PAGE_GREATEST : DQ_PAGE_NO_BEST};
    }
    join_intervals(&wide);
    write(v, &wide, caption, false, NULL);
    write_steps(v, "step", "Mean reward by step", false);
    write_steps(v, "episode", "Each episode", true);
}

/* ---- agreement ---- */

static void write_confusion(view *v, dq_page_text first, dq_page_text second)
{
    const rule of[RULES] = {
        {"measure", "confusion", true}, {"first", first.words, true}, {"second", second.words, true}};
    dq_page_data counts = filter(v, of), wide = pivot(v, &counts, "label", NULL, "other", "value");
    write(v, &wide, caption_of(v, "Labels of ", first, " (rows) against those of ", second), false, NULL);
}

static void write_agreement(view *v, const char *caption)
{
    dq_page_data rows = filter(v, (const rule[]){{"measure", "confusion", false}, {0}}),
                 matrices = filter(v, (const rule[]){{"measure", "confusion", true}, {0}}),
                 pairs = pivot(v, &matrices, "first", "second", "measure", "value");
    drop(&rows, "label");
    drop(&rows, "other");
    write(v, &rows, caption, false, NULL);
    for (size_t r = 0; r < pairs.rows; r++) {
        dq_page_text first = pairs.columns[0].cells[r], second = pairs.columns[1].cells[r];
        if (first.words && second.words) write_confusion(v, first, second);
    }
}

/* ---- curves ---- */

/* The last point of a group's metric: another's follows, or none. */
static bool is_last(const void *arg, size_t row)
{
    const dq_page_data *data = arg;
    if (row + 1 == data->rows) return true;
    for (size_t i = 0; i < 2; i++) {
        const dq_page_text *cells = data->columns[i].cells;
        if (!dq_page_text_same(cells[row], cells[row + 1])) return true;
    }
    return false;
}

static void write_curves(view *v, const char *caption)
{
    dq_page_data ends = {.arena = &v->arena};
    mark_unlike(&v->data, "metric");
    if (!*status_of(v) && v->data.column_count > 2)
        *status_of(v) = dq_page_data_filter(&v->data, is_last, &v->data, &ends, v->out->error);
    write(v, &ends, caption, false, NULL);
}

/* ---- all ---- */

void dq_page_view_write(dq_page_view which, const char *caption, const char *tsv, size_t bytes,
                        double confidence, dq_html *out)
{
    view v = {.out = out};
    if (out->status) return;
    if (confidence > 0)
        (void)snprintf(v.intervals, sizeof v.intervals, "In brackets: %.9g\xc2\xa0%% intervals.",
                       100 * confidence);
    out->status = dq_page_data_read(&v.data, &v.arena, tsv, bytes, out->error);
    if (!out->status) describe(&v.data);
    switch (which) {
    case DQ_PAGE_PLAIN:
        mark_unlike(&v.data, "measure");
        write(&v, &v.data, caption, false, NULL);
        break;
    case DQ_PAGE_MEASURES: write_by_row(&v, &v.data, caption); break;
    case DQ_PAGE_RANKINGS: write_rankings(&v, caption); break;
    case DQ_PAGE_ROLLOUTS: write_rollouts(&v, caption); break;
    case DQ_PAGE_AGREEMENT: write_agreement(&v, caption); break;
    case DQ_PAGE_CURVES: write_curves(&v, caption); break;
    }
    if (!out->status && v.arena.failed) out->status = dq_fail_memory(out->error, "the tables of a page");
    dq_arena_free(&v.arena);
}
