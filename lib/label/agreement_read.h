/* SPDX-License-Identifier: MIT
 *
 * The labels of several streams, pair by pair of a user and an item: who agreed with whom about what.
 *
 * A stream's labels are those of its transitions, as dq-reward writes them, where any of these has one; else
 * those of its interactions. Of several labels that a stream gives one pair the last counts.
 */
#ifndef DQ_LABEL_AGREEMENT_READ_H
#define DQ_LABEL_AGREEMENT_READ_H

#include "core/index.h"
#include "label/agreement.h"

/* Zero-initialise; free with dq_labelled_free. */
typedef struct dq_labelled {
    dq_index pairs, labels;
    uint32_t raters;
    uint32_t *given; /* (pairs, raters) */
    size_t room;
    struct {
        const char *path;         /* borrowed */
        uint64_t labelled, again; /* pairs; labels that another of the same pair took the place of */
        uint64_t nameless;        /* labels of rows that do not say of which user and item they are */
    } rater[DQ_RATERS];
    /* set by dq_labelled_finish */
    uint32_t place[DQ_RATED_LABELS];
    double value[DQ_RATED_LABELS];
    bool ordered;
    char unordered[64];       /* when not: a label that has no value */
    uint64_t in_all, in_some; /* pairs that all streams label, and that one or more do but not all */
} dq_labelled;

/* Reads one more stream, of at most DQ_RATERS ("-": stdin). DQ_ERR_SCHEMA when it has no labels, DQ_ERR_RANGE
 * for more than DQ_RATED_LABELS different ones; other errors are the reader's. */
dq_status dq_labelled_read(dq_labelled *labelled, const char *path, dq_error *error);
/* Forgets labels that no pair has any more, and sorts the others, by their values where all have one
 * (ordered), else by name. values: LABEL=number,... as data/label_map.h has it; its distinct values are the
 * places of the scale, whether or not a label stands there. DQ_ERR_UNKNOWN when no pair has labels of two
 * streams. */
dq_status dq_labelled_finish(dq_labelled *labelled, const char *values, dq_error *error);
/* What there is to measure, until the labels are freed. */
dq_ratings dq_labelled_ratings(const dq_labelled *labelled);
void dq_labelled_free(dq_labelled *labelled);

#endif
