#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --mpi: one agent by several processes. Ranks are of this machine, started by Open MPI's mpirun.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 40 60
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward --strategy logged -o t.dq c.dq
}

setup() {
    set -o pipefail
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 DQ_THREADS=1
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/[ct].dq .
    started=
}

teardown() {
    [ -z "$started" ] || kill -TERM "$started" 2> /dev/null || true # and with it its ranks
}

with_mpi() {
    [ -x "$BUILD"/libexec/dq-train-mpi ] || skip "built without Open MPI (make deps-cluster)"
    command -v mpirun > /dev/null || skip "mpirun is not installed (make deps-cluster)"
}

small=(--offline --agent dqn --hidden 64,32 --seed 7)
rows=(--loss mse --features none --negatives 2 --batch 16)

# Ranks are more than cores, and are not told apart by them.
mpi=(mpirun -q --oversubscribe --bind-to none --mca btl_vader_single_copy_mechanism none)

# ranks N WORD...: mpirun's ranks of the words.
ranks() {
    local n=$1
    shift
    "${mpi[@]}" -n "$n" "$@"
}

# start N OPTION...: such ranks that train, in the background.
start() {
    local n=$1
    shift
    "${mpi[@]}" -n "$n" "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --mpi "$@" 2> said 3>&- &
    started=$!
}

# Waits until there is a file of that name.
wait_for() {
    local i
    for ((i = 0; i < 600; i++)); do
        [ ! -s "$1" ] || return 0
        sleep 0.1
    done
    return 1
}

# ends_with STATUS: what was started ends, with this status.
ends_with() {
    local rc=0
    wait "$started" || rc=$?
    started=
    [ "$rc" = "$1" ]
}

# The processes that mpirun has started.
children() { cat /proc/"$started"/task/*/children; }

# Whether a process runs: one that nobody has waited for does not.
runs() { grep -q '^State:[[:space:]][^Z]' /proc/"$1"/status 2> /dev/null; }

# same OPTION...: one process and 1, 2 and 4 ranks leave the same bytes, and say the same.
same() {
    local n
    "$BUILD"/dq-train "${small[@]}" --tiles 4 -l log.0 -o 0.dq "$@" 2> said.0
    for n in 1 2 4; do
        ranks $n "$BUILD"/dq-train "${small[@]}" --mpi --tiles 4 -l log.$n -o $n.dq "$@" 2> said.$n
        cmp 0.dq $n.dq
        cmp log.0 log.$n
        cmp said.0 said.$n
    done
    rm ./[0124].dq log.* said.*
}

@test "1, 2 and 4 ranks, and one process, leave the same bytes" {
    with_mpi
    same "${rows[@]}" --epochs 3 t.dq
    same "${rows[@]}" --epochs 2 --gamma 0.9 --dropout 0.3 --target-every 5 --validation 0.3 --best-by ndcg t.dq
    same --loss huber --features pairs --gamma 0.9 --candidates 10 --conservative 0.5 --epochs 2 t.dq
    same --head outputs --gamma 0.9 --double --epochs 2 t.dq
    same --sessions --history 2 --batch 32 --epochs 2 c.dq
    same "${rows[@]}" --q-models 2 --epochs 1 t.dq
}

@test "ranks whose tiles have no row at all, and batches without one, are no fault" {
    with_mpi
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 1 30
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl | "$BUILD"/dq-reward --strategy logged -o one.dq
    same "${rows[@]}" --epochs 2 one.dq
    same --loss mse --features none --batch 1 --epochs 2 t.dq
}

@test "transitions with vectors for states are shared likewise" {
    with_mpi
    "$BUILD"/dq-sim maze:steps=30 --play 30 --seed 3 -o s.dq
    same --loss mse --batch 64 --epochs 2 s.dq
}

@test "tiles are 8 where nobody says how many, and change the bytes" {
    with_mpi
    "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 --tiles 8 -q -o 8.dq t.dq
    "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 -q -o 0.dq t.dq
    ranks 2 "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 --mpi -q -o m.dq t.dq
    cmp 8.dq m.dq
    run ! cmp -s 0.dq 8.dq
}

@test "a stop of one rank is one of all, and another number of ranks goes on" {
    with_mpi
    "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 40 --tiles 8 -q -l log -o whole.dq t.dq
    start 2 --epochs 40 -c ck -l stopped -o m.dq t.dq
    wait_for ck
    # shellcheck disable=SC2207 # numbers
    pids=($(children))
    kill -TERM "${pids[1]}"
    ends_with 75
    [ "$(grep -c 'dq-train: stopped after' said)" = 1 ]
    [ ! -e m.dq ]
    cp ck ck.alone
    "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 40 --tiles 8 -q -c ck.alone -o alone.dq t.dq
    cmp whole.dq alone.dq
    ranks 4 "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 40 --mpi -q -c ck -l stopped -o m.dq t.dq
    cmp whole.dq m.dq
    cmp log stopped
}

@test "a rank that is killed ends all, nothing is left but the checkpoint, and that goes on" {
    with_mpi
    "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 40 --tiles 8 -q -o whole.dq t.dq
    for victim in 0 1 3; do
        rm -f ck said
        start 4 --epochs 40 -c ck -o m.dq t.dq
        wait_for ck
        # shellcheck disable=SC2207 # numbers
        pids=($(children))
        kill -KILL "${pids[victim]}"
        ends_with 137
        [ "$(grep -vE '^dq-train: (epoch|[0-9]+ rows)' said)" = "dq-train: rank $victim (process ${pids[victim]}) was killed, or has crashed: all ranks end; the same command goes on from ck" ]
        for pid in "${pids[@]}"; do run ! runs "$pid"; done
        [ "$(find . -name '*m.dq*' | wc -l)" = 0 ]
        ranks 2 "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 40 --mpi -q -c ck -o m.dq t.dq
        cmp whole.dq m.dq
        rm m.dq
    done
}

@test "the vectors of the catalogue stand once in the memory of the node" {
    with_mpi
    /usr/bin/python3 - << 'END'
import json, random
random.seed(1)
for name, n in ("users", 500), ("items", 4000):
    with open(name + ".jsonl", "w") as f:
        for i in range(n):
            print(json.dumps({"id": f"{name[0]}{i}", "vector": [round(random.random(), 3) for _ in range(1500)]}), file=f)
with open("interactions.jsonl", "w") as f:
    for i in range(2000):
        print(json.dumps({"user": f"u{i % 500}", "item": f"i{i}", "label": random.choice(["APPLY", "IGNORE"])}), file=f)
END
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl | "$BUILD"/dq-reward --strategy logged -o wide.dq
    ranks 2 "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 --mpi -q -o m.dq wide.dq
    "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 --tiles 8 -q -o one.dq wide.dq
    cmp one.dq m.dq
    start 2 --epochs 100000 -c ck wide.dq -o never.dq
    wait_for ck
    for pid in $(children); do # 27 MB of vectors
        private=$(awk '/^RssAnon/ { print $2 }' /proc/"$pid"/status)
        shared=$(awk '/^RssShmem/ { print $2 }' /proc/"$pid"/status)
        echo "$pid: $private kB of its own, $shared kB shared"
        [ "$shared" -gt 1000 ]
        [ "$private" -lt 26000 ]
    done
    kill -TERM "$started"
    wait "$started" || true
    started=
}

@test "what all ranks would say is one line, and the exit code is one process's" {
    with_mpi
    "$BUILD"/dq-reward --strategy logged --map APPLY=3e38,SAVE=0,CLICK=0,IGNORE=-3e38 -o huge.dq c.dq
    fails() { # exit code, words, WORD...
        local code=$1 words=$2
        shift 2
        run -"$code" --separate-stderr ranks 2 "$BUILD"/dq-train "$@"
        echo "$stderr"
        [[ $stderr == "$words"* ]]
        [ "${#stderr_lines[@]}" = 1 ]
        [ ! -e m.dq ]
    }
    fails 1 "dq-train: none.dq: cannot open" "${small[@]}" "${rows[@]}" --mpi -o m.dq none.dq
    fails 1 "dq-train: no transition with a reward" "${small[@]}" "${rows[@]}" --mpi -o m.dq c.dq
    fails 1 "dq-train: /dev/full: cannot write" "${small[@]}" "${rows[@]}" --epochs 1 --mpi -q -o /dev/full t.dq
    fails 1 "dq-train: training has diverged" "${small[@]}" "${rows[@]}" --mpi -q -o m.dq huge.dq
    fails 1 "dq-train: 2 ranks for 1 tiles: --tiles 2" "${small[@]}" "${rows[@]}" --tiles 1 --mpi -o m.dq t.dq
    fails 2 "dq-train: --mpi needs files to read" "${small[@]}" "${rows[@]}" --mpi -o m.dq
    fails 2 "dq-train: --mpi needs --output FILE" "${small[@]}" "${rows[@]}" --mpi t.dq
    fails 2 "dq-train: --mpi needs --output FILE" "${small[@]}" "${rows[@]}" --mpi -o - t.dq
    fails 2 "dq-train: --init -: with --mpi" "${small[@]}" "${rows[@]}" --mpi --init - -o m.dq t.dq
    fails 2 "dq-train: --batch: 0 is not between" "${small[@]}" --batch 0 --mpi -o m.dq t.dq
    fails 2 "dq-train: --mpi needs --agent dqn" --offline --mpi -o m.dq t.dq
    run -1 --separate-stderr ranks 3 "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --mpi -o m.dq t.dq
    [[ $stderr == *"dq-train: 3 ranks: their number must be a power of two"* ]]
}

@test "what one rank alone meets, it says itself: another file, another checkpoint" {
    with_mpi
    "$BUILD"/dq-reward --strategy logged --map APPLY=0.5,SAVE=1,CLICK=0,IGNORE=0 -o other.dq c.dq
    mkdir 0 1
    cp t.dq 0/t.dq
    cp other.dq 1/t.dq
    # shellcheck disable=SC2016 # the ranks' shells expand it
    in_place='cd "$OMPI_COMM_WORLD_RANK" && exec "$@"'
    run -1 --separate-stderr ranks 2 sh -c "$in_place" sh "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --mpi -q -o m.dq t.dq
    [ "$stderr" = "dq-train: rank 1 has another input than rank 0: files must be the same wherever ranks run" ]
    rm 1/t.dq
    run -1 --separate-stderr ranks 2 sh -c "$in_place" sh "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --mpi -q -o m.dq t.dq
    [[ $stderr == "dq-train: t.dq: cannot open"* ]]
    cp t.dq 1/t.dq
    ranks 2 sh -c "$in_place" sh "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 --mpi -q -c ck -o m.dq t.dq
    [ -e 0/ck ]
    [ ! -e 1/ck ]
    run -1 --separate-stderr ranks 2 sh -c "$in_place" sh "$BUILD"/dq-train "${small[@]}" "${rows[@]}" --epochs 1 --mpi -q -c ck -o m.dq t.dq
    [[ $stderr == "dq-train: rank 1 has another checkpoint than rank 0"* ]]
}

@test "ranks of other options, and of other kernels of products, are told apart" {
    with_mpi
    local one=("$BUILD"/dq-train "${small[@]}" "${rows[@]}" --mpi -q -o m.dq t.dq)
    run -1 --separate-stderr "${mpi[@]}" -n 1 "${one[@]}" : -n 1 "${one[@]}" --gamma 0.5
    [ "$stderr" = "dq-train: rank 1 has other options than rank 0: all are started with the same words" ]
    # shellcheck disable=SC2016 # the ranks' shells expand it
    kernels='[ "$OMPI_COMM_WORLD_RANK" = 0 ] && export DQ_KERNELS=plain || export DQ_KERNELS=openblas; exec "$@"'
    run -1 --separate-stderr ranks 2 sh -c "$kernels" sh "${one[@]}"
    [[ $stderr == "dq-train: rank 1 has other kernels of products than rank 0, which give other bits: "* ]]
    [ ! -e m.dq ]
}

@test "dq-train asks for no MPI, and says what is missing where dq-train-mpi is" {
    run ! grep -q 'libmpi' <(ldd "$BUILD"/dq-train)
    cp "$BUILD"/dq-train .
    run -1 --separate-stderr ./dq-train "${small[@]}" "${rows[@]}" --mpi -o m.dq t.dq
    [[ $stderr == "dq-train: --mpi is dq-train-mpi's, which is not to be run (No such file or directory): make builds it where Open MPI is"* ]]
    with_mpi
    run --separate-stderr ranks 4 ./dq-train "${small[@]}" "${rows[@]}" --mpi -o m.dq t.dq
    [ "$status" = 1 ]
    [ "${#stderr_lines[@]}" = 1 ]
}
