#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pipelines/cluster/parallel.sh, here and on two machines that a real sshd on the loopback serves and that share no folder: what
# parts make is what one machine makes, whatever happens to a job.

# shellcheck disable=SC2034 # settings are exported: cluster_begin
bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/../services/sshd.bash"
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/cluster.bash"

setup_file() { cluster_whole; }

setup() {
    set -o pipefail
    command -v parallel > /dev/null && parallel --version < /dev/null 2> /dev/null | grep '^GNU parallel' > /dev/null || skip "GNU parallel is absent"
    cluster_begin
}

teardown() {
    cluster_kill
    [ -z "${sshd_processes-}" ] || sshd_stop
}

begin_machines() {
    sshd_here || skip "sshd, ssh or rsync is absent (packages openssh-server, openssh-client, rsync)"
    sshd_start "$PWD"/net node1 node2
}
afar() { "$cluster"/parallel.sh -j 6 --sshlogin node1,node2 --ssh "ssh -F $PWD/net/ssh_config" < /dev/null; }

@test "six jobs on each of two machines make the agents and the lists of one; nothing is asked for twice" {
    begin_machines
    OUT="$PWD/a [1] folder"
    afar
    [ ! -d "$OUT/agents" ]
    [ "$(find "$OUT/shards" -name '*.dq' | wc -l)" = 12 ]
    cluster_same
    [ "$(awk -F'\t' 'NR > 1 { print $2 }' "$OUT/joblog" | sort -u | wc -l)" = 2 ] # both had a share
    [ "$(awk -F'\t' 'NR > 1 && $7 == 0' "$OUT/joblog" | wc -l)" = 12 ]
    # each machine trained its own, in its own folder, and together everybody once
    [ "$(find net/node[12]/dq-cluster-*/agents -name '*.dq' -printf '%f\n' | sort | uniq -d | wc -l)" = 0 ]
    [ "$(find net/node[12]/dq-cluster-*/agents -name '*.dq' | wc -l)" = 24 ]
    [ ! -e "$OUT/sent" ]
    # the same line once more begins nothing
    cp "$OUT/joblog" before
    afar
    cmp before "$OUT/joblog"
    cluster_same
}

@test "who runs all is killed: what has come back is kept, and the same line goes on" {
    export SHARDS=2
    cluster_slow 1 half
    begin_machines
    ln -s c.dq link.dq
    CATALOGUE=link.dq
    afar 2> said &
    first=$!
    until [ -e stopped-half ]; do kill -0 $first; sleep .05; done
    until [ "$(cat "$OUT/joblog" 2> /dev/null | wc -l)" = 2 ]; do kill -0 $first; sleep .05; done # of the other part
    [ ! -L "$OUT/sent/catalogue.dq" ]
    for process in $first $(sshd_served $first); do kill -KILL "$process" 2> /dev/null || true; done
    wait $first || true
    cluster_kill
    [ ! -e "$OUT/shards/2.dq" ]
    until flock -n "$OUT/.running" true; do sleep .1; done # those who served it have gone, too
    afar
    cluster_same
    # each came to its end once; GNU parallel may have noted that the other was killed, before it was killed itself
    [ "$(awk -F'\t' 'NR > 1 && $7 == 0 && $8 == 0 { print $1 }' "$OUT/joblog" | sort | paste -sd,)" = 1,2 ]
    [ "$(awk -F'\t' '$1 == 2' "$OUT/joblog" | wc -l)" = 1 ]
    # other settings are not those of the parts that are there
    SHARDS=3
    run -1 afar
    [ "$output" = "parallel.sh: $OUT/joblog is of other settings or another catalogue ($OUT/joblog.of): remove it for a new run" ]
    touch c.dq
    SHARDS=2
    run -1 afar
    rm "$OUT/joblog"
    afar
    cluster_same
}

@test "a job that is killed in the middle: the same line goes on, here" {
    export SHARDS=2
    cp -r "$cluster" "$PWD/my scripts"
    cluster="$PWD/my scripts"
    cluster_slow 1 half
    "$cluster"/parallel.sh -j 2 < /dev/null 2> said &
    first=$!
    until [ -e stopped-half ]; do kill -0 $first; sleep .05; done
    cluster_kept > kept
    [ -s kept ]
    run -1 "$cluster"/parallel.sh -j 2
    [ "$output" = "parallel.sh: another run is at work in $OUT; wait for it, or end it" ]
    xargs kill -KILL < stopped-half
    rc=0
    wait $first || rc=$?
    [ "$rc" = 1 ] # so many jobs failed
    [ ! -e "$OUT/lists.dq" ]
    "$cluster"/parallel.sh -j 2 < /dev/null
    cluster_same
    cluster_kept > end
    [ "$(comm -23 kept end | wc -l)" = 0 ]
    [ "$(awk -F'\t' 'NR > 1' "$OUT/joblog" | wc -l)" = 3 ] # two parts, and one again
}

@test "a machine that stops its jobs: they end with 75 there, and the same line goes on with what it kept" {
    export SHARDS=2
    cluster_slow 1 half
    begin_machines
    "$cluster"/parallel.sh -j 1 --sshlogin node1 --ssh "ssh -F $PWD/net/ssh_config" < /dev/null 2> said &
    first=$!
    until [ -e stopped-half ]; do kill -0 $first; sleep .05; done
    find net/node1/dq-cluster-*/agents -name '*.dq' -exec stat -c '%n %i' {} + | sort > kept
    [ -s kept ]
    read -r _ program < stopped-half
    kill -CONT "$program"
    kill -TERM "$program"
    rc=0
    wait $first || rc=$?
    [ "$rc" = 1 ] # so many jobs failed
    [ ! -e "$OUT/lists.dq" ]
    afar
    cluster_same
    find net/node1/dq-cluster-*/agents -name '*.dq' -exec stat -c '%n %i' {} + | sort > end
    [ "$(comm -23 kept end | wc -l)" = 0 ]
}

@test "with a fallback, whose model goes along, lists are made where an agent failed, and the status is an error" {
    begin_machines
    export SHARDS=3
    dq-train -q --offline --hidden 8 --no-world --epochs 1 -o all.dq < <(dq-reward -q --pairs random:5 c.dq)
    first=$(dq-cat --kind users c.dq | jq -r .id | head -1)
    for model in whole/*.dq; do [ "$model" = "whole/$first.dq" ] || cat "$model"; done > init.dq
    # shellcheck disable=SC2086 # words
    export OPTIONS="$cluster_options --init $PWD/init.dq" FALLBACK=all.dq
    run ! afar
    dq-rank -q -k 3 --format tsv --no-header --merge "$OUT/lists.dq" | cut -f 1 | sort -u > ranked
    [ "$(wc -l < ranked)" = 24 ]
    dq-rank -q -k 3 --format tsv --no-header --model all.dq --user "$first" c.dq | cmp - <(dq-rank -q -k 3 --format tsv --no-header --merge "$OUT/lists.dq" | grep "^$first	")
}
