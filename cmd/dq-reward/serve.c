/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <stdlib.h>

/* A column of references: as asked (to be freed), and as rows of the catalogue (to be freed). */
typedef struct asked_rows {
    uint32_t *asked, *row;
} asked_rows;

static dq_status resolve(asked_rows *rows, const dq_entities *entities, const dq_bundle *asked,
                         const char *name, dq_error *error)
{
    const dq_column *column = dq_bundle_column(asked, name);
    if (!column)
        return dq_fail(error, DQ_ERR_UNSUPPORTED,
                       "transitions must name users and items of the catalogue; these have no %s", name);
    rows->asked = malloc((size_t)asked->rows * sizeof *rows->asked + 1);
    rows->row = malloc((size_t)asked->rows * sizeof *rows->row + 1);
    if (!rows->asked || !rows->row) return dq_fail(error, DQ_ERR_MEMORY, "out of memory for labels");
    dq_status status = DQ_OK;
    for (uint64_t i = 0; !status && i < asked->rows; i++) {
        uint64_t ref = (uint64_t)dq_column_number(column, i);
        status = dq_entities_resolve(entities, ref, &rows->row[i], error);
        rows->asked[i] = (uint32_t)ref;
    }
    return status;
}

static dq_status put_labels(dq_writer *writer, dq_labeller *labeller, const asked_rows *users,
                            const asked_rows *items, const dq_rewards *rewards, dq_error *error)
{
    dq_bundle out;
    dq_status status = dq_bundle_init(&out, "labels", rewards->count, error);
    if (!status) status = dq_bundle_add_numbers(&out, "user", DQ_U4, users->asked, NULL, NULL, error);
    if (!status) status = dq_bundle_add_numbers(&out, "item", DQ_U4, items->asked, NULL, NULL, error);
    if (!status) status = dq_rewards_add(rewards, labeller, &out, error);
    if (!status) status = dq_writer_put(writer, &out, error);
    if (!status) status = dq_writer_flush(writer, error); /* whoever asked is waiting */
    dq_bundle_free(&out);
    return status;
}

dq_status dq_reward_answer(dq_writer *writer, dq_labeller *labeller, const dq_bundle *asked, dq_error *error)
{
    asked_rows users = {0}, items = {0};
    dq_rewards rewards = {0};
    dq_status status = resolve(&users, &labeller->catalogue->users, asked, "user", error);
    if (!status) status = resolve(&items, &labeller->catalogue->items, asked, "item", error);
    if (!status) status = dq_label_submit(labeller, users.row, items.row, (size_t)asked->rows, error);
    if (!status)
        status = dq_label_pairs(labeller, users.row, items.row, NULL, (size_t)asked->rows, &rewards, error);
    if (!status) status = put_labels(writer, labeller, &users, &items, &rewards, error);
    dq_rewards_free(&rewards);
    free(users.asked);
    free(users.row);
    free(items.asked);
    free(items.row);
    return status;
}
