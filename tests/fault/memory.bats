#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Little address space (ulimit -v): what the manual calls enough is enough, and with less every program ends, in
# words. OpenBLAS asks for ever where its work buffer is refused.

bats_require_minimum_version 1.5.0

setup_file() {
    [ -z "$SANITIZER" ] || return 0 # bats 1.8 takes a skip here for a failure
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH"
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 40
    dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    dq-reward -q --strategy logged -o t.dq c.dq
    dq-train -q --hidden 24,12 --world-hidden 16 --user u05 --episodes 2 --warmup 8 --batch 8 -o m.dq c.dq
}

setup() {
    [ -z "$SANITIZER" ] || skip "sanitizers reserve address space of their own"
    cd "$BATS_FILE_TMPDIR" || return
    limits=$BATS_TEST_TMPDIR
}

# MiB that the manual says are enough for a program.
enough() { grep -oE '[0-9]+ MiB of address space' "$BATS_TEST_DIRNAME/../../docs/man/$1.1.scd" | head -1 | cut -d' ' -f1; }

# Runs a command with so many MiB. Sets rc; what it said is in $limits/said.
within() { # MiB, command...
    rc=0
    (
        ulimit -v $(($1 * 1024))
        exec timeout -k 1 30 "${@:2}" > "$limits/out" 2> "$limits/said" < /dev/null
    ) || rc=$?
}

# With what the manual says it works; from there down, and up to a number of MiB, it ends as it should.
ends_in_words() { # MiB, command...
    local most=$1 least
    shift
    least=$(enough "$1")
    [ -n "$DQ_KERNELS" ] || within "$least" "$@"
    [ "$rc" = 0 ] || { echo "$least MiB: $rc: $(cat "$limits/said")"; false; }
    for ((mib = most; mib >= 24; mib -= 12)); do
        within "$mib" "$@"
        [ "$rc" != 0 ] || continue
        [ -s "$limits/said" ] || { echo "$mib MiB: $rc without a word"; false; }
        # before main: 127, the loader could not map a library; libmongoc aborts as it is loaded
        [ "$rc" = 1 ] || [ "$rc" = 127 ] || grep -q '_mongoc_do_init' "$limits/said" || { echo "$mib MiB: $rc: $(cat "$limits/said")"; false; }
    done
}

@test "dq-rank" { ends_in_words 64 dq-rank -q -t 1 --model m.dq c.dq; }
@test "dq-rank on three threads" {
    within $(($(enough dq-rank) + 2 * 80)) dq-rank -q -t 3 --model m.dq c.dq
    [ "$rc" = 0 ]
    ends_in_words 100 dq-rank -q -t 3 --model m.dq c.dq
}
@test "dq-rank by OpenBLAS" {
    export DQ_KERNELS=openblas
    within 228 dq-rank -q -t 1 --model m.dq c.dq
    [ "$rc" = 0 ]
    ends_in_words 220 dq-rank -q -t 1 --model m.dq c.dq
    within 320 dq-rank -q -t 3 --model m.dq c.dq
    [ "$rc" = 1 ]
    [ "$(cat "$limits/said")" = "dq-rank: out of memory: the matrix products of 3 threads need 384 MiB of address space (--threads 1 needs least)" ]
}
@test "dq-train online" { ends_in_words 84 dq-train -q -t 1 --hidden 24,12 --user u05 --episodes 2 --warmup 8 --batch 8 c.dq; }
@test "dq-train --offline" { ends_in_words 84 dq-train -q -t 1 --hidden 24,12 --offline --epochs 2 t.dq; }
@test "dq-train in an environment" { ends_in_words 84 dq-train -q -t 1 --env maze --total-steps 100 --warmup 8 --batch 8; }
@test "dq-plan" { ends_in_words 60 dq-plan -q -t 1 --model m.dq c.dq; }
@test "dq-eval" { ends_in_words 60 dq-eval -q -t 1 --rollout --model m.dq c.dq; }
@test "dq-export" {
    ends_in_words 72 dq-export -q -t 1 --users users.jsonl --items items.jsonl --interactions interactions.jsonl
}
@test "dq-embed" {
    ends_in_words 40 dq-embed -q -t 1 hash:64 c.dq
    ends_in_words 40 dq-embed -q -t 1 cf:16 c.dq
}
@test "dq-reward" {
    ends_in_words 40 dq-reward -q -t 1 --strategy logged c.dq
    ends_in_words 40 dq-reward -q -t 1 c.dq
}
@test "dq-sim" { ends_in_words 64 dq-sim -q -t 1 --users 3 --items 4; }
@test "dq-cat" { ends_in_words 32 dq-cat -t 1 c.dq; }

@test "what is loaded starts no thread of its own" {
    DQ_KERNELS=openblas dq-train -q -t 1 --env maze --total-steps 100000000 --warmup 8 --batch 8 > /dev/null 2>&1 3>&- &
    pid=$!
    until grep -q openblas "/proc/$pid/maps"; do kill -0 "$pid"; done
    for _ in {1..20}; do [ "$(ls "/proc/$pid/task" | wc -l)" -le 2 ]; done # its own, and one that writes
    kill "$pid"
    wait "$pid" || true
}
