/* SPDX-License-Identifier: MIT
 *
 * A log to judge a policy from, of any length, on stdout: 34 items as in the Open Bandit Dataset's campaign
 * for men, shown by a policy that prefers some, of which one in 200 is clicked. The items' stream goes to a
 * file of its own, so that the log can be read once.
 *
 *     ope_log ROWS ITEMS.dq > LOG.dq
 */
#include "core/rng.h"
#include "dq/schema.h"
#include "dq/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 34, BLOCK = 8192, BLOCKS = 32, WIDTH = 3 };

static const dq_maker maker = {.program = "ope_log", .version = "1", .seed = 1};

/* A block of the log; what it borrows is the caller's. */
typedef struct block {
    uint32_t offsets[BLOCK + 1], users[BLOCK + 1];
    char items[BLOCK * WIDTH], user[BLOCK];
    double propensity[BLOCK];
    float reward[BLOCK];
} block;

static void fill(block *b, const double *share, dq_rng *rng)
{
    for (size_t r = 0; r < BLOCK; r++) {
        char id[WIDTH + 1];
        double at = dq_rng_uniform(rng);
        unsigned item = 0;
        while (item < ITEMS - 1 && at >= share[item]) at -= share[item++];
        (void)snprintf(id, sizeof id, "i%02u", item);
        memcpy(b->items + r * WIDTH, id, WIDTH);
        b->offsets[r + 1] = (uint32_t)(r + 1) * WIDTH;
        b->user[r] = 'u';
        b->users[r + 1] = (uint32_t)r + 1;
        b->propensity[r] = share[item];
        b->reward[r] = dq_rng_uniform(rng) < 0.005;
    }
}

static dq_status put_block(dq_writer *w, const block *b, uint64_t rows, dq_error *e)
{
    dq_bundle bundle;
    dq_status s = dq_bundle_init(&bundle, DQ_KIND_INTERACTIONS, rows, e);
    if (!s) s = dq_bundle_add_text(&bundle, "user", DQ_TEXT, b->users, b->user, NULL, e);
    if (!s) s = dq_bundle_add_text(&bundle, "item", DQ_TEXT, b->offsets, b->items, NULL, e);
    if (!s) s = dq_bundle_add_numbers(&bundle, "reward", DQ_F4, b->reward, NULL, NULL, e);
    if (!s) s = dq_bundle_add_numbers(&bundle, "propensity", DQ_F8, b->propensity, NULL, NULL, e);
    if (!s) s = dq_writer_put(w, &bundle, e);
    dq_bundle_free(&bundle);
    return s;
}

static dq_status put_items(const char *path, dq_error *e)
{
    char ids[ITEMS * WIDTH + 1];
    uint32_t offsets[ITEMS + 1] = {0};
    dq_writer *w;
    dq_bundle bundle;
    for (unsigned i = 0; i < ITEMS; i++) {
        (void)snprintf(ids + i * WIDTH, WIDTH + 1, "i%02u", i);
        offsets[i + 1] = (i + 1) * WIDTH;
    }
    dq_status s = dq_writer_open(&w, path, &maker, NULL, 0, e);
    if (s) return s;
    s = dq_bundle_init(&bundle, DQ_KIND_ITEMS, ITEMS, e);
    if (!s) s = dq_bundle_add_text(&bundle, "id", DQ_TEXT, offsets, ids, NULL, e);
    if (!s) s = dq_writer_put(w, &bundle, e);
    dq_bundle_free(&bundle);
    if (!s) return dq_writer_close(w, e);
    dq_writer_abort(w);
    return s;
}

static dq_status put_log(uint64_t rows, dq_error *e)
{
    static block blocks[BLOCKS];
    double share[ITEMS], total = 0;
    dq_rng rng = dq_rng_new(1);
    dq_writer *w;
    for (unsigned i = 0; i < ITEMS; i++) total += share[i] = 1.0 / (i + 1);
    for (unsigned i = 0; i < ITEMS; i++) share[i] /= total;
    for (size_t b = 0; b < BLOCKS; b++) fill(&blocks[b], share, &rng);
    dq_status s = dq_writer_open(&w, "-", &maker, NULL, 0, e);
    for (uint64_t b = 0; rows && !s;
         b++) { /* again and again the same blocks: drawing is not what is timed */
        uint64_t n = rows < BLOCK ? rows : BLOCK;
        s = put_block(w, &blocks[b % BLOCKS], n, e);
        rows -= n;
    }
    return s ? s : dq_writer_close(w, e);
}

int main(int argc, char **argv)
{
    dq_error e = DQ_ERROR_NONE;
    if (argc != 3) return 2;
    if (!put_items(argv[2], &e) && !put_log(strtoull(argv[1], NULL, 10), &e)) return 0;
    (void)fprintf(stderr, "ope_log: %s\n", e.reason);
    return 1;
}
