/* SPDX-License-Identifier: MIT
 *
 * What is decided when asking begins; both threads read it, nobody changes it afterwards.
 */
#ifndef DQ_LLM_SETUP_H
#define DQ_LLM_SETUP_H

#include "llm/ask.h"
#include "llm/client.h"

typedef struct llm_setup {
    dq_ask_options options;
    const char *model;
    const dq_ask_client *client;
    bool whole, go_on;
    bool reading;               /* cache_only or dry_run: nobody is asked */
    double price_in, price_out; /* of a token */
    char server[160];           /* "host:port"; empty when reading */
    char subject[300];          /* "host:port model": what the cache's facts are about */
} llm_setup;

#endif
