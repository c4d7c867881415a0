/* SPDX-License-Identifier: MIT
 *
 * What dq-rank computes, without its reading: seconds to score N items in memory for one user by system A's
 * Q-network and by cosine, the best of three passes, as one JSON object.
 *
 *     score THREADS N
 */
#include "math/blas.h"
#include "math/cosine.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { USER = 768, ITEM = 1536, TILE = 256, PASSES = 3 };

typedef struct work {
    dq_net *net;
    const float *user, *items;
    float *out;
    size_t n;
} work;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void cosine_tile(void *arg, size_t tile, unsigned thread)
{
    const dq_pairing head = {0, 0, USER};
    work *w = arg;
    size_t first = tile * TILE, n = w->n - first < TILE ? w->n - first : TILE;
    (void)thread;
    dq_cosine_block(w->user, w->items + first * ITEM, ITEM, n, &head, 1, w->out + first);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    const dq_net_spec spec = {.input = USER,
                              .head = DQ_HEAD_ACTIONS,
                              .action_width = ITEM,
                              .outputs = 1,
                              .hidden = {1024, 512, 256},
                              .hidden_count = 3};
    work w = {.n = strtoul(argv[2], NULL, 10)};
    float *user = malloc(USER * sizeof *user), *items = malloc(w.n * ITEM * sizeof *items);
    dq_rng rng = dq_rng_new(1);
    dq_pool *pool;
    w.out = malloc(w.n * sizeof *w.out);
    if (!user || !items || !w.out || dq_pool_new(&pool, (unsigned)atoi(argv[1]), NULL) ||
        dq_net_new(&w.net, &spec, 0, pool, &rng, NULL))
        return 1;
    for (size_t i = 0; i < USER; i++) user[i] = (float)dq_rng_uniform(&rng) - 0.5F;
    for (size_t i = 0; i < w.n * ITEM; i++) items[i] = (float)(dq_rng_u64(&rng) >> 40) * 0x1p-24F - 0.5F;
    w.user = user;
    w.items = items;
    double best[2] = {1e9, 1e9};
    for (int pass = 0; pass < PASSES; pass++) {
        double t0 = seconds();
        dq_net_score(w.net, &w.user, 1, items, ITEM, w.n, NULL, w.out, w.n);
        double t1 = seconds();
        dq_pool_run(pool, cosine_tile, &w, (w.n + TILE - 1) / TILE);
        double t2 = seconds();
        if (t1 - t0 < best[0]) best[0] = t1 - t0;
        if (t2 - t1 < best[1]) best[1] = t2 - t1;
    }
    printf("{\"core\": \"%s\", \"forward_s\": %.6f, \"score_s\": %.6f}\n", dq_blas_core(), best[0], best[1]);
    dq_net_free(w.net);
    dq_pool_free(pool);
    free(user);
    free(items);
    free(w.out);
}
