/* SPDX-License-Identifier: MIT
 *
 * Rows of interactions, and where a section has none of its transitions. Ids are texts here: what a
 * transition refers to by its row is looked up among those of its section, and an action that has only a
 * number is that number in digits.
 */
#include "core/pairset.h"
#include "dq/schema.h"
#include "report/ope_column.h"
#include "report/ope_log_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 256, DIGITS = 24 };

const char *const dq_ope_session_names[] = {"row", "request", "user", "episode", NULL};

/* The columns of a bundle; NULL where it has none. */
typedef struct columns {
    const char *kind;
    const dq_column *user, *item, *label, *reward, *propensity, *position, *session;
    dq_ope_column target, logged, mean;
} columns;

/* One run over the log. */
typedef struct pass {
    dq_ope_take take;
    void *arg;
    dq_ope_row rows[CHUNK];
    dq_ope_choices choices; /* that the rows' columns say */
    size_t count;
    bool any, started;
    bool served;             /* the bundle at hand is of a server's log, which knows users that came since */
    uint64_t section;        /* at hand, */
    bool interactions;       /* has some, */
    dq_strings users, items; /* and the ids of its entities, for transitions */
    dq_pairset sessions;     /* hashes of those that have begun */
    uint64_t session;        /* of the row before */
} pass;

static dq_status find_model_column(const dq_bundle *bundle, const char *name, const char *suffix,
                                   dq_ope_column *column, dq_error *error)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%.200s_%s", name, suffix);
    return dq_ope_column_find(bundle, full, column, error);
}

static dq_status lacks(const columns *c, const char *name, const char *hint, dq_error *error)
{
    return dq_fail(error, DQ_ERR_SCHEMA, "%s have no column %s%s", c->kind, name, hint);
}

static const dq_column *session_column(const dq_ope_log *log, const dq_bundle *b, const columns *c)
{
    if (log->session == DQ_OPE_SESSION_USER) return c->user;
    return dq_bundle_column(b, dq_ope_session_names[log->session]);
}

static dq_status find_columns(const dq_ope_log *log, const dq_bundle *b, columns *c, dq_error *error)
{
    *c = (columns){.kind = b->kind,
                   .user = dq_bundle_column(b, "user"),
                   .item = dq_bundle_column(b, "item"),
                   .label = dq_bundle_column(b, "label"),
                   .reward = dq_bundle_column(b, "reward"),
                   .propensity = dq_bundle_column(b, "propensity"),
                   .position = dq_bundle_column(b, "position")};
    dq_status status = DQ_OK;
    if (!c->item) c->item = dq_bundle_column(b, "choice");
    if (!c->item) return lacks(c, "item or choice", "", error);
    if (!c->user && (log->wants_users || log->users)) return lacks(c, "user", "", error);
    if (log->session != DQ_OPE_SESSION_ROW && !(c->session = session_column(log, b, c)))
        return lacks(c, dq_ope_session_names[log->session], "", error);
    if (log->wants_propensity && !c->propensity)
        return lacks(c, "propensity",
                     ": with which probability was an item shown? (--propensity estimated guesses)", error);
    if (log->target_column) status = dq_ope_column_find(b, log->target_column, &c->target, error);
    if (log->model_column && !status)
        status = find_model_column(b, log->model_column, "logged", &c->logged, error);
    if (log->model_column && !status)
        status = find_model_column(b, log->model_column, "target", &c->mean, error);
    return status;
}

/* A row's id: a text, the id of what it refers to, or digits (into digits). NULL for a null. */
static const char *id_of(const pass *p, const dq_column *c, uint64_t r, char digits[DIGITS], size_t *bytes)
{
    if (dq_column_is_null(c, r)) return NULL;
    if (c->type == DQ_TEXT) return dq_column_text(c, r, bytes);
    double number = dq_column_number(c, r);
    const dq_strings *ids = c->ref && strcmp(c->ref, DQ_KIND_USERS) == 0 ? &p->users : &p->items;
    bool named = c->ref || strcmp(c->name, "choice") == 0;
    if (named && number < (double)ids->count) return dq_strings_get(ids, (size_t)number, bytes);
    *bytes = (size_t)snprintf(digits, DIGITS, "%.0f", number);
    return digits;
}

static dq_status find_id(const pass *p, const dq_index *index, const dq_column *column, uint64_t r,
                         const char *what, uint32_t *number, dq_error *error)
{
    char digits[DIGITS];
    size_t bytes = 0;
    const char *id = id_of(p, column, r, digits, &bytes);
    *number = id ? dq_index_find(index, id, bytes) : DQ_ABSENT;
    if (*number != DQ_ABSENT) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "row %llu: the catalogue has no %s '%.*s'", (unsigned long long)r,
                   what, (int)bytes, id ? id : "");
}

static double reward_of(const dq_ope_log *log, const columns *c, uint64_t r)
{
    size_t bytes = 0;
    const char *label = c->label ? dq_column_text(c->label, r, &bytes) : NULL;
    float given = NAN;
    if (c->reward && !dq_column_is_null(c->reward, r)) given = (float)dq_column_number(c->reward, r);
    return (double)dq_label_map_reward(log->map, given, label, bytes);
}

static dq_status read_numbers(const dq_ope_log *log, const pass *p, const columns *c, uint64_t r,
                              dq_ope_row *row, dq_error *error)
{
    dq_status status = DQ_OK;
    if (log->wants_items) status = find_id(p, dq_ope_log_items(log), c->item, r, "item", &row->item, error);
    if (!status && log->wants_users)
        status = find_id(p, &log->entities.users.identity.ids, c->user, r, "user", &row->user, error);
    if (!status && !log->wants_users && log->users) {
        dq_error absent = DQ_ERROR_NONE; /* is no error here */
        (void)find_id(p, log->users, c->user, r, "user", &row->user, &absent);
    }
    if (!status && c->position && dq_column_is_null(c->position, r))
        status = dq_fail(error, DQ_ERR_SCHEMA, "row %llu has no position, others have",
                         (unsigned long long)r);
    if (!status && c->position) {
        double position = dq_column_number(c->position, r);
        row->position = position < UINT32_MAX ? (uint32_t)position - 1 : UINT32_MAX - 1;
    }
    return status;
}

/* Whether the row is of another session than the one before. A session that has ended does not go on. */
static dq_status find_session(const dq_ope_log *log, pass *p, const columns *c, uint64_t r, bool *begins,
                              dq_error *error)
{
    char digits[DIGITS];
    size_t bytes = 0;
    *begins = true;
    if (!c->session) return DQ_OK;
    const char *id = id_of(p, c->session, r, digits, &bytes);
    if (!id)
        return dq_fail(error, DQ_ERR_SCHEMA, "row %llu has no %s: of which session is it?",
                       (unsigned long long)r, dq_ope_session_names[log->session]);
    /* each section numbers its episodes */
    uint64_t hash = dq_hash(id, bytes, log->session == DQ_OPE_SESSION_EPISODE ? p->section : 0);
    *begins = !p->started || hash != p->session;
    p->session = hash;
    p->started = true;
    if (!*begins) return DQ_OK;
    bool fresh;
    const uint32_t half = INT32_MAX; /* 62 bits tell sessions apart, and none is DQ_ABSENT */
    dq_status status = dq_pairset_add(&p->sessions, (uint32_t)(hash >> 32) & half, (uint32_t)hash & half,
                                      &fresh, error);
    if (!status && !fresh)
        status = dq_fail(error, DQ_ERR_RANGE, "row %llu: the rows of '%.*s' do not stand together",
                         (unsigned long long)r, (int)bytes, id);
    return status;
}

static dq_status read_target(const dq_ope_log *log, pass *p, const columns *c, uint64_t r, dq_ope_row *row,
                             dq_error *error)
{
    char digits[DIGITS];
    size_t bytes = 0;
    const char *id = id_of(p, c->item, r, digits, &bytes);
    return dq_ope_column_probability(&c->target, r, log->wants_items ? dq_ope_log_items(log) : NULL, id,
                                     bytes, &p->choices, row, error);
}

/* A row that lacks something is left out, but of a session every row counts. */
static dq_status leave_out(const dq_ope_log *log, uint64_t r, const char *what, uint64_t *count,
                           dq_error *error)
{
    ++*count;
    if (log->session == DQ_OPE_SESSION_ROW) return DQ_OK;
    return dq_fail(error, DQ_ERR_SCHEMA, "row %llu has no %s, and a session needs all of its rows",
                   (unsigned long long)r, what);
}

static bool is_stranger(const dq_ope_log *log, const pass *p, const columns *c, uint64_t r)
{
    char digits[DIGITS];
    size_t bytes = 0;
    const char *id = id_of(p, c->user, r, digits, &bytes);
    return !id || dq_index_find(&log->entities.users.identity.ids, id, bytes) == DQ_ABSENT;
}

static dq_status read_row(dq_ope_log *log, pass *p, const columns *c, uint64_t r, dq_error *error)
{
    dq_ope_row *row = &p->rows[p->count];
    *row = (dq_ope_row){
        .user = DQ_ABSENT, .item = DQ_ABSENT, .reward = reward_of(log, c, r), .propensity = 1};
    if (isnan(row->reward)) return leave_out(log, r, "reward", &log->unrewarded, error);
    if (p->served && log->wants_users && is_stranger(log, p, c, r))
        return leave_out(log, r, "user in the catalogue", &log->strangers, error);
    if (log->wants_propensity && dq_column_is_null(c->propensity, r))
        return leave_out(log, r, "propensity", &log->unweighed, error);
    if (log->wants_propensity) row->propensity = dq_column_number(c->propensity, r);
    dq_status status = read_numbers(log, p, c, r, row, error);
    if (!status) status = find_session(log, p, c, r, &row->begins, error);
    if (!status && log->target_column) status = read_target(log, p, c, r, row, error);
    if (!status && log->model_column) status = dq_ope_column_number(&c->logged, r, &row->q, error);
    if (!status && log->model_column) status = dq_ope_column_number(&c->mean, r, &row->q_target, error);
    p->count += !status;
    return status;
}

static dq_status give(dq_ope_log *log, pass *p, dq_error *error)
{
    dq_status status = p->count ? p->take(p->arg, p->rows, p->count, error) : DQ_OK;
    log->rows += p->count;
    p->count = 0;
    dq_ope_choices_clear(&p->choices);
    return status;
}

static dq_status take_rows(dq_ope_log *log, const dq_bundle *bundle, pass *p, dq_error *error)
{
    columns c;
    dq_status status = find_columns(log, bundle, &c, error);
    for (uint64_t r = 0; r < bundle->rows && !status; r++) {
        status = read_row(log, p, &c, r, error);
        if (!status && p->count == CHUNK) status = give(log, p, error);
    }
    return status ? status : give(log, p, error);
}

static dq_status take_ids(dq_strings *ids, const dq_bundle *bundle, dq_error *error)
{
    const dq_column *id = dq_bundle_column(bundle, "id");
    dq_status status = DQ_OK;
    for (uint64_t r = 0; r < bundle->rows && !status; r++) {
        size_t bytes;
        const char *text = dq_column_text(id, r, &bytes);
        status = dq_strings_add(ids, text, bytes, error);
    }
    return status;
}

/* Whether anybody asks who a row's user is. */
static bool names_users(const dq_ope_log *log)
{
    return log->wants_users || log->users || log->session == DQ_OPE_SESSION_USER;
}

static dq_status take_bundle(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg, dq_error *error)
{
    pass *p = arg;
    bool interactions = strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0;
    if (section != p->section) {
        p->section = section;
        p->interactions = false;
        dq_strings_clear(&p->users);
        dq_strings_clear(&p->items);
    }
    if (strcmp(bundle->kind, DQ_KIND_USERS) == 0)
        return names_users(log) ? take_ids(&p->users, bundle, error) : DQ_OK;
    if (strcmp(bundle->kind, DQ_KIND_ITEMS) == 0) return take_ids(&p->items, bundle, error);
    if (!interactions && (p->interactions || strcmp(bundle->kind, DQ_KIND_TRANSITIONS) != 0)) return DQ_OK;
    if (bundle->rows == 0) return DQ_OK;
    p->interactions |= interactions;
    p->served = dq_log_kind_of(bundle) == DQ_LOG_SHOWN;
    p->any = true;
    return take_rows(log, bundle, p, error);
}

dq_status dq_ope_log_each(dq_ope_log *log, dq_ope_take take, void *arg, dq_error *error)
{
    pass p = {.take = take, .arg = arg};
    log->rows = log->unrewarded = log->unweighed = log->strangers = 0;
    dq_status status = dq_ope_log_bundles(log, log->paths, log->path_count, take_bundle, &p, error);
    dq_ope_choices_free(&p.choices);
    dq_pairset_free(&p.sessions);
    dq_strings_free(&p.users);
    dq_strings_free(&p.items);
    if (!status && !p.any)
        status = dq_fail(error, DQ_ERR_SCHEMA, "the stream has no interactions, nor transitions");
    if (!status) status = dq_log_join_check(&log->join, error);
    return status;
}
