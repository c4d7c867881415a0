#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the scripts of pipelines/cluster do by themselves, without an engine: how they hand on a stop, cut words, and join lists.

# shellcheck disable=SC2034 # settings are exported: cluster_begin
bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/cluster.bash"

setup_file() { cluster_whole; }

setup() {
    set -o pipefail
    cluster_begin
}

@test "the status of what is forwarded to is the script's; 75, once it is told to stop, unless all was done by then" {
    forwards=(bash -c '. "$0"/forward.bash; forward "$@"' "$cluster")
    "${forwards[@]}" true
    run -3 "${forwards[@]}" bash -c 'exit 3'
    run -137 "${forwards[@]}" bash -c 'kill -KILL $$'
    run -75 "${forwards[@]}" bash -c 'kill -TERM $$' # told to stop before it could hear of it
    for ends in 'exit 75:75' 'exit 0:0' 'exit 3:75'; do
        # shellcheck disable=SC2016 # of the inner shell
        "${forwards[@]}" bash -c 'trap "${0%:*}" TERM; touch ready; while :; do sleep .02; done' "$ends" &
        child=$!
        until [ -e ready ]; do kill -0 $child; sleep .02; done
        rm ready
        kill -TERM $child
        rc=0
        wait $child || rc=$?
        [ "$rc" = "${ends#*:}" ]
    done
    "${forwards[@]}" sleep 1000 & # which dies of it
    child=$!
    until [ -n "$(pgrep -P $child)" ]; do kill -0 $child; sleep .02; done
    kill -TERM $child
    rc=0
    wait $child || rc=$?
    [ "$rc" = 75 ]
}

@test "lists that something else than the score orders are joined, too; words stand on several lines" {
    export SHARDS=3 RANK=$'-k 3\n--softmax 1'
    OPTIONS=${OPTIONS/ --batch/$'\n'--batch}
    for part in 1 2 3; do "$cluster"/shard $part; done
    "$cluster"/finish
    diff -r --exclude=.lock out/agents whole
    dq-rank -q -k 3 --softmax 1 --models-dir whole c.dq | dq-cat --kind rankings | LC_ALL=C sort > one
    [ -s one ]
    dq-cat --kind rankings out/lists.dq | LC_ALL=C sort | cmp one -
    rm out/lists/2.dq
    run -1 --separate-stderr "$cluster"/finish
    [[ $stderr == "dq-cat: "*/lists/2.dq:* ]]
}

@test "lists of another form than streams are refused before anything is trained" {
    for RANK in "-k 3 --format tsv" "-f tsv" "--format=jsonl" "-o x"; do
        run -2 "$cluster"/shard 1
        [[ $output == "shard: RANK='$RANK': lists of parts are streams, "* ]]
    done
    [ ! -e out ]
}

@test "a job that Slurm does not know has failed; where it does not answer, the job is taken for running" {
    mkdir bin
    printf '#!/bin/sh\ncat "%s"/says\n' "$PWD" > bin/scontrol
    chmod +x bin/scontrol
    says() { echo "$1" > says && PATH=$PWD/bin:$PATH "$cluster"/profile/status 7; }
    [ "$(says 'slurm_load_jobs error: Invalid job id specified')" = failed ]
    [ "$(says 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)')" = running ]
    [ "$(says '')" = running ]
    [ "$(says 'JobId=7 JobName=dq   JobState=OUT_OF_MEMORY Reason=None')" = failed ]
    [ "$(says 'JobId=7 JobName=dq   JobState=COMPLETED Reason=None')" = success ]
    [ "$(says 'JobId=7 JobName=dq   JobState=COMPLETING Reason=None')" = running ]
}
