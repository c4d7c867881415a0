/* SPDX-License-Identifier: MIT */
#include "import/interactions.h"

#include "core/array.h"
#include "import/names.h"
#include "import/path.h"
#include "port/files/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By user, then `_id`, those without one first, then as they came: of events at one time the source's order
 * counts, for another one, by item say, would be a pattern that nobody made. */
static int by_user(const void *a, const void *b)
{
    const dq_import_kept *x = a, *y = b;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    int order = dq_import_id_compare(&x->id, &y->id);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* The document's own id, kept in the arena: of kind 0, and empty, where it has none; one that is no id, a
 * date or an object, stands behind the others in the order of its JSON. */
static dq_status keep_id(dq_import_interactions *all, const dq_value *document, dq_arena *arena,
                         dq_import_id *id, dq_error *error)
{
    const dq_value *v = dq_map_get(document, "_id");
    dq_json_text json = DQ_JSON_TEXT_EMPTY;
    dq_error none = DQ_ERROR_NONE;
    *id = (dq_import_id){.text = ""};
    if (!v) return DQ_OK;
    dq_status status = DQ_OK;
    if (dq_import_read_id(v, arena, id, &none)) {
        if (none.status != DQ_ERR_MEMORY) none.status = dq_json_write(&json, v, NULL);
        if (none.status == DQ_ERR_MEMORY) status = dq_fail_memory(error, "interactions");
        *id = (dq_import_id){.kind = DQ_ID_OBJECT << 1, .text = json.data, .bytes = json.bytes};
    }
    if (!status) id->text = dq_arena_text(&all->arena, id->bytes ? id->text : "", id->bytes);
    dq_json_text_free(&json);
    return status || id->text ? status : dq_fail_memory(error, "interactions");
}

static dq_status keep(dq_import_interactions *all, const dq_import_interaction *x, const dq_import_id *id,
                      uint32_t user, dq_error *error)
{
    if (!dq_array_reserve(&all->rows, &all->slots, all->count + 1, sizeof *all->rows))
        return dq_fail_memory(error, "interactions");
    dq_import_kept *k = &all->rows[all->count];
    *k = (dq_import_kept){.interaction = *x, .id = *id, .user = user, .number = all->count};
    k->interaction.user.text = dq_arena_text(&all->arena, x->user.text, x->user.bytes);
    k->interaction.item.text = dq_arena_text(&all->arena, x->item.text, x->item.bytes);
    if (!k->interaction.user.text || !k->interaction.item.text ||
        !dq_value_copy(&all->arena, &x->label, &k->interaction.label) ||
        !dq_value_copy(&all->arena, &x->request, &k->interaction.request) ||
        !dq_value_copy(&all->arena, &x->model, &k->interaction.model) ||
        !dq_value_copy(&all->arena, &x->attributes, &k->interaction.attributes))
        return dq_fail_memory(error, "interactions");
    all->count++;
    return DQ_OK;
}

/* Keys that are paths. */
static dq_import_fault flatten(const dq_import_interaction_keys *keys, dq_value *document, dq_arena *arena,
                               dq_error *error)
{
    const char *const all[] = {keys->user,       keys->item,     keys->label,   keys->reward, keys->time,
                               keys->propensity, keys->position, keys->request, keys->model};
    const char *paths[sizeof all / sizeof *all];
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]) paths[count++] = all[i];
    return dq_import_flatten(document, paths, count, arena, error);
}

static dq_status read_all(dq_import_interactions *all, dq_documents *documents,
                          const dq_import_interaction_keys *keys, const dq_import_chosen *users,
                          const dq_import_chosen *items, dq_import_tally *tally, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document = dq_nil();
    dq_import_interaction x;
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = documents->next(documents, &arena, &document, error)) > 0) {
        uint32_t user = DQ_ABSENT, item = DQ_ABSENT;
        dq_import_fault fault = dq_import_answered(got);
        if (!fault) fault = flatten(keys, &document, &arena, error);
        if (!fault) fault = dq_import_read_interaction(&document, keys, &arena, &x, error);
        if (!fault) fault = dq_import_chosen_find(users, &x.user, &user, error);
        if (!fault) fault = dq_import_chosen_find(items, &x.item, &item, error);
        tally->used += !fault;
        if (fault) {
            dq_import_locate(documents, got == DQ_DOCUMENT ? &document : NULL, error);
            status = dq_import_skip(tally, fault, error);
        } else if (user != DQ_ABSENT && item != DQ_ABSENT) {
            dq_import_id id;
            status = keep_id(all, &document, &arena, &id, error);
            if (!status) status = keep(all, &x, &id, user, error);
        }
        dq_arena_free(&arena);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

dq_status dq_import_interactions_read(dq_import_interactions *all, dq_documents *documents,
                                      const dq_import_interaction_keys *keys, const dq_import_chosen *users,
                                      const dq_import_chosen *items, dq_import_tally *tally, dq_error *error)
{
    dq_status status = read_all(all, documents, keys, users, items, tally, error);
    if (!status && all->count) qsort(all->rows, all->count, sizeof *all->rows, by_user);
    return status;
}

void dq_import_interactions_free(dq_import_interactions *all)
{
    free(all->rows);
    dq_arena_free(&all->arena);
    *all = (dq_import_interactions){0};
}

/* ---- feedback ---- */

/* 'r' or 'u', the bytes of the request or user, these, and the item, in the arena. */
static const char *key_of(char tag, const char *who, size_t n, const dq_import_id *item, dq_arena *arena,
                          size_t *bytes)
{
    *bytes = 1 + sizeof n + n + item->bytes;
    char *key = dq_arena_take(arena, *bytes);
    if (!key) return NULL;
    key[0] = tag;
    memcpy(key + 1, &n, sizeof n);
    /* what was read has both: NOLINTBEGIN(*.NonNullParamChecker) */
    memcpy(key + 1 + sizeof n, who, n);
    memcpy(key + 1 + sizeof n + n, item->text, item->bytes);
    /* NOLINTEND(*.NonNullParamChecker) */
    return key;
}

static const char *key_of_request(const dq_import_interaction *x, dq_arena *arena, size_t *bytes)
{
    return key_of('r', x->request.as.string, x->request.count, &x->item, arena, bytes);
}

static const char *key_of_user(const dq_import_interaction *x, dq_arena *arena, size_t *bytes)
{
    return key_of('u', x->user.text, x->user.bytes, &x->item, arena, bytes);
}

static dq_status keep_answer(dq_import_feedback *f, const dq_import_interaction *x, dq_arena *arena,
                             dq_error *error)
{
    size_t n;
    uint32_t at;
    bool new;
    const char *key = x->request.type == DQ_STRING ? key_of_request(x, arena, &n) : key_of_user(x, arena, &n);
    if (!key) return dq_fail_memory(error, "feedback");
    dq_status status = dq_index_add(&f->keys, key, n, &at, &new, error);
    if (status) return status;
    if (!dq_array_reserve(&f->answers, &f->slots, dq_index_count(&f->keys), sizeof *f->answers))
        return dq_fail_memory(error, "feedback");
    dq_import_answer *answer = &f->answers[at];
    if (!new && answer->reward >= x->reward) return DQ_OK;
    *answer = (dq_import_answer){.reward = x->reward};
    return dq_value_copy(&f->arena, &x->label, &answer->label) ? DQ_OK : dq_fail_memory(error, "feedback");
}

dq_status dq_import_feedback_read(dq_import_feedback *f, dq_documents *documents, dq_import_scale *scale,
                                  dq_import_tally *tally, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    dq_import_interaction x = {.user = {0}};
    dq_status status = DQ_OK;
    int got = 0;
    while (!status && (got = documents->next(documents, &arena, &document, error)) > 0) {
        bool other = got == DQ_DOCUMENT && !dq_import_is_for(&document, DQ_IMPORT_KIND_FEEDBACK);
        dq_import_fault fault = dq_import_answered(got);
        if (got == DQ_DOCUMENT && !other)
            fault = dq_import_read_feedback(&document, scale, &arena, &x, error);
        tally->others += other;
        tally->used += !fault && !other;
        if (fault) {
            dq_import_locate(documents, got == DQ_DOCUMENT ? &document : NULL, error);
            status = dq_import_skip(tally, fault, error);
        } else if (!other) {
            status = keep_answer(f, &x, &arena, error);
        }
        dq_arena_clear(&arena);
    }
    dq_arena_free(&arena);
    return !status && got < 0 ? error->status : status;
}

void dq_import_feedback_rewind(dq_import_feedback *f)
{
    for (size_t i = 0; i < dq_index_count(&f->keys); i++) f->answers[i].met = false;
    f->met = 0;
}

static dq_import_fault unclear(dq_error *error, const char *why)
{
    dq_fail(error, DQ_ERR_SCHEMA, "%s", why);
    return DQ_IMPORT_FEEDBACK;
}

dq_import_fault dq_import_feedback_join(dq_import_feedback *f, dq_import_interaction *x, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    size_t n;
    uint32_t at = DQ_ABSENT;
    if (x->label.type != DQ_NIL || !isnan(x->reward))
        return unclear(error, "a label or reward of its own, beside the feedback");
    bool request = x->request.type == DQ_STRING;
    const char *key = request ? key_of_request(x, &arena, &n) : "";
    if (key && request) at = dq_index_find(&f->keys, key, n);
    if (key && at == DQ_ABSENT && (key = key_of_user(x, &arena, &n))) at = dq_index_find(&f->keys, key, n);
    dq_arena_free(&arena);
    if (!key) return dq_import_out_of_memory("feedback", error);
    x->reward = 0;
    if (at == DQ_ABSENT) return DQ_IMPORT_FINE;
    if (f->answers[at].met)
        return unclear(error,
                       "the feedback may be to an earlier row, which has it; a request in both says which");
    f->answers[at].met = true;
    f->met++;
    x->reward = f->answers[at].reward;
    x->label = f->answers[at].label;
    return DQ_IMPORT_FINE;
}

uint64_t dq_import_feedback_unmet(const dq_import_feedback *f)
{
    return dq_index_count(&f->keys) - f->met;
}

void dq_import_feedback_free(dq_import_feedback *f)
{
    dq_index_free(&f->keys);
    free(f->answers);
    dq_arena_free(&f->arena);
    *f = (dq_import_feedback){0};
}
