/* SPDX-License-Identifier: MIT
 *
 * A set out of training data: which fields there are, who has which labels and what these are worth, and
 * which pair of fields tells most.
 */
#include "feature/feature_impl.h"

#include "core/buffers.h"
#include "core/digest.h"
#include "math/vec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t dq_feature_id(const char *id, size_t bytes)
{
    uint64_t digest = dq_digest(id, bytes);
    return digest ? digest : 1;
}

uint64_t *dq_feature_ids(const dq_index *ids)
{
    uint32_t count = (uint32_t)dq_index_count(ids);
    uint64_t *digest = malloc((count + (size_t)1) * sizeof *digest);
    for (uint32_t i = 0; digest && i < count; i++) {
        size_t n;
        const char *text = dq_index_id(ids, i, &n);
        digest[i] = dq_feature_id(text, n);
    }
    return digest;
}

/* ---- fields ---- */

dq_status feature_read_layout(dq_feature_set *set, dq_layout users, dq_layout items, dq_error *error)
{
    const dq_layout layouts[] = {users, items};
    feature_fields *all[] = {&set->user_fields, &set->item_fields};
    for (size_t s = 0; s < 2; s++)
        for (size_t f = 0; f < layouts[s].count; f++) {
            const dq_field *from = &layouts[s].fields[f];
            if (all[s]->count == FEATURE_FIELDS)
                return dq_fail(error, DQ_ERR_RANGE, "features of %s with more than %d fields",
                               s ? "items" : "users", FEATURE_FIELDS);
            feature_field *to = &all[s]->at[all[s]->count++];
            to->offset = from->offset;
            to->width = from->width;
            (void)snprintf(to->name, sizeof to->name, "%s", from->name);
        }
    set->user_width = users.width;
    set->item_width = items.width;
    for (uint32_t u = 0; u < set->user_fields.count; u++)
        for (uint32_t i = 0; i < set->item_fields.count; i++) {
            if (set->user_fields.at[u].width != set->item_fields.at[i].width) continue;
            if (set->pair_count == FEATURE_PAIRS)
                return dq_fail(error, DQ_ERR_RANGE, "features of more than %d pairs of fields of one width",
                               FEATURE_PAIRS);
            set->pairs[set->pair_count++] = (feature_pair){u, i};
        }
    return DQ_OK;
}

void feature_use_pair(dq_feature_set *set, uint32_t pair)
{
    const feature_field *user = &set->user_fields.at[set->pairs[pair].user];
    set->best = pair;
    set->best_pairing = (dq_pairing){user->offset, set->item_fields.at[set->pairs[pair].item].offset,
                                     user->width};
}

const dq_pairing *dq_feature_pair(const dq_feature_set *set)
{
    return set->pair_count ? &set->best_pairing : NULL;
}

/* ---- labels ---- */

typedef struct label {
    uint64_t item; /* id */
    uint32_t user;
    float reward;
} label;

typedef struct learning {
    const dq_feature_training *from;
    dq_feature_set *set;
    label *labels;
    size_t count;
    float *rewards; /* distinct, ascending */
    size_t levels;
    uint32_t *user; /* (set->users) number in training */
} learning;

/* By user and item, the greatest reward first. */
static int by_pair(const void *a, const void *b)
{
    const label *x = a, *y = b;
    if (x->user != y->user) return (x->user > y->user) - (x->user < y->user);
    if (x->item != y->item) return (x->item > y->item) - (x->item < y->item);
    return (x->reward < y->reward) - (x->reward > y->reward);
}

static int by_number(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Labels above what was passed over, each pair once. */
static bool collect(learning *l)
{
    const dq_feature_training *from = l->from;
    size_t n = 0;
    l->labels = malloc((from->count + 1) * sizeof *l->labels);
    l->rewards = malloc((from->count + 1) * sizeof *l->rewards);
    if (!l->labels || !l->rewards) return false;
    for (size_t r = 0; r < from->count; r++)
        if (from->reward[r] > from->ignored) /* not NAN */
            l->labels[n++] = (label){from->item_id[from->item[r]], from->user[r], from->reward[r]};
    qsort(l->labels, n, sizeof *l->labels, by_pair);
    for (size_t r = 0; r < n; r++) {
        const label *last = l->count ? &l->labels[l->count - 1] : NULL;
        if (last && last->user == l->labels[r].user && last->item == l->labels[r].item) continue;
        l->labels[l->count++] = l->labels[r];
    }
    for (size_t r = 0; r < l->count; r++) l->rewards[r] = l->labels[r].reward;
    qsort(l->rewards, l->count, sizeof *l->rewards, by_number);
    for (size_t r = 0; r < l->count; r++)
        if (r == 0 || l->rewards[r] != l->rewards[r - 1]) l->rewards[l->levels++] = l->rewards[r];
    return true;
}

static float gain_of(const learning *l, float reward)
{
    const float *at = bsearch(&reward, l->rewards, l->levels, sizeof *l->rewards, by_number);
    return (float)((double)(at - l->rewards + 1) / (double)l->levels);
}

/* The items that have a label, ascending. */
static bool number_items(learning *l)
{
    dq_feature_set *set = l->set;
    uint64_t *id = dq_arena_zero(&set->arena, l->count, sizeof *id);
    if (!id) return false;
    for (size_t r = 0; r < l->count; r++) id[r] = l->labels[r].item;
    qsort(id, l->count, sizeof *id, by_id);
    for (size_t r = 0; r < l->count; r++)
        if (r == 0 || id[r] != id[r - 1]) id[set->items++] = id[r];
    set->item_id = id;
    return true;
}

/* Users who have a label, in their order, and their labels as rows. */
static bool number_users(learning *l)
{
    dq_feature_set *set = l->set;
    const dq_feature_training *from = l->from;
    for (size_t r = 0; r < l->count; r++) set->users += r == 0 || l->labels[r].user != l->labels[r - 1].user;
    l->user = malloc((set->users + (size_t)1) * sizeof *l->user);
    const dq_buffer buffers[] = {
        DQ_BUFFER(set->id, set->users),
        DQ_BUFFER(set->group, set->users),
        DQ_BUFFER(set->labels.start, set->users + (size_t)1),
        DQ_BUFFER(set->labels.item, l->count),
        DQ_BUFFER(set->labels.gain, l->count),
    };
    if (!l->user || !dq_buffers_take(&set->arena, buffers, DQ_BUFFERS(buffers))) return false;
    uint32_t v = 0;
    for (uint32_t r = 0; r < l->count; r++) {
        const label *one = &l->labels[r];
        if (r == 0 || one->user != one[-1].user) {
            l->user[v] = one->user;
            set->id[v] = from->user_id[one->user];
            set->group[v++] = from->group ? from->group[one->user] : one->user;
        }
        set->labels.start[v] = r + 1;
        set->labels.item[r] = feature_find_item(set, one->item);
        set->labels.gain[r] = gain_of(l, one->reward);
    }
    return true;
}

/* ---- groups of a set that a model brought ---- */

typedef struct member {
    uint64_t id;
    uint32_t group;
} member;

static int by_member(const void *a, const void *b)
{
    return by_id(&((const member *)a)->id, &((const member *)b)->id);
}

bool feature_take_groups(dq_feature_set *set, const uint64_t *id, const uint32_t *group, uint32_t n)
{
    member *all = malloc((n + (size_t)1) * sizeof *all);
    set->group = dq_arena_zero(&set->arena, set->users, sizeof *set->group);
    for (uint32_t u = 0; all && u < n; u++) all[u] = (member){id[u], group[u]};
    if (all) qsort(all, n, sizeof *all, by_member);
    for (uint32_t v = 0; all && set->group && v < set->users; v++) {
        const member key = {.id = set->id[v]}, *found = bsearch(&key, all, n, sizeof *all, by_member);
        set->group[v] = found ? found->group : DQ_ABSENT;
    }
    free(all);
    return all && set->group;
}

/* ---- the best pair of fields ---- */

enum { JUDGES = 1024 }; /* users who decide, evenly spread */

/* Sum of gain / log2(2 + place): Järvelin and Kekäläinen, 2002, without an end. Of equal items each has the
 * last place, so that fields that tell nothing apart win nothing. */
static double judge(const dq_feature_set *set, uint32_t v, const float *cosine)
{
    const feature_labels *labels = &set->list.labels;
    double sum = 0;
    for (uint32_t l = labels->start[v]; l < labels->start[v + 1]; l++) {
        float own = cosine[labels->item[l]];
        uint32_t place = 0;
        for (uint32_t j = 0; j < set->list.n; j++) place += cosine[j] >= own;
        sum += (double)labels->gain[l] / log2(1 + (double)place);
    }
    return sum;
}

typedef struct judging {
    const learning *l;
    uint32_t users;
    double *score; /* (users, pairs) */
} judging;

static void judge_tile(void *arg, size_t i, unsigned thread)
{
    const judging *j = arg;
    const dq_feature_set *set = j->l->set;
    dq_feature_who who[FEATURE_TILE];
    uint32_t first = (uint32_t)i * set->tile_users, n = j->users - first, v[FEATURE_TILE];
    feature_tile tile;
    if (n > set->tile_users) n = set->tile_users;
    for (uint32_t u = 0; u < n; u++) {
        v[u] = (uint32_t)((uint64_t)(first + u) * set->users / j->users);
        who[u] = (dq_feature_who){.vector = j->l->from->users.at[j->l->user[v[u]]]};
    }
    feature_tile_start(&tile, set, who, n, thread);
    for (uint32_t p = 0; p < set->pair_count; p++) {
        const float *cosine = feature_cosines(&tile, p);
        for (uint32_t u = 0; u < n; u++)
            j->score[(first + u) * (size_t)set->pair_count + p] = judge(
                set, v[u], cosine + u * set->list.stride + set->list.margin);
    }
}

static dq_status choose_pair(const learning *l, dq_error *error)
{
    dq_feature_set *set = l->set;
    judging j = {l, set->users < JUDGES ? set->users : JUDGES, NULL};
    double best = -1;
    j.score = calloc(j.users * (size_t)set->pair_count + 1, sizeof *j.score);
    if (!j.score) return dq_fail_memory(error, "the pairs of fields");
    dq_pool_run(set->pool, judge_tile, &j, (j.users + set->tile_users - 1) / set->tile_users);
    for (uint32_t p = 0; p < set->pair_count; p++) {
        double sum = 0;
        for (uint32_t u = 0; u < j.users; u++) sum += j.score[u * (size_t)set->pair_count + p];
        if (sum > best) feature_use_pair(set, p);
        best = sum > best ? sum : best;
    }
    free(j.score);
    return DQ_OK;
}

/* ---- the whole ---- */

static bool take_vectors(const learning *l)
{
    dq_feature_set *set = l->set;
    const dq_pairing *pair = &set->best_pairing;
    set->vectors = dq_arena_zero(&set->arena, (size_t)set->users * pair->width, sizeof *set->vectors);
    if (!set->vectors) return false;
    for (uint32_t v = 0; v < set->users; v++) /* each user was set: NOLINTNEXTLINE(*.ArraySubscript) */
        dq_vec_unit(set->vectors + (size_t)v * pair->width, l->from->users.at[l->user[v]] + pair->user_offset,
                    pair->width);
    return true;
}

/* Labels count in 32 bits. */
static dq_status check_size(const dq_feature_training *from, dq_error *error)
{
    if (from->count < UINT32_MAX) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "features of %zu labels: at most 2^32 - 2 can be", from->count);
}

/* Pairs beyond which nobody gets features that he did not ask for: they take some 0.2 microseconds each. */
enum { AUTOMATIC_PAIRS = 1 << 26 };

static bool is_large(const dq_feature_training *from)
{
    return (uint64_t)from->users.count * from->items.count > AUTOMATIC_PAIRS;
}

static dq_status learn(learning *l, const char *names, dq_error *error)
{
    dq_feature_set *set = l->set;
    const dq_feature_training *from = l->from;
    dq_status status = check_size(from, error);
    if (!status) status = feature_read_layout(set, from->user_layout, from->item_layout, error);
    if (!status && !(collect(l) && number_items(l) && number_users(l)))
        status = dq_fail_memory(error, "features of %zu labels", from->count);
    if (!status) status = feature_history_learn(set, from, l->user, error);
    unsigned have = (set->pair_count ? DQ_FEATURE_PAIR : 0U) | (set->users ? DQ_FEATURE_LABELS : 0U) |
                    (from->seen_start ? DQ_FEATURE_SEEN : 0U) |
                    (feature_fits_table(set, from->items.count) ? DQ_FEATURE_TABLE : 0U) |
                    (feature_fits_square(from->items.count) ? DQ_FEATURE_SQUARE : 0U);
    bool automatic = strcmp(names, "auto") == 0;
    if (!status && !(automatic && is_large(from))) status = feature_choose(set, names, have, error);
    if (status || !set->kind_count) return status;
    status = feature_list_open(set, &from->items, error);
    if (!status && !feature_place_labels(set, from->item_id)) status = dq_fail_memory(error, "labels");
    if (!status) feature_use_pair(set, 0);
    if (!status && set->users) status = choose_pair(l, error);
    if (!status && !take_vectors(l)) status = dq_fail_memory(error, "features of %u users", set->users);
    if (!status) status = feature_count_columns(set, error);
    return status ? status : dq_feature_bind(set, &from->items, from->item_id, error);
}

dq_status feature_set_new(dq_feature_set **set, dq_pool *pool, dq_error *error)
{
    *set = calloc(1, sizeof **set);
    if (!*set) return dq_fail_memory(error, "features");
    (*set)->pool = pool;
    return DQ_OK;
}

dq_status dq_feature_learn(dq_feature_set **set, const dq_feature_training *training, const char *names,
                           dq_pool *pool, dq_error *error)
{
    learning l = {.from = training};
    dq_status status = feature_set_new(set, pool, error);
    l.set = *set;
    if (!status) status = learn(&l, names, error);
    free(l.labels);
    free(l.rewards);
    free(l.user);
    if (status) dq_feature_free(*set);
    if (status) *set = NULL;
    return status;
}

void dq_feature_free(dq_feature_set *set)
{
    if (!set) return;
    feature_list_free(set);
    dq_arena_free(&set->arena);
    free(set);
}
