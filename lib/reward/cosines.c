/* SPDX-License-Identifier: MIT */
#include "reward/cosines.h"

#include "math/parallel.h"

#include <string.h>

enum { USERS = DQ_COSINE_USERS, ITEMS = DQ_COSINE_ITEMS };

/* A rectangle of pairs: user u of `user[u * step]` with item i of `item[i]`, or with item i itself where
 * `item` is NULL; its cosine is out[u * items + i]. */
typedef struct rectangle {
    const uint32_t *user, *item;
    size_t step, users, items;
    float *out;
} rectangle;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void fill_tile(const dq_cosines *c, const rectangle *r, size_t u0, size_t i0)
{
    const float *user_row[USERS], *item_row[ITEMS];
    const dq_cosine_scale *user_scale[USERS], *item_scale[ITEMS];
    bool known = c->user_scales && c->item_scales;
    const dq_cosine_side users = {user_row, known ? user_scale : NULL, least(USERS, r->users - u0)},
                         items = {item_row, known ? item_scale : NULL, least(ITEMS, r->items - i0)};
    for (size_t u = 0; u < users.count; u++) {
        uint32_t row = r->user[(u0 + u) * r->step];
        user_row[u] = c->users[row];
        if (known) user_scale[u] = c->user_scales + row * c->pairing_count;
    }
    for (size_t i = 0; i < items.count; i++) {
        size_t row = r->item ? r->item[i0 + i] : i0 + i;
        item_row[i] = c->items[row];
        if (known) item_scale[i] = c->item_scales + row * c->pairing_count;
    }
    dq_cosine_tile(&users, &items, c->pairings, c->pairing_count, r->out + u0 * r->items + i0, r->items);
}

/* ---- lengths of rows ---- */

typedef struct measure_work {
    const dq_cosines *cosines;
    bool items;
    size_t rows;
    dq_cosine_scale *scales;
} measure_work;

static void measure_rows(void *arg, size_t piece, unsigned thread)
{
    const measure_work *w = arg;
    const dq_cosines *c = w->cosines;
    (void)thread;
    for (size_t row = piece * ITEMS; row < least((piece + 1) * ITEMS, w->rows); row++)
        for (size_t p = 0; p < c->pairing_count; p++) {
            const dq_pairing *pair = &c->pairings[p];
            const float *range = w->items ? c->items[row] + pair->item_offset
                                          : c->users[row] + pair->user_offset;
            w->scales[row * c->pairing_count + p] = dq_cosine_scale_of(range, pair->width);
        }
}

void dq_cosines_measure(const dq_cosines *cosines, bool items, size_t rows, dq_cosine_scale *scales)
{
    measure_work work = {cosines, items, rows, scales};
    dq_parallel(cosines->threads, (rows + ITEMS - 1) / ITEMS, measure_rows, &work);
}

/* ---- users with all items ---- */

typedef struct table_work {
    const dq_cosines *cosines;
    rectangle whole;
} table_work;

static void table_tile(void *arg, size_t tile, unsigned thread)
{
    const table_work *w = arg;
    size_t across = (w->whole.items + ITEMS - 1) / ITEMS;
    (void)thread;
    fill_tile(w->cosines, &w->whole, tile / across * USERS, tile % across * ITEMS);
}

void dq_cosines_table(const dq_cosines *cosines, const uint32_t *users, size_t count, float *out, size_t n)
{
    table_work work = {cosines, {.user = users, .step = 1, .users = count, .items = n, .out = out}};
    size_t tiles = (count + USERS - 1) / USERS * ((n + ITEMS - 1) / ITEMS);
    dq_parallel(cosines->threads, tiles, table_tile, &work);
}

/* ---- pairs ---- */

typedef struct pairs_work {
    const dq_cosines *cosines;
    const uint32_t *user, *item;
    float *out;
    size_t n, pieces;
} pairs_work;

/* Where piece i begins: at the first pair of a user, unless the piece before it is all that user's. */
static size_t piece_start(const pairs_work *w, size_t i)
{
    if (i == 0 || i == w->pieces) return i ? w->n : 0;
    size_t before = w->n / w->pieces * (i - 1), at = w->n / w->pieces * i, start = at;
    while (start > before && w->user[start] == w->user[start - 1]) start--;
    return start > before ? start : at;
}

/* How many pairs from `at` on, and before `end`, are of one user. */
static size_t run_length(const uint32_t *user, size_t at, size_t end)
{
    size_t n = 1;
    while (at + n < end && user[at + n] == user[at]) n++;
    return n;
}

/* The greatest rectangle from pair `at` on: users that follow one another with the same items. */
static rectangle next_rectangle(const pairs_work *w, size_t at, size_t end)
{
    size_t items = run_length(w->user, at, end), next = at + items, users = 1;
    const uint32_t *item = w->item + at;
    for (; end - next >= items && run_length(w->user, next, end) == items &&
           memcmp(w->item + next, item, items * sizeof *item) == 0;
         next += items)
        users++;
    return (rectangle){.user = w->user + at,
                       .item = item,
                       .step = items,
                       .users = users,
                       .items = items,
                       .out = w->out + at};
}

static void fill_piece(void *arg, size_t piece, unsigned thread)
{
    const pairs_work *w = arg;
    size_t end = piece_start(w, piece + 1);
    (void)thread;
    for (size_t at = piece_start(w, piece); at < end;) {
        rectangle r = next_rectangle(w, at, end);
        for (size_t u = 0; u < r.users; u += USERS)
            for (size_t i = 0; i < r.items; i += ITEMS) fill_tile(w->cosines, &r, u, i);
        at += r.users * r.items;
    }
}

void dq_cosines_pairs(const dq_cosines *cosines, const uint32_t *user, const uint32_t *item, float *out,
                      size_t n)
{
    pairs_work work = {cosines, user, item, out, n, cosines->threads};
    if (work.pieces > DQ_PARALLEL_MAX) work.pieces = DQ_PARALLEL_MAX;
    if (work.pieces < 1) work.pieces = 1;
    dq_parallel(cosines->threads, work.pieces, fill_piece, &work);
}
