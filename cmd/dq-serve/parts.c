/* SPDX-License-Identifier: MIT */
#include "serve.h"

/* The bandit before the log: it reads the log to its end. */
const serve_part *const serve_parts[] = {&serve_models_part, &serve_cold_part, &serve_log_part,
                                         &serve_demo_part, NULL};
