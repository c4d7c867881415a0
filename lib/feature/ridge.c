/* SPDX-License-Identifier: MIT
 *
 * Kernel ridge regression on labels (Saunders, Gammerman and Vovk, "Ridge regression learning algorithm in
 * dual variables", 1998): what users give, from what they are alike in. With K(v, w) = exp(BETA (z(v) z(w) -
 * 1)) of training users, A = (K + LAMBDA I)^-1 and gains g,
 *
 *     P(u, j) = sum_v W(u, v) g(v, j),    W(u, .) = k(u, .) A
 *
 * z is the user's field of the best pair, or, of what users have seen, that and the mean of the items seen.
 *
 * Whoever is left out, S, is not only not summed over: nothing of P may be learnt from S. To fit anew without
 * S for each user would be a fit a user; the inverse of a part of a matrix is had from that of the whole:
 *
 *     W(u, .) - W(u, S) A_SS^-1 A_S.
 *
 * which is W of the fit without S, and 0 at S (leave-one-out as in Allen's PRESS, 1974, of several rows).
 * A_SS of the groups of training are factored once.
 *
 * A takes n^2 numbers and 2 n^3 steps, so n is at most RIDGE_USERS: of more training users as many, evenly
 * spread.
 */
#include "feature/feature_impl.h"

#include "core/buffers.h"
#include "math/blas.h"
#include "math/cholesky.h"
#include "math/inverse.h"
#include "math/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RIDGE_USERS = 2048 };
#define BETA       4.0F
#define LAMBDA     0.1F
#define USER_SHARE 0.3F /* of z's square where what was seen is the rest */

/* ---- what the kernel compares ---- */

/* Of what z consists: a unit vector, and beside it the mean of unit vectors (NULL: no part). */
static void put_z(const feature_ridge *r, const float *user, const float *seen, float *z)
{
    size_t seen_width = r->width - r->user_width;
    memcpy(z, user, r->user_width * sizeof *z);
    if (!seen) return;
    dq_vec_scale(z, sqrtf(USER_SHARE), r->user_width);
    memcpy(z + r->user_width, seen, seen_width * sizeof *z);
    dq_vec_scale(z + r->user_width, sqrtf(1 - USER_SHARE), seen_width);
}

static void put_kernel(float *k, size_t n)
{
    for (size_t i = 0; i < n; i++) k[i] = expf(BETA * (k[i] - 1));
}

/* ---- training users ---- */

static void find_vectors(const dq_feature_set *set, feature_ridge *r, bool seen)
{
    float *mean = set->scratch[0].mean;
    for (uint32_t i = 0; i < r->n; i++) {
        r->user[i] = (uint32_t)((uint64_t)i * set->users / r->n);
        if (seen) feature_seen_mean(set, r->user[i], set->pairs[set->best].item, mean);
        put_z(r, set->vectors + (size_t)r->user[i] * r->user_width, seen ? mean : NULL,
              r->vectors + (size_t)i * r->width);
    }
}

/* Which kind it is that a fit is made for. */
static const char *name_of(const dq_feature_set *set, const feature_ridge *r)
{
    return r == &set->list.ridge ? feature_ridge_kind.name : feature_held_ridge.name;
}

static dq_status find_inverse(const dq_feature_set *set, feature_ridge *r, dq_error *error)
{
    size_t n = r->n;
    float *work = malloc(dq_inverse_work(n) * sizeof *work);
    if (!work) return dq_fail_memory(error, "features of %u users", set->users);
    dq_gemm_nt(n, n, r->width, r->vectors, r->width, r->vectors, r->width, r->inverse, n);
    put_kernel(r->inverse, n * n);
    for (size_t i = 0; i < n; i++) r->inverse[i * n + i] += LAMBDA;
    bool found = dq_inverse_definite(r->inverse, n, work);
    free(work);
    return found ? DQ_OK
                 : dq_fail(error, DQ_ERR_RANGE, "features %s: the users' vectors are no finite numbers",
                           name_of(set, r));
}

/* ---- groups ---- */

/* The lower triangle of A_SS. */
static void take_block(const feature_ridge *r, const uint32_t *s, size_t count, double *block)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j <= i; j++)
            block[dq_triangle(i) + j] = (double)r->inverse[(size_t)s[i] * r->n + s[j]];
}

/* Numbers of the ridge's users by group, ascending: r->member, r->first (groups + 1). Whose group nobody
 * knows is in none. */
static void sort_groups(const dq_feature_set *set, feature_ridge *r)
{
    uint32_t at = 0;
    memset(r->of_user, 0xff, r->n * sizeof *r->of_user); /* DQ_ABSENT */
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->of_user[i] != DQ_ABSENT || set->group[r->user[i]] == DQ_ABSENT) continue;
        for (uint32_t j = i; j < r->n; j++) {
            if (set->group[r->user[j]] != set->group[r->user[i]]) continue;
            r->of_user[j] = r->groups;
            r->member[at++] = j;
        }
        r->first[++r->groups] = at;
    }
}

/* A factor of A_SS for each group; a part of A is definite as A is. */
static dq_status factor_groups(const dq_feature_set *set, feature_ridge *r, dq_arena *arena, dq_error *error)
{
    size_t numbers = 0;
    bool sound = true;
    if (!set->group) return DQ_OK;
    sort_groups(set, r);
    for (uint32_t g = 0; g < r->groups; g++) {
        uint32_t size = r->first[g + 1] - r->first[g];
        if (size > r->most) r->most = size;
        r->factor_at[g] = numbers;
        numbers += dq_triangle(size);
    }
    r->factor = dq_arena_zero(arena, numbers, sizeof *r->factor);
    if (!r->factor) return dq_fail_memory(error, "features of %u users", set->users);
    for (uint32_t g = 0; g < r->groups; g++) {
        size_t size = r->first[g + 1] - r->first[g];
        take_block(r, r->member + r->first[g], size, r->factor + r->factor_at[g]);
        sound = dq_cholesky_factor(r->factor + r->factor_at[g], size) && sound;
    }
    return sound ? DQ_OK
                 : dq_fail(error, DQ_ERR_RANGE,
                           "features %s: users are too alike to leave a group out (group them otherwise, or "
                           "name features without it)",
                           name_of(set, r));
}

/* ---- binding ---- */

static bool take_memory(dq_feature_set *set, feature_ridge *r)
{
    size_t n = r->n, groups = set->group ? n : 0;
    const dq_buffer buffers[] = {
        DQ_BUFFER(r->user, n),           DQ_BUFFER(r->vectors, n * r->width), DQ_BUFFER(r->inverse, n * n),
        DQ_BUFFER(r->of_user, groups),   DQ_BUFFER(r->member, groups),        DQ_BUFFER(r->first, groups + 1),
        DQ_BUFFER(r->factor_at, groups),
    };
    return dq_buffers_take(&set->list.arena, buffers, DQ_BUFFERS(buffers));
}

/* What a thread needs; who is left out is a group, and perhaps a user by his id. */
static bool take_scratch(dq_feature_set *set, feature_ridge *r)
{
    unsigned threads = dq_pool_threads(set->pool);
    r->scratch = dq_arena_zero(&set->list.arena, threads, sizeof *r->scratch);
    for (unsigned t = 0; r->scratch && t < threads; t++) {
        feature_ridge_scratch *s = &r->scratch[t];
        const dq_buffer buffers[] = {
            DQ_BUFFER(s->z, (size_t)FEATURE_TILE * r->width),
            DQ_BUFFER(s->kernel, (size_t)FEATURE_TILE * r->n),
            DQ_BUFFER(s->weight, (size_t)FEATURE_TILE * r->n),
            DQ_BUFFER(s->left_out, r->most + (size_t)1),
            DQ_BUFFER(s->part, r->most + (size_t)1),
            DQ_BUFFER(s->factor, dq_triangle(r->most + (size_t)1)),
        };
        if (!dq_buffers_take(&set->list.arena, buffers, DQ_BUFFERS(buffers))) return false;
    }
    return r->scratch != NULL;
}

static dq_status bind(dq_feature_set *set, feature_ridge *r, bool seen, dq_error *error)
{
    const feature_pair *best = &set->pairs[set->best];
    *r = (feature_ridge){.n = set->users < RIDGE_USERS ? set->users : RIDGE_USERS,
                         .user_width = set->user_fields.at[best->user].width};
    r->width = r->user_width + (seen ? set->item_fields.at[best->item].width : 0);
    if (r->n == 0) return DQ_OK;
    if (!take_memory(set, r)) return dq_fail_memory(error, "features of %u users", set->users);
    find_vectors(set, r, seen);
    dq_status status = find_inverse(set, r, error);
    if (!status) status = factor_groups(set, r, &set->list.arena, error);
    if (status || take_scratch(set, r)) return status;
    return dq_fail_memory(error, "features of %u users", set->users);
}

dq_status feature_ridge_bind(dq_feature_set *set, bool ridge, bool held, dq_error *error)
{
    dq_status status = ridge ? bind(set, &set->list.ridge, false, error) : DQ_OK;
    return status || !held ? status : bind(set, &set->list.held_ridge, true, error);
}

/* ---- a list ---- */

/* S for the tile's user: how many. Nobody's id is more than one user's. */
static size_t find_left_out(const feature_tile *tile, const feature_ridge *r, size_t u, uint32_t *s)
{
    size_t count = 0;
    for (uint32_t i = 0; i < r->n && count <= r->most; i++)
        if (feature_is_left_out(tile, u, r->user[i])) s[count++] = i;
    return count;
}

/* The factor of A_SS: a group's, where S is one, or made now. */
static const double *find_factor(const feature_tile *tile, const feature_ridge *r, size_t u,
                                 const uint32_t *s, size_t count, double *room)
{
    const dq_feature_set *set = tile->set;
    uint32_t g = set->group && set->group[r->user[s[0]]] == tile->who[u].group ? r->of_user[s[0]] : DQ_ABSENT;
    if (g != DQ_ABSENT && r->first[g + 1] - r->first[g] == count) return r->factor + r->factor_at[g];
    take_block(r, s, count, room);
    return dq_cholesky_factor(room, count) ? room : NULL;
}

static void leave_out(const feature_tile *tile, const feature_ridge *r, const feature_ridge_scratch *scratch,
                      size_t u, float *weight)
{
    uint32_t *s = scratch->left_out;
    double *part = scratch->part;
    size_t count = find_left_out(tile, r, u, s);
    if (!count) return;
    const double *factor = find_factor(tile, r, u, s, count, scratch->factor);
    for (size_t i = 0; i < count; i++) part[i] = (double)weight[s[i]];
    if (factor) dq_cholesky_solve_factored(factor, count, part);
    for (size_t i = 0; factor && i < count; i++)
        dq_vec_add_scaled(weight, r->inverse + (size_t)s[i] * r->n, (float)-part[i], r->n);
    for (size_t i = 0; i < count; i++) weight[s[i]] = 0;
}

static void spread(const feature_tile *tile, const feature_ridge *r, const float *weight, float *to)
{
    const feature_labels *labels = &tile->set->list.labels;
    for (uint32_t i = 0; i < r->n; i++)
        for (uint32_t l = labels->start[r->user[i]]; l < labels->start[r->user[i] + 1]; l++)
            to[labels->item[l]] += weight[i] * labels->gain[l];
}

/* seen: (FEATURE_TILE, width) the mean of what each has seen; NULL: no part. */
static void predict(feature_tile *tile, const feature_ridge *r, const float *seen, float *to)
{
    const dq_feature_set *set = tile->set;
    memset(to, 0, FEATURE_TILE * set->list.stride * sizeof *to);
    if (r->n == 0) return;
    const feature_ridge_scratch *s = &r->scratch[tile->scratch - set->scratch];
    const float *user = tile->scratch->user[set->pairs[set->best].user];
    size_t n = r->n, seen_width = r->width - r->user_width;
    for (size_t u = 0; u < FEATURE_TILE; u++)
        put_z(r, user + u * r->user_width, seen ? seen + u * seen_width : NULL, s->z + u * r->width);
    dq_gemm_nt(FEATURE_TILE, n, r->width, s->z, r->width, r->vectors, r->width, s->kernel, n);
    put_kernel(s->kernel, FEATURE_TILE * n);
    dq_gemm_nn(FEATURE_TILE, n, n, s->kernel, n, r->inverse, n, s->weight, n);
    for (size_t u = 0; u < tile->count; u++) {
        leave_out(tile, r, s, u, s->weight + u * n);
        spread(tile, r, s->weight + u * n, feature_row(tile, to, u));
    }
}

static void fill_ridge(feature_tile *tile, uint32_t column, float *to)
{
    (void)column;
    predict(tile, &tile->set->list.ridge, NULL, to);
}

static void fill_held_ridge(feature_tile *tile, uint32_t column, float *to)
{
    (void)column;
    feature_own_mean(tile, tile->set->pairs[tile->set->best].item, tile->scratch->mean);
    predict(tile, &tile->set->list.held_ridge, tile->scratch->mean, to);
}

const dq_feature_kind feature_ridge_kind = {
    .name = "ridge",
    .help = "labels of training users by kernel ridge regression on the users' field, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_LABELS,
    .fill = fill_ridge,
};

const dq_feature_kind feature_held_ridge = {
    .name = "held-ridge",
    .help = "labels of training users by kernel ridge regression on that and what they have seen, as z-score",
    .needs = DQ_FEATURE_PAIR | DQ_FEATURE_LABELS | DQ_FEATURE_SEEN,
    .fill = fill_held_ridge,
};
