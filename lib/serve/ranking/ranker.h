/* SPDX-License-Identifier: MIT
 *
 * A model that serves: its scores of all items of a catalogue for one user after the other, as dq-rank has
 * them, to the last bit (by the same functions of lib/rank). All kinds that dq-rank ranks with: networks of
 * pairs, with features and what users have seen; agents of sessions, with an output for each item or a head
 * on actions; decision transformers; several networks of Q.
 *
 *     dq_ranker_open(&r, "model.dq", items, threads, &e);
 *     dq_ranker_score(r, &who, scores, members, &e);        from any thread
 *
 * Who asks while another is being computed waits, and then all who wait are computed together, up to
 * DQ_RANK_SESSIONS_GROUP of them, which costs hardly more than one. dq_ranker_begin does not wait: a thread
 * of the ranker's computes, and tells.
 */
#ifndef DQ_SERVE_RANKING_RANKER_H
#define DQ_SERVE_RANKING_RANKER_H

#include "serve/ranking/items.h"

#include <stdbool.h>

typedef struct dq_ranker dq_ranker;

/* Something that a user did after what the catalogue knows of him. Texts are borrowed. */
typedef struct dq_ranker_event {
    uint32_t item; /* row of the catalogue */
    const char *label;
    size_t label_bytes; /* label NULL: none */
    float reward;       /* NAN: none, the label's by the model's map */
    double time;        /* seconds since 1970; NAN: not known */
} dq_ranker_event;

typedef struct dq_ranker_who {
    const char *id;
    size_t id_bytes;
    uint32_t row;                  /* among the catalogue's users, or DQ_ABSENT */
    const dq_ranker_event *events; /* in the order of time */
    size_t event_count;
    bool whole; /* they are all that he did: what the catalogue knows does not count */
} dq_ranker_who;

/* What a model is, for people. */
typedef struct dq_ranker_about {
    const char *kind;   /* "dqn", "dyna-q", "dt" ... */
    bool world;         /* it has a world model */
    bool reads_history; /* what a user does changes his scores */
    size_t networks;    /* of Q */
    char digest[17];    /* of the model's bundle */
    double loaded;      /* seconds since 1970 */
} dq_ranker_about;

/* Reads the one model of a file, and fits it to a catalogue, whose items it holds by a reference of its own.
 * Errors are those of data/load.h, rank/score.h and rank/sessions.h; DQ_ERR_DUPLICATE for several models. */
dq_status dq_ranker_open(dq_ranker **ranker, const char *path, const dq_ranking_items *items,
                         unsigned threads, dq_error *error);
void dq_ranker_close(dq_ranker *ranker);
const dq_ranker_about *dq_ranker_get_about(const dq_ranker *ranker);
const dq_ranking_items *dq_ranker_get_items(const dq_ranker *ranker);

/* Scores that are computed by another thread. Zero-initialise. */
typedef struct dq_ranker_job {
    const dq_ranker_who *who; /* borrowed until it is done, as what follows */
    float *scores, *members;  /* as dq_ranker_score's */
    bool world;               /* the world model's rewards */
    void (*tell)(void *arg);  /* called by the thread that computed, without a lock; it may free the job */
    void *arg;
    dq_status status; /* how it went */
    dq_error error;
    bool done;
    struct dq_ranker_job *next;
} dq_ranker_job;

/* Whether the model can say anything of a user: it has his vector, or needs none. */
bool dq_ranker_knows(const dq_ranker *ranker, const dq_ranker_who *who);
/* scores (items): of a user whom it knows. members (networks, items): what each network said; NULL, or one
 * network: not looked at. DQ_ERR_NUMERIC for a score that is not finite. */
dq_status dq_ranker_score(dq_ranker *ranker, const dq_ranker_who *who, float *scores, float *members,
                          dq_error *error);
/* Has them computed, tells, and returns at once. Whoever is told may score no more with this thread. */
void dq_ranker_begin(dq_ranker *ranker, dq_ranker_job *job);
/* The world model's rewards (items). DQ_ERR_UNKNOWN where there is none, or it does not know him. */
dq_status dq_ranker_world(dq_ranker *ranker, const dq_ranker_who *who, float *rewards, dq_error *error);

#endif
