/* SPDX-License-Identifier: MIT
 *
 * Events: a ring of the last ones, each formatted once and counted by those who are sending it. A watcher
 * that has had all is suspended, so that it costs no thread; whoever sends resumes it. One that is slower
 * than the ring turns misses the oldest.
 */
#include "port/httpd/impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct dq_event {
    unsigned users; /* the ring, and watchers that send it; under events->lock */
    bool last;      /* the end of its run */
    size_t bytes;
    char text[];
} dq_event;

struct dq_httpd_events {
    pthread_mutex_t lock;
    dq_event *ring[DQ_HTTPD_EVENTS]; /* event i at i % DQ_HTTPD_EVENTS */
    uint64_t first, next;            /* ids of the run that are kept: first <= id < next */
    uint64_t run;                    /* how many runs were forgotten */
    dq_event *end;                   /* of the run before, for who has not had it yet; NULL: none */
    bool over;                       /* the last one is the end of its run */
    dq_watcher *watchers;
};

dq_status dq_httpd_events_new(dq_httpd_events **events, dq_error *error)
{
    *events = calloc(1, sizeof **events);
    if (!*events) return dq_fail_memory(error, "events");
    pthread_mutex_init(&(*events)->lock, NULL);
    (*events)->first = (*events)->next = 1;
    return DQ_OK;
}

static void event_release(dq_event *event)
{
    if (event && --event->users == 0) free(event);
}

/* Forgets all that is kept, but for the end of a run that is over. */
static void ring_clear(dq_httpd_events *events)
{
    if (events->over) {
        event_release(events->end);
        events->end = events->ring[(events->next - 1) % DQ_HTTPD_EVENTS];
        if (events->end) events->end->users++;
        events->run++;
    }
    for (size_t i = 0; i < DQ_HTTPD_EVENTS; i++) {
        event_release(events->ring[i]);
        events->ring[i] = NULL;
    }
    events->first = events->next;
    events->over = false;
}

void dq_httpd_events_free(dq_httpd_events *events)
{
    if (!events) return;
    ring_clear(events);
    event_release(events->end);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

/* ---- sending ---- */

static dq_event *event_new(uint64_t id, const char *name, const char *data, size_t bytes)
{
    const size_t size = bytes + strlen(name) + 64;
    dq_event *event = malloc(sizeof *event + size);
    if (!event) return NULL;
    const int head = snprintf(event->text, size, "id: %" PRIu64 "\nevent: %s\ndata: ", id, name);
    memcpy(event->text + head, data, bytes);
    event->users = 1;
    event->bytes = (size_t)head + bytes + 2;
    event->text[event->bytes - 2] = event->text[event->bytes - 1] = '\n';
    return event;
}

static void watcher_resume(dq_watcher *w)
{
    if (!w->suspended) return;
    w->suspended = false;
    dq_connection_note(w->client, DQ_CONNECTION_ANSWERED); /* what it gets is to be taken in time */
    MHD_resume_connection(w->connection);
}

static bool send_event(dq_httpd_events *events, const char *name, const char *data, size_t bytes, bool last)
{
    pthread_mutex_lock(&events->lock);
    dq_event *event = event_new(events->next, name, data, bytes);
    if (event) {
        event->last = last;
        if (events->over) ring_clear(events);
        dq_event **slot = &events->ring[events->next % DQ_HTTPD_EVENTS];
        event_release(*slot);
        *slot = event;
        events->next++;
        if (events->next - events->first > DQ_HTTPD_EVENTS) events->first = events->next - DQ_HTTPD_EVENTS;
    }
    events->over = last;
    for (dq_watcher *w = events->watchers; w; w = w->next_same) watcher_resume(w);
    pthread_mutex_unlock(&events->lock);
    return event != NULL;
}

void dq_httpd_events_begin(dq_httpd_events *events)
{
    pthread_mutex_lock(&events->lock);
    if (events->over) ring_clear(events);
    pthread_mutex_unlock(&events->lock);
}

bool dq_httpd_events_send(dq_httpd_events *events, const char *name, const char *data, size_t bytes)
{
    return send_event(events, name, data, bytes, false);
}

bool dq_httpd_events_end(dq_httpd_events *events, const char *data, size_t bytes)
{
    return send_event(events, "end", data, bytes, true);
}

/* ---- watching ---- */

static const char stop_words[] = "event: end\ndata: {\"ok\":false,\"message\":\"the server stops\"}\n\n";

static ssize_t put_words(char *to, size_t room, const char *words, size_t n)
{
    if (n > room) return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(to, words, n);
    return (ssize_t)n;
}

/* The next piece of an event that is being sent. */
static ssize_t put_piece(dq_watcher *w, char *to, size_t room)
{
    const size_t left = w->event->bytes - w->sent, n = left < room ? left : room;
    memcpy(to, w->event->text + w->sent, n);
    w->sent += n;
    if (n == left) {
        w->ended |= w->event->last;
        event_release(w->event);
        w->event = NULL;
        w->next_id++;
    }
    return (ssize_t)n;
}

static void hold_event(dq_watcher *w, dq_event *event)
{
    w->event = event;
    w->event->users++;
    w->sent = 0;
}

/* The run of this watcher was over, and is forgotten, before it had the end. */
static bool take_old_end(dq_watcher *w)
{
    if (w->run == w->events->run || w->ended) return false;
    w->ended = true;
    if (w->events->end) hold_event(w, w->events->end);
    return w->event != NULL;
}

static bool take_event(dq_watcher *w)
{
    const dq_httpd_events *events = w->events;
    if (w->next_id < events->first) w->next_id = events->first;
    if (w->next_id >= events->next || w->ended) return false;
    hold_event(w, events->ring[w->next_id % DQ_HTTPD_EVENTS]);
    return true;
}

/* What a watcher gets now; 0: nothing, and it is suspended. */
static ssize_t next_bytes(dq_watcher *w, char *to, size_t room)
{
    if (w->event || take_old_end(w) || take_event(w)) return put_piece(w, to, room);
    if (w->events->over || w->ended) return MHD_CONTENT_READER_END_OF_STREAM;
    if (w->stop) {
        w->ended = true;
        return put_words(to, room, stop_words, sizeof stop_words - 1);
    }
    if (w->beat) {
        w->beat = false;
        return put_words(to, room, ":\n\n", 3);
    }
    w->suspended = true;
    dq_connection_note(w->client, DQ_CONNECTION_UNBOUNDED);
    MHD_suspend_connection(w->connection);
    return 0;
}

static ssize_t watcher_read(void *arg, uint64_t at, char *to, size_t room)
{
    (void)at;
    dq_watcher *w = arg;
    dq_connection_note(w->client, DQ_CONNECTION_ANSWERED); /* it has taken what there was before */
    pthread_mutex_lock(&w->events->lock);
    const ssize_t n = next_bytes(w, to, room);
    pthread_mutex_unlock(&w->events->lock);
    return n;
}

static void watcher_free(void *arg)
{
    dq_watcher *w = arg;
    dq_httpd *httpd = w->httpd;
    pthread_mutex_lock(&httpd->lock);
    if (w->prev) w->prev->next = w->next;
    if (!w->prev) httpd->watchers = w->next;
    if (w->next) w->next->prev = w->prev;
    httpd->watcher_count--;
    pthread_mutex_lock(&w->events->lock);
    dq_watcher **at = &w->events->watchers;
    while (*at != w) at = &(*at)->next_same;
    *at = w->next_same;
    event_release(w->event);
    pthread_mutex_unlock(&w->events->lock);
    pthread_mutex_unlock(&httpd->lock);
    free(w);
}

/* Into both lists; false: there are too many, or the server stops. */
static bool enlist(dq_watcher *w)
{
    dq_httpd *httpd = w->httpd;
    pthread_mutex_lock(&httpd->lock);
    const bool may = !atomic_load(&httpd->stopping) && httpd->watcher_count < httpd->config.watchers;
    if (may) {
        w->next = httpd->watchers;
        if (w->next) w->next->prev = w;
        httpd->watchers = w;
        httpd->watcher_count++;
        pthread_mutex_lock(&w->events->lock);
        w->run = w->events->run;
        w->next_same = w->events->watchers;
        w->events->watchers = w;
        pthread_mutex_unlock(&w->events->lock);
    }
    pthread_mutex_unlock(&httpd->lock);
    return may;
}

/* Who has had an event of this run and lost the connection goes on behind it; an id of another run counts for
 * nothing. A server before this one may have given the same id: then its watcher misses events, as a slow one
 * does. */
static uint64_t resume_after(dq_httpd_events *events, const char *last_id)
{
    const uint64_t last = last_id ? strtoull(last_id, NULL, 10) : 0;
    pthread_mutex_lock(&events->lock);
    const bool known = last >= events->first && last < events->next;
    pthread_mutex_unlock(&events->lock);
    return known ? last + 1 : 0;
}

struct MHD_Response *dq_watcher_response(dq_httpd *httpd, dq_httpd_events *events,
                                         struct MHD_Connection *connection, dq_connection *client,
                                         const char *last_id)
{
    dq_watcher *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    *w = (dq_watcher){.httpd = httpd, .events = events, .connection = connection, .client = client};
    w->next_id = resume_after(events, last_id);
    w->beat = true; /* the first bytes go at once, so that the client knows that it is heard */
    if (!enlist(w)) {
        free(w);
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, watcher_read, w,
                                                                      watcher_free);
    if (!response) watcher_free(w);
    return response;
}

void dq_watchers_wake(dq_httpd *httpd, bool stop)
{
    for (dq_watcher *w = httpd->watchers; w; w = w->next) {
        pthread_mutex_lock(&w->events->lock);
        w->stop |= stop;
        w->beat = true;
        watcher_resume(w);
        pthread_mutex_unlock(&w->events->lock);
    }
}
