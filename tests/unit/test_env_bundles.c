/* SPDX-License-Identifier: MIT */
#include "env/bundles.h"

#include "dq/schema.h"
#include "tables.h"

#include <stdio.h>

typedef struct kept {
    char kinds[80];
    uint64_t rows[3]; /* by order: users, interactions, items */
    char first[3][40];
    bool pairs;
} kept;

static void keep_text(const dq_bundle *b, const char *name, char to[40])
{
    size_t n = 0;
    const dq_column *c = dq_bundle_column(b, name);
    const char *text = c ? dq_column_text(c, 0, &n) : "";
    (void)snprintf(to, 40, "%.*s", (int)n, text);
}

static dq_status keep(void *arg, const dq_bundle *b, dq_error *error)
{
    kept *k = arg;
    bool users = strcmp(b->kind, DQ_KIND_USERS) == 0, items = strcmp(b->kind, DQ_KIND_ITEMS) == 0;
    int at = users ? 0 : items ? 2 : 1;
    assert_true(b->rows > 0 && b->rows <= 8192);
    assert_int_equal(dq_schema_check(b, error), DQ_OK);
    if (!k->rows[at]) {
        if (*k->kinds) strcat(k->kinds, " ");
        strcat(k->kinds, b->kind);
        keep_text(b, users || items ? "id" : "user", k->first[at]);
    }
    k->rows[at] += b->rows;
    k->pairs |= items && dq_map_get(&b->meta, "pairs");
    return DQ_OK;
}

static void synthetic_ones_are_a_section(void **state)
{
    (void)state;
    const dq_synthetic_config config = {.users = 10, .items = 9000, .interactions = 50, .seed = 1};
    dq_synthetic *p;
    kept k = {0};
    const dq_bundle_taker taker = {keep, &k};
    assert_int_equal(dq_synthetic_new(&p, &config, NULL), DQ_OK);
    assert_int_equal(dq_synthetic_bundles(p, &taker, NULL), DQ_OK);
    assert_string_equal(k.kinds, "users interactions items");
    assert_true(k.rows[0] == 10 && k.rows[1] == p->event_count && k.rows[2] == 9000);
    assert_string_equal(k.first[0], "u0");
    assert_string_equal(k.first[2], "i0000");
    assert_true(k.pairs);
    dq_synthetic_free(p);
}

/* What is said of a row is what was drawn. */
static dq_status compare(void *arg, const dq_bundle *b, dq_error *error)
{
    const dq_synthetic *p = arg;
    char text[40], want[40];
    (void)error;
    if (strcmp(b->kind, DQ_KIND_USERS) == 0) {
        keep_text(b, "attr.age", text);
        (void)snprintf(want, sizeof want, "%u", p->persons[0].age);
    } else if (strcmp(b->kind, DQ_KIND_ITEMS) == 0) {
        keep_text(b, "attr.price", text);
        (void)snprintf(want, sizeof want, "%.9g", p->products[0].price);
        const float *vectors = dq_bundle_column(b, "vector")->data;
        assert_memory_equal(vectors, p->item, b->rows * DQ_SYNTHETIC_WIDTH * sizeof *vectors);
    } else {
        keep_text(b, "label", text);
        (void)snprintf(want, sizeof want, "%s", dq_event_types[p->events[0].type]);
    }
    assert_string_equal(text, want);
    return DQ_OK;
}

static void rows_say_what_was_drawn(void **state)
{
    (void)state;
    const dq_synthetic_config config = {.users = 5, .items = 7, .seed = 3};
    dq_synthetic *p;
    assert_int_equal(dq_synthetic_new(&p, &config, NULL), DQ_OK);
    const dq_bundle_taker taker = {compare, p};
    assert_int_equal(dq_synthetic_bundles(p, &taker, NULL), DQ_OK);
    dq_synthetic_free(p);
}

static dq_status refuse(void *arg, const dq_bundle *b, dq_error *error)
{
    (void)b;
    ++*(int *)arg;
    return dq_fail(error, DQ_ERR_IO, "full");
}

static void a_failure_ends_it(void **state)
{
    (void)state;
    const dq_synthetic_config config = {.users = 5, .items = 7, .seed = 3};
    dq_synthetic *p;
    int calls = 0;
    const dq_bundle_taker taker = {refuse, &calls};
    assert_int_equal(dq_synthetic_new(&p, &config, NULL), DQ_OK);
    assert_int_equal(dq_synthetic_bundles(p, &taker, NULL), DQ_ERR_IO);
    assert_int_equal(calls, 1);
    dq_synthetic_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synthetic_ones_are_a_section),
        cmocka_unit_test(rows_say_what_was_drawn),
        cmocka_unit_test(a_failure_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
