#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --precision bf16: recorded, the same whatever the threads or interruptions, read by whoever reads models, and
# refused where there are no such products.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 40
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward --strategy logged -o t.dq c.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/c.dq "$BATS_FILE_TMPDIR"/t.dq .
}

small=(--quiet --precision bf16 --hidden 160,140 --world-hidden 16 --seed 7)
short=(--batch 8 --warmup 40 --episodes 6 --steps 20 --candidates 15 --target-every 50 --planning 2)
online() { last "$BUILD"/dq-train "${small[@]}" "${short[@]}" "$@"; }
payload() { zstd -dcq "$1" | sha256sum; }

@test "it is recorded, and makes other weights" {
    online --user u05 -o b.dq c.dq
    online --user u05 --precision f32 -o f.dq c.dq
    "$BUILD"/dq-cat --kind model b.dq | head -1 | jq -e '.meta.q.precision == 1 and .meta.agent.precision == 1'
    [ "$(zstd -dcq b.dq | grep -ac bf16)" -gt 0 ] # in the record of the command
    "$BUILD"/dq-cat --kind model f.dq | head -1 | jq -e '.meta.q.precision == 0'
    weights() { "$BUILD"/dq-cat --kind model "$1" | jq -c 'select(.name == "q.hidden.0.weight").data' | sha256sum; }
    [ "$("$BUILD"/dq-cat --kind model b.dq | jq -c 'select(.name == "q.hidden.0.weight").data' | wc -c)" -gt 1000 ]
    [ "$(weights b.dq)" != "$(weights f.dq)" ]
}

@test "threads and interruptions do not matter" {
    online --user u05 -t 1 -o a.dq c.dq
    online --user u05 -t 2 -o b.dq c.dq
    [ "$(payload a.dq)" = "$(payload b.dq)" ]
    last_of "$BUILD"/dq-train "${small[@]}" "${short[@]}" --user u05 --checkpoint ck --checkpoint-every 1 -o on.dq c.dq
    "$BUILD"/dq-train "${line[@]}" 2> said &
    pid=$!
    until [ -e ck ]; do kill -0 "$pid" 2> /dev/null || break; done
    kill -TERM "$pid" 2> /dev/null || true # at a moment that nobody chose
    wait "$pid" || true
    "$BUILD"/dq-train "${line[@]}"
    [ "$(payload a.dq)" = "$(payload on.dq)" ]
}

@test "agents of each user, offline training, other heads and a transformer" {
    last "$BUILD"/dq-train "${small[@]}" "${short[@]}" --each-user --models-dir models c.dq
    "$BUILD"/dq-rank -q --models-dir models -k 3 c.dq --format tsv | grep -q u05
    for loss in mse softmax; do
        last "$BUILD"/dq-train --offline "${small[@]}" --loss $loss --batch 8 --epochs 3 -o m.dq t.dq
        "$BUILD"/dq-rank -q --model m.dq -k 3 c.dq --format tsv | grep -q u05
    done
    last "$BUILD"/dq-train -q --precision bf16 --env cartpole --agent dqn --hidden 16,16 --total-steps 300 --warmup 50 -o m.dq
    "$BUILD"/dq-eval -q --rollout --model m.dq --env cartpole --episodes 2
    last "$BUILD"/dq-train -q --init m.dq --env cartpole --total-steps 100 --warmup 64 -o n.dq # goes on in float32
    "$BUILD"/dq-cat --kind model n.dq | head -1 | jq -e '.meta.q.precision == 0'
}

@test "--version says by which kernels" {
    for word in plain openblas; do
        [ "$(DQ_KERNELS=$word "$BUILD"/dq-train --version | wc -l)" = 3 ]
    done
    [ "$(DQ_KERNELS=plain "$BUILD"/dq-train --version | tail -2)" = "dq plain"$'\n'"bfloat16: plain" ]
}

@test "it is refused where there are no products of matrices" {
    for agent in tabular linucb thompson; do
        run -2 last "$BUILD"/dq-train --offline --agent $agent --precision bf16 -o m.dq t.dq
        [ "${#lines[@]}" = 1 ]
        [[ "${lines[0]}" == "dq-train: --precision "* ]]
        [ ! -e m.dq ]
    done
    run -2 last "$BUILD"/dq-train --precision f16 --user u05 c.dq
}
