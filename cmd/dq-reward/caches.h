/* SPDX-License-Identifier: MIT
 *
 * --export-cache and --import-cache: a cache's answers as a stream, and a stream's answers into a cache.
 */
#ifndef DQ_REWARD_CACHES_H
#define DQ_REWARD_CACHES_H

#include "cli/cli.h"

/* Writes the answers of a cache to --output; it is read alone. */
dq_status dq_reward_export_cache(const char *cache, dq_cli *cli, const dq_common *common, dq_error *error);
/* Merges the answers of the operands into a cache, which is made where there is none. DQ_ERR_UNKNOWN for a
 * stream that has none. What came before an error stays. */
dq_status dq_reward_import_cache(const char *cache, const dq_cli *cli, const dq_common *common,
                                 dq_error *error);

#endif
