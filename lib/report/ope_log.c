/* SPDX-License-Identifier: MIT */
#include "report/ope_log.h"

#include "core/pairset.h"
#include "dq/schema.h"
#include "report/ope_column.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 256 };

const dq_index *dq_ope_log_items(const dq_ope_log *log)
{
    return log->items_of_log ? &log->logged_items : &log->entities.items.identity.ids;
}

bool dq_ope_log_again(const dq_ope_log *log)
{
    struct stat is;
    for (size_t i = 0; i < log->path_count; i++)
        if (stat(log->paths[i], &is) != 0 || !S_ISREG(is.st_mode)) return false;
    return log->path_count > 0;
}

void dq_ope_log_free(dq_ope_log *log)
{
    dq_catalogue_free(&log->entities);
    dq_index_free(&log->logged_items);
}

/* ---- items and users ---- */

typedef dq_status (*take_bundle)(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg,
                                 dq_error *error);

static dq_status each_bundle(dq_ope_log *log, const char *const *paths, size_t count, take_bundle take,
                             void *arg, dq_error *error)
{
    dq_reader *reader;
    dq_bundle bundle;
    int got = 0;
    dq_status status = dq_reader_open(&reader, paths, count, error);
    if (status) return status;
    while (!status && (got = dq_reader_next(reader, &bundle, error)) > 0) {
        status = take(log, &bundle, dq_reader_section(reader), arg, error);
        dq_bundle_free(&bundle);
        if (status) dq_error_at(error, dq_reader_source(reader), dq_reader_record(reader));
    }
    dq_reader_close(reader);
    return got < 0 ? error->status : status;
}

static dq_status take_entities(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg,
                               dq_error *error)
{
    bool taken, users = strcmp(bundle->kind, DQ_KIND_USERS) == 0;
    (void)arg;
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) == 0 || (users && !log->wants_users)) return DQ_OK;
    return dq_catalogue_add(&log->entities, bundle, section, &taken, error);
}

static dq_status take_item_ids(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg,
                               dq_error *error)
{
    dq_status status = DQ_OK;
    (void)section, (void)arg;
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0) return DQ_OK;
    const dq_column *item = dq_bundle_column(bundle, "item");
    for (uint64_t r = 0; r < bundle->rows && !status; r++) {
        size_t bytes;
        uint32_t row;
        const char *id = dq_column_text(item, r, &bytes);
        status = dq_index_add(&log->logged_items, id, bytes, &row, NULL, error);
    }
    return status;
}

dq_status dq_ope_log_open(dq_ope_log *log, dq_error *error)
{
    dq_status status = DQ_OK;
    if (!log->wants_items && !log->wants_users) return DQ_OK;
    if (!log->catalogue && !dq_ope_log_again(log))
        return dq_fail(
            error, DQ_ERR_UNSUPPORTED,
            "items come after the rows, and what is read is no file to read again: name the items' "
            "stream, or a file");
    if (log->catalogue)
        status = each_bundle(log, &log->catalogue, 1, take_entities, NULL, error);
    else
        status = each_bundle(log, log->paths, log->path_count, take_entities, NULL, error);
    if (dq_entities_count(&log->entities.users) == 0) log->wants_users = false;
    log->items_of_log = dq_entities_count(&log->entities.items) == 0;
    if (!status && log->items_of_log && log->catalogue)
        status = dq_fail(error, DQ_ERR_SCHEMA, "%s: there are no items in it", log->catalogue);
    if (!status && log->items_of_log)
        status = each_bundle(log, log->paths, log->path_count, take_item_ids, NULL, error);
    return status;
}

/* ---- rows ---- */

/* The columns of a bundle; NULL where it has none. */
typedef struct columns {
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
    dq_pairset sessions; /* hashes of those that have begun */
    uint64_t session;    /* of the row before */
} pass;

static dq_status find_model_column(const dq_bundle *bundle, const char *name, const char *suffix,
                                   dq_ope_column *column, dq_error *error)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%.200s_%s", name, suffix);
    return dq_ope_column_find(bundle, full, column, error);
}

static dq_status find_columns(const dq_ope_log *log, const dq_bundle *b, columns *c, dq_error *error)
{
    *c = (columns){.user = dq_bundle_column(b, "user"),
                   .item = dq_bundle_column(b, "item"),
                   .label = dq_bundle_column(b, "label"),
                   .reward = dq_bundle_column(b, "reward"),
                   .propensity = dq_bundle_column(b, "propensity"),
                   .position = dq_bundle_column(b, "position")};
    dq_status status = DQ_OK;
    if (log->session != DQ_OPE_SESSION_ROW)
        c->session = log->session == DQ_OPE_SESSION_USER ? c->user : dq_bundle_column(b, "request");
    if (log->session != DQ_OPE_SESSION_ROW && !c->session)
        return dq_fail(error, DQ_ERR_SCHEMA, "interactions have no column request");
    if (log->wants_propensity && !c->propensity)
        return dq_fail(error, DQ_ERR_SCHEMA,
                       "interactions have no column propensity: with which probability was an item shown? "
                       "(--propensity estimated guesses)");
    if (log->target_column) status = dq_ope_column_find(b, log->target_column, &c->target, error);
    if (log->model_column && !status)
        status = find_model_column(b, log->model_column, "logged", &c->logged, error);
    if (log->model_column && !status)
        status = find_model_column(b, log->model_column, "target", &c->mean, error);
    return status;
}

static dq_status find_id(const dq_index *index, const dq_column *column, uint64_t r, const char *what,
                         uint32_t *number, dq_error *error)
{
    size_t bytes;
    const char *id = dq_column_text(column, r, &bytes);
    *number = dq_index_find(index, id, bytes);
    if (*number != DQ_ABSENT) return DQ_OK;
    return dq_fail(error, DQ_ERR_UNKNOWN, "row %llu: the catalogue has no %s '%.*s'", (unsigned long long)r,
                   what, (int)bytes, id);
}

static double reward_of(const dq_ope_log *log, const columns *c, uint64_t r)
{
    size_t bytes = 0;
    const char *label = c->label ? dq_column_text(c->label, r, &bytes) : NULL;
    float given = NAN;
    if (c->reward && !dq_column_is_null(c->reward, r)) given = (float)dq_column_number(c->reward, r);
    return (double)dq_label_map_reward(log->map, given, label, bytes);
}

static dq_status read_numbers(const dq_ope_log *log, const columns *c, uint64_t r, dq_ope_row *row,
                              dq_error *error)
{
    dq_status status = DQ_OK;
    if (log->wants_items) status = find_id(dq_ope_log_items(log), c->item, r, "item", &row->item, error);
    if (!status && log->wants_users)
        status = find_id(&log->entities.users.identity.ids, c->user, r, "user", &row->user, error);
    if (!status && !log->wants_users && log->users) {
        size_t bytes;
        const char *id = dq_column_text(c->user, r, &bytes);
        row->user = dq_index_find(log->users, id, bytes);
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
static dq_status find_session(pass *p, const columns *c, uint64_t r, bool *begins, dq_error *error)
{
    size_t bytes = 0;
    const char *id = c->session ? dq_column_text(c->session, r, &bytes) : NULL;
    *begins = true;
    if (!id) {
        p->started = false;
        return DQ_OK;
    }
    uint64_t hash = dq_hash(id, bytes, 0);
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
    size_t bytes;
    const char *id = dq_column_text(c->item, r, &bytes);
    return dq_ope_column_probability(&c->target, r, log->wants_items ? dq_ope_log_items(log) : NULL, id,
                                     bytes, &p->choices, row, error);
}

static dq_status read_row(dq_ope_log *log, pass *p, const columns *c, uint64_t r, dq_error *error)
{
    dq_ope_row *row = &p->rows[p->count];
    *row = (dq_ope_row){
        .user = DQ_ABSENT, .item = DQ_ABSENT, .reward = reward_of(log, c, r), .propensity = 1};
    if (isnan(row->reward)) {
        log->unrewarded++;
        return DQ_OK;
    }
    if (log->wants_propensity && dq_column_is_null(c->propensity, r)) {
        log->unweighed++;
        return DQ_OK;
    }
    if (log->wants_propensity) row->propensity = dq_column_number(c->propensity, r);
    dq_status status = read_numbers(log, c, r, row, error);
    if (!status) status = find_session(p, c, r, &row->begins, error);
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

static dq_status take_rows(dq_ope_log *log, dq_bundle *bundle, uint64_t section, void *arg, dq_error *error)
{
    pass *p = arg;
    columns c;
    (void)section;
    if (strcmp(bundle->kind, DQ_KIND_INTERACTIONS) != 0 || bundle->rows == 0) return DQ_OK;
    p->any = true;
    dq_status status = find_columns(log, bundle, &c, error);
    for (uint64_t r = 0; r < bundle->rows && !status; r++) {
        status = read_row(log, p, &c, r, error);
        if (!status && p->count == CHUNK) status = give(log, p, error);
    }
    return status ? status : give(log, p, error);
}

dq_status dq_ope_log_each(dq_ope_log *log, dq_ope_take take, void *arg, dq_error *error)
{
    pass p = {.take = take, .arg = arg};
    log->rows = log->unrewarded = log->unweighed = 0;
    dq_status status = each_bundle(log, log->paths, log->path_count, take_rows, &p, error);
    dq_ope_choices_free(&p.choices);
    dq_pairset_free(&p.sessions);
    if (!status && !p.any) status = dq_fail(error, DQ_ERR_SCHEMA, "the stream has no interactions");
    return status;
}
