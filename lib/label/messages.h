/* SPDX-License-Identifier: MIT
 *
 * The messages that a model is asked with about a pair: a prompt, one of those that are compiled in
 * (data/prompts/) or a user's file, filled with the rows of a catalogue.
 */
#ifndef DQ_LABEL_MESSAGES_H
#define DQ_LABEL_MESSAGES_H

#include "data/catalogue.h"
#include "port/files/json.h"
#include "reward/prompt.h"

/* A prompt, and the memory to render it. Zero-initialise; free with dq_messages_free. */
typedef struct dq_messages {
    dq_prompt *prompt;
    const char *name; /* what the head says: "jobs", "items", or a digest of the file; NULL until it is chosen
                         by the catalogue */
    const dq_catalogue *catalogue;
    struct dq_messages_layout *users, *items; /* (bundles) */
    dq_prompt_field *fields[2];               /* room for a user's and an item's */
    dq_prompt_text words;
    dq_arena arena;
} dq_messages;

/* Loads "jobs", "items" or a file; NULL leaves the choice to dq_messages_ready. A file that is no prompt is
 * DQ_ERR_FORMAT with its line, one of a MiB or more DQ_ERR_RANGE. */
dq_status dq_messages_load(dq_messages *messages, const char *name, dq_error *error);
/* Chooses where nothing was named (jobs for a catalogue whose items have a title and whose users a bio,
 * skills or experience; else items), and checks that it has the stages, and the catalogue what it asks for
 * (else DQ_ERR_UNKNOWN). The catalogue is kept. */
dq_status dq_messages_ready(dq_messages *messages, const dq_catalogue *catalogue, bool two_stages,
                            dq_error *error);
/* Appends the messages of a pair as JSON: [{"role":"system","content":"..."},...]. */
dq_status dq_messages_write(dq_messages *messages, dq_prompt_stage stage, uint32_t user, uint32_t item,
                            dq_json_text *out, dq_error *error);
/* Appends the same as a line to look at: {"user":"u1","item":"j1","stage":"first","messages":[...]}. */
dq_status dq_messages_show(dq_messages *messages, dq_prompt_stage stage, uint32_t user, uint32_t item,
                           dq_json_text *line, dq_error *error);
/* Appends a request (a JSON object with a member "messages") with its system messages before the words of the
 * first of another role, for servers that take none. */
dq_status dq_messages_fold(const dq_value *request, dq_json_text *out, dq_error *error);
void dq_messages_free(dq_messages *messages);

#endif
