/* SPDX-License-Identifier: MIT
 *
 * Growing an array in malloc's memory. `array` is the address of the pointer to its first element, NULL while
 * the array is empty; the caller frees the memory. A function that returns false, because memory is short or
 * the array would have more than PTRDIFF_MAX bytes, leaves the array and its capacity as they were.
 */
#ifndef DQ_CORE_ARRAY_H
#define DQ_CORE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The capacity with which an array of `capacity` elements comes to hold `need`: at least twice as many as
 * before, so that appending costs a constant time in the mean. For arrays side by side that share one
 * capacity. */
static inline size_t dq_array_capacity(size_t capacity, size_t need)
{
    enum { FIRST = 16 };
    if (need <= capacity) return capacity;
    size_t twice = capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * capacity;
    size_t larger = twice > need ? twice : need;
    return larger > FIRST ? larger : FIRST;
}

/* Makes the memory that of `count` elements of `element_size` bytes, count > 0. */
static inline bool dq_array_resize(void *array, size_t count, size_t element_size)
{
    void *memory; /* copied, since a pointer of another type may not be read as void * */
    if (count > PTRDIFF_MAX / element_size) return false; /* no object is larger */
    memcpy(&memory, array, sizeof memory);
    memory = realloc(memory, count * element_size);
    if (!memory) return false;
    memcpy(array, &memory, sizeof memory);
    return true;
}

/* Makes room for `need` elements of `element_size` bytes. */
static inline bool dq_array_reserve(void *array, size_t *capacity, size_t need, size_t element_size)
{
    if (need <= *capacity) return true;
    size_t larger = dq_array_capacity(*capacity, need);
    if (!dq_array_resize(array, larger, element_size)) return false;
    *capacity = larger;
    return true;
}

#endif
