/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>

static void report(const dq_cli *cli, const dq_common *common, const char *kind, const dq_import_tally *tally,
                   bool named)
{
    char text[4096];
    uint64_t skipped = dq_import_describe(tally, named, text, sizeof text);
    if (skipped) dq_cli_say(cli, common, "%s: %" PRIu64 " skipped: %s", kind, skipped, text);
}

void export_report(const dq_cli *cli, const export_options *o)
{
    bool joined = o->schema != NULL; /* from several collections */
    report(cli, &o->common, "users", &o->request.users.tally, joined);
    report(cli, &o->common, "interactions", &o->request.interaction_tally, false);
    report(cli, &o->common, "items", &o->request.items.tally, joined);
}
