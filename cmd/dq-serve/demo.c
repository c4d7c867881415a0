/* SPDX-License-Identifier: MIT
 *
 * --demo: data and models that are made here. Where no files are named for them, they live in a folder of
 * their own, which goes when the server does.
 */
#include "serve.h"

#include "serve/demo/demo.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- where it all lives ---- */

/* What dq-sim's labels are worth, and an item that was passed over. */
static const char made_up_labels[] = "PURCHASE=1,RATING=1,CLICK=0.2,VIEW=0,IGNORE=-0.1";
static const char catalogue_name[] = "catalogue.dq", model_name[] = "model.dq";

static char folder[PATH_MAX]; /* that was made; it outlives the command line's arena */

/* NULL: memory is short, and the arena has failed. */
static const char *join(dq_cli *cli, const char *name)
{
    char path[PATH_MAX + 16];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return dq_arena_text(&cli->arena, path, (size_t)n);
}

static void remove_folder(void)
{
    static const char *const names[] = {catalogue_name, model_name};
    char path[PATH_MAX + 16];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

/* It goes however the program ends, but by a signal that nobody waits for. */
static dq_status make_folder(dq_error *error)
{
    const char *temporary = getenv("TMPDIR");
    int n = snprintf(folder, sizeof folder, "%s/dq-serve-XXXXXX",
                     temporary && *temporary ? temporary : "/tmp");
    if (n < 0 || (size_t)n >= sizeof folder || !mkdtemp(folder))
        return dq_fail_errno(error, errno, "--demo: cannot make %s", folder);
    return atexit(remove_folder) ? dq_fail_memory(error, "options") : DQ_OK;
}

dq_status serve_demo_prepare(serve_options *o, dq_cli *cli, dq_error *error)
{
    if (!o->demo) return DQ_OK;
    o->may_lack = true;
    if (o->catalogue && o->models.count) return DQ_OK;
    dq_status status = make_folder(error);
    if (status) return status;
    if (!o->catalogue && !dq_cli_given(cli, "map")) o->map = made_up_labels;
    if (!o->catalogue) o->catalogue = join(cli, catalogue_name);
    if (!o->models.count) o->models.at[o->models.count++] = join(cli, model_name);
    return cli->arena.failed ? dq_fail_memory(error, "options") : DQ_OK;
}

/* ---- the part ---- */

/* The folder of this program: where its companions are, too. */
static const char *own_folder(char path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (n <= 0) return NULL;
    path[n] = '\0';
    return dirname(path); /* in place: NOLINT(concurrency-mt-unsafe) */
}

static dq_status open_demo(dq_serve *serve, const serve_options *o, dq_cli *cli, dq_error *error)
{
    char path[PATH_MAX];
    (void)cli;
    if (!o->demo) return DQ_OK;
    const dq_serve_demo_config config = {.programs = own_folder(path), .log = o->log, .map = o->map};
    return dq_serve_demo_new(&serve->demo, &config, serve, error);
}

static void quiesce_demo(dq_serve *serve)
{
    dq_serve_demo_stop(serve->demo);
}

static dq_status close_demo(dq_serve *serve, dq_error *error)
{
    (void)error;
    dq_serve_demo_free(serve->demo);
    serve->demo = NULL;
    return DQ_OK;
}

const serve_part serve_demo_part = {.open = open_demo, .quiesce = quiesce_demo, .close = close_demo};
