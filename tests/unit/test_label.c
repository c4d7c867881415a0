/* SPDX-License-Identifier: MIT
 *
 * The strategies of labelling, over a catalogue of a few rows whose rewards are known by hand, and over a
 * label source that writes down what it is asked.
 */
#include "reward/label.h"
#include "reward/logged.h"

#include <math.h>
#include <stdlib.h>

#include "small_catalogue.h"

/* ---- catalogues ---- */

static const small_entities plain_users = {.kind = DQ_KIND_USERS, .width = 2};
static const small_entities plain_items = {.kind = DQ_KIND_ITEMS, .width = 2};

/* u1 along a, across b, against c; u2 between a and b; d is nowhere. */
static void add_plain(dq_catalogue *c)
{
    static const small_row users[] = {{.id = "u1", .vector = {2, 0}}, {.id = "u2", .vector = {1, 1}}};
    static const small_row items[] = {{.id = "a", .vector = {3, 0}},
                                      {.id = "b", .vector = {0, 1}},
                                      {.id = "c", .vector = {-1, 0}},
                                      {.id = "d", .vector = {0, 0}}};
    small_add(c, &plain_users, users, 2);
    small_add(c, &plain_items, items, 4);
}

static void add_log(dq_catalogue *c)
{
    const small_interaction log[] = {{"u1", "a", "APPLY", NAN},  {"u2", "a", "SEEN", NAN},
                                     {"u2", "b", "IGNORE", NAN}, {"u1", "c", NULL, 0.25F},
                                     {"u1", "a", "CLICK", NAN},  {"u2", "c", "APPLY", NAN},
                                     {"u2", "c", "SEEN", NAN},   {"u2", "d", "SAVE", -2}};
    small_add_interactions(c, log, sizeof log / sizeof *log);
}

static void open_labeller(dq_labeller *l, const dq_catalogue *c)
{
    dq_error e = DQ_ERROR_NONE;
    l->threads = 1;
    assert_int_equal(dq_label_map_parse(&l->map, DQ_LABEL_MAP_DEFAULT, &e), DQ_OK);
    assert_int_equal(dq_labeller_ready(l, c, &e), DQ_OK);
}

static void label(dq_labeller *l, const uint32_t *user, const uint32_t *item, const uint32_t *interaction,
                  size_t n, dq_rewards *r)
{
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_label_submit(l, user, item, n, &e), DQ_OK);
    if (dq_label_pairs(l, user, item, interaction, n, r, &e)) fail_msg("%s", e.reason);
    assert_int_equal(r->count, n);
}

static void near(float got, double wanted)
{
    if (!(fabs((double)got - wanted) <= 1e-7)) fail_msg("%.9g is not %.9g", (double)got, wanted);
}

static void label_is(const dq_rewards *r, size_t i, const char *label)
{
    size_t n;
    const char *text = dq_strings_get(&r->labels, i, &n);
    if (!label) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_int_equal(n, strlen(label));
    assert_memory_equal(text, label, n);
}

/* The columns that these rewards add, in order, are those of `names`; so many of their rewards are null. */
static void columns_are(const dq_rewards *r, const dq_labeller *l, const char *names, size_t nulls)
{
    char got[100] = "";
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    size_t none = 0;
    assert_int_equal(dq_bundle_init(&b, "labels", r->count, &e), DQ_OK);
    assert_int_equal(dq_rewards_add(r, l, &b, &e), DQ_OK);
    for (size_t i = 0; i < b.column_count; i++) {
        if (i) strcat(got, " ");
        strcat(got, b.columns[i].name);
    }
    assert_string_equal(got, names);
    for (size_t i = 0; i < r->count; i++) none += dq_column_is_null(dq_bundle_column(&b, "reward"), i);
    assert_int_equal(none, nulls);
    dq_bundle_free(&b);
}

static const uint32_t all_users[] = {0, 0, 0, 0, 1, 1, 1, 1}, all_items[] = {0, 1, 2, 3, 0, 1, 2, 3};

/* ---- cosines ---- */

static void cosines_scaled_and_raw(void **unused)
{
    (void)unused;
    const double h = sqrt(0.5), raw[] = {1, 0, -1, 0, h, h, -h, 0};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    add_plain(&c);
    small_finish(&c);
    for (int scaled = 0; scaled < 2; scaled++) {
        dq_labeller l = {.strategy = DQ_STRATEGY_COSINE, .raw_cosine = !scaled};
        dq_rewards r;
        float one[4], reward[4];
        open_labeller(&l, &c);
        assert_int_equal(dq_labeller_fields(&l, NULL, 0, &e), DQ_OK);
        label(&l, all_users, all_items, NULL, 8, &r);
        for (size_t i = 0; i < 8; i++) {
            near(r.reward[i], scaled ? (raw[i] + 1) / 2 : raw[i]);
            assert_true(r.cosine[i] == r.reward[i] && !r.none[i]);
        }
        dq_labeller_cosines(&l, &all_users[4], 1, one, 4);
        dq_labeller_cosine_rewards(&l, 1, reward, 4);
        for (size_t i = 0; i < 4; i++) {
            near(one[i], raw[4 + i]);
            assert_true(reward[i] == r.reward[4 + i]);
        }
        columns_are(&r, &l, "reward cosine", 0);
        assert_int_equal(l.unrewarded, 0);
        dq_rewards_free(&r);
        dq_labeller_free(&l);
    }
    dq_catalogue_free(&c);
}

/* More pairs than a thread takes at a time. */
static void threads_change_no_bit(void **unused)
{
    (void)unused;
    enum { MANY = 1000 };
    uint32_t user[MANY], item[MANY];
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_rewards r[2];
    add_plain(&c);
    small_finish(&c);
    for (uint32_t i = 0; i < MANY; i++) {
        user[i] = i % 2;
        item[i] = i * 7 % 4;
    }
    for (unsigned k = 0; k < 2; k++) {
        dq_labeller l = {.strategy = DQ_STRATEGY_COSINE};
        open_labeller(&l, &c);
        l.threads = 1 + 2 * k;
        assert_int_equal(dq_labeller_fields(&l, NULL, 0, &e), DQ_OK);
        label(&l, user, item, NULL, MANY, &r[k]);
        dq_labeller_free(&l);
    }
    assert_memory_equal(r[0].reward, r[1].reward, MANY * sizeof(float));
    dq_rewards_free(&r[0]);
    dq_rewards_free(&r[1]);
    dq_catalogue_free(&c);
}

static void cosines_of_paired_fields(void **unused)
{
    (void)unused;
    static const dq_field user_fields[] = {{"hard", 0, 2, 0}, {"soft", 2, 3, 0}};
    static const dq_field item_fields[] = {{"title", 0, 2, 0}, {"tech", 2, 2, 0}, {"soft", 4, 3, 0}};
    static const dq_pair_names pairs[] = {{"hard", "tech"}, {"soft", "soft"}};
    static const small_entities users = {
        .kind = DQ_KIND_USERS, .width = 5, .fields = user_fields, .field_count = 2};
    static const small_entities items = {.kind = DQ_KIND_ITEMS,
                                         .width = 7,
                                         .fields = item_fields,
                                         .field_count = 3,
                                         .pairs = pairs,
                                         .pair_count = 2};
    static const small_row user = {.id = "u", .vector = {1, 0, 3, 4, 0}};
    static const small_row item = {.id = "i", .vector = {9, 9, 1, 1, 0, 1, 0}};
    static const struct {
        const char *given[2];
        size_t count;
        double cosine;
    } cases[] = {{{NULL}, 0, 0.75355339}, /* the catalogue's own: (sqrt(1/2) + 4/5) / 2 */
                 {{"soft:soft"}, 1, 0.8},
                 {{"hard:title", "soft:soft"}, 2, 0.75355339},
                 {{"hard:tech"}, 1, 0.70710678}};
    static const struct {
        const char *given;
        dq_status status;
    } bad[] = {{"hard:firm", DQ_ERR_UNKNOWN}, {"hard:soft", DQ_ERR_RANGE}, {"hard", DQ_ERR_RANGE}};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    small_add(&c, &users, &user, 1);
    small_add(&c, &items, &item, 1);
    small_finish(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_labeller l = {.strategy = DQ_STRATEGY_COSINE, .raw_cosine = true};
        dq_rewards r;
        open_labeller(&l, &c);
        assert_int_equal(dq_labeller_fields(&l, cases[i].given, cases[i].count, &e), DQ_OK);
        label(&l, all_users, all_items, NULL, 1, &r);
        near(r.reward[0], cases[i].cosine);
        dq_rewards_free(&r);
        dq_labeller_free(&l);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_labeller l = {.strategy = DQ_STRATEGY_COSINE};
        open_labeller(&l, &c);
        assert_int_equal(dq_labeller_fields(&l, &bad[i].given, 1, &e), bad[i].status);
        dq_labeller_free(&l);
    }
    dq_catalogue_free(&c);
}

/* ---- logged labels ---- */

/* Each interaction its own label: through the map, outside of it, none but a number, over the label. */
static void logged_labels_of_interactions(void **unused)
{
    (void)unused;
    static const uint32_t user[] = {0, 1, 1, 0, 0, 1, 1, 1}, item[] = {0, 0, 1, 2, 0, 2, 2, 3};
    static const uint32_t interaction[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const char *const labels[] = {"APPLY", "SEEN", "IGNORE", NULL, "CLICK", "APPLY", "SEEN", "SAVE"};
    const float rewards[] = {1, NAN, -0.1F, 0.25F, 0, 1, NAN, -2};
    dq_labeller l = {.strategy = DQ_STRATEGY_LOGGED};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_rewards r;
    add_plain(&c);
    add_log(&c);
    small_finish(&c);
    open_labeller(&l, &c);
    label(&l, user, item, interaction, 8, &r);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(r.none[i], isnan(rewards[i]) ? 1 : 0);
        if (!r.none[i]) assert_true(r.reward[i] == rewards[i]);
        label_is(&r, i, labels[i]);
    }
    columns_are(&r, &l, "reward label", 2);
    assert_int_equal(l.unrewarded, 2);
    dq_rewards_free(&r);
    dq_labeller_free(&l);
    dq_catalogue_free(&c);
}

/* The last interaction of a pair is its label, also where that has no reward. */
static void logged_labels_that_are_looked_up(void **unused)
{
    (void)unused;
    static const char *const labels[] = {"CLICK", NULL, NULL, NULL, "SEEN", "IGNORE", "SEEN", "SAVE"};
    const float rewards[] = {0, NAN, 0.25F, NAN, NAN, -0.1F, NAN, -2};
    dq_labeller l = {.strategy = DQ_STRATEGY_LOGGED};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_rewards r;
    add_plain(&c);
    add_log(&c);
    small_finish(&c);
    open_labeller(&l, &c);
    label(&l, all_users, all_items, NULL, 8, &r);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(r.none[i], isnan(rewards[i]) ? 1 : 0);
        if (!r.none[i]) assert_true(r.reward[i] == rewards[i]);
        label_is(&r, i, labels[i]);
    }
    dq_rewards_free(&r);
    dq_labeller_free(&l);
    dq_catalogue_free(&c);
}

/* What training knows of a user: the last label with a reward, transitions over labels. */
static void logged_rewards_of_one_user(void **unused)
{
    (void)unused;
    dq_transition rows[] = {{.state = 0, .action = 3, .reward = 0.5F},
                            {.state = 1, .action = 0, .reward = 9},
                            {.state = 0, .action = 0, .reward = NAN},
                            {.state = 0, .action = 2, .reward = -1}};
    float cosine[] = {0.25F, 1, NAN, NAN}, llm[] = {0.75F, 1, NAN, -1}, reward[4];
    float a[4] = {NAN, NAN, NAN, NAN}, b[4] = {NAN, NAN, NAN, NAN};
    uint32_t labels[] = {DQ_ABSENT, 0, 1, 0}, label[4];
    dq_label_map map;
    dq_dataset dataset = {.transitions = rows, .cosine = cosine, .llm = llm, .label = labels};
    assert_int_equal(dq_label_map_parse(&map, DQ_LABEL_MAP_DEFAULT, NULL), DQ_OK);
    add_plain(&dataset.catalogue);
    add_log(&dataset.catalogue);
    small_finish(&dataset.catalogue);
    dq_logged_rewards(&dataset, &map, 0, reward, label);
    assert_true(reward[0] == 0 && isnan(reward[1]) && reward[2] == 0.25F && isnan(reward[3]));
    dq_logged_rewards(&dataset, &map, 1, reward, NULL);
    assert_true(isnan(reward[0]) && reward[1] == -0.1F && reward[2] == 1 && reward[3] == -2);
    assert_false(dq_logged_parts(&dataset, 0, reward, a, b)); /* no transitions */
    dataset.count = 4;
    dq_logged_rewards(&dataset, &map, 0, reward, label);
    assert_true(reward[0] == 0 && isnan(reward[1]) && reward[2] == -1 && reward[3] == 0.5F);
    size_t n; /* the labels of what gave them */
    const char *text = dq_index_id(&dataset.catalogue.labels, label[0], &n);
    assert_int_equal(n, 5);
    assert_memory_equal(text, "CLICK", 5);
    assert_true(label[1] == DQ_ABSENT && label[2] == 0 && label[3] == DQ_ABSENT);
    assert_false(dq_logged_parts(&dataset, 0, reward, a, b)); /* the last has no cosine */
    dataset.count = 3;
    for (size_t i = 0; i < 4; i++) reward[i] = a[i] = b[i] = NAN;
    assert_true(dq_logged_parts(&dataset, 0, reward, a, b));
    assert_true(reward[3] == 0.5F && a[3] == 0.25F && b[3] == 0.75F);
    assert_true(isnan(reward[0]) && isnan(a[0]) && isnan(b[2]));
    dq_label_map_free(&map);
    dq_catalogue_free(&dataset.catalogue);
}

/* ---- a source ---- */

enum { MOST = 64 };

/* Says APPLY of item 0, nothing that the map has of item 1, nothing at all of item 2, SAVE of the rest; and
 * keeps what it was asked, in order. */
typedef struct fake {
    uint32_t user[MOST], item[MOST];
    size_t submitted, taken, takes;
    dq_status fails; /* at the second take */
    size_t told[MOST], tells;
} fake;

static dq_status fake_submit(void *self, const uint32_t *user, const uint32_t *item, size_t n,
                             dq_error *error)
{
    fake *f = self;
    (void)error;
    assert_true(f->submitted + n <= MOST);
    memcpy(f->user + f->submitted, user, n * sizeof *user);
    memcpy(f->item + f->submitted, item, n * sizeof *item);
    f->submitted += n;
    return DQ_OK;
}

static dq_status fake_take(void *self, size_t n, dq_verdict *verdicts, dq_error *error)
{
    static const dq_verdict of_item[] = {
        {.label = "APPLY", .reward = 1}, {.label = "HIRE", .none = true}, {.none = true}};
    fake *f = self;
    f->takes++;
    assert_true(f->taken + n <= f->submitted);
    if (f->fails && f->takes == 2) return dq_fail(error, f->fails, "it fails");
    for (size_t i = 0; i < n; i++) {
        uint32_t item = f->item[f->taken++];
        verdicts[i] = item < 3 ? of_item[item] : (dq_verdict){.label = "SAVE", .reward = 0.5F, .soft = true};
    }
    return DQ_OK;
}

static void fake_told(void *arg, size_t pairs)
{
    fake *f = arg;
    f->told[f->tells++] = pairs;
}

static dq_label_source source_of(fake *f)
{
    return (dq_label_source){.submit = fake_submit, .take = fake_take, .self = f};
}

static void labels_that_are_asked_for(void **unused)
{
    (void)unused;
    static const char *const labels[] = {"APPLY", "HIRE", NULL, "SAVE"};
    static const struct {
        dq_strategy strategy;
        bool soft;
        const char *columns;
    } cases[] = {{DQ_STRATEGY_LLM, false, "reward llm label"},
                 {DQ_STRATEGY_LLM, true, "reward llm label soft"},
                 {DQ_STRATEGY_HUMAN, false, "reward label"}};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    add_plain(&c);
    small_finish(&c);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        fake f = {0};
        dq_rewards r;
        dq_labeller l = {.strategy = cases[k].strategy, .source = source_of(&f)};
        l.source.soft = cases[k].soft;
        open_labeller(&l, &c);
        label(&l, all_users, all_items, NULL, 8, &r);
        assert_int_equal(f.taken, 8);
        assert_int_equal(f.takes, 1); /* nobody wants to know how far it is */
        for (size_t i = 0; i < 8; i++) {
            float want = i % 4 == 0 ? 1 : i % 4 == 3 ? 0.5F : 0;
            assert_int_equal(r.none[i], i % 4 == 1 || i % 4 == 2);
            assert_int_equal(r.soft[i], i % 4 == 3);
            assert_true(r.reward[i] == want && r.llm[i] == want);
            label_is(&r, i, labels[i % 4]);
        }
        columns_are(&r, &l, cases[k].columns, 4);
        assert_int_equal(l.unrewarded, 4);
        dq_rewards_free(&r);
        dq_labeller_free(&l);
    }
    dq_catalogue_free(&c);
}

static void a_mixture_keeps_both_parts(void **unused)
{
    (void)unused;
    static const double weights[] = {0, 0.25, 1};
    const double h = sqrt(0.5), cosines[] = {(1 + h) / 2, (1 + h) / 2, (1 - h) / 2, 0.5}; /* of u2 */
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    add_plain(&c);
    small_finish(&c);
    for (size_t k = 0; k < 3; k++) {
        double w = weights[k];
        fake f = {0};
        dq_rewards r;
        dq_labeller l = {.strategy = DQ_STRATEGY_HYBRID, .weight = w, .source = source_of(&f)};
        open_labeller(&l, &c);
        assert_int_equal(dq_labeller_fields(&l, NULL, 0, &e), DQ_OK);
        label(&l, all_users + 4, all_items + 4, NULL, 4, &r);
        for (size_t i = 0; i < 4; i++) near(r.cosine[i], cosines[i]);
        near(r.reward[0], w * cosines[0] + (1 - w));
        near(r.reward[3], 0.5);
        assert_true(r.llm[0] == 1 && r.llm[3] == 0.5F);
        assert_true(r.none[1] && r.none[2]); /* half a mixture is none */
        columns_are(&r, &l, "reward cosine llm label", 2);
        dq_rewards_free(&r);
        dq_labeller_free(&l);
    }
    dq_catalogue_free(&c);
}

/* 40 verdicts of a model come 16 at a time to who wants to know; a person's come together. */
static void progress_is_told_as_verdicts_come(void **unused)
{
    (void)unused;
    uint32_t user[40] = {0}, item[40];
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    add_plain(&c);
    small_finish(&c);
    for (uint32_t i = 0; i < 40; i++) item[i] = i % 4;
    for (int person = 0; person < 2; person++) {
        fake f = {0};
        dq_rewards r;
        dq_labeller l = {.strategy = person ? DQ_STRATEGY_HUMAN : DQ_STRATEGY_LLM,
                         .source = source_of(&f),
                         .labelled = fake_told,
                         .labelled_arg = &f};
        open_labeller(&l, &c);
        label(&l, user, item, NULL, 40, &r);
        assert_int_equal(f.tells, person ? 1 : 3);
        assert_int_equal(f.told[0], person ? 40 : 16);
        assert_int_equal(f.told[f.tells - 1], 40);
        for (size_t i = 0; i < 40; i++) assert_true(r.none[i] || r.reward[i] == (i % 4 ? 0.5F : 1));
        dq_rewards_free(&r);
        dq_labeller_free(&l);
    }
    dq_catalogue_free(&c);
}

static void a_source_that_fails_ends_it(void **unused)
{
    (void)unused;
    uint32_t user[40] = {0}, item[40] = {0};
    fake f = {.fails = DQ_ERR_STOPPED};
    dq_labeller l = {
        .strategy = DQ_STRATEGY_LLM, .source = source_of(&f), .labelled = fake_told, .labelled_arg = &f};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    dq_rewards r;
    add_plain(&c);
    small_finish(&c);
    open_labeller(&l, &c);
    assert_int_equal(dq_label_submit(&l, user, item, 40, &e), DQ_OK);
    assert_int_equal(dq_label_pairs(&l, user, item, NULL, 40, &r, &e), DQ_ERR_STOPPED);
    assert_string_equal(e.reason, "it fails");
    assert_null(r.reward);
    assert_int_equal(f.tells, 1);
    assert_int_equal(l.unrewarded, 0);
    dq_labeller_free(&l);
    dq_catalogue_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosines_scaled_and_raw),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(cosines_of_paired_fields),
        cmocka_unit_test(logged_labels_of_interactions),
        cmocka_unit_test(logged_labels_that_are_looked_up),
        cmocka_unit_test(logged_rewards_of_one_user),
        cmocka_unit_test(labels_that_are_asked_for),
        cmocka_unit_test(a_mixture_keeps_both_parts),
        cmocka_unit_test(progress_is_told_as_verdicts_come),
        cmocka_unit_test(a_source_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
