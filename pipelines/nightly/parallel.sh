#!/bin/bash
# SPDX-License-Identifier: MIT
# A night with GNU parallel: so many chunks at a time, $OUT/lists at the end.
#
#     set -a; . pipelines/nightly/night.env; CATALOGUE=catalogue.dq
#     pipelines/nightly/parallel.sh -j 8
#
# Options are GNU parallel's. $OUT/joblog says what each chunk came to; after any end the same line goes on: chunks that came to
# 0 are not begun again. Remove $OUT/joblog and $OUT/chunks for a new night. SIGTERM lets running chunks stop with what they have.
# With a FALLBACK lists are made also where a chunk failed, of the agents that are there.
set -euo pipefail
here=$(dirname "$0")
[ -d "$OUT/chunks" ] || "$here/prepare"
parallel --term-seq TERM,10000,KILL --joblog "$OUT/joblog" --resume-failed "$@" "$here/chunk" {} ::: "$OUT"/chunks/* || status=$?
[ "${status:-0}" = 0 ] || [ -n "${FALLBACK-}" ] || exit "$status"
"$here/finish"
exit "${status:-0}"
