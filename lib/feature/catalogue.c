/* SPDX-License-Identifier: MIT */
#include "feature/catalogue.h"
#include "core/buffers.h"
#include "feature/feature_impl.h"

#include <stdlib.h>
#include <string.h>

/* Lists are kept in blocks of a tile's users; block b of all lies in slot b % slots. */
enum { KEPT_BYTES = 1 << 30 };

struct dq_feature_users {
    dq_feature_set *set;
    uint32_t users;
    dq_feature_who *who;   /* (users) */
    uint32_t *block;       /* (slots) which is there; DQ_ABSENT: none */
    size_t slots, numbers; /* numbers: of a user's list */
    float *kept;           /* (slots, FEATURE_TILE, numbers) */
    dq_arena arena;
};

/* ---- ids ---- */

static uint64_t *find_ids(const dq_entities *entities)
{
    uint32_t count = dq_entities_count(entities);
    uint64_t *id = malloc((count + (size_t)1) * sizeof *id);
    for (uint32_t i = 0; id && i < count; i++) {
        size_t n;
        const char *text = dq_entities_id(entities, i, &n);
        id[i] = dq_feature_id(text, n);
    }
    return id;
}

dq_status dq_feature_learn_catalogue(dq_feature_set **set, const dq_catalogue *catalogue,
                                     const dq_feature_rows *rows, const uint32_t *group, const char *names,
                                     dq_pool *pool, dq_error *error)
{
    uint64_t *users = find_ids(&catalogue->users), *items = find_ids(&catalogue->items);
    dq_feature_training training = {
        .user_layout = dq_entities_layout(&catalogue->users),
        .item_layout = dq_entities_layout(&catalogue->items),
        .users = dq_entities_vectors(&catalogue->users),
        .items = dq_entities_vectors(&catalogue->items),
        .user_id = users,
        .item_id = items,
        .group = group,
        .count = rows->count,
        .user = rows->user,
        .item = rows->item,
        .reward = rows->reward,
        .ignored = rows->ignored,
    };
    *set = NULL;
    dq_status status = users && items ? dq_feature_learn(set, &training, names, pool, error)
                                      : dq_fail_memory(error, "features");
    free(users);
    free(items);
    return status;
}

dq_status dq_feature_bind_items(dq_feature_set *set, const dq_entities *items, dq_error *error)
{
    const dq_vectors vectors = dq_entities_vectors(items);
    uint64_t *id = find_ids(items);
    dq_status status = id ? dq_feature_bind(set, &vectors, id, error) : dq_fail_memory(error, "features");
    free(id);
    return status;
}

/* ---- lists ---- */

static bool make(dq_feature_users *l, const dq_entities *users, const uint32_t *group)
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
        size_t n;
        const char *id = dq_entities_id(users, u, &n);
        l->who[u] = (dq_feature_who){
            .vector = users->vectors[u], .id = dq_feature_id(id, n), .group = group ? group[u] : DQ_ABSENT};
    }
    return true;
}

dq_status dq_feature_users_new(dq_feature_users **lists, dq_feature_set *set, const dq_entities *users,
                               const uint32_t *group, dq_error *error)
{
    dq_feature_users *l = *lists = calloc(1, sizeof *l);
    if (l) {
        l->set = set;
        l->users = dq_entities_count(users);
        if (make(l, users, group)) return DQ_OK;
    }
    dq_feature_users_free(l);
    *lists = NULL;
    return dq_fail_memory(error, "features of the users");
}

void dq_feature_users_free(dq_feature_users *lists)
{
    if (!lists) return;
    dq_arena_free(&lists->arena);
    free(lists);
}

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
