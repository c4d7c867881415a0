/* SPDX-License-Identifier: MIT */
#include "ope/paired.h"

#include <math.h>
#include <stdlib.h>

static double *values_at(const dq_ope_paired *p, size_t pick, size_t target)
{
    return p->values + (pick * p->count + target) * p->blocks;
}

dq_status dq_ope_paired_find(dq_ope_paired *paired, dq_error *error)
{
    dq_ope_paired *p = paired;
    size_t picks = p->picks->count;
    p->blocks = 1;
    for (size_t k = 0; k < picks; k++) {
        size_t blocks = dq_ope_evaluation_blocks(p->evaluations[0], k);
        if (blocks > p->blocks) p->blocks = blocks;
    }
    size_t all = picks * p->count * p->blocks;
    p->values = malloc((all + 1) * sizeof *p->values);
    if (!p->values) return dq_fail_memory(error, "%zu blocks", p->blocks);
    for (size_t i = 0; i < all; i++) p->values[i] = NAN;
    dq_status status = DQ_OK;
    for (size_t k = 0; k < picks; k++)
        for (size_t t = 0; t < p->count && !status; t++)
            status = dq_ope_evaluation_influence(p->evaluations[t], k, values_at(p, k, t), error);
    return status;
}

static double value_of(const void *self, size_t measure, size_t run, size_t query)
{
    return values_at(self, measure, run)[query];
}

dq_run_values dq_ope_paired_values(const dq_ope_paired *paired)
{
    return (dq_run_values){paired->picks->count, paired->count, paired->blocks, value_of, paired};
}

void dq_ope_paired_free(dq_ope_paired *paired)
{
    free(paired->values);
    paired->values = NULL;
}
