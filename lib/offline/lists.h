/* SPDX-License-Identifier: MIT
 *
 * Lists of offline training (offline/offline.h): which users learn, and for a batch of them the actions, the
 * grades and what is left out. A part of a run.
 */
#ifndef DQ_OFFLINE_LISTS_H
#define DQ_OFFLINE_LISTS_H

#include "offline/offline.h"

typedef struct offline_lists {
    const dq_offline_rows *rows;
    float none;      /* the reward that is no grade */
    size_t drawn;    /* actions that a batch draws; 0: its lists are of all */
    uint32_t *first; /* (users + 1) where each user's rows begin in: */
    uint32_t *row;   /* rows with a reward, by user */
    uint32_t *user;  /* (training) who learns, shuffled each epoch; then (held_out) who is held out */
    size_t training, held_out;
    bool masks;                       /* somebody has met an action and has no reward for it */
    uint32_t *action;                 /* (columns) of the batch */
    uint32_t *column;                 /* (actions) the place of each in it, or DQ_OFFLINE_NO_ROW */
    uint32_t *scratch;                /* (actions) where some are drawn */
    float *grade, *offset, *features; /* (batch, columns), features times given */
    size_t max_columns;
} offline_lists;

/* Actions of the longest lists of a batch. */
size_t offline_list_columns(const dq_offline_config *config, const dq_offline_rows *rows);
/* Rows with a reward by user: first (users + 1) says where each user's begin in row. False when memory is
 * short. */
bool offline_sort_rows(const dq_offline_rows *rows, uint32_t **first, uint32_t **row, dq_arena *arena);
/* Needs held (users): who is held out. False when memory is short. */
bool offline_lists_make(offline_lists *lists, const dq_offline_config *config, const dq_offline_rows *rows,
                        const uint8_t *held, dq_arena *arena);
/* The lists of n users; rng draws actions. Borrowed until the next. */
dq_agent_lists offline_lists_fill(offline_lists *lists, const uint32_t *users, size_t n, dq_rng *rng);

#endif
