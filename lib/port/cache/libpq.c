/* SPDX-License-Identifier: MIT */
#include "port/cache/libpq.h"

#include "core/load/shared.h"

#define SYMBOL(function) {.name = "PQ" #function, .to = &dq_pq.function},
static const dq_shared_symbol symbols[] = {DQ_PQ_CALLS(SYMBOL){0}};

struct dq_pq dq_pq;
static dq_shared library = {.soname = DQ_SONAME, .package = "libpq5", .symbols = symbols};

dq_status dq_pq_load(dq_error *error)
{
    return dq_shared_load(&library, error);
}
