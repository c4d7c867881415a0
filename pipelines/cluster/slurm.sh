#!/bin/bash
# SPDX-License-Identifier: MIT
# Agents of all users by a Slurm array, a task a part of the users, and the lists when all are done.
#
#     set -a; . pipelines/cluster/cluster.env; CATALOGUE=catalogue.dq
#     pipelines/cluster/slurm.sh --time=04:00:00 --mem=2G
#
# Options are sbatch's; the array's number is printed, then that of the lists. The folder is shared by all nodes. A task that is
# told to stop (two minutes before its time is over, or where somebody preempts it) keeps what is trained and is queued again; so is
# one whose program was killed, $RESTARTS times in all. After any end the same line goes on.
#SBATCH --job-name=dq
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail
if [ -z "${SLURM_ARRAY_TASK_ID-}" ]; then # who submits
    here=$(cd "$(dirname "$0")" && pwd)
    export CLUSTER=$here OUT CATALOGUE SHARDS OPTIONS RANK FALLBACK THREADS RESTARTS
    mkdir -p "$OUT" || exit
    job=$(sbatch --parsable --export=ALL --array="1-$SHARDS" --cpus-per-task="${THREADS:-1}" --output="$OUT/%a.log" "$@" "$here/slurm.sh") || exit
    echo "$job"
    # with a fallback also when agents failed; else there would be none for them, and the job goes
    after=afterok
    [ -z "${FALLBACK-}" ] || after=afterany
    sbatch --parsable --export=ALL --dependency="$after:$job" --kill-on-invalid-dep=yes --job-name=dq-lists --output="$OUT/lists.log" "$@" "$here/finish"
    exit
fi
. "$CLUSTER/forward.bash"
forward "$CLUSTER/shard" "$SLURM_ARRAY_TASK_ID"
status=$?
state=$(scontrol show job "$SLURM_JOB_ID" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
case $status:$state in
75:RUNNING | 137:RUNNING) # told to stop; killed, as by a kernel that is short of memory. Whom a person has cancelled is neither
    if [ "${SLURM_RESTART_COUNT:-0}" -ge "${RESTARTS:-20}" ]; then
        echo "part $SLURM_ARRAY_TASK_ID: ended with $status after ${RESTARTS:-20} restarts; not queued again (a greater RESTARTS, or a longer --time; or the same line once more)" >&2
        exit "$status"
    fi
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    ;;
esac
exit $status
