/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>
#include <string.h>

static void report(const dq_cli *cli, const dq_common *common, const char *kind, const dq_import_tally *tally,
                   bool named)
{
    char text[4096];
    uint64_t skipped = dq_import_describe(tally, named, text, sizeof text);
    if (skipped) dq_cli_say(cli, common, "%s: %" PRIu64 " skipped: %s", kind, skipped, text);
    if (tally->others)
        dq_cli_say(cli, common, "%s: %" PRIu64 " rows of another \"kind\" were passed over", kind,
                   tally->others);
}

/* A file without rows is a stream without rows, which somebody may not have meant. */
static void report_empty(const dq_cli *cli, const dq_common *common, const char *kind, const char *path,
                         const dq_import_tally *tally, uint64_t limit)
{
    char text[8];
    if (!path || tally->used || tally->others || !limit) return;
    if (!dq_import_describe(tally, false, text, sizeof text))
        dq_cli_say(cli, common, "%s: %s has no rows", kind, path);
}

void export_report(const dq_cli *cli, const export_options *o)
{
    const dq_import_request *r = &o->request;
    bool joined = o->schema && strcmp(o->schema, EXPORT_OBD) != 0; /* from several collections */
    report(cli, &o->common, "users", &r->users.tally, joined);
    report(cli, &o->common, "interactions", &r->interaction_tally, false);
    report(cli, &o->common, "items", &r->items.tally, joined);
    report(cli, &o->common, "feedback", &r->feedback.tally, false);
    if (r->feedback.unmet)
        dq_cli_say(cli, &o->common, "feedback: %" PRIu64 " answers are to nothing that was shown",
                   r->feedback.unmet);
    if (joined) return;
    report_empty(cli, &o->common, "users", r->users.path, &r->users.tally, r->users.selection.limit);
    report_empty(cli, &o->common, "interactions", o->schema ? o->place : r->interactions,
                 &r->interaction_tally, 1);
    report_empty(cli, &o->common, "feedback", r->feedback.path, &r->feedback.tally, 1);
    report_empty(cli, &o->common, "items", r->items.path, &r->items.tally, r->items.selection.limit);
}
