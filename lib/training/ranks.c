/* SPDX-License-Identifier: MIT
 *
 * What ranks compare before they go on is a number of each: a sum of gradients made of other rows, options or
 * weights would come out as any other does.
 */
#include "training/training.h"

#include "core/digest.h"
#include "wire/wire.h"

dq_status dq_training_any(const dq_ranks *ranks, bool *said, dq_error *error)
{
    bool all[DQ_OFFLINE_MAX_TILES];
    if (!ranks) return DQ_OK;
    all[ranks->rank] = *said;
    dq_status status = ranks->gather(ranks->self, all, sizeof *all, error);
    for (uint32_t i = 0; !status && i < ranks->count; i++) *said = *said || all[i];
    return status;
}

/* ---- what must be equal ---- */

/* what: "another input than rank 0". */
static dq_status compare(const dq_ranks *ranks, uint64_t number, const char *what, dq_error *error)
{
    uint64_t all[DQ_OFFLINE_MAX_TILES];
    all[ranks->rank] = number;
    dq_status status = ranks->gather(ranks->self, all, sizeof *all, error);
    for (uint32_t i = 0; !status && i < ranks->count; i++)
        if (all[i] != *all) return dq_fail(error, DQ_ERR_RANGE, "rank %u has %s", i, what);
    return status;
}

static uint64_t digest_of(const dq_pieces *pieces)
{
    uint64_t digest = pieces->count;
    for (size_t i = 0; i < pieces->count; i++)
        digest = dq_digest_seeded(dq_piece_data(pieces, i), pieces->piece[i].n, digest);
    return digest;
}

dq_status dq_training_agree(const dq_training *t, const dq_maker *maker, const dq_ranks *ranks,
                            dq_error *error)
{
    dq_pieces pieces = {0};
    if (!ranks) return DQ_OK;
    dq_status status = dq_pack_value(&pieces, &maker->options, error);
    if (!status)
        status = compare(ranks, digest_of(&pieces) ^ (uint64_t)maker->seed,
                         "other options than rank 0: all are started with the same words", error);
    if (!status)
        status = compare(ranks, dq_training_digest(t),
                         "another input than rank 0: files must be the same wherever ranks run", error);
    dq_pieces_free(&pieces);
    return status;
}

dq_status dq_training_agree_batches(const dq_ranks *ranks, uint64_t batches, dq_error *error)
{
    return ranks ? compare(ranks, batches,
                           "another checkpoint than rank 0: files must be the same wherever ranks run", error)
                 : DQ_OK;
}

dq_status dq_training_agree_weights(dq_agent *agent, const dq_ranks *ranks, dq_error *error)
{
    dq_bundle model;
    dq_pieces pieces = {0};
    if (!ranks) return DQ_OK;
    dq_status status = dq_bundle_init(&model, DQ_KIND_MODEL, 0, error);
    if (!status) status = dq_agent_save(agent, false, &model, error);
    if (!status) status = dq_pack_bundle(&pieces, &model, error);
    if (!status)
        status = compare(ranks, digest_of(&pieces),
                         "learnt other weights than rank 0: their machines do not compute the same "
                         "(dq-train --version says by which kernels)",
                         error);
    dq_pieces_free(&pieces);
    dq_bundle_free(&model);
    return status;
}
