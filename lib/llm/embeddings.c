/* SPDX-License-Identifier: MIT */
#include "llm/embeddings.h"

#include "core/array.h"
#include "core/utf8.h"
#include "llm/vector.h"
#include "port/files/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READER = 2 }; /* how answers are read; another way reads kept ones anew */

typedef struct place {
    uint64_t tag;
    float *to; /* NULL: only the width is asked for */
    uint32_t width;
} place;

struct dq_embeddings {
    dq_ask_form form; /* first: join and split get it */
    dq_embeddings_config config;
    dq_ask *ask;
    dq_json_text request;
    place *places; /* by the question's number, since the last wait */
    size_t count, room;
    dq_embeddings_tally tally;
    dq_embeddings_miss miss; /* of these places */
    uint64_t missing, probes;
    uint32_t probed; /* width of what the last probe got */
    dq_arena arena;
};

/* ---- requests and answers ---- */

/* {"model":M,"input":TEXT}: what the key digests. */
static dq_status write_request(dq_embeddings *m, const char *text, size_t n, dq_error *error)
{
    dq_json_text *out = &m->request;
    out->bytes = 0;
    dq_status status = dq_json_write_raw(out, "{\"model\":", 9, error);
    if (!status) status = dq_json_write_string(out, m->config.name, strlen(m->config.name), error);
    if (!status) status = dq_json_write_raw(out, ",\"input\":", 9, error);
    if (!status) status = dq_json_write_string(out, text, n, error);
    return status ? status : dq_json_write_raw(out, "}", 1, error);
}

/* The same with the inputs of many. */
static dq_status join(const dq_ask_form *form, const dq_value *requests, size_t n, dq_json_text *body,
                      dq_error *error)
{
    const dq_embeddings *m = (const dq_embeddings *)form;
    dq_status status = dq_json_write_raw(body, "{\"model\":", 9, error);
    if (!status) status = dq_json_write_string(body, m->config.name, strlen(m->config.name), error);
    if (!status) status = dq_json_write_raw(body, ",\"input\":[", 10, error);
    for (size_t i = 0; !status && i < n; i++) {
        if (i) status = dq_json_write_raw(body, ",", 1, error);
        if (!status) status = dq_json_write(body, dq_map_get(&requests[i], "input"), error);
    }
    return status ? status : dq_json_write_raw(body, "]}", 2, error);
}

static dq_status split(const dq_ask_form *form, const dq_value *body, size_t n, dq_json_text *answers,
                       dq_error *error)
{
    const dq_value *vectors[DQ_EMBEDDINGS_BATCH];
    dq_status status = dq_vectors_place(body, n, vectors, error);
    (void)form;
    for (size_t i = 0; !status && i < n; i++) {
        status = dq_json_write_raw(&answers[i], "{\"embedding\":", 13, error);
        if (!status) status = dq_json_write(&answers[i], vectors[i], error);
        if (!status) status = dq_json_write_raw(&answers[i], "}", 1, error);
    }
    return status;
}

static const char *read_answer(const dq_ask_form *form, const char *answer, size_t bytes, dq_arena *arena)
{
    uint32_t width;
    (void)form;
    return dq_vector_read(answer, bytes, arena, &width) ? "vector" : NULL;
}

/* ---- refusals ---- */

/* As OpenAI, Azure, Ollama, vLLM, llama.cpp, TEI and Cohere say that a text is too long. */
static bool is_about_length(const char *words)
{
    static const char *const parts[] = {
        "context length",   "context size",        "context window",  "maximum context",
        "too long",         "too large",           "too many tokens", "maximum length",
        "input length",     "must have less than", "max_tokens_per",  "maximum input",
        "maximum sequence", "token limit",         "longer than",     "maximum tokens"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(words, parts[i])) return true;
    return false;
}

static dq_ask_blame blames(long code, const char *body, size_t bytes)
{
    (void)bytes;
    if (code == 429) return strcasestr(body, "request too large") ? DQ_BLAME_SURE : DQ_BLAME_NONE;
    if (code >= 400 && is_about_length(body)) return DQ_BLAME_SURE;
    return code == 400 || code == 413 || code == 422 || code == 500 ? DQ_BLAME_MAYBE : DQ_BLAME_NONE;
}

/* ---- misses ---- */

static void note_miss(dq_embeddings *m, const place *p, const char *reason)
{
    m->missing++;
    if (m->miss.any && m->miss.tag <= p->tag) return;
    m->miss.any = true;
    m->miss.tag = p->tag;
    (void)snprintf(m->miss.reason, sizeof m->miss.reason, "%s", reason);
}

/* One of another width counts as the first miss: the failure is about it. */
static dq_status wrong_width(dq_embeddings *m, const place *p, uint32_t is, dq_error *error)
{
    m->miss.any = false;
    note_miss(m, p, "");
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: a vector of %u numbers after one of %u", m->config.name, is,
                   p->width);
}

static dq_status take_miss(dq_embeddings *m, const place *p, const dq_reply *reply, dq_error *error)
{
    dq_embeddings_tally *t = &m->tally;
    t->absent += reply->status == DQ_ERR_UNKNOWN;
    t->unreadable += reply->status == DQ_OK;
    t->refused += reply->status == DQ_ERR_UNSUPPORTED;
    note_miss(m, p,
              reply->reason   ? reply->reason
              : reply->status ? "not in the cache"
                              : "no vector in its answer");
    bool others = dq_ask_stats_of(m->ask)->asked || (reply->reason && is_about_length(reply->reason));
    if (reply->status != DQ_ERR_UNSUPPORTED || others) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNSUPPORTED, "%s", reply->reason);
}

static dq_status take_reply(dq_embeddings *m, const dq_reply *reply, dq_error *error)
{
    const place *p = &m->places[reply->tag];
    dq_status status = DQ_OK;
    uint32_t width;
    if (m->config.options->dry_run) return DQ_OK;
    if (!reply->label) return take_miss(m, p, reply, error);
    const float *vector = dq_vector_read(reply->answer, reply->bytes, &m->arena, &width);
    if (!vector)
        status = dq_fail(error, DQ_ERR_FORMAT, "%s: a kept answer without a vector", m->config.name);
    else if (p->to && width != p->width)
        status = wrong_width(m, p, width, error);
    if (!status && p->to) memcpy(p->to, vector, width * sizeof *vector);
    if (!status && !p->to) m->probed = width;
    dq_arena_free(&m->arena);
    return status;
}

/* ---- asking ---- */

dq_status dq_embeddings_open(dq_embeddings **model, const dq_embeddings_config *config, dq_error *error)
{
    dq_embeddings *m = calloc(1, sizeof *m);
    *model = NULL;
    if (!m) return dq_fail_memory(error, "a model");
    m->config = *config;
    m->form = (dq_ask_form){.path = "embeddings",
                            .reader = READER,
                            .read = read_answer,
                            .batch = (size_t)config->batch,
                            .join = join,
                            .split = split,
                            .blames = blames};
    dq_ask_config ask = {
        .options = config->options, .model = config->name, .whole = true, .client = config->client};
    dq_status status = dq_ask_open(&m->ask, &ask, error);
    if (status) return dq_embeddings_close(m, status, error);
    *model = m;
    return DQ_OK;
}

/* Takes one reply, or none when nothing is open: *more is false then. */
static dq_status take(dq_embeddings *m, bool *more, dq_error *error)
{
    dq_reply reply;
    int got = dq_ask_next(m->ask, &reply, error);
    *more = got > 0;
    if (got < 0) return error->status;
    return got ? take_reply(m, &reply, error) : DQ_OK;
}

static dq_status put(dq_embeddings *m, const char *text, size_t n, place to, dq_error *error)
{
    dq_status status = DQ_OK;
    for (bool more = true; !status && more && dq_ask_room(m->ask) == 0;) status = take(m, &more, error);
    if (status) return status;
    if (!dq_array_reserve(&m->places, &m->room, m->count + 1, sizeof *m->places))
        return dq_fail_memory(error, "texts");
    m->places[m->count] = to;
    status = write_request(m, text, n, error);
    dq_question question = {
        .form = &m->form, .request = m->request.data, .bytes = m->request.bytes, .tag = m->count++};
    return status ? status : dq_ask_put(m->ask, &question, error);
}

/* What is asked of a text. */
static size_t cut_bytes(const dq_embeddings *m, const char *text, size_t n)
{
    return m->config.max_chars ? dq_utf8_prefix(text, n, (size_t)m->config.max_chars) : n;
}

dq_status dq_embeddings_put(dq_embeddings *m, const char *text, size_t n, uint64_t tag, uint32_t width,
                            float *to, dq_error *error)
{
    size_t asked = cut_bytes(m, text, n);
    memset(to, 0, width * sizeof *to);
    if (dq_utf8_blank(text, asked)) return DQ_OK; /* no server takes one */
    m->tally.texts++;
    m->tally.cut += asked < n;
    return put(m, text, asked, (place){tag, to, width}, error);
}

/* Takes what is open; the misses among it. */
static dq_status take_all(dq_embeddings *m, dq_embeddings_miss *miss, uint64_t *missing, dq_error *error)
{
    dq_status status = DQ_OK;
    for (bool more = true; !status && more;) status = take(m, &more, error);
    const dq_ask_stats *stats = dq_ask_stats_of(m->ask);
    m->tally.hits = stats->hits - m->probes;
    m->tally.requests = stats->asked;
    *miss = m->miss;
    *missing = m->missing;
    m->count = 0;
    m->missing = 0;
    m->miss.any = false;
    return status;
}

/* " (2 of 9 texts have no vector; OPTION helps)" */
static dq_status fail_missing(const dq_embeddings *m, const char *reason, uint64_t missing, dq_error *error)
{
    const dq_embeddings_tally *t = &m->tally;
    return dq_fail(error, DQ_ERR_UNKNOWN,
                   "%.220s (%llu of %llu texts without a vector; %s%s--allow-missing leaves zeros)", reason,
                   (unsigned long long)missing, (unsigned long long)t->texts,
                   t->refused ? "--max-chars N cuts, " : "",
                   t->unreadable ? "--retry-unreadable asks again, " : "");
}

dq_status dq_embeddings_wait(dq_embeddings *m, dq_embeddings_miss *miss, dq_error *error)
{
    uint64_t missing;
    dq_status status = take_all(m, miss, &missing, error);
    if (status || !missing || m->config.allow_missing) return status;
    return fail_missing(m, miss->reason, missing, error);
}

dq_status dq_embeddings_width(dq_embeddings *m, const char *text, size_t n, uint64_t tag, uint32_t *width,
                              dq_embeddings_miss *miss, dq_error *error)
{
    const dq_embeddings_tally before = m->tally;
    uint64_t missing, hits = dq_ask_stats_of(m->ask)->hits;
    m->probed = 0;
    dq_status status = put(m, text, cut_bytes(m, text, n), (place){tag, NULL, 0}, error);
    if (!status) status = take_all(m, miss, &missing, error);
    bool unreadable = m->tally.unreadable > before.unreadable;
    m->tally = before; /* it comes again in its place, from the cache */
    bool dry = m->config.options->dry_run, hit = dq_ask_stats_of(m->ask)->hits > hits;
    m->probes += dry ? hit : m->probed > 0; /* a hit, here or there, that is no text's */
    *width = dry ? 1 : m->probed;
    if (status || !unreadable) return status;
    m->tally.texts++, m->tally.unreadable++;
    return fail_missing(m, miss->reason, 1, error);
}

const dq_embeddings_tally *dq_embeddings_tally_of(const dq_embeddings *m)
{
    return &m->tally;
}

dq_ask_stats dq_embeddings_stats(const dq_embeddings *m)
{
    dq_ask_stats stats = *dq_ask_stats_of(m->ask);
    stats.hits = m->tally.hits;
    return stats;
}

dq_status dq_embeddings_close(dq_embeddings *m, dq_status status, dq_error *error)
{
    if (!m) return status;
    status = dq_ask_close(m->ask, status, error);
    dq_json_text_free(&m->request);
    dq_arena_free(&m->arena);
    free(m->places);
    free(m);
    return status;
}
