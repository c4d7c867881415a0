#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --meta reptile in each way of training that it belongs to; and what training in a catalogue was answered.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 40
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward --strategy logged -o t.dq c.dq
    "$BUILD"/dq-sim graph --play 60 --seed 3 -o log.dq
}

setup() {
    set -o pipefail
    PATH=$BUILD:$PATH
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/{c,t,log}.dq .
}

refuses() {
    local status_wanted=$1 words=$2
    shift 2
    run --separate-stderr "$@"
    [ "$status" = "$status_wanted" ]
    [[ "$stderr" == *"$words"* ]]
}

payload() { zstd -dcq "$@" | sha256sum; }

meta() { last dq-train --quiet --offline --meta reptile --hidden 12 --epochs 3 --seed 5 "$@"; }

@test "a start by rows, by lists, with a world: by any number of threads the same, and another one than plain training's" {
    meta --world-hidden 8 --threads 1 --log rows.jsonl -o rows.dq t.dq
    [ "$(meta --world-hidden 8 --threads 4 t.dq | payload)" = "$(payload rows.dq)" ]
    meta --no-world --loss softmax --threads 1 -o lists.dq t.dq
    [ "$(meta --no-world --loss softmax --threads 4 t.dq | payload)" = "$(payload lists.dq)" ]
    dq-train --quiet --offline --loss mse --batch 10 --lr 1e-3 --lr-schedule constant --world-hidden 8 --hidden 12 --epochs 3 --seed 5 -o plain.dq t.dq
    for model in rows lists plain; do dq-rank -q --model $model.dq -k 5 --format tsv c.dq > $model.tsv; done
    run ! cmp -s rows.tsv plain.tsv
    run ! cmp -s rows.tsv lists.tsv
    jq -es 'length == 3 and all(.q_loss > 0 and .world_loss > 0 and .rate == 0.001)' rows.jsonl
    [ "$(jq -s 'last.updates' rows.jsonl)" = "$((5 * 5 * $(jq -s 'last.batches' rows.jsonl)))" ] || # a last batch may have fewer users
        jq -es 'last | .updates % 5 == 0 and .updates < 25 * .batches' rows.jsonl
    dq-train --quiet --user u01 --init rows.dq --world-hidden 8 --reward logged --episodes 2 --steps 5 --warmup 4 --batch 4 -o user.dq c.dq
}

@test "a start of sessions, of transitions with vectors, and of a decision transformer" {
    meta --sessions --history 2 --negatives 2 -o sessions.dq c.dq
    dq-rank -q --model sessions.dq -k 2 --format tsv c.dq | grep -q .
    meta --agent dqn -o states.dq log.dq
    meta --agent dt --context 2 --encoder-width 8 --blocks 1 -o dt.dq log.dq
    dq-eval --rollout --env graph --model dt.dq --model states.dq --episodes 2 | grep -q .
}

@test "a resumed run equals an uninterrupted one" {
    meta --no-world --epochs 6 -o whole.dq t.dq
    meta --no-world --epochs 6 -c ck --log l -o resumed.dq t.dq
    [ "$(payload resumed.dq)" = "$(payload whole.dq)" ]
    [ "$(meta --no-world --epochs 6 -c ck --log l t.dq | payload)" = "$(payload whole.dq)" ] # of the last checkpoint
}

@test "what has no effect, or cannot be, is refused" {
    refuses 2 "--inner-steps needs --meta reptile" dq-train --offline --inner-steps 3 t.dq
    refuses 2 "--outer-step needs --meta reptile" dq-train --offline --outer-step 0.5 t.dq
    refuses 2 "--batch: with --meta an update is on one user's list" meta --loss softmax --batch 8 t.dq
    refuses 2 "--meta" dq-train --meta reptile --user u01 c.dq
    refuses 2 "the rows of many" dq-train --meta reptile --env maze
    refuses 2 "--meta needs --agent" dq-train --offline --meta reptile --agent tabular t.dq
    refuses 1 "one user at a time" meta --no-world --batch-norm t.dq
    refuses 1 "no priorities" meta --no-world --priority 0.5 t.dq
}

@test "answers are the distinct items that training was told of: as many as were asked of a labeller" {
    online=(--user u01 --hidden 8 --world-hidden 8 --episodes 20 --steps 3 --warmup 10 --batch 4 --candidates 6 --evaluate 10 --evaluate-episodes 4)
    dq-train "${online[@]}" --reward-cmd 'dq-reward --strategy logged --quiet' --log asked.jsonl -o asked.dq c.dq 2> said
    dq-train --quiet "${online[@]}" --reward logged --log logged.jsonl -o logged.dq c.dq
    jq -c .answers asked.jsonl > asked
    jq -c .answers logged.jsonl | cmp - asked
    jq -es '(map(.answers) | . == sort and first <= 3 and last > 6) and (map(select(.evaluation)) | length == 2 and all(.answers > 0))' asked.jsonl
    grep -q "pairs asked" said
    [ "$(sed -n 's/.* \([0-9]*\) pairs asked.*/\1/p' said)" -ge "$(tail -1 asked)" ]
}
