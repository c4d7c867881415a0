/* SPDX-License-Identifier: MIT
 *
 * Held-out rows stand with negatives of their own, drawn once, so that epochs are evaluated on the same rows;
 * and so are the candidates that their maximum runs over. Concordance takes at most PAIR_ROWS rows a user: it
 * costs the square of them. Ranks ask for all actions' values in a state: where there are many rows, evenly
 * spread ones stand for all.
 */
#include "core/buffers.h"
#include "math/sample.h"
#include "offline/offline_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HELD_ROWS = 204, HELD_TILES = 1 << 16 }; /* streams of random numbers; the second tile by tile */
enum { WORTH_STATES = 8 };
enum { PAIR_ROWS = 2000, RANKED_MAX = 8192, RANK_ROWS = 64, RANK_VALUES = 1 << 22 };

/* ---- who is held out ---- */

static int by_user(const void *a, const void *b)
{
    const offline_held *x = a, *y = b;
    if (x->user != y->user) return (x->user > y->user) - (x->user < y->user);
    if (x->row != y->row) return (x->row > y->row) - (x->row < y->row);
    return x->negative - y->negative;
}

static void list_row(dq_offline *run, uint32_t row, dq_rng *rng)
{
    const dq_offline_rows *rows = &run->rows;
    uint32_t user = rows->user[row];
    offline_held held = {user, row, rows->action[row], rows->reward[row], false};
    run->held_out[run->held_count++] = held;
    held.negative = true;
    held.reward = run->config.negative_reward;
    for (size_t k = 0; k < (run->by_lists ? run->rows.met != NULL : run->config.negatives); k++) {
        held.action = dq_sample_unmet(rows->met, user, rows->actions, rng);
        if (held.action == UINT32_MAX) break;
        run->held_out[run->held_count++] = held;
    }
}

/* Where the rows of the user of row `from` end. */
static size_t end_of_user(const dq_offline *run, size_t from, size_t end)
{
    size_t to = from + 1;
    while (to < end && run->held_out[to].user == run->held_out[from].user) to++;
    return to;
}

/* Rows that are evaluated by their action's rank. */
static bool is_ranked(const offline_held *held)
{
    return !held->negative && held->reward > 0;
}

static size_t count_ranked(const dq_offline *run, size_t from, size_t to)
{
    size_t count = 0;
    for (size_t i = from; i < to; i++) count += is_ranked(&run->held_out[i]);
    return count;
}

/* ---- concordance ---- */

/* Adds one user's pairs. */
static void count_pairs(const offline_held *held, const float *value, size_t n, double *right, double *pairs)
{
    if (n > PAIR_ROWS) n = PAIR_ROWS;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            if (held[i].reward == held[j].reward) continue;
            bool up = held[i].reward > held[j].reward;
            *pairs += 1;
            if (value[i] == value[j])
                *right += 0.5;
            else if ((value[i] > value[j]) == up)
                *right += 1;
        }
}

static void find_concordance(const dq_offline *run, size_t from, size_t end, offline_sums *sums)
{
    for (size_t to; from < end; from = to) {
        to = end_of_user(run, from, end);
        count_pairs(run->held_out + from, run->held_value + from, to - from, &sums->right, &sums->pairs);
    }
}

/* ---- of all tiles ---- */

/* Adds what each has, in their order, so that the sums do not depend on who has them. */
static dq_status add_tiles(dq_offline *run, offline_sums *all, dq_error *error)
{
    const offline_tiles *t = &run->tiles;
    dq_status status = offline_share(run, t->sums, t->own * sizeof *t->sums, error);
    *all = (offline_sums){0};
    for (const offline_sums *s = t->sums; s < t->sums + t->count; s++) {
        all->loss += s->loss;
        all->right += s->right;
        all->pairs += s->pairs;
        all->hit += s->hit;
        all->ndcg += s->ndcg;
        all->ranked += s->ranked;
    }
    return status;
}

/* A tile's sums, at zero, and its rows. */
static offline_sums *begin_tile(const dq_offline *run, uint32_t i, size_t *from, size_t *to)
{
    const offline_tiles *t = &run->tiles;
    *from = t->held[i];
    *to = t->held[i + 1];
    t->sums[t->first + i] = (offline_sums){0};
    return &t->sums[t->first + i];
}

/* ---- what they can tell ---- */

/* Pairs, and rows to rank. */
static dq_status count_what_tells(dq_offline *run, offline_sums *all, dq_error *error)
{
    for (uint32_t i = 0; i < run->tiles.own; i++) {
        size_t from, to;
        offline_sums *sums = begin_tile(run, i, &from, &to);
        find_concordance(run, from, to, sums);
        sums->ranked = (double)count_ranked(run, from, to);
    }
    return add_tiles(run, all, error);
}

static dq_best_by choose_criterion(const dq_offline *run, const offline_sums *all)
{
    dq_best_by by = run->config.best_by;
    if (by == DQ_BEST_BY_CONCORDANCE && !(all->pairs > 0)) by = DQ_BEST_BY_LOSS;
    if (by == DQ_BEST_BY_NDCG && !(all->ranked > 0)) by = DQ_BEST_BY_LOSS;
    return by;
}

static bool make_ranks(dq_offline *run)
{
    size_t rows = RANK_VALUES / run->rows.actions;
    size_t batch = run->by_lists ? run->config.batch : DQ_OFFLINE_ROWS(run->config);
    if (rows > RANK_ROWS) rows = RANK_ROWS;
    if (rows > batch) rows = batch;
    if (rows < 1) rows = 1;
    run->rank_rows = (uint32_t)rows;
    const dq_buffer buffers[] = {
        DQ_BUFFER(run->rank_at, rows),
        DQ_BUFFER(run->rank_values, rows * run->rows.actions),
    };
    return dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers));
}

/* Those of own tile i, whose negatives are drawn by rng. */
static void list_tile(dq_offline *run, uint32_t i, dq_rng *rng)
{
    offline_held *first = run->held_out + run->held_count;
    for (uint32_t r = 0; r < run->rows.count; r++)
        if (!isnan(run->rows.reward[r]) && run->held[run->rows.user[r]] && offline_in_tile(run, i, r))
            list_row(run, r, rng);
    run->tiles.held[i + 1] = run->held_count;
    qsort(first, (size_t)(run->held_out + run->held_count - first), sizeof *first, by_user);
}

static void list_tiles(dq_offline *run, dq_rng *rng)
{
    const offline_tiles *t = &run->tiles;
    for (uint32_t i = 0; i < t->own; i++) {
        dq_rng of_tile = dq_rng_stream(run->config.seed, HELD_TILES + t->first + i);
        list_tile(run, i, offline_is_tiled(run) ? &of_tile : rng);
    }
}

dq_status offline_hold_out(dq_offline *run, dq_error *error)
{
    size_t room = run->held_rows * (1 + (run->by_lists ? 1 : run->config.negatives));
    dq_rng rng = dq_rng_stream(run->config.seed, HELD_ROWS);
    offline_sums all;
    const dq_buffer buffers[] = {DQ_BUFFER(run->held_out, room), DQ_BUFFER(run->held_value, room)};
    if (!dq_buffers_take(&run->arena, buffers, DQ_BUFFERS(buffers)))
        return dq_fail_memory(error, "%zu held-out rows", room);
    list_tiles(run, &rng);
    if (offline_draws_candidates(run))
        dq_rng_sample(&rng, run->eval_offer, run->config.candidates, run->scratch, run->rows.actions);
    run->all_held = run->held_count;
    dq_status status = offline_count_up(run, &run->all_held, 1, error);
    if (!status) status = count_what_tells(run, &all, error);
    if (status) return status;
    run->criterion = choose_criterion(run, &all);
    bool ranks = run->rows.ranked || run->by_lists || run->criterion == DQ_BEST_BY_NDCG;
    if (ranks && all.ranked > 0 && !make_ranks(run)) return dq_fail_memory(error, "values to rank");
    return DQ_OK;
}

/* ---- loss ---- */

/* Held-out rows as a batch; a negative stands in its row's state. */
static void fill_block(dq_offline *run, const offline_held *held, size_t n)
{
    bool ends = false;
    size_t of = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || held[i].row != held[i - 1].row) {
            ends = offline_fill(run, i, held[i].row);
            of = i;
        }
        if (held[i].negative) offline_pass_over(run, i, of, ends, held[i].action);
    }
}

/* Of rows from .. end - 1: the sum of their losses, and their values. */
static dq_status find_loss(dq_offline *run, size_t from, size_t end, double *sum, dq_error *error)
{
    size_t block = DQ_OFFLINE_ROWS(run->config);
    for (; from < end; from += block) {
        size_t n = end - from < block ? end - from : block;
        dq_agent_losses losses;
        fill_block(run, run->held_out + from, n);
        dq_status status = dq_agent_evaluate_loss(run->agent, &run->states, run->batch, n, &losses, error);
        if (status) return status;
        const float *taken = dq_agent_taken(run->agent);
        for (size_t i = 0; i < n; i++) run->held_value[from + i] = taken[i];
        *sum += losses.q * (double)n;
    }
    return DQ_OK;
}

/* ---- ranks ---- */

/* The place of an action among all by value, from 1; of equals it is the last. */
static size_t rank_of(const float *values, size_t count, uint32_t action)
{
    size_t rank = 0;
    for (size_t i = 0; i < count; i++) rank += values[i] >= values[action];
    return rank;
}

/* Ranks the rows of a block: n actions, each in one of so many states. */
static void rank_block(dq_offline *run, const uint32_t *action, const uint32_t *in, size_t n, size_t states,
                       offline_sums *sums)
{
    size_t actions = run->rows.actions;
    dq_agent_values(run->agent, &run->states, run->rank_at, states, run->rank_values);
    for (size_t i = 0; i < n; i++) {
        size_t rank = rank_of(run->rank_values + in[i] * actions, actions, action[i]);
        if (rank > DQ_OFFLINE_TOP) continue;
        sums->hit += 1;
        sums->ndcg += 1 / log2(1 + (double)rank);
    }
}

/* The number of a row's state, which is vector k of the store unless states are numbered. */
static uint32_t fill_state(dq_offline *run, size_t k, uint32_t row)
{
    dq_transition t;
    float *state = offline_vector(run, 2 * k);
    run->rows.fill(run->rows.self, row, &t, state, NULL);
    return state ? (uint32_t)(2 * k) : t.state;
}

/* Rows come by user, so those of one numbered state stand together and are ranked by the same values. */
static void find_ranks(dq_offline *run, size_t from, size_t to, offline_sums *sums)
{
    uint32_t action[RANK_ROWS], in[RANK_ROWS];
    size_t all = count_ranked(run, from, to), most = RANKED_MAX / run->tiles.count, n = 0, states = 0;
    size_t number = 0, taken = 0, ranked = all < most ? all : most; /* of the rows with a positive reward */
    sums->ranked = (double)ranked;
    for (size_t i = from; i < to && taken < ranked; i++) {
        if (!is_ranked(&run->held_out[i]) || number++ != taken * all / ranked) continue;
        taken++;
        uint32_t state = fill_state(run, states, run->held_out[i].row);
        bool again = states && run->rows.states.count && run->rank_at[states - 1] == state;
        if (!again) run->rank_at[states++] = state;
        action[n] = run->held_out[i].action;
        in[n++] = (uint32_t)states - 1;
        if (n < RANK_ROWS && states < run->rank_rows && taken < ranked) continue;
        rank_block(run, action, in, n, states, sums);
        n = states = 0;
    }
}

static dq_status evaluate_tile(dq_offline *run, uint32_t i, dq_error *error)
{
    size_t from, to;
    offline_sums *sums = begin_tile(run, i, &from, &to);
    dq_status status = run->by_lists ? DQ_OK : find_loss(run, from, to, &sums->loss, error);
    if (status) return status;
    find_concordance(run, from, to, sums);
    return DQ_OK;
}

dq_status offline_validate(dq_offline *run, dq_offline_epoch *epoch, dq_error *error)
{
    const offline_tiles *t = &run->tiles;
    bool drawn = offline_draws_candidates(run);
    offline_sums all;
    dq_status status = DQ_OK;
    if (drawn) dq_agent_offer(run->agent, run->eval_offer, run->config.candidates);
    if (run->by_lists) status = offline_evaluate_lists(run, &epoch->validation_loss, error);
    for (uint32_t i = 0; !status && i < t->own; i++) status = evaluate_tile(run, i, error);
    if (status) return status;
    if (drawn) dq_agent_offer(run->agent, NULL, 0); /* the next epoch draws its own candidates */
    for (uint32_t i = 0; run->rank_values && i < t->own; i++)
        find_ranks(run, t->held[i], t->held[i + 1], &t->sums[t->first + i]);
    status = add_tiles(run, &all, error);
    if (!run->by_lists) epoch->validation_loss = all.loss / (double)run->all_held;
    epoch->concordance = all.pairs > 0 ? all.right / all.pairs : (double)NAN;
    if (!run->rank_values) return status;
    epoch->hit = all.hit / all.ranked;
    epoch->ndcg = all.ndcg / all.ranked;
    return status;
}

/* ---- what the result is worth ---- */

/* Whether all actions are equal in each of some states, evenly spread over the rows. */
static bool tells_nothing(dq_offline *run, float *values)
{
    size_t states = run->rows.count < WORTH_STATES ? run->rows.count : WORTH_STATES;
    bool equal = true;
    for (size_t i = 0; equal && i < states; i++) {
        uint32_t state = fill_state(run, 0, (uint32_t)(i * run->rows.count / states));
        equal = dq_agent_is_indifferent(run->agent, &run->states, state, values);
    }
    return equal;
}

/* The same of all processes. */
static dq_status all_tell_nothing(dq_offline *run, float *values, bool *nothing, dq_error *error)
{
    const dq_ranks *ranks = run->config.ranks;
    bool equal[DQ_OFFLINE_MAX_TILES];
    size_t own = ranks ? ranks->rank : 0, count = ranks ? ranks->count : 1;
    equal[own] = tells_nothing(run, values);
    dq_status status = offline_share(run, equal, sizeof *equal, error);
    *nothing = true;
    for (size_t i = 0; i < count; i++) *nothing = *nothing && equal[i];
    return status;
}

dq_status dq_offline_find_worth(dq_offline *run, dq_offline_worth *worth, dq_error *error)
{
    double actions = run->rows.actions;
    dq_offline_epoch held = {.concordance = (double)NAN, .ndcg = (double)NAN};
    float *values = calloc(run->rows.actions, sizeof *values);
    if (!values) return dq_fail_memory(error, "%u values", run->rows.actions);
    *worth = (dq_offline_worth){.equal = false};
    dq_status status = all_tell_nothing(run, values, &worth->equal, error);
    free(values);
    if (!status && run->all_held) status = offline_validate(run, &held, error);
    worth->concordance = held.concordance;
    worth->ndcg = held.ndcg;
    for (int rank = 1; rank <= DQ_OFFLINE_TOP && rank <= actions; rank++)
        worth->chance += 1 / log2(1 + rank) / actions;
    return status;
}

bool dq_offline_describe_worth(const dq_offline_worth *w, char *words, size_t size)
{
    bool by_chance = w->concordance <= 0.5, ranks_by_chance = isnan(w->concordance) && w->ndcg <= w->chance;
    if (w->equal)
        (void)snprintf(words, size, "%s", DQ_AGENT_INDIFFERENT);
    else if (by_chance)
        (void)snprintf(words, size,
                       "held-out rows are ordered no better than by chance (concordance %.4f, chance 0.5)",
                       w->concordance);
    else if (ranks_by_chance)
        (void)snprintf(words, size,
                       "held-out rows are ranked no better than by chance (NDCG@%d %.4f, chance %.4f)",
                       DQ_OFFLINE_TOP, w->ndcg, w->chance);
    return w->equal || by_chance || ranks_by_chance;
}

void dq_offline_describe_epoch(const dq_offline_epoch *e, char *words, size_t size)
{
    char loss[48] = "", concordance[48] = "", ndcg[48] = "";
    if (!isnan(e->validation_loss))
        (void)snprintf(loss, sizeof loss, ", validation %.5f", e->validation_loss);
    if (!isnan(e->concordance))
        (void)snprintf(concordance, sizeof concordance, ", concordance %.4f", e->concordance);
    if (!isnan(e->ndcg)) (void)snprintf(ndcg, sizeof ndcg, ", NDCG@%d %.4f", DQ_OFFLINE_TOP, e->ndcg);
    (void)snprintf(words, size, "epoch %llu: loss %.5f%s%s%s%s", (unsigned long long)e->epoch, e->q_loss,
                   loss, concordance, ndcg, e->best ? ", best" : "");
}
