/* SPDX-License-Identifier: MIT */
#include "env/env.h"

dq_env_spec dq_env_session_spec(const dq_session_layout *l, uint32_t items, const float *const *actions)
{
    return (dq_env_spec){.state_width = (uint32_t)dq_session_state_width(l),
                         .user_width = l->user_width,
                         .history = l->mean ? 0 : l->history, /* a mean is no item */
                         .item_width = l->item_width,
                         .action_count = items,
                         .action_width = actions ? l->item_width : 0,
                         .actions = actions,
                         .layout = *l};
}

static bool layout_agrees(const dq_env_spec *s)
{
    const dq_session_layout *l = &s->layout;
    if (l->item_width == 0) return true;
    return !dq_session_layout_check(l, NULL) && s->state_width == dq_session_state_width(l) &&
           s->user_width == l->user_width && s->item_width == l->item_width &&
           s->history == (l->mean ? 0 : l->history);
}

dq_status dq_env_spec_check(const dq_env_spec *s, dq_error *error)
{
    if (s->state_width == 0 || s->action_count == 0)
        return dq_fail(error, DQ_ERR_RANGE, "an environment needs a state and an action");
    if (s->history && s->item_width == 0)
        return dq_fail(error, DQ_ERR_RANGE, "a history of %u items without a width", s->history);
    if (s->user_width + (uint64_t)s->history * s->item_width > s->state_width)
        return dq_fail(error, DQ_ERR_RANGE, "a state of %u has no room for user and history", s->state_width);
    if ((s->action_width > 0) != (s->actions != NULL))
        return dq_fail(error, DQ_ERR_RANGE, "vectors of actions %u wide, and there are %s", s->action_width,
                       s->actions ? "some" : "none");
    if (s->item_width && s->action_width && s->item_width != s->action_width)
        return dq_fail(error, DQ_ERR_RANGE, "items %u wide, and actions %u", s->item_width, s->action_width);
    if (s->states.count && s->states.width != s->state_width)
        return dq_fail(error, DQ_ERR_RANGE, "states %u wide, and numbered ones %u", s->state_width,
                       s->states.width);
    if (!layout_agrees(s)) return dq_fail(error, DQ_ERR_RANGE, "a layout of other states than these");
    return DQ_OK;
}

bool dq_env_spec_same(const dq_env_spec *a, const dq_env_spec *b)
{
    return a->state_width == b->state_width && a->action_count == b->action_count &&
           a->user_width == b->user_width && a->history == b->history && a->item_width == b->item_width &&
           a->action_width == b->action_width && !dq_session_layout_fits(&a->layout, &b->layout, NULL);
}
