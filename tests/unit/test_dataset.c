/* SPDX-License-Identifier: MIT */
#include "data/dataset.h"

#include "tables.h"

#include <math.h>

static dq_status add(dq_dataset *dataset, dq_bundle b, uint64_t section, dq_error *e)
{
    dq_status status = dq_dataset_add(dataset, &b, section, e);
    dq_bundle_free(&b);
    return status;
}

static dq_bundle entities(const char *kind, uint64_t count, const char *const *ids)
{
    static const float vectors[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    dq_bundle b = table(kind, count);
    add_texts(&b, "id", DQ_TEXT, ids);
    add_vectors(&b, DQ_F4, 2, vectors);
    return b;
}

/* ---- transitions ---- */

static dq_bundle transitions(uint64_t rows, const uint32_t *user, const uint32_t *item, const float *reward)
{
    dq_bundle b = table("transitions", rows);
    add_numbers(&b, "user", DQ_U4, user, "users", NULL);
    add_numbers(&b, "item", DQ_U4, item, "items", NULL);
    if (reward) add_numbers(&b, "reward", DQ_F4, reward, NULL, NULL);
    return b;
}

static void transitions_count_the_catalogues_rows(void **state)
{
    (void)state;
    static const uint32_t zero[2] = {0, 0}, up[2] = {0, 1}, next[2] = {1, 0};
    static const float reward[2] = {0.5F, -1}, part[2] = {0.25F, 0};
    static const uint8_t none[2] = {0, 1}, done[2] = {0, 1};
    dq_dataset c = DQ_DATASET_EMPTY;
    assert_int_equal(add(&c, entities("users", 2, TEXTS("a", "b")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "y")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, transitions(2, zero, up, reward), 0, NULL), DQ_OK);
    dq_bundle b = table("users", 1); /* b alone, equal to row 1 */
    add_texts(&b, "id", DQ_TEXT, TEXTS("b"));
    add_vectors(&b, DQ_F4, 2, (const float[]){3, 4});
    assert_int_equal(add(&c, b, 1, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 2, TEXTS("x", "y")), 1, NULL), DQ_OK);
    b = transitions(2, zero, next, NULL);
    add_numbers(&b, "cosine", DQ_F4, part, NULL, none);
    add_numbers(&b, "llm", DQ_F4, part, NULL, NULL);
    add_numbers(&b, "done", DQ_U1, done, NULL, NULL);
    add_texts(&b, "label", DQ_TEXT, TEXTS("SAVE", NULL));
    assert_int_equal(add(&c, b, 1, NULL), DQ_OK);
    assert_int_equal(c.count, 4);
    assert_true(c.label[1] == DQ_ABSENT && c.label[3] == DQ_ABSENT);
    assert_int_equal(c.label[2], dq_index_find(&c.catalogue.labels, "SAVE", 4));
    const dq_transition *t = c.transitions;
    assert_true(t[0].state == 0 && t[0].action == 0 && t[0].reward == 0.5F && t[0].next == 0 && !t[0].done);
    assert_true(t[1].action == 1 && t[1].reward == -1 && isnan(c.cosine[1]) && isnan(c.llm[1]));
    assert_true(t[2].state == 1 && t[2].action == 1 && isnan(t[2].reward) && c.cosine[2] == 0.25F &&
                !t[2].done);
    assert_true(t[3].next == 1 && isnan(c.cosine[3]) && c.llm[3] == 0 && t[3].done);
    dq_dataset_free(&c);
}

static void a_next_state_may_be_another_user(void **state)
{
    (void)state;
    static const uint32_t user[2] = {0, 1}, item[2] = {0, 0}, next[2] = {1, 2};
    dq_dataset c = DQ_DATASET_EMPTY;
    assert_int_equal(add(&c, entities("users", 2, TEXTS("a", "b")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 1, TEXTS("x")), 0, NULL), DQ_OK);
    dq_bundle b = transitions(1, user, item, NULL);
    add_numbers(&b, "next_user", DQ_U4, next, "users", NULL);
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    assert_int_equal(c.transitions[0].next, 1);
    b = transitions(2, user, item, NULL);
    add_numbers(&b, "next_user", DQ_U4, next, "users", NULL);
    assert_int_equal(add(&c, b, 0, NULL), DQ_ERR_RANGE); /* there is no row 2 */
    dq_dataset_free(&c);
}

static void dense_states_are_refused(void **state)
{
    (void)state;
    static const float dense[2] = {1, 2};
    static const uint32_t zero[1] = {0};
    const uint64_t shape[2] = {1, 2};
    dq_dataset c = DQ_DATASET_EMPTY;
    assert_int_equal(add(&c, entities("users", 1, TEXTS("a")), 0, NULL), DQ_OK);
    assert_int_equal(add(&c, entities("items", 1, TEXTS("x")), 0, NULL), DQ_OK);
    dq_bundle b = table("transitions", 1);
    assert_int_equal(dq_bundle_add_tensor(&b, "state", DQ_F4, 2, shape, dense, NULL), DQ_OK);
    add_numbers(&b, "choice", DQ_U4, zero, NULL, NULL);
    assert_int_equal(add(&c, b, 0, NULL), DQ_ERR_UNSUPPORTED);
    b = transitions(1, zero, zero, NULL); /* a user, and behind it a dense state */
    assert_int_equal(dq_bundle_add_tensor(&b, "next_state", DQ_F4, 2, shape, dense, NULL), DQ_OK);
    assert_int_equal(add(&c, b, 0, NULL), DQ_ERR_UNSUPPORTED);
    assert_int_equal(c.count, 0);
    assert_int_equal(add(&c, table("rankings", 0), 0, NULL), DQ_OK); /* not for learning: passed over */
    dq_dataset_free(&c);
}

/* ---- models ---- */

static dq_bundle model(const char *user, const char *name)
{
    dq_bundle b = table("model", 0);
    b.meta = dq_map();
    if (user) assert_true(dq_map_set(&b.arena, &b.meta, "user", dq_string(&b.arena, user)));
    assert_true(dq_map_set(&b.arena, &b.meta, "name", dq_string(&b.arena, name)));
    return b;
}

/* The name of a user's model; "" when there is none. */
static const char *model_of(const dq_models *models, const char *user)
{
    static char name[16];
    const dq_bundle *b = dq_models_of(models, user, user ? strlen(user) : 0);
    const dq_value *value = b ? dq_map_get(&b->meta, "name") : NULL;
    size_t n = value ? value->count : 0;
    if (n) memcpy(name, value->as.string, n);
    name[n] = '\0';
    return name;
}

/* The names of those that are taken of a stream: which, of whom, and in which section. */
static void of_the_best_and_the_last_the_best_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *kept, *user;
        uint64_t section;
        bool passed;
    } stream[] = {
        {"best", NULL, 0, false}, {"last", NULL, 0, true},  {"last", NULL, 0, false}, /* of another run */
        {"best", "a", 0, false},  {"last", "a", 0, true},   {"best", "b", 0, false},
        {"last", "a", 0, false},  {"best", NULL, 0, false}, {"last", NULL, 1, false}, /* another section */
        {"last", NULL, 1, false}, {NULL, NULL, 1, false},   {"last", NULL, 1, false},
    };
    dq_dataset c = DQ_DATASET_EMPTY;
    size_t taken = 0, passed = 0;
    for (size_t i = 0; i < sizeof stream / sizeof *stream; i++) {
        dq_bundle b = model(stream[i].user, "m");
        if (stream[i].kept)
            assert_true(dq_map_set(&b.arena, &b.meta, "kept", dq_string(&b.arena, stream[i].kept)));
        assert_int_equal(add(&c, b, stream[i].section, NULL), DQ_OK);
        taken += !stream[i].passed;
        passed += stream[i].passed;
        assert_int_equal(c.models.count, taken);
        assert_int_equal(c.models.kept.passed, passed);
    }
    dq_dataset_free(&c);
}

static void each_user_has_a_model(void **state)
{
    (void)state;
    dq_dataset c = DQ_DATASET_EMPTY;
    assert_string_equal(model_of(&c.models, "a"), "");
    assert_int_equal(add(&c, model("a", "of a"), 0, NULL), DQ_OK);
    assert_string_equal(model_of(&c.models, "a"), "of a");
    assert_string_equal(model_of(&c.models, "b"), "of a"); /* the only one serves all */
    assert_string_equal(model_of(&c.models, NULL), "of a");
    assert_int_equal(add(&c, model("b", "of b"), 0, NULL), DQ_OK);
    assert_string_equal(model_of(&c.models, "b"), "of b");
    assert_string_equal(model_of(&c.models, "c"), "");
    assert_string_equal(model_of(&c.models, NULL), "");
    assert_int_equal(add(&c, model(NULL, "of all"), 1, NULL), DQ_OK);
    assert_string_equal(model_of(&c.models, "a"), "of a");
    assert_string_equal(model_of(&c.models, "ab"), "of all");
    assert_string_equal(model_of(&c.models, NULL), "of all");
    assert_int_equal(c.models.count, 3);
    dq_dataset_free(&c);
    for (int i = 0; i < 40; i++) assert_int_equal(add(&c, model(NULL, "many"), 0, NULL), DQ_OK);
    assert_int_equal(c.models.count, 40);
    dq_dataset_free(&c);
}

/* ---- the digest ---- */

typedef struct world {
    const char *user, *item, *label;
    float vector, reward, given;
    uint32_t of;
    uint8_t done;
} world;

static uint64_t digest_of(const world *w)
{
    const float vectors[4] = {w->vector, 2, 3, 4};
    const uint32_t item[1] = {0};
    dq_dataset c = DQ_DATASET_EMPTY;
    dq_bundle b = table("users", 2);
    add_texts(&b, "id", DQ_TEXT, TEXTS("a", w->user));
    add_vectors(&b, DQ_F4, 2, vectors);
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    b = table("interactions", 1);
    add_texts(&b, "user", DQ_TEXT, TEXTS("a"));
    add_texts(&b, "item", DQ_TEXT, TEXTS(w->item));
    add_texts(&b, "label", DQ_TEXT, TEXTS(w->label));
    add_numbers(&b, "reward", DQ_F4, &w->given, NULL, NULL);
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    b = table("items", 1);
    add_texts(&b, "id", DQ_TEXT, TEXTS(w->item));
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    b = transitions(1, &w->of, item, &w->reward);
    add_numbers(&b, "done", DQ_U1, &w->done, NULL, NULL);
    assert_int_equal(add(&c, b, 0, NULL), DQ_OK);
    assert_int_equal(dq_catalogue_finish(&c.catalogue, false, NULL), DQ_OK);
    uint64_t digest = dq_dataset_digest(&c);
    dq_dataset_free(&c);
    return digest;
}

static void whatever_was_learnt_from_changes_the_digest(void **state)
{
    (void)state;
    const world base = {"b", "x", "APPLY", 1, 0.5F, 0.25F, 0, 0};
    world other[8];
    for (int i = 0; i < 8; i++) other[i] = base;
    other[0].user = "c";
    other[1].item = "y";
    other[2].label = "SAVE";
    other[3].vector = 1.5F;
    other[4].reward = 0.75F;
    other[5].given = 0;
    other[6].of = 1;
    other[7].done = 1;
    assert_int_equal(digest_of(&base), digest_of(&base));
    for (int i = 0; i < 8; i++)
        if (digest_of(&other[i]) == digest_of(&base)) fail_msg("change %d is not seen", i);
}

static void vectors_for_the_networks(void **state)
{
    (void)state;
    dq_dataset c = DQ_DATASET_EMPTY;
    assert_int_equal(add(&c, entities("users", 3, TEXTS("a", "b", "c")), 0, NULL), DQ_OK);
    dq_vectors v = dq_entities_vectors(&c.catalogue.users);
    assert_true(v.count == 3 && v.width == 2 && v.at[2][1] == 6);
    dq_dataset_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_count_the_catalogues_rows),
        cmocka_unit_test(a_next_state_may_be_another_user),
        cmocka_unit_test(dense_states_are_refused),
        cmocka_unit_test(of_the_best_and_the_last_the_best_is_taken),
        cmocka_unit_test(each_user_has_a_model),
        cmocka_unit_test(whatever_was_learnt_from_changes_the_digest),
        cmocka_unit_test(vectors_for_the_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
