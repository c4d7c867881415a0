/* SPDX-License-Identifier: MIT */
#include "llm/send.h"

#include "llm/advice.h"
#include "llm/price.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A request on its way: the jobs that it carries. */
typedef struct request {
    llm_job *jobs[LLM_BATCH];
    size_t count;
    llm_sent sent;     /* the members that it carries */
    unsigned attempts; /* since it was written */
    bool used, probe,
        again;    /* again: the budget has not counted it: written anew after a refusal, or in parts */
    bool patient; /* no refusal was found in its failures: they may pass */
} request;

struct llm_sender {
    llm_setup *setup;
    llm_queue *queue;
    llm_budget *budget;
    llm_members *members;
    dq_ask_stats *stats;
    const dq_ask_client *client;
    dq_http *http;
    request *requests; /* (request_count), by tag */
    size_t request_count, in_flight;
    llm_list waiting; /* granted, and not yet sent */
    bool probing;
};

/* ---- the client ---- */

static double monotonic_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

const dq_ask_client dq_ask_http = {.open = dq_http_new,
                                   .close = dq_http_free,
                                   .submit = dq_http_submit,
                                   .next = dq_http_next,
                                   .wake = dq_http_wake,
                                   .server = dq_http_server,
                                   .now = monotonic_seconds};

static dq_status before_attempt(void *arg, uint64_t tag, unsigned attempt, dq_error *error)
{
    llm_sender *s = arg;
    if (s->queue->stopping) return dq_fail(error, DQ_ERR_STOPPED, "not sent");
    s->requests[tag].attempts = attempt;
    return attempt == 1 && !s->requests[tag].again ? DQ_OK : dq_llm_budget_attempt(s->budget, error);
}

static void attempt_failed(void *arg, uint64_t tag, long code, const char *reason)
{
    llm_sender *s = arg;
    (void)tag, (void)reason;
    dq_llm_budget_note_failure(s->budget, code != 0);
}

/* A failure that is about what the request carries, or what a question says, need not be tried again. */
static bool refuses(void *arg, uint64_t tag, long code, const char *body, size_t bytes)
{
    llm_sender *s = arg;
    const request *r = &s->requests[tag];
    const dq_ask_form *form = r->jobs[0]->form;
    if (form->blames && form->blames(code, body, bytes) == DQ_BLAME_SURE) return true;
    return !r->patient && dq_llm_members_blamed(s->members, form, &r->sent, code, body, bytes,
                                                r->probe && (r->again || r->attempts > 1));
}

/* A page in place of an answer: of a wrong address, unless this one has answered before. */
static long error_within(void *arg, const char *body, size_t bytes)
{
    const llm_sender *s = arg;
    if (dq_llm_is_page(body, bytes)) return s->stats->asked ? 503 : 404;
    return dq_llm_error_within(body, bytes);
}

static dq_status open_client(llm_sender *s, dq_error *error)
{
    const dq_ask_options *o = &s->setup->options;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    char *address = dq_llm_address(o->base_url);
    if (!address) return dq_fail_memory(error, "an address");
    config.address = address;
    config.key = o->key;
    config.key_header = o->key_header;
    config.certificates = o->certificates;
    config.proxy = o->proxy;
    config.proxy_from = o->proxy_from;
    config.no_proxy = o->no_proxy;
    config.parallel = (unsigned)o->parallel;
    config.timeout = o->timeout;
    config.attempts = (unsigned)o->attempts;
    config.requests_per_minute = o->rpm;
    config.tokens_per_minute = o->tpm;
    config.before = before_attempt;
    config.failed = attempt_failed;
    config.refuses = refuses;
    config.error_within = error_within;
    config.arg = s;
    config.seed = (uint64_t)getpid(); /* processes that fail together come back apart */
    dq_status status = s->client->open(&s->http, &config, error);
    free(address);
    return status;
}

dq_status dq_llm_sender_open(llm_sender **sender, llm_setup *setup, llm_queue *queue, llm_budget *budget,
                             llm_members *members, dq_ask_stats *stats, dq_error *error)
{
    llm_sender *s = *sender = calloc(1, sizeof *s);
    if (!s) return dq_fail_memory(error, "requests");
    *s = (llm_sender){.setup = setup,
                      .queue = queue,
                      .budget = budget,
                      .members = members,
                      .stats = stats,
                      .client = setup->client,
                      .request_count = 2 * (size_t)setup->options.parallel};
    s->requests = calloc(s->request_count, sizeof *s->requests);
    dq_status status = s->requests ? open_client(s, error) : dq_fail_memory(error, "requests");
    if (status) {
        dq_llm_sender_close(s);
        *sender = NULL;
        return status;
    }
    (void)snprintf(setup->server, sizeof setup->server, "%s", s->client->server(s->http));
    (void)snprintf(setup->subject, sizeof setup->subject, "%s %s", setup->server, setup->model);
    return DQ_OK;
}

void dq_llm_sender_close(llm_sender *s)
{
    if (!s) return;
    s->client->close(s->http);
    free(s->requests);
    free(s);
}

void dq_llm_sender_wake(llm_sender *s)
{
    if (s) s->client->wake(s->http);
}

/* ---- bodies ---- */

/* The job's request without its sample, in the arena. */
static dq_status parse_request(const llm_job *job, dq_arena *arena, dq_value *parsed, dq_error *error)
{
    char *text = dq_arena_take(arena, job->sent_bytes + 1);
    if (!text) return dq_fail_memory(error, "a request");
    memcpy(text, job->request, job->sent_bytes);
    text[job->sent_bytes] = '}';
    return dq_json_parse(text, job->sent_bytes + 1, arena, parsed, error);
}

static dq_status write_batch(const request *r, dq_json_text *body, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value parsed[LLM_BATCH];
    const dq_ask_form *form = r->jobs[0]->form;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < r->count; i++)
        status = parse_request(r->jobs[i], &arena, &parsed[i], error);
    if (!status) status = form->join(form, parsed, r->count, body, error);
    dq_arena_free(&arena);
    if (!status && body->bytes) body->bytes--; /* its last brace: members may follow */
    return status;
}

/* Without the text that a member names, which the server refuses. */
static dq_status write_folded(const llm_job *job, dq_json_text *body, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value parsed;
    dq_status status = parse_request(job, &arena, &parsed, error);
    if (!status) status = job->form->fold(job->form, &parsed, body, error);
    dq_arena_free(&arena);
    if (!status && body->bytes) body->bytes--;
    return status;
}

/* The members of the request, but for what it had itself. */
static dq_status write_members(const request *r, dq_json_text *body, dq_error *error)
{
    const dq_ask_member *extra = r->jobs[0]->form->extra;
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && extra && extra[i].name; i++) {
        if (r->sent.variant[i] == LLM_NOT_SENT || extra[i].within) continue;
        const dq_ask_variant *v = &extra[i].variants[r->sent.variant[i]];
        if (!v->name) continue;
        char sample[16];
        (void)snprintf(sample, sizeof sample, "%u", r->jobs[0]->sample);
        const char *json = v->json ? v->json : sample;
        status = dq_json_write_raw(body, ",\"", 2, error);
        if (!status) status = dq_json_write_raw(body, extra[i].name, strlen(extra[i].name), error);
        if (!status) status = dq_json_write_raw(body, "\":", 2, error);
        if (!status) status = dq_json_write_raw(body, json, strlen(json), error);
    }
    return status;
}

static bool is_folded(const request *r)
{
    const dq_ask_member *extra = r->jobs[0]->form->extra;
    for (size_t i = 0; extra && extra[i].name; i++)
        if (extra[i].within && r->sent.variant[i] != LLM_NOT_SENT &&
            !extra[i].variants[r->sent.variant[i]].name)
            return true;
    return false;
}

/* The body without its last brace, the members, the brace. */
static dq_status write_body(const request *r, dq_json_text *body, dq_error *error)
{
    const llm_job *job = r->jobs[0];
    dq_status status;
    if (job->form->join)
        status = write_batch(r, body, error);
    else if (is_folded(r))
        status = write_folded(job, body, error);
    else
        status = dq_json_write_raw(body, job->request, job->sent_bytes, error);
    if (!status) status = write_members(r, body, error);
    return status ? status : dq_json_write_raw(body, "}", 1, error);
}

/* ---- sending ---- */

static dq_status submit(llm_sender *s, request *r, dq_error *error)
{
    dq_json_text body = DQ_JSON_TEXT_EMPTY;
    const dq_ask_form *form = r->jobs[0]->form; /* NOLINT(*.NullDereference): a batch has a job */
    r->sent = dq_llm_members_choose(s->members, r->jobs[0], &r->probe);
    r->attempts = 0;
    if (r->probe) s->probing = true;
    dq_status status = write_body(r, &body, error);
    if (!status)
        status = s->client->submit(s->http, form->path, body.data, body.bytes, (uint64_t)(r - s->requests),
                                   dq_llm_tokens(body.bytes) + form->tokens_out * r->count, error);
    dq_json_text_free(&body);
    return status;
}

static request *free_request(llm_sender *s)
{
    for (size_t i = 0; i < s->request_count; i++)
        if (!s->requests[i].used) return &s->requests[i];
    return NULL;
}

/* Answers that are not stored yet would be lost by a kill, and paid for again: they keep their slots, also
 * where the disk is slower than the server. */
static bool has_slot(llm_sender *s)
{
    size_t batch = s->waiting.first->form->batch ? s->waiting.first->form->batch : 1;
    dq_llm_lock(s->queue);
    size_t unstored = s->queue->unstored;
    dq_llm_unlock(s->queue);
    return s->in_flight < s->request_count && s->in_flight * batch + unstored < s->request_count * batch;
}

/* Whether the next request may go out: a slot is free, and it would not be a second try. */
static bool may_submit(llm_sender *s)
{
    bool trying;
    if (!s->waiting.count || s->queue->stopping || !has_slot(s)) return false;
    if (!s->probing) return true;
    (void)dq_llm_members_choose(s->members, s->waiting.first, &trying);
    return !trying;
}

static dq_status submit_waiting(llm_sender *s, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && may_submit(s)) {
        request *r = free_request(s);
        size_t batch = s->waiting.first->batch;
        *r = (request){.used = true, .again = s->waiting.first->halved};
        s->waiting.first->halved = false;
        while (r->count < batch) r->jobs[r->count++] = dq_llm_list_pop(&s->waiting);
        s->in_flight++;
        status = submit(s, r, error);
    }
    return status;
}

size_t dq_llm_sender_in_flight(const llm_sender *s)
{
    return s ? s->in_flight : 0;
}

bool dq_llm_sender_idle(const llm_sender *s)
{
    return !s || (!s->in_flight && !s->waiting.count);
}

bool dq_llm_sender_busy(llm_sender *s)
{
    if (dq_llm_sender_idle(s)) return false;
    return s->in_flight || s->queue->stopping || has_slot(s);
}

void dq_llm_sender_give_up(llm_sender *s)
{
    uint64_t requests = 0;
    if (!s) return;
    dq_llm_lock(s->queue);
    dq_llm_list_move(&s->waiting, &s->queue->granted);
    dq_llm_unlock(s->queue);
    for (const llm_job *job = s->waiting.first; job; job = job->next)
        requests += job->batch > 0 && !job->halved;
    dq_llm_budget_note_unsent(s->budget, requests);
}

/* ---- answers ---- */

static bool keep_answer(llm_job *job, const char *text, size_t bytes)
{
    job->answer_bytes = bytes;
    return dq_llm_keep_text(&job->answer, text, bytes);
}

/* A batch's answer as the answers of its jobs, which share what it cost. An answer that cannot be split is
 * each job's, whole: unreadable, and kept for whoever wants to know why. DQ_ERR_SCHEMA as form.split has it.
 */
static dq_status split_answer(request *r, const dq_http_answer *answer, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value body;
    dq_error none = DQ_ERROR_NONE;
    dq_json_text pieces[LLM_BATCH] = {{0}};
    const dq_ask_form *form = r->jobs[0]->form;
    bool whole = dq_json_parse(answer->body, answer->bytes, &arena, &body, &none) != DQ_OK, kept = true;
    int64_t in = whole ? -1 : dq_value_integer(dq_map_get(dq_map_get(&body, "usage"), "prompt_tokens"), -1);
    if (in > DQ_CACHE_TOKENS_MOST) in = DQ_CACHE_TOKENS_MOST; /* before it is priced */
    dq_status split = whole ? DQ_ERR_FORMAT : form->split(form, &body, r->count, pieces, &none);
    whole = split != DQ_OK;
    for (size_t i = 0; i < r->count; i++) {
        int64_t share = in / (int64_t)r->count + ((int64_t)i < in % (int64_t)r->count);
        r->jobs[i]->tokens_in = in >= 0 ? share : -1;
        r->jobs[i]->tokens_out = in >= 0 ? 0 : -1;
        kept = kept && keep_answer(r->jobs[i], whole ? answer->body : pieces[i].data,
                                   whole ? answer->bytes : pieces[i].bytes);
        dq_json_text_free(&pieces[i]);
    }
    dq_arena_free(&arena);
    if (split == DQ_ERR_SCHEMA) return dq_fail(error, split, "%s", none.reason);
    return kept ? DQ_OK : dq_fail_memory(error, "answers");
}

static dq_status take_body(request *r, const dq_http_answer *answer, dq_error *error)
{
    for (size_t i = 0; i < r->count; i++) {
        r->jobs[i]->tokens_in = r->jobs[i]->tokens_out = -1;
        r->jobs[i]->seconds = answer->seconds;
    }
    if (r->jobs[0]->form->join) return split_answer(r, answer, error);
    bool kept = keep_answer(r->jobs[0], answer->body, answer->bytes);
    return kept ? DQ_OK : dq_fail_memory(error, "answers");
}

/* No answer: why, and what it means for the rest. */
static void take_failure(llm_sender *s, request *r, const dq_http_answer *answer)
{
    dq_error why = DQ_ERROR_NONE;
    if (answer->status == DQ_ERR_STOPPED) {
        dq_llm_budget_note_unsent(s->budget, answer->attempts == 0 && !r->again);
        return;
    }
    s->stats->failed += r->count;
    /* One question that fails is not a service that is down: others were answered, or this one was, badly. */
    bool alone = answer->attempts > 0 && (answer->code || s->stats->asked);
    if (answer->status == DQ_ERR_IO && s->setup->go_on && alone) {
        dq_llm_queue_answer(s->queue, r->jobs, r->count, DQ_ERR_IO);
        return;
    }
    bool down = answer->status == DQ_ERR_IO;
    dq_llm_explain(s->setup, answer, down ? DQ_ERR_STOPPED : answer->status, &why);
    dq_llm_queue_stop(s->queue, &why);
}

/* ---- whose fault it is ---- */

/* The code that a failure counts as: a success may have an error inside. */
static long code_of(const dq_http_answer *answer)
{
    return answer->code >= 200 && answer->code < 300 ? dq_llm_error_within(answer->body, answer->bytes)
                                                     : answer->code;
}

/* Whether a failure may be the content's of one of the request's questions: a refusal, or a 500 again and
 * again from a server that answers others. */
static bool is_content(const llm_sender *s, const request *r, const dq_http_answer *answer)
{
    const dq_ask_form *form = r->jobs[0]->form;
    bool refused = answer->status == DQ_ERR_UNSUPPORTED;
    bool breaks = answer->status == DQ_ERR_IO && answer->code == 500 && s->stats->asked;
    if (!form->blames || s->queue->stopping || answer->final || !(refused || breaks)) return false;
    return form->blames(code_of(answer), answer->body, answer->bytes) != DQ_BLAME_NONE;
}

/* The halves of a request wait behind the others, each a request of its own. */
static void halve(llm_sender *s, request *r)
{
    size_t half = r->count / 2;
    for (size_t i = 0; i < r->count; i++) {
        r->jobs[i]->batch = i == 0 ? half : i == half ? r->count - half : 0;
        r->jobs[i]->halved = i == 0 || i == half;
        dq_llm_list_push(&s->waiting, r->jobs[i]);
    }
}

/* A question that is refused for what it says; the others go on. */
static dq_status refuse_question(llm_sender *s, request *r, const dq_http_answer *answer, dq_error *error)
{
    dq_error why = DQ_ERROR_NONE;
    dq_llm_explain(s->setup, answer, DQ_ERR_UNSUPPORTED, &why);
    if (!dq_llm_keep_text(&r->jobs[0]->reason, why.reason, strlen(why.reason)))
        return dq_fail_memory(error, "answers");
    s->stats->failed++;
    dq_llm_queue_answer(s->queue, r->jobs, 1, DQ_ERR_UNSUPPORTED);
    return DQ_OK;
}

/* Answers that cannot be told apart: nothing is kept, and nobody is asked again. */
static void refuse_answer(llm_sender *s, const dq_error *words)
{
    dq_error why = DQ_ERROR_NONE;
    (void)dq_fail(&why, words->status, "%s: %.300s", s->setup->server, words->reason);
    dq_llm_budget_note_failure(s->budget, true);
    dq_llm_queue_stop(s->queue, &why);
}

/* Whether a refused request is worth being written anew. One of those that could have passed is tried again
 * as it was, now with patience. */
static bool mend(llm_sender *s, request *r, const dq_http_answer *answer)
{
    if (answer->status != DQ_ERR_UNSUPPORTED || answer->final || r->patient || s->queue->stopping)
        return false;
    if (dq_llm_members_missed(r->jobs[0], &r->sent, answer->body, answer->bytes)) {
        r->jobs[0]->bare = true;
        return true;
    }
    long code = code_of(answer);
    if (dq_llm_members_refused(s->members, r->jobs[0]->form, &r->sent, code, answer->body, answer->bytes))
        return true;
    r->patient = (code == 409 || code >= 500) && r->jobs[0]->form->extra;
    return r->patient;
}

static dq_status take_answer(llm_sender *s, const dq_http_answer *answer, dq_error *error)
{
    request *r = &s->requests[answer->tag];
    const dq_ask_form *form = r->jobs[0]->form;
    if (r->probe) s->probing = false;
    if (mend(s, r, answer)) {
        r->again = true;
        return submit(s, r, error);
    }
    r->used = false;
    s->in_flight--;
    if (is_content(s, r, answer)) {
        if (r->count == 1) return refuse_question(s, r, answer, error);
        halve(s, r);
        return DQ_OK;
    }
    if (answer->status) {
        take_failure(s, r, answer);
        return DQ_OK;
    }
    if (r->probe && dq_llm_is_answer(answer->body, answer->bytes))
        dq_llm_members_taken(s->members, form, &r->sent);
    dq_status status = take_body(r, answer, error);
    if (status == DQ_ERR_SCHEMA) {
        refuse_answer(s, error);
        return DQ_OK;
    }
    s->stats->asked++;
    dq_llm_queue_answer(s->queue, r->jobs, r->count, DQ_OK);
    return status;
}

dq_status dq_llm_sender_run(llm_sender *s, double seconds, dq_error *error)
{
    dq_http_answer answer;
    dq_llm_lock(s->queue);
    dq_llm_list_move(&s->waiting, &s->queue->granted);
    dq_llm_unlock(s->queue);
    dq_status status = submit_waiting(s, error);
    int got = status ? 0 : s->client->next(s->http, seconds, &answer, error);
    while (!status && got > 0) {
        status = take_answer(s, &answer, error);
        if (!status) status = submit_waiting(s, error);
        if (!status) got = s->client->next(s->http, 0, &answer, error);
    }
    return got < 0 ? error->status : status;
}
