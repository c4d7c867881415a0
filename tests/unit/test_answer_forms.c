/* SPDX-License-Identifier: MIT
 *
 * Every form of an answer that is read, by every label of every stage, and what is made of these: cut at each
 * byte, a byte left out, put in or replaced, thoughts around them, another label beside them. Whatever
 * happens to an answer it is read as its own label or as none, never as another.
 */
#include "label/answer.h"
#include "port/files/json.h"
#include "reward/judgement.h"
#include "reward/thoughts.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROOM = 1024 };

/* ---- forms; @ is the label ---- */

static const char *const forms[] = {
    "@",
    " \n@.\n",
    "**@**",
    "\"@\"",
    "`@`",
    "__@__",
    "\xe2\x80\x9c@\xe2\x80\x9d",
    "\xef\xbb\xbf@",
    "@ \xf0\x9f\x91\x8d",
    "- @",
    "@</s>",
    "@<|im_end|>",
    "@<|eot_id|>\n<|start_header_id|>user<|end_header_id|>\nAnother posting",
    "<|im_start|>assistant\n@<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\n@",
    "<s>[INST][/INST]@</s>",
    "@<end_of_turn>",
    "@<\xef\xbd\x9c"
    "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>",
    "<|begin_of_box|>@<|end_of_box|>",
    "<answer>@</answer>",
    "[BEGIN FINAL RESPONSE]\n@\n[END FINAL RESPONSE]",
    "<decision>\n@\n</decision>",
    "```\n@\n```",
    "It suits me well.\n\n@",
    "@\n\nThe commute is long, but the work is mine.",
    "DECISION: @",
    "decision: @",
    "Decision:@.",
    "**DECISION:** @",
    "**DECISION: @**",
    "- decision = '@'.",
    "> DECISION: @",
    "1. Decision: @",
    "My decision: @",
    "The final decision is @.",
    "DECISION - @",
    "DECISION \xe2\x80\x94 @",
    "DECISION \xe2\x86\x92 @",
    "DECISION @",
    "DECISION\xef\xbc\x9a@",
    "DECISION: [@]",
    "DECISION: _@_",
    "DECISION:\n@",
    "**Decision:**\n\n**@**\n\nIt is what I look for.",
    "Decision: @, since it is near",
    "Thank you for asking.\nDECISION: @\nHave a good day!",
    "DECISION: @\nDECISION: @",
    "DECISION: @</s>",
    "Answer: @",
    "Label: **@**",
    "Final answer: @",
    "decision: \"@\"",
    "```yaml\ndecision: @\n```",
    "{\"decision\":\"@\"}",
    "{\"decision\": \"@\"}\n",
    "{\"Decision\": \" @ \"}",
    "{\"decision\": \"@.\"}",
    "{\"decision\": \"DECISION: @\"}",
    "{\"decision\": \"@\",}",
    "{'decision': '@'}",
    "{\xe2\x80\x9c"
    "decision\xe2\x80\x9d: \xe2\x80\x9c@\xe2\x80\x9d}",
    "{\xe2\x80\x98"
    "decision\xe2\x80\x99: \xe2\x80\x98@\xe2\x80\x99}",
    "{decision: @}",
    "{decision: \"@\"}",
    "{\"decision\": @}",
    "{\"decision\"\xef\xbc\x9a\"@\"}",
    "{\"decision\": \"@\"\xef\xbc\x8c\"why\": 1}",
    "{\"decision\" = \"@\"}",
    "{\n  \"decision\": \"@\"\n}",
    "{\"reason\": \"a } in \\\"quotes\\\"\", \"decision\": \"@\"}",
    "{\"reason\": \"he said \"no\" to it\", \"decision\": \"@\"}",
    "{'reason': 'I don't know, it's far', 'decision': '@'}",
    "{\"reason\": \"far\"\n\"decision\": \"@\"}",
    "{\"decision\": \"@\", \"confidence\": 0.9, \"tags\": [\"a\", {\"b\": null}]}",
    "{\"answer\": {\"decision\": \"@\"}}",
    "[{\"decision\": \"@\"}]",
    "```json\n{\"decision\": \"@\"}\n```",
    "```json {\"decision\": \"@\"}```",
    "Here is my answer: {\"decision\": \"@\"}",
    "Sure!\n\n```json\n{\n  \"decision\": \"@\"\n}\n```\nBye.",
    "{\"decision\": \"@\"}\n\nIt suits me.",
    "{\"decision\": \"@\"}</s>",
    "{\"decision\": \"@\"} {\"decision\": \"@\"}",
    "DECISION: @\n{\"decision\": \"@\"}",
    "assistant\n\n{\"decision\": \"@\"}",
};

/* ---- thoughts; $ is what is thought ---- */

static const char *const thoughts[] = {
    "<think>$</think>",
    "<think>\n$\n</think>\n\n",
    "<thinking>$</thinking>",
    "<THINK>$</THINK>",
    "<thought>$</thought>",
    "<reasoning>$</reasoning>",
    "<reflection depth=\"1\">$</reflection>",
    "<seed:think>$</seed:think>",
    "[THINK]$[/THINK]",
    "\xe2\x97\x81think\xe2\x96\xb7$\xe2\x97\x81/think\xe2\x96\xb7",
    "<|begin_of_thought|>$<|end_of_thought|>",
    "<|START_THINKING|>$<|END_THINKING|>",
    "<think>a<think>b</think>$</think>",
    "$</think>",
    "$\n</thinking>\n",
    "$[/THINK]",
    "a</think>$</think>",
    "<think></think>$</think>",
    "<|channel|>analysis<|message|>$<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>analysis<|message|>$<|end|><|start|>assistant<|channel|>commentary<|"
    "message|>"
    "$<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    "analysis<|message|>$<|end|><|start|>assistant<|channel|>final<|message|>",
    "analysis$assistantfinal",
    "<details type=\"reasoning\">\n$\n</details>\n",
    "<longcat_think>$</longcat_think>",
    "<Chain_of_Thought>\n$\n</Chain_of_Thought>\n",
    "< think >\n$\n</ think >\n",
    "&lt;think&gt;$&lt;/think&gt;",
    "<|channel>thought\n$<channel|>",
    "Here is my thought process: $\nHere is my response:\n",
    "Here are my reasoning steps:\n$\n[BEGIN FINAL RESPONSE]\n",
};

/* What is left when the answer never comes. */
static const char *const only_thoughts[] = {
    "<think>$",
    "<think>\n$\n",
    "<thinking>$",
    "[THINK]$",
    "\xe2\x97\x81think\xe2\x96\xb7$",
    "<|channel|>analysis<|message|>$",
    "<|channel|>analysis<|message|>$<|end|>",
    "<|channel|>analysis $",
    "<|channel|>commentary to=functions.apply<|message|>$<|call|>",
    "<|channel|>final<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>$",
    "analysisThe user wants a label. $",
    "<think><think>a</think>$",
    "Here's my thought process:\n$",
    "<longcat_think>$",
    "< think >\n$\n",
    "&lt;think&gt;$",
    "<|channel>thought\n$",
    "<think>a</think><think>$",
    "<think>$</think>",
    "$</think>",
};

/* ---- reading ---- */

static const char *const labels[] = {"APPLY", "SAVE", "CLICK", "IGNORE"};
static const bool of_stage[DQ_PROMPT_STAGES][4] = {
    [DQ_PROMPT_FIRST] = {0, 0, 1, 1}, [DQ_PROMPT_SECOND] = {1, 1, 0, 1}, [DQ_PROMPT_ONCE] = {1, 1, 1, 1}};

static dq_label_form stages[DQ_PROMPT_STAGES];

static int make_forms(void **unused)
{
    (void)unused;
    for (unsigned s = 0; s < DQ_PROMPT_STAGES; s++)
        dq_label_form_init(&stages[s], (dq_prompt_stage)s, &(dq_answer_wish){0});
    return 0;
}

/* The label that a body with this content has, or NULL; more: members of the message behind it. */
static const char *read_message(unsigned stage, const char *content, size_t n, const char *finish,
                                const char *more)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_json_text body = DQ_JSON_TEXT_EMPTY;
    char tail[ROOM];
    static const char head[] = "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":";
    assert_int_equal(dq_json_write_raw(&body, head, sizeof head - 1, NULL), DQ_OK);
    if (!content)
        assert_int_equal(dq_json_write_raw(&body, "null", 4, NULL), DQ_OK);
    else if (dq_json_write_string(&body, content, n, NULL)) { /* no UTF-8: no JSON has it */
        dq_json_text_free(&body);
        return NULL;
    }
    int used = snprintf(tail, sizeof tail, "%s},\"finish_reason\":\"%s\"}]}", more, finish);
    assert_int_equal(dq_json_write_raw(&body, tail, (size_t)used, NULL), DQ_OK);
    const dq_ask_form *form = &stages[stage].form;
    const char *label = form->read(form, body.data, body.bytes, &arena);
    const char *own = label ? dq_labels[dq_label_number(label)] : NULL;
    dq_json_text_free(&body);
    dq_arena_free(&arena);
    return own;
}

static const char *read_text(unsigned stage, const char *content, size_t n)
{
    return read_message(stage, content, n, "stop", "");
}

static bool same(const char *got, const char *label)
{
    if (!got || !label) return got == label;
    return strcmp(got, label) == 0;
}

static void reads_as(unsigned stage, const char *content, const char *label)
{
    const char *got = read_text(stage, content, strlen(content));
    if (!same(got, label)) fail_msg("stage %u, '%s': %s", stage, content, got ? got : "no label");
}

static void reads_as_or_none(const char *content, size_t n, const char *label)
{
    const char *got = read_text(DQ_PROMPT_ONCE, content, n);
    if (got && strcmp(got, label) != 0) fail_msg("'%.*s': %s, not %s", (int)n, content, got, label);
}

/* Puts words in the place of a mark. */
static const char *fill(const char *form, char mark, const char *words, char text[ROOM])
{
    size_t used = 0;
    for (const char *c = form; *c && used + 1 < ROOM; c++) {
        if (*c != mark)
            text[used++] = *c;
        else
            used += (size_t)snprintf(text + used, ROOM - used, "%s", words);
    }
    assert_true(used < ROOM);
    text[used] = '\0';
    return text;
}

#define EACH(i, list) for (size_t i = 0; i < sizeof(list) / sizeof *(list); i++)

static void lower(char *text, bool first_too)
{
    for (size_t i = first_too ? 0 : 1; text[i]; i++) text[i] = (char)tolower((unsigned char)text[i]);
}

/* ---- every form, every label ---- */

static void every_form_of_every_label(void **unused)
{
    (void)unused;
    char text[ROOM], word[16];
    EACH(f, forms)
    for (unsigned stage = 0; stage < DQ_PROMPT_STAGES; stage++) EACH(l, labels)
    for (int letters = 0; letters < 3; letters++) {
        (void)snprintf(word, sizeof word, "%s", labels[l]);
        if (letters) lower(word, letters == 2);
        reads_as(stage, fill(forms[f], '@', word, text), of_stage[stage][l] ? labels[l] : NULL);
    }
}

static void other_words_are_no_labels(void **unused)
{
    (void)unused;
    static const char *const words[] = {"MAYBE",  "HIRE",          "IGNORED",     "APPLYING", "APPLY?",
                                        "UNSAVE", "APPLY_1",       "SAVE2",       "APPL",     "not APPLY",
                                        "null",   "APPLY\xc3\xa9", "\xd0\x90PPLY"};
    char text[ROOM];
    EACH(f, forms) EACH(w, words) reads_as(DQ_PROMPT_ONCE, fill(forms[f], '@', words[w], text), NULL);
}

static void two_labels_are_none(void **unused)
{
    (void)unused;
    static const char *const both[] = {"% or &",  "% / &",         "%, &", "%|&",
                                       "% and &", "either % or &", "%/&",  "% (not &)"};
    char words[64], one[16], text[ROOM], first[ROOM], second[ROOM];
    EACH(a, labels) EACH(b, labels)
    {
        if (a == b) continue;
        EACH(f, forms)
        {
            EACH(p, both)
            {
                (void)snprintf(one, sizeof one, "%s", both[p]);
                (void)fill(fill(one, '%', labels[a], text), '&', labels[b], first);
                (void)snprintf(words, sizeof words, "%.60s", first);
                reads_as(DQ_PROMPT_ONCE, fill(forms[f], '@', words, text), NULL);
            }
            size_t g = (f * 7 + a * 3 + b) % (sizeof forms / sizeof *forms);
            if (strstr(forms[f], "<|eot") || strstr(forms[f], "</s>") || strstr(forms[f], "<|im_end") ||
                strstr(forms[f], "_turn>") || strstr(forms[f], "box|>") || strstr(forms[f], "<\xef\xbd\x9c"))
                continue; /* what stands behind the end of a turn is not said */
            (void)fill(forms[f], '@', labels[a], first);
            (void)fill(forms[g], '@', labels[b], second);
            (void)snprintf(text, sizeof text, "%.500s\n%.500s", first, second);
            const char *got = read_text(DQ_PROMPT_ONCE, text, strlen(text));
            bool states = strstr(forms[f], "ECISION: ") || strstr(forms[f], "decision\":");
            bool too = strstr(forms[g], "ECISION: ") || strstr(forms[g], "decision\":");
            if (states && too && got) fail_msg("'%s': %s", text, got);
        }
    }
}

static void mentions_are_none(void **unused)
{
    (void)unused;
    static const char *const prose[] = {
        "I would @ this.",
        "I would not @ on this.",
        "@ now",
        "@?",
        "DECISION: not @",
        "DECISION: @?",
        "Should I @? I wonder.",
        "The label @ is one of those that I may give.",
        "I will not answer {\"decision\": \"@\"}",
        "Rather than {\"decision\": \"@\"}, I say nothing.",
        "{\"label\": \"@\"}",
        "{\"decision\": null, \"reason\": \"@\"}",
        "{\"decision\": [\"@\"]}",
        "{\"decision\": {\"label\": \"@\"}}",
        "{\"decision\": \"\", \"then\": \"@\"}",
        "{\"@\": \"decision\"}",
        "[\"@\", 1]",
        "{\"decision\": \"@\"",
        "{\"decision\": \"@",
        "```json\n{\"decision\": \"@\"\n```",
        "{\"reason\": \"\\\"decision\\\": \\\"@\\\"\"}",
        "{\"reason\": \"DECISION: @\"}",
        "DECISION: {\"label\": \"@\"}",
        "DECISIONS: @",
        "INDECISION: @",
        "Options are:\n@\nand others.",
        "@: yes, it may be something for you.",
        "Answer: I would @ it",
        "<html><body>DECISION: @</body></html>",
    };
    char text[ROOM];
    EACH(p, prose) EACH(l, labels) reads_as(DQ_PROMPT_ONCE, fill(prose[p], '@', labels[l], text), NULL);
}

/* ---- thoughts ---- */

/* Whatever is thought, in whatever form it would be read, the answer behind it counts. */
static void thoughts_are_not_read(void **unused)
{
    (void)unused;
    char inner[ROOM], thought[ROOM], answer[ROOM], text[2 * ROOM];
    EACH(t, thoughts) EACH(f, forms)
    {
        if (strstr(forms[f], "<|")) continue; /* a token of its own */
        for (size_t a = 0; a < 4; a++) {
            size_t b = (a + 1 + f % 3) % 4, g = (f * 5 + t) % (sizeof forms / sizeof *forms);
            (void)fill(thoughts[t], '$', fill(forms[f], '@', labels[a], inner), thought);
            reads_as(DQ_PROMPT_ONCE, thought, NULL);
            if (strstr(forms[g], "<|") || strstr(forms[g], "assistant")) g = 0;
            (void)fill(forms[g], '@', labels[b], answer);
            (void)snprintf(text, sizeof text, "%s%s", thought, answer);
            const char *got = read_text(DQ_PROMPT_ONCE, text, strlen(text));
            if (!got || strcmp(got, labels[b]) != 0) fail_msg("'%s': %s", text, got ? got : "no label");
        }
    }
}

/* Thoughts of one sort that hold those of another, marks and all. */
static void thoughts_in_thoughts(void **unused)
{
    (void)unused;
    static const char *const inner_forms[] = {"@", "DECISION: @", "{\"decision\": \"@\"}", "\n@\n"};
    char label[ROOM], inner[ROOM], outer[2 * ROOM], text[ROOM];
    EACH(t, thoughts) EACH(u, thoughts) EACH(f, inner_forms) EACH(g, inner_forms)
    {
        (void)fill(thoughts[u], '$', fill(inner_forms[f], '@', "APPLY", label), inner);
        if (strlen(inner) + strlen(thoughts[t]) > ROOM / 2) continue;
        (void)fill(thoughts[t], '$', inner, text);
        reads_as_or_none(text, strlen(text), "no label");
        int n = snprintf(outer, sizeof outer, "%s%s", text, fill(inner_forms[g], '@', "SAVE", label));
        reads_as_or_none(outer, (size_t)n, "SAVE");
    }
}

static void thoughts_alone_are_none(void **unused)
{
    (void)unused;
    char inner[ROOM], text[ROOM];
    EACH(t, only_thoughts) EACH(f, forms) EACH(l, labels)
    {
        if (strstr(forms[f], "<|")) continue;
        reads_as(DQ_PROMPT_ONCE, fill(only_thoughts[t], '$', fill(forms[f], '@', labels[l], inner), text),
                 NULL);
    }
}

/* Fields of thoughts, an answer that was cut, a refusal, no content: none of it is a label. */
static void what_is_not_content(void **unused)
{
    (void)unused;
    static const char *const fields[] = {"reasoning_content", "reasoning", "thinking", "text"};
    static const char *const ends[] = {"length",       "LENGTH",         "max_tokens", "MAX_TOKENS",
                                       "model_length", "content_filter", "SAFETY",     "abort"};
    char text[ROOM], more[ROOM + 64];
    EACH(f, forms)
    {
        (void)fill(forms[f], '@', "SAVE", text);
        EACH(e, ends)
        if (read_message(DQ_PROMPT_ONCE, text, strlen(text), ends[e], ""))
            fail_msg("%s: '%s'", ends[e], text);
        if (strpbrk(text, "\"\\\n")) continue; /* would have to be escaped */
        EACH(i, fields)
        {
            (void)snprintf(more, sizeof more, ",\"%s\":\"%s\"", fields[i], text);
            assert_null(read_message(DQ_PROMPT_ONCE, NULL, 0, "stop", more));
            assert_null(read_message(DQ_PROMPT_ONCE, "", 0, "stop", more));
        }
        (void)snprintf(more, sizeof more, ",\"refusal\":\"I cannot\"");
        assert_null(read_message(DQ_PROMPT_ONCE, text, strlen(text), "stop", more));
    }
}

static void reads_body(const char *body, const char *label)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    const dq_ask_form *form = &stages[DQ_PROMPT_ONCE].form;
    const char *got = form->read(form, body, strlen(body), &arena);
    if (!same(got, label)) fail_msg("%s: %s", body, got ? got : "none");
    dq_arena_free(&arena);
}

#define PARTS(parts) "{\"choices\":[{\"message\":{\"content\":[" parts "]}}]}"
#define TEXT(text)   "{\"type\":\"text\",\"text\":\"" text "\"}"

static void content_in_parts(void **unused)
{
    (void)unused;
    reads_body(PARTS(TEXT("DECISION: SAVE")), "SAVE");
    reads_body(PARTS(TEXT("DECI") "," TEXT("SION: SAVE")), "SAVE");
    reads_body(PARTS("{\"type\":\"output_text\",\"text\":\"SAVE\"}"), "SAVE");
    reads_body(PARTS("{\"text\":\"SAVE\"}"), "SAVE");
    reads_body(PARTS("{\"type\":\"text\",\"text\":{\"value\":\"SAVE\"}}"), "SAVE");
    reads_body(PARTS("{\"type\":\"thinking\",\"thinking\":[" TEXT("CLICK") "]}," TEXT("SAVE")), "SAVE");
    reads_body(PARTS("{\"type\":\"thinking\",\"text\":\"CLICK\"}," TEXT("SAVE")), "SAVE");
    reads_body(PARTS("{\"type\":\"reasoning\",\"text\":\"CLICK\"}"), NULL);
    reads_body(PARTS("{\"type\":\"thinking\",\"thinking\":\"CLICK\"}"), NULL);
    reads_body(PARTS("{\"type\":\"refusal\",\"refusal\":\"no\"}," TEXT("SAVE")), NULL);
    reads_body(PARTS(TEXT("SAVE") "," TEXT("\\nDECISION: CLICK")), NULL);
    reads_body(PARTS("\"SAVE\""), NULL);
    reads_body(PARTS("{\"type\":\"text\",\"text\":null},3,null,[]"), NULL);
    reads_body(PARTS(""), NULL);
}

/* ---- mutations ---- */

/* Cut anywhere, at either end. */
static void cut_anywhere(void **unused)
{
    (void)unused;
    char text[ROOM];
    EACH(f, forms) EACH(l, labels)
    {
        size_t n = strlen(fill(forms[f], '@', labels[l], text));
        for (size_t cut = 0; cut < n; cut++) {
            reads_as_or_none(text, cut, labels[l]);
            reads_as_or_none(text + cut, n - cut, labels[l]);
        }
    }
}

static void a_byte_otherwise(void **unused)
{
    (void)unused;
    static const char bytes[] = "\"'{}[]:,<>|/\\\n ?x";
    char text[ROOM], other[ROOM];
    EACH(f, forms)
    {
        const char *label = labels[f % 4];
        size_t n = strlen(fill(forms[f], '@', label, text));
        for (size_t at = 0; at < n; at++) {
            memcpy(other, text, at);
            memcpy(other + at, text + at + 1, n - at - 1);
            reads_as_or_none(other, n - 1, label);
            for (const char *b = bytes; *b; b++) {
                memcpy(other, text, n);
                other[at] = *b;
                reads_as_or_none(other, n, label);
                memcpy(other + at + 1, text + at, n - at);
                reads_as_or_none(other, n + 1, label);
            }
        }
    }
}

/* Anything at all: what is read is a word of the text. */
static void soup(void **unused)
{
    (void)unused;
    static const char *const pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ":",
                                         ",",
                                         "\"",
                                         "'",
                                         "\\",
                                         "\n",
                                         "decision",
                                         "DECISION: ",
                                         "SAVE",
                                         "APPLY",
                                         "IGNORE",
                                         "CLICK",
                                         "<think>",
                                         "</think>",
                                         "<|channel|>",
                                         "final",
                                         "<|message|>",
                                         "</s>",
                                         "[THINK]",
                                         "analysis",
                                         "```json",
                                         "\xe2\x80\x9c",
                                         "\xe2\x97\x81think\xe2\x96\xb7",
                                         "<",
                                         "|>",
                                         "\xef\xbc\x9a",
                                         "answer",
                                         "is",
                                         "?",
                                         " ",
                                         "\"decision\": \"SAVE\"",
                                         "{\"decision\":",
                                         "<|",
                                         "assistantfinal",
                                         "or",
                                         "<answer>"};
    uint32_t state = 1;
    for (int i = 0; i < 40000; i++) {
        char text[ROOM] = "";
        size_t used = 0;
        state = state * 1664525 + 1013904223;
        for (uint32_t k = 1 + (state >> 16) % 24; k; k--) {
            state = state * 1664525 + 1013904223;
            const char *piece = pieces[(state >> 8) % (sizeof pieces / sizeof *pieces)];
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", piece);
        }
        const char *got = read_text(DQ_PROMPT_ONCE, text, used);
        if (got && !strstr(text, got)) fail_msg("'%s': %s", text, got);
    }
}

/* A server may send what it likes: this takes no longer than its length. */
static void long_texts(void **unused)
{
    (void)unused;
    static const char *const pieces[] = {"{", "{\"", "<think>", "<", "[", "{\"a\":", "<|", "{'", "DECISION:"};
    enum { LONG = 1 << 18 };
    char *text = malloc(LONG);
    assert_non_null(text);
    EACH(p, pieces)
    {
        size_t n = strlen(pieces[p]);
        for (size_t i = 0; i + n <= LONG; i += n) memcpy(text + i, pieces[p], n);
        assert_null(read_text(DQ_PROMPT_ONCE, text, LONG / n * n));
    }
    free(text);
}

/* A quarter of a megabyte that repeats what begins something is read in its own time, not in its square. */
static void hostile_answers_end(void **unused)
{
    (void)unused;
    static const char *const pieces[] = {"{",          "{}",      "{\"a\":1} ",  "x{}",         "{\"",  "\"",
                                         "{'a' ",      "<",       "<a",          "<think>",     "&lt;", "[a ",
                                         "DECISION: ", "json{} ", "<|channel|>", "\xe2\x97\x81"};
    enum { BYTES = 1 << 18 };
    char *text = malloc(BYTES + 1);
    assert_non_null(text);
    EACH(i, pieces)
    {
        size_t n = strlen(pieces[i]), at = 0;
        dq_arena arena = DQ_ARENA_EMPTY;
        dq_value body = dq_map(), message = dq_map(), choice = dq_map(), choices = dq_list();
        for (; at + n <= BYTES; at += n) memcpy(text + at, pieces[i], n);
        text[at] = '\0';
        assert_true(dq_map_set(&arena, &message, "content", dq_string(&arena, text)) &&
                    dq_map_set(&arena, &choice, "message", message) &&
                    dq_list_add(&arena, &choices, choice) && dq_map_set(&arena, &body, "choices", choices));
        dq_answer answer;
        const dq_label_set set = {labels, 4, 4};
        size_t label, where;
        clock_t began = clock();
        assert_true(dq_answer_take(&body, &arena, &answer));
        assert_int_not_equal(dq_judgement_read(&answer, &set, &label, &where), DQ_READ);
        assert_true(clock() - began < 8 * CLOCKS_PER_SEC);
        dq_arena_free(&arena);
    }
    free(text);
}

/* Each closes what never opened, so that all before it is thought: seconds, not the hours of a square. */
static void thoughts_that_only_close_end(void **unused)
{
    (void)unused;
    static const char tag[] = "</think>";
    enum { LONG = 8 << 20, TAG = sizeof tag - 1 };
    char *text = malloc(LONG);
    assert_non_null(text);
    for (size_t i = 0; i + TAG <= LONG; i += TAG) memcpy(text + i, tag, TAG);
    clock_t began = clock();
    dq_thoughts_blank(text, LONG);
    assert_true(clock() - began < 8 * CLOCKS_PER_SEC);
    for (size_t i = 0; i < LONG; i++) assert_true(text[i] == ' ');
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_every_label),
        cmocka_unit_test(other_words_are_no_labels),
        cmocka_unit_test(two_labels_are_none),
        cmocka_unit_test(mentions_are_none),
        cmocka_unit_test(thoughts_are_not_read),
        cmocka_unit_test(thoughts_in_thoughts),
        cmocka_unit_test(thoughts_alone_are_none),
        cmocka_unit_test(hostile_answers_end),
        cmocka_unit_test(thoughts_that_only_close_end),
        cmocka_unit_test(what_is_not_content),
        cmocka_unit_test(content_in_parts),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(a_byte_otherwise),
        cmocka_unit_test(soup),
        cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests(tests, make_forms, NULL);
}
