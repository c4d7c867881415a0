/* SPDX-License-Identifier: MIT
 *
 * A log of the Open Bandit Dataset (Saito, Aihara, Matsutani and Narita, "Open Bandit Dataset and Pipeline",
 * 2021) as a place of three collections, in the form that lib/import reads documents of users, items and
 * interactions in. The log is a table, one row for each item that was shown:
 *
 *     timestamp, item_id, position, click, propensity_score, user_feature_0.., user-item_affinity_0..
 *
 *     interactions  {"user", "item", "reward": click, "propensity", "position", "time", "affinity": {N: x}}
 *     users         {"id", "vector": {user_feature_N: [0,1,0]}, "user_feature_N"}
 *     items         {"id", "vector": {item_feature_N: [..]}, "item_feature_N"}
 *
 * The log names no users: a user is a context, the values of the user features. Its id is their XXH3-64 (each
 * value followed by a NUL) in 16 hexadecimal digits. In vectors a feature is a field: its number, where all
 * of its values are numbers and it is one of items, else a 1 at its value's place among all of them in the
 * order of their bytes; one of more than DQ_OBD_VALUES values is an attribute alone. Affinities of 0 are left
 * out. The propensity may also be called action_prob or pscore. Other columns are attributes.
 *
 * Items come from a table with the columns item_id and item_feature_N; without one they are those for which
 * the log has affinities, and those that it names.
 */
#ifndef DQ_PORT_FILES_OBD_H
#define DQ_PORT_FILES_OBD_H

#include "port/files/documents.h"

enum { DQ_OBD_VALUES = 256 };

/* Reads the log once for its contexts, and again whenever a collection is opened; both files must be regular
 * ones. items may be NULL. DQ_ERR_SCHEMA for a table without the columns that are needed. Both paths are
 * borrowed as long as the place is open. Rows that cannot be read are passed over here, and told of by the
 * interactions. */
dq_status dq_collections_open_obd(dq_collections *place, const char *log, const char *items, dq_error *error);

#endif
