/* SPDX-License-Identifier: MIT
 *
 * The interactions of a stream as sessions: what each user met, in the order of time. dq-train learns from
 * them, and dq-rank knows from them where a user stands.
 *
 *     dq_session_log_add(&log, &bundle, &e);        every bundle of interactions
 *     dq_session_log_sort(&log, &e);                by user, time, and place in the stream
 *     dq_session_log_rows(&log, users, items, n, &rows, &e);
 */
#ifndef DQ_DATA_SESSION_LOG_H
#define DQ_DATA_SESSION_LOG_H

#include "core/index.h"
#include "core/vectors.h"
#include "data/catalogue.h"
#include "data/label_map.h"
#include "data/session_state.h"
#include "data/time.h"

/* The attribute that tells the time, where nobody says. */
#define DQ_SESSION_TIME_DEFAULT "time"

/* What was logged, by rows of users and items. */
typedef struct dq_session_rows {
    dq_vectors users, items;  /* users.width may be 0: nothing is known of them */
    dq_session_layout layout; /* of their states */
    double gap;            /* seconds without an event after which a new session begins; 0: a user has one */
    const uint32_t *first; /* (users.count + 1) user u's events are first[u] .. first[u + 1] - 1, in time */
    const uint32_t *item;  /* (events) */
    const float *reward;   /* (events) NAN: none */
    const float *propensity; /* (events) NAN: none */
    const uint32_t
        *value; /* (events) places of an attribute's values, or DQ_SESSION_NO_VALUE; NULL: nobody asks */
    const double *second; /* (events) since 1970; NULL: not known, and no matter */
} dq_session_rows;

/* Whether a session begins with a user's event, other than his first one. */
bool dq_session_rows_cut(const dq_session_rows *rows, uint32_t event);
/* Where a user stands after his last event, a moment later: in the session that it was of. before: room for
 * twice as many numbers as he has events, which the place points into. */
dq_session_place dq_session_rows_end(const dq_session_rows *rows, uint32_t user, uint32_t *before);

typedef struct dq_session_event {
    uint32_t user, item; /* numbers in log.users and log.items */
    float reward;        /* NAN: none */
    float propensity;    /* likewise */
    uint32_t value;      /* of log.attribute: a number in log.values, or DQ_SESSION_NO_VALUE */
    dq_time time;
    uint64_t place; /* in the stream */
} dq_session_event;

typedef struct dq_session_log {
    const dq_label_map *map; /* rewards of labels; an explicit reward counts more */
    const char
        *time;    /* the attribute that tells the time; where none has it, the order of the stream is taken */
    bool seconds; /* somebody asks how long lies between two: all must have a time */
    bool unrewarded;       /* interactions with a reward are passed over, and need no time (data/seen.h) */
    const char *attribute; /* whose values states show: attr.NAME, or `label` the label itself where no
                              interaction has an attribute of this name; NULL: none */
    dq_index users, items; /* ids */
    dq_index values;       /* of the attribute, as they came: JSON, or labels */
    dq_index vocabulary;   /* those that have a place of their own, in the order of the places */
    dq_session_event *at;
    size_t count, capacity;
    dq_time_tally tally; /* of the times */
    char suggested[64];  /* an attribute that tells the time where log.time does not; or "" */
    size_t ties;         /* once sorted: events that have the time of their user's event before, or none */
    double gap;          /* of the rows */
    dq_label_map learnt; /* of dq_session_log_as */
    dq_arena arena;
} dq_session_log;

/* What states show of an attribute, once all interactions are read, which the catalogue holds: a log that
 * asks for one, or starts from a model (NULL: none) whose states show one, takes its values. The vocabulary
 * is the model's; else the `max` most frequent values, of equally frequent ones those whose bytes come first.
 * The layout gets a place for each and one for all others; it shows nothing of values where there is no
 * attribute. DQ_ERR_UNKNOWN when no interaction has the attribute, DQ_ERR_RANGE when the model's is another
 * one. */
dq_status dq_session_log_take_values(dq_session_log *log, const dq_bundle *model,
                                     const dq_catalogue *catalogue, size_t max, dq_session_layout *layout,
                                     dq_error *error);

/* Where sessions are cut (seconds without an event; 0: nowhere), and the attribute that states show (NULL:
 * none). */
typedef struct dq_session_cut {
    double gap;
    const char *attribute;
} dq_session_cut;

/* Sessions are laid out and cut as those that a model learnt from, but for what was asked for: given says
 * so, by the names of dq-train's options (dq_session_layout_inherit; history, session-gap, event-attribute).
 * Nothing changes with a model that knows no sessions. Texts are the arena's. DQ_ERR_SCHEMA for a layout that
 * cannot be. */
dq_status dq_session_log_inherit(dq_session_layout *layout, dq_session_cut *cut, const dq_bundle *model,
                                 dq_arena *arena, bool (*given)(const void *arg, const char *part),
                                 const void *arg, dq_error *error);
/* meta.sessions of a model: what the interactions were that it learnt from. map: the text of log->map. */
dq_status dq_session_log_describe(const dq_session_log *log, const char *map, dq_bundle *model,
                                  dq_error *error);
/* The same for who goes on from a model (from; NULL: from none): its account, where it has one, else log's.
 */
dq_status dq_session_log_describe_as(const dq_bundle *from, const dq_session_log *log, const char *map,
                                     dq_bundle *model, dq_error *error);
/* Reads interactions as those that a model learnt from, whose states have this layout: their labels' worth,
 * where the time stands, where sessions are cut, which values an attribute may have. A model of an
 * environment has learnt from none; labels and times are then as dq-train has them by default. An empty log.
 */
dq_status dq_session_log_as(dq_session_log *log, const dq_bundle *model, const dq_session_layout *layout,
                            dq_error *error);

/* Takes over a bundle's rows (copied). DQ_ERR_SCHEMA for a time that is none (data/time.h). */
dq_status dq_session_log_add(dq_session_log *log, const dq_bundle *interactions, dq_error *error);
/* By user, time, and place in the stream. DQ_ERR_SCHEMA when some have a time and others none, or when their
 * forms do not go together (dq_time_check_forms); with log.seconds also when all have none. DQ_ERR_UNKNOWN
 * when there are interactions, and none has the attribute. */
dq_status dq_session_log_sort(dq_session_log *log, dq_error *error);
/* Of a sorted log: what was taken for granted about its order, for a person to see (size >= 1 bytes): that
 * there are no times, what numbers were taken to count, that many are equal. False, and "": nothing. */
bool dq_session_log_describe_order(const dq_session_log *log, char *words, size_t size);
/* The same, with how to name another attribute; asked: log.time was asked for, so that it must be there
 * (DQ_ERR_UNKNOWN). */
dq_status dq_session_log_check_order(const dq_session_log *log, bool asked, char *words, size_t size,
                                     dq_error *error);
/* Fills first, item, reward, propensity, gap and, with log.attribute, value, with log.seconds, second of rows
 * with a sorted log: user u is row user_row[u] of user_count, item i row item_row[i]; events of users or
 * items with DQ_ABSENT are left out. The arrays are the caller's to free (dq_session_rows_free). */
dq_status dq_session_log_rows(const dq_session_log *log, const uint32_t *user_row, const uint32_t *item_row,
                              uint32_t user_count, dq_session_rows *rows, dq_error *error);
/* The same for all users of a finished catalogue by their rows, and users and items, too. Sorts the log. */
dq_status dq_session_log_of_catalogue(dq_session_log *log, const dq_catalogue *catalogue,
                                      dq_session_rows *rows, dq_error *error);
void dq_session_rows_free(dq_session_rows *rows);
void dq_session_log_free(dq_session_log *log);

#endif
