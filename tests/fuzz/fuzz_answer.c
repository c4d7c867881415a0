/* SPDX-License-Identifier: MIT
 *
 * Answers of a model. The first byte chooses a stage, and whether the rest is the body of a completion or the
 * words of one, which are put into a body here: so mutations reach thoughts, channels and statements. A label
 * is one of the stage's, probabilities sum to 1, and blanks around the words change nothing.
 */
#include "fuzz.h"

#include "core/utf8.h"
#include "label/answer.h"
#include "reward/thoughts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static dq_json_text body_of(const char *before, fuzz_bytes words, const char *behind)
{
    dq_json_text content = DQ_JSON_TEXT_EMPTY, body = DQ_JSON_TEXT_EMPTY;
    dq_error e = DQ_ERROR_NONE;
    static const char begin[] = "{\"choices\":[{\"message\":{\"content\":", end[] = "}}]}";
    bool fine = !dq_json_write_raw(&content, before, strlen(before), &e) &&
                !dq_json_write_raw(&content, (const char *)words.data, words.n, &e) &&
                !dq_json_write_raw(&content, behind, strlen(behind), &e) &&
                !dq_json_write_raw(&body, begin, strlen(begin), &e) &&
                !dq_json_write_string(&body, content.data ? content.data : "", content.bytes, &e) &&
                !dq_json_write_raw(&body, end, strlen(end), &e);
    if (!fine) fuzz_fail("no body: %s", e.reason);
    dq_json_text_free(&content);
    return body;
}

static void check_probabilities(dq_prompt_stage stage, const char *label, const char *body, size_t n)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    double p[DQ_LABELS], sum = 0;
    dq_label number = dq_label_number(label);
    bool soft = dq_label_probabilities(stage, number, body, n, &arena, p);
    for (size_t i = 0; i < DQ_LABELS; i++) {
        fuzz_finite(p[i]);
        sum += p[i];
    }
    if (soft && (!label || fabs(sum - 1) > 1e-9 || !(p[number] > 0)))
        fuzz_fail("probabilities of %s that sum to %g", label ? label : "no label", sum);
    dq_arena_free(&arena);
}

static const char *read_body(dq_prompt_stage stage, const char *body, size_t n)
{
    static const char *const others[DQ_PROMPT_STAGES] = {
        [DQ_PROMPT_FIRST] = "APPLY SAVE", [DQ_PROMPT_SECOND] = "CLICK", [DQ_PROMPT_ONCE] = ""};
    static const dq_answer_wish wish = {.soft = true};
    dq_label_form form;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_label_form_init(&form, stage, &wish);
    const char *label = form.form.read(&form.form, body, n, &arena);
    if (label && (dq_label_number(label) == DQ_NO_LABEL || strstr(others[stage], label)))
        fuzz_fail("%s is no label of the stage", label);
    check_probabilities(stage, label, body, n);
    dq_arena_free(&arena);
    /* cppcheck-suppress returnDanglingLifetime ; a label's name is static */
    return label;
}

static const char *read_words(dq_prompt_stage stage, const char *before, fuzz_bytes words, const char *behind)
{
    dq_json_text body = body_of(before, words, behind);
    const char *label = read_body(stage, body.data, body.bytes);
    dq_json_text_free(&body);
    return label;
}

/* Blanks stay where they are, and nothing is written but blanks. */
static void check_blanks(fuzz_bytes words)
{
    char *text = fuzz_text(words);
    dq_thoughts_blank(text, words.n);
    for (size_t i = 0; i < words.n; i++)
        if (text[i] != (char)words.data[i] && text[i] != ' ') fuzz_fail("byte %zu became another", i);
    free(text);
}

static void read_answer(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    unsigned choice = fuzz_byte(&rest);
    dq_prompt_stage stage = (dq_prompt_stage)(choice / 2 % DQ_PROMPT_STAGES);
    if (choice & 1) {
        (void)read_body(stage, (const char *)rest.data, rest.n);
        return;
    }
    check_blanks(rest);
    if (!dq_utf8_valid(rest.data, rest.n)) return;
    const char *label = read_words(stage, "", rest, "");
    if (label != read_words(stage, "\n ", rest, "\n"))
        fuzz_fail("blanks around it change %s", label ? label : "none");
}

const fuzz_target fuzz_it = {.read = read_answer, .memory = 1 << 20, .per_byte = 1500};
