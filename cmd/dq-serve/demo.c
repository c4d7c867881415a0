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

static const char *folder; /* that was made */

static const char *join(dq_cli *cli, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    const char *copy = n > 0 && (size_t)n < sizeof path ? dq_arena_text(&cli->arena, path, (size_t)n) : NULL;
    if (!copy) dq_cli_usage(cli, "--demo: the temporary folder's name is too long");
    return copy;
}

static void remove_folder(void)
{
    static const char *const names[] = {catalogue_name, model_name};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

/* It goes however the program ends, but by a signal that nobody waits for. */
static void make_folder(dq_cli *cli)
{
    char path[PATH_MAX];
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/dq-serve-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    folder = mkdtemp(path) ? dq_arena_text(&cli->arena, path, strlen(path)) : NULL;
    if (!folder) dq_cli_usage(cli, "--demo: cannot make %s: %s", path, strerror(errno));
    (void)atexit(remove_folder);
}

void serve_demo_prepare(serve_options *o, dq_cli *cli)
{
    if (!o->demo) return;
    o->may_lack = true;
    if (o->catalogue && o->models.count) return;
    make_folder(cli);
    if (!o->catalogue && !dq_cli_given(cli, "map")) o->map = made_up_labels;
    if (!o->catalogue) o->catalogue = join(cli, catalogue_name);
    if (!o->models.count) o->models.at[o->models.count++] = join(cli, model_name);
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
