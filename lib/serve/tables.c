/* SPDX-License-Identifier: MIT */
#include "serve/tables.h"

#include <stddef.h>

const dq_serve_route *const dq_serve_tables[] = {
    dq_serve_basic_routes, dq_serve_recommend_routes, dq_serve_view_routes, dq_serve_demo_routes, NULL,
};
