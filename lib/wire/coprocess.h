/* SPDX-License-Identifier: MIT
 *
 * A process that is spoken with: a shell command whose stdin takes a stream of ours and whose stdout gives
 * one back. dq-train asks a labeller (--reward-cmd) and an environment (--env-cmd) so.
 *
 *     dq_coprocess_start(&process, "dq-reward --strategy llm ...", NULL, NULL, &maker, &e);
 *     dq_coprocess_put(process, &bundle, &e);        written and flushed; what it says meanwhile is taken in
 *     dq_coprocess_take(process, &bundle, &e);       waits for the next bundle of its stream
 *     dq_coprocess_end(process, status, &e);         our end of stream, its end of stream, its exit status
 *
 * Both ends are polled together, so that neither waits for ever on a full pipe. The command runs under
 * `sh -c` in a process group of its own, with our environment, DQ_FLUSH=1 and the variables that it is given
 * set, but without our secrets (OPENAI_API_KEY, DQ_MONGODB_URI, PGPASSWORD) that it is not trusted with; whoever of
 * that group outlives it is killed. When it dies, every call fails with DQ_ERR_IO and says which command it was
 * (error->source) and how it ended ("exited with status 1", "was killed by SIGKILL"); what it wrote on stderr
 * stays on stderr.
 */
#ifndef DQ_WIRE_COPROCESS_H
#define DQ_WIRE_COPROCESS_H

#include "dq/stream.h"

typedef struct dq_coprocess dq_coprocess;

/* variables: "NAME=value" each, ended by NULL; or NULL. trusted: the names of secrets that it may know; or
 * NULL: none. */
dq_status dq_coprocess_start(dq_coprocess **process, const char *command, const char *const *variables,
                             const char *const *trusted, const dq_maker *maker, dq_error *error);
/* The environment of a process that we start, as above; the list is the caller's to free, not its texts.
 * NULL: no memory. */
char **dq_coprocess_environment(const char *const *variables, const char *const *trusted);
/* Asked whenever a wait is interrupted, and a few times a second: true ends the wait with DQ_ERR_STOPPED. */
void dq_coprocess_stop_when(dq_coprocess *process, bool (*asked)(void));
/* How long it has, when it is ended with DQ_ERR_STOPPED, to finish what it has begun (2 s unless said). */
void dq_coprocess_wait_for(dq_coprocess *process, unsigned seconds);
/* Writes a bundle and flushes it through. To one that has exited with 0 it is no error: what it still had to
 * say, and then that it ended, is there to take. */
dq_status dq_coprocess_put(dq_coprocess *process, const dq_bundle *bundle, dq_error *error);
/* The next bundle of its stream, the caller's to free. Its end of stream is DQ_ERR_TRUNCATED here. */
dq_status dq_coprocess_take(dq_coprocess *process, dq_bundle *bundle, dq_error *error);
/* Who makes its stream (the maker of its head); NULL until the first bundle is taken. */
const dq_value *dq_coprocess_maker(const dq_coprocess *process);
/* The status it exited with, once a call has failed because it is gone; -1 when killed, or still there. */
int dq_coprocess_exit(const dq_coprocess *process);
/* Ends the conversation: with DQ_OK our stream ends properly, its rest is read, and a status other than 0 is
 * an error (asked to stop meanwhile, we wait no longer, and take what there is for all); with another status
 * it gets SIGTERM, then SIGKILL, is waited for, and status is returned. Frees. Accepts NULL. */
dq_status dq_coprocess_end(dq_coprocess *process, dq_status status, dq_error *error);

#endif
