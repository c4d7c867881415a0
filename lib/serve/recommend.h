/* SPDX-License-Identifier: MIT
 *
 * What recommend.c and feedback.c share.
 */
#ifndef DQ_SERVE_RECOMMEND_H
#define DQ_SERVE_RECOMMEND_H

#include "serve/remembered.h"
#include "serve/server.h"

/* An id of a request: a string as it is, an integer in its decimal form, in the arena. at NULL: memory is
 * short. */
dq_log_text dq_serve_id(const dq_value *value, dq_arena *arena);
/* Seconds since 1970. */
double dq_serve_clock(void);

extern const dq_serve_schema dq_serve_feedback_body, dq_serve_feedback_reply;
void dq_serve_answer_feedback(dq_serve *serve, const dq_serve_call *call, dq_httpd_reply *reply);

#endif
