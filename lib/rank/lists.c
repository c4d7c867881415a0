/* SPDX-License-Identifier: MIT
 *
 * Blocks are scored for groups of users, so that the score matrix stays modest; then each user's heap is fed
 * by one thread. Every decision about a pair depends on the pair alone, so neither groups nor threads show.
 */
#include "rank/lists.h"

#include "rank/features.h"
#include "rank/mmr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dq_rank_order_names[] = {"score", "mmr", "epsilon", "softmax", "ensemble", NULL};

enum {
    GROUP_SCORES = 1 << 20, /* floats of the score matrix */
    USER_TILE = 16,         /* users */
};

/* ---- opening ---- */

static bool is_wanted(const dq_rank_config *config, const char *id, size_t bytes)
{
    const dq_index *users = config->users;
    bool named = !users || !dq_index_count(users) || dq_index_find(users, id, bytes) != DQ_ABSENT;
    return named && dq_shard_has(&config->shard, id, bytes);
}

static bool is_drawn(const dq_rank_config *config)
{
    return config->order == DQ_RANK_EPSILON || config->order == DQ_RANK_SOFTMAX;
}

/* ENSEMBLE: a list for each member, and the one that is drawn. */
static dq_status open_members(dq_rank_lists *lists, size_t i, dq_error *error)
{
    const dq_rank_config *config = &lists->config;
    const dq_rank_user *user = &lists->users[i];
    dq_rng rng = dq_explore_rng(config->seed, user->id, user->id_bytes, "", 0);
    dq_topk **of = lists->of_member + i * config->members;
    dq_status status = DQ_OK;
    for (size_t m = 0; !status && m < config->members; m++) status = dq_topk_new(&of[m], config->k, error);
    lists->best[i] = of[dq_rng_below(&rng, config->members)];
    return status;
}

/* The heaps of list i. */
static dq_status open_list(dq_rank_lists *lists, size_t i, dq_error *error)
{
    const dq_rank_config *config = &lists->config;
    size_t k = config->order == DQ_RANK_MMR ? config->pool
               : config->shortlist          ? config->shortlist
                                            : config->k;
    lists->count = i + 1;
    if (config->order == DQ_RANK_ENSEMBLE) return open_members(lists, i, error);
    dq_status status = dq_topk_new(&lists->best[i], k, error);
    if (!status && is_drawn(config)) status = dq_topk_new(&lists->other[i], k, error);
    return status;
}

static dq_status open_user(dq_rank_lists *lists, const dq_entities *entities, uint32_t row, dq_error *error)
{
    size_t i = lists->count;
    dq_rank_user *user = &lists->users[i];
    user->id = dq_entities_id(entities, row, &user->id_bytes);
    user->seen = DQ_ABSENT;
    lists->of_row[row] = DQ_ABSENT;
    if (!is_wanted(&lists->config, user->id, user->id_bytes)) return DQ_OK;
    lists->of_row[row] = (uint32_t)i;
    lists->vectors[i] = entities->vectors[row];
    return open_list(lists, i, error);
}

static dq_status reserve_users(dq_rank_lists *lists, const dq_rank_config *config, uint32_t n,
                               dq_error *error)
{
    lists->config = *config;
    lists->users = calloc(n + 1U, sizeof *lists->users);
    lists->of_row = calloc(n + 1U, sizeof *lists->of_row);
    lists->vectors = calloc(n + 1U, sizeof *lists->vectors);
    lists->best = calloc(n + 1U, sizeof *lists->best);
    lists->other = calloc(n + 1U, sizeof *lists->other);
    lists->candidates = calloc(n + 1U, sizeof *lists->candidates);
    lists->rest = config->order == DQ_RANK_SOFTMAX ? calloc(n + 1U, sizeof *lists->rest) : NULL;
    size_t members = config->order == DQ_RANK_ENSEMBLE ? config->members : 0;
    lists->of_member = calloc(n * members + 1, sizeof(dq_topk *));
    bool ok = lists->of_member && lists->users && lists->of_row && lists->vectors && lists->best &&
              lists->other && lists->candidates && (config->order != DQ_RANK_SOFTMAX || lists->rest);
    return ok ? DQ_OK : dq_fail_memory(error, "the users' lists");
}

dq_status dq_rank_lists_open(dq_rank_lists *lists, const dq_rank_config *config, const dq_entities *users,
                             dq_error *error)
{
    uint32_t n = dq_entities_count(users);
    dq_status status = reserve_users(lists, config, n, error);
    for (uint32_t row = 0; !status && row < n; row++) status = open_user(lists, users, row, error);
    return status;
}

dq_status dq_rank_lists_open_one(dq_rank_lists *lists, const dq_rank_config *config, const char *id,
                                 size_t bytes, dq_error *error)
{
    dq_status status = reserve_users(lists, config, 1, error);
    if (status) return status;
    lists->users[0] = (dq_rank_user){id, bytes, DQ_ABSENT};
    return open_list(lists, 0, error);
}

/* ---- offering ---- */

typedef struct offering {
    dq_rank_lists *lists;
    const dq_rank_block *block;
    size_t first, count;  /* the group of users */
    const float *scores;  /* (count, rows) */
    const float *members; /* (networks, count, rows) of a scorer of several; else NULL */
    size_t networks;
    dq_error *errors; /* (tiles) */
} offering;

static uint32_t bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static float number_of(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float number;
    memcpy(&number, &low, sizeof number);
    return number;
}

/* What several networks said of a pair: the standard deviation. */
static float disagreement_of(const float *members, size_t networks, size_t stride)
{
    double mean = 0, square = 0, n = (double)networks;
    if (!members) return NAN;
    for (size_t k = 0; k < networks; k++) mean += (double)members[k * stride] / n;
    for (size_t k = 0; k < networks; k++) {
        double d = (double)members[k * stride] - mean;
        square += d * d / n;
    }
    return (float)sqrt(square);
}

uint64_t dq_rank_lists_tag(float score, const float *members, size_t networks, size_t stride)
{
    return (uint64_t)bits_of(disagreement_of(members, networks, stride)) << 32 | bits_of(score);
}

/* The tag of row `row` for user u. */
static uint64_t tag_of(const offering *work, size_t u, uint32_t row, float score)
{
    size_t rows = work->block->rows, at = (u - work->first) * rows + row;
    return dq_rank_lists_tag(score, work->members ? work->members + at : NULL, work->networks,
                             work->count * rows);
}

/* Whether candidates are looked at again at the end, by their vectors. */
static bool keeps_vectors(const dq_rank_config *config)
{
    return config->order == DQ_RANK_MMR || config->shortlist;
}

/* Of a softmax list: the best by score apart, the rest as a sum, for the propensities. */
static dq_status offer_greedy(dq_rank_lists *lists, size_t u, float score, const char *id, size_t n,
                              dq_error *error)
{
    float out;
    if (dq_topk_overflows(lists->other[u], score, id, n, &out))
        dq_explore_sum_add(&lists->rest[u], (double)out / lists->config.temperature);
    return dq_topk_push(lists->other[u], score, id, n, 0, error);
}

static bool is_seen(const dq_rank_lists *lists, size_t u, uint32_t row, uint32_t number)
{
    const dq_rank_seen *seen = lists->config.seen;
    if (lists->config.left_out && lists->config.left_out[number]) return true;
    return seen && dq_pairset_has(&seen->pairs, lists->users[u].seen, lists->seen_items[row]);
}

/* To each member's heap, by its own score. */
static dq_status offer_members(const offering *work, size_t u, uint32_t row, dq_error *error)
{
    dq_rank_lists *lists = work->lists;
    size_t n, at = (u - work->first) * work->block->rows + row, stride = work->count * work->block->rows;
    const char *id = dq_strings_get(&work->block->ids, row, &n);
    uint64_t disagreement = tag_of(work, u, row, 0) >> 32 << 32;
    dq_status status = DQ_OK;
    for (size_t m = 0; !status && m < work->networks; m++) {
        /* an ensemble has members: NOLINTNEXTLINE(*.NullDereference) */
        float score = work->members[m * stride + at];
        status = dq_topk_push(lists->of_member[u * work->networks + m], score, id, n,
                              disagreement | bits_of(score), error);
    }
    return status;
}

/* Offers one item to one user's heaps. Its tag is the disagreement above the score; of MMR, which keeps the
 * score, above the item's number. */
static dq_status offer_item(const offering *work, size_t u, uint32_t row, float score, dq_error *error)
{
    dq_rank_lists *lists = work->lists;
    const dq_rank_block *block = work->block;
    const dq_rank_config *config = &lists->config;
    const dq_rank_user *user = &lists->users[u];
    if (is_seen(lists, u, row, block->first + row)) return DQ_OK;
    lists->candidates[u]++;
    if (config->order == DQ_RANK_ENSEMBLE) return offer_members(work, u, row, error);
    uint64_t tag = tag_of(work, u, row, score);
    if (keeps_vectors(config)) tag = tag >> 32 << 32 | (block->first + row);
    float key = score;
    size_t n;
    const char *id = dq_strings_get(&block->ids, row, &n);
    if (is_drawn(config)) {
        dq_rng rng = dq_explore_rng(config->seed, user->id, user->id_bytes, id, n);
        bool softmax = config->order == DQ_RANK_SOFTMAX;
        if (softmax) key = dq_explore_softmax(score, config->temperature, &rng);
        dq_status status = softmax
                               ? offer_greedy(lists, u, score, id, n, error)
                               : dq_topk_push(lists->other[u], dq_explore_uniform(&rng), id, n, tag, error);
        if (status) return status;
    }
    return dq_topk_push(lists->best[u], key, id, n, tag, error);
}

enum { RUN = 16 };

/* Whether none of RUN scores can enter a list; one that is no finite number can. */
static bool all_below(const float *scores, float floor)
{
    unsigned any = 0;
    for (size_t i = 0; i < RUN; i++) any |= (!(scores[i] < floor)) | (!(scores[i] > -INFINITY));
    return !any;
}

/* Rows first to last of a user's scores; floor: what a list's score is at least, by now. */
static dq_status offer_rows(const offering *work, size_t u, const float *scores, uint32_t first,
                            uint32_t last, bool plain, float *floor, dq_error *error)
{
    dq_rank_lists *lists = work->lists;
    dq_status status = DQ_OK;
    for (uint32_t row = first; !status && row < last; row++) {
        if (!isfinite(scores[row]))
            return dq_fail(error, DQ_ERR_NUMERIC, "the score of user %.*s is not a finite number",
                           (int)lists->users[u].id_bytes, lists->users[u].id);
        if (scores[row] < *floor) continue;
        status = offer_item(work, u, row, scores[row], error);
        if (plain) *floor = dq_topk_floor(lists->best[u]);
    }
    return status;
}

static dq_status offer_block(const offering *work, size_t u, dq_error *error)
{
    dq_rank_lists *lists = work->lists;
    const uint32_t rows = work->block->rows;
    const float *scores = work->scores + (u - work->first) * rows;
    bool plain = !is_drawn(&lists->config) && lists->config.order != DQ_RANK_ENSEMBLE;
    float floor = plain ? dq_topk_floor(lists->best[u]) : -INFINITY;
    dq_status status = DQ_OK;
    for (uint32_t row = 0, end; !status && row < rows; row = end) {
        end = rows - row > RUN ? row + RUN : rows;
        if (end == row + RUN && all_below(scores + row, floor)) continue;
        status = offer_rows(work, u, scores, row, end, plain, &floor, error);
    }
    return status;
}

static void offer_tile(void *arg, size_t tile, unsigned thread)
{
    offering *work = arg;
    size_t end = (tile + 1) * USER_TILE;
    (void)thread;
    if (end > work->count) end = work->count;
    dq_status status = DQ_OK;
    for (size_t i = tile * USER_TILE; !status && i < end; i++)
        status = offer_block(work, work->first + i, &work->errors[tile]);
}

static dq_status reserve_scores(dq_rank_lists *lists, size_t count, dq_error *error)
{
    if (count <= lists->score_slots) return DQ_OK;
    free(lists->scores);
    lists->score_slots = 0;
    lists->scores = malloc(count * sizeof *lists->scores);
    if (!lists->scores) return dq_fail_memory(error, "the users' lists");
    lists->score_slots = count;
    return DQ_OK;
}

static dq_status reserve_seen(dq_rank_lists *lists, uint32_t rows, dq_error *error)
{
    if (rows <= lists->seen_slots) return DQ_OK;
    free(lists->seen_items);
    lists->seen_slots = 0;
    lists->seen_items = malloc(rows * sizeof *lists->seen_items);
    if (!lists->seen_items) return dq_fail_memory(error, "the users' lists");
    lists->seen_slots = rows;
    return DQ_OK;
}

/* The numbers by which config.seen, where there is one, knows the block's items and the users. */
static dq_status look_up_seen(dq_rank_lists *lists, const dq_rank_block *block, size_t first, size_t last,
                              dq_error *error)
{
    size_t n;
    dq_status status = lists->config.seen ? reserve_seen(lists, block->rows, error) : DQ_OK;
    if (status || !lists->config.seen) return status;
    for (uint32_t row = 0; row < block->rows; row++) {
        const char *id = dq_strings_get(&block->ids, row, &n);
        lists->seen_items[row] = dq_index_find(&lists->config.seen->items, id, n);
    }
    for (size_t u = first; u < last; u++) {
        dq_rank_user *user = &lists->users[u];
        if (user->seen == DQ_ABSENT)
            user->seen = dq_index_find(&lists->config.seen->users, user->id, user->id_bytes);
    }
    return DQ_OK;
}

static dq_status offer_group(offering *work, dq_rank_scorer *scorer, dq_error *error)
{
    dq_rank_lists *lists = work->lists;
    dq_status status = lists->config.shortlist
                           ? dq_rank_scorer_first_pass(scorer, lists->vectors + work->first, work->count,
                                                       work->block, lists->scores, error)
                       : scorer->baseline
                           ? dq_baseline_score(scorer->baseline, scorer->pool, work->first, work->count,
                                               work->block, lists->scores, error)
                           : dq_rank_scorer_score(scorer, lists->vectors + work->first, work->count,
                                                  work->first, work->block, lists->scores, error);
    if (status) return status;
    size_t members = dq_rank_scorer_members(scorer);
    bool several = !scorer->baseline && !lists->config.shortlist && members > 1;
    work->members = several ? scorer->members : NULL;
    work->networks = several ? members : 1;
    size_t tiles = (work->count + USER_TILE - 1) / USER_TILE;
    for (size_t i = 0; i < tiles; i++) work->errors[i] = DQ_ERROR_NONE;
    dq_pool_run(scorer->pool, offer_tile, work, tiles);
    for (size_t i = 0; i < tiles; i++)
        if (work->errors[i].status)
            return dq_fail(error, work->errors[i].status, "%s", work->errors[i].reason);
    return DQ_OK;
}

dq_status dq_rank_lists_offer(dq_rank_lists *lists, dq_rank_scorer *scorer, const dq_rank_block *block,
                              size_t first, size_t last, dq_error *error)
{
    if (block->rows == 0 || first == last) return DQ_OK;
    size_t each = block->rows * (dq_rank_scorer_members(scorer) ? dq_rank_scorer_members(scorer) : 1);
    size_t group = GROUP_SCORES / each ? GROUP_SCORES / each : 1;
    if (group > last - first) group = last - first;
    dq_status status = reserve_scores(lists, group * block->rows, error);
    if (!status) status = look_up_seen(lists, block, first, last, error);
    if (status) return status;
    dq_error *errors = malloc((group / USER_TILE + 1) * sizeof *errors);
    if (!errors) return dq_fail_memory(error, "the users' lists");
    for (size_t at = first, count; !status && at < last; at += count) {
        count = last - at < group ? last - at : group;
        if (dq_rank_scorer_needs_lists(scorer))
            status = dq_rank_features_fill(scorer, lists, at, &count, error);
        offering work = {.lists = lists,
                         .block = block,
                         .first = at,
                         .count = count,
                         .scores = lists->scores,
                         .errors = errors};
        if (!status) status = offer_group(&work, scorer, error);
    }
    free(errors);
    if (!status && keeps_vectors(&lists->config))
        status = dq_mmr_vectors_update(&lists->mmr, block, lists->best, lists->count, first, last, error);
    return status;
}

dq_status dq_rank_lists_offer_scores(dq_rank_lists *lists, size_t i, const float *scores,
                                     const float *members, size_t networks, const dq_rank_block *block,
                                     dq_error *error)
{
    const offering work = {.lists = lists,
                           .block = block,
                           .first = i,
                           .count = 1,
                           .members = networks > 1 ? members : NULL,
                           .networks = networks,
                           .scores = scores};
    dq_status status = look_up_seen(lists, block, i, i + 1, error);
    if (!status) status = offer_block(&work, i, error);
    if (!status && keeps_vectors(&lists->config))
        status = dq_mmr_vectors_update(&lists->mmr, block, lists->best, lists->count, i, i + 1, error);
    return status;
}

/* ---- finishing ---- */

static dq_rank_place place_of(const dq_scored *item)
{
    return (dq_rank_place){.item = item->id,
                           .item_bytes = item->id_bytes,
                           .score = number_of(item->tag),
                           .disagreement = number_of(item->tag >> 32),
                           .propensity = NAN};
}

static void set_propensities(dq_rank_place *places, const double *propensity, size_t count)
{
    for (size_t i = 0; i < count; i++) places[i].propensity = propensity[i];
}

static dq_status finish_epsilon(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                                dq_error *error)
{
    const dq_rank_config *config = &lists->config;
    const dq_rank_user *user = &lists->users[i];
    const dq_scored *best, *random;
    size_t n = dq_topk_sorted(lists->best[i], &best), m = dq_topk_sorted(lists->other[i], &random);
    const dq_scored **mixed = malloc((n + 1) * sizeof *mixed);
    double *propensity = malloc((n + 1) * sizeof *propensity);
    bool ok = mixed && propensity;
    if (ok) {
        dq_rng rng = dq_explore_rng(config->seed, user->id, user->id_bytes, "", 0);
        *count = dq_explore_epsilon(best, n, random, m, config->epsilon, &rng, n, mixed);
        dq_explore_epsilon_propensities(best, n, lists->candidates[i], config->epsilon, mixed, *count,
                                        propensity);
        for (size_t place = 0; place < *count; place++) places[place] = place_of(mixed[place]);
        set_propensities(places, propensity, *count);
    }
    free(mixed);
    free(propensity);
    return ok ? DQ_OK : dq_fail_memory(error, "the users' lists");
}

static dq_status finish_softmax(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                                dq_error *error)
{
    const dq_scored *drawn, *best;
    size_t n = *count = dq_topk_sorted(lists->best[i], &drawn), m = dq_topk_sorted(lists->other[i], &best);
    dq_scored *chosen = malloc((n + 1) * sizeof *chosen); /* by their scores rather than what drew them */
    double *propensity = malloc((n + 1) * sizeof *propensity);
    bool ok = chosen && propensity;
    for (size_t place = 0; ok && place < n; place++) {
        places[place] = place_of(&drawn[place]);
        chosen[place] = drawn[place];
        chosen[place].score = places[place].score;
    }
    if (ok) {
        dq_explore_softmax_propensities(chosen, n, best, m, &lists->rest[i], lists->config.temperature,
                                        propensity);
        set_propensities(places, propensity, n);
    }
    free(chosen);
    free(propensity);
    return ok ? DQ_OK : dq_fail_memory(error, "the users' lists");
}

static dq_status finish_ensemble(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                                 dq_error *error)
{
    size_t members = lists->config.members, drawn = 0, n = 0;
    dq_topk **of = lists->of_member + i * members;
    const dq_scored **list = calloc(members + 1, sizeof *list);
    if (!list) return dq_fail_memory(error, "the users' lists");
    for (size_t m = 0; m < members; m++) {
        n = dq_topk_sorted(of[m], &list[m]);
        if (of[m] == lists->best[i]) drawn = m;
    }
    double *propensity = malloc((n + 1) * sizeof *propensity);
    if (propensity) {
        dq_explore_member_propensities(list, members, drawn, n, propensity);
        for (size_t place = 0; place < n; place++) places[place] = place_of(&list[drawn][place]);
        set_propensities(places, propensity, n);
    }
    bool ok = propensity != NULL;
    *count = n;
    free(propensity);
    free(list);
    return ok ? DQ_OK : dq_fail_memory(error, "the users' lists");
}

typedef struct comparing {
    const float **vectors;
    dq_pairing whole;
} comparing;

static double cosine_of(void *arg, size_t i, size_t j)
{
    const comparing *with = arg;
    return dq_cosine(with->vectors[i], with->vectors[j], &with->whole, 1);
}

static dq_status finish_mmr(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                            dq_error *error)
{
    const dq_rank_config *config = &lists->config;
    const dq_scored *items;
    size_t n = dq_topk_sorted(lists->best[i], &items);
    comparing with = {malloc((n + 1) * sizeof *with.vectors), {0, 0, lists->mmr.width}};
    double *relevance = malloc((n + 1) * sizeof *relevance);
    float *scores = malloc((n + 1) * sizeof *scores);
    uint32_t *order = malloc((n + 1) * sizeof *order);
    dq_status status = with.vectors && relevance && scores && order
                           ? DQ_OK
                           : dq_fail_memory(error, "the users' lists");
    for (size_t c = 0; !status && c < n; c++) {
        with.vectors[c] = dq_mmr_vectors_find(&lists->mmr, (uint32_t)items[c].tag);
        scores[c] = items[c].score;
    }
    if (!status) {
        dq_mmr_relevance(scores, n, relevance);
        status = dq_mmr(relevance, n, config->lambda, cosine_of, &with, config->k, order, NULL, error);
    }
    *count = n < config->k ? n : config->k;
    for (size_t place = 0; !status && place < *count; place++) {
        const dq_scored *item = &items[order[place]];
        places[place] = place_of(item);
        places[place].score = item->score;
    }
    free(order);
    free(scores);
    free(relevance);
    free(with.vectors);
    return status;
}

dq_status dq_rank_lists_finish(dq_rank_lists *lists, size_t i, dq_rank_place *places, size_t *count,
                               dq_error *error)
{
    const dq_scored *items;
    if (lists->config.order == DQ_RANK_EPSILON) return finish_epsilon(lists, i, places, count, error);
    if (lists->config.order == DQ_RANK_SOFTMAX) return finish_softmax(lists, i, places, count, error);
    if (lists->config.order == DQ_RANK_ENSEMBLE) return finish_ensemble(lists, i, places, count, error);
    if (lists->config.order == DQ_RANK_MMR) return finish_mmr(lists, i, places, count, error);
    *count = dq_topk_sorted(lists->best[i], &items);
    for (size_t place = 0; place < *count; place++) places[place] = place_of(&items[place]);
    return DQ_OK;
}

void dq_rank_lists_free(dq_rank_lists *lists)
{
    bool shared = lists->config.order == DQ_RANK_ENSEMBLE;
    size_t members = shared ? lists->config.members : 0;
    for (size_t i = 0; i < lists->count * members && lists->of_member; i++) dq_topk_free(lists->of_member[i]);
    free(lists->of_member);
    for (size_t i = 0; i < lists->count; i++) {
        if (!shared) dq_topk_free(lists->best[i]);
        dq_topk_free(lists->other[i]);
    }
    free(lists->users);
    free(lists->of_row);
    free(lists->vectors);
    free(lists->best);
    free(lists->other);
    free(lists->candidates);
    free(lists->rest);
    free(lists->scores);
    free(lists->seen_items);
    dq_mmr_vectors_free(&lists->mmr);
}
