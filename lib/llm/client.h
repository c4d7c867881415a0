/* SPDX-License-Identifier: MIT
 *
 * What asking needs of the world outside: a client, with the functions of port/http/http.h, and the clock
 * that claims and waits go by. A test hands in another (dq_ask_config), which answers by itself at a time of
 * its own: what its `open` makes is what the others get.
 */
#ifndef DQ_LLM_CLIENT_H
#define DQ_LLM_CLIENT_H

#include "port/http/http.h"

typedef struct dq_ask_client {
    dq_status (*open)(dq_http **client, const dq_http_config *config, dq_error *error);
    void (*close)(dq_http *client); /* accepts NULL */
    dq_status (*submit)(dq_http *client, const char *path, const char *body, size_t bytes, uint64_t tag,
                        uint64_t tokens, dq_error *error);
    int (*next)(dq_http *client, double seconds, dq_http_answer *answer, dq_error *error);
    void (*wake)(dq_http *client); /* from any thread */
    const char *(*server)(const dq_http *client);
    double (*now)(void); /* seconds of a monotonic clock; from any thread */
} dq_ask_client;

/* port/http, and the machine's clock. */
extern const dq_ask_client dq_ask_http;

#endif
