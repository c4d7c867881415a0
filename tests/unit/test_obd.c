/* SPDX-License-Identifier: MIT
 *
 * Tables of a log that become others between two readings.
 */
#include "port/files/obd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_obd.XXXXXX", log_path[64], items_path[64];

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static const char log_text[] = "item_id,position,click,propensity_score,user_feature_0,shelf\n"
                               "0,1,0,.5,a,left\n",
                  other_log[] = "item_id,position,click,propensity_score,shelf,user_feature_0\n"
                                "0,1,0,.5,left,a\n",
                  items_text[] = "item_id,item_feature_0,item_feature_1\n0,1,2\n",
                  other_items[] = "item_id,item_feature_0\n0,1\n";

static dq_status open_of(dq_collections *place, const char *collection, dq_error *error)
{
    const dq_query query = {.collection = collection};
    dq_documents documents;
    dq_status status = place->open(place, &query, &documents, error);
    if (!status) documents.close(&documents);
    return status;
}

static void check_changed(dq_collections *place, const char *collection, const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(open_of(place, collection, &e), DQ_ERR_FORMAT);
    assert_string_equal(e.reason, "changed while it was read");
    assert_string_equal(e.source, path);
}

static void test_another_header(void **state)
{
    (void)state;
    dq_error e = DQ_ERROR_NONE;
    dq_collections place;
    write_file(log_path, log_text);
    write_file(items_path, items_text);
    assert_int_equal(dq_collections_open_obd(&place, log_path, items_path, &e), DQ_OK);
    assert_int_equal(open_of(&place, "interactions", &e), DQ_OK);
    assert_int_equal(open_of(&place, "items", &e), DQ_OK);
    write_file(items_path, other_items); /* fewer columns than were found */
    check_changed(&place, "items", items_path);
    write_file(log_path, other_log); /* as many, in another order */
    check_changed(&place, "interactions", log_path);
    assert_int_equal(open_of(&place, "users", &e), DQ_OK); /* were read already */
    place.close(&place);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(log_path, sizeof log_path, "%s/log.csv", folder);
    (void)snprintf(items_path, sizeof items_path, "%s/items.csv", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(log_path) || unlink(items_path) || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_another_header)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
