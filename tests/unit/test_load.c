/* SPDX-License-Identifier: MIT */
#include "data/load.h"

#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/dq-load-XXXXXX", path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/a.dq", folder);
    (void)snprintf(other, sizeof other, "%s/b.dq", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(other);
    return rmdir(folder);
}

static dq_writer *start(const char *name)
{
    const dq_maker maker = {.program = "test", .version = "1", .seed = -1};
    dq_writer *w;
    assert_int_equal(dq_writer_open(&w, name, &maker, NULL, 0, NULL), DQ_OK);
    return w;
}

static void put(dq_writer *w, dq_bundle b)
{
    dq_error e = DQ_ERROR_NONE;
    if (dq_writer_put(w, &b, &e)) fail_msg("%s", e.reason);
    dq_bundle_free(&b);
}

static dq_bundle entities(const char *kind, uint64_t count, const char *const *ids)
{
    dq_bundle b = table(kind, count);
    add_texts(&b, "id", DQ_TEXT, ids);
    return b;
}

/* A section: a model when asked for, three users, an interaction, two items, two transitions with user refs.
 */
static void write_section(dq_writer *w, bool model, const char *item, const uint32_t *refs)
{
    static const float weight[1] = {1};
    static const uint32_t first[2] = {0, 0};
    const uint64_t one = 1;
    dq_bundle b = table("model", 0);
    assert_int_equal(dq_bundle_add_tensor(&b, "w", DQ_F4, 1, &one, weight, NULL), DQ_OK);
    if (model)
        put(w, b);
    else
        dq_bundle_free(&b);
    put(w, entities("users", 3, TEXTS("a", "b", "c")));
    b = table("interactions", 1);
    add_texts(&b, "user", DQ_TEXT, TEXTS("b"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("x"));
    put(w, b);
    put(w, entities("items", 2, TEXTS(item, "x")));
    b = table("transitions", 2);
    add_numbers(&b, "user", DQ_U4, refs, "users", NULL);
    add_numbers(&b, "item", DQ_U4, first, "items", NULL);
    put(w, b);
}

static dq_status read_dataset(const char *name, dq_dataset *dataset, dq_error *e)
{
    dq_reader *r;
    assert_int_equal(dq_reader_open(&r, &name, 1, NULL), DQ_OK);
    dq_status status = dq_dataset_read(dataset, r, e);
    dq_reader_close(r);
    return status;
}

static void a_dataset_of_two_sections_and_its_catalogue_back(void **state)
{
    (void)state;
    static const uint32_t refs[2] = {1, 2};
    dq_dataset d = DQ_DATASET_EMPTY, again = DQ_DATASET_EMPTY;
    dq_writer *w = start(path);
    write_section(w, true, "y", refs);
    assert_int_equal(dq_writer_next_section(w, NULL), DQ_OK);
    write_section(w, false, "z", refs);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    assert_int_equal(read_dataset(path, &d, NULL), DQ_OK);
    assert_int_equal(dq_entities_count(&d.catalogue.users), 3);
    assert_int_equal(dq_entities_count(&d.catalogue.items), 3);
    assert_int_equal(d.models.count, 1);
    assert_int_equal(d.count, 4);
    assert_true(d.transitions[0].action == 0 && d.transitions[2].action == 2); /* y, and z */
    assert_int_equal(d.catalogue.interaction_count, 2);
    assert_int_equal(d.catalogue.interactions[1].item, 1);
    /* Written back: one section, each entity once. */
    w = start(other);
    assert_int_equal(dq_catalogue_write(&d.catalogue, w, NULL), DQ_OK);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    assert_int_equal(read_dataset(other, &again, NULL), DQ_OK);
    assert_int_equal(again.catalogue.section, 0);
    assert_int_equal(dq_entities_count(&again.catalogue.items), 3);
    assert_int_equal(again.catalogue.interaction_count, 2);
    assert_int_equal(again.count, 0);
    dq_dataset_free(&d);
    dq_dataset_free(&again);
}

static void a_fault_names_its_record(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_dataset d = DQ_DATASET_EMPTY;
    dq_writer *w = start(path);
    put(w, entities("users", 1, TEXTS("a")));
    put(w, entities("users", 1, TEXTS("a")));
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    assert_int_equal(read_dataset(path, &d, &e), DQ_ERR_DUPLICATE);
    assert_non_null(strstr(e.reason, "id a stands twice"));
    assert_string_equal(e.source, path);
    assert_true(e.record != DQ_NO_RECORD);
    dq_dataset_free(&d);
    /* An interaction with what is nowhere is found at the end. */
    dq_bundle b = table("interactions", 1);
    add_texts(&b, "user", DQ_TEXT, TEXTS("nobody"));
    add_texts(&b, "item", DQ_TEXT, TEXTS("x"));
    w = start(path);
    put(w, b);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    assert_int_equal(read_dataset(path, &d, NULL), DQ_ERR_UNKNOWN);
    dq_dataset_free(&d);
}

static void models_of_a_file(void **state)
{
    (void)state;
    static const uint32_t refs[2] = {0, 0};
    dq_error e = DQ_ERROR_NONE;
    dq_reader *r;
    dq_models models = {0};
    dq_writer *w = start(path);
    write_section(w, true, "y", refs);
    assert_int_equal(dq_writer_next_section(w, NULL), DQ_OK);
    write_section(w, true, "y", refs);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    assert_int_equal(dq_models_read(&models, &r, path, NULL), DQ_OK);
    assert_int_equal(models.count, 2);
    assert_int_equal(dq_reader_heads(r)->count, 2); /* open still, for the lineage */
    dq_reader_close(r);
    dq_models_free(&models);
    w = start(path);
    write_section(w, false, "y", refs);
    assert_int_equal(dq_writer_close(w, NULL), DQ_OK);
    assert_int_equal(dq_models_read(&models, &r, path, &e), DQ_ERR_UNKNOWN);
    assert_string_equal(e.source, path);
    dq_reader_close(r);
    dq_models_free(&models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dataset_of_two_sections_and_its_catalogue_back),
        cmocka_unit_test(a_fault_names_its_record),
        cmocka_unit_test(models_of_a_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
