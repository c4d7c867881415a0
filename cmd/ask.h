/* SPDX-License-Identifier: MIT
 *
 * Asking a model through the cache: what dq-reward and dq-embed share. A question is a canonical request (the
 * model, the sampling parameters, the messages or inputs, the sample's number) and a body to send; the answer
 * is the server's raw body, from the cache where it is there, else paid for once: claimed, sent, stored,
 * durable before it is given. Questions are put without waiting and answers taken as they come; whoever needs
 * an order keeps it.
 *
 *     dq_ask_open(&ask, &config, &e);
 *     dq_ask_put(ask, &question, &e);                              until dq_ask_room() is 0
 *     while ((got = dq_ask_next(ask, &answer, &e)) > 0) ...        1 an answer, 0 none is due, -1 failed
 */
#ifndef DQ_CMD_ASK_H
#define DQ_CMD_ASK_H

#include "cli.h"

#include "dq/cache.h"

/* The options that a program that asks a model has; see ask_options.c for --help's words. */
typedef struct dq_ask_options {
    const char *model, *cache, *key_file, *price;
    bool cache_only, refresh, retry_unreadable, dry_run;
    uint64_t parallel, max_requests, max_tokens, attempts, failures;
    double max_cost, rpm, tpm, timeout;
} dq_ask_options;

typedef struct dq_question {
    const char *path;        /* below the server's address: "chat/completions", "embeddings" */
    const dq_value *request; /* canonical: what the key digests (with `sample` added), and, without the
                                answer's form, what is sent */
    const dq_value
        *extra; /* more keys of the body that do not belong to the key (response_format), or NULL */
    uint32_t sample;
    uint64_t tag;
    /* Reads an answer's body: true, and *label (in the arena) when it is readable. An unreadable one is asked
     * again once. */
    bool (*read)(void *arg, const dq_value *body, dq_arena *arena, const char **label);
    void *arg;
} dq_question;

typedef struct dq_reply {
    uint64_t tag;
    dq_status status; /* DQ_OK: body. DQ_ERR_UNKNOWN: a miss with --cache-only. Else: no answer, see reason */
    bool readable, hit;
    dq_value body; /* parsed, in the arena given to dq_ask_next */
    const char *label, *reason;
} dq_reply;

#endif
