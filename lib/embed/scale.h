/* SPDX-License-Identifier: MIT
 *
 * Vectors scaled, field by field, users and items each by themselves:
 *
 *     z      every component of the field to mean 0 and standard deviation 1 over the rows (divided by their
 *            number); one that is the same in all rows becomes 0
 *     unit   the field of every row to length 1; a field of zeros stays so
 *
 * What was done stands in the meta.scale of users and items, a list of steps under the field's name,
 *
 *     {"title": [{"how": "z", "mean": [..], "sd": [..]}, {"how": "unit"}]}
 *
 * so that later rows can be scaled by the same numbers, and so that a model knows the vectors it was trained
 * on from others (core/layout.h). Means and deviations are found by Welford's updates ("Note on a method for
 * calculating corrected sums of squares and products", Technometrics 4, 1962) in double precision.
 */
#ifndef DQ_EMBED_SCALE_H
#define DQ_EMBED_SCALE_H

#include "dq/schema.h"

typedef enum dq_scale_how { DQ_SCALE_Z, DQ_SCALE_UNIT } dq_scale_how;

typedef struct dq_scale_step {
    dq_scale_how how;
    double *mean, *sd; /* (the field's width), of z */
} dq_scale_step;

/* What is done to a field. */
typedef struct dq_scale_field {
    bool chosen;
    dq_value added;       /* the list of steps, as meta has it */
    dq_scale_step *steps; /* (step_count) */
    size_t step_count;
} dq_scale_field;

/* Users, or items. Begin with {.kind = ...}. */
typedef struct dq_scale_side {
    const char *kind;
    bool known; /* a block has been looked at */
    dq_field *fields;
    dq_scale_field *scaled; /* (field_count) */
    size_t field_count;
    uint32_t width;    /* 0: no vectors */
    uint64_t rows;     /* that have been fitted */
    double *mean, *m2; /* (width) so far; m2: sums of squares about the mean */
    dq_arena arena;
} dq_scale_side;

void dq_scale_free(dq_scale_side *side);

/* Takes the fields of a block: those of the first choose what is scaled, all of them or those that `wanted`
 * names ("NAME", or "users:NAME", "items:NAME" for one side), and later blocks are held to them.
 * DQ_ERR_SCHEMA for other fields than before. */
dq_status dq_scale_look(dq_scale_side *side, const char *const *wanted, size_t wanted_count,
                        const dq_bundle *block, dq_error *error);

/* Takes the rows of a block, which has been looked at, into means and deviations. */
dq_status dq_scale_fit(dq_scale_side *side, const dq_bundle *block, dq_error *error);

/* Makes the chosen fields' step: z of what was fitted, or unit. */
dq_status dq_scale_finish(dq_scale_side *side, dq_scale_how how, dq_error *error);

/* Makes the steps those that a block of another stream has had, whose `meta` this is. DQ_ERR_UNKNOWN where
 * one of the fields that were scaled there is not here, DQ_ERR_SCHEMA where it has another width, and for
 * steps that cannot be read. */
dq_status dq_scale_follow(dq_scale_side *side, const dq_value *meta, dq_error *error);

/* *out: the block with its fields scaled, what was done added to its meta.scale, as float32. DQ_ERR_DUPLICATE
 * where a step of a kind has been done to a field before, or, with `first`, any step; DQ_ERR_NUMERIC where a
 * number is not finite afterwards; DQ_ERR_SCHEMA where the block's meta.scale is of another form. Empty on
 * failure. */
dq_status dq_scale_apply(const dq_scale_side *side, const dq_bundle *block, bool first, dq_bundle *out,
                         dq_error *error);

/* Whether a name, as `wanted` has it, is one of the side's fields. */
bool dq_scale_has(const dq_scale_side *side, const char *name);

#endif
