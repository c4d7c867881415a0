/* SPDX-License-Identifier: MIT
 *
 * The bytes of the heap that are alive, counted as they are allocated: by the sanitizers' hooks under
 * AddressSanitizer, by functions before the C library's elsewhere.
 */
#ifndef DQ_FUZZ_MEMORY_H
#define DQ_FUZZ_MEMORY_H

#include <stddef.h>

/* From here on at most so many bytes more than now may be alive: what allocates beyond that is a finding. */
void fuzz_memory_bound(size_t bytes);
/* No bound. */
void fuzz_memory_free(void);

#endif
