/* SPDX-License-Identifier: MIT
 *
 * What interactions say of items and of who met them, gathered in one pass. Of each interaction only that
 * stays which is asked for (need): a sum and a time of each item, the pairs that met (8 bytes a slot of a
 * hash table, each pair once), or all in order (40 bytes each).
 *
 *     dq_feedback f = {.need = DQ_FEEDBACK_SUMS, .time = "time"};
 *     dq_feedback_add(&f, &interactions, &e);        every bundle of interactions
 *     dq_feedback_finish(&f, &e);                    when all came; then read it
 */
#ifndef DQ_RANK_FEEDBACK_H
#define DQ_RANK_FEEDBACK_H

#include "core/pairset.h"
#include "data/label_map.h"
#include "data/time.h"

enum {
    DQ_FEEDBACK_SUMS = 1,   /* sum: of each item's weights */
    DQ_FEEDBACK_LATEST = 2, /* latest: of each item */
    DQ_FEEDBACK_PAIRS = 4,  /* pairs */
    DQ_FEEDBACK_EVENTS = 8  /* events, in order */
};

typedef struct dq_feedback_event {
    uint32_t user, item;
    dq_time time;
    uint64_t place; /* in the stream, from 0 */
} dq_feedback_event;

typedef struct dq_feedback {
    unsigned need;
    const dq_label_map *map; /* weights of labels, 0 for a label outside and for none; NULL: each weighs 1 */
    const char *time; /* the attribute that tells the time; where none has it, the stream's order does */

    dq_index users, items; /* ids, numbered as they came: of interactions that weigh more than 0; with SUMS
                              all items */
    uint64_t count;        /* interactions */
    uint64_t unmapped;     /* of these: with a label that the map does not have, or with none */
    double (*sums)[2];     /* (items) what two add up to: to about 32 digits, so in any order of the stream */
    dq_pairset pairs;      /* who met what: interactions that weigh more than 0 */
    dq_feedback_event *events; /* the same, each time; once finished by user, time, and place */
    size_t event_count;
    uint32_t *latest; /* (items) once finished: 1 for what was met longest ago, and so on up; equal where
                         times are equal */
    dq_time_tally times;
    char suggested[64]; /* an attribute that tells the time where `time` does not; or "" */

    dq_feedback_event (*last)[2]; /* (items) the latest with a time, and the latest year (dq_time.year) */
    size_t sum_slots, last_slots, event_slots;
} dq_feedback;

/* Takes what is needed of a bundle (copied). DQ_ERR_SCHEMA for a time that is none (data/time.h). */
dq_status dq_feedback_add(dq_feedback *feedback, const dq_bundle *interactions, dq_error *error);
/* Sorts. DQ_ERR_SCHEMA where times are needed, and some interactions have one and others none, or their forms
 * do not go together (dq_time_check_forms). */
dq_status dq_feedback_finish(dq_feedback *feedback, dq_error *error);
/* What was taken for granted of the times, for a person to see (size >= 1 bytes). False, and "": nothing. */
bool dq_feedback_describe_times(const dq_feedback *feedback, char *words, size_t size);
void dq_feedback_free(dq_feedback *feedback);

#endif
