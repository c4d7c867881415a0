/* SPDX-License-Identifier: MIT
 *
 * Which users are meant: those that were named, and those of a file with one id a line; or one of N parts of
 * these, or of everybody.
 *
 *     dq_user_list users = {0};
 *     dq_user_list_fill(&users, names, count, "tonight.txt", &e);
 *     dq_user_list_check(&users, &catalogue.users.identity.ids, &e);
 *     dq_user_list_free(&users);
 */
#ifndef DQ_MODELS_USERS_H
#define DQ_MODELS_USERS_H

#include "core/index.h"
#include "core/shard/shard.h"

/* Zero-initialise to start. */
typedef struct dq_user_list {
    dq_index ids;   /* each once, in the order in which they came; none: everybody is meant */
    uint64_t *line; /* (count) of the file; 0: it was named */
    size_t slots;
    char *path;     /* the file; NULL: none */
    dq_shard shard; /* of them, the caller's to set at any time */
} dq_user_list;

/* --user and --users-file: those names, and those of a file (NULL: none; "-": stdin). Its lines may end in
 * "\r\n", and empty ones count for nothing; of the rest every byte is the id's. DQ_ERR_RANGE for a file
 * without ids. Once a list. */
dq_status dq_user_list_fill(dq_user_list *list, const char *const *names, size_t count, const char *path,
                            dq_error *error);

/* Whether somebody may not be meant. */
bool dq_user_list_narrows(const dq_user_list *list);
/* Whether this user is meant. */
bool dq_user_list_has(const dq_user_list *list, const char *id, size_t bytes);
/* DQ_ERR_UNKNOWN names the first of the names and lines, whatever the part, and its line, who is not among
 * these; at the words that say what these are: "in the stream". */
dq_status dq_user_list_check(const dq_user_list *list, const dq_index *among, const char *where,
                             dq_error *error);
void dq_user_list_free(dq_user_list *list);

#endif
