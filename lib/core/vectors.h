/* SPDX-License-Identifier: MIT */
#ifndef DQ_CORE_VECTORS_H
#define DQ_CORE_VECTORS_H

#include <stdint.h>

/* Vectors by number: vector i has `width` float32 at at[i]. Borrowed. */
typedef struct dq_vectors {
    const float *const *at;
    uint32_t count, width;
} dq_vectors;

#endif
