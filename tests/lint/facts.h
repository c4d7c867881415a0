/* SPDX-License-Identifier: MIT
 *
 * What the analysers of `make lint` cannot see: they look at one file at a time, and do not follow a pointer
 * that memcpy copies. A failure is never DQ_OK; an array that has been made larger is there. Included before
 * each file, and by nothing that is built. */
#ifndef DQ_LINT_FACTS_H
#define DQ_LINT_FACTS_H

#include "core/array.h"
#include "dq/status.h"

static inline dq_status dq_lint_failed(dq_status said, dq_status known)
{
    (void)said;
    return known;
}

static inline bool dq_lint_there(const void *array)
{
    if (!array) __builtin_unreachable();
    return true;
}

#define dq_fail(error, status, ...)    dq_lint_failed(dq_fail(error, status, __VA_ARGS__), status)
#define dq_fail_errno(error, sys, ...) dq_lint_failed(dq_fail_errno(error, sys, __VA_ARGS__), DQ_ERR_IO)
#define dq_fail_memory(error, ...)     dq_lint_failed(dq_fail_memory(error, __VA_ARGS__), DQ_ERR_MEMORY)

#define dq_array_resize(array, ...)                                                                          \
    (dq_array_resize(array, __VA_ARGS__) && dq_lint_there(*(void *const *)(array)))
#define dq_array_reserve(array, ...)                                                                         \
    (dq_array_reserve(array, __VA_ARGS__) && dq_lint_there(*(void *const *)(array)))

#endif
