/* SPDX-License-Identifier: MIT */
#include "math/cosine.h"

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
        return dq_fail(error, DQ_ERR_SCHEMA, "%s have no vectors (dq-embed makes some from texts)",
                       users.width ? "items" : "users");
    *made = count ? count : 1;
    if (count == 0) return whole(users, items, pairings, error);
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = named(&pairs[i], users, items, &pairings[i], error);
    return status;
}

dq_status dq_pairing_all(dq_layout users, dq_layout items, dq_pairing *pairings, size_t max, size_t *made,
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
