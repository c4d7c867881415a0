#!/bin/bash
# SPDX-License-Identifier: MIT
# A night with Slurm: an array of chunks, and the lists when all are done.
#
#     set -a; . pipelines/nightly/night.env; CATALOGUE=catalogue.dq
#     pipelines/nightly/slurm.sh --time=04:00:00 --mem=2G
#
# Options are sbatch's; the array's number is printed, then the lists'. The folder is shared by all nodes. Two minutes before
# its time is over a task gets SIGTERM, keeps what it has (status 75) and is queued again, as it is where somebody preempts it.
# The same line goes on after any end.
#SBATCH --job-name=night
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail
if [ -z "${SLURM_ARRAY_TASK_ID-}" ]; then # who submits
    here=$(cd "$(dirname "$0")" && pwd)
    export NIGHT=$here
    [ -d "$OUT/chunks" ] || "$here/prepare" || exit
    chunks=("$OUT"/chunks/*)
    job=$(sbatch --parsable --export=ALL --array="0-$((${#chunks[@]} - 1))" --output="$OUT/%a.log" "$@" "$here/slurm.sh") || exit
    echo "$job"
    # with a fallback also when agents failed; else there would be none for them, and the job goes
    after=afterok
    [ -z "${FALLBACK-}" ] || after=afterany
    sbatch --parsable --export=ALL --dependency="$after:$job" --kill-on-invalid-dep=yes --job-name=night-lists --output="$OUT/lists.log" "$@" "$here/finish" || exit
    exit 0
fi
chunks=("$OUT"/chunks/*)
"$NIGHT/chunk" "${chunks[SLURM_ARRAY_TASK_ID]}" &
child=$!
trap 'kill -TERM $child' TERM # wait returns at once, and is called again
until wait $child; status=$?; ! kill -0 $child 2>/dev/null; do :; done
case $status in 75 | 143) # told to stop (143: before dq-train could hear of it), and not by one who has cancelled it
    ! scontrol show job "$SLURM_JOB_ID" | grep 'JobState=RUNNING' >/dev/null || scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ;;
esac
exit $status
