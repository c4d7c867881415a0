/* SPDX-License-Identifier: MIT
 *
 * Offline training in tiles (offline/offline.h). Ranks are threads here, whose calls meet at a barrier.
 */
#include "dq/schema.h"
#include "offline/rows.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 41, ITEMS = 17, WIDTH = 3, LABELS = 6, ROWS = USERS * LABELS, MOST = 8, BYTES = 1 << 16 };

/* ---- ranks that are threads ---- */

typedef struct meeting {
    pthread_barrier_t barrier;
    uint32_t count;
    void *given[MOST]; /* what each rank's call is about */
} meeting;

typedef struct seat {
    meeting *meeting;
    dq_ranks ranks;
} seat;

static void show(seat *s, void *x)
{
    s->meeting->given[s->ranks.rank] = x;
    pthread_barrier_wait(&s->meeting->barrier);
}

static dq_status sum(void *self, float *x, size_t n, dq_error *error)
{
    seat *s = self;
    float *copy = malloc(n * sizeof *copy);
    (void)error;
    show(s, x);
    for (size_t i = 0; i < n; i++) {
        float level[MOST];
        for (uint32_t r = 0; r < s->ranks.count; r++) level[r] = ((float *)s->meeting->given[r])[i];
        for (uint32_t width = s->ranks.count; width > 1; width /= 2)
            for (uint32_t r = 0; r < width / 2; r++) level[r] = level[2 * r] + level[2 * r + 1];
        copy[i] = level[0];
    }
    pthread_barrier_wait(&s->meeting->barrier);
    memcpy(x, copy, n * sizeof *copy);
    free(copy);
    return DQ_OK;
}

static dq_status count_up(void *self, uint64_t *x, size_t n, dq_error *error)
{
    seat *s = self;
    uint64_t *copy = calloc(n + 1, sizeof *copy);
    (void)error;
    show(s, x);
    for (uint32_t r = 0; r < s->ranks.count; r++)
        for (size_t i = 0; i < n; i++) copy[i] += ((uint64_t *)s->meeting->given[r])[i];
    pthread_barrier_wait(&s->meeting->barrier);
    memcpy(x, copy, n * sizeof *copy);
    free(copy);
    return DQ_OK;
}

static dq_status gather(void *self, void *x, size_t bytes, dq_error *error)
{
    seat *s = self;
    (void)error;
    show(s, x);
    for (uint32_t r = 0; r < s->ranks.count; r++)
        if (r != s->ranks.rank)
            memcpy((char *)x + r * bytes, (char *)s->meeting->given[r] + r * bytes, bytes);
    pthread_barrier_wait(&s->meeting->barrier);
    return DQ_OK;
}

/* ---- a world, of which a rank may have its own rows alone ---- */

typedef struct life {
    dq_offline *run;
    dq_agent *agent;
    dq_pool *pool;
} life;

typedef struct world {
    life life;
    seat seat;
    dq_offline_config config;
    dq_agent_config how;
    bool own_alone, last_is_empty; /* the last tile has no row */
    uint64_t stop_after; /* batches; 0: never */
    const dq_bundle *from;
    dq_bundle saved;
    /* what it came to */
    float q[USERS][ITEMS];
    dq_offline_epoch epoch;
    uint64_t batches, updates;
    dq_offline_sizes sizes;
    dq_offline_worth worth;
    bool failed;
} world;

static float vectors[USERS + ITEMS][WIDTH];
static const float *at[USERS + ITEMS];
static dq_transition row[ROWS];

static void populate(void)
{
    dq_rng rng = dq_rng_new(9);
    for (int v = 0; v < USERS + ITEMS; v++) {
        at[v] = vectors[v];
        for (int k = 0; k < WIDTH; k++) vectors[v][k] = (float)dq_rng_normal(&rng);
    }
    for (uint32_t r = 0; r < ROWS; r++) {
        uint32_t user = (uint32_t)dq_rng_below(&rng, USERS), item = (uint32_t)dq_rng_below(&rng, ITEMS);
        float reward = vectors[user][0] * vectors[USERS + item][0] > 0 ? 1 : 0;
        row[r] = (dq_transition){
            .state = user, .next = (user + 3) % USERS, .action = item, .reward = reward, .discount = 1};
    }
    row[7].reward = NAN;
}

static void take_rows(world *w, dq_dataset *d)
{
    const dq_ranks *ranks = w->config.ranks;
    d->transitions = calloc(ROWS, sizeof *d->transitions);
    for (size_t r = 0; r < ROWS; r++) {
        bool here = !w->own_alone || dq_offline_is_here(w->config.tiles, ranks, row[r].state);
        if (here && !(w->last_is_empty && row[r].state % w->config.tiles == w->config.tiles - 1))
            d->transitions[d->count++] = row[r];
    }
}

static dq_offline_rows rows_of(dq_offline_catalogue *c, const dq_dataset *d, uint32_t *user, uint32_t *item,
                               float *reward)
{
    *c = (dq_offline_catalogue){.users = {at, USERS, WIDTH},
                                .items = ITEMS,
                                .count = d->count,
                                .transitions = d->transitions,
                                .user = user,
                                .action = item,
                                .reward = reward};
    for (size_t i = 0; i < d->count; i++) {
        user[i] = d->transitions[i].state;
        item[i] = d->transitions[i].action;
        reward[i] = d->transitions[i].reward;
        (void)dq_pairset_add(&c->met, user[i], item[i], NULL, NULL);
    }
    return dq_offline_catalogue_rows(c, NULL);
}

static dq_status steps(world *w, dq_offline *run, dq_agent *agent)
{
    bool ended;
    dq_status status = DQ_OK;
    while (!status && !dq_offline_done(run)) {
        status = dq_offline_step(run, &ended, NULL);
        if (!status && w->stop_after && dq_offline_batches_done(run) == w->stop_after)
            return dq_bundle_init(&w->saved, DQ_KIND_MODEL, 0, NULL) ||
                           dq_agent_save(agent, true, &w->saved, NULL)
                       ? DQ_ERR_MEMORY
                       : dq_offline_save(run, &w->saved, NULL);
    }
    return status ? status : dq_offline_finish(run, NULL);
}

static void end(world *w)
{
    dq_bundle_free(&w->saved);
    dq_offline_free(w->life.run);
    dq_agent_free(w->life.agent);
    dq_pool_free(w->life.pool);
}

static void *train(void *arg)
{
    world *w = arg;
    static const dq_vectors users = {at, USERS, WIDTH};
    dq_dataset d = DQ_DATASET_EMPTY;
    dq_offline_catalogue c;
    dq_pool *pool = NULL;
    dq_agent *agent = NULL;
    dq_offline *run = NULL;
    uint32_t user[ROWS], item[ROWS];
    float reward[ROWS];
    dq_env_spec shape = {.state_width = WIDTH,
                         .action_count = ITEMS,
                         .action_width = WIDTH,
                         .actions = at + USERS,
                         .states = users};
    take_rows(w, &d);
    dq_offline_rows rows = rows_of(&c, &d, user, item, reward);
    dq_offline_suit(&w->config, &rows, &w->how);
    dq_status status = dq_pool_new(&pool, 1, NULL);
    if (!status) status = dq_agent_new(&agent, "dqn", &w->how, &shape, pool, NULL);
    if (!status) status = dq_offline_new(&run, &w->config, agent, &rows, NULL);
    if (!status && w->from) status = dq_agent_load(agent, true, w->from, NULL);
    if (!status && w->from) status = dq_offline_restore(run, w->from, NULL);
    if (!status) status = steps(w, run, agent);
    if (!status && !w->stop_after) status = dq_offline_find_worth(run, &w->worth, NULL);
    w->failed = status != DQ_OK;
    if (!status) {
        w->epoch = dq_offline_last(run);
        w->batches = dq_offline_batches_done(run);
        w->updates = dq_agent_updates(agent);
        w->sizes = dq_offline_size(run);
        dq_agent_values(agent, &users, NULL, USERS, w->q[0]);
    }
    w->life = (life){run, agent, pool};
    if (!w->stop_after) end(w); /* what is saved is borrowed from them */
    dq_pairset_free(&c.met);
    free(d.transitions);
    return NULL;
}

static world usual(void)
{
    world w = {.how = dq_agent_find("dqn")->defaults,
               .config = {.epochs = 5,
                          .batch = 16,
                          .negatives = 2,
                          .validation = 0.25,
                          .seed = 3,
                          .tiles = 8,
                          .best_by = DQ_BEST_BY_NDCG}};
    w.how.hidden[0] = 24;
    w.how.hidden_count = 1;
    w.how.head = DQ_HEAD_ACTIONS;
    w.how.loss = DQ_LOSS_MSE;
    w.how.gamma = 0.8;
    w.how.dropout = 0.2;
    w.how.target_every = 7;
    w.how.target_by = DQ_BY_UPDATES;
    w.how.batch = 16;
    w.how.fit_rows = 16 * 3;
    return w;
}

/* Trains as so many ranks do (0: one process that has no ranks), into w[0] .. w[count - 1]. */
static void go(world w[MOST], uint32_t count)
{
    meeting m = {.count = count};
    pthread_t thread[MOST];
    if (count == 0) {
        train(&w[0]);
        return;
    }
    pthread_barrier_init(&m.barrier, NULL, count);
    for (uint32_t r = count; r-- > 0;) {
        w[r] = w[0];
        w[r].seat = (seat){&m, {&w[r].seat, r, count, sum, count_up, gather}};
        w[r].config.ranks = &w[r].seat.ranks;
    }
    for (uint32_t r = 0; r < count; r++) assert_int_equal(pthread_create(&thread[r], NULL, train, &w[r]), 0);
    for (uint32_t r = 0; r < count; r++) pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&m.barrier);
}

static void assert_same(const world *a, const world *b)
{
    assert_false(a->failed || b->failed);
    assert_memory_equal(a->q, b->q, sizeof a->q);
    assert_memory_equal(&a->epoch.q_loss, &b->epoch.q_loss, sizeof a->epoch.q_loss);
    assert_memory_equal(&a->epoch.validation_loss, &b->epoch.validation_loss, sizeof a->epoch.q_loss);
    assert_memory_equal(&a->epoch.ndcg, &b->epoch.ndcg, sizeof a->epoch.q_loss);
    assert_memory_equal(&a->epoch.concordance, &b->epoch.concordance, sizeof a->epoch.q_loss);
    assert_memory_equal(&a->worth, &b->worth, sizeof a->worth);
    assert_int_equal(a->sizes.training, b->sizes.training);
    assert_int_equal(a->sizes.held_out, b->sizes.held_out);
    assert_int_equal(a->sizes.held_out_groups, b->sizes.held_out_groups);
}

static void any_number_of_ranks_gives_the_same(void **state)
{
    (void)state;
    static world one[MOST], many[MOST];
    populate();
    one[0] = usual();
    go(one, 0);
    assert_false(one->failed);
    assert_true(one->sizes.held_out > 0 && one->sizes.training + one->sizes.held_out == ROWS - 1);
    for (uint32_t ranks = 1; ranks <= MOST; ranks *= 2)
        for (int own = 0; own < 2; own++) {
            many[0] = usual();
            many[0].own_alone = own;
            go(many, ranks);
            for (uint32_t r = 0; r < ranks; r++) assert_same(one, &many[r]);
        }
}

static void tiles_change_the_bytes_and_learn_as_well(void **state)
{
    (void)state;
    static world whole[MOST], tiled[MOST];
    populate();
    whole[0] = tiled[0] = usual();
    whole[0].config.tiles = 0;
    whole[0].config.epochs = tiled[0].config.epochs = 60;
    whole[0].how.gamma = tiled[0].how.gamma = 0;
    whole[0].how.dropout = tiled[0].how.dropout = 0;
    go(whole, 0);
    go(tiled, 0);
    assert_false(whole->failed || tiled->failed);
    assert_memory_not_equal(whole->q, tiled->q, sizeof whole->q);
    assert_true(tiled->epoch.q_loss < 1.5 * whole->epoch.q_loss);
    assert_true(tiled->sizes.training == whole->sizes.training &&
                tiled->sizes.batches == whole->sizes.batches);
}

/* In the middle of an epoch, with 2 ranks; the rest with 4, and by one process. */
static void a_checkpoint_goes_on_with_another_number(void **state)
{
    (void)state;
    static world through[MOST], first[MOST], rest[MOST];
    populate();
    through[0] = first[0] = usual();
    first[0].stop_after = 23;
    go(through, 0);
    go(first, 2);
    assert_false(first[0].failed);
    for (uint32_t ranks = 0; ranks <= 4; ranks += 4) {
        rest[0] = usual();
        rest[0].from = &first[0].saved;
        go(rest, ranks);
        assert_same(through, rest);
    }
    for (int r = 0; r < 2; r++) end(&first[r]);
}

/* Batches of few rows: most tiles have none, and some batches are of no row at all, so that there are fewer
 * updates than batches. Where the last tile is empty such a batch is the first of each epoch. */
static void tiles_without_rows_are_zeros(void **state)
{
    (void)state;
    static world one[MOST], many[MOST];
    populate();
    for (size_t batch = 1; batch <= ROWS; batch = batch * 15 + 1)
        for (int empty = 0; empty < 2; empty++) {
            one[0] = usual();
            one[0].last_is_empty = empty;
            one[0].config.epochs = 2;
            one[0].config.batch = one[0].how.batch = batch;
            one[0].how.replay = ROWS;
            one[0].how.fit_rows = batch * 3;
            many[0] = one[0];
            go(one, 0);
            go(many, 4);
            assert_same(one, &many[3]);
            assert_int_equal(one->epoch.epoch, 2);
            assert_int_equal(one->batches, 2 * one->sizes.batches);
            assert_true(batch > 1 ? one->updates == one->batches : one->updates < one->batches);
            assert_true(isfinite(one->epoch.q_loss));
        }
}

static void refuses_what_cannot_be_cut(void **state)
{
    (void)state;
    static world w[MOST];
    populate();
    for (int fault = 0; fault < 5; fault++) {
        w[0] = usual();
        if (fault == 0) w[0].config.tiles = 6;
        if (fault == 1) w[0].config.tiles = 128;
        if (fault == 2) w[0].config.priority = 0.5;
        if (fault == 3) w[0].how.batch_norm = true;
        if (fault == 4) w[0].config.balance = 2;
        go(w, 0);
        assert_true(w[0].failed);
    }
    w[0] = usual();
    w[0].config.tiles = 4;
    go(w, 8);
    for (int r = 0; r < 8; r++) assert_true(w[r].failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_ranks_gives_the_same),
        cmocka_unit_test(tiles_change_the_bytes_and_learn_as_well),
        cmocka_unit_test(a_checkpoint_goes_on_with_another_number),
        cmocka_unit_test(tiles_without_rows_are_zeros),
        cmocka_unit_test(refuses_what_cannot_be_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
