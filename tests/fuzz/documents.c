/* SPDX-License-Identifier: MIT */
#include "documents.h"

uint64_t fuzz_count_documents(dq_documents *documents)
{
    dq_error e = DQ_ERROR_NONE;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value document;
    uint64_t count = 0;
    int got;
    while ((got = documents->next(documents, &arena, &document, &e)) > 0) {
        count++;
        e = DQ_ERROR_NONE;
        dq_arena_free(&arena);
    }
    if (got < 0) fuzz_fail("it breaks off now: %s", e.reason);
    dq_arena_free(&arena);
    documents->close(documents);
    return count;
}
