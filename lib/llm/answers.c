/* SPDX-License-Identifier: MIT */
#include "llm/answers.h"

#include "core/hex.h"
#include "core/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- hexadecimal ---- */

static bool is_plain(const char *text, size_t n)
{
    return !memchr(text, '\0', n) && dq_utf8_valid(text, n);
}

static const char *to_hex(dq_arena *arena, const void *data, size_t n)
{
    char *hex = dq_arena_take(arena, 2 * n + 1);
    if (hex) dq_hex_write(hex, data, n);
    return hex;
}

/* The bytes of *n digits, and their number in *n; NULL where there is no memory (arena->failed), or a digit
 * is none. */
static const char *from_hex(dq_arena *arena, const char *hex, size_t *n)
{
    char *data = dq_arena_take(arena, *n / 2 + 1);
    bool good = *n % 2 == 0;
    for (size_t i = 0; data && i < *n / 2; i++) {
        int byte = dq_hex_byte(hex + 2 * i);
        good = good && byte >= 0;
        data[i] = (char)byte;
    }
    *n /= 2;
    return good ? data : NULL;
}

/* ---- out of a cache ---- */

enum { REQUEST, ANSWER, LABEL, MODEL, SERVER, TEXTS };
static const char *const text_names[TEXTS] = {"request", "answer", "label", "model", "server"};

/* Columns of a page. */
typedef struct page {
    dq_strings texts[TEXTS];
    uint8_t hex[DQ_CACHE_PAGE];
    uint32_t reader[DQ_CACHE_PAGE];
    int32_t asked[DQ_CACHE_PAGE];
    int64_t time[DQ_CACHE_PAGE], tokens_in[DQ_CACHE_PAGE], tokens_out[DQ_CACHE_PAGE];
    double seconds[DQ_CACHE_PAGE], cost[DQ_CACHE_PAGE];
} page;

static dq_status add_name(page *p, int text, const char *value, dq_error *error)
{
    if (value && !dq_utf8_valid(value, strlen(value)))
        return dq_fail(error, DQ_ERR_FORMAT, "an answer's %s is not UTF-8", text_names[text]);
    return dq_strings_add(&p->texts[text], value, value ? strlen(value) : 0, error);
}

static dq_status add_body(page *p, int text, bool hex, const char *body, size_t n, dq_arena *arena,
                          dq_error *error)
{
    const char *words = hex ? to_hex(arena, body, n) : body;
    if (!words) return dq_fail_memory(error, "answers");
    return dq_strings_add(&p->texts[text], words, hex ? 2 * n : n, error);
}

/* What a cache holds under a key that is not its question's is nobody's answer. */
static dq_status check_key(const dq_cache_entry *e, dq_arena *arena, dq_error *error)
{
    uint8_t digest[DQ_SHA256_BYTES];
    dq_sha256(e->request, e->request_bytes, digest);
    if (memcmp(digest, e->key.digest, sizeof digest) == 0) return DQ_OK;
    const char *hex = to_hex(arena, e->key.digest, sizeof e->key.digest);
    return dq_fail(error, DQ_ERR_FORMAT,
                   "the key %s is not its request's SHA-256: delete that row of answers",
                   hex ? hex : "of an answer");
}

static dq_status add_entry(page *p, size_t i, const dq_cache_entry *e, dq_arena *arena, dq_error *error)
{
    bool hex = !is_plain(e->request, e->request_bytes) || !is_plain(e->answer, e->answer_bytes);
    p->hex[i] = hex;
    p->reader[i] = e->reader;
    p->asked[i] = e->asked;
    p->time[i] = e->time;
    p->tokens_in[i] = e->tokens_in;
    p->tokens_out[i] = e->tokens_out;
    p->seconds[i] = e->seconds;
    p->cost[i] = e->cost;
    dq_status status = check_key(e, arena, error);
    if (!status) status = add_body(p, REQUEST, hex, e->request, e->request_bytes, arena, error);
    if (!status) status = add_body(p, ANSWER, hex, e->answer, e->answer_bytes, arena, error);
    if (!status) status = add_name(p, LABEL, e->label, error);
    if (!status) status = add_name(p, MODEL, e->model, error);
    return status ? status : add_name(p, SERVER, e->server, error);
}

static dq_status add_text(dq_bundle *b, const char *name, const dq_strings *s, dq_error *error)
{
    return dq_bundle_add_text(b, name, DQ_TEXT, s->offsets, s->data, s->nulls, error);
}

static dq_status put_page(page *p, size_t n, dq_answers_put *put, void *arg, dq_error *error)
{
    const struct {
        const char *name;
        dq_dtype type;
        const void *data;
    } numbers[] = {{"hex", DQ_U1, p->hex},
                   {"reader", DQ_U4, p->reader},
                   {"asked", DQ_I4, p->asked},
                   {"time", DQ_I8, p->time},
                   {"tokens_in", DQ_I8, p->tokens_in},
                   {"tokens_out", DQ_I8, p->tokens_out},
                   {"seconds", DQ_F8, p->seconds},
                   {"cost", DQ_F8, p->cost}};
    dq_bundle b;
    dq_status status = dq_bundle_init(&b, DQ_KIND_ANSWERS, n, error);
    if (status) return status;
    for (int t = 0; t < TEXTS && !status; t++) status = add_text(&b, text_names[t], &p->texts[t], error);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !status; i++)
        status = dq_bundle_add_numbers(&b, numbers[i].name, numbers[i].type, numbers[i].data, NULL, NULL,
                                       error);
    if (!status) status = put(arg, &b, error);
    dq_bundle_free(&b);
    return status;
}

static dq_status export_answers(dq_cache *cache, page *p, dq_answers_put *put, void *arg, uint64_t *count,
                                dq_error *error)
{
    dq_cache_entry entries[DQ_CACHE_PAGE];
    dq_cache_key last;
    size_t n = DQ_CACHE_PAGE;
    dq_status status = DQ_OK;
    for (*count = 0; !status && n == DQ_CACHE_PAGE; *count += n) {
        dq_arena arena = DQ_ARENA_EMPTY;
        for (int t = 0; t < TEXTS; t++) dq_strings_clear(&p->texts[t]);
        status = dq_cache_next(cache, *count ? &last : NULL, &arena, entries, &n, error);
        for (size_t i = 0; i < n && !status; i++) status = add_entry(p, i, &entries[i], &arena, error);
        if (n) last = entries[n - 1].key;
        if (!status && (n || !*count)) status = put_page(p, n, put, arg, error);
        dq_arena_free(&arena);
    }
    return status;
}

static dq_status add_fact(void *arg, const char *about, const char *name, const char *value, dq_error *error)
{
    dq_strings *texts = arg; /* (3) */
    const char *const fact[] = {about, name, value};
    dq_status status = DQ_OK;
    for (size_t i = 0; i < 3 && !status; i++)
        status = dq_utf8_valid(fact[i], strlen(fact[i]))
                     ? dq_strings_add(&texts[i], fact[i], strlen(fact[i]), error)
                     : dq_fail(error, DQ_ERR_FORMAT, "a fact of a server that is not UTF-8");
    return status;
}

static dq_status export_facts(dq_cache *cache, dq_answers_put *put, void *arg, dq_error *error)
{
    static const char *const names[] = {"about", "name", "value"};
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_strings texts[3] = {0};
    dq_bundle b = DQ_BUNDLE_EMPTY;
    dq_status status = dq_cache_facts(cache, &arena, add_fact, texts, error);
    if (!status && texts[0].count) {
        status = dq_bundle_init(&b, DQ_KIND_FACTS, texts[0].count, error);
        for (size_t i = 0; i < 3 && !status; i++) status = add_text(&b, names[i], &texts[i], error);
        if (!status) status = put(arg, &b, error);
    }
    dq_bundle_free(&b);
    for (size_t i = 0; i < 3; i++) dq_strings_free(&texts[i]);
    dq_arena_free(&arena);
    return status;
}

dq_status dq_answers_export(dq_cache *cache, dq_answers_put *put, void *arg, uint64_t *count, dq_error *error)
{
    page p = {0};
    dq_status status = export_answers(cache, &p, put, arg, count, error);
    for (int t = 0; t < TEXTS; t++) dq_strings_free(&p.texts[t]);
    return status ? status : export_facts(cache, put, arg, error);
}

/* ---- into a cache ---- */

/* The columns of a bundle that came. */
typedef struct columns {
    const dq_column *texts[TEXTS], *hex, *reader, *asked, *time, *tokens_in, *tokens_out, *seconds, *cost;
} columns;

static dq_status column_of(const dq_bundle *b, const char *name, dq_dtype type, const dq_column **column,
                           dq_error *error)
{
    *column = dq_bundle_column(b, name);
    if (*column && (*column)->type == type && (*column)->dims == 1 && (*column)->shape[0] == b->rows &&
        (!(*column)->nulls || type == DQ_TEXT))
        return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: %s %s of type %s", b->kind,
                   *column ? "a strange column" : "no column", name, dq_dtype_name(type));
}

static dq_status find_columns(const dq_bundle *b, columns *c, dq_error *error)
{
    const struct {
        const char *name;
        dq_dtype type;
        const dq_column **column;
    } numbers[] = {{"hex", DQ_U1, &c->hex},
                   {"reader", DQ_U4, &c->reader},
                   {"asked", DQ_I4, &c->asked},
                   {"time", DQ_I8, &c->time},
                   {"tokens_in", DQ_I8, &c->tokens_in},
                   {"tokens_out", DQ_I8, &c->tokens_out},
                   {"seconds", DQ_F8, &c->seconds},
                   {"cost", DQ_F8, &c->cost}};
    dq_status status = DQ_OK;
    for (int t = 0; t < TEXTS && !status; t++)
        status = column_of(b, text_names[t], DQ_TEXT, &c->texts[t], error);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !status; i++)
        status = column_of(b, numbers[i].name, numbers[i].type, numbers[i].column, error);
    return status;
}

static int64_t integer(const dq_column *column, uint64_t row)
{
    return ((const int64_t *)column->data)[row];
}

/* A text, NUL-terminated; NULL for a null. *good is false for one with a NUL within, of which half would be
 * kept. */
static const char *name_of(const dq_column *column, uint64_t row, dq_arena *arena, bool *good)
{
    size_t n = 0;
    const char *text = dq_column_text(column, row, &n);
    if (text && memchr(text, '\0', n)) *good = false;
    return text ? dq_arena_text(arena, text, n) : NULL;
}

static const char *body_of(const columns *c, int text, uint64_t row, size_t *n, dq_arena *arena)
{
    const char *body = dq_column_text(c->texts[text], row, n);
    return body && ((const uint8_t *)c->hex->data)[row] ? from_hex(arena, body, n) : body;
}

static dq_status read_row(const columns *c, uint64_t row, dq_arena *arena, dq_cache_entry *e, dq_error *error)
{
    *e = (dq_cache_entry){.reader = ((const uint32_t *)c->reader->data)[row],
                          .asked = ((const int32_t *)c->asked->data)[row],
                          .time = integer(c->time, row),
                          .tokens_in = integer(c->tokens_in, row),
                          .tokens_out = integer(c->tokens_out, row),
                          .seconds = dq_column_number(c->seconds, row),
                          .cost = dq_column_number(c->cost, row)};
    e->request = body_of(c, REQUEST, row, &e->request_bytes, arena);
    e->answer = body_of(c, ANSWER, row, &e->answer_bytes, arena);
    bool good = true;
    e->label = name_of(c->texts[LABEL], row, arena, &good);
    e->model = name_of(c->texts[MODEL], row, arena, &good);
    e->server = name_of(c->texts[SERVER], row, arena, &good);
    if (arena->failed) return dq_fail_memory(error, "answers");
    if (!good || !e->request || !e->answer || !e->model || !e->server || e->asked < 1)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "answers: row %llu is no answer: a value is missing or impossible",
                       (unsigned long long)row + 1);
    dq_sha256(e->request, e->request_bytes, e->key.digest);
    return DQ_OK;
}

static dq_status import_answers(dq_cache *cache, const dq_bundle *b, dq_answers_tally *tally, dq_error *error)
{
    columns c;
    dq_cache_entry entries[DQ_CACHE_PAGE];
    dq_status status = find_columns(b, &c, error);
    for (uint64_t at = 0; at < b->rows && !status;) {
        dq_arena arena = DQ_ARENA_EMPTY;
        size_t n = 0;
        for (; n < DQ_CACHE_PAGE && at < b->rows && !status; n++, at++)
            status = read_row(&c, at, &arena, &entries[n], error);
        if (!status) status = dq_cache_merge(cache, entries, n, &tally->taken, error);
        if (!status) tally->answers += n;
        dq_arena_free(&arena);
    }
    return status;
}

static dq_status import_facts(dq_cache *cache, const dq_bundle *b, dq_error *error)
{
    static const char *const names[] = {"about", "name", "value"};
    const dq_column *c[3];
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_status status = DQ_OK;
    for (size_t i = 0; i < 3 && !status; i++) status = column_of(b, names[i], DQ_TEXT, &c[i], error);
    for (uint64_t row = 0; row < b->rows && !status; row++) {
        const char *fact[3];
        bool good = true;
        for (size_t i = 0; i < 3; i++) fact[i] = name_of(c[i], row, &arena, &good);
        if (arena.failed)
            status = dq_fail_memory(error, "facts");
        else if (!good || !fact[0] || !fact[1] || !fact[2])
            status = dq_fail(error, DQ_ERR_SCHEMA,
                             "facts: row %llu is no fact: a value is missing or impossible",
                             (unsigned long long)row + 1);
        else
            status = dq_cache_learn(cache, fact[0], fact[1], fact[2], error);
    }
    dq_arena_free(&arena);
    return status;
}

dq_status dq_answers_import(dq_cache *cache, const dq_bundle *bundle, dq_answers_tally *tally,
                            dq_error *error)
{
    if (strcmp(bundle->kind, DQ_KIND_ANSWERS) == 0) return import_answers(cache, bundle, tally, error);
    if (strcmp(bundle->kind, DQ_KIND_FACTS) == 0) return import_facts(cache, bundle, error);
    return DQ_OK;
}
