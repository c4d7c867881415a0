/* SPDX-License-Identifier: MIT
 *
 * What dq-rank computes, without its reading: seconds to score N items in memory for one user, the best of
 * a few passes, as one JSON object: by system A's Q-network (forward_s), the same in 8 bits (int8_s), by the
 * cosine of half of each item's vector (score_s), and of the whole in float32, bfloat16 and IEEE halves.
 *
 *     score THREADS N
 */
#include "dq/bundle.h"
#include "math/blas.h"
#include "math/cosine.h"
#include "net/quantised.h"
#include "net/scoring.h"
#include "seconds.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { USER = 768, ITEM = 1536, TILE = 256, PASSES = 3, LONG_PASSES = 2, BLOCK = 2048 };

typedef struct work {
    dq_pool *pool;
    dq_net *net;
    dq_net_scoring *packed; /* NULL: of OpenBLAS */
    dq_net_quantised *coarse;
    float *user, *items; /* (ITEM), of which the network sees USER; (n, ITEM) */
    uint16_t *bf16, *f2; /* the same items */
    float *out;
    size_t n;
    const void *rows; /* of the cosine under way */
    dq_dtype type;
    uint32_t width;
} work;

static void cosine_tile(void *arg, size_t tile, unsigned thread)
{
    work *w = arg;
    const dq_pairing head = {0, 0, w->width};
    size_t first = tile * TILE, n = w->n - first < TILE ? w->n - first : TILE;
    (void)thread;
    dq_cosine_rows(w->user, (const char *)w->rows + first * ITEM * dq_dtype_size(w->type), w->type, ITEM, n,
                   &head, 1, w->out + first);
}

static void cosine(work *w, const void *rows, dq_dtype type, uint32_t width)
{
    w->rows = rows;
    w->type = type;
    w->width = width;
    dq_pool_run(w->pool, cosine_tile, w, (w->n + TILE - 1) / TILE);
}

/* In blocks, as dq-rank has them. */
static void by_network(work *w, bool coarse)
{
    const float *user = w->user;
    for (size_t i = 0; i < w->n; i += BLOCK) {
        size_t n = w->n - i < BLOCK ? w->n - i : BLOCK;
        const float *items = w->items + i * ITEM;
        if (coarse)
            dq_net_quantised_run(w->coarse, &user, 1, items, ITEM, n, w->out + i, n);
        else if (w->packed)
            dq_net_scoring_run(w->packed, &user, 1, items, ITEM, n, w->out + i, n);
        else
            dq_net_score(w->net, &user, 1, items, ITEM, n, NULL, w->out + i, n);
    }
}

static void run(work *w, int which)
{
    switch (which) {
    case 0: by_network(w, false); break;
    case 1: by_network(w, true); break;
    case 2: cosine(w, w->items, DQ_F4, USER); break;
    case 3: cosine(w, w->items, DQ_F4, ITEM); break;
    case 4: cosine(w, w->bf16, DQ_BF16, ITEM); break;
    default: cosine(w, w->f2, DQ_F2, ITEM); break;
    }
}

static bool make(work *w, unsigned threads)
{
    const dq_net_spec spec = {.input = USER,
                              .head = DQ_HEAD_ACTIONS,
                              .action_width = ITEM,
                              .outputs = 1,
                              .hidden = {1024, 512, 256},
                              .hidden_count = 3};
    dq_rng rng = dq_rng_new(1);
    size_t all = w->n * ITEM;
    w->user = malloc(ITEM * sizeof *w->user);
    w->items = malloc(all * sizeof *w->items);
    w->bf16 = malloc(all * sizeof *w->bf16);
    w->f2 = malloc(all * sizeof *w->f2);
    w->out = malloc(w->n * sizeof *w->out);
    if (!w->user || !w->items || !w->bf16 || !w->f2 || !w->out || dq_pool_new(&w->pool, threads, NULL) ||
        dq_net_new(&w->net, &spec, 0, w->pool, &rng, NULL) || dq_net_scoring_new(&w->packed, w->net, NULL) ||
        dq_net_quantised_new(&w->coarse, w->net, NULL))
        return false;
    for (size_t i = 0; i < ITEM; i++) w->user[i] = (float)dq_rng_uniform(&rng) - 0.5F;
    for (size_t i = 0; i < all; i++) w->items[i] = (float)(dq_rng_u64(&rng) >> 40) * 0x1p-24F - 0.5F;
    dq_convert_from_f4(w->bf16, DQ_BF16, w->items, all);
    dq_convert_from_f4(w->f2, DQ_F2, w->items, all);
    return true;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"forward_s", "int8_s", "score_s", "cosine_s", "bf16_s", "f2_s"};
    enum { COUNT = sizeof names / sizeof *names };
    if (argc != 3) return 2;
    work w = {.n = strtoul(argv[2], NULL, 10)};
    if (!make(&w, (unsigned)atoi(argv[1]))) return 1;
    printf("{\"core\": \"%s\"", dq_blas_core());
    for (int which = 0; which < COUNT; which++) {
        double best = 1e9;
        int passes = which < 2 ? LONG_PASSES : PASSES; /* by a network, or by a cosine */
        for (int pass = 0; pass < passes; pass++) {
            double t0 = seconds(CLOCK_MONOTONIC);
            run(&w, which);
            double took = seconds(CLOCK_MONOTONIC) - t0;
            if (took < best) best = took;
        }
        printf(", \"%s\": %.6f", names[which], best);
    }
    printf("}\n");
    dq_net_scoring_free(w.packed);
    dq_net_quantised_free(w.coarse);
    dq_net_free(w.net);
    dq_pool_free(w.pool);
    free(w.user);
    free(w.items);
    free(w.bf16);
    free(w.f2);
    free(w.out);
}
