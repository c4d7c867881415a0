/* SPDX-License-Identifier: MIT */
#include "label/answer.h"
#include "port/files/json.h"
#include "reward/judgement.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const labels[] = {"APPLY", "SAVE", "CLICK", "IGNORE"};
static const dq_label_set set = {labels, 4, 4};

/* A completion's body around a content (which is quoted here), read as a program would. */
static dq_reading read_body(const char *body, dq_arena *arena, dq_answer *answer, size_t *label, size_t *at)
{
    static dq_value parsed;
    dq_error e = DQ_ERROR_NONE;
    if (dq_json_parse(body, strlen(body), arena, &parsed, &e)) fail_msg("%s: %s", body, e.reason);
    assert_true(dq_answer_take(&parsed, arena, answer));
    return dq_judgement_read(answer, &set, label, at);
}

static dq_reading read_content(const char *content, size_t *label)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text body = DQ_JSON_TEXT_EMPTY;
    dq_answer answer;
    static const char head[] = "{\"choices\":[{\"message\":{\"content\":", tail[] = "}}]}";
    assert_int_equal(dq_json_write_raw(&body, head, sizeof head - 1, NULL), DQ_OK);
    assert_int_equal(dq_json_write_string(&body, content, strlen(content), NULL), DQ_OK);
    assert_int_equal(dq_json_write_raw(&body, tail, sizeof tail, NULL), DQ_OK);
    size_t at;
    dq_reading reading = read_body(body.data, &arena, &answer, label, &at);
    dq_json_text_free(&body);
    dq_arena_free(&arena);
    return reading;
}

static void labels_are_read(void **unused)
{
    (void)unused;
    static const struct {
        const char *content;
        size_t label;
    } good[] = {{"{\"decision\":\"APPLY\"}", 0},
                {"{\"reason\":\"IGNORE it\",\"Decision\":\" save \"}", 1},
                {"{\"decision\":\"SAVE\",\"why\":\"a } in \\\"quotes\"}\nHope this helps.", 1},
                {"```json\n{\"decision\": \"CLICK\"}\n```", 2},
                {"<think>APPLY? No. DECISION: APPLY</think>\n{\"decision\":\"IGNORE\"}", 3},
                {"DECISION: APPLY", 0},
                {"It fits well.\n\n**DECISION: SAVE**\n", 1},
                {"- decision = 'click'.", 2},
                {"Decision: IGNORE, since it is far away", 3},
                {"DECISION: SAVE\nDECISION: SAVE", 1},
                {"APPLY", 0},
                {"  \"Save\".\n", 1},
                {"**CLICK**", 2},
                {"<think>hm</think>ignore", 3}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t label = 9;
        dq_reading reading = read_content(good[i].content, &label);
        if (reading != DQ_READ || label != good[i].label)
            fail_msg("'%s': reading %d, label %zu", good[i].content, (int)reading, label);
    }
}

static void what_is_no_label_is_never_guessed(void **unused)
{
    (void)unused;
    static const struct {
        const char *content;
        dq_reading reading;
    } bad[] = {{"", DQ_READ_NOTHING},
               {" \n", DQ_READ_NOTHING},
               {"<think>APPLY", DQ_READ_NOTHING},
               {"I would APPLY to this.", DQ_READ_NO_LABEL},
               {"HIRE", DQ_READ_NO_LABEL},
               {"APPLY now", DQ_READ_NO_LABEL},
               {"{\"decision\":\"HIRE\"}", DQ_READ_NO_LABEL},
               {"{\"decision\":null}", DQ_READ_NO_LABEL},
               {"{\"label\":\"APPLY\"}", DQ_READ_NO_LABEL},
               {"{\"decision\":\"APPLY\"", DQ_READ_NO_LABEL},
               {"{\"decision\":\"APPLY\",\"decision\":\"SAVE\"}", DQ_READ_TWO_LABELS},
               {"{\"decision\":\"APPLY\"} {\"decision\":\"SAVE\"}", DQ_READ_TWO_LABELS},
               {"DECISION: not APPLY", DQ_READ_NO_LABEL},
               {"DECISION:", DQ_READ_NO_LABEL},
               {"DECISIONS APPLY", DQ_READ_NO_LABEL},
               {"DECISION: APPLY or SAVE", DQ_READ_TWO_LABELS},
               {"DECISION: APPLY\nDECISION: SAVE", DQ_READ_TWO_LABELS},
               {"<html><body>502 Bad Gateway</body></html>", DQ_READ_NO_LABEL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t label;
        dq_reading reading = read_content(bad[i].content, &label);
        if (reading != bad[i].reading) fail_msg("'%s': reading %d", bad[i].content, (int)reading);
    }
}

static void bodies_that_are_no_answer(void **unused)
{
    (void)unused;
    static const struct {
        const char *body;
        dq_reading reading;
    } bad[] = {
        {"{}", DQ_READ_NOTHING},
        {"[]", DQ_READ_NOTHING},
        {"{\"error\":{\"message\":\"DECISION: APPLY\"}}", DQ_READ_NOTHING},
        {"{\"choices\":[]}", DQ_READ_NOTHING},
        {"{\"choices\":[{\"message\":{\"content\":null}}]}", DQ_READ_NOTHING},
        {"{\"choices\":[{\"message\":{\"content\":[\"APPLY\"]}}]}", DQ_READ_NOTHING},
        {"{\"choices\":[{\"message\":{\"content\":\"APPLY\",\"refusal\":\"I cannot\"}}]}", DQ_READ_REFUSAL},
        {"{\"choices\":[{\"message\":{\"content\":\"APPLY\"},\"finish_reason\":\"content_filter\"}]}",
         DQ_READ_REFUSAL},
        {"{\"choices\":[{\"message\":{\"content\":\"APPLY\"},\"finish_reason\":\"length\"}]}", DQ_READ_CUT}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_answer answer;
        size_t label, at;
        dq_reading reading = read_body(bad[i].body, &arena, &answer, &label, &at);
        if (reading != bad[i].reading) fail_msg("'%s': reading %d", bad[i].body, (int)reading);
        dq_arena_free(&arena);
    }
}

#define TOKEN(text, logprob, top)                                                                            \
    "{\"token\":\"" text "\",\"logprob\":" logprob ",\"top_logprobs\":[" top "]}"
#define TOP(text, logprob) "{\"token\":\"" text "\",\"logprob\":" logprob "}"
#define SAID(content, tokens)                                                                                \
    "{\"choices\":[{\"message\":{\"content\":\"" content "\"},\"logprobs\":{\"content\":[" tokens "]}}]}"

/* ln 0.6, ln 0.2, ln 0.1 */
#define L60 "-0.5108256237659907"
#define L20 "-1.6094379124341003"
#define L10 "-2.3025850929940455"

static void log_probabilities_become_shares(void **unused)
{
    (void)unused;
    static const char *const bodies[] = {
        /* a schema's answer, the label in two tokens; what is no label takes no share */
        SAID("{\\\"decision\\\":\\\"APPLY\\\"}",
             TOKEN("{\\\"", "0", "") "," TOKEN("decision", "0", "") "," TOKEN("\\\":\\\"", "0", "") "," TOKEN(
                 "APP", L60,
                 TOP("APP", L60) "," TOP("SAVE", L20) "," TOP("IG", L10) "," TOP(
                     "HIRE", L10)) "," TOKEN("LY", "-0.1", "") "," TOKEN("\\\"}", "0", "")),
        /* a line, tokens with their blanks; the chosen token is not listed among the likeliest */
        SAID("DECISION: APPLY",
             TOKEN("DEC", "0", "") "," TOKEN("ISION:", "0", "") "," TOKEN(
                 " APPLY", L60, TOP(" SAVE", L20) "," TOP(" Ignore", L10) "," TOP("\\n", L10))),
        /* the word alone */
        SAID("APPLY", TOKEN("APPLY", L60, TOP("APPLY", L60) "," TOP("SAVE", L20) "," TOP("IGNORE", L10))),
        /* the quote belongs to the label's token */
        SAID("{\\\"decision\\\":\\\"APPLY\\\"}", TOKEN("{\\\"decision\\\":", "0", "") "," TOKEN(
                                                     "\\\"APPLY", L60,
                                                     TOP("\\\"APPLY", L60) "," TOP("\\\"S", L20) "," TOP(
                                                         "\\\"IGNORE", L10)) "," TOKEN("\\\"}", "0", "")),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_answer answer;
        size_t label, at;
        double p[4];
        assert_int_equal(read_body(bodies[i], &arena, &answer, &label, &at), DQ_READ);
        assert_int_equal(label, 0);
        assert_true(dq_judgement_soft(&answer, &set, label, at, &arena, p));
        assert_true(fabs(p[0] - 0.6 / 0.9) < 1e-12 && fabs(p[1] - 0.2 / 0.9) < 1e-12);
        assert_true(p[2] == 0 && fabs(p[3] - 0.1 / 0.9) < 1e-12);
        dq_arena_free(&arena);
    }
}

static void answers_without_them_fall_back(void **unused)
{
    (void)unused;
    static const char *const bodies[] = {
        "{\"choices\":[{\"message\":{\"content\":\"APPLY\"},\"logprobs\":null}]}",
        SAID("APPLY", ""),
        SAID("APPLY", "{\"token\":\"APPLY\"}"),
        SAID("APPLY", "{\"logprob\":0}"),
        SAID("APPLY", TOKEN("APPLY", "0.5", "")),
        SAID("APPLY", TOKEN("SAVE", "0", "")),
        SAID("APPLY", TOKEN("APPLY", "\"x\"", "")),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_answer answer;
        size_t label, at;
        double p[4];
        assert_int_equal(read_body(bodies[i], &arena, &answer, &label, &at), DQ_READ);
        if (dq_judgement_soft(&answer, &set, label, at, &arena, p)) fail_msg("%s", bodies[i]);
        dq_arena_free(&arena);
    }
}

/* A token that begins two labels tells neither. */
static void a_token_that_tells_nothing(void **unused)
{
    (void)unused;
    static const char *const alike[] = {"SAVE", "SAVOUR"};
    static const dq_label_set pair = {alike, 2, 2};
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value body;
    dq_answer answer;
    double p[2];
    const char *text = SAID("SAVE", TOKEN("SAV", "-0.1", TOP("SAV", "-0.1")) "," TOKEN("E", "-0.1", ""));
    assert_int_equal(dq_json_parse(text, strlen(text), &arena, &body, NULL), DQ_OK);
    assert_true(dq_answer_take(&body, &arena, &answer));
    assert_false(dq_judgement_soft(&answer, &pair, 0, 0, &arena, p));
    dq_arena_free(&arena);
}

/* ---- what a stage asks ---- */

/* A raw body read by a stage's form: the label, or NULL. */
static void reads(dq_prompt_stage stage, const char *body, const char *label)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_label_form form;
    dq_label_form_init(&form, stage, &(dq_answer_wish){0});
    const char *got = form.form.read(&form.form, body, strlen(body), &arena);
    if (!label != !got || (got && strcmp(got, label) != 0))
        fail_msg("stage %d, %s: %s", (int)stage, body, got ? got : "no label");
    dq_arena_free(&arena);
}

#define CONTENT(content) "{\"choices\":[{\"message\":{\"content\":\"" content "\"}}]}"

static void a_stage_reads_its_own_labels(void **unused)
{
    (void)unused;
    static const char *const names[] = {"APPLY", "SAVE", "CLICK", "IGNORE"};
    static const bool of_stage[DQ_PROMPT_STAGES][4] = {
        [DQ_PROMPT_FIRST] = {0, 0, 1, 1}, [DQ_PROMPT_SECOND] = {1, 1, 0, 1}, [DQ_PROMPT_ONCE] = {1, 1, 1, 1}};
    static const char *const forms[] = {
        CONTENT("%s"), CONTENT("DECISION: %s"), CONTENT("{\\\"decision\\\": \\\"%s\\\"}"),
        CONTENT("```json\\n{\\\"decision\\\": \\\"%s\\\"}\\n```"), CONTENT("<think>IGNORE?</think> **%s**")};
    for (unsigned stage = 0; stage < DQ_PROMPT_STAGES; stage++)
        for (size_t l = 0; l < 4; l++)
            for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
                char body[200];
                const char *at = strstr(forms[f], "%s");
                (void)snprintf(body, sizeof body, "%.*s%s%s", (int)(at - forms[f]), forms[f], names[l],
                               at + 2);
                reads((dq_prompt_stage)stage, body, of_stage[stage][l] ? names[l] : NULL);
            }
    static const char *const none[] = {"",
                                       "502 Bad Gateway",
                                       "{\"choices\":[{\"message\":{\"content\":\"APPLY\"",
                                       CONTENT("{\\\"decision\\\": 3}"),
                                       CONTENT("[\\\"APPLY\\\",\\\"SAVE\\\"]"),
                                       CONTENT("{\\\"decision\\\": \\\"HIRE\\\"}"),
                                       "null"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) reads(DQ_PROMPT_ONCE, none[i], NULL);
    for (unsigned l = 0; l < 4; l++) assert_int_equal(dq_label_number(names[l]), l);
    assert_int_equal(dq_label_number("HIRE"), DQ_NO_LABEL);
    assert_int_equal(dq_label_number(NULL), DQ_NO_LABEL);
}

static const char *variant_of(const dq_ask_member *m, size_t i)
{
    return m->variants[i].name ? m->variants[i].json : NULL;
}

static void parses(const char *json)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value value;
    assert_int_equal(dq_json_parse(json, strlen(json), &arena, &value, NULL), DQ_OK);
    dq_arena_free(&arena);
}

/* What is asked for beside the messages, and that kept answers are read alike however they were asked for. */
static void a_form_asks_for_its_labels(void **unused)
{
    (void)unused;
    static const char *const lists[] = {"[\"CLICK\",\"IGNORE\"]", "[\"APPLY\",\"SAVE\",\"IGNORE\"]",
                                        "[\"APPLY\",\"SAVE\",\"CLICK\",\"IGNORE\"]"};
    for (unsigned s = 0; s < DQ_PROMPT_STAGES; s++) {
        dq_label_form hard, soft, other;
        dq_label_form_init(&hard, (dq_prompt_stage)s, &(dq_answer_wish){0});
        dq_label_form_init(&soft, (dq_prompt_stage)s, &(dq_answer_wish){.soft = true, .seeded = true});
        assert_string_equal(hard.form.path, "chat/completions");
        assert_int_equal(hard.form.reader, soft.form.reader);
        assert_string_equal(hard.form.extra[0].name, "response_format");
        assert_string_equal(hard.form.extra[1].name, "system message");
        assert_null(hard.form.extra[2].name);
        for (size_t v = 0; v < 3; v++) parses(variant_of(&hard.form.extra[0], v));
        assert_null(variant_of(&hard.form.extra[0], 3));
        for (size_t v = 0; v < 2; v++) assert_non_null(strstr(variant_of(&hard.form.extra[0], v), lists[s]));
        assert_string_equal(variant_of(&hard.form.extra[0], 2), "{\"type\":\"json_object\"}");
        assert_string_equal(soft.form.extra[1].name, "logprobs");
        assert_string_equal(soft.form.extra[2].name, "seed");
        assert_string_equal(soft.form.extra[3].name, "system message");
        assert_null(soft.form.extra[4].name);
        for (unsigned o = 0; o < s; o++) {
            dq_label_form_init(&other, (dq_prompt_stage)o, &(dq_answer_wish){0});
            assert_int_not_equal(hard.form.reader, other.form.reader);
        }
    }
}

/* By hand: that alone, and never left out. */
static void a_format_by_hand(void **unused)
{
    (void)unused;
    static const struct {
        dq_answer_format format;
        size_t variants;
        const char *first;
    } cases[] = {{DQ_FORMAT_SCHEMA, 1, "{\"type\":\"json_schema\","},
                 {DQ_FORMAT_OBJECT, 2, "{\"type\":\"json_object\",\"schema\":{"}};
    dq_label_form f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dq_label_form_init(&f, DQ_PROMPT_ONCE, &(dq_answer_wish){.format = cases[i].format});
        const dq_ask_member *m = &f.form.extra[0];
        assert_true(m->fixed);
        assert_memory_equal(m->variants[0].json, cases[i].first, strlen(cases[i].first));
        assert_non_null(m->variants[cases[i].variants - 1].name);
        assert_null(m->variants[cases[i].variants].name);
    }
    dq_label_form_init(&f, DQ_PROMPT_ONCE, &(dq_answer_wish){.format = DQ_FORMAT_NONE});
    assert_string_equal(f.form.extra[0].name, "system message");
}

/* The second stage's three labels among all four. */
static void probabilities_by_label(void **unused)
{
    (void)unused;
    static const char body[] = SAID(
        "SAVE", TOKEN("SAVE", L60, TOP("SAVE", L60) "," TOP("IGNORE", L20) "," TOP("CLICK", L10)));
    dq_arena arena = DQ_ARENA_EMPTY;
    double p[DQ_LABELS];
    size_t n = sizeof body - 1;
    assert_true(dq_label_probabilities(DQ_PROMPT_SECOND, DQ_SAVE, body, n, &arena, p));
    assert_true(fabs(p[DQ_SAVE] - 0.75) < 1e-12 && fabs(p[DQ_IGNORE] - 0.25) < 1e-12);
    assert_true(p[DQ_APPLY] == 0 && p[DQ_CLICK] == 0);
    assert_true(dq_label_probabilities(DQ_PROMPT_ONCE, DQ_SAVE, body, n, &arena, p));
    assert_true(fabs(p[DQ_SAVE] - 2.0 / 3) < 1e-12 && fabs(p[DQ_CLICK] - 1.0 / 9) < 1e-12);
    assert_false(dq_label_probabilities(DQ_PROMPT_FIRST, DQ_SAVE, body, n, &arena, p)); /* not its label */
    assert_false(dq_label_probabilities(DQ_PROMPT_SECOND, DQ_SAVE, NULL, 0, &arena, p));
    assert_false(dq_label_probabilities(DQ_PROMPT_SECOND, DQ_SAVE, "{", 1, &arena, p));
    dq_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_read),
        cmocka_unit_test(what_is_no_label_is_never_guessed),
        cmocka_unit_test(bodies_that_are_no_answer),
        cmocka_unit_test(log_probabilities_become_shares),
        cmocka_unit_test(answers_without_them_fall_back),
        cmocka_unit_test(a_token_that_tells_nothing),
        cmocka_unit_test(a_stage_reads_its_own_labels),
        cmocka_unit_test(a_form_asks_for_its_labels),
        cmocka_unit_test(a_format_by_hand),
        cmocka_unit_test(probabilities_by_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
