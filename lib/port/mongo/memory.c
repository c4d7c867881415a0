/* SPDX-License-Identifier: MIT
 *
 * libbson ends the process where it finds no memory: a line of its own, and abort(). So its functions of
 * memory are ours, and the program that was told in time says its own line instead.
 */
#include "port/mongo/mongo.h"

#include <bson/bson.h>
#include <stdlib.h>

static void (*end)(void);

static void *or_end(void *piece)
{
    if (!piece && end) end();
    return piece;
}

static void *take(size_t bytes)
{
    return or_end(malloc(bytes));
}

static void *take_zeroed(size_t n, size_t bytes)
{
    return or_end(calloc(n, bytes));
}

static void *resize(void *piece, size_t bytes)
{
    return or_end(realloc(piece, bytes));
}

static void *take_aligned(size_t alignment, size_t bytes)
{
    return or_end(aligned_alloc(alignment, bytes));
}

void dq_mongo_when_short_of_memory(void (*end_process)(void))
{
    const bson_mem_vtable_t functions = {.malloc = take,
                                         .calloc = take_zeroed,
                                         .realloc = resize,
                                         .free = free,
                                         .aligned_alloc = take_aligned};
    end = end_process;
    bson_mem_set_vtable(&functions);
}
