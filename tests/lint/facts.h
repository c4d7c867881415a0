/* SPDX-License-Identifier: MIT
 *
 * What the analysers of `make lint` cannot see, since they look at one file at a time: a failure is never DQ_OK.
 * Included before each file, and by nothing that is built. */
#ifndef DQ_LINT_FACTS_H
#define DQ_LINT_FACTS_H

#include "dq/status.h"

static inline dq_status dq_lint_failed(dq_status said, dq_status known)
{
    (void)said;
    return known;
}

#define dq_fail(error, status, ...)    dq_lint_failed(dq_fail(error, status, __VA_ARGS__), status)
#define dq_fail_errno(error, sys, ...) dq_lint_failed(dq_fail_errno(error, sys, __VA_ARGS__), DQ_ERR_IO)
#define dq_fail_memory(error, ...)     dq_lint_failed(dq_fail_memory(error, __VA_ARGS__), DQ_ERR_MEMORY)

#endif
