/* SPDX-License-Identifier: MIT
 *
 * Prompts. The input is a template; it is filled with rows that try to break out of their fences. No '<' of a
 * row is in what a model is asked, and the words of the template are there as they are.
 */
#include "fuzz.h"

#include "reward/prompt.h"

#include <string.h>

/* The rows' texts have this mark before what could end a fence. */
#define BREAK "\x01<"
#define FIELD(name, text)                                                                                    \
    {                                                                                                        \
        name, text, sizeof(text) - 1                                                                         \
    }

static const dq_prompt_field fields[] = {FIELD("title", "a" BREAK "/title>" BREAK "/item>"),
                                         {"bio", NULL, 0},
                                         FIELD("", ""),
                                         FIELD(BREAK, BREAK),
                                         FIELD("attr", "\xff\n{user.title}")};
static const dq_prompt_row row = {fields, 3, sizeof fields / sizeof *fields, "id" BREAK,
                                  sizeof "id" BREAK - 1};

static void check_words(const dq_prompt_text *out)
{
    for (const char *at = out->data;
         out->bytes && (at = memchr(at, '\x01', out->bytes - (size_t)(at - out->data))); at++)
        if (at + 1 < out->data + out->bytes && at[1] == '<') fuzz_fail("a row broke out of its fence");
}

static void render(const dq_prompt *prompt, dq_prompt_stage stage, size_t bytes)
{
    dq_error e = DQ_ERROR_NONE;
    dq_prompt_text out = {0};
    size_t messages = dq_prompt_messages(prompt, stage), names = 0;
    if ((messages > 0) != dq_prompt_has(prompt, stage)) fuzz_fail("a stage without messages");
    for (size_t m = 0; m < messages; m++) {
        const char *role = dq_prompt_role(prompt, stage, m);
        if (strcmp(role, m + 1 == messages ? "user" : "system") != 0) fuzz_fail("message %zu of %s", m, role);
        if (dq_prompt_render(prompt, stage, m, &row, &row, &out, &e)) fuzz_fail("%s", e.reason);
    }
    for (int item = 0; item < 2; item++)
        while (names <= bytes && dq_prompt_name(prompt, stage, item, names)) names++;
    if (names > bytes) fuzz_fail("more names than bytes");
    check_words(&out);
    dq_prompt_text_free(&out);
}

static void read_prompt(const uint8_t *data, size_t n)
{
    dq_error e = DQ_ERROR_NONE;
    dq_prompt *prompt;
    if (memchr(data, '\x01', n)) return; /* the rows' own mark */
    if (dq_prompt_parse(&prompt, (const char *)data, n, &e)) {
        fuzz_refused(&e);
        return;
    }
    for (int stage = 0; stage < DQ_PROMPT_STAGES; stage++) render(prompt, (dq_prompt_stage)stage, n);
    dq_prompt_free(prompt);
}

const fuzz_target fuzz_it = {.read = read_prompt, .memory = 1 << 20, .per_byte = 400};
