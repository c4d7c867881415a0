/* SPDX-License-Identifier: MIT */
#include "import/mapping.h"

#include "core/layout.h"
#include "port/files/json.h"

#include <stdio.h>
#include <string.h>

static const char jobs[] =
    "{\n"
    "  \"users\": [\n"
    "    {\"collection\": \"candidates_text\", \"id\": \"_id\", \"attributes\": true,\n"
    "     \"texts\": {\"bio\": \"bio\", \"skills\": \"skills\", \"experience\": \"experience\"}},\n"
    "    {\"collection\": \"candidates_embeddings\", \"id\": \"original_candidate_id\",\n"
    "     \"vectors\": [\n"
    "       {\"field\": \"hard_skills\", \"key\": \"hard_skill_embeddings\", \"width\": 384},\n"
    "       {\"field\": \"soft_skills\", \"key\": \"soft_skills_embeddings\", \"width\": 384}]}\n"
    "  ],\n"
    "  \"items\": [\n"
    "    {\"collection\": \"jobs_text\", \"id\": \"_id\", \"attributes\": true,\n"
    "     \"texts\": {\"title\": \"job_title\", \"description\": \"description\",\n"
    "               \"technical_skills\": \"technical_skills\", \"soft_skills\": \"soft_skills\",\n"
    "               \"experience_requirements\": \"experience_requirements\"},\n"
    "     \"required\": [\"title\"]},\n"
    "    {\"collection\": \"job_embeddings\", \"id\": \"original_job_id\",\n"
    "     \"vectors\": [\n"
    "       {\"field\": \"title\", \"key\": \"job_title_embeddings\", \"width\": 384},\n"
    "       {\"field\": \"tech_skills\", \"key\": \"tech_skills_vectors\", \"width\": 384},\n"
    "       {\"field\": \"soft_skills\", \"key\": \"soft_skills_embeddings\", \"width\": 384},\n"
    "       {\"field\": \"experience\", \"key\": \"experience_requirements_embeddings\", \"width\": 384,\n"
    "        \"optional\": true}]}\n"
    "  ],\n"
    "  \"interactions\": {\"collection\": \"interactions\", \"optional\": true,\n"
    "                   \"user\": \"user\", \"item\": \"item\", \"label\": \"label\", \"reward\": "
    "\"reward\"},\n"
    "  \"pairs\": [[\"hard_skills\", \"tech_skills\"], [\"soft_skills\", \"soft_skills\"]]\n"
    "}\n";

const char *dq_import_mapping_text(const char *name)
{
    return strcmp(name, "jobs") == 0 ? jobs : NULL;
}

/* ---- reading with words for what is wrong ---- */

static dq_status wrong(dq_error *error, const char *where, const char *what)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: %s", where, what);
}

/* Refuses keys that are not in the NULL-ended list. */
static dq_status only(const dq_value *map, const char *where, const char *const *known, dq_error *error)
{
    if (!map || map->type != DQ_MAP) return wrong(error, where, "not an object");
    for (uint32_t i = 0; i < map->count; i++) {
        const dq_value *key = &map->as.map[i].key;
        size_t k = 0;
        while (known[k] && !dq_value_is(key, known[k])) k++;
        if (!known[k])
            return dq_fail(error, DQ_ERR_SCHEMA, "%s: no such key here: '%.*s'", where, (int)key->count,
                           key->as.string);
    }
    return DQ_OK;
}

/* A string that is not empty; *text stays NULL when an optional one is absent. */
static dq_status string(const dq_value *map, const char *where, const char *key, bool optional,
                        const char **text, dq_error *error)
{
    const dq_value *v = dq_map_get(map, key);
    *text = NULL;
    if (!v && optional) return DQ_OK;
    if (!v || v->type != DQ_STRING || !v->count || memchr(v->as.string, '\0', v->count))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: \"%s\" is no string", where, key);
    *text = v->as.string; /* parsed JSON is NUL-terminated */
    return DQ_OK;
}

static dq_status boolean(const dq_value *map, const char *where, const char *key, bool *flag, dq_error *error)
{
    const dq_value *v = dq_map_get(map, key);
    *flag = v && v->type == DQ_BOOL && v->as.boolean;
    if (v && v->type != DQ_BOOL) return dq_fail(error, DQ_ERR_SCHEMA, "%s: \"%s\" is no boolean", where, key);
    return DQ_OK;
}

/* ---- the parts ---- */

static dq_status mark_required(const dq_value *names, dq_import_part *part, const char *where,
                               dq_error *error)
{
    if (!names) return DQ_OK;
    if (names->type != DQ_LIST) return wrong(error, where, "\"required\" is no list");
    for (uint32_t i = 0; i < names->count; i++) {
        size_t t = 0;
        while (t < part->text_count && !dq_value_is(&names->as.list[i], part->texts[t].name)) t++;
        if (t == part->text_count)
            return wrong(error, where, "\"required\" names what is not among the texts");
        part->texts[t].optional = false;
    }
    return DQ_OK;
}

static dq_status read_texts(const dq_value *map, dq_import_part *part, dq_arena *arena, const char *where,
                            dq_error *error)
{
    static const dq_value none = {.type = DQ_MAP};
    const dq_value *texts = dq_map_get(map, "texts");
    if (!texts) texts = &none;
    if (texts->type != DQ_MAP) return wrong(error, where, "\"texts\" is no object");
    part->texts = dq_arena_zero(arena, texts->count + 1U, sizeof *part->texts);
    if (!part->texts) return dq_fail_memory(error, "a mapping");
    for (uint32_t i = 0; i < texts->count; i++) {
        dq_import_key *text = &part->texts[part->text_count++];
        text->name = texts->as.map[i].key.as.string;
        text->optional = true;
        dq_status status = string(texts, where, text->name, false, &text->key, error);
        if (status) return status;
    }
    return mark_required(dq_map_get(map, "required"), part, where, error);
}

static dq_status read_vector(const dq_value *v, dq_import_key *vector, const char *where, dq_error *error)
{
    static const char *const known[] = {"field", "key", "width", "optional", NULL};
    dq_status status = only(v, where, known, error);
    if (!status) status = string(v, where, "field", false, &vector->name, error);
    if (!status) status = string(v, where, "key", false, &vector->key, error);
    if (!status) status = boolean(v, where, "optional", &vector->optional, error);
    int64_t width = dq_value_integer(dq_map_get(v, "width"), 0);
    vector->width = (uint32_t)width;
    if (!status && (width < 1 || width > 1 << 24)) return wrong(error, where, "\"width\" is no count");
    return status;
}

static dq_status read_vectors(const dq_value *list, dq_import_part *part, dq_arena *arena, const char *where,
                              dq_error *error)
{
    if (!list) return DQ_OK;
    if (list->type != DQ_LIST) return wrong(error, where, "\"vectors\" is no list");
    part->vectors = dq_arena_zero(arena, list->count + 1U, sizeof *part->vectors);
    if (!part->vectors) return dq_fail_memory(error, "a mapping");
    for (uint32_t i = 0; i < list->count; i++) {
        dq_status status = read_vector(&list->as.list[i], &part->vectors[part->vector_count++], where, error);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status read_part(const dq_value *v, dq_import_part *part, dq_arena *arena, const char *where,
                           dq_error *error)
{
    static const char *const known[] = {"collection", "id",      "attributes", "texts",
                                        "required",   "vectors", NULL};
    dq_status status = only(v, where, known, error);
    if (!status) status = string(v, where, "collection", false, &part->collection, error);
    if (!status) status = string(v, where, "id", false, &part->id, error);
    if (!status) status = boolean(v, where, "attributes", &part->attributes, error);
    if (!status) status = read_texts(v, part, arena, where, error);
    return status ? status : read_vectors(dq_map_get(v, "vectors"), part, arena, where, error);
}

static dq_status add_field(dq_import_layout *layout, const dq_import_key *v, const char *what,
                           dq_error *error)
{
    if (dq_field_find(layout->fields, layout->count, v->name))
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: two fields named '%s'", what, v->name);
    if (layout->count == DQ_FIELDS_MAX)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: more than %d fields", what, DQ_FIELDS_MAX);
    if (v->width > DQ_IMPORT_MAX_WIDTH - layout->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "%s: vectors of more than %d numbers", what,
                       DQ_IMPORT_MAX_WIDTH);
    layout->fields[layout->count++] = (dq_field){.name = v->name, .offset = layout->width, .width = v->width};
    layout->width += v->width;
    return DQ_OK;
}

/* The vector of users, or of items: the fields of its parts one after the other. */
static dq_status lay_out(dq_import_entities_mapping *entities, const char *what, dq_error *error)
{
    dq_import_layout *layout = &entities->layout;
    dq_status status = DQ_OK;
    size_t all = 0;
    for (size_t p = 0; p < entities->count; p++) all += entities->parts[p].vector_count;
    layout->fields = dq_arena_zero(&layout->arena, all + 1, sizeof *layout->fields);
    if (!layout->fields) return dq_fail_memory(error, "a mapping");
    for (size_t p = 0; p < entities->count; p++)
        for (size_t i = 0; i < entities->parts[p].vector_count && !status; i++)
            status = add_field(layout, &entities->parts[p].vectors[i], what, error);
    layout->known = true;
    return status;
}

static dq_status read_entities(const dq_value *list, const char *what, dq_import_entities_mapping *entities,
                               dq_arena *arena, dq_error *error)
{
    if (!list || list->type != DQ_LIST || !list->count || list->count > DQ_IMPORT_MAX_PARTS)
        return dq_fail(error, DQ_ERR_SCHEMA, "\"%s\" is no list of 1 to %d collections", what,
                       DQ_IMPORT_MAX_PARTS);
    entities->parts = dq_arena_zero(arena, list->count, sizeof *entities->parts);
    if (!entities->parts) return dq_fail_memory(error, "a mapping");
    for (uint32_t i = 0; i < list->count; i++) {
        char where[64];
        (void)snprintf(where, sizeof where, "%s[%u]", what, i);
        dq_status status = read_part(&list->as.list[i], &entities->parts[entities->count++], arena, where,
                                     error);
        if (status) return status;
    }
    return lay_out(entities, what, error);
}

static dq_status read_interactions(const dq_value *v, dq_import_mapping *mapping, dq_error *error)
{
    static const char *const known[] = {"collection", "optional",   "user",     "item",    "label", "reward",
                                        "time",       "propensity", "position", "request", "model", NULL};
    static const char where[] = "interactions";
    if (!v) return DQ_OK;
    dq_status status = only(v, where, known, error);
    if (!status) status = string(v, where, "collection", false, &mapping->interactions, error);
    if (!status) status = boolean(v, where, "optional", &mapping->interactions_optional, error);
    if (!status) status = string(v, where, "user", false, &mapping->keys.user, error);
    if (!status) status = string(v, where, "item", false, &mapping->keys.item, error);
    if (!status) status = string(v, where, "label", true, &mapping->keys.label, error);
    if (!status) status = string(v, where, "time", true, &mapping->keys.time, error);
    if (!status) status = string(v, where, "propensity", true, &mapping->keys.propensity, error);
    if (!status) status = string(v, where, "position", true, &mapping->keys.position, error);
    if (!status) status = string(v, where, "request", true, &mapping->keys.request, error);
    if (!status) status = string(v, where, "model", true, &mapping->keys.model, error);
    mapping->keys.ignored = "_id";
    return status ? status : string(v, where, "reward", true, &mapping->keys.reward, error);
}

static dq_status read_mapping(const dq_value *v, dq_import_mapping *mapping, dq_error *error)
{
    static const char *const known[] = {"users", "items", "interactions", "pairs", NULL};
    dq_status status = only(v, "mapping", known, error);
    if (!status)
        status = read_entities(dq_map_get(v, "users"), "users", &mapping->users, &mapping->arena, error);
    if (!status)
        status = read_entities(dq_map_get(v, "items"), "items", &mapping->items, &mapping->arena, error);
    if (!status) status = read_interactions(dq_map_get(v, "interactions"), mapping, error);
    if (!status) status = dq_pairs_read(v, &mapping->arena, &mapping->pairs, &mapping->pair_count, error);
    return status;
}

/* The mapping that a JSON text says, if that could be read. Of one that cannot be used nothing is left. */
static dq_status finish(dq_import_mapping *mapping, const dq_value *v, dq_status status, dq_error *error)
{
    if (!status) status = read_mapping(v, mapping, error);
    mapping->canonical = *v;
    if (status) dq_import_mapping_free(mapping);
    return status;
}

dq_status dq_import_mapping_parse(dq_import_mapping *mapping, const char *text, size_t bytes, dq_error *error)
{
    dq_value v = dq_nil();
    *mapping = (dq_import_mapping){0};
    return finish(mapping, &v, dq_json_parse(text, bytes, &mapping->arena, &v, error), error);
}

static dq_status load_file(dq_import_mapping *mapping, const char *path, dq_error *error)
{
    dq_value v = dq_nil();
    *mapping = (dq_import_mapping){0};
    return finish(mapping, &v, dq_json_read_file(path, &mapping->arena, &v, error), error);
}

static dq_status load_text(dq_import_mapping *mapping, const char *name, const char *text, dq_error *error)
{
    dq_status status = dq_import_mapping_parse(mapping, text, strlen(text), error);
    if (status) return status;
    mapping->canonical = dq_string(&mapping->arena, name);
    if (mapping->canonical.type == DQ_STRING) return DQ_OK;
    dq_import_mapping_free(mapping);
    return dq_fail_memory(error, "a mapping");
}

dq_status dq_import_mapping_load(dq_import_mapping *mapping, const char *name, dq_error *error)
{
    const char *text = dq_import_mapping_text(name);
    dq_status status = text ? load_text(mapping, name, text, error) : load_file(mapping, name, error);
    if (status) dq_error_at(error, name, DQ_NO_RECORD);
    return status;
}

void dq_import_mapping_free(dq_import_mapping *mapping)
{
    dq_arena_free(&mapping->users.layout.arena);
    dq_arena_free(&mapping->items.layout.arena);
    dq_arena_free(&mapping->arena);
    *mapping = (dq_import_mapping){0};
}
