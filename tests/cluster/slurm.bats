#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pipelines/cluster/slurm.sh on a real Slurm of two nodes on the loopback: what an array of parts makes is what one machine makes,
# whatever happens to a task or a node.

# shellcheck disable=SC2034 # settings are exported: cluster_begin
bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/../services/slurm.bash"
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/cluster.bash"

setup_file() { cluster_whole; }

setup() {
    set -o pipefail
    slurm_here || skip "Slurm and MUNGE are absent (packages slurm-wlm and munge), or we are not root"
    cluster_begin
    slurm_start "$PWD"/slurm 2 6
}

teardown() {
    cluster_kill
    [ -z "${slurm_processes-}" ] || slurm_stop
}

# Until the lists are there; jobs that are queued again begin at once.
lists_are_there() {
    slurm_hurry
    [ -e "$OUT/lists.dq" ]
}
await_lists() { slurm_await 1800 lists_are_there || { squeue -l; tail -n 20 "$OUT"/*.log slurm/slurmctld.log; false; } >&2; }

# How often a task began again.
restarts() { grep -cE "^\[[^]]*\] .*[Rr]equeu.* JobId=${1}_$2\(" slurm/slurmctld.log; }

@test "twelve tasks on two nodes make the agents and the lists of one machine" {
    "$cluster"/slurm.sh > submitted
    [ "$(wc -l < submitted)" = 2 ]
    await_lists
    cluster_same
    grep -q 'NodeList=n1 ' slurm/slurmctld.log
    grep -q 'NodeList=n2 ' slurm/slurmctld.log
    # the same line once more trains nothing
    find "$OUT/agents" -name '*.dq' -exec stat -c '%n %i' {} + | sort > before
    rm "$OUT/lists.dq"
    "$cluster"/slurm.sh > submitted
    await_lists
    find "$OUT/agents" -name '*.dq' -exec stat -c '%n %i' {} + | sort | cmp before -
}

@test "TERM: a task that is told to stop ends with 75, is queued again, and goes on" {
    export SHARDS=3
    cluster_slow 2 never
    "$cluster"/slurm.sh > submitted
    slurm_await 600 test -d "$OUT/never"
    # it says that the task is already queued again, and would try again itself
    timeout 5 scancel --signal=TERM --batch "$(head -1 submitted)_2" || true
    await_lists
    grep -q 'the same command goes on from' "$OUT/2.log"
    cluster_same
}

@test "KILL: a task whose program is killed in the middle is queued again, and keeps what was trained" {
    export SHARDS=2
    cluster_slow 1 half
    "$cluster"/slurm.sh > submitted
    slurm_await 600 test -e stopped-half
    cluster_kept > kept
    [ -s kept ]
    xargs kill -KILL < stopped-half
    await_lists
    cluster_same
    cluster_kept > end
    [ "$(comm -23 kept end | wc -l)" = 0 ] # none of those was trained again
}

@test "a node that is lost: its tasks are begun anew on another" {
    export SHARDS=2
    cluster_slow 1 never
    "$cluster"/slurm.sh --nodelist=n1 > submitted
    slurm_await 600 test -d "$OUT/never"
    for job in $(squeue -h -r -t PENDING -o %A); do scontrol update JobId="$job" ReqNodeList=n2 2> /dev/null || true; done
    scontrol update NodeName=n1 State=DOWN Reason=lost
    for job in $(squeue -h -r -o %A); do scontrol update JobId="$job" ReqNodeList= 2> /dev/null || true; done
    await_lists
    cluster_same
}

@test "tasks that a person has cancelled keep what is trained, and are not queued again" {
    SHARDS=2
    cluster_slow 1 half
    "$cluster"/slurm.sh > submitted
    slurm_await 600 test -e stopped-half
    cluster_kept > kept
    read -r _ program < stopped-half
    scancel "$(head -1 submitted)"
    kill -CONT "$program" # who stands still hears of nothing
    slurm_await 600 slurm_quiet
    sleep 1
    slurm_quiet
    run ! grep -i 'requeuing job' slurm/slurmctld.log
    "$cluster"/slurm.sh > submitted
    await_lists
    cluster_same
    cluster_kept > end
    [ "$(comm -23 kept end | wc -l)" = 0 ]
}

@test "a task that is killed each time is given up when its restarts are used up, in words; the others stay" {
    export SHARDS=2 RESTARTS=1
    cluster_slow 1 killed
    "$cluster"/slurm.sh > submitted
    given_up() { slurm_hurry; grep -q 'part 1: ended with 137 after 1 restarts; not queued again' "$OUT/1.log" 2> /dev/null && slurm_quiet; }
    slurm_await 1200 given_up || { squeue -l; tail "$OUT"/*.log; false; } >&2
    [ ! -e "$OUT/lists.dq" ]
    [ -s "$OUT/lists/2.dq" ]
    rm -r bin # and the same line goes on
    "$cluster"/slurm.sh > submitted
    await_lists
    cluster_same
}
