/* SPDX-License-Identifier: MIT */
#include "feature/catalogue.h"

#include "core/buffers.h"
#include "feature/feature_impl.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

typedef struct choice {
    dq_features cosines;
    char kinds[512]; /* for dq_feature_learn; "": none */
} choice;

static dq_status add_kind(choice *c, const char *name, size_t n, bool learn, dq_error *error)
{
    size_t used = strlen(c->kinds);
    if (!dq_feature_find(name, n)) return dq_feature_unknown(name, n, error);
    if (!learn)
        return dq_fail(
            error, DQ_ERR_RANGE,
            "features %.*s are learnt from labels of users and items (--offline), or come with --init",
            (int)n, name);
    if (used + n + 2 > sizeof c->kinds) return dq_fail(error, DQ_ERR_RANGE, "too many names of features");
    if (used) c->kinds[used++] = ',';
    memcpy(c->kinds + used, name, n);
    c->kinds[used + n] = 0;
    return DQ_OK;
}

static dq_features find_cosines(const char *name, size_t n)
{
    if (n == strlen("all") && memcmp(name, "all", n) == 0) return DQ_FEATURES_ALL;
    if (n == strlen("pairs") && memcmp(name, "pairs", n) == 0) return DQ_FEATURES_PAIRS;
    return DQ_FEATURES_NONE;
}

static dq_status add_name(choice *c, const char *name, size_t n, bool learn, dq_error *error)
{
    dq_features cosines = find_cosines(name, n);
    if (!cosines) return add_kind(c, name, n, learn, error);
    if (c->cosines)
        return dq_fail(error, DQ_ERR_RANGE,
                       "features: the cosines of all pairs of fields, or of the catalogue's");
    c->cosines = cosines;
    return DQ_OK;
}

static dq_status read_names(choice *c, const char *names, bool learn, dq_error *error)
{
    dq_status status = DQ_OK;
    *c = (choice){.cosines = DQ_FEATURES_NONE};
    if (strcmp(names, "none") == 0) return DQ_OK;
    if (strcmp(names, "auto") == 0) {
        c->cosines = DQ_FEATURES_ALL;
        if (learn) memcpy(c->kinds, "auto", sizeof "auto");
        return DQ_OK;
    }
    while (!status) {
        size_t n = strcspn(names, ",");
        status = add_name(c, names, n, learn, error);
        if (!names[n]) break;
        names += n + 1;
    }
    return status;
}

/* ---- users ---- */

/* Lists are kept in blocks of a tile's users; block b of all lies in slot b % slots. */
enum { KEPT_BYTES = 1 << 30 };

struct dq_feature_users {
    dq_feature_set *set; /* its own */
    uint32_t users;
    dq_feature_who *who;   /* (users) */
    uint32_t *block;       /* (slots) which is there; DQ_ABSENT: none */
    size_t slots, numbers; /* numbers: of a user's list */
    float *kept;           /* (slots, FEATURE_TILE, numbers) */
    dq_arena arena;
};

/* ---- making ---- */

static bool make_lists(dq_feature_users *l, const dq_entities *users, const uint64_t *id,
                       const uint32_t *group, const dq_history *seen)
{
    size_t blocks = ((size_t)l->users + FEATURE_TILE - 1) / FEATURE_TILE;
    l->numbers = (size_t)l->set->list.n * dq_feature_columns(l->set);
    size_t most = KEPT_BYTES / sizeof(float) / FEATURE_TILE / (l->numbers + 1);
    l->slots = blocks < most ? blocks : most;
    if (l->slots == 0) l->slots = 1;
    const dq_buffer buffers[] = {
        DQ_BUFFER(l->who, l->users),
        DQ_BUFFER(l->block, l->slots),
        DQ_BUFFER(l->kept, l->slots * FEATURE_TILE * l->numbers),
    };
    if (!dq_buffers_take(&l->arena, buffers, DQ_BUFFERS(buffers))) return false;
    memset(l->block, 0xff, l->slots * sizeof *l->block); /* DQ_ABSENT */
    for (uint32_t u = 0; u < l->users; u++) {
        l->who[u] = (dq_feature_who){
            .vector = users->vectors[u], .id = id[u], .group = group ? group[u] : DQ_ABSENT};
        if (!seen) continue;
        l->who[u].seen = seen->item + seen->start[u];
        l->who[u].seen_count = seen->start[u + 1] - seen->start[u];
    }
    return true;
}

typedef struct ids {
    uint64_t *user, *item;
} ids;

static dq_status learn(dq_feature_users *l, const dq_feature_source *from, const ids *id, const char *kinds,
                       dq_error *error)
{
    const dq_catalogue *c = from->catalogue;
    const dq_feature_training training = {
        .user_layout = dq_entities_layout(&c->users),
        .item_layout = dq_entities_layout(&c->items),
        .users = dq_entities_vectors(&c->users),
        .items = dq_entities_vectors(&c->items),
        .user_id = id->user,
        .item_id = id->item,
        .group = from->group,
        .count = from->rows.count,
        .user = from->rows.user,
        .item = from->rows.item,
        .reward = from->rows.reward,
        .ignored = from->rows.ignored,
        .seen = from->seen ? from->seen->item : NULL,
        .seen_start = from->seen ? from->seen->start : NULL,
        .history = from->last,
        .recency = from->recency,
    };
    return *kinds ? dq_feature_learn(&l->set, &training, kinds, from->pool, error) : DQ_OK;
}

static dq_status take_over(dq_feature_users *l, const dq_feature_source *from, const ids *id, dq_error *error)
{
    const dq_vectors items = dq_entities_vectors(&from->catalogue->items);
    dq_status status = dq_feature_load(&l->set, from->model, from->pool, error);
    if (status || !l->set) return status;
    uint32_t users = dq_entities_count(&from->catalogue->users);
    if (from->group && !feature_take_groups(l->set, id->user, from->group, users))
        return dq_fail_memory(error, "features of the users");
    return dq_feature_bind(l->set, &items, id->item, error);
}

/* Without it features would be zeros, and nobody would know. */
static dq_status check_told(const dq_feature_set *set, const dq_feature_source *from, dq_error *error)
{
    if (from->seen || !set || !dq_feature_asks_seen(set)) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED,
                   "the model's features are of what users have seen, which is not told here");
}

/* What is told must be there, and asked for, and as a model learnt it. */
static dq_status check_seen(const dq_feature_set *set, const dq_feature_source *from, dq_error *error)
{
    const feature_history *h = set ? &set->history : NULL;
    if (from->seen->start[from->seen->users] == 0)
        return dq_fail(error, DQ_ERR_RANGE,
                       "nobody has seen an item: every interaction has a label with a reward");
    if (!set || !dq_feature_asks_seen(set))
        return dq_fail(error, DQ_ERR_RANGE,
                       "no feature is of what users have seen (--features held-cosine,held-transfer ...; "
                       "auto leaves them out of more than 2^26 pairs of a user and an item)");
    if (from->last == DQ_FEATURE_AS_LEARNT || (h->last == from->last && h->recency == from->recency))
        return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "the model learnt from the last %u items that were seen (0: all), of weight %g, and here "
                   "it is %u, of %g",
                   h->last, h->recency, from->last, from->recency);
}

static dq_status make(dq_feature_users *l, const dq_feature_source *from, const ids *id, const char *kinds,
                      dq_error *error)
{
    if (!id->user || !id->item) return dq_fail_memory(error, "features of the users");
    dq_status status = from->model ? take_over(l, from, id, error) : learn(l, from, id, kinds, error);
    if (!status) status = from->seen ? check_seen(l->set, from, error) : check_told(l->set, from, error);
    if (status || !l->set || !dq_feature_columns(l->set)) return status;
    l->users = dq_entities_count(&from->catalogue->users);
    if (make_lists(l, &from->catalogue->users, id->user, from->group, from->seen)) return DQ_OK;
    return dq_fail_memory(error, "features of the users");
}

static dq_status make_users(dq_feature_users **users, const dq_feature_source *source, const char *kinds,
                            dq_error *error)
{
    const dq_catalogue *c = source->catalogue;
    const ids id = {dq_feature_ids(&c->users.identity.ids), dq_feature_ids(&c->items.identity.ids)};
    dq_feature_users *l = *users = calloc(1, sizeof *l);
    dq_status status = l ? make(l, source, &id, kinds, error)
                         : dq_fail_memory(error, "features of the users");
    free(id.user);
    free(id.item);
    if (!status && l->users) return DQ_OK;
    dq_feature_users_free(l);
    *users = NULL;
    return status;
}

dq_status dq_feature_users_new(dq_feature_users **users, const dq_feature_source *source, dq_pairing *cosines,
                               size_t max, uint32_t *count, dq_error *error)
{
    const dq_catalogue *c = source->catalogue;
    choice chosen;
    size_t n = 0;
    *users = NULL;
    dq_status status = read_names(&chosen, source->names, source->learn, error);
    if (!status)
        status = dq_pairing_features(chosen.cosines, c->pairs, c->pair_count, dq_entities_layout(&c->users),
                                     dq_entities_layout(&c->items), cosines, max, &n, error);
    *count = (uint32_t)n;
    if (!status && source->seen && !source->model && !*chosen.kinds) return check_seen(NULL, source, error);
    if (status || !(source->model || *chosen.kinds)) return status;
    return make_users(users, source, chosen.kinds, error);
}

void dq_feature_users_free(dq_feature_users *users)
{
    if (!users) return;
    dq_feature_free(users->set);
    dq_arena_free(&users->arena);
    free(users);
}

const dq_feature_set *dq_feature_users_set(const dq_feature_users *users)
{
    return users->set;
}

/* ---- lists ---- */

/* The whole list of a user: (items, columns). */
static const float *list_of(dq_feature_users *l, uint32_t user)
{
    uint32_t block = user / FEATURE_TILE, first = block * FEATURE_TILE, n = l->users - first;
    float *kept = l->kept + block % l->slots * FEATURE_TILE * l->numbers;
    if (l->block[block % l->slots] != block)
        dq_feature_lists(l->set, l->who + first, n < FEATURE_TILE ? n : FEATURE_TILE, kept);
    l->block[block % l->slots] = block;
    return kept + (user - first) * l->numbers;
}

void dq_feature_users_fill(void *self, uint32_t user, const uint32_t *items, size_t n, float *out)
{
    dq_feature_users *l = self;
    size_t columns = dq_feature_columns(l->set);
    const float *list = list_of(l, user);
    if (!items) memcpy(out, list, n * columns * sizeof *out);
    for (size_t i = 0; items && i < n; i++)
        memcpy(out + i * columns, list + items[i] * columns, columns * sizeof *out);
}
