/* SPDX-License-Identifier: MIT */
#include "math/cosine.h"

#include "core/record.h"

static dq_status whole(dq_layout users, dq_layout items, dq_pairing *pairing, dq_error *error)
{
    if (users.width != items.width)
        return dq_fail(error, DQ_ERR_RANGE,
                       "users have vectors of width %u and items of width %u: a cosine needs pairs of fields "
                       "(--compare USER_FIELD:ITEM_FIELD)",
                       users.width, items.width);
    *pairing = (dq_pairing){.width = users.width};
    return DQ_OK;
}

static dq_status named(const dq_pair_names *names, dq_layout users, dq_layout items, dq_pairing *pairing,
                       dq_error *error)
{
    const dq_field *u = dq_field_find(users.fields, users.count, names->user_field);
    const dq_field *i = dq_field_find(items.fields, items.count, names->item_field);
    if (!u) return dq_fail(error, DQ_ERR_UNKNOWN, "users have no field '%s'", names->user_field);
    if (!i) return dq_fail(error, DQ_ERR_UNKNOWN, "items have no field '%s'", names->item_field);
    if (u->width != i->width)
        return dq_fail(error, DQ_ERR_RANGE, "the pair %s:%s has widths %u and %u", u->name, i->name, u->width,
                       i->width);
    *pairing = (dq_pairing){.user_offset = u->offset, .item_offset = i->offset, .width = u->width};
    return DQ_OK;
}

dq_status dq_pairing_choose(const dq_pair_names *pairs, size_t count, dq_layout users, dq_layout items,
                            dq_pairing *pairings, size_t *made, dq_error *error)
{
    if (!users.width || !items.width)
        return dq_fail_no_vectors(error, users.width ? "the items" : "the users");
    *made = count ? count : 1;
    if (count == 0) return whole(users, items, pairings, error);
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = named(&pairs[i], users, items, &pairings[i], error);
    return status;
}

static dq_status all(dq_layout users, dq_layout items, dq_pairing *pairings, size_t max, size_t *made,
                     dq_error *error)
{
    *made = 0;
    for (size_t u = 0; u < users.count; u++)
        for (size_t i = 0; i < items.count; i++) {
            const dq_field *user = &users.fields[u], *item = &items.fields[i];
            if (user->width != item->width) continue;
            if (*made == max)
                return dq_fail(error, DQ_ERR_RANGE, "more than %zu pairs of fields of equal width", max);
            pairings[(*made)++] = (dq_pairing){user->offset, item->offset, user->width};
        }
    return DQ_OK;
}

/* ---- in a model ---- */

enum { MAX_OFFSET = 1 << 24, NUMBERS = 3 };

bool dq_pairing_save(const dq_pairing *pairings, uint32_t count, const char *name, dq_value *map,
                     dq_arena *arena)
{
    dq_value all = dq_list();
    for (const dq_pairing *p = pairings; p < pairings + count; p++) {
        dq_value one = dq_list();
        const uint32_t numbers[NUMBERS] = {p->user_offset, p->item_offset, p->width};
        for (size_t i = 0; i < NUMBERS; i++)
            if (!dq_list_add(arena, &one, dq_int(numbers[i]))) return false;
        if (!dq_list_add(arena, &all, one)) return false;
    }
    return dq_map_set(arena, map, name, all);
}

bool dq_pairing_read(const dq_value *list, dq_pairing *pairings, uint32_t room, uint32_t *count)
{
    if (!list || list->type != DQ_LIST || list->count > room) return false;
    for (uint32_t i = 0, n; i < list->count; i++) {
        uint32_t numbers[NUMBERS];
        if (!dq_record_read_list(&list->as.list[i], 0, MAX_OFFSET, numbers, NUMBERS, &n) || n != NUMBERS ||
            numbers[2] == 0)
            return false;
        pairings[i] = (dq_pairing){numbers[0], numbers[1], numbers[2]};
    }
    *count = (uint32_t)list->count;
    return true;
}

dq_status dq_pairing_features(dq_features which, const dq_pair_names *pairs, size_t count, dq_layout users,
                              dq_layout items, dq_pairing *pairings, size_t max, size_t *made,
                              dq_error *error)
{
    *made = 0;
    if (which == DQ_FEATURES_ALL) return all(users, items, pairings, max, made, error);
    if (which == DQ_FEATURES_NONE || count == 0) return DQ_OK;
    if (count > max) return dq_fail(error, DQ_ERR_RANGE, "more than %zu pairs of fields", max);
    return dq_pairing_choose(pairs, count, users, items, pairings, made, error);
}
