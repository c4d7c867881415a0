/* SPDX-License-Identifier: MIT
 *
 * What programs that ask a model share of their command lines: the options, their usage errors, what the
 * environment adds to them, and words about what asking would take (--dry-run) and has cost (--ledger).
 *
 *     dq_ask_options ask = DQ_ASK_DEFAULTS;
 *     dq_ask_key key = {0};
 *     dq_option table[] = {DQ_OPTIONS_ASK(ask, key, ASKING, 'j'), ...};
 *     dq_ask_check(&ask, &cli);
 *     status = dq_ask_complete(&ask, &key, &e);
 */
#ifndef DQ_CLI_LLM_OPTIONS_H
#define DQ_CLI_LLM_OPTIONS_H

#include "cli/cli.h"
#include "llm/ask.h"

#define DQ_ASK_DEFAULTS                                                                                      \
    {                                                                                                        \
        .parallel = 4, .attempts = 6, .timeout = 120                                                         \
    }

/* The key of the server. */
typedef struct dq_ask_key {
    const char *file; /* --key-file */
    char text[1024];
} dq_ask_key;

/* clang-format off */
/* Of a program whose modes ask_modes ask; parallel_letter is --parallel's, or 0. */
#define DQ_OPTIONS_ASK(a, k, ask_modes, parallel_letter)                                                             \
    {"cache", 0, DQ_OPT_TEXT, &(a).cache, "CACHE", "a file, or postgresql://..., that keeps what was paid for", .flags = DQ_OPT_WRITES, .modes = ask_modes}, \
    {"cache-only", 0, DQ_OPT_FLAG, &(a).cache_only, NULL, "ask nobody: what the cache lacks is counted, exit 1",     \
     .modes = ask_modes, .excludes = "refresh retry-unreadable"},                                                    \
    {"refresh", 0, DQ_OPT_FLAG, &(a).refresh, NULL, "ask again what the cache has, and replace it",                  \
     .modes = ask_modes},                                                                                            \
    {"retry-unreadable", 0, DQ_OPT_FLAG, &(a).retry_unreadable, NULL,                                                \
     "ask once more where the kept answer could not be read", .modes = ask_modes},                                   \
    {"dry-run", 0, DQ_OPT_FLAG, &(a).dry_run, NULL, "print requests, tokens and cost ahead; send and write nothing", \
     .modes = ask_modes, .excludes = "output"},                                                                      \
    {"parallel", parallel_letter, DQ_OPT_COUNT, &(a).parallel, "N", "requests in flight", .min = 1, .max = 1024,     \
     .modes = ask_modes},                                                                                            \
    {"max-requests", 0, DQ_OPT_COUNT, &(a).max_requests, "N",                                                        \
     "stop when the cache's ledger has N requests (0: no limit)", .modes = ask_modes},                               \
    {"max-tokens", 0, DQ_OPT_COUNT, &(a).max_tokens, "N", "the same for tokens, of questions and answers",           \
     .modes = ask_modes},                                                                                            \
    {"max-cost", 0, DQ_OPT_REAL, &(a).max_cost, "COST", "the same for money, with --price",                          \
     .min = 0, .max = 1e12, .modes = ask_modes, .needs = "price"},                                                   \
    {"price", 0, DQ_OPT_TEXT, &(a).price, "IN:OUT", "price of a million tokens of questions and of answers",         \
     .modes = ask_modes},                                                                                            \
    {"rpm", 0, DQ_OPT_REAL, &(a).rpm, "N", "requests a minute at most (0: no limit)", .min = 0, .max = 1e9,          \
     .modes = ask_modes},                                                                                            \
    {"tpm", 0, DQ_OPT_REAL, &(a).tpm, "N", "tokens a minute at most, as estimated (0: no limit)",                    \
     .min = 0, .max = 1e12, .modes = ask_modes},                                                                     \
    {"timeout", 0, DQ_OPT_REAL, &(a).timeout, "SECONDS", "for one request", .min = 0.001, .max = 86400,              \
     .modes = ask_modes},                                                                                            \
    {"attempts", 0, DQ_OPT_COUNT, &(a).attempts, "N", "of one request, before the service counts as down",           \
     .min = 1, .max = 100, .modes = ask_modes},                                                                      \
    {"key-file", 0, DQ_OPT_TEXT, &(k).file, "FILE", "holds the key, in place of OPENAI_API_KEY",                     \
     .modes = ask_modes}
/* clang-format on */

/* Usage errors of the options; does not return on one. A cache is needed, but for a dry run. */
void dq_ask_check(const dq_ask_options *options, const dq_cli *cli);

/* What no option says: the server's address (OPENAI_BASE_URL), the key (of --key-file, else OPENAI_API_KEY;
 * into key->text, which the options keep) and its header (DQ_API_KEY_HEADER), certificates (CURL_CA_BUNDLE,
 * else SSL_CERT_FILE), the proxy (http_proxy or https_proxy by the address, all_proxy, no_proxy), and that
 * SIGINT, SIGTERM and SIGHUP stop the asking. Nothing is read when nobody is asked (cache_only, dry_run). */
dq_status dq_ask_complete(dq_ask_options *options, dq_ask_key *key, dq_error *error);

/* dry_run's words on stdout: requests, tokens, cost. With `what` ("texts"), of which a request carries many,
 * a last column counts these. */
void dq_ask_print_plan(const dq_ask_stats *tally, const dq_ask_options *options, const char *what);
/* A usage error for a cache's address that holds a password. */
void dq_ask_check_cache(const char *option, const char *cache, const dq_cli *cli);
/* The ledger of a cache on stdout, a line a model; on stderr, which sums no counting makes. */
dq_status dq_ask_print_ledger(const char *path, const dq_cli *cli, const dq_common *common, dq_error *error);

/* Says that sums of the ledger were taken anew, where they were. */
void dq_ask_say_mended(const dq_ask_stats *stats, const dq_cli *cli, const dq_common *common);

#endif
