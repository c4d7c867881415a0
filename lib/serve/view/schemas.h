/* SPDX-License-Identifier: MIT
 *
 * What the views over HTTP (view_routes.c) take and give: the tables that requests are checked by and the
 * OpenAPI description is written from.
 */
#ifndef DQ_SERVE_VIEW_SCHEMAS_H
#define DQ_SERVE_VIEW_SCHEMAS_H

#include "serve/schema.h"

enum { DQ_VIEW_VALUES_MOST = 100 }; /* items of each model */

extern const dq_serve_schema dq_view_page_query;
extern const dq_serve_schema dq_view_values_query;
extern const dq_serve_schema dq_view_user_answer;
extern const dq_serve_schema dq_view_item_answer;
extern const dq_serve_schema dq_view_users_answer;
extern const dq_serve_schema dq_view_items_answer;
extern const dq_serve_schema dq_view_distributions_answer;
extern const dq_serve_schema dq_view_values_answer;
extern const dq_serve_schema dq_view_status_answer;

#endif
