/* SPDX-License-Identifier: MIT
 *
 * Words about asking: what it would take (--dry-run), and what it has cost (--ledger).
 */
#include "ask_parts.h"

#include <inttypes.h>
#include <stdio.h>

static void print_row(const char *what, uint64_t requests, double in, double out, const dq_ask_options *o)
{
    double price_in = 0, price_out = 0;
    (void)printf("%s\t%" PRIu64 "\t%.0f\t%.0f", what, requests, in, out);
    if (o->price && ask_parse_price(o->price, &price_in, &price_out))
        (void)printf("\t%.6f", in * price_in + out * price_out);
    (void)printf("\n");
}

void dq_ask_print_plan(const dq_ask_tally *t, const dq_ask_options *o)
{
    double scale = t->tokens_per_byte > 0 ? t->tokens_per_byte * 4 : 1;
    double in = (double)t->dry_tokens_in * scale, maybe_in = (double)t->dry_maybe_in * scale;
    (void)printf("\trequests\ttokens_in\ttokens_out%s\n", o->price ? "\tcost" : "");
    print_row("in_cache", t->hits, 0, 0, o);
    print_row("to_ask", t->dry_requests, in, (double)t->dry_tokens_out, o);
    if (t->dry_maybe) print_row("and_at_most", t->dry_maybe, maybe_in, (double)t->dry_maybe_out, o);
}

dq_status dq_ask_print_ledger(const char *path, dq_error *error)
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
        (void)printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
                     "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.6f\t%.3f\n",
                     r->model, r->calls, r->answered, r->failed, r->lost, r->unreadable, r->hits, r->entries,
                     r->tokens_in, r->tokens_out, r->cost, r->seconds);
    }
    dq_arena_free(&arena);
    dq_cache_close(cache);
    return status;
}
