/* SPDX-License-Identifier: MIT */
#include "llm/embeddings.h"

#include "core/array.h"
#include "port/files/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { READER = 1 }; /* how answers are read; another way reads kept ones anew */

typedef struct place {
    float *to;
    uint32_t width;
} place;

struct dq_embeddings {
    dq_ask_form form; /* first: join and split get it */
    const char *name;
    const dq_ask_options *options;
    dq_ask *ask;
    dq_json_text request;
    place *places; /* by tag */
    size_t count, room;
    uint64_t texts, missing, unreadable;
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
    if (!status) status = dq_json_write_string(out, m->name, strlen(m->name), error);
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
    if (!status) status = dq_json_write_string(body, m->name, strlen(m->name), error);
    if (!status) status = dq_json_write_raw(body, ",\"input\":[", 10, error);
    for (size_t i = 0; !status && i < n; i++) {
        if (i) status = dq_json_write_raw(body, ",", 1, error);
        if (!status) status = dq_json_write(body, dq_map_get(&requests[i], "input"), error);
    }
    return status ? status : dq_json_write_raw(body, "]}", 2, error);
}

/* Where in the answer the i-th input's vector is: by its index, whatever the order. */
static const dq_value *find_vector(const dq_value *data, size_t i)
{
    for (uint32_t k = 0; k < data->count; k++)
        if (dq_value_integer(dq_map_get(&data->as.list[k], "index"), (int64_t)k) == (int64_t)i)
            return dq_map_get(&data->as.list[k], "embedding");
    return NULL;
}

static dq_status split(const dq_ask_form *form, const dq_value *body, size_t n, dq_json_text *answers,
                       dq_error *error)
{
    const dq_value *data = dq_map_get(body, "data");
    dq_status status = DQ_OK;
    (void)form;
    if (!data || data->type != DQ_LIST || data->count != n)
        return dq_fail(error, DQ_ERR_FORMAT, "not one vector for each text");
    for (size_t i = 0; !status && i < n; i++) {
        const dq_value *vector = find_vector(data, i);
        if (!vector) return dq_fail(error, DQ_ERR_FORMAT, "no vector for a text");
        status = dq_json_write_raw(&answers[i], "{\"embedding\":", 13, error);
        if (!status) status = dq_json_write(&answers[i], vector, error);
        if (!status) status = dq_json_write_raw(&answers[i], "}", 1, error);
    }
    return status;
}

/* The numbers of a kept answer, in the arena; NULL when it has none. */
static const dq_value *numbers_of(const char *answer, size_t bytes, dq_arena *arena)
{
    dq_error none = DQ_ERROR_NONE;
    dq_value *body = dq_arena_zero(arena, 1, sizeof *body);
    if (!body || dq_json_parse(answer, bytes, arena, body, &none)) return NULL;
    const dq_value *vector = dq_map_get(body, "embedding");
    if (!vector || vector->type != DQ_LIST || vector->count == 0) return NULL;
    for (uint32_t i = 0; i < vector->count; i++)
        if (!isfinite((float)dq_value_number(&vector->as.list[i], (double)NAN))) return NULL;
    return vector;
}

static const char *read_answer(const dq_ask_form *form, const char *answer, size_t bytes, dq_arena *arena)
{
    (void)form;
    return numbers_of(answer, bytes, arena) ? "vector" : NULL;
}

/* ---- asking ---- */

dq_status dq_embeddings_open(dq_embeddings **model, const char *name, const dq_ask_options *options,
                             uint64_t batch, const struct dq_ask_client *client, dq_error *error)
{
    dq_embeddings *m = *model = calloc(1, sizeof *m);
    if (!m) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for a model");
    m->name = name;
    m->options = options;
    m->form = (dq_ask_form){.path = "embeddings",
                            .reader = READER,
                            .read = read_answer,
                            .batch = (size_t)batch,
                            .join = join,
                            .split = split};
    dq_ask_config config = {.options = options, .model = name, .whole = true, .client = client};
    return dq_ask_open(&m->ask, &config, error);
}

static dq_status wrong_width(const dq_embeddings *m, uint32_t is, uint32_t should, dq_error *error)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "%s: a vector of %u numbers after one of %u", m->name, is, should);
}

static dq_status take_reply(dq_embeddings *m, const dq_reply *reply, dq_error *error)
{
    const place *p = &m->places[reply->tag];
    if (m->options->dry_run) return DQ_OK;
    if (!reply->label) {
        m->missing += reply->status == DQ_ERR_UNKNOWN;
        m->unreadable += reply->status == DQ_OK;
        return DQ_OK;
    }
    dq_status status = DQ_OK;
    const dq_value *vector = numbers_of(reply->answer, reply->bytes, &m->arena);
    if (!vector)
        status = dq_fail(error, DQ_ERR_FORMAT, "%s: a kept answer without a vector", m->name);
    else if (p->to && vector->count != p->width)
        status = wrong_width(m, vector->count, p->width, error);
    for (uint32_t i = 0; !status && p->to && i < p->width; i++)
        p->to[i] = (float)dq_value_number(&vector->as.list[i], 0);
    if (!status && !p->to) m->probed = vector->count;
    dq_arena_free(&m->arena);
    return status;
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
        return dq_fail(error, DQ_ERR_MEMORY, "out of memory for texts");
    m->places[m->count] = to;
    status = write_request(m, text, n, error);
    dq_question question = {
        .form = &m->form, .request = m->request.data, .bytes = m->request.bytes, .tag = m->count++};
    return status ? status : dq_ask_put(m->ask, &question, error);
}

dq_status dq_embeddings_put(dq_embeddings *m, const char *text, size_t n, uint32_t width, float *to,
                            dq_error *error)
{
    memset(to, 0, width * sizeof *to);
    if (n == 0) return DQ_OK; /* no server takes one */
    m->texts++;
    return put(m, text, n, (place){to, width}, error);
}

dq_status dq_embeddings_wait(dq_embeddings *m, dq_error *error)
{
    dq_status status = DQ_OK;
    for (bool more = true; !status && more;) status = take(m, &more, error);
    m->count = 0;
    if (status || m->options->dry_run || m->missing + m->unreadable == 0) return status;
    return dq_fail(error, DQ_ERR_UNKNOWN,
                   "%llu of %llu texts have no vector: %llu answers are not in the cache, %llu could not be "
                   "read",
                   (unsigned long long)(m->missing + m->unreadable), (unsigned long long)m->texts,
                   (unsigned long long)m->missing, (unsigned long long)m->unreadable);
}

dq_status dq_embeddings_width(dq_embeddings *m, const char *text, size_t n, uint32_t *width, dq_error *error)
{
    *width = 1;
    if (m->options->dry_run) return DQ_OK;
    m->texts++;
    dq_status status = put(m, text, n, (place){NULL, 0}, error);
    if (!status) status = dq_embeddings_wait(m, error);
    m->texts--; /* it comes again in its place, from the cache */
    *width = m->probed;
    return status;
}

const dq_ask_stats *dq_embeddings_stats(const dq_embeddings *m, uint64_t *texts)
{
    *texts = m->texts;
    return m->ask ? dq_ask_stats_of(m->ask) : NULL;
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
