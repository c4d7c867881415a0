/* SPDX-License-Identifier: MIT
 *
 * How many elements a list or map of values has room for. It is not kept: a value's count tells it, so
 * whoever makes a list or map at once makes it as large as one that grew.
 */
#ifndef DQ_CORE_CAPACITY_H
#define DQ_CORE_CAPACITY_H

#include <stddef.h>

/* The least power of two from 4 that is not below count. */
static inline size_t dq_value_capacity(size_t count)
{
    size_t capacity = 4;
    while (capacity < count) capacity *= 2;
    return capacity;
}

#endif
