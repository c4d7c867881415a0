/* SPDX-License-Identifier: MIT
 *
 * --first-pass int8: shortlists by a network in 8 bits, ranked by their exact scores; and what that finds of
 * the exact lists.
 */
#include "ranking.h"

#include "rank/shortlist/shortlist.h"

dq_status ranking_check_first_pass(ranking *r, dq_error *error)
{
    if (!r->options->first_pass) return DQ_OK;
    const dq_rank_block none = {.width = r->items.width};
    const char *why = NULL;
    dq_error of_network = DQ_ERROR_NONE;
    if (r->sessions.on)
        why = "an agent of sessions, or with an output for each item, costs nothing an item";
    else if (rank_agents_each(&r->agents))
        why = "each user has a model of his own, and packing that costs more than it saves";
    else if (!r->scorer.net_count)
        why = "it is for a model's network: the cosine is as fast as memory";
    else if (dq_rank_scorer_needs_lists(&r->scorer))
        why = "the network is given features of pairs, which are no vectors";
    else if (dq_rank_scorer_first_pass(&r->scorer, NULL, 0, &none, NULL, &of_network))
        why = of_network.reason;
    if (of_network.status == DQ_ERR_MEMORY) return dq_fail(error, DQ_ERR_MEMORY, "%s", why);
    return why ? dq_fail(error, DQ_ERR_UNSUPPORTED, "--first-pass int8: %s", why) : DQ_OK;
}

dq_status ranking_open_exact(ranking *r, const dq_rank_config *config, dq_error *error)
{
    if (!r->options->measure_recall) return DQ_OK;
    dq_rank_config exact = *config;
    exact.shortlist = 0;
    return dq_rank_lists_open(&r->exact, &exact, &r->catalogue.users, error);
}

dq_status ranking_offer_exact(ranking *r, dq_error *error)
{
    if (!r->options->measure_recall) return DQ_OK;
    return dq_rank_lists_offer(&r->exact, &r->scorer, &r->block, 0, r->exact.count, error);
}

dq_status ranking_second_pass(ranking *r, dq_error *error)
{
    if (!r->options->first_pass) return DQ_OK;
    return dq_shortlist_rescore(&r->lists, &r->scorer, error);
}

void ranking_say_recall(ranking *r, const dq_cli *cli)
{
    size_t full;
    if (!r->options->measure_recall) return;
    double recall = dq_shortlist_recall(&r->lists, NULL, &r->exact, &full);
    dq_cli_say(
        cli, &r->options->common,
        "--first-pass int8 --shortlist %zu: recall %.4f of the exact %zu best; the same list for %zu of "
        "%zu users",
        rank_shortlist(r->options), recall, (size_t)r->options->k, full, r->exact.count);
}
