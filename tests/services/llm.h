/* SPDX-License-Identifier: MIT
 *
 * A language-model server for tests, on loopback: chat completions, embeddings, a judge that knows the demo's
 * hidden preference, counters, and every way to misbehave on command. llm_server.c says how to run it.
 *
 * One thread a connection: a handler may sleep, write to its socket or fall silent, and nobody else waits.
 */
#ifndef LLM_H
#define LLM_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct llm_options {
    unsigned port;
    double delay; /* seconds before every answer */
    const char *key, *certificate, *certificate_key;
    double mistakes; /* share of judgements that are wrong */
    uint64_t seed;   /* of the mistakes and of the faults that have a rate */
    bool no_schema, no_logprobs, split, no_system, no_seed, null_by_schema;
    const char *takes;     /* the one form of an answer that may be asked for; NULL: all */
    const char *refusal;   /* "CODE:WORDS" of what is refused by these; NULL: names it, with a 400 */
    unsigned batch, width; /* of embeddings */
    unsigned context;      /* bytes of a text to embed; 0: any */
    unsigned context_code; /* of the refusal of a longer one */
} llm_options;

extern llm_options llm_options_now;

/* One request, from its first header to its last byte. */
typedef struct llm_exchange {
    struct MHD_Connection *connection;
    char *path;
    bool post, asks; /* asks: a question to a model, so it is counted */
    char *body;      /* NUL-terminated */
    size_t bytes, capacity;
    json_t *request;
    uint64_t key;   /* digest of the body without response_format and seed */
    unsigned count; /* how often this key was asked by now, this one too */
    unsigned code;
    size_t log; /* its line there */
} llm_exchange;

uint64_t llm_hash(const void *data, size_t n, uint64_t seed);
double llm_clock(void);          /* seconds since the server began */
double llm_share(uint64_t hash); /* [0, 1) */
void llm_sleep(double seconds);
const char *llm_text(const json_t *object, const char *key); /* "" when there is none */

/* ---- llm_server.c ---- */

enum MHD_Result llm_reply(llm_exchange *x, unsigned code, const char *type, const char *body, size_t bytes,
                          const char *header, const char *value);
enum MHD_Result llm_reply_json(llm_exchange *x, unsigned code, json_t *body /* stolen */);
enum MHD_Result llm_reply_error(llm_exchange *x, unsigned code, const char *message, const char *param,
                                const char *retry_after);
enum MHD_Result llm_reply_body(llm_exchange *x, unsigned code, json_t *body /* stolen */,
                               const char *retry_after);

/* ---- llm_answer.c ---- */

/* What an honest model says. The caller frees it; NULL: not a question (llm_answer_error says why). */
json_t *llm_answer_chat(llm_exchange *x);
json_t *llm_answer_embeddings(llm_exchange *x);
/* How a request asks for its answer: "schema", "object" (with a schema inside), "json", or "none". */
const char *llm_form_of(const json_t *request);
/* A completion around any content. */
json_t *llm_completion(llm_exchange *x, const char *content, const char *refusal, const char *finish,
                       json_t *logprobs);

/* ---- llm_judge.c ---- */

enum { LLM_LABELS = 4 };
extern const char *const llm_labels[LLM_LABELS]; /* APPLY SAVE CLICK IGNORE */

/* The label for what stands between the fences of the messages, among those allowed (a mask, bit i for label
 * i). */
unsigned llm_judge(const json_t *messages, unsigned allowed);
/* The labels named outside the fences. */
unsigned llm_labels_named(const json_t *messages);

/* ---- llm_faults.c ---- */

/* Whether this exchange is to go wrong; if so it was answered, badly, and *result is what the handler
 * returns. */
bool llm_fault(llm_exchange *x, enum MHD_Result *result);
/* POST /faults: adds one plan, or each of a list. False: not a plan. */
bool llm_faults_add(const json_t *plans);
void llm_faults_clear(void);
void llm_faults_help(void);

/* ---- llm_stats.c ---- */

void llm_stats_begin(llm_exchange *x);
void llm_stats_end(llm_exchange *x, bool sent);
void llm_stats_connected(bool opened);
/* Notes the fault in the log. A request that comes before `until` (of any key, or of this one) is counted as
 * early. */
void llm_stats_fault(const llm_exchange *x, const char *kind, double until, bool all);
json_t *llm_stats(void);
json_t *llm_stats_keys(void);
json_t *llm_stats_log(void);
void llm_stats_clear(void);

#endif
