/* SPDX-License-Identifier: MIT
 *
 * Users and items at random, whose cosines are scores: of four numbers, so that four components explain them
 * all. For tests of indices, which are skipped where dq is built without faiss.
 */
#ifndef DQ_TEST_DISTIL_WORLD_H
#define DQ_TEST_DISTIL_WORLD_H

#include "core/rng.h"
#include "distil/distil.h"
#include "distil/maker.h"
#include "port/ann/ann.h"

#include "text_file.h"

#include <libgen.h>
#include <limits.h>
#include <string.h>

enum { WORLD_USERS = 12, WORLD_ITEMS = 3000, WORLD_WIDTH = 4 };

typedef struct distil_world {
    dq_catalogue catalogue; /* users */
    dq_bundle items;
    dq_rank_items known; /* their width and fields */
    dq_pool *pool;
    dq_rank_scorer scorer;
    float user_vectors[WORLD_USERS][WORLD_WIDTH], item_vectors[WORLD_ITEMS][WORLD_WIDTH];
    char user_ids[WORLD_USERS * 8], item_ids[WORLD_ITEMS * 8];
    uint32_t user_at[WORLD_USERS + 1], item_at[WORLD_ITEMS + 1], rows[WORLD_ITEMS];
} distil_world;

/* Loads faiss of the build that the test is of, or skips the test. */
static inline void need_faiss(void)
{
    char program[PATH_MAX], shim[PATH_MAX + 16];
    dq_error e = DQ_ERROR_NONE;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(n > 0);
    program[n] = '\0';
    const char *build = dirname(dirname(program));
    (void)snprintf(shim, sizeof shim, "%s/faiss.so", build);
    if (access(shim, R_OK) != 0) skip();
    if (dq_ann_load(build, &e)) fail_msg("%s", e.reason);
}

/* count rows of a kind: ids of a letter and a number, vectors as they are. */
static inline dq_bundle world_table(const char *kind, char letter, uint32_t count, char *ids, uint32_t *at,
                                    uint64_t width, const float *vectors)
{
    dq_bundle b;
    dq_error e = DQ_ERROR_NONE;
    at[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        char id[16];
        int n = snprintf(id, sizeof id, "%c%u", letter, i);
        memcpy(ids + at[i], id, (size_t)n);
        at[i + 1] = at[i] + (uint32_t)n;
    }
    assert_int_equal(dq_bundle_init(&b, kind, count, &e), DQ_OK);
    assert_int_equal(dq_bundle_add_text(&b, "id", DQ_TEXT, at, ids, NULL, &e), DQ_OK);
    assert_int_equal(
        dq_bundle_add_tensor(&b, "vector", DQ_F4, 2, (const uint64_t[]){count, width}, vectors, &e), DQ_OK);
    return b;
}

static inline void world_make(distil_world *w)
{
    dq_error e = DQ_ERROR_NONE;
    dq_rng rng = dq_rng_new(19);
    bool taken;
    *w = (distil_world){0};
    for (size_t u = 0; u < WORLD_USERS; u++)
        for (size_t k = 0; k < WORLD_WIDTH; k++) w->user_vectors[u][k] = (float)dq_rng_normal(&rng);
    for (size_t i = 0; i < WORLD_ITEMS; i++)
        for (size_t k = 0; k < WORLD_WIDTH; k++) w->item_vectors[i][k] = (float)dq_rng_normal(&rng);
    for (uint32_t i = 0; i < WORLD_ITEMS; i++) w->rows[i] = i;
    dq_bundle users = world_table("users", 'u', WORLD_USERS, w->user_ids, w->user_at, WORLD_WIDTH,
                                  w->user_vectors[0]);
    assert_int_equal(dq_catalogue_add(&w->catalogue, &users, 0, &taken, &e), DQ_OK);
    w->items = world_table("items", 'j', WORLD_ITEMS, w->item_ids, w->item_at, WORLD_WIDTH,
                           w->item_vectors[0]);
    assert_int_equal(dq_rank_items_agree(&w->known, &w->items, &e), DQ_OK);
    assert_int_equal(dq_pool_new(&w->pool, 2, &e), DQ_OK);
    w->scorer = (dq_rank_scorer){.by = DQ_RANK_BY_COSINE, .pool = w->pool};
    if (dq_rank_scorer_fit(&w->scorer, &w->catalogue.users, &w->known, NULL, 0, &e)) fail_msg("%s", e.reason);
}

static inline void world_free(distil_world *w)
{
    dq_rank_scorer_free(&w->scorer);
    dq_rank_items_free(&w->known);
    dq_catalogue_free(&w->catalogue);
    dq_bundle_free(&w->items);
    dq_pool_free(w->pool);
}

/* A block of items first .. first + n - 1. */
static inline dq_rank_block world_block(const distil_world *w, uint32_t first, uint32_t n)
{
    dq_rank_block block = {0};
    dq_error e = DQ_ERROR_NONE;
    assert_int_equal(dq_rank_block_open(&block, WORLD_WIDTH, 2, &e), DQ_OK);
    assert_true(n <= block.capacity);
    dq_rank_block_clear(&block, first);
    uint32_t at = first;
    assert_int_equal(dq_rank_block_fill(&block, &w->items, w->rows, first + n, &at, &e), DQ_OK);
    return block;
}

static inline dq_writer *world_writer(void)
{
    const dq_maker maker = {.program = "test", .version = "1", .options = {.type = DQ_MAP}, .seed = -1};
    dq_writer *writer;
    dq_error e = DQ_ERROR_NONE;
    if (dq_writer_open(&writer, path, &maker, NULL, 0, &e)) fail_msg("%s", e.reason);
    return writer;
}

/* Makes an index of all items, in blocks of `cut`, and writes it to `path`. */
static inline dq_distil_made world_index(distil_world *w, const dq_distil_config *config, uint32_t cut)
{
    dq_distil_maker *maker;
    dq_distil_made made;
    dq_error e = DQ_ERROR_NONE;
    if (dq_distil_maker_new(&maker, config, &w->scorer, &w->catalogue.users, &e)) fail_msg("%s", e.reason);
    for (uint32_t first = 0; first < WORLD_ITEMS; first += cut) {
        dq_rank_block block = world_block(w, first, WORLD_ITEMS - first < cut ? WORLD_ITEMS - first : cut);
        if (dq_distil_maker_take(maker, &block, &e)) fail_msg("%s", e.reason);
        dq_rank_block_free(&block);
    }
    if (dq_distil_maker_end(maker, &made, &e)) fail_msg("%s", e.reason);
    dq_writer *writer = world_writer();
    if (dq_distil_maker_write(maker, writer, "cosine", 77, &w->known.meta, &e)) fail_msg("%s", e.reason);
    assert_int_equal(dq_writer_close(writer, &e), DQ_OK);
    dq_distil_maker_free(maker);
    return made;
}

/* Reads what is at `path`. */
static inline dq_status world_read(dq_distil *distil, dq_error *error)
{
    dq_reader *reader;
    const char *const paths[] = {path};
    *distil = (dq_distil){0};
    assert_int_equal(dq_reader_open(&reader, paths, 1, error), DQ_OK);
    dq_status status = dq_distil_read(distil, reader, 2, error);
    dq_reader_close(reader);
    return status;
}

#endif
