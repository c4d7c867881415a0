/* SPDX-License-Identifier: MIT
 *
 * Asking a model through the cache: what dq-reward and dq-embed share. A question is a canonical request (a
 * JSON object: the model, the sampling parameters, the messages or the input) and a sample's number; their
 * SHA-256 is its key. Its answer is the server's raw body, from the cache where it is there, else paid for
 * once: claimed, sent, stored, and durable before it is given. Questions are put without waiting and answers
 * come in any order; whoever needs an order keeps it.
 *
 *     dq_ask_open(&ask, &config, &e);
 *     while (dq_ask_room(ask) && more)               never waits
 *         dq_ask_put(ask, &question, &e);
 *     while ((got = dq_ask_next(ask, &reply, &e)) > 0)   1 a reply, 0 none is due, -1 failed
 *         ...
 *     status = dq_ask_close(ask, status, &e);        after a stop *e says how to go on
 *
 * Two threads share the work: the caller's keeps the connections busy (send.c), another one alone touches the
 * cache (store.c), so that no answer waits for a disk. When the caller's stop is asked for: nothing more is
 * sent, what is in flight is waited for and stored, then dq_ask_next fails with DQ_ERR_STOPPED, as it does
 * when a budget is spent or the service is down.
 */
#ifndef DQ_LLM_ASK_H
#define DQ_LLM_ASK_H

#include "port/cache/cache.h"
#include "port/files/json.h"

/* How asking is told to stop; both may be NULL. */
typedef struct dq_ask_stop {
    /* Looked at a few times a second while questions are open: true ends the asking. From the caller's
     * thread. */
    bool (*asked)(void);
    /* Told when a first question is open (true), and when none is any more: a program may catch signals
     * meanwhile, which end it at other times. */
    void (*watch)(bool open);
} dq_ask_stop;

/* Whom to ask, how, and for how much; cli/llm_options.h has it from a command line. Texts outlive the ask. */
typedef struct dq_ask_options {
    const char *base_url; /* NULL: https://api.openai.com/v1; an endpoint behind it is passed over */
    const char *key;      /* NULL or empty: none */
    const char *key_header, *certificates, *proxy, *proxy_from, *no_proxy; /* as dq_http_config has them */
    const char *cache;        /* the file; NULL for a dry run without one */
    bool cache_only, dry_run; /* nobody is asked: what the cache lacks is missing, and estimated */
    bool refresh;             /* ask what the cache has, too, each question once */
    bool retry_unreadable;    /* ask once more where a kept answer could not be read */
    uint64_t parallel;        /* requests on their way, 1 .. 1024 */
    uint64_t attempts;        /* of a request, at least 1 */
    double timeout;           /* seconds, of a request */
    double rpm, tpm;          /* requests, tokens a minute at most; 0: no limit */
    /* The budget: what the cache's ledger may come to, with all that other processes spend; 0: no limit. */
    uint64_t max_requests, max_tokens;
    double max_cost;
    const char *price; /* of a million tokens, as dq_ask_parse_price takes it; NULL: none */
    dq_ask_stop stop;
} dq_ask_options;

/* One way to send a member: what the cache remembers it by, and its JSON (NULL: the question's sample). */
typedef struct dq_ask_variant {
    const char *name, *json; /* "json_schema", "{...}" */
} dq_ask_variant;

/* A member of the sent body that is not of the key: the answer's form, a seed. A server that refuses one is
 * asked by the next of its variants, after the last without it, and what it takes is remembered, by server
 * and model. llm/member.h says what counts as a refusal. */
typedef struct dq_ask_member {
    const char *name;               /* "response_format" */
    const dq_ask_variant *variants; /* from the best on, ended by one without a name */
    const char *const *words;       /* what a refusal calls it, in lower case; ended by NULL */
    const char *within; /* no member, but what requests hold that have this text: left out by form->fold.
                           NULL: a member */
    bool doubted;       /* an unreadable answer is asked again without it */
    bool fixed;         /* chosen by hand: never left out, nor remembered */
} dq_ask_member;

/* Whether a refusal may be the fault of a question's own content. */
typedef enum dq_ask_blame {
    DQ_BLAME_NONE,  /* the whole asking is refused */
    DQ_BLAME_MAYBE, /* the content, or the whole asking */
    DQ_BLAME_SURE   /* the content: neither time nor another server's mood helps */
} dq_ask_blame;

enum { DQ_ASK_MEMBERS = 4 };

/* What questions of one kind have in common. Outlives the ask. `read` is called on the store's thread,
 * `join`, `split` and `fold` on the caller's. */
typedef struct dq_ask_form dq_ask_form;
struct dq_ask_form {
    const char *path;           /* below the server's address: "chat/completions" */
    const dq_ask_member *extra; /* at most DQ_ASK_MEMBERS, ended by one without a name; or NULL */
    uint32_t reader;            /* names what `read` does: another reader reads kept answers anew */
    /* Reads a raw answer: its label (in the arena), or NULL when it is unreadable, which is asked again once,
     * without the members that are doubted. */
    const char *(*read)(const dq_ask_form *form, const char *answer, size_t bytes, dq_arena *arena);
    /* Batches: how many questions one request may carry (0: one), the body of n questions from their
     * requests, and the n raw answers that its answer holds (a failure: none does). */
    size_t batch;
    dq_status (*join)(const dq_ask_form *form, const dq_value *requests, size_t n, dq_json_text *body,
                      dq_error *error);
    /* DQ_ERR_SCHEMA: answers are there, but not to be told apart: the asking ends with these words. Another
     * failure: the answer is each question's, whole, and unreadable. */
    dq_status (*split)(const dq_ask_form *form, const dq_value *body, size_t n, dq_json_text *answers,
                       dq_error *error);
    /* With it a batch that is refused for its content is halved until the question is found, which alone is
     * refused; without (NULL), or where it blames none, a refusal ends the asking. */
    dq_ask_blame (*blames)(long code, const char *body, size_t bytes);
    /* Writes a request without what its member `within` names; NULL where there is none. */
    dq_status (*fold)(const dq_ask_form *form, const dq_value *request, dq_json_text *body, dq_error *error);
    uint64_t tokens_out; /* of an answer, for estimates */
};

typedef struct dq_question {
    const dq_ask_form *form;
    const char *request; /* a canonical JSON object (bytes); copied. The key digests it with ,"sample":N as
                            its last member; it is sent with the form's extra members */
    size_t bytes;
    uint32_t sample;
    bool maybe; /* with dry_run: it depends on an answer that is not known, so it counts apart */
    uint64_t tag;
} dq_question;

typedef struct dq_reply {
    uint64_t tag;
    dq_status status;   /* DQ_OK: an answer, readable or not. DQ_ERR_UNKNOWN: the cache lacks it (cache_only,
                           dry_run). DQ_ERR_IO: its attempts are spent (config.go_on). DQ_ERR_UNSUPPORTED: it is
                           refused, as form.blames says */
    const char *reason; /* of DQ_ERR_UNSUPPORTED: the server's; else NULL */
    const char *label;  /* NULL: unreadable, or no answer */
    const char *answer; /* the raw body (bytes); NULL for a hit, unless config.whole */
    size_t bytes;
    bool hit;
} dq_reply; /* its texts live until the next call of dq_ask_next */

typedef struct dq_ask_config {
    const dq_ask_options *options;
    const char *model;
    bool whole;                         /* replies carry the raw answers of hits too */
    bool go_on;                         /* a question whose attempts are spent is a reply, not the end */
    size_t window;                      /* questions that may be open at once; 0: 2048 */
    const struct dq_ask_client *client; /* of llm/client.h; NULL: port/http's, and the machine's clock */
} dq_ask_config;

/* What became of the questions so far. */
typedef struct dq_ask_stats {
    uint64_t questions, hits, asked, missing, unreadable, failed;
    uint64_t mended; /* models whose sums of the ledger were taken anew (dq_cache_mended) */
    /* What dry_run counts: each question once, and questions that share a request as one request. */
    uint64_t dry_questions, dry_requests, dry_maybe, dry_tokens_in, dry_tokens_out, dry_maybe_in,
        dry_maybe_out;
    double tokens_per_byte; /* of dry_run's estimates: as measured over the hits, else 1/4 */
} dq_ask_stats;

typedef struct dq_ask dq_ask;

/* Opens the cache and, unless cache_only or dry_run, the client. */
dq_status dq_ask_open(dq_ask **ask, const dq_ask_config *config, dq_error *error);
/* How many questions may be put now. */
size_t dq_ask_room(const dq_ask *ask);
dq_status dq_ask_put(dq_ask *ask, const dq_question *question, dq_error *error);
/* Waits for a reply: 1 with one, 0 when no question is open, -1 when it failed (the status in *error). */
int dq_ask_next(dq_ask *ask, dq_reply *reply, dq_error *error);
/* Lives as long as the ask, and is kept up to date. */
const dq_ask_stats *dq_ask_stats_of(const dq_ask *ask);
/* Stores what is left to store, frees claims, frees. Returns status, or the first failure of its own. Accepts
 * NULL. */
dq_status dq_ask_close(dq_ask *ask, dq_status status, dq_error *error);

/* The price of a token of questions and of answers, from IN:OUT for a million; false for another form. */
bool dq_ask_parse_price(const char *text, double *in, double *out);

#endif
