/* SPDX-License-Identifier: MIT */
#include "embed/als_fold.h"

#include <stdlib.h>
#include <string.h>

static dq_status no_memory(dq_error *error)
{
    return dq_fail(error, DQ_ERR_MEMORY, "out of memory for vectors");
}

/* ---- what was fitted ---- */

static const dq_field *factors_of(const dq_entities *entities, const char *name)
{
    return entities->width ? dq_field_find(entities->fields, entities->field_count, name) : NULL;
}

static bool same_origin(const dq_als_origin *a, const dq_als_origin *b)
{
    bool same_map = a->map && b->map ? strcmp(a->map, b->map) == 0 : a->map == b->map;
    return a->alpha == b->alpha && a->lambda == b->lambda && same_map;
}

/* All blocks of both sides were made in one way, which the first says. */
static dq_status read_origins(dq_als_fitted *f, const dq_entities *entities, const char *field, bool *known,
                              dq_error *error)
{
    for (size_t b = 0; b < entities->bundle_count; b++) {
        dq_als_origin origin;
        dq_status status = dq_als_origin_read(&entities->bundles[b].meta, field, &f->catalogue.arena, &origin,
                                              error);
        if (status) return status;
        if (*known && !same_origin(&f->origin, &origin))
            return dq_fail(error, DQ_ERR_SCHEMA, "field '%s' was made in two ways", field);
        f->origin = origin;
        *known = true;
    }
    return DQ_OK;
}

static void copy_field(const dq_entities *entities, const dq_field *field, float *to)
{
    for (uint32_t row = 0; field && row < dq_entities_count(entities); row++)
        memcpy(to + (size_t)row * field->width, entities->vectors[row] + field->offset,
               field->width * sizeof *to);
}

dq_status dq_als_fitted_init(dq_als_fitted *fitted, const char *name, dq_error *error)
{
    const dq_entities *users = &fitted->catalogue.users, *items = &fitted->catalogue.items;
    const dq_field *u = factors_of(users, name), *i = factors_of(items, name), *any = u ? u : i;
    bool known = false;
    if (!any) return dq_fail(error, DQ_ERR_UNKNOWN, "no user or item has a field '%s'", name);
    if (u && i && u->width != i->width)
        return dq_fail(error, DQ_ERR_SCHEMA, "field '%s': %u numbers of users, %u of items", name, u->width,
                       i->width);
    if (any->width > DQ_ALS_WIDTH_MAX)
        return dq_fail(error, DQ_ERR_RANGE, "field '%s': more than %d numbers", name, DQ_ALS_WIDTH_MAX);
    dq_status status = u ? read_origins(fitted, users, name, &known, error) : DQ_OK;
    if (!status && i) status = read_origins(fitted, items, name, &known, error);
    if (!status)
        status = dq_als_factors_init(&fitted->factors, any->width, dq_entities_count(users),
                                     dq_entities_count(items), error);
    if (status) return status;
    copy_field(users, u, fitted->factors.users);
    copy_field(items, i, fitted->factors.items);
    return DQ_OK;
}

void dq_als_fitted_free(dq_als_fitted *fitted)
{
    dq_catalogue_free(&fitted->catalogue);
    dq_als_factors_free(&fitted->factors);
    *fitted = (dq_als_fitted){0};
}

/* ---- newcomers ---- */

/* One end of an interaction. */
typedef struct end {
    uint32_t here,
        there; /* row of the catalogue, and of what was fitted unless that is zeros; or DQ_ABSENT */
} end;

/* Interactions that are news: of newcomers with those who are known. `user` and `item` count the catalogue's
 * rows on the newcomer's side, and the rows of what was fitted on the other. */
typedef struct news {
    dq_als_entry *of[DQ_ENTITY_KINDS];
    size_t count[DQ_ENTITY_KINDS];
} news;

/* The row of an id among what was fitted, or DQ_ABSENT, also for one who met nothing there. */
static uint32_t find_fitted(const dq_entities *known, const float *vectors, uint32_t width, const char *id,
                            size_t n)
{
    uint32_t row = dq_entities_find(known, id, n);
    return row != DQ_ABSENT && dq_als_is_zero(vectors + (size_t)row * width, width) ? DQ_ABSENT : row;
}

static dq_status find_end(const dq_entities *known, const float *vectors, uint32_t width,
                          const dq_column *ids, uint64_t r, const char *what, end *e, dq_error *error)
{
    size_t n;
    const char *id = dq_column_text(ids, r, &n);
    e->there = find_fitted(known, vectors, width, id, n);
    if (e->here == DQ_ABSENT && dq_entities_find(known, id, n) == DQ_ABSENT)
        return dq_fail(error, DQ_ERR_UNKNOWN,
                       "interactions: %s %.*s is neither in the stream nor among the factors", what, (int)n,
                       id);
    return DQ_OK;
}

static void add_news(news *all, int side, end user, end item, float weight)
{
    const end *new = side == DQ_USERS ? &user : &item, *known = side == DQ_USERS ? &item : &user;
    if (new->here == DQ_ABSENT || new->there != DQ_ABSENT || known->there == DQ_ABSENT) return;
    all->of[side][all->count[side]++] = side == DQ_USERS ? (dq_als_entry){user.here, item.there, weight}
                                                         : (dq_als_entry){user.there, item.here, weight};
}

/* Interactions stand in the order of their bundles' rows (dq_catalogue_finish). */
static dq_status gather(news *all, const dq_catalogue *c, const dq_als_fitted *f, const dq_label_map *weights,
                        dq_error *error)
{
    const dq_catalogue *known = &f->catalogue;
    const dq_interaction *x = c->interactions;
    uint32_t width = f->factors.width;
    for (size_t b = 0; b < c->interaction_bundle_count; b++) {
        const dq_bundle *bundle = &c->interaction_bundles[b];
        const dq_column *users = dq_bundle_column(bundle, "user"), *items = dq_bundle_column(bundle, "item");
        for (uint64_t r = 0; r < bundle->rows; r++, x++) {
            end user = {.here = x->user}, item = {.here = x->item};
            dq_status status = find_end(&known->users, f->factors.users, width, users, r, "user", &user,
                                        error);
            if (!status)
                status = find_end(&known->items, f->factors.items, width, items, r, "item", &item, error);
            if (status) return status;
            float weight = dq_als_weight(c, weights, x);
            add_news(all, DQ_USERS, user, item, weight);
            add_news(all, DQ_ITEMS, user, item, weight);
        }
    }
    return DQ_OK;
}

/* Puts what was fitted over the zeros that a solve leaves to rows without news, and counts. */
static void keep_fitted(const dq_entities *entities, const dq_entities *known, const float *fitted,
                        uint32_t width, float *vectors, dq_als_tally *tally)
{
    *tally = (dq_als_tally){0};
    for (uint32_t row = 0; row < dq_entities_count(entities); row++) {
        size_t n;
        float *to = vectors + (size_t)row * width;
        const char *id = dq_entities_id(entities, row, &n);
        uint32_t there = find_fitted(known, fitted, width, id, n);
        if (there != DQ_ABSENT) {
            memcpy(to, fitted + (size_t)there * width, width * sizeof *to);
            tally->fitted++;
        } else if (dq_als_is_zero(to, width)) {
            tally->zeros++;
        } else {
            tally->folded++;
        }
    }
}

static dq_status solve(dq_als_factors *to, const news *all, const dq_catalogue *c, const dq_als_fitted *f,
                       unsigned threads, dq_error *error)
{
    const dq_als_config config = {
        .width = f->factors.width, .alpha = f->origin.alpha, .lambda = f->origin.lambda};
    const dq_catalogue *known = &f->catalogue;
    dq_status status = dq_als_fold_users(&config, all->of[DQ_USERS], all->count[DQ_USERS], to->users,
                                         dq_entities_count(&c->users), f->factors.items,
                                         dq_entities_count(&known->items), threads, error);
    return status ? status
                  : dq_als_fold_items(&config, all->of[DQ_ITEMS], all->count[DQ_ITEMS], f->factors.users,
                                      dq_entities_count(&known->users), to->items,
                                      dq_entities_count(&c->items), threads, error);
}

dq_status dq_als_fold_catalogue(dq_als_factors *factors, dq_als_tally *tally, const dq_catalogue *c,
                                const dq_als_fitted *f, const dq_label_map *weights, unsigned threads,
                                dq_error *error)
{
    news all = {0};
    size_t room = c->interaction_count + 1;
    uint32_t width = f->factors.width;
    for (int side = 0; side < DQ_ENTITY_KINDS; side++) all.of[side] = malloc(room * sizeof *all.of[side]);
    dq_status status = dq_als_factors_init(factors, width, dq_entities_count(&c->users),
                                           dq_entities_count(&c->items), error);
    if (!status && !(all.of[DQ_USERS] && all.of[DQ_ITEMS])) status = no_memory(error);
    if (!status) status = gather(&all, c, f, weights, error);
    if (!status) status = solve(factors, &all, c, f, threads, error);
    for (int side = 0; side < DQ_ENTITY_KINDS; side++) free(all.of[side]);
    if (status) return status;
    const dq_catalogue *known = &f->catalogue;
    keep_fitted(&c->users, &known->users, f->factors.users, width, factors->users, &tally[DQ_USERS]);
    keep_fitted(&c->items, &known->items, f->factors.items, width, factors->items, &tally[DQ_ITEMS]);
    return DQ_OK;
}
