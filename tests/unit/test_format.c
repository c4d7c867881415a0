/* SPDX-License-Identifier: MIT
 *
 * The example of docs/stream-format.md, made anew and compared byte by byte. As a program it also writes the
 * streams that the second reader and the fault tests work on: `test_format --example FILE`, `--sample FILE`.
 */
#include "dq/source.h"
#include "dq/stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static dq_writer *start(const char *path, const char *program)
{
    const dq_maker maker = {.program = program, .version = "1", .seed = -1};
    dq_error e = DQ_ERROR_NONE;
    dq_writer *w;
    if (dq_writer_open(&w, path, &maker, NULL, 0, &e)) {
        (void)fprintf(stderr, "%s\n", e.reason);
        exit(1);
    }
    return w;
}

static void must(dq_status status, const dq_error *e)
{
    if (!status) return;
    (void)fprintf(stderr, "%s\n", e->reason);
    exit(1);
}

static void put(dq_writer *w, dq_bundle *b)
{
    dq_error e = DQ_ERROR_NONE;
    must(dq_writer_put(w, b, &e), &e);
    dq_bundle_free(b);
}

static void finish(dq_writer *w)
{
    dq_error e = DQ_ERROR_NONE;
    must(dq_writer_close(w, &e), &e);
}

static void init(dq_bundle *b, const char *kind, uint64_t rows)
{
    dq_error e = DQ_ERROR_NONE;
    must(dq_bundle_init(b, kind, rows, &e), &e);
}

/* A text column of the bundle's rows; NULL is a null. */
static void add_texts(dq_bundle *b, const char *name, dq_dtype type, const char *const *texts)
{
    dq_error e = DQ_ERROR_NONE;
    dq_strings s = {0};
    for (uint64_t i = 0; i < b->rows; i++)
        must(dq_strings_add(&s, texts[i], texts[i] ? strlen(texts[i]) : 0, &e), &e);
    char *data = dq_arena_text(&b->arena, s.data, s.bytes);
    uint32_t *offsets = dq_arena_take(&b->arena, (b->rows + 1) * sizeof *offsets);
    uint8_t *nulls = s.nulls ? dq_arena_take(&b->arena, b->rows) : NULL;
    memcpy(offsets, s.offsets, (b->rows + 1) * sizeof *offsets);
    if (nulls) memcpy(nulls, s.nulls, b->rows);
    must(dq_bundle_add_text(b, name, type, offsets, data, nulls, &e), &e);
    dq_strings_free(&s);
}

static void add_tensor(dq_bundle *b, const char *name, dq_dtype type, uint64_t rows, uint64_t width,
                       const void *data)
{
    dq_error e = DQ_ERROR_NONE;
    must(dq_bundle_add_tensor(b, name, type, width ? 2 : 1, (const uint64_t[]){rows, width}, data, &e), &e);
}

static void add_numbers(dq_bundle *b, const char *name, dq_dtype type, const void *data, const char *ref,
                        const uint8_t *nulls)
{
    dq_error e = DQ_ERROR_NONE;
    must(dq_bundle_add_numbers(b, name, type, data, ref, nulls, &e), &e);
}

static void add_field(dq_bundle *b, dq_value *fields, const char *name, int offset, int width)
{
    dq_value field = dq_list();
    if (!dq_list_add(&b->arena, &field, dq_string(&b->arena, name)) ||
        !dq_list_add(&b->arena, &field, dq_int(offset)) || !dq_list_add(&b->arena, &field, dq_int(width)) ||
        !dq_list_add(&b->arena, fields, field))
        exit(1);
}

static void write_example(const char *path)
{
    static const float vectors[2][3] = {{1, 2, 3}, {4, 5, 6}};
    dq_writer *w = start(path, "example");
    dq_bundle b;
    init(&b, "items", 2);
    add_texts(&b, "id", DQ_TEXT, (const char *const[]){"a", "bc"});
    add_tensor(&b, "vector", DQ_F4, 2, 3, vectors);
    put(w, &b);
    finish(w);
}

/* ---- every kind, every type, nulls and references ---- */

static void write_model(dq_writer *w)
{
    static const uint64_t raw[4] = {0x3ff0000000000001, 0x40091eb851eb851f, 0x3ff0000000000002,
                                    0x3ff0000000000003};
    static const dq_dtype types[] = {DQ_F4, DQ_F8, DQ_I1, DQ_I2, DQ_I4, DQ_I8, DQ_U1, DQ_U2, DQ_U4, DQ_U8};
    dq_bundle b;
    init(&b, "model", 0);
    if (!dq_map_set(&b.arena, &b.meta, "architecture", dq_string(&b.arena, "sample")) ||
        !dq_map_set(&b.arena, &b.meta, "gamma", dq_real(0.9)))
        exit(1);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        add_tensor(&b, dq_dtype_name(types[i]), types[i], 2, types[i] == DQ_F4 ? 0 : 2, raw);
    put(w, &b);
}

static void write_sides(dq_writer *w)
{
    static const float vectors[3][4] = {
        {0.1F, -2, 1e-20F, 3}, {1, 0, 0, 1}, {0.333333343F, 7, -0.0F, 16777216}};
    static const uint16_t halves[2][4] = {{0x3c00, 0xc000, 0x0001, 0x7bff}, {0, 0x3555, 0x8000, 0x0400}};
    dq_bundle b;
    dq_value fields = dq_list();
    init(&b, "users", 3);
    add_field(&b, &fields, "hard", 0, 1);
    add_field(&b, &fields, "soft", 1, 3);
    if (!dq_map_set(&b.arena, &b.meta, "fields", fields)) exit(1);
    add_texts(&b, "id", DQ_TEXT, (const char *const[]){"u1", "u2", "\xc3\xbc\xe2\x82\xac"});
    add_texts(&b, "text.bio", DQ_TEXT, (const char *const[]){"a\tb\n\"c\"\\", NULL, ""});
    add_texts(&b, "attr.age", DQ_JSON, (const char *const[]){"41", NULL, "{\"a\":[1,null]}"});
    add_tensor(&b, "vector", DQ_F4, 3, 4, vectors);
    put(w, &b);
    init(&b, "interactions", 2);
    static const float rewards[2] = {0.5F, NAN};
    add_texts(&b, "user", DQ_TEXT, (const char *const[]){"u1", "u2"});
    add_texts(&b, "item", DQ_TEXT, (const char *const[]){"i2", "i1"});
    add_texts(&b, "label", DQ_TEXT, (const char *const[]){"SAVE", NULL});
    add_numbers(&b, "reward", DQ_F4, rewards, NULL, (const uint8_t[]){0, 1});
    put(w, &b);
    for (int block = 0; block < 2; block++) {
        init(&b, "items", 1);
        add_texts(&b, "id", DQ_TEXT, block ? (const char *const[]){"i2"} : (const char *const[]){"i1"});
        add_tensor(&b, "vector", DQ_F2, 1, 4, halves[block]);
        put(w, &b);
    }
}

static void write_transitions(dq_writer *w)
{
    static const uint32_t users[] = {2, 0}, items[] = {0, 1}, candidates[2][2] = {{0, 1}, {1, 0}};
    static const float reward[] = {1, 0.1F};
    dq_bundle b;
    init(&b, "transitions", 2);
    add_numbers(&b, "user", DQ_U4, users, "users", NULL);
    add_numbers(&b, "item", DQ_U4, items, "items", NULL);
    add_numbers(&b, "reward", DQ_F4, reward, NULL, NULL);
    add_numbers(&b, "done", DQ_U1, (const uint8_t[]){0, 1}, NULL, NULL);
    add_tensor(&b, "candidates", DQ_U4, 2, 2, candidates);
    b.columns[b.column_count - 1].ref = "items";
    put(w, &b);
    init(&b, "rankings", 1);
    add_texts(&b, "user", DQ_TEXT, (const char *const[]){"u1"});
    add_texts(&b, "item", DQ_TEXT, (const char *const[]){"i1"});
    add_numbers(&b, "rank", DQ_U4, (const uint32_t[]){1}, NULL, NULL);
    add_numbers(&b, "score", DQ_F8, (const double[]){0.1}, NULL, NULL);
    put(w, &b);
    init(&b, "strange", 1);
    add_texts(&b, "what", DQ_TEXT, (const char *const[]){"ever"});
    put(w, &b);
}

static void write_sample(const char *path)
{
    dq_writer *w = start(path, "sample");
    write_model(w);
    write_sides(w);
    write_transitions(w);
    finish(w);
}

/* ---- the document ---- */

/* As `xxd` prints. */
static void dump(const unsigned char *data, size_t n, FILE *to)
{
    for (size_t at = 0; at < n; at += 16) {
        (void)fprintf(to, "%08zx:", at);
        for (size_t i = at; i < at + 16; i++) {
            if (i % 2 == 0) (void)fputc(' ', to);
            if (i < n)
                (void)fprintf(to, "%02x", data[i]);
            else
                (void)fputs("  ", to);
        }
        (void)fputs("  ", to);
        for (size_t i = at; i < at + 16 && i < n; i++)
            (void)fputc(data[i] >= ' ' && data[i] < 0x7f ? data[i] : '.', to);
        (void)fputc('\n', to);
    }
}

/* The file beside this one's source: tests/unit/test_format.c -> docs/stream-format.md. */
static char *read_document(void)
{
    char path[4096] = __FILE__;
    char *last = strstr(path, "tests/unit/");
    assert_non_null(last);
    (void)snprintf(last, sizeof path - (size_t)(last - path), "docs/stream-format.md");
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    (void)fclose(f);
    return text;
}

static void document_example(void **state)
{
    (void)state;
    static unsigned char data[1 << 14];
    char *text = NULL, *document = read_document();
    size_t n, bytes;
    dq_error e = DQ_ERROR_NONE;
    dq_source *s;
    if (!document) {
        print_message("docs/stream-format.md is not here: run this from the root of the source\n");
        skip();
    }
    FILE *dumped = open_memstream(&text, &bytes);
    assert_non_null(dumped);
    char name[] = "/tmp/dq-format-XXXXXX";
    int file = mkstemp(name);
    assert_true(file >= 0);
    (void)close(file);
    write_example(name);
    assert_int_equal(dq_source_open(&s, name, &e), DQ_OK);
    assert_int_equal(dq_source_read_full(s, data, sizeof data, &n, &e), DQ_OK);
    dq_source_close(s);
    (void)remove(name);
    dump(data, n, dumped);
    (void)fclose(dumped);
    assert_non_null(strstr(document, text));
    free(text);
    free(document);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--example") == 0) return write_example(argv[2]), 0;
    if (argc == 3 && strcmp(argv[1], "--sample") == 0) return write_sample(argv[2]), 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(document_example)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
