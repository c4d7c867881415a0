/* SPDX-License-Identifier: MIT
 *
 * The tables of routes, each ended by {0}: one line for each part of the server, here and in tables.c.
 */
#ifndef DQ_SERVE_TABLES_H
#define DQ_SERVE_TABLES_H

#include "serve/route.h"

/* All of them, NULL-ended: what a program hands to dq_serve.tables. */
extern const dq_serve_route *const dq_serve_tables[];

extern const dq_serve_route dq_serve_basic_routes[]; /* basic.c: health, metrics, the description */

extern const dq_serve_route dq_serve_recommend_routes[]; /* recommend.c, feedback.c */

extern const dq_serve_route dq_serve_demo_routes[]; /* demo/routes.c: data, trainings, how they go */
extern const dq_serve_route dq_serve_view_routes[]; /* view/routes.c: what there is to see */

#endif
