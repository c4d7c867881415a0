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

/* Ids of an array that no row of the file has. */
static void report_unclaimed(const dq_cli *cli, const dq_common *common, const char *kind,
                             const dq_import_entities_request *r)
{
    if (r->unclaimed)
        dq_cli_say(cli, common, "%s: %" PRIu64 " id%s of %s %s of no row of %s (first: %s)", kind,
                   r->unclaimed, r->unclaimed == 1 ? "" : "s", r->id_path, r->unclaimed == 1 ? "is" : "are",
                   r->path, r->first_unclaimed);
}

/* "610 users, 9742 items (title), 100836 interactions (reward 0 to 1, time)": what was written. */
static void report_made(const dq_cli *cli, const export_options *o)
{
    enum { ROOM = 600 };
    const dq_import_request *r = &o->request;
    const dq_import_summary *s = &o->summary;
    const char *how = " made from the interactions", *column = *o->reward_name ? o->reward_name : NULL;
    char users[ROOM], items[ROOM], interactions[ROOM];
    bool joined = o->schema, events = joined ? s->interactions.rows > 0 : r->interactions != NULL;
    bool has_users = joined || r->users.path || r->users.made;
    bool has_items = joined || r->items.path || r->items.made;
    dq_import_made_describe(&s->users, "user", r->users.made ? how : "", NULL, users, sizeof users);
    dq_import_made_describe(&s->items, "item", r->items.made ? how : "", NULL, items, sizeof items);
    dq_import_made_describe(&s->interactions, "interaction", "", column, interactions, sizeof interactions);
    dq_cli_say(cli, &o->common, "%s%s%s%s%s", has_users ? users : "",
               has_users && (has_items || events) ? ", " : "", has_items ? items : "",
               has_items && events ? ", " : "", events ? interactions : "");
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
    report_unclaimed(cli, &o->common, "users", &r->users);
    report_unclaimed(cli, &o->common, "items", &r->items);
    report_made(cli, o);
    if (joined) return;
    report_empty(cli, &o->common, "users", r->users.path, &r->users.tally, r->users.selection.limit);
    report_empty(cli, &o->common, "interactions", o->schema ? o->place : r->interactions,
                 &r->interaction_tally, 1);
    report_empty(cli, &o->common, "feedback", r->feedback.path, &r->feedback.tally, 1);
    report_empty(cli, &o->common, "items", r->items.path, &r->items.tally, r->items.selection.limit);
}
