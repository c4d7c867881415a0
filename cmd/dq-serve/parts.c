/* SPDX-License-Identifier: MIT */
#include "serve.h"

const serve_part *const serve_parts[] = {
    NULL,
};
