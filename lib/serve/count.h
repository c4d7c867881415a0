/* SPDX-License-Identifier: MIT
 *
 * What the dispatcher counts of each answer: dq_serve_requests_total by route and status, and
 * dq_serve_request_seconds by route: from a request that has come whole to its answer, before that is sent.
 */
#ifndef DQ_SERVE_COUNT_H
#define DQ_SERVE_COUNT_H

#include "serve/server.h"

/* route NULL: there was none. */
void dq_serve_count(dq_serve *serve, const dq_serve_route *route, unsigned status, double seconds);

#endif
