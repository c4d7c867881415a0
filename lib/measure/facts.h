/* SPDX-License-Identifier: MIT
 *
 * What measures know of the items that are recommended and of the users that they are recommended to: how
 * many items there are, who met which, and what each one is. The facts come from a catalogue; without one the
 * items are those of the judgements and the runs, and who met which are the judgements' relevant pairs.
 *
 *     dq_facts facts = DQ_FACTS_NONE;
 *     dq_facts_use_catalogue(&facts, &catalogue, &e);    or not at all
 *     dq_facts_use_qrels(&facts, &qrels, 1, &e);         always
 */
#ifndef DQ_MEASURE_FACTS_H
#define DQ_MEASURE_FACTS_H

#include "core/pairset.h"
#include "data/catalogue.h"
#include "measure/qrels.h"

/* What users, or items, have in one attribute: any number of values each. Filled in the order of their
 * rows. */
typedef struct dq_attribute {
    char name[64];
    dq_index values; /* in the order of their first coming */
    size_t *start;   /* (count + 1) values of row r: value[start[r]] .. value[start[r + 1] - 1] */
    uint32_t *value;
    double *shares; /* (2, values) scratch of a measure, once finished */
    size_t count, value_count, capacity, value_capacity;
} dq_attribute;

/* Adds a value to the row at hand (no value twice), goes on to the next row, and ends. DQ_ERR_MEMORY. */
dq_status dq_attribute_add(dq_attribute *attribute, const char *value, size_t bytes, dq_error *error);
dq_status dq_attribute_next(dq_attribute *attribute, dq_error *error);
dq_status dq_attribute_finish(dq_attribute *attribute, dq_error *error);
/* Values of a row, *n of them; none for DQ_ABSENT. */
const uint32_t *dq_attribute_of(const dq_attribute *attribute, uint32_t row, size_t *n);
bool dq_attribute_has(const dq_attribute *attribute, uint32_t row, uint32_t value);
void dq_attribute_free(dq_attribute *attribute);

enum { DQ_FACTS_ATTRIBUTES = 16 };

typedef struct dq_facts {
    const dq_catalogue *catalogue; /* borrowed; NULL: none */
    dq_index named;                /* without a catalogue: the items so far */
    uint32_t queries;              /* of the judgements: the users, without a catalogue */
    bool by_interactions;          /* who met which: the catalogue's interactions, else the judgements */
    uint32_t *met;                 /* (counted) users who met the item; an item beyond: none */
    uint32_t *falling;             /* (counted) the same, greatest first */
    size_t counted;
    size_t users;                                 /* who met any item */
    uint32_t tail;                                /* items that no more have met are the tail */
    dq_pairset_pair *history;                     /* by_interactions: pairs by user, and a user's by item */
    size_t *history_start;                        /* (the catalogue's users + 1) */
    dq_attribute attributes[DQ_FACTS_ATTRIBUTES]; /* of the catalogue's items, for measures that ask */
    size_t attribute_count;
    dq_attribute by; /* of the catalogue's users: their groups; by.name empty: there are none */
} dq_facts;

#define DQ_FACTS_NONE ((dq_facts){0})

/* The catalogue, which is finished and kept (borrowed). Its distinct pairs of a user and an item among the
 * interactions are who met which. DQ_ERR_MEMORY. */
dq_status dq_facts_use_catalogue(dq_facts *facts, const dq_catalogue *catalogue, dq_error *error);
/* What the judgements say where the catalogue says nothing. relevance: the least that is relevant. */
dq_status dq_facts_use_qrels(dq_facts *facts, const dq_qrels *qrels, int32_t relevance, dq_error *error);

/* The number of an item, 0 .. dq_facts_items - 1. Without a catalogue it is given one; with one, an item that
 * the catalogue lacks is DQ_ABSENT. */
dq_status dq_facts_item(dq_facts *facts, const char *id, size_t bytes, uint32_t *item, dq_error *error);
size_t dq_facts_items(const dq_facts *facts);
/* The row of a user in the catalogue, or DQ_ABSENT. */
uint32_t dq_facts_user(const dq_facts *facts, const char *id, size_t bytes);
/* Users who met an item. */
uint32_t dq_facts_met(const dq_facts *facts, uint32_t item);
/* Whether an item is of the tail: the items more popular than it make up at least 80 % of what was met. */
bool dq_facts_in_tail(const dq_facts *facts, uint32_t item);
/* Whether an item is among the k most popular, ties included; never one that nobody met. */
bool dq_facts_is_popular(const dq_facts *facts, uint32_t item, double k);
/* The distinct items that a user of the catalogue met, *n of them; none for DQ_ABSENT. */
const dq_pairset_pair *dq_facts_history(const dq_facts *facts, uint32_t user, size_t *n);

void dq_facts_free(dq_facts *facts);

#endif
