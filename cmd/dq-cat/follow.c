/* SPDX-License-Identifier: MIT */
#include "follow.h"

#include "cli/stop.h"

enum { WAIT = 500 /* milliseconds, after which a signal is looked for */ };

dq_status cat_follow_run(const cat_follow *f, uint64_t *position, dq_error *error)
{
    dq_log_follow *log;
    dq_bundle bundle;
    uint64_t section = 0;
    *position = f->position;
    dq_status status = dq_log_follow_open(&log, f->path, f->position, error);
    if (status) return status;
    dq_stop_catch();
    while (!status && !f->enough(f->arg) && !dq_stop_asked()) {
        uint64_t behind;
        int got = dq_log_follow_next(log, &bundle, &behind, error);
        if (got < 0) status = error->status;
        if (got > 0) {
            status = f->put(f->arg, &bundle, section++, error);
            dq_bundle_free(&bundle);
            *position = behind;
        } else if (got == 0) {
            f->flush(f->arg);
            dq_log_follow_wait(log, WAIT);
        }
    }
    dq_log_follow_close(log);
    return status;
}
