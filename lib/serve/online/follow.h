/* SPDX-License-Identifier: MIT
 *
 * An agent that goes on learning from a server's log (log/settle.h): each settled showing is observed once,
 * in the log's order, as an agent in an environment observes its steps (it remembers, and learns from what it
 * remembers). A state is a user of the catalogue by number, which stays; an action is an item.
 *
 * What the agent is (weights, moments, replay, random states) and how far it has read are kept in the model
 * together, so that to learn in two shots is to learn in one:
 *
 *     meta.follow    position (of the log), rows (learnt from in all), catalogue (its digest)
 */
#ifndef DQ_SERVE_ONLINE_FOLLOW_H
#define DQ_SERVE_ONLINE_FOLLOW_H

#include "data/catalogue.h"
#include "data/load.h"
#include "dq/stream.h"
#include "learn/agent.h"
#include "log/settle.h"
#include "wire/run/command.h"

/* Where a model has come to; zeros in one that has followed nothing. */
typedef struct dq_follow_at {
    uint64_t position, rows;
    uint64_t catalogue; /* digest of the catalogue that its numbers are of */
} dq_follow_at;

/* DQ_ERR_SCHEMA for a meta.follow that is none. */
dq_status dq_follow_load(dq_follow_at *at, const dq_bundle *model, dq_error *error);
dq_status dq_follow_save(const dq_follow_at *at, dq_bundle *model, dq_error *error);

/* Whether one can go on from what a file of models held: it is one, of an agent whose states are users;
 * *kind, the model's, says which. DQ_ERR_RANGE, DQ_ERR_UNSUPPORTED, and what dq_agent_read_config gives. */
dq_status dq_follow_check(const dq_models *models, const char **kind, dq_error *error);

/* When there is enough for a shot: both 0: what there is, at once. */
typedef struct dq_follow_every {
    uint64_t rows;  /* as soon as so many rows came behind the last shot's, and these alone */
    double seconds; /* after so long */
} dq_follow_every;

/* "500" rows; "30s", "10m", "1h", "1d"; NULL: at once. False for anything else. */
bool dq_follow_parse_every(const char *text, dq_follow_every *every);

/* Rows to learn from. Zero-initialise, and set the first four, of which three are borrowed. */
typedef struct dq_follow_rows {
    const dq_catalogue *catalogue;
    const dq_label_map *map;
    dq_log_settle *log;
    uint64_t past;         /* a position: rows before it do not make enough */
    double hold_out;       /* the share of the users (by a hash of their ids) who are not learnt from, */
    dq_writer *held;       /* and whose rows, joined, go here; NULL: nowhere */
    uint32_t *user, *item; /* (count) numbers of the catalogue's */
    float *reward;         /* (count) */
    size_t count, fresh, capacity, held_count; /* fresh: of the rows, those behind `past` */
    uint64_t unrewarded, unknown; /* left out: without a reward; of users or items that the catalogue lacks */
    uint64_t position;            /* behind what was taken; 0: nothing was */
} dq_follow_rows;

/* Holds out a share of the users, whose rows go to a file of that name; nothing for a share of 0.
 * dq_follow_held ends the file: whole where status is DQ_OK, else not at all; returns status or its own. */
dq_status dq_follow_hold(dq_follow_rows *rows, double share, const char *path, const dq_maker *maker,
                         dq_error *error);
dq_status dq_follow_held(dq_follow_rows *rows, dq_status status, dq_error *error);

/* Takes what is settled, a section at a time, until there is enough: *enough. Waits for it (every.rows or
 * .seconds above 0) until `stop_asked` says true (may be NULL). DQ_ERR_SCHEMA for rows that name no user or
 * item. */
dq_status dq_follow_gather(dq_follow_rows *rows, const dq_follow_every *every, bool (*stop_asked)(void),
                           bool *enough, dq_error *error);
void dq_follow_rows_free(dq_follow_rows *rows);

/* What learning came to. */
typedef struct dq_follow_learnt {
    uint64_t updates;
    double loss, reward; /* means: of Q over learning steps (NAN: none was due), of the rows' rewards */
} dq_follow_learnt;

/* Lets the agent observe all rows, in their order, and learn whenever a step is due, and saves it as it is
 * then, with where it has come to (*at, which goes on). states: the catalogue's users. The model is to be
 * freed, whatever happened. The errors of dq_agent_learn and dq_agent_save. */
dq_status dq_follow_learn(const dq_follow_rows *rows, dq_agent *agent, const dq_vectors *states,
                          dq_follow_at *at, dq_bundle *model, dq_follow_learnt *learnt, dq_error *error);

/* "1200 rows learnt from (mean reward 0.31) in 1137 updates (loss 0.12); left out: 3 without a reward", cut
 * to size bytes. */
void dq_follow_describe(const dq_follow_rows *rows, const dq_follow_learnt *learnt, char *words, size_t size);
/* The same as a line of a log, with how who judged it ended (NULL: nobody did); false when memory is short.
 */
bool dq_follow_report(const dq_follow_at *at, const dq_follow_rows *rows, const dq_follow_learnt *learnt,
                      const dq_command_end *judged, dq_arena *arena, dq_value *line);

#endif
