/* SPDX-License-Identifier: MIT
 *
 * dq-embed scale:z and scale:unit: the vectors that users and items have, scaled. z holds the stream, since
 * it needs all rows before the first; unit, and scale --factors FILE, which scales as that stream was, hold a
 * block.
 */
#ifndef DQ_EMBED_CMD_SCALE_H
#define DQ_EMBED_CMD_SCALE_H

#include "cli/filter.h"
#include "embed/scale.h"

typedef struct scale_options {
    bool given; /* scale:HOW, or scale */
    dq_scale_how how;
    const char *factors; /* a stream that was scaled; NULL: none */
    const dq_texts *fields;
} scale_options;

/* Opens the filter, reads its input to the end, writes it with its vectors scaled, and closes the filter. */
dq_status scale_run(dq_filter *filter, const scale_options *options, dq_cli *cli, const dq_common *common,
                    dq_error *error);

#endif
