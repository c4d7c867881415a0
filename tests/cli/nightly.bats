#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The same night by each engine of pipelines/nightly, interrupted and gone on: the agents and the lists are those of one command.
# An engine that is not installed is skipped.

bats_require_minimum_version 1.5.0

tiny="--reward cosine --hidden 4 --world-hidden 4 --batch 4 --warmup 5 --replay 50 --episodes 2 --steps 10"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BUILD"/dq-sim -q --users 30 --items 20 -o c.dq
    # shellcheck disable=SC2086 # words
    "$BUILD"/dq-train -q --each-user $tiny --models-dir whole c.dq
    "$BUILD"/dq-rank -q -k 3 --format tsv --models-dir whole -o lists c.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    nightly=$(cd "$BATS_TEST_DIRNAME/../../pipelines/nightly" && pwd)
    ln -s "$BATS_FILE_TMPDIR"/{c.dq,whole,lists} .
    PATH=$BUILD:$PATH
    set -a
    # shellcheck source=/dev/null
    . "$nightly"/night.env
    export CATALOGUE=c.dq OUT=night OPTIONS=$tiny RANK="-q -k 3 --format tsv" CHUNK=7
    set +a
}

teardown() {
    [ -z "${slurm_processes-}" ] || slurm_stop
}

same() {
    diff -r night/agents whole/
    cmp night/lists lists
}

# A dq-train in front of the real one, whose second chunk would once never end, and for which then stands what stdin says:
# $words are the words of that night.
never_ending() {
    mkdir bin
    cat > rest
    cat - rest > bin/dq-train << END
#!/bin/bash
words=("\$@")
[ ! -e night/stopped ] && [[ "\$*" == *chunks/0001* ]] || exec "$BUILD"/dq-train "\$@"
touch night/stopped
for i in "\${!words[@]}"; do
    case \${words[i]} in
    --episodes) words[i+1]=1000000 ;;
    --models-dir) words[i+1]=night/never ;;
    esac
done
END
    chmod +x bin/dq-train
    PATH=$PWD/bin:$PATH
}

# It is stopped when its workers are there: as by a machine that goes down.
stop_once() {
    never_ending << END
"$BUILD"/dq-train "\${words[@]}" 2> night/said &
pid=\$!
until pgrep -P \$pid > night/workers; do kill -0 \$pid || exit 99; done
kill -TERM \$pid
wait \$pid
END
}

@test "make: a chunk that is stopped ends with 75, the others go on, and the same line goes on" {
    stop_once
    run ! make -s -j2 -k -f "$nightly"/nightly.mk BUILD="$PWD"/bin
    [[ $output == *"Error 75"* ]]
    grep -q 'the same command goes on from' night/said
    [ ! -e night/lists ]
    [ "$(find night/done -type f | wc -l)" = 4 ]
    make -s -j2 -k -f "$nightly"/nightly.mk BUILD="$PWD"/bin
    same
    make -q -f "$nightly"/nightly.mk BUILD="$PWD"/bin night/lists
}

@test "GNU parallel: what did not come to 0 is run again" {
    command -v parallel > /dev/null && parallel --version < /dev/null 2> /dev/null | grep -q '^GNU parallel' || skip "GNU parallel is absent"
    stop_once
    run ! "$nightly"/parallel.sh -j 2 < /dev/null
    [ "$(awk 'NR > 1 && $7 == 75' night/joblog | wc -l)" = 1 ]
    [ ! -e night/lists ]
    "$nightly"/parallel.sh -j 2 < /dev/null
    same
    [ "$(awk 'NR > 1' night/joblog | wc -l)" = 6 ] # five chunks, and one again
}

# A model to start from that one user lacks: his agent fails, and the lists are made with the fallback.
one_fails() {
    dq-train -q --offline --hidden 8 --no-world --epochs 1 -o all.dq < <(dq-reward -q --pairs random:5 c.dq)
    local first model
    first=$(dq-cat --kind users c.dq | jq -r .id | head -1)
    for model in whole/*.dq; do [ "$model" = "whole/$first.dq" ] || cat "$model"; done > init.dq
    export OPTIONS="$tiny --init init.dq" FALLBACK=all.dq
}

@test "make, GNU parallel: a failed agent is not the night's end: with a fallback the lists are made, and the status is an error" {
    one_fails
    run ! make -s -j2 -k -f "$nightly"/nightly.mk
    [ "$(find night/agents -name '*.dq' | wc -l)" = 29 ]
    dq-rank -q -k 3 --format tsv --fallback all.dq --models-dir night/agents c.dq | cmp - night/lists
    command -v parallel > /dev/null && parallel --version < /dev/null 2> /dev/null | grep -q '^GNU parallel' || skip "GNU parallel is absent"
    rm -r night
    run ! "$nightly"/parallel.sh -j 2 < /dev/null
    dq-rank -q -k 3 --format tsv --fallback all.dq --models-dir night/agents c.dq | cmp - night/lists
    export FALLBACK=
    rm night/lists
    run ! "$nightly"/parallel.sh -j 2 < /dev/null
    [ ! -e night/lists ]
}

@test "systemd: the units are sound, and shut up what they run" {
    command -v systemd-analyze > /dev/null || skip "systemd-analyze is absent"
    for unit in dq-night.service dq-night.timer; do
        sed "s,/usr/share/doc/dq-recommend/pipelines/nightly,$nightly,g" "$nightly/$unit" > "$unit"
    done
    run -0 systemd-analyze verify --man=no ./dq-night.timer ./dq-night.service
    [ -z "$output" ]
    systemd-analyze security --offline=true --threshold=20 ./dq-night.service > /dev/null
    # what they run, with the settings as systemd reads them
    [ "$(sed -n 's/^ExecStart=//p; s/^ExecStopPost=//p' dq-night.service)" = "$nightly/chunk
$nightly/finish" ]
    EXIT_STATUS=75 "$nightly"/finish
    [ ! -e night/lists ]
}

@test "systemd: the timer starts a night" {
    [ -d /run/systemd/system ] || skip "systemd does not run here"
    skip "a unit of the system is not installed by a test"
}

@test "Slurm: an array of chunks; with FAULTS=full a task that has to stop is queued again and goes on" {
    # shellcheck source=/dev/null
    . "$BATS_TEST_DIRNAME"/../services/slurm.bash
    slurm_here || skip "Slurm and MUNGE are absent (packages slurm-wlm and munge), or we are not root"
    slurm_start "$PWD"/slurm
    export CATALOGUE=$PWD/c.dq
    export OUT=$PWD/night
    [ "${FAULTS-}" != full ] || never_ending <<< "exec \"$BUILD\"/dq-train \"\${words[@]}\"" # until its task is told to stop
    "$nightly"/slurm.sh > submitted
    if [ "${FAULTS-}" = full ]; then # Slurm queues a task again half a minute later: make check-full
        slurm_await 600 test -d night/never
        # it says that the task is already queued again, and would try again itself
        timeout 5 scancel --signal=TERM --batch "$(head -1 submitted)_1" || true
    fi
    slurm_await 1200 test -e night/lists || { squeue -l; tail -n 20 night/*.log slurm/slurmctld.log; false; } >&2
    [ "${FAULTS-}" != full ] || grep -q 'the same command goes on from' night/1.log
    same
}
