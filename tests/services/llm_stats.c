/* SPDX-License-Identifier: MIT
 *
 * What the server saw: requests by key, the most in flight, and a log with times, on which tests check orders
 * and lower bounds.
 */
#include "llm.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct counter {
    uint64_t key;
    unsigned requests, answered;
    double until; /* who asks again before this is early */
} counter;

typedef struct line {
    double began, ended;
    uint64_t key;
    unsigned code, count;
    bool embeddings, sent;
    json_int_t seed; /* -1: none */
    char fault[24], format[24];
} line;

static struct {
    pthread_mutex_t lock;
    counter *counters; /* (capacity), a power of two, open addressing; requests 0: free */
    size_t capacity, keys;
    line *lines;
    size_t line_count, line_room;
    uint64_t requests, answered, faults, early, connections;
    unsigned in_flight, in_flight_most, open, open_most;
    double until;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static counter *slot(counter *counters, size_t capacity, uint64_t key)
{
    size_t i = (size_t)key & (capacity - 1);
    while (counters[i].requests && counters[i].key != key) i = (i + 1) & (capacity - 1);
    return counters + i;
}

static counter *find(uint64_t key)
{
    if (2 * (all.keys + 1) > all.capacity) {
        size_t capacity = all.capacity ? 2 * all.capacity : 1024;
        counter *grown = calloc(capacity, sizeof *grown);
        if (!grown) abort();
        for (size_t i = 0; i < all.capacity; i++)
            if (all.counters[i].requests) *slot(grown, capacity, all.counters[i].key) = all.counters[i];
        free(all.counters);
        all.counters = grown;
        all.capacity = capacity;
    }
    return slot(all.counters, all.capacity, key);
}

static void write_line(llm_exchange *x, double now)
{
    if (all.line_count == all.line_room) {
        all.line_room = all.line_room ? 2 * all.line_room : 1024;
        all.lines = realloc(all.lines, all.line_room * sizeof *all.lines);
        if (!all.lines) abort();
    }
    const json_t *seed = json_object_get(x->request, "seed");
    x->log = all.line_count++;
    all.lines[x->log] = (line){.began = now,
                               .ended = -1,
                               .key = x->key,
                               .count = x->count,
                               .seed = seed ? json_integer_value(seed) : -1,
                               .embeddings = !!strstr(x->path, "embeddings")};
    (void)snprintf(all.lines[x->log].format, sizeof all.lines[x->log].format, "%s", llm_form_of(x->request));
}

void llm_stats_begin(llm_exchange *x)
{
    pthread_mutex_lock(&all.lock);
    counter *c = find(x->key);
    if (!c->requests) {
        c->key = x->key;
        all.keys++;
    }
    double now = llm_clock();
    x->count = ++c->requests;
    all.requests++;
    if (now < all.until || now < c->until) all.early++;
    if (++all.in_flight > all.in_flight_most) all.in_flight_most = all.in_flight;
    write_line(x, now);
    pthread_mutex_unlock(&all.lock);
}

void llm_stats_end(llm_exchange *x, bool sent)
{
    pthread_mutex_lock(&all.lock);
    all.in_flight--;
    if (x->log < all.line_count && all.lines[x->log].key == x->key) {
        line *l = &all.lines[x->log];
        l->ended = llm_clock();
        l->code = x->code;
        l->sent = sent;
        if (sent && x->code == 200 && !l->fault[0]) {
            find(x->key)->answered++;
            all.answered++;
        }
    }
    pthread_mutex_unlock(&all.lock);
}

void llm_stats_connected(bool opened)
{
    pthread_mutex_lock(&all.lock);
    if (opened) {
        all.connections++;
        if (++all.open > all.open_most) all.open_most = all.open;
    } else
        all.open--;
    pthread_mutex_unlock(&all.lock);
}

void llm_stats_fault(const llm_exchange *x, const char *kind, double until, bool everyone)
{
    pthread_mutex_lock(&all.lock);
    all.faults++;
    if (x->log < all.line_count) {
        char *name = all.lines[x->log].fault;
        size_t n = strnlen(kind, sizeof all.lines[x->log].fault - 1);
        memcpy(name, kind, n);
        name[n] = 0;
    }
    if (everyone && until > all.until) all.until = until;
    if (!everyone) find(x->key)->until = until;
    pthread_mutex_unlock(&all.lock);
}

json_t *llm_stats(void)
{
    pthread_mutex_lock(&all.lock);
    unsigned most = 0;
    size_t unanswered = 0;
    for (size_t i = 0; i < all.capacity; i++) {
        if (all.counters[i].requests > most) most = all.counters[i].requests;
        unanswered += all.counters[i].requests && !all.counters[i].answered;
    }
    json_t *told = json_pack(
        "{s:I,s:I,s:I,s:I,s:i,s:I,s:I,s:i,s:i,s:I,s:i,s:i}", "requests", (json_int_t)all.requests, "answered",
        (json_int_t)all.answered, "keys", (json_int_t)all.keys, "keys_unanswered", (json_int_t)unanswered,
        "most_of_a_key", (int)most, "faults", (json_int_t)all.faults, "early", (json_int_t)all.early,
        "in_flight", (int)all.in_flight, "in_flight_most", (int)all.in_flight_most, "connections",
        (json_int_t)all.connections, "open", (int)all.open, "open_most", (int)all.open_most);
    pthread_mutex_unlock(&all.lock);
    return told;
}

static void hex(char text[17], uint64_t key)
{
    for (int i = 15; i >= 0; i--, key >>= 4) text[i] = "0123456789abcdef"[key & 15];
    text[16] = 0;
}

json_t *llm_stats_keys(void)
{
    json_t *told = json_object();
    pthread_mutex_lock(&all.lock);
    for (size_t i = 0; i < all.capacity; i++) {
        const counter *c = all.counters + i;
        char name[17];
        hex(name, c->key);
        if (c->requests)
            json_object_set_new(
                told, name,
                json_pack("{s:i,s:i}", "requests", (int)c->requests, "answered", (int)c->answered));
    }
    pthread_mutex_unlock(&all.lock);
    return told;
}

json_t *llm_stats_log(void)
{
    json_t *told = json_array();
    pthread_mutex_lock(&all.lock);
    for (size_t i = 0; i < all.line_count; i++) {
        const line *l = all.lines + i;
        char name[17];
        hex(name, l->key);
        json_array_append_new(told, json_pack("{s:f,s:f,s:s,s:i,s:i,s:s,s:s,s:b,s:I,s:s}", "began", l->began,
                                              "ended", l->ended, "key", name, "count", (int)l->count, "code",
                                              (int)l->code, "path", l->embeddings ? "embeddings" : "chat",
                                              "fault", l->fault, "sent", (int)l->sent, "seed", l->seed,
                                              "format", l->format));
    }
    pthread_mutex_unlock(&all.lock);
    return told;
}

void llm_stats_clear(void)
{
    pthread_mutex_lock(&all.lock);
    free(all.counters);
    all.counters = NULL;
    all.capacity = all.keys = all.line_count = 0;
    all.requests = all.answered = all.faults = all.early = all.connections = 0;
    all.in_flight_most = all.in_flight;
    all.open_most = all.open;
    all.until = 0;
    pthread_mutex_unlock(&all.lock);
}
