/* SPDX-License-Identifier: MIT
 *
 * What measures of recommendations need to know (measure/facts.h), out of a stream: a catalogue, the fields
 * and attributes of its items that measures are about, and the groups of its users.
 */
#ifndef DQ_REPORT_FACTS_FILE_H
#define DQ_REPORT_FACTS_FILE_H

#include "measure/run_table.h"

/* Reads the catalogue of a stream ("-": stdin), and fills the facts of it: for each pick what it is about
 * (pick->about), and with `by` not NULL the users' groups, by that attribute or text. An attribute that is a
 * list has several values; a value that is an object is DQ_ERR_SCHEMA. The catalogue is the caller's to keep
 * and free. DQ_ERR_SCHEMA where the stream lacks items, or vectors or interactions that a pick needs;
 * DQ_ERR_UNKNOWN for a field or attribute that no item (user) has. DQ_ERR_RANGE for a name of
 * 64 bytes or more. */
dq_status dq_facts_read(dq_facts *facts, dq_catalogue *catalogue, const char *path, dq_measure_picks *picks,
                        const char *by, dq_error *error);

#endif
