/* SPDX-License-Identifier: MIT
 *
 * Where the names come from: MovieLens (userId, movieId, rating, timestamp), RecBole's atomic files (user_id,
 * item_id, rating, timestamp), the Open Bandit Dataset (item_id, timestamp, propensity_score, action_prob; in
 * its pipeline action, pscore), MIND (user_id, news_id, time),
 * MongoDB (_id), Amazon's reviews of 2014 and 2018 (reviewerID, asin, overall, unixReviewTime) and of 2023
 * (user_id, parent_asin, rating, timestamp).
 */
#include "import/names.h"

#include "core/utf8.h"
#include "dq/schema.h"
#include "import/document.h"

#include <stdio.h>
#include <string.h>

enum {
    OF_USERS = 1,
    OF_ITEMS = 2,
    OF_INTERACTIONS = 4,
    OF_FEEDBACK = 8,
    ENTITIES = OF_USERS | OF_ITEMS,
    EVENTS = OF_INTERACTIONS | OF_FEEDBACK
};

/* What a data set calls a user, or an item: the id in a file of its own, and who is meant in interactions. */
/* clang-format off */
#define USER(name) {"id", name, OF_USERS, NULL}, {"user", name, EVENTS, NULL}
#define ITEM(name, unless) {"id", name, OF_ITEMS, unless}, {"item", name, EVENTS, unless}
/* clang-format on */

/* A role stands under its own name first, then under those of data sets. */
static const struct known {
    const char *role, *name;
    unsigned kinds;
    const char *unless; /* one of these keys is there: "asin" is the variant of a product, and "parent_asin"
                           its id; a "score" beside a "rank" is a ranker's; "": any other name of the role is:
                           "action" is mostly what somebody did */
} known[] = {
    {"id", "id", ENTITIES, NULL},
    {"id", "_id", ENTITIES, NULL},
    {"vector", "vector", ENTITIES, NULL},
    {"user", "user", EVENTS, NULL},
    USER("user_id"),
    USER("userId"),
    USER("userID"),
    USER("reviewerID"),
    {"item", "item", EVENTS, NULL},
    ITEM("item_id", NULL),
    ITEM("itemId", NULL),
    ITEM("itemID", NULL),
    ITEM("movieId", NULL),
    ITEM("movie_id", NULL),
    ITEM("news_id", NULL),
    ITEM("parent_asin", NULL),
    ITEM("asin", "parent_asin"),
    {"item", "action", EVENTS, ""},
    {"label", "label", EVENTS, NULL},
    {"reward", "reward", EVENTS, NULL},
    {"reward", "rating", EVENTS, "reward"},
    {"reward", "overall", EVENTS, "reward"},
    {"reward", "stars", EVENTS, "reward"},
    {"reward", "score", EVENTS, "reward rating overall stars rank"},
    {"time", "time", OF_INTERACTIONS, NULL},
    {"time", "timestamp", OF_INTERACTIONS, NULL},
    {"time", "unixReviewTime", OF_INTERACTIONS, NULL},
    {"propensity", "propensity", OF_INTERACTIONS, NULL},
    {"propensity", "propensity_score", OF_INTERACTIONS, NULL},
    {"propensity", "pscore", OF_INTERACTIONS, NULL},
    {"propensity", "action_prob", OF_INTERACTIONS, NULL},
    {"position", "position", OF_INTERACTIONS, NULL},
    {"request", "request", EVENTS, NULL},
    {"request", "request_id", EVENTS, NULL},
    {"model", "model", OF_INTERACTIONS, NULL},
};

enum { KNOWN = sizeof known / sizeof *known };

static unsigned bit_of(const char *kind)
{
    if (strcmp(kind, DQ_KIND_USERS) == 0) return OF_USERS;
    if (strcmp(kind, DQ_IMPORT_KIND_FEEDBACK) == 0) return OF_FEEDBACK;
    return strcmp(kind, DQ_KIND_ITEMS) == 0 ? OF_ITEMS : OF_INTERACTIONS;
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool begins(const char *text, const char *with)
{
    size_t n = strlen(with);
    return strncmp(text, with, n) == 0 && text[n];
}

bool dq_import_is_role(const char *role, const char *kind)
{
    if (!dq_utf8_valid(role, strlen(role))) return false; /* it would be a column's name */
    if (begins(role, "attr.")) return true;
    if (begins(role, "text.")) return bit_of(kind) & ENTITIES;
    for (size_t i = 0; i < KNOWN; i++)
        if (is(role, known[i].role) && known[i].kinds & bit_of(kind)) return true;
    return false;
}

static const char *role_at(const void *none, size_t i)
{
    static const char *const prefixes[] = {"text.", "attr."};
    (void)none;
    if (i < KNOWN) return known[i].role;
    return i < KNOWN + sizeof prefixes / sizeof *prefixes ? prefixes[i - KNOWN] : NULL;
}

dq_hint dq_import_role_hint(const char *word)
{
    return dq_hint_of_first(word, '.', role_at, NULL);
}

bool dq_import_is_headless(const dq_import_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        if (strspn(reading->named[i].name, "0123456789") < strlen(reading->named[i].name)) return false;
    return reading->count;
}

static bool has(const char *const *keys, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i], key) == 0) return true;
    return false;
}

static const char *given_role(const dq_import_reading *reading, const char *key)
{
    for (size_t i = 0; i < reading->count; i++)
        if (strcmp(reading->named[i].name, key) == 0) return reading->named[i].role;
    return NULL;
}

static const char *given_name(const dq_import_reading *reading, const char *role)
{
    for (size_t i = 0; i < reading->count; i++)
        if (strcmp(reading->named[i].role, role) == 0) return reading->named[i].name;
    return NULL;
}

/* ---- the role of a key ---- */

/* One of the names in a list, with blanks between them. */
static bool has_any(const char *const *keys, size_t count, const char *list)
{
    for (size_t n; *list; list += n + (list[n] == ' ')) {
        n = strcspn(list, " ");
        for (size_t i = 0; i < count; i++)
            if (strncmp(keys[i], list, n) == 0 && !keys[i][n]) return true;
    }
    return false;
}

/* Whether a name is not what it says, for its `unless`. */
static bool is_overruled(const struct known *k, unsigned kind, const char *const *keys, size_t count)
{
    if (!k->unless) return false;
    if (*k->unless) return has_any(keys, count, k->unless);
    for (size_t i = 0; i < KNOWN; i++)
        if (known + i != k && known[i].kinds & kind && is(known[i].role, k->role) &&
            has(keys, count, known[i].name))
            return true;
    return false;
}

static const char *known_role(const char *key, unsigned kind, bool own, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (!(known[i].kinds & kind) || strcmp(known[i].name, key) != 0) continue;
        if (is_overruled(&known[i], kind, keys, count)) return NULL;
        return own && !is(known[i].role, known[i].name) ? NULL : known[i].role;
    }
    return NULL;
}

/* What a row has the value under. */
static const char *final_name(const char *key, const char *role)
{
    if (!role) role = key;
    return begins(role, "attr.") ? role + 5 : role;
}

static bool is_known_role(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (is(name, known[i].role)) return true;
    return false;
}

static dq_status fail_twice(const dq_import_reading *reading, const char *name, const char *first,
                            const char *second, dq_error *error)
{
    const char *given = given_name(reading, name);
    if (begins(name, "text."))
        return dq_fail(error, DQ_ERR_SCHEMA, "both %s and %s would be the text %s", first, second, name + 5);
    if (!is_known_role(name))
        return dq_fail(error, DQ_ERR_SCHEMA, "both %s and %s would be the attribute %s", first, second, name);
    if (!given)
        return dq_fail(error, DQ_ERR_SCHEMA, "both %s and %s could be the %s; --columns %s=%s chooses", first,
                       second, name, name, first);
    const char *other = strcmp(given, first) == 0 ? second : first;
    return dq_fail(error, DQ_ERR_SCHEMA,
                   "%s is the %s, and so is %s; --columns attr.OTHER=%s keeps that, too", given, name, other,
                   other);
}

static dq_status check_distinct(const dq_import_reading *reading, const char *const *keys, size_t count,
                                const char *const *roles, dq_error *error)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; roles[i] && j < count; j++) {
            const char *name = final_name(keys[i], roles[i]);
            if (i == j || strcmp(name, final_name(keys[j], roles[j])) != 0) continue;
            return fail_twice(reading, name, keys[i < j ? i : j], keys[i < j ? j : i], error);
        }
    return DQ_OK;
}

static void note_reward(const dq_import_reading *reading, const char *const *keys, size_t count,
                        const char *const *roles)
{
    char *name = reading->reward_name;
    for (size_t i = 0; i < count && name && !*name; i++)
        if (is(roles[i], "reward") && !is(keys[i], "reward"))
            (void)snprintf(name, DQ_IMPORT_REWARD_NAME, "%s", keys[i]);
}

dq_status dq_import_assign(const dq_import_reading *reading, const char *kind, bool own,
                           const char *const *keys, size_t count, const char **roles, dq_error *error)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        roles[i] = given_role(reading, keys[i]);
        if (!roles[i]) {
            const char *role = known_role(keys[i], bit_of(kind), own, keys, count);
            /* what has been given is nowhere else, but a name of dq's own is never another thing */
            roles[i] = role && given_name(reading, role) && strcmp(role, keys[i]) != 0 ? NULL : role;
        }
        any |= roles[i] != NULL;
    }
    note_reward(reading, keys, count, roles);
    return any ? check_distinct(reading, keys, count, roles, error) : DQ_OK;
}

bool dq_import_is_known_by(const char *kind, const char *const *keys, size_t count, const char *const *roles)
{
    bool id = false, user = false, item = false, request = false;
    for (size_t i = 0; i < count; i++) {
        const char *role = roles && roles[i] ? roles[i] : keys[i];
        id |= is(role, "id");
        user |= is(role, "user");
        item |= is(role, "item");
        request |= is(role, "request");
    }
    if (bit_of(kind) == OF_FEEDBACK) return item && (user || request);
    return bit_of(kind) == OF_INTERACTIONS ? user && item : id;
}

/* ---- in words ---- */

void dq_import_list(const char *const *names, size_t count, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        /* none is NULL: NOLINTNEXTLINE(*.NonNullParamChecker) */
        size_t n = strlen(names[i]) + 2;
        if (!names[i][0]) continue; /* a column without a name */
        if (used + n + 5 > size) {
            (void)snprintf(text + used, size - used, "%s", used ? ", ..." : "...");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", names[i]);
    }
}

/* "id (or _id, userId)"; of a role that has been given its name alone. */
static void describe_role(const dq_import_reading *reading, const char *role, unsigned kind, char *text,
                          size_t size)
{
    const char *given = given_name(reading, role), *names[KNOWN];
    char others[96];
    size_t count = 0;
    for (size_t i = 0; i < KNOWN; i++)
        if (known[i].kinds & kind && is(known[i].role, role) && !is(role, known[i].name))
            names[count++] = known[i].name;
    dq_import_list(names, count, others, sizeof others);
    (void)snprintf(text, size, given ? "%s for the %s" : "%s (or %s)", given ? given : role,
                   given ? role : others);
}

dq_status dq_import_missing(const dq_import_reading *reading, const char *kind, const char *noun,
                            const char *const *keys, size_t count, dq_error *error)
{
    char first[100], second[100], list[120]; /* an error has room for these */
    unsigned bit = bit_of(kind);
    bool pair = bit & EVENTS, table = strcmp(noun, "column") == 0;
    describe_role(reading, pair ? "user" : "id", bit, first, sizeof first);
    describe_role(reading, "item", bit, second, sizeof second);
    dq_import_list(keys, count, list, sizeof list);
    if (pair)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "%s the %ss user%s and item; there are: %s; looked for: %s; %s; --columns "
                       "user=NAME,item=NAME%s",
                       bit == OF_FEEDBACK ? "feedback needs" : "interactions need", noun,
                       bit == OF_FEEDBACK ? ", or request," : "", list, first, second,
                       table ? " (user=1,item=2: no header)" : "");
    return dq_fail(error, DQ_ERR_SCHEMA,
                   "%s need a %s id; there are: %s; looked for: %s; --columns id=NAME%s", kind, noun, list,
                   first, table ? " (id=1: no header)" : "");
}

/* ---- documents ---- */

static dq_status to_names(const dq_value *document, dq_arena *arena, const char ***keys, dq_error *error)
{
    const char **names = *keys = dq_arena_zero(arena, document->count + 1, sizeof *names);
    if (!names) return dq_fail_memory(error, "a document");
    for (uint32_t i = 0; i < document->count; i++) {
        names[i] = dq_value_text(arena, &document->as.map[i].key);
        if (!names[i]) return dq_fail_memory(error, "a document");
    }
    return DQ_OK;
}

/* A text that a role names, beside those that the document has. */
static dq_status add_text(dq_value *texts, const char *name, const char *key, const dq_value *value,
                          dq_arena *arena, dq_error *error)
{
    if (dq_map_get(texts, name))
        return dq_fail(error, DQ_ERR_SCHEMA, "both %s and text.%s would be the text %s", key, name, name);
    return dq_map_set(arena, texts, name, *value) ? DQ_OK : dq_fail_memory(error, "a document");
}

/* The texts of a document: its own, and those that roles name; *named: whether there are such. */
static dq_status gather_texts(const dq_value *document, const char *const *keys, const char *const *roles,
                              dq_arena *arena, dq_value *texts, bool *named, dq_error *error)
{
    dq_status status = DQ_OK;
    *texts = dq_map();
    *named = false;
    for (uint32_t i = 0; i < document->count; i++) *named |= roles[i] && begins(roles[i], "text.");
    for (uint32_t i = 0; *named && i < document->count; i++) {
        const dq_value *value = &document->as.map[i].value;
        if (!is(final_name(keys[i], roles[i]), "text") || value->type == DQ_NIL) continue;
        if (value->type != DQ_MAP)
            return dq_fail(error, DQ_ERR_SCHEMA,
                           "text is no object of texts; --columns text.NAME=text makes one of it");
        if (!dq_value_copy(arena, value, texts)) return dq_fail_memory(error, "a document");
    }
    for (uint32_t i = 0; *named && i < document->count && !status; i++)
        if (roles[i] && begins(roles[i], "text."))
            status = add_text(texts, roles[i] + 5, keys[i], &document->as.map[i].value, arena, error);
    return status;
}

/* The same entries under the names of their roles, which are distinct; texts together. */
static dq_status rebuild(dq_value *document, const char *const *keys, const char *const *roles,
                         dq_arena *arena, dq_error *error)
{
    bool named, ok = true;
    dq_value map = dq_map(), texts;
    dq_status status = gather_texts(document, keys, roles, arena, &texts, &named, error);
    if (status) return status;
    for (uint32_t i = 0; i < document->count && ok; i++) {
        const dq_entry *entry = &document->as.map[i];
        const char *name = final_name(keys[i], roles[i]);
        dq_value key = roles[i] ? dq_string(arena, name) : entry->key;
        if (!named || !(is(name, "text") || begins(name, "text.")))
            ok = dq_map_add(arena, &map, key, entry->value);
    }
    if (ok && named) ok = dq_map_add(arena, &map, dq_string(arena, "text"), texts);
    if (!ok) return dq_fail_memory(error, "a document");
    *document = map;
    return DQ_OK;
}

static dq_status rename_keys(const dq_import_reading *reading, const char *kind, bool own, dq_value *document,
                             bool *renamed, dq_arena *arena, dq_error *error)
{
    const char **keys, **roles;
    dq_status status = to_names(document, arena, &keys, error);
    if (status) return status;
    roles = dq_arena_zero(arena, document->count + 1, sizeof *roles);
    if (!roles) return dq_fail_memory(error, "a document");
    status = dq_import_assign(reading, kind, own, keys, document->count, roles, error);
    if (status) return status;
    for (uint32_t i = 0; i < document->count; i++) *renamed |= roles[i] && strcmp(roles[i], keys[i]) != 0;
    return *renamed ? rebuild(document, keys, roles, arena, error) : DQ_OK;
}

dq_status dq_import_rename(const dq_import_reading *reading, const char *kind, dq_import_plain *plain,
                           dq_value *document, dq_arena *arena, dq_error *error)
{
    bool own = dq_value_is(dq_map_get(document, "kind"), kind), renamed = false;
    if (!dq_import_is_for(document, kind)) return DQ_OK;
    if (own == plain->own && dq_import_shape_is(&plain->shape, document, 0)) return DQ_OK;
    dq_status status = rename_keys(reading, kind, own, document, &renamed, arena, error);
    if (status || renamed) return status;
    plain->own = own;
    dq_import_shape_set(&plain->shape, document, 0);
    return DQ_OK;
}

/* The key under which a list of objects stands: rows that were wrapped. */
static const char *wrapping_key(const dq_value *document, const char *const *keys)
{
    for (uint32_t i = 0; i < document->count; i++) {
        const dq_value *v = &document->as.map[i].value;
        if (v->type == DQ_LIST && v->count && v->as.list[0].type == DQ_MAP) return keys[i];
    }
    return NULL;
}

void dq_import_explain(const dq_import_reading *reading, const char *kind, const dq_value *document,
                       dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    const char **keys;
    if (!to_names(document, &arena, &keys, error) &&
        !dq_import_is_known_by(kind, keys, document->count, NULL)) {
        const char *rows = wrapping_key(document, keys);
        if (rows)
            dq_fail(error, DQ_ERR_SCHEMA,
                    "one document with its rows in '%.80s'; jq -c '.[\"%.80s\"][]' makes lines of them", rows,
                    rows);
        else
            dq_import_missing(reading, kind, "key", keys, document->count, error);
    }
    dq_arena_free(&arena);
}
