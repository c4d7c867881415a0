/* SPDX-License-Identifier: MIT
 *
 * Items are cut anew into tiles of a fixed number, whatever blocks come: a BLAS sums the last rows of a
 * product otherwise than the rest, and the bytes of an index are to depend on neither blocks nor threads.
 *
 * Anchors are spread over all items though nobody knows how many will come: each stride-th item is one; when
 * there are twice as many as wanted, every second goes, and the stride doubles.
 */
#include "distil/maker.h"

#include "core/array.h"
#include "core/digest.h"
#include "distil/draw.h"
#include "port/ann/ann.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TILE = 4096,          /* items that are projected and added at once */
    ANCHORS = 1024,       /* at least, where there are as many items; less than twice */
    ITEMS_A_LIST = 32,    /* that k-means learns from */
    PART_BYTES = 4 << 20, /* of the lists, a bundle */
};

typedef struct explaining {
    double whole, part; /* sums of squares: of the scores less their means, and of their components */
} explaining;

struct dq_distil_maker {
    dq_distil_config config;
    dq_rank_scorer *scorer;
    const float **users; /* (config.users) vectors of the sample */
    dq_ann *ann;
    bool trained;
    float *scores; /* (score_slots) users by rows of a block, as the scorer writes them */
    size_t score_slots;
    float
        *x; /* (x_slots, config.users) scores by item, of a tile; until it is trained, of all items so far */
    size_t x_slots, x_count;
    float *v;     /* (TILE, components) */
    double *mean; /* (config.users) over the items learnt from */
    explaining learnt, rest;
    uint64_t items;
    /* the anchors */
    uint64_t stride;
    size_t anchors, anchor_slots, width;
    float *anchor_x;      /* (anchor_slots, config.users) */
    float *anchor_vector; /* (anchor_slots, width) */
};

/* ---- the sample of users ---- */

static const char *id_of(const void *users, uint32_t row, size_t *bytes)
{
    return dq_entities_id(users, row, bytes);
}

static dq_status draw_users(dq_distil_maker *m, const dq_entities *users, dq_error *error)
{
    uint32_t n = dq_entities_count(users);
    uint32_t *rows = malloc((m->config.users + 1) * sizeof *rows);
    m->users = malloc((m->config.users + 1) * sizeof *m->users);
    dq_status status = rows && m->users
                           ? dq_distil_draw(users, id_of, n, m->config.seed, rows, &m->config.users, error)
                           : dq_fail_memory(error, "the sample of users");
    for (size_t i = 0; !status && i < m->config.users; i++) m->users[i] = users->vectors[rows[i]];
    free(rows);
    return status;
}

dq_status dq_distil_maker_new(dq_distil_maker **maker, const dq_distil_config *config, dq_rank_scorer *scorer,
                              const dq_entities *users, dq_error *error)
{
    dq_distil_maker *m = *maker = calloc(1, sizeof *m);
    if (!m) return dq_fail_memory(error, "the index");
    m->config = *config;
    m->scorer = scorer;
    m->stride = 1;
    dq_status status = draw_users(m, users, error);
    m->mean = calloc(m->config.users + 1, sizeof *m->mean);
    if (!status && !m->mean) status = dq_fail_memory(error, "the index");
    return status ? status : dq_ann_new(&m->ann, config->threads, error);
}

/* ---- learning components and lists ---- */

static void find_mean(dq_distil_maker *m)
{
    size_t d = m->config.users;
    for (size_t i = 0; i < m->x_count; i++)
        for (size_t u = 0; u < d; u++) m->mean[u] += (double)m->x[i * d + u];
    for (size_t u = 0; u < d; u++) m->mean[u] /= (double)m->x_count;
}

static size_t choose_lists(const dq_distil_maker *m)
{
    size_t n = m->x_count, lists = m->config.lists;
    if (!lists) lists = (size_t)(4 * sqrt((double)n));
    if (!m->config.lists && lists > n / ITEMS_A_LIST) lists = n / ITEMS_A_LIST;
    if (lists > n) lists = n;
    return lists ? lists : 1;
}

static dq_status add_tile(dq_distil_maker *m, const float *x, size_t n, explaining *e, dq_error *error)
{
    size_t d = m->config.users, r = m->config.components;
    dq_status status = dq_ann_project(m->ann, x, n, m->v, error);
    if (!status) status = dq_ann_add(m->ann, m->v, n, error);
    for (size_t i = 0; i < n; i++) {
        for (size_t u = 0; u < d; u++) {
            double off = (double)x[i * d + u] - m->mean[u];
            e->whole += off * off;
        }
        for (size_t k = 0; k < r; k++) e->part += (double)m->v[i * r + k] * (double)m->v[i * r + k];
    }
    return status;
}

static dq_status train(dq_distil_maker *m, dq_error *error)
{
    dq_distil_config *c = &m->config;
    size_t most = m->x_count > 1 ? m->x_count - 1 : 1; /* directions of so many items less their mean */
    m->trained = true;
    if (c->components > c->users) c->components = c->users;
    if (c->components > most) c->components = most;
    m->v = malloc(TILE * c->components * sizeof *m->v);
    if (!m->v) return dq_fail_memory(error, "the index");
    find_mean(m);
    dq_status status = dq_ann_train(m->ann, m->x, m->x_count, c->users, c->components, choose_lists(m),
                                    error);
    for (size_t first = 0, n; !status && first < m->x_count; first += n) {
        n = m->x_count - first < TILE ? m->x_count - first : TILE;
        status = add_tile(m, m->x + first * c->users, n, &m->learnt, error);
    }
    if (status) return status;
    c->items = m->x_count;
    m->x_count = 0;
    free(m->x); /* it was large; from here on a tile is enough */
    m->x = malloc(TILE * c->users * sizeof *m->x);
    m->x_slots = m->x ? TILE : 0;
    return m->x ? DQ_OK : dq_fail_memory(error, "the index");
}

/* ---- items ---- */

static void thin_anchors(dq_distil_maker *m)
{
    size_t d = m->config.users, w = m->width;
    for (size_t i = 1; 2 * i < m->anchors; i++) {
        memcpy(m->anchor_x + i * d, m->anchor_x + 2 * i * d, d * sizeof *m->anchor_x);
        memcpy(m->anchor_vector + i * w, m->anchor_vector + 2 * i * w, w * sizeof *m->anchor_vector);
    }
    m->anchors = (m->anchors + 1) / 2;
    m->stride *= 2;
}

/* The item whose scores are x, and which stands in a row of the block, is perhaps an anchor. */
static dq_status offer_anchor(dq_distil_maker *m, const float *x, const dq_rank_block *block, uint32_t row,
                              dq_error *error)
{
    size_t d = m->config.users, w = m->width = block->width, slots = m->anchor_slots;
    if (m->items % m->stride) return DQ_OK;
    if (m->anchors == 2 * ANCHORS) thin_anchors(m);
    if (m->items % m->stride) return DQ_OK;
    if (!dq_array_reserve(&m->anchor_x, &slots, m->anchors + 1, d * sizeof *m->anchor_x) ||
        (slots != m->anchor_slots && !dq_array_resize(&m->anchor_vector, slots, w * sizeof(float))))
        return dq_fail_memory(error, "the index");
    m->anchor_slots = slots;
    float *to = m->anchor_vector + m->anchors * w;
    const float *from = dq_rank_block_vector(block, row, to);
    if (from != to) memcpy(to, from, w * sizeof *to);
    memcpy(m->anchor_x + m->anchors++ * d, x, d * sizeof *x);
    return DQ_OK;
}

/* One item: its scores become a row of x. */
static dq_status take_row(dq_distil_maker *m, const dq_rank_block *block, uint32_t row, dq_error *error)
{
    size_t d = m->config.users, n;
    if (!dq_array_reserve(&m->x, &m->x_slots, m->x_count + 1, d * sizeof *m->x))
        return dq_fail_memory(error, "the items that the index is learnt from (--sample-items takes fewer)");
    float *x = m->x + m->x_count * d;
    for (size_t u = 0; u < d; u++) {
        x[u] = m->scores[u * block->rows + row];
        if (isfinite(x[u])) continue;
        const char *id = dq_strings_get(&block->ids, row, &n);
        return dq_fail(error, DQ_ERR_NUMERIC, "a score of item %.*s is not a finite number", (int)n, id);
    }
    dq_status status = offer_anchor(m, x, block, row, error);
    m->items++;
    m->x_count++;
    if (status) return status;
    if (!m->trained) return m->x_count == m->config.items ? train(m, error) : DQ_OK;
    if (m->x_count < TILE) return DQ_OK;
    m->x_count = 0;
    return add_tile(m, m->x, TILE, &m->rest, error);
}

dq_status dq_distil_maker_take(dq_distil_maker *m, const dq_rank_block *block, dq_error *error)
{
    if (block->rows == 0) return DQ_OK;
    if (!dq_array_reserve(&m->scores, &m->score_slots, m->config.users * block->rows, sizeof *m->scores))
        return dq_fail_memory(error, "scores");
    dq_status status = dq_rank_scorer_score(m->scorer, m->users, m->config.users, 0, block, m->scores, error);
    for (uint32_t row = 0; !status && row < block->rows; row++) status = take_row(m, block, row, error);
    return status;
}

static double share_of(const explaining *e)
{
    return e->whole > 0 ? e->part / e->whole : 1; /* one score for all items is explained by nothing */
}

dq_status dq_distil_maker_end(dq_distil_maker *m, dq_distil_made *made, dq_error *error)
{
    dq_status status = m->trained ? DQ_OK : train(m, error);
    if (!status && m->x_count) status = add_tile(m, m->x, m->x_count, &m->rest, error);
    if (status) return status;
    *made = (dq_distil_made){.items = m->items,
                             .users = m->config.users,
                             .components = m->config.components,
                             .lists = dq_ann_lists(m->ann),
                             .learnt = m->config.items,
                             .explained = share_of(&m->learnt),
                             .explained_rest = m->items > m->config.items ? share_of(&m->rest) : (double)NAN};
    return DQ_OK;
}

/* ---- writing ---- */

/* Sets what describes the index; fields are the items'. */
static bool describe(const dq_distil_maker *m, dq_bundle *b, const char *by, uint64_t catalogue,
                     const dq_value *meta)
{
    char digest[17];
    dq_value fields;
    const dq_value *given = dq_map_get(meta, "fields");
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, catalogue);
    return dq_map_set(&b->arena, &b->meta, "part", dq_string(&b->arena, "anchors")) &&
           dq_map_set(&b->arena, &b->meta, "by", dq_string(&b->arena, by)) &&
           dq_map_set(&b->arena, &b->meta, "items", dq_int((int64_t)m->items)) &&
           dq_map_set(&b->arena, &b->meta, "catalogue", dq_string(&b->arena, digest)) &&
           dq_map_set(&b->arena, &b->meta, "explained", dq_real(share_of(&m->learnt))) &&
           (!given ||
            (dq_value_copy(&b->arena, given, &fields) && dq_map_set(&b->arena, &b->meta, "fields", fields)));
}

/* What a user's scores are asked for, and the components of these items. */
static dq_status write_anchors(dq_distil_maker *m, dq_writer *writer, const char *by, uint64_t catalogue,
                               const dq_value *meta, dq_error *error)
{
    size_t r = m->config.components;
    float *v = malloc(m->anchors * r * sizeof *v);
    dq_bundle b = DQ_BUNDLE_EMPTY;
    dq_status status = v ? dq_ann_project(m->ann, m->anchor_x, m->anchors, v, error)
                         : dq_fail_memory(error, "the index");
    if (!status) status = dq_bundle_init(&b, DQ_KIND_INDEX, m->anchors, error);
    if (!status && !describe(m, &b, by, catalogue, meta)) status = dq_fail_memory(error, "the index");
    if (!status)
        status = dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (uint64_t[]){m->anchors, m->width},
                                      m->anchor_vector, error);
    if (!status)
        status = dq_bundle_add_tensor(&b, "components", DQ_F4, 2, (uint64_t[]){m->anchors, r}, v, error);
    if (!status) status = dq_writer_put(writer, &b, error);
    dq_bundle_free(&b);
    free(v);
    return status;
}

typedef struct parts {
    dq_writer *writer;
    unsigned char *held; /* (PART_BYTES) */
    size_t bytes;
    dq_status status;
    dq_error *error;
} parts;

static int put_part(parts *p)
{
    dq_bundle b = DQ_BUNDLE_EMPTY;
    p->status = dq_bundle_init(&b, DQ_KIND_INDEX, p->bytes, p->error);
    if (!p->status && !dq_map_set(&b.arena, &b.meta, "part", dq_string(&b.arena, "lists")))
        p->status = dq_fail_memory(p->error, "the index");
    if (!p->status) p->status = dq_bundle_add_numbers(&b, "bytes", DQ_U1, p->held, NULL, NULL, p->error);
    if (!p->status) p->status = dq_writer_put(p->writer, &b, p->error);
    dq_bundle_free(&b);
    p->bytes = 0;
    return p->status != DQ_OK;
}

static int put_bytes(void *arg, const void *bytes, size_t n)
{
    parts *p = arg;
    for (const char *from = bytes; n && !p->status;) {
        size_t some = PART_BYTES - p->bytes < n ? PART_BYTES - p->bytes : n;
        memcpy(p->held + p->bytes, from, some);
        p->bytes += some;
        from += some;
        n -= some;
        if (p->bytes == PART_BYTES) (void)put_part(p);
    }
    return p->status != DQ_OK;
}

dq_status dq_distil_maker_write(dq_distil_maker *m, dq_writer *writer, const char *by, uint64_t catalogue,
                                const dq_value *meta, dq_error *error)
{
    dq_error of_faiss = DQ_ERROR_NONE;
    parts p = {.writer = writer, .held = malloc(PART_BYTES), .error = error};
    dq_status status = p.held ? write_anchors(m, writer, by, catalogue, meta, error)
                              : dq_fail_memory(error, "the index");
    if (!status && dq_ann_write(m->ann, put_bytes, &p, &of_faiss) && !p.status)
        status = dq_fail(error, of_faiss.status, "%s", of_faiss.reason);
    if (!status && !p.status && p.bytes) (void)put_part(&p);
    free(p.held);
    return status ? status : p.status;
}

void dq_distil_maker_free(dq_distil_maker *m)
{
    if (!m) return;
    dq_ann_free(m->ann);
    free(m->users);
    free(m->scores);
    free(m->x);
    free(m->v);
    free(m->mean);
    free(m->anchor_x);
    free(m->anchor_vector);
    free(m);
}

uint64_t dq_distil_chain(uint64_t chain, const uint64_t *digests, size_t n)
{
    for (size_t i = 0; i < n; i++) chain = dq_digest_seeded(&digests[i], sizeof digests[i], chain);
    return chain;
}
