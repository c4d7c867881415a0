/* SPDX-License-Identifier: MIT
 *
 * Texts to vectors, block by block, over an encoder of the test's own; and the factors of a small catalogue.
 */
#include "embed/als_catalogue.h"
#include "embed/block.h"

#include "small_catalogue.h"

#include <stdio.h>

/* ---- the layout ---- */

static dq_bundle users_with(const char *const *texts, size_t count, uint64_t rows)
{
    static const char *const words[TABLE_ROWS] = {"a", "bb", NULL, "dddd"};
    dq_bundle b = table(DQ_KIND_USERS, rows);
    for (size_t i = 0; i < count; i++) add_texts(&b, texts[i], DQ_TEXT, words);
    return b;
}

static dq_status add(dq_embed_layout *layout, const dq_embed_config *config, dq_bundle block, dq_arena *arena)
{
    dq_error e = DQ_ERROR_NONE;
    dq_status status = dq_embed_layout_add(layout, config, &block, arena, &e);
    dq_bundle_free(&block);
    return status;
}

static void assert_field(const dq_embed_layout *layout, size_t i, const char *name, uint32_t offset,
                         uint32_t width)
{
    assert_true(i < layout->field_count);
    assert_string_equal(layout->fields[i].name, name);
    assert_int_equal(layout->fields[i].offset, offset);
    assert_int_equal(layout->fields[i].width, width);
}

static void fields_follow_the_first_block(void **state)
{
    (void)state;
    const char *const wanted[] = {"title", "users:bio", "items:skills", "users:late"};
    const dq_embed_config config = {.wanted = wanted, .wanted_count = 4, .prefix = "w_", .width = 5};
    dq_embed_layout layout = {.kind = DQ_KIND_USERS};
    dq_arena arena = DQ_ARENA_EMPTY;
    const float old[] = {1, 2, 3, 4, 5, 6};
    dq_bundle first = users_with(TEXTS("text.bio", "attr.title", "text.skills", "text.title"), 4, 2);
    add_vectors(&first, DQ_F4, 3, old);
    assert_int_equal(add(&layout, &config, first, &arena), DQ_OK);
    assert_int_equal(layout.old_width, 3);
    assert_int_equal(layout.width, 3 + 3 * 5);
    assert_int_equal(layout.field_count, 4);
    assert_field(&layout, 0, "vector", 0, 3);
    assert_field(&layout, 1, "w_bio", 3, 5);
    assert_field(&layout, 2, "w_title", 8, 5);
    assert_field(&layout, 3, "w_late", 13, 5); /* wanted of users alone: has its place before it comes */
    assert_true(dq_embed_layout_has(&layout, "title") && dq_embed_layout_has(&layout, "users:late"));
    assert_false(dq_embed_layout_has(&layout, "skills") || dq_embed_layout_has(&layout, "items:title"));
    dq_arena_free(&arena);
}

static void later_blocks_must_fit(void **state)
{
    (void)state;
    const dq_embed_config config = {.prefix = "", .width = 2};
    dq_embed_layout layout = {.kind = DQ_KIND_USERS};
    dq_arena arena = DQ_ARENA_EMPTY;
    const float old[] = {1, 2, 3, 4};
    assert_int_equal(add(&layout, &config, users_with(TEXTS("text.bio", "text.title"), 2, 2), &arena), DQ_OK);
    assert_int_equal(layout.width, 4);
    assert_int_equal(add(&layout, &config, users_with(TEXTS("text.title"), 1, 2), &arena), DQ_OK);
    assert_int_equal(add(&layout, &config, users_with(TEXTS("text.new"), 1, 2), &arena), DQ_ERR_SCHEMA);
    dq_bundle wider = users_with(TEXTS("text.bio"), 1, 2);
    add_vectors(&wider, DQ_F4, 2, old);
    assert_int_equal(add(&layout, &config, wider, &arena), DQ_ERR_SCHEMA);
    assert_int_equal(layout.field_count, 2);
    dq_arena_free(&arena);
}

static void a_name_stands_once(void **state)
{
    (void)state;
    dq_embed_config config = {.prefix = "", .width = 2, .join = true};
    dq_arena arena = DQ_ARENA_EMPTY;
    for (int joined = 0; joined < 2; joined++) {
        dq_embed_layout layout = {.kind = DQ_KIND_USERS};
        const dq_field there = {.name = joined ? "text" : "bio", .width = 1};
        const float old[] = {1, 2};
        dq_bundle b = users_with(TEXTS("text.bio", "text.title"), 2, 2);
        add_vectors(&b, DQ_F4, 1, old);
        assert_int_equal(dq_fields_write(&there, 1, &b.arena, &b.meta, NULL), DQ_OK);
        config.join = joined;
        assert_int_equal(add(&layout, &config, b, &arena), DQ_ERR_DUPLICATE);
    }
    dq_arena_free(&arena);
}

static void not_too_many_texts(void **state)
{
    (void)state;
    const dq_embed_config config = {.prefix = "", .width = 2};
    dq_arena arena = DQ_ARENA_EMPTY;
    for (int more = 0; more < 2; more++) {
        dq_embed_layout layout = {.kind = DQ_KIND_USERS};
        dq_bundle b = table(DQ_KIND_USERS, 1);
        for (int i = 0; i < DQ_EMBED_TEXTS_MAX + more; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "text.%d", i);
            add_texts(&b, name, DQ_TEXT, TEXTS("x"));
        }
        assert_int_equal(add(&layout, &config, b, &arena), more ? DQ_ERR_RANGE : DQ_OK);
    }
    dq_arena_free(&arena);
}

/* ---- blocks ---- */

/* A text's vector: its length, and its first byte, at once or when finished. */
enum { PENDING = 256 };
typedef struct encoder {
    bool late, finished;
    size_t fail_at, count; /* fails at text number fail_at, from 1 */
    uint64_t row;          /* of the last text */
    float *to[PENDING], made[PENDING][2];
} encoder;

static dq_status encode(void *self, unsigned thread, dq_text_place place, const char *text, size_t bytes,
                        float *to, dq_error *error)
{
    encoder *e = self;
    float made[2] = {(float)bytes, bytes ? (float)text[0] : 0};
    assert_true(to[0] == 0 && to[1] == 0);
    assert_true(place.text <= DQ_EMBED_TEXTS_MAX);
    if (!e->late) {
        memcpy(to, made, sizeof made);
        return DQ_OK;
    }
    assert_int_equal(thread, 0);
    assert_true(place.row == e->row || place.row == e->row + 1);
    e->row = place.row;
    if (++e->count == e->fail_at) return dq_fail(error, DQ_ERR_NUMERIC, "text %zu", e->count);
    assert_true(e->count <= PENDING);
    e->to[e->count - 1] = to;
    memcpy(e->made[e->count - 1], made, sizeof made);
    return DQ_OK;
}

static dq_status finish(void *self, dq_error *error)
{
    encoder *e = self;
    (void)error;
    e->finished = true;
    for (size_t i = 0; i < e->count; i++) memcpy(e->to[i], e->made[i], sizeof e->made[i]);
    return DQ_OK;
}

static dq_text_encoder at_once(encoder *e, unsigned threads)
{
    return (dq_text_encoder){.encode = encode, .self = e, .threads = threads};
}

static dq_text_encoder in_the_end(encoder *e)
{
    return (dq_text_encoder){.encode = encode, .finish = finish, .self = e, .threads = 1};
}

static void old_vectors_then_those_of_texts(void **state)
{
    (void)state;
    const dq_embed_config config = {.prefix = "", .width = 2};
    const uint16_t halves[] = {0x3c00, 0x4000, 0xc000, 0}; /* 1, 2, -2, 0 */
    const float want[4][5] = {
        {1, 1, 'a', 1, 'a'}, {2, 2, 'b', 2, 'b'}, {-2, 0, 0, 0, 0}, {0, 4, 'd', 4, 'd'}};
    for (int late = 0; late < 2; late++) {
        dq_embed_layout layout = {.kind = DQ_KIND_USERS};
        dq_arena arena = DQ_ARENA_EMPTY;
        encoder e = {.late = late};
        const dq_text_encoder by = late ? in_the_end(&e) : at_once(&e, 3);
        dq_bundle b = users_with(TEXTS("text.bio", "text.title"), 2, 4), out;
        add_vectors(&b, DQ_F2, 1, halves);
        float *vectors;
        assert_int_equal(dq_embed_layout_add(&layout, &config, &b, &arena, NULL), DQ_OK);
        assert_int_equal(dq_embed_replace_vectors(&b, layout.fields, layout.field_count, layout.width, &out,
                                                  &vectors, NULL),
                         DQ_OK);
        assert_int_equal(dq_embed_block(&layout, &config, &b, &by, vectors, NULL), DQ_OK);
        assert_int_equal(e.finished, late);
        const dq_column *c = dq_bundle_column(&out, "vector");
        assert_non_null(c);
        assert_true(c->type == DQ_F4 && dq_column_width(c) == 5 && c->data == vectors);
        assert_memory_equal(vectors, want, sizeof want);
        assert_true(out.column_count == b.column_count && dq_map_get(&out.meta, "fields")->count == 3);
        assert_null(dq_map_get(&b.meta, "fields")); /* the block itself is as it was */
        dq_bundle_free(&out);
        dq_bundle_free(&b);
        dq_arena_free(&arena);
    }
}

static void joined_texts_are_lines(void **state)
{
    (void)state;
    const dq_embed_config config = {.prefix = "", .width = 2, .join = true};
    dq_embed_layout layout = {.kind = DQ_KIND_USERS};
    dq_arena arena = DQ_ARENA_EMPTY;
    encoder e = {0};
    const dq_text_encoder by = at_once(&e, 1);
    dq_bundle b = users_with(TEXTS("text.bio", "text.title"), 2, 4);
    float vectors[4][2] = {0};
    const float want[4][2] = {{4, 'a'}, {6, 'b'}, {0, 0}, {10, 'd'}}; /* "a\na\n", ... */
    assert_int_equal(dq_embed_layout_add(&layout, &config, &b, &arena, NULL), DQ_OK);
    assert_int_equal(layout.width, 2);
    assert_field(&layout, 0, "text", 0, 2);
    assert_int_equal(dq_embed_block(&layout, &config, &b, &by, vectors[0], NULL), DQ_OK);
    assert_memory_equal(vectors, want, sizeof want);
    dq_bundle_free(&b);
    dq_arena_free(&arena);
}

static void an_encoder_s_failure_is_the_block_s(void **state)
{
    (void)state;
    const dq_embed_config config = {.prefix = "", .width = 2};
    dq_embed_layout layout = {.kind = DQ_KIND_USERS};
    dq_arena arena = DQ_ARENA_EMPTY;
    encoder e = {.late = true, .fail_at = 3};
    const dq_text_encoder by = in_the_end(&e);
    dq_error error = DQ_ERROR_NONE;
    dq_bundle b = users_with(TEXTS("text.bio"), 1, 4);
    float vectors[4][2] = {0};
    assert_int_equal(dq_embed_layout_add(&layout, &config, &b, &arena, NULL), DQ_OK);
    assert_int_equal(dq_embed_block(&layout, &config, &b, &by, vectors[0], &error), DQ_ERR_NUMERIC);
    assert_string_equal(error.reason, "text 3");
    assert_int_equal(e.count, 3); /* no further text */
    assert_false(e.finished);
    dq_bundle_free(&b);
    dq_arena_free(&arena);
}

/* ---- factors of a catalogue ---- */

enum { USERS = 3, ITEMS = 4, WIDTH = 2 };
static const small_interaction interactions[] = {{"u0", "i0", "APPLY", NAN},
                                                 {"u0", "i1", "SAVE", 2},
                                                 {"u1", "i1", NULL, NAN},
                                                 {"u1", "i2", "APPLY", 0},
                                                 {"u1", "i0", "SAVE", NAN}};
enum { MET = sizeof interactions / sizeof *interactions };

static void fill(dq_catalogue *c)
{
    const small_entities users = {.kind = DQ_KIND_USERS}, items = {.kind = DQ_KIND_ITEMS, .width = 1};
    const small_row some[] = {{.id = "u0"}, {.id = "u1"}, {.id = "u2"}};
    const small_row first[] = {{.id = "i0", .vector = {5}}},
                    more[] = {{"i1", {6}, {0}}, {"i2", {7}, {0}}, {"i3", {8}, {0}}};
    small_add(c, &users, some, USERS);
    small_add_interactions(c, interactions, MET);
    small_add(c, &items, first, 1);
    small_add(c, &items, more, ITEMS - 1);
    small_finish(c);
}

static const dq_als_config als = {.width = WIDTH, .alpha = 10, .lambda = 0.1, .sweeps = 5, .seed = 1};

/* What als.h makes of the entries with these weights. */
static void assert_factors(const dq_catalogue *c, const dq_label_map *map, const float weights[MET])
{
    static const uint32_t user[MET] = {0, 0, 1, 1, 1}, item[MET] = {0, 1, 1, 2, 0};
    dq_als_entry entries[MET];
    dq_als_factors factors = {0};
    float users[USERS * WIDTH], items[ITEMS * WIDTH];
    for (size_t i = 0; i < MET; i++) entries[i] = (dq_als_entry){user[i], item[i], weights[i]};
    assert_int_equal(dq_als_fit(&als, entries, MET, users, USERS, items, ITEMS, 1, NULL), DQ_OK);
    assert_int_equal(dq_als_fit_catalogue(&factors, c, map, &als, 2, NULL), DQ_OK);
    assert_int_equal(factors.width, WIDTH);
    assert_memory_equal(factors.users, users, sizeof users);
    assert_memory_equal(factors.items, items, sizeof items);
    dq_als_factors_free(&factors);
}

static void weights_of_interactions(void **state)
{
    (void)state;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_label_map map = {0};
    fill(&c);
    assert_int_equal(dq_label_map_parse(&map, "APPLY=3", NULL), DQ_OK);
    assert_factors(&c, NULL, (const float[MET]){1, 2, 1, 0, 1}); /* its reward, or 1 */
    assert_factors(&c, &map, (const float[MET]){3, 0, 0, 3, 0}); /* its label's alone */
    dq_label_map_free(&map);
    dq_catalogue_free(&c);
}

static void a_catalogue_without_interactions(void **state)
{
    (void)state;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_als_factors factors = {0};
    small_finish(&c);
    assert_int_equal(dq_als_fit_catalogue(&factors, &c, NULL, &als, 1, NULL), DQ_ERR_UNKNOWN);
    dq_als_factors_free(&factors);
    dq_catalogue_free(&c);
}

static void factors_are_a_further_field(void **state)
{
    (void)state;
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    const float added[ITEMS * WIDTH] = {10, 11, 20, 21, 30, 31, 40, 41};
    const float want[] = {6, 20, 21, 7, 30, 31, 8, 40, 41};
    const dq_als_origin made = {.alpha = 3, .lambda = 0.1, .map = "A=1"}, first = {.alpha = 1, .lambda = 1};
    dq_als_origin told;
    dq_bundle out;
    fill(&c);
    assert_int_equal(dq_als_origin_write(&first, "old", &c.arena, &c.items.bundles[1].meta, NULL), DQ_OK);
    assert_int_equal(c.items.bundle_count, 2);
    assert_int_equal(dq_als_append(&c.items, 1, "cf", added, WIDTH, &made, &out, NULL), DQ_OK);
    const dq_column *vector = dq_bundle_column(&out, "vector");
    assert_non_null(vector);
    assert_true(out.rows == 3 && dq_column_width(vector) == 3);
    assert_memory_equal(vector->data, want, sizeof want);
    assert_int_equal(dq_als_origin_read(&out.meta, "cf", &out.arena, &told, NULL), DQ_OK);
    assert_true(told.alpha == made.alpha && told.lambda == made.lambda);
    assert_string_equal(told.map, made.map);
    assert_int_equal(dq_als_origin_read(&out.meta, "old", &out.arena, &told, NULL), DQ_OK);
    assert_true(told.alpha == 1 && told.lambda == 1 && !told.map);
    assert_int_equal(dq_als_origin_read(&c.items.bundles[1].meta, "cf", &c.arena, &told, NULL),
                     DQ_ERR_SCHEMA);
    dq_bundle_free(&out);
    assert_int_equal(dq_als_append(&c.items, 0, "vector", added, WIDTH, &made, &out, NULL), DQ_ERR_DUPLICATE);
    assert_int_equal(out.column_count, 0);
    assert_int_equal(dq_als_append(&c.users, 0, "cf", added, WIDTH, &made, &out, NULL), DQ_OK);
    vector = dq_bundle_column(&out, "vector");
    assert_true(dq_column_width(vector) == WIDTH); /* there were none before */
    assert_memory_equal(vector->data, added, USERS * WIDTH * sizeof *added);
    dq_bundle_free(&out);
    dq_catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_follow_the_first_block),
        cmocka_unit_test(later_blocks_must_fit),
        cmocka_unit_test(a_name_stands_once),
        cmocka_unit_test(not_too_many_texts),
        cmocka_unit_test(old_vectors_then_those_of_texts),
        cmocka_unit_test(joined_texts_are_lines),
        cmocka_unit_test(an_encoder_s_failure_is_the_block_s),
        cmocka_unit_test(weights_of_interactions),
        cmocka_unit_test(a_catalogue_without_interactions),
        cmocka_unit_test(factors_are_a_further_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
