/* SPDX-License-Identifier: MIT
 *
 * The OpenAPI 3.1 description of what a server answers, written from the tables of routes and schemas that
 * the dispatcher checks requests by.
 */
#ifndef DQ_SERVE_OPENAPI_H
#define DQ_SERVE_OPENAPI_H

#include "serve/route.h"

/* Routes that this server does not have (--demo, --cold) are left out. False when memory is short. */
bool dq_serve_openapi(const dq_serve *serve, dq_arena *arena, dq_value *out);

#endif
