/* SPDX-License-Identifier: MIT */
#include "cli/llm_options.h"

#include "cli/stop.h"
#include "core/utf8.h"
#include "port/cache/cache.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void dq_ask_check_cache(const char *option, const char *cache, const dq_cli *cli)
{
    dq_error e = DQ_ERROR_NONE;
    if (cache && dq_cache_check_address(cache, &e)) dq_cli_refuse(cli, option, &e);
}

void dq_ask_check(const dq_ask_options *o, const dq_cli *cli)
{
    double in, out;
    if (o->price && !dq_ask_parse_price(o->price, &in, &out))
        dq_cli_usage(cli, "--price: '%s' is not IN:OUT, the price of a million tokens each", o->price);
    if (!o->cache && !o->dry_run)
        dq_cli_usage(cli, "--cache FILE is needed: answers are paid for once, and kept there");
    dq_ask_check_cache("--cache", o->cache, cli);
}

/* ---- what the environment says ---- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The first line of the file. */
static dq_status read_key_file(const char *path, char *key, size_t room, dq_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return dq_fail_errno(error, errno, "--key-file %s", path);
    ssize_t got = read(fd, key, room - 1);
    int sys = errno;
    (void)close(fd);
    if (got < 0) return dq_fail_errno(error, sys, "--key-file %s", path);
    key[got] = '\0';
    size_t n = strcspn(key, "\r\n");
    key[n] = '\0';
    if (n < room - 1) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE, "--key-file %s: a key of more than %zu bytes", path, room - 2);
}

static dq_status read_key_variable(char *key, size_t room, dq_error *error)
{
    const char *from = environment("OPENAI_API_KEY");
    size_t n = from ? strlen(from) : 0;
    if (n >= room - 1)
        return dq_fail(error, DQ_ERR_RANGE, "OPENAI_API_KEY: a key of more than %zu bytes", room - 2);
    if (from) memcpy(key, from, n + 1);
    return DQ_OK;
}

/* Without white space around it. */
static void trim(char *text)
{
    size_t skip = strspn(text, " \t"), end = strlen(text);
    while (end > skip && isspace((unsigned char)text[end - 1])) end--;
    memmove(text, text + skip, end - skip);
    text[end - skip] = '\0';
}

static dq_status read_key(dq_ask_key *key, dq_error *error)
{
    key->text[0] = '\0';
    dq_status status = key->file ? read_key_file(key->file, key->text, sizeof key->text, error)
                                 : read_key_variable(key->text, sizeof key->text, error);
    trim(key->text);
    if (!status && key->file && !key->text[0])
        return dq_fail(error, DQ_ERR_FORMAT, "--key-file %s is empty", key->file);
    return status;
}

/* While questions are open the first signal ends the asking, the second the process. */
static void watch_signals(bool open)
{
    if (open)
        dq_stop_catch_once();
    else
        dq_stop_release();
}

/* The proxy for the address, from the variables that curl reads, in its order. (HTTP_PROXY in capitals is not
 * among them: a header of a CGI request could set it.) */
static void read_proxy(dq_ask_options *o)
{
    static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    bool is_plain = o->base_url && strncasecmp(o->base_url, "http://", 7) == 0;
    for (const char *const *name = is_plain ? plain : secure; *name && !o->proxy; name++) {
        o->proxy = environment(*name);
        o->proxy_from = *name;
    }
    const char *lower = environment("no_proxy");
    o->no_proxy = lower ? lower : environment("NO_PROXY");
}

dq_status dq_ask_complete(dq_ask_options *o, dq_ask_key *key, dq_error *error)
{
    if (o->cache_only || o->dry_run) return DQ_OK;
    const char *bundle = environment("CURL_CA_BUNDLE");
    o->base_url = environment("OPENAI_BASE_URL");
    o->key_header = environment("DQ_API_KEY_HEADER");
    read_proxy(o);
    o->certificates = bundle ? bundle : environment("SSL_CERT_FILE");
    o->stop = (dq_ask_stop){.asked = dq_stop_asked, .watch = watch_signals};
    o->key = key->text;
    return read_key(key, error);
}

/* ---- words ---- */

typedef struct plan_row {
    const char *name;
    uint64_t requests, questions;
    double in, out;
} plan_row;

static void print_row(const plan_row *r, const dq_ask_options *o, const char *what)
{
    double price_in = 0, price_out = 0;
    (void)printf("%s\t%" PRIu64 "\t%.0f\t%.0f", r->name, r->requests, r->in, r->out);
    if (o->price && dq_ask_parse_price(o->price, &price_in, &price_out))
        (void)printf("\t%.6f", r->in * price_in + r->out * price_out);
    if (what) (void)printf("\t%" PRIu64, r->questions);
    (void)printf("\n");
}

void dq_ask_print_plan(const dq_ask_stats *t, const dq_ask_options *o, const char *what)
{
    double scale = t->tokens_per_byte > 0 ? t->tokens_per_byte * 4 : 1;
    const plan_row rows[] = {{"in_cache", what ? 0 : t->hits, t->hits, 0, 0},
                             {"to_ask", t->dry_requests, t->dry_questions, (double)t->dry_tokens_in * scale,
                              (double)t->dry_tokens_out},
                             {"and_at_most", t->dry_maybe, t->dry_maybe, (double)t->dry_maybe_in * scale,
                              (double)t->dry_maybe_out}};
    (void)printf("\trequests\ttokens_in\ttokens_out%s%s%s\n", o->price ? "\tcost" : "", what ? "\t" : "",
                 what ? what : "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (i < 2 || t->dry_maybe) print_row(&rows[i], o, what);
}

void dq_ask_say_mended(const dq_ask_stats *stats, const dq_cli *cli, const dq_common *common)
{
    if (!stats->mended) return;
    dq_cli_say(cli, common,
               "the ledger's sums of %" PRIu64
               " models were such as no counting makes; they were taken anew from "
               "the cache's answers",
               stats->mended);
}

dq_status dq_ask_print_ledger(const char *path, const dq_cli *cli, const dq_common *common, dq_error *error)
{
    dq_cache *cache;
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_cache_ledger *rows;
    size_t count = 0;
    dq_status status = dq_cache_open(&cache, path, true, error);
    if (status) return status;
    status = dq_cache_sums(cache, &arena, &rows, &count, error);
    if (!status)
        (void)printf(
            "model\tcalls\tanswered\tfailed\tlost\tunreadable\thits\tentries\ttokens_in\ttokens_out\tcost"
            "\tseconds\n");
    for (size_t i = 0; !status && i < count; i++) {
        const dq_cache_ledger *r = &rows[i];
        size_t room = 4 * strlen(r->model) + 1;
        char *model = dq_arena_take(&arena, room);
        if (!model) {
            status = dq_fail_memory(error, "the ledger");
            break;
        }
        (void)dq_utf8_show(r->model, strlen(r->model), model, room);
        (void)printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
                     "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.6f\t%.3f\n",
                     model, r->calls, r->answered, r->failed, r->lost, r->unreadable, r->hits, r->entries,
                     r->tokens_in, r->tokens_out, r->cost, r->seconds);
        if (r->broken)
            dq_cli_say(
                cli, common,
                "%s: sums such as no counting makes; the next run that asks with this cache takes them "
                "anew from its answers",
                r->model);
    }
    dq_arena_free(&arena);
    dq_cache_close(cache);
    return status;
}
