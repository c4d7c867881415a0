/* SPDX-License-Identifier: MIT */
#include "serve.h"

const serve_part *const serve_parts[] = {
    &serve_models_part,
    &serve_cold_part, /* reads the log to its end */
    &serve_log_part,
    &serve_demo_part,
    NULL,
};
