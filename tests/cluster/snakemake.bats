#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pipelines/cluster/Snakefile, on this machine and, by its profile, on a real Slurm of two nodes on the loopback.

# shellcheck disable=SC2034 # settings are exported: cluster_begin
bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/../services/slurm.bash"
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/cluster.bash"

setup_file() { cluster_whole; }

setup() {
    set -o pipefail
    command -v snakemake > /dev/null || skip "the package snakemake is not installed"
    cluster_begin
    export XDG_CACHE_HOME=$PWD/cache # Snakemake keeps sources there
}

teardown() {
    cluster_kill
    [ -z "${slurm_processes-}" ] || slurm_stop
}

@test "here: a part that is killed in the middle is run again, and goes on; the same line then has nothing to do" {
    export SHARDS=3
    cluster_slow 1 half
    snakemake -s "$cluster"/Snakefile -c 2 < /dev/null 2> said &
    first=$!
    until [ -e stopped-half ]; do kill -0 $first; sleep .05; done
    cluster_kept > kept
    [ -s kept ]
    xargs kill -KILL < stopped-half
    wait $first || { cat said >&2; false; }
    cluster_same
    cluster_kept > end
    [ "$(comm -23 kept end | wc -l)" = 0 ]
    run -0 snakemake -s "$cluster"/Snakefile -c 2
    [[ $output == *"Nothing to be done"* ]]
    RANK="-k 2" run -0 snakemake -n -s "$cluster"/Snakefile -c 2 # other settings
    [[ $output == *"rule part:"* ]]
    dq-sim -q --users 24 --items 20 --seed 9 -o c.dq # of another catalogue all is made anew
    run -0 snakemake -n -s "$cluster"/Snakefile -c 2
    [[ $output == *"rule part:"* ]]
}

@test "here, with a fallback: lists are made where an agent failed, which is said" {
    dq-train -q --offline --hidden 8 --no-world --epochs 1 -o all.dq < <(dq-reward -q --pairs random:5 c.dq)
    first=$(dq-cat --kind users c.dq | jq -r .id | head -1)
    for model in whole/*.dq; do [ "$model" = "whole/$first.dq" ] || cat "$model"; done > init.dq
    export SHARDS=2 OPTIONS="$cluster_options --init $PWD/init.dq"
    run -1 snakemake -s "$cluster"/Snakefile -c 2 < /dev/null
    [ ! -e "$OUT/lists.dq" ]
    export FALLBACK=all.dq
    run -0 snakemake -s "$cluster"/Snakefile -c 2 < /dev/null
    [[ $output == *"user $first: several models to start from, and none for this user"* ]]
    dq-rank -q -k 3 --format tsv --no-header --merge "$OUT/lists.dq" > lists
    [ "$(cut -f 1 lists | sort -u | wc -l)" = 24 ]
    dq-rank -q -k 3 --format tsv --no-header --model all.dq --user "$first" c.dq | cmp - <(grep "^$first	" lists)
}

@test "on Slurm, by the profile: parts are jobs of two nodes" {
    slurm_here || skip "Slurm and MUNGE are absent (packages slurm-wlm and munge), or we are not root"
    slurm_start "$PWD"/slurm 2 6
    snakemake -s "$cluster"/Snakefile --profile "$cluster"/profile -j 12 < /dev/null 2> said || { tail -50 said "$OUT"/log/* slurm/slurmctld.log >&2; false; }
    cluster_same
    [ "$(grep -c 'sched: Allocate JobId=' slurm/slurmctld.log)" = 12 ] # lists are made here
    grep -q 'NodeList=n1 ' slurm/slurmctld.log
    grep -q 'NodeList=n2 ' slurm/slurmctld.log
}

@test "on Slurm: what it says of a job is what Snakemake hears" {
    slurm_here || skip "Slurm and MUNGE are absent (packages slurm-wlm and munge), or we are not root"
    slurm_start "$PWD"/slurm 1 2
    status() { "$cluster"/profile/status "$1"; }
    becomes() { [ "$(status "$1")" = "$2" ]; }
    run -0 status 4711
    [ "$output" = failed ]
    done=$(sbatch --parsable --output=/dev/null --wrap true)
    lost=$(sbatch --parsable --output=/dev/null --wrap 'exit 3')
    long=$(sbatch --parsable --output=/dev/null --wrap 'exec sleep 1000')
    [ "$(status "$long")" = running ]
    slurm_await 300 becomes "$done" success
    slurm_await 300 becomes "$lost" failed
    scancel "$long"
    slurm_await 300 becomes "$long" failed
}
