/* SPDX-License-Identifier: MIT
 *
 * Prompts: from a template and two rows, a user's and an item's, to the messages that a model is asked with.
 *
 *     # A comment.
 *     @first system
 *     You are the person in the profile.
 *     @first user
 *     <profile>
 *     {user.texts}
 *     </profile>
 *     <job>
 *     title: {item.title}
 *     </job>
 *     Answer with one line, DECISION: CLICK or DECISION: IGNORE.
 *
 * A file holds the messages of the stages "first" and "second" (a judgement in two stages) and "once" (in
 * one), any of them. {user.NAME} and {item.NAME} stand for a text of the row, else an attribute; {SIDE.texts}
 * and {SIDE.attributes} for all of them, a line "name: text" each; {SIDE.first} for the first text; {SIDE.id}
 * for the id. Other braces are themselves.
 *
 * The texts of rows are data that strangers wrote, so they are fenced. A placeholder is only accepted between
 * <tag> and </tag> of the template, and in what it stands for every '<' becomes "&lt;": whatever a text says,
 * the fence is closed by the template alone. (A fence with a secret marker would change with every posting,
 * or need a digest of it; without '<' there is nothing to forge, nor a "<|im_start|>" for a server that takes
 * special tokens in texts.) Placeholders in a text are not looked at again.
 */
#ifndef DQ_REWARD_PROMPT_H
#define DQ_REWARD_PROMPT_H

#include "dq/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum dq_prompt_stage {
    DQ_PROMPT_FIRST,
    DQ_PROMPT_SECOND,
    DQ_PROMPT_ONCE,
    DQ_PROMPT_STAGES
} dq_prompt_stage;

typedef struct dq_prompt dq_prompt;

/* Parses a template; DQ_ERR_FORMAT, with the line as error->record, for one that is not well-formed or would
 * set a text outside a fence. */
dq_status dq_prompt_parse(dq_prompt **prompt, const char *text, size_t bytes, dq_error *error);
void dq_prompt_free(dq_prompt *prompt);

/* Whether it has messages for a stage. */
bool dq_prompt_has(const dq_prompt *prompt, dq_prompt_stage stage);
/* A stage's messages: how many (0 to 2), and the role of each, "system" or "user". */
size_t dq_prompt_messages(const dq_prompt *prompt, dq_prompt_stage stage);
const char *dq_prompt_role(const dq_prompt *prompt, dq_prompt_stage stage, size_t message);

/* The i-th NAME that a stage asks of users (item: of items), or NULL when there are no more; the listing
 * names (texts, attributes, first, id) are left out. */
const char *dq_prompt_name(const dq_prompt *prompt, dq_prompt_stage stage, bool item, size_t i);

/* A row as a prompt sees it. */
typedef struct dq_prompt_field {
    const char *name; /* "title" */
    const char *text; /* (bytes); NULL: the row has none */
    size_t bytes;
} dq_prompt_field;

typedef struct dq_prompt_row {
    const dq_prompt_field *fields; /* the texts first, then the attributes */
    size_t text_count, count;
    const char *id;
    size_t id_bytes;
} dq_prompt_row;

/* Text in the making. Zero-initialise; `bytes = 0` forgets the text and keeps the memory. */
typedef struct dq_prompt_text {
    char *data; /* not NUL-terminated */
    size_t bytes, capacity;
} dq_prompt_text;

/* Appends the words of a message. A text that a row lacks is nothing. DQ_ERR_MEMORY. */
dq_status dq_prompt_render(const dq_prompt *prompt, dq_prompt_stage stage, size_t message,
                           const dq_prompt_row *user, const dq_prompt_row *item, dq_prompt_text *out,
                           dq_error *error);
void dq_prompt_text_free(dq_prompt_text *text);

#endif
