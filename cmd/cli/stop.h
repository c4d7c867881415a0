/* SPDX-License-Identifier: MIT
 *
 * Notes SIGINT, SIGTERM and SIGHUP (a terminal or an ssh session that closed), so that a program stops at a
 * safe point: whoever works asks (dq_stop_asked), keeps what there is, and ends with DQ_ERR_STOPPED. A SIGHUP
 * that the process was started to ignore (nohup) stays ignored. The library catches no signals: what it runs
 * for long is handed dq_stop_asked as a callback.
 */
#ifndef DQ_CLI_STOP_H
#define DQ_CLI_STOP_H

#include <stdbool.h>

/* Notes signals from now on, however many come. */
void dq_stop_catch(void);
/* The same for the first; a second SIGINT or SIGTERM ends the process. A terminal that closes sends SIGHUP
 * twice, so all of them are noted. */
void dq_stop_catch_once(void);
/* Signals do again what they did before they were caught. Without that, it does nothing. */
void dq_stop_release(void);

/* What was asked for is kept: another SIGINT or SIGTERM ends the process while it waits for others. */
void dq_stop_release_impatient(void);

/* The work is kept, and what is left is to write it to the output of that name. A file: signals are noted and
 * nobody asks, but a second SIGINT or SIGTERM ends the process. Stdout (NULL or "-"), where a pipe may be
 * full: as dq_stop_release. Where no signal was caught it does nothing. */
void dq_stop_finish(const char *output);

/* Whether one came; it stays true. From any thread, and from a signal handler. */
bool dq_stop_asked(void);

/* Ends the process by the signal that was noted, so that its parent sees which it was. Returns when none was.
 */
void dq_stop_end(void);

#endif
