/* SPDX-License-Identifier: MIT
 *
 * The sender: what was granted goes out by the client, with the members of the answer's form that the server
 * is known or hoped to take, and what comes back is handed to the desk. While it is not known whether a
 * server takes a member, one request alone finds out, so that a refusal costs one call and not `parallel` of
 * them.
 */
#include "llm/ask_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what the client asks and tells ---- */

static dq_status before_attempt(void *arg, uint64_t tag, unsigned attempt, dq_error *error)
{
    dq_ask *ask = arg;
    if (ask->stopping) return dq_fail(error, DQ_ERR_STOPPED, "not sent");
    return attempt == 1 && !ask->requests[tag].again ? DQ_OK : ask_further(ask, error);
}

static void attempt_failed(void *arg, uint64_t tag, long code, const char *reason)
{
    dq_ask *ask = arg;
    (void)tag;
    (void)reason;
    (void)pthread_mutex_lock(&ask->lock);
    ask->failed += code != 0;
    ask->lost += code == 0;
    (void)pthread_mutex_unlock(&ask->lock);
}

dq_status ask_sender_open(dq_ask *ask, dq_error *error)
{
    const dq_ask_options *o = &ask->options;
    dq_http_config config = DQ_HTTP_DEFAULTS;
    config.address = o->base_url ? o->base_url : "https://api.openai.com/v1";
    config.key = o->key;
    config.certificates = o->certificates;
    config.parallel = (unsigned)o->parallel;
    config.timeout = o->timeout;
    config.attempts = (unsigned)o->attempts;
    config.requests_per_minute = o->rpm;
    config.tokens_per_minute = o->tpm;
    config.before = before_attempt;
    config.failed = attempt_failed;
    config.arg = ask;
    config.seed = (uint64_t)getpid(); /* processes that fail together come back apart */
    ask->request_count = 2 * (size_t)o->parallel;
    ask->requests = calloc(ask->request_count, sizeof *ask->requests);
    if (!ask->requests) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for requests");
    dq_status status = dq_http_new(&ask->http, &config, error);
    if (status) return status;
    (void)snprintf(ask->server, sizeof ask->server, "%s", dq_http_server(ask->http));
    (void)snprintf(ask->about, sizeof ask->about, "%s %s", ask->server, ask->model);
    return DQ_OK;
}

void ask_sender_close(dq_ask *ask)
{
    dq_http_free(ask->http);
    ask->http = NULL;
    free(ask->requests);
    ask->requests = NULL;
}

/* ---- the members of the answer's form ---- */

static ask_member *find_member(dq_ask *ask, const char *name)
{
    for (size_t i = 0; i < ask->member_count; i++)
        if (strcmp(ask->members[i].name, name) == 0) return &ask->members[i];
    return NULL;
}

/* Bits of a form's members that are worth sending, and whether one of them is a try. */
static unsigned members_to_carry(dq_ask *ask, const dq_ask_form *form, bool *trying)
{
    unsigned carried = 0;
    *trying = false;
    (void)pthread_mutex_lock(&ask->lock);
    for (size_t i = 0; form->extra && form->extra[i].name; i++) {
        const ask_member *m = find_member(ask, form->extra[i].name);
        if (m && m->taken == ASK_REFUSED) continue;
        carried |= 1u << i;
        *trying |= m && m->taken == ASK_UNKNOWN;
    }
    (void)pthread_mutex_unlock(&ask->lock);
    return carried;
}

/* What an answer says about the members that its request carried. */
static void members_taken(dq_ask *ask, const ask_request *r)
{
    const dq_ask_member *extra = r->jobs[0]->form->extra;
    (void)pthread_mutex_lock(&ask->lock);
    for (size_t i = 0; extra && extra[i].name; i++) {
        ask_member *m = r->carried & 1u << i ? find_member(ask, extra[i].name) : NULL;
        if (!m || m->taken != ASK_UNKNOWN) continue;
        m->taken = ASK_TAKEN;
        m->news = true;
    }
    (void)pthread_mutex_unlock(&ask->lock);
}

/* A refusal that names a member which the request carried: the server is asked without it from now on. */
static bool member_refused(dq_ask *ask, const ask_request *r, const dq_http_answer *answer)
{
    const dq_ask_member *extra = r->jobs[0]->form->extra;
    bool refused = false;
    if ((answer->code != 400 && answer->code != 422) || !answer->body) return false;
    (void)pthread_mutex_lock(&ask->lock);
    for (size_t i = 0; extra && extra[i].name; i++) {
        if (!(r->carried & 1u << i) || !strstr(answer->body, extra[i].name)) continue;
        ask_member *m = find_member(ask, extra[i].name);
        if (!m) continue;
        m->taken = ASK_REFUSED;
        m->news = refused = true;
    }
    (void)pthread_mutex_unlock(&ask->lock);
    return refused;
}

/* ---- sending ---- */

static dq_status write_batch(dq_ask *ask, ask_request *r, dq_json_text *body, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value requests[ASK_BATCH];
    dq_status status = DQ_OK;
    (void)ask;
    for (size_t i = 0; !status && i < r->count; i++) {
        char *text = dq_arena_take(&arena, r->jobs[i]->sent_bytes + 1);
        if (!text) {
            status = dq_fail(error, DQ_ERR_MEMORY, "out of memory for a request");
            break;
        }
        memcpy(text, r->jobs[i]->request, r->jobs[i]->sent_bytes);
        text[r->jobs[i]->sent_bytes] = '}';
        status = dq_json_parse(text, r->jobs[i]->sent_bytes + 1, &arena, &requests[i], error);
    }
    if (!status) status = r->jobs[0]->form->join(r->jobs[0]->form, requests, r->count, body, error);
    dq_arena_free(&arena);
    if (!status && body->bytes) body->bytes--; /* its last brace: members may follow */
    return status;
}

/* The body without its last brace, the members, the brace. */
static dq_status write_body(dq_ask *ask, ask_request *r, dq_json_text *body, dq_error *error)
{
    const dq_ask_form *form = r->jobs[0]->form;
    dq_status status = form->join
                           ? write_batch(ask, r, body, error)
                           : dq_json_write_raw(body, r->jobs[0]->request, r->jobs[0]->sent_bytes, error);
    for (size_t i = 0; !status && form->extra && form->extra[i].name; i++) {
        if (!(r->carried & 1u << i)) continue;
        status = dq_json_write_raw(body, ",\"", 2, error);
        if (!status)
            status = dq_json_write_raw(body, form->extra[i].name, strlen(form->extra[i].name), error);
        if (!status) status = dq_json_write_raw(body, "\":", 2, error);
        if (!status)
            status = dq_json_write_raw(body, form->extra[i].json, strlen(form->extra[i].json), error);
    }
    return status ? status : dq_json_write_raw(body, "}", 1, error);
}

static dq_status submit(dq_ask *ask, ask_request *r, dq_error *error)
{
    dq_json_text body = DQ_JSON_TEXT_EMPTY;
    const dq_ask_form *form = r->jobs[0]->form;
    r->carried = members_to_carry(ask, form, &r->probe);
    if (r->probe) ask->probing = true;
    dq_status status = write_body(ask, r, &body, error);
    if (!status)
        status = dq_http_submit(ask->http, form->path, body.data, body.bytes, (uint64_t)(r - ask->requests),
                                ask_tokens_of(body.bytes) + form->tokens_out * r->count, error);
    dq_json_text_free(&body);
    return status;
}

static ask_request *free_request(dq_ask *ask)
{
    for (size_t i = 0; i < ask->request_count; i++)
        if (!ask->requests[i].used) return &ask->requests[i];
    return NULL;
}

/* Answers that are not stored yet would be lost by a kill, and paid for again: they keep their slots, also
 * where the disk is slower than the server. */
static bool has_slot(dq_ask *ask)
{
    size_t batch = ask->waiting.first->form->batch ? ask->waiting.first->form->batch : 1;
    (void)pthread_mutex_lock(&ask->lock);
    size_t unstored = ask->unstored;
    (void)pthread_mutex_unlock(&ask->lock);
    return ask->in_flight < ask->request_count &&
           ask->in_flight * batch + unstored < ask->request_count * batch;
}

bool ask_waits_for_desk(dq_ask *ask)
{
    return !ask->stopping && !ask->in_flight && ask->waiting.count && !has_slot(ask);
}

/* Whether the next request may go out: a slot is free, and it would not be a second try. */
static bool may_submit(dq_ask *ask)
{
    bool trying;
    if (!ask->waiting.count || ask->stopping || !has_slot(ask)) return false;
    if (!ask->probing) return true;
    (void)members_to_carry(ask, ask->waiting.first->form, &trying);
    return !trying;
}

static dq_status submit_waiting(dq_ask *ask, dq_error *error)
{
    dq_status status = DQ_OK;
    while (!status && may_submit(ask)) {
        ask_request *r = free_request(ask);
        size_t carry = ask->waiting.first->carry;
        *r = (ask_request){.used = true};
        while (r->count < carry) r->jobs[r->count++] = ask_list_pop(&ask->waiting);
        ask->in_flight++;
        status = submit(ask, r, error);
    }
    return status;
}

/* ---- answers ---- */

static bool keep_answer(ask_job *job, const char *text, size_t bytes)
{
    free(job->answer);
    job->answer = malloc(bytes + 1);
    job->answer_bytes = bytes;
    if (!job->answer) return false;
    memcpy(job->answer, text, bytes);
    job->answer[bytes] = '\0';
    return true;
}

/* A batch's answer as the answers of its jobs, which share what it cost. An answer that cannot be split is
 * each job's, whole: unreadable, and kept for whoever wants to know why. */
static bool split_answer(ask_request *r, const dq_http_answer *answer)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value body;
    dq_error none = DQ_ERROR_NONE;
    dq_json_text pieces[ASK_BATCH] = {{0}};
    const dq_ask_form *form = r->jobs[0]->form;
    bool whole = dq_json_parse(answer->body, answer->bytes, &arena, &body, &none) != DQ_OK, kept = true;
    int64_t in = whole ? -1 : dq_value_integer(dq_map_get(dq_map_get(&body, "usage"), "prompt_tokens"), -1);
    if (!whole) whole = form->split(form, &body, r->count, pieces, &none) != DQ_OK;
    for (size_t i = 0; i < r->count; i++) {
        int64_t share = in / (int64_t)r->count + ((int64_t)i < in % (int64_t)r->count);
        r->jobs[i]->tokens_in = in >= 0 ? share : -1;
        r->jobs[i]->tokens_out = in >= 0 ? 0 : -1;
        kept = kept && keep_answer(r->jobs[i], whole ? answer->body : pieces[i].data,
                                   whole ? answer->bytes : pieces[i].bytes);
        dq_json_text_free(&pieces[i]);
    }
    dq_arena_free(&arena);
    return kept;
}

static dq_status take_body(ask_request *r, const dq_http_answer *answer, dq_error *error)
{
    for (size_t i = 0; i < r->count; i++) {
        r->jobs[i]->tokens_in = r->jobs[i]->tokens_out = -1;
        r->jobs[i]->seconds = answer->seconds;
    }
    bool kept = r->jobs[0]->form->join ? split_answer(r, answer)
                                       : keep_answer(r->jobs[0], answer->body, answer->bytes);
    return kept ? DQ_OK : dq_fail(error, DQ_ERR_MEMORY, "out of memory for answers");
}

/* Hands a request's jobs to the desk. */
static void hand_over(dq_ask *ask, ask_request *r, dq_status status)
{
    (void)pthread_mutex_lock(&ask->lock);
    for (size_t i = 0; i < r->count; i++) {
        r->jobs[i]->status = status;
        ask_list_push(&ask->answered, r->jobs[i]);
    }
    ask->unstored += r->count;
    (void)pthread_cond_signal(&ask->to_desk);
    (void)pthread_mutex_unlock(&ask->lock);
}

/* The server's own words for a failure, as the servers of this world put them, or NULL. */
static const char *words_of(const dq_http_answer *answer, dq_arena *arena)
{
    static const char *const names[] = {"error", "message", "detail"};
    dq_error none = DQ_ERROR_NONE;
    dq_value body;
    if (answer->code < 400 || dq_json_parse(answer->body, answer->bytes, arena, &body, &none)) return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dq_value *it = dq_map_get(&body, names[i]);
        if (it && it->type == DQ_MAP) it = dq_map_get(it, "message");
        const char *words = dq_value_text(arena, it);
        if (words && *words) return words;
    }
    return NULL;
}

/* The client's reason, and the server's. */
static void explain_failure(const dq_ask *ask, const dq_http_answer *answer, dq_status status, dq_error *why)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    const char *words = words_of(answer, &arena);
    (void)dq_fail(why, status, "%s%s%.200s", answer->reason, words ? ": " : "", words ? words : "");
    dq_http_mask(ask->http, why->reason);
    dq_arena_free(&arena);
}

/* No answer: why, and what it means for the rest. */
static void take_failure(dq_ask *ask, ask_request *r, const dq_http_answer *answer)
{
    dq_error why = DQ_ERROR_NONE;
    if (answer->status == DQ_ERR_STOPPED) {
        (void)pthread_mutex_lock(&ask->lock);
        ask->unsent += answer->attempts == 0 && !r->again;
        (void)pthread_mutex_unlock(&ask->lock);
        return;
    }
    ask->tally.failed += r->count;
    /* One question that fails is not a service that is down: others were answered, or this one was, badly. */
    bool alone = answer->attempts > 0 && (answer->code || ask->tally.asked);
    if (answer->status == DQ_ERR_IO && ask->go_on && alone) {
        hand_over(ask, r, DQ_ERR_IO);
        return;
    }
    bool down = answer->status == DQ_ERR_IO;
    explain_failure(ask, answer, down ? DQ_ERR_STOPPED : answer->status, &why);
    ask_stop(ask, &why);
}

static dq_status take_answer(dq_ask *ask, const dq_http_answer *answer, dq_error *error)
{
    ask_request *r = &ask->requests[answer->tag];
    dq_status status = DQ_OK;
    if (r->probe) ask->probing = false;
    if (answer->status == DQ_ERR_UNSUPPORTED && r->carried && !ask->stopping &&
        member_refused(ask, r, answer)) {
        r->again = true;
        return submit(ask, r, error);
    }
    r->used = false;
    ask->in_flight--;
    if (answer->status) {
        take_failure(ask, r, answer);
        return DQ_OK;
    }
    members_taken(ask, r);
    status = take_body(r, answer, error);
    ask->tally.asked++;
    hand_over(ask, r, DQ_OK);
    return status;
}

dq_status ask_send(dq_ask *ask, double seconds, dq_error *error)
{
    dq_http_answer answer;
    (void)pthread_mutex_lock(&ask->lock);
    ask_list_move(&ask->waiting, &ask->granted);
    (void)pthread_mutex_unlock(&ask->lock);
    dq_status status = submit_waiting(ask, error);
    int got = status ? 0 : dq_http_next(ask->http, seconds, &answer, error);
    while (!status && got > 0) {
        status = take_answer(ask, &answer, error);
        if (!status) status = submit_waiting(ask, error);
        if (!status) got = dq_http_next(ask->http, 0, &answer, error);
    }
    return got < 0 ? error->status : status;
}
