/* SPDX-License-Identifier: MIT
 *
 * A labeller in another process. The input is what it says, as bundles; of four items each is asked for. A
 * reward is finite, or none.
 */
#include "buffer.h"

#include "label/remote.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ITEMS = 4 };

static const dq_maker maker = {.program = "fuzz", .version = "0", .seed = -1};

static void add(dq_catalogue *c, const char *kind, const char *ids, uint64_t rows)
{
    static const uint32_t offsets[ITEMS + 1] = {0, 1, 2, 3, 4};
    dq_error e = DQ_ERROR_NONE;
    dq_bundle b;
    bool taken;
    if (dq_bundle_init(&b, kind, rows, &e) || dq_bundle_add_text(&b, "id", DQ_TEXT, offsets, ids, NULL, &e) ||
        dq_catalogue_add(c, &b, 0, &taken, &e))
        fuzz_fail("no catalogue: %s", e.reason);
    if (!taken) dq_bundle_free(&b);
}

static void check(const dq_remote *r, uint32_t item)
{
    size_t n;
    const char *label = dq_remote_label(r, item, &n);
    if (dq_remote_unasked(r, item) || !dq_remote_answered(r)) fuzz_fail("an item that nobody answered");
    if (isinf(dq_remote_reward(r, item)) || isinf(dq_remote_llm(r, item))) fuzz_fail("an infinite reward");
    if (label && strnlen(label, n) > n) fuzz_fail("a label without an end");
}

static void ask(const dq_catalogue *c, const char *command)
{
    static const uint32_t ahead[] = {2, 3};
    dq_error e = DQ_ERROR_NONE;
    dq_remote *remote;
    const dq_remote_config config = {.command = command, .maker = &maker, .catalogue = c, .user = 0};
    if (dq_remote_new(&remote, &config, &e)) fuzz_fail("%s", e.reason);
    dq_status status = dq_remote_need(remote, 1, ahead, 2, &e);
    if (!status) check(remote, 1);
    for (uint32_t item = 0; !status && item < ITEMS; item++) {
        status = dq_remote_need(remote, item, NULL, 0, &e);
        if (!status) check(remote, item);
    }
    status = dq_remote_end(remote, status, &e);
    if (status) fuzz_failed(&e);
}

static void read_labels(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    char path[300], command[340];
    dq_error e = DQ_ERROR_NONE;
    fuzz_buffer said = {0};
    dq_catalogue c = DQ_CATALOGUE_EMPTY;
    fuzz_make_stream(&rest, &said);
    (void)snprintf(path, sizeof path, "%s/said.dq", fuzz_folder());
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(said.data, 1, said.n, f) != said.n || fclose(f)) fuzz_fail("no file");
    (void)snprintf(command, sizeof command, "exec cat %s", path);
    add(&c, DQ_KIND_USERS, "u", 1);
    add(&c, DQ_KIND_ITEMS, "abcd", ITEMS);
    if (dq_catalogue_finish(&c, false, &e)) fuzz_fail("%s", e.reason);
    ask(&c, command);
    dq_catalogue_free(&c);
    fuzz_buffer_free(&said);
}

const fuzz_target fuzz_it = {.read = read_labels, .memory = 32 << 20, .per_byte = 4000};
