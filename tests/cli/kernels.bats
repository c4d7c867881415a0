#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The kernels of matrix products: the best that this CPU has are found, a user's choice wins, what the network promises
# holds on each, and dq's own give one result.

bats_require_minimum_version 1.5.0

cpu=" $(grep -m1 '^flags' /proc/cpuinfo) "
avx2() { [[ $cpu == *" avx2 "* && $cpu == *" fma "* ]]; }
avx512() { [[ $cpu == *" avx512f "* && $cpu == *" avx512bw "* && $cpu == *" avx512dq "* && $cpu == *" avx512vl "* ]]; }

teardown() { [ -z "${server-}" ] || kill "$server" 2> /dev/null || true; }

# dq's kernels that this CPU can run, the plain form aside.
own() {
    avx2 && echo avx2
    avx2 && avx512 && echo avx512
    return 0
}

# OpenBLAS's that it can run, by their names.
openblas() {
    echo Prescott
    [[ $cpu == *" avx "* ]] && echo Sandybridge
    avx2 && echo Haswell && echo Zen
    avx512 && echo SkylakeX
    return 0
}

setup() {
    [ "$(uname -m)" = x86_64 ] || skip "the kernels named here are x86-64's"
    unset OPENBLAS_CORETYPE DQ_KERNELS
}

# What --version says after the program's own line.
version() { "$BUILD"/dq-rank --version | tail -1; }

@test "kernels are as good as the CPU's flags allow, without being told" {
    core=$(version)
    case $(own | tail -1) in
    avx512) [ "$core" = "dq AVX-512" ] ;;
    avx2) [ "$core" = "dq AVX2" ] ;;
    *) [[ $core == "OpenBLAS "* ]] ;;
    esac
}

@test "OpenBLAS is made to take kernels as good as the CPU's flags allow" {
    core=$(DQ_KERNELS=openblas version)
    case $(openblas | tail -1) in
    SkylakeX) [[ $core == "OpenBLAS "@(SkylakeX|Cooperlake|SapphireRapids) ]] ;;
    Zen) [[ $core == "OpenBLAS "@(Haswell|Zen) ]] ;;
    *) [[ $core == "OpenBLAS "?* ]] ;;
    esac
}

@test "a user's DQ_KERNELS wins, then OPENBLAS_CORETYPE" {
    for core in Prescott $(openblas | tail -1); do
        [ "$(OPENBLAS_CORETYPE=$core version)" = "OpenBLAS $core" ]
    done
    [ "$(DQ_KERNELS=plain version)" = "dq plain" ]
    [ "$(DQ_KERNELS=plain OPENBLAS_CORETYPE=Prescott version)" = "dq plain" ]
    [ "$(DQ_KERNELS=openblas OPENBLAS_CORETYPE=Prescott version)" = "OpenBLAS Prescott" ]
    [ "$(DQ_KERNELS='' OPENBLAS_CORETYPE=Prescott version)" = "OpenBLAS Prescott" ]
    [ "$(DQ_KERNELS='' OPENBLAS_CORETYPE='' version)" = "$(version)" ]
}

@test "a word that names no kernels is an error with those that there are" {
    run -1 env DQ_KERNELS=abacus "$BUILD"/dq-train -q --env maze --total-steps 20 --warmup 8 --batch 8
    [[ $output == *"DQ_KERNELS=abacus: this CPU has no such kernels (it has "*"plain)"* ]]
    [[ $(DQ_KERNELS=abacus version) == @(dq|OpenBLAS)" "*", not as it should be: DQ_KERNELS=abacus: this CPU has no such"* ]]
}

# A trainer that has next to nothing to do; its words.
train() { "$@" --env maze --total-steps 20 --warmup 8 --batch 8 -o "$BATS_TEST_TMPDIR/m.dq"; }

@test "the plain form is not taken without a word" {
    run -0 train env DQ_KERNELS=plain "$BUILD"/dq-train
    [[ $output == *"dq-train: warning: products of matrices take many times as long as they could: DQ_KERNELS asks for the plain form"* ]]
    [ "$(grep -c 'warning' <<<"$output")" = 1 ]
    run -0 train env DQ_KERNELS=plain "$BUILD"/dq-train -q
    [ "$output" = '' ]
    [[ $(version) == 'dq plain'* ]] || { run -0 train "$BUILD"/dq-train && [[ $output != *warning* ]]; }
    cd "$BATS_TEST_TMPDIR"
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 2 4
    "$BUILD"/dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    run -0 env DQ_KERNELS=plain "$BUILD"/dq-rank --by popularity -o r.dq c.dq # multiplies nothing
    [[ $output != *"products of matrices"* ]]
    DQ_KERNELS=plain "$BUILD"/dq-serve --demo --listen 127.0.0.1:0 2> words < /dev/null 3>&- & server=$!
    until grep -q 'listening at' words; do kill -0 "$server"; sleep 0.05; done
    kill "$server"
    wait "$server"
    server=
    grep -q '^dq-serve: warning: products of matrices .*: DQ_KERNELS asks for the plain form$' words
}

@test "a CPU without AVX2, where OpenBLAS is not there either, is told of" {
    command -v qemu-x86_64 > /dev/null || skip 'no qemu-x86_64 (Debian: qemu-user)'
    [ -z "$SANITIZER" ] || skip 'a sanitizer does not run in an emulator'
    cd "$BATS_TEST_TMPDIR"
    LC_ALL=C sed 's/libopenblas\([-a-z0-9.]*\.so\.\)/l1bopenblas\1/g' "$BUILD"/dq-train > dq-train
    run ! cmp -s dq-train "$BUILD"/dq-train
    chmod 755 dq-train
    words='products of matrices take many times as long as they could: this CPU has no AVX2 with FMA, and '
    run -0 train qemu-x86_64 -cpu Nehalem ./dq-train
    [[ $output == *"dq-train: warning: $words"*"l1bopenblas"*"Debian's package is libopenblas0"* ]]
    [[ $(qemu-x86_64 -cpu Nehalem ./dq-train --version) == *"dq plain; $words"*"l1bopenblas"* ]]
    [[ $(qemu-x86_64 -cpu Nehalem "$BUILD"/dq-train --version) == *"OpenBLAS "* ]]
}

@test "products and networks keep their promises on every kernel" {
    for kernels in $(own | head -n -1); do # the best ones are those of every other test
        echo "$kernels"
        DQ_KERNELS=$kernels "$BUILD"/unit/test_math
        DQ_KERNELS=$kernels "$BUILD"/unit/test_net
    done
    for core in $(openblas); do
        echo "$core"
        OPENBLAS_CORETYPE=$core "$BUILD"/unit/test_math
        OPENBLAS_CORETYPE=$core "$BUILD"/unit/test_net
    done
}

@test "training and ranking give the same bytes on all of dq's kernels" {
    cd "$BATS_TEST_TMPDIR"
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 40
    "$BUILD"/dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward -q --strategy logged -o t.dq c.dq
    one=$(DQ_KERNELS=plain results)
    [ "$(wc -l <<< "$one")" = 4 ]
    for kernels in $(own); do
        other=$(DQ_KERNELS=$kernels results)
        echo "$kernels: $other"
        [ "$other" = "$one" ]
    done
}

# Digests of what an agent, the same in bfloat16 (whose kernels go with the word, too), a model of the rows and a ranking
# come to.
results() {
    for precision in bf16 f32; do
        "$BUILD"/dq-train -q --precision $precision --hidden 24,12 --world-hidden 16 --seed 7 --batch 8 --warmup 40 --episodes 6 \
            --steps 20 --candidates 15 --target-every 50 --planning 3 --user u05 -o m.dq c.dq
        zstd -dcq m.dq | sha256sum
    done
    "$BUILD"/dq-train -q --offline --hidden 24,12 --seed 7 --batch 16 --negatives 2 --epochs 4 -o o.dq t.dq
    "$BUILD"/dq-rank -q --model m.dq --top 10 -o r.dq c.dq
    for file in o.dq r.dq; do zstd -dcq $file | sha256sum; done
}
