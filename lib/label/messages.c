/* SPDX-License-Identifier: MIT */
#include "label/messages.h"

#include "core/hex.h"
#include "dq/source.h"
#include "port/files/rows.h"
#include "port/files/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_MOST = 1 << 20 };

/* The prompts of data/prompts/, made into C when dq is built. */
extern const unsigned char dq_prompt_jobs[], dq_prompt_items[];
extern const size_t dq_prompt_jobs_bytes, dq_prompt_items_bytes;

/* Where a bundle's texts and attributes are. */
typedef struct dq_messages_layout {
    const dq_column **columns; /* texts first */
    const char **names;        /* without "text." and "attr." */
    size_t text_count, count;
} dq_messages_layout;

/* ---- loading ---- */

static dq_status read_all(dq_source *source, char *text, size_t *bytes, dq_error *error)
{
    size_t got = 1;
    dq_status status = DQ_OK;
    for (*bytes = 0; !status && got && *bytes < PROMPT_MOST; *bytes += got)
        status = dq_source_read(source, text + *bytes, PROMPT_MOST - *bytes, &got, error);
    if (!status && *bytes == PROMPT_MOST)
        status = dq_fail(error, DQ_ERR_RANGE, "a prompt of more than %d bytes", PROMPT_MOST - 1);
    return status;
}

/* A file is recorded by what it says, not by where it lies. */
static dq_status name_by_digest(dq_messages *p, const char *text, size_t bytes, dq_error *error)
{
    uint8_t digest[DQ_SHA256_BYTES];
    char name[32] = "sha256:";
    dq_sha256(text, bytes, digest);
    dq_hex_write(name + strlen(name), digest, 8);
    p->name = dq_arena_text(&p->arena, name, strlen(name));
    return p->name ? DQ_OK : dq_fail_memory(error, "prompts");
}

static dq_status load_file(dq_messages *p, const char *path, dq_error *error)
{
    dq_source *source = NULL;
    size_t bytes = 0;
    char *text = malloc(PROMPT_MOST);
    if (!text) return dq_fail_memory(error, "prompts");
    dq_status status = dq_source_open(&source, path, error);
    if (!status) status = dq_source_text(source, error);
    if (!status) status = read_all(source, text, &bytes, error);
    if (!status) status = name_by_digest(p, text, bytes, error);
    if (!status) status = dq_prompt_parse(&p->prompt, text, bytes, error);
    if (status) (void)dq_error_at(error, path, error ? error->record : DQ_NO_RECORD);
    dq_source_close(source);
    free(text);
    return status;
}

dq_status dq_messages_load(dq_messages *p, const char *name, dq_error *error)
{
    if (!name) return DQ_OK;
    bool jobs = strcmp(name, "jobs") == 0;
    if (!jobs && strcmp(name, "items") != 0) return load_file(p, name, error);
    p->name = jobs ? "jobs" : "items";
    return dq_prompt_parse(&p->prompt, (const char *)(jobs ? dq_prompt_jobs : dq_prompt_items),
                           jobs ? dq_prompt_jobs_bytes : dq_prompt_items_bytes, error);
}

/* ---- what the catalogue has ---- */

static void add_columns(dq_messages_layout *l, const dq_bundle *bundle, const char *prefix)
{
    for (size_t i = 0; i < bundle->column_count; i++) {
        const dq_column *c = &bundle->columns[i];
        if (strncmp(c->name, prefix, strlen(prefix)) != 0 || dq_dtype_size(c->type) != 0) continue;
        l->names[l->count] = c->name + strlen(prefix);
        l->columns[l->count++] = c;
    }
}

static dq_status lay_out(dq_messages *p, const dq_entities *entities, dq_messages_layout **layouts,
                         dq_prompt_field **fields, dq_error *error)
{
    size_t most = 0;
    *layouts = dq_arena_zero(&p->arena, entities->bundle_count + 1, sizeof **layouts);
    for (size_t b = 0; *layouts && b < entities->bundle_count; b++) {
        const dq_bundle *bundle = &entities->bundles[b];
        dq_messages_layout *l = &(*layouts)[b];
        l->columns = dq_arena_zero(&p->arena, bundle->column_count + 1, sizeof *l->columns);
        l->names = dq_arena_zero(&p->arena, bundle->column_count + 1, sizeof *l->names);
        if (!l->columns || !l->names) return dq_fail_memory(error, "prompts");
        add_columns(l, bundle, "text.");
        l->text_count = l->count;
        add_columns(l, bundle, "attr.");
        if (l->count > most) most = l->count;
    }
    *fields = dq_arena_zero(&p->arena, most + 1, sizeof **fields);
    return *layouts && *fields ? DQ_OK : dq_fail_memory(error, "prompts");
}

/* Whether some bundle has the text or attribute. */
static bool layouts_have(const dq_messages_layout *layouts, size_t bundles, const char *name, bool text)
{
    for (size_t b = 0; b < bundles; b++)
        for (size_t i = 0; i < (text ? layouts[b].text_count : layouts[b].count); i++)
            if (strcmp(layouts[b].names[i], name) == 0) return true;
    return false;
}

static dq_status check_names(const dq_messages *p, dq_prompt_stage stage, bool item, dq_error *error)
{
    const dq_entities *entities = item ? &p->catalogue->items : &p->catalogue->users;
    const dq_messages_layout *layouts = item ? p->items : p->users;
    const char *name, *what = item ? "item" : "user";
    for (size_t i = 0; (name = dq_prompt_name(p->prompt, stage, item, i)) != NULL; i++)
        if (entities->bundle_count && !layouts_have(layouts, entities->bundle_count, name, false))
            return dq_fail(error, DQ_ERR_UNKNOWN,
                           "the prompt asks for {%s.%s}, and no %s has a text or attribute '%s'", what, name,
                           what, name);
    return DQ_OK;
}

static bool looks_like_jobs(const dq_messages *p)
{
    size_t users = p->catalogue->users.bundle_count, items = p->catalogue->items.bundle_count;
    return layouts_have(p->items, items, "title", true) &&
           (layouts_have(p->users, users, "bio", true) || layouts_have(p->users, users, "skills", true) ||
            layouts_have(p->users, users, "experience", true));
}

dq_status dq_messages_ready(dq_messages *p, const dq_catalogue *catalogue, bool two_stages, dq_error *error)
{
    static const char *const missing[] = {"@first user", "@second user", "@once user"};
    p->catalogue = catalogue;
    dq_status status = lay_out(p, &catalogue->users, &p->users, &p->fields[0], error);
    if (!status) status = lay_out(p, &catalogue->items, &p->items, &p->fields[1], error);
    if (!status && !p->prompt) status = dq_messages_load(p, looks_like_jobs(p) ? "jobs" : "items", error);
    for (unsigned s = 0; !status && s < DQ_PROMPT_STAGES; s++) {
        bool wanted = (s == DQ_PROMPT_ONCE) != two_stages;
        if (!wanted) continue;
        if (!dq_prompt_has(p->prompt, (dq_prompt_stage)s))
            return dq_fail(error, DQ_ERR_UNKNOWN, "the prompt has no %s message, which --stages %d needs",
                           missing[s], two_stages ? 2 : 1);
        status = check_names(p, (dq_prompt_stage)s, false, error);
        if (!status) status = check_names(p, (dq_prompt_stage)s, true, error);
    }
    return status;
}

/* ---- rendering ---- */

/* An attribute is JSON; a plain string of it goes without its quotes. */
static void unquote(dq_prompt_field *field)
{
    if (field->bytes < 2 || field->text[0] != '"' || memchr(field->text, '\\', field->bytes)) return;
    field->text++;
    field->bytes -= 2;
}

static dq_prompt_row row_of(const dq_entities *entities, const dq_messages_layout *layouts,
                            dq_prompt_field *fields, uint32_t row)
{
    const dq_row *at = &entities->rows[row];
    const dq_messages_layout *l = &layouts[at->bundle];
    dq_prompt_row r = {.fields = fields, .text_count = l->text_count, .count = l->count};
    r.id = dq_entities_id(entities, row, &r.id_bytes);
    for (size_t i = 0; i < l->count; i++) {
        fields[i].name = l->names[i];
        fields[i].text = dq_column_text(l->columns[i], at->row, &fields[i].bytes);
        if (i >= l->text_count && fields[i].text) unquote(&fields[i]);
    }
    return r;
}

dq_status dq_messages_write(dq_messages *p, dq_prompt_stage stage, uint32_t user, uint32_t item,
                            dq_json_text *out, dq_error *error)
{
    dq_prompt_row u = row_of(&p->catalogue->users, p->users, p->fields[0], user);
    dq_prompt_row i = row_of(&p->catalogue->items, p->items, p->fields[1], item);
    dq_status status = DQ_OK;
    for (size_t m = 0; !status && m < dq_prompt_messages(p->prompt, stage); m++) {
        bool system = dq_prompt_role(p->prompt, stage, m)[0] == 's';
        const char *head = system ? "{\"role\":\"system\",\"content\":" : "{\"role\":\"user\",\"content\":";
        p->words.bytes = 0;
        status = dq_prompt_render(p->prompt, stage, m, &u, &i, &p->words, error);
        if (!status) status = dq_json_write_raw(out, m ? "," : "[", 1, error);
        if (!status) status = dq_json_write_raw(out, head, strlen(head), error);
        if (!status) status = dq_json_write_string(out, p->words.data, p->words.bytes, error);
        if (!status) status = dq_json_write_raw(out, "}", 1, error);
    }
    return status ? status : dq_json_write_raw(out, "]", 1, error);
}

dq_status dq_messages_show(dq_messages *p, dq_prompt_stage stage, uint32_t user, uint32_t item,
                           dq_json_text *line, dq_error *error)
{
    static const char *const stages[] = {"first", "second", "once"};
    size_t u, i;
    const char *user_id = dq_entities_id(&p->catalogue->users, user, &u);
    const char *item_id = dq_entities_id(&p->catalogue->items, item, &i);
    dq_status status = dq_rows_begin_pair(line, user_id, u, item_id, i, error);
    if (!status) status = dq_json_write_raw(line, ",\"stage\":", 9, error);
    if (!status) status = dq_json_write_string(line, stages[stage], strlen(stages[stage]), error);
    if (!status) status = dq_json_write_raw(line, ",\"messages\":", 12, error);
    if (!status) status = dq_messages_write(p, stage, user, item, line, error);
    return status ? status : dq_json_write_raw(line, "}\n", 2, error);
}

/* ---- without system messages ---- */

static bool is_system(const dq_value *message)
{
    return dq_value_is(dq_map_get(message, "role"), "system");
}

static bool add_text(dq_arena *arena, dq_value *text, const dq_value *more)
{
    if (!more || more->type != DQ_STRING) return true;
    size_t gap = text->count ? 2 : 0, bytes = text->count + gap + more->count;
    char *joined = dq_arena_take(arena, bytes + 1);
    if (!joined) return false;
    if (text->count) memcpy(joined, text->as.string, text->count);
    memcpy(joined + text->count, "\n\n", gap);
    memcpy(joined + text->count + gap, more->as.string, more->count);
    *text = dq_string_n(arena, joined, bytes);
    return text->type == DQ_STRING;
}

static bool add_user(dq_arena *arena, dq_value *messages, dq_value words)
{
    dq_value message = dq_map(), role = dq_string(arena, "user");
    return role.type == DQ_STRING && dq_map_set(arena, &message, "role", role) &&
           dq_map_set(arena, &message, "content", words) && dq_list_add(arena, messages, message);
}

/* The list without its system messages, whose words go before those of the first that is left. */
static bool fold_messages(dq_arena *arena, const dq_value *messages, dq_value *folded)
{
    dq_value words = dq_string_n(arena, "", 0);
    bool fine = words.type == DQ_STRING, first = true;
    *folded = dq_list();
    for (uint32_t i = 0; fine && i < messages->count; i++)
        if (is_system(&messages->as.list[i]))
            fine = add_text(arena, &words, dq_map_get(&messages->as.list[i], "content"));
    for (uint32_t i = 0; fine && i < messages->count; i++) {
        dq_value message = dq_map();
        const dq_value *from = &messages->as.list[i];
        if (is_system(from)) continue;
        if (first) fine = add_text(arena, &words, dq_map_get(from, "content"));
        fine = fine && dq_map_set(arena, &message, "role", *dq_map_get(from, "role")) &&
               dq_map_set(arena, &message, "content", first ? words : *dq_map_get(from, "content")) &&
               dq_list_add(arena, folded, message);
        first = false;
    }
    return fine && (!first || !words.count || add_user(arena, folded, words));
}

dq_status dq_messages_fold(const dq_value *request, dq_json_text *out, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value folded = dq_map(), messages;
    bool fine = true;
    for (uint32_t i = 0; fine && i < request->count; i++) {
        const dq_entry *e = &request->as.map[i];
        bool it = dq_value_is(&e->key, "messages") && e->value.type == DQ_LIST;
        fine = !it || fold_messages(&arena, &e->value, &messages);
        fine = fine && dq_map_set(&arena, &folded, e->key.as.string, it ? messages : e->value);
    }
    dq_status status = fine ? dq_json_write(out, &folded, error) : dq_fail_memory(error, "messages");
    dq_arena_free(&arena);
    return status;
}

void dq_messages_free(dq_messages *p)
{
    dq_prompt_free(p->prompt);
    dq_prompt_text_free(&p->words);
    dq_arena_free(&p->arena);
    *p = (dq_messages){0};
}
