/* SPDX-License-Identifier: MIT */
#include "serve/online/promote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "a" "b" "c" as one text of malloc's; NULL: no memory. */
static char *join(const char *a, const char *b, const char *c)
{
    size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(n);
    if (text) (void)snprintf(text, n, "%s%s%s", a, b, c);
    return text;
}

char *dq_promotion_held(const char *place)
{
    return join(place, ".held", "");
}

static dq_status write_to(const dq_promotion *p, const char *path, const dq_bundle *model, dq_error *error)
{
    dq_writer *writer;
    dq_status status = dq_writer_open(&writer, path, p->maker, p->inputs, p->input_count, error);
    if (status) return status;
    status = dq_writer_put(writer, model, error);
    if (!status) return dq_writer_close(writer, error);
    dq_writer_abort(writer);
    return status;
}

static dq_status ask(const dq_promotion *p, const char *candidate, dq_command_end *end, dq_error *error)
{
    char *variables[] = {join("DQ_CANDIDATE=", candidate, ""), join("DQ_STANDING=", p->standing, ""),
                         join("DQ_LOG=", p->log, ""), join("DQ_HELD=", p->held, ""), NULL};
    bool ok = variables[0] && variables[1] && variables[2] && variables[3];
    dq_status status = ok ? dq_command_run(p->command, (const char *const *)variables, p->echo, p->stop_asked,
                                           end, error)
                          : dq_fail_memory(error, "a command");
    for (size_t i = 0; i < 4; i++) free(variables[i]);
    return status;
}

static dq_status note_verdict(const dq_promotion *p, const dq_command_end *end, dq_bundle *model,
                              dq_error *error)
{
    dq_arena *arena = &model->arena;
    dq_value judged = dq_map();
    if (dq_map_set(arena, &judged, "command", dq_string(arena, p->told)) &&
        dq_map_set(arena, &judged, "verdict", dq_string(arena, end->last)) &&
        dq_map_set(arena, &model->meta, "judged", judged))
        return DQ_OK;
    return dq_fail_memory(error, "a model");
}

static dq_status keep_refused(const char *candidate, const char *refused, dq_error *error)
{
    if (rename(candidate, refused) == 0) return DQ_OK;
    return dq_fail_errno(error, errno, "cannot keep what was refused");
}

static dq_status judge(const dq_promotion *p, const char *candidate, const char *refused, dq_bundle *model,
                       dq_command_end *end, dq_error *error)
{
    dq_status status = write_to(p, candidate, model, error);
    if (!status) status = ask(p, candidate, end, error);
    if (!status && end->exit != 0) return keep_refused(candidate, refused, error);
    if (!status) status = note_verdict(p, end, model, error);
    if (!status) status = write_to(p, p->place, model, error);
    (void)unlink(candidate);
    return status;
}

dq_status dq_promote(const dq_promotion *p, dq_bundle *model, dq_command_end *end, dq_error *error)
{
    if (!p->command) return write_to(p, p->place, model, error);
    char *candidate = join(p->place, ".candidate", ""), *refused = join(p->place, ".refused", "");
    dq_status status = candidate && refused ? judge(p, candidate, refused, model, end, error)
                                            : dq_fail_memory(error, "a file's name");
    free(candidate);
    free(refused);
    return status;
}
