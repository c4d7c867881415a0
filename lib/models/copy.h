/* SPDX-License-Identifier: MIT
 *
 * Bytes that somebody else has made, into a file as they are. Of this room alone.
 */
#ifndef DQ_MODELS_COPY_H
#define DQ_MODELS_COPY_H

#include "dq/source.h"

#include <stdint.h>

/* All n bytes of a piece. */
dq_status dq_models_write(int fd, const void *data, size_t n, dq_error *error);
/* All that read(from, ...) gives, *bytes of them. */
dq_status dq_models_copy(dq_source_fn read, void *from, int fd, uint64_t *bytes, dq_error *error);

#endif
