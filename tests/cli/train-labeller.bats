#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --reward-cmd: rewards from a labeller that is asked as training goes on; --cosine-weight.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 6 40
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward --pairs all -o pairs.dq c.dq
    # Both parts, as dq-reward --strategy hybrid writes them.
    "$BATS_TEST_DIRNAME"/../fixtures/labeller.py parts < pairs.dq > parts.dq
}

setup() {
    needs python3-msgpack python3-zstandard
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    ln -s "$BATS_FILE_TMPDIR"/*.dq .
}

short=(--hidden 16 --world-hidden 16 --batch 8 --warmup 20 --episodes 6 --steps 20 --candidates 30 --user u01)

train() {
    last_of dq-train "${short[@]}" "$@"
    timeout 60 dq-train "${line[@]}"
}
# weights MODEL: the numbers without what is said about them.
weights() {
    dq-cat --to safetensors -o numbers "$1"
    tail -c +$(($(od -An -tu8 -N8 numbers) + 9)) numbers | sha256sum
    rm numbers
}

@test "a labeller's cosines and logged labels train what dq-train's own do, byte for byte" {
    for reward in cosine logged; do
        train -q --reward $reward -l own.log -o own.dq c.dq
        train -q --reward-cmd "dq-reward -q -s $reward" -l asked.log -o asked.dq c.dq
        [ "$(weights own.dq)" = "$(weights asked.dq)" ]
        cmp own.log asked.log
        train -q --reward-cmd "dq-reward -q -s $reward --labels-only" --ask-ahead 7 -o ahead.dq c.dq
        cmp asked.dq ahead.dq
    done
}

@test "the model says who labelled, and not by which command" {
    train -q --reward-cmd "dq-reward --raw-cosine" -o m.dq c.dq
    dq-cat m.dq | head -1 | jq -e '.meta.labeller | .program == "dq-reward" and .options["raw-cosine"]'
    { dq-cat m.dq && dq-cat --lineage m.dq; } > all
    run -1 grep reward-cmd all
}

@test "each pair is asked once; those ahead come behind the one that is needed" {
    cat > asked.sh <<'END'
tee -a questions | dq-reward
END
    train --reward-cmd "sh asked.sh" -o m.dq c.dq 2> said
    dq-cat --head 100000 --kind transitions questions | jq -r .item > items
    [ -z "$(sort items | uniq -d)" ]
    grep -qx "dq-train: $(wc -l < items) pairs asked of sh asked.sh" said
    rm questions
    train -q --reward-cmd "sh asked.sh" --ask-ahead 100 -o ahead.dq c.dq
    dq-cat --kind transitions questions | jq -r .item > ahead
    [ -z "$(sort ahead | uniq -d)" ]
    [ "$(head -1 ahead)" = "$(head -1 items)" ]
    [ "$(wc -l < ahead)" -ge "$(wc -l < items)" ]
    cmp m.dq ahead.dq
    rm questions # an episode and an evaluation, of one step: the whole of what each offers, with one item in both
    train -q --episodes 1 --steps 1 --warmup 1 --batch 1 --candidates 4 --evaluate 1 --evaluate-episodes 1 --reward-cmd "sh asked.sh" --ask-ahead 100 -o m.dq c.dq
    [ "$(dq-cat --kind transitions questions | wc -l)" -eq 7 ]
}

# The labeller's input stops after some bytes: the catalogue has 2.9 kB, the rest are questions.
dies='dd bs=1 count=4500 status=none | dq-reward -q 2> reason'

@test "a labeller that dies: its reason, and a checkpoint that goes on to the same weights" {
    train -q --reward cosine -l own.log -o own.dq c.dq
    run -1 --separate-stderr train -q --reward-cmd "$dies" -o m.dq c.dq
    [ "$stderr" = "dq-train: $dies: exited with status 1" ]
    grep -q "cut off" reason
    run -75 --separate-stderr train -q --reward-cmd "$dies" -c ck -l asked.log -o m.dq c.dq
    [[ $stderr == "dq-train: $dies: exited with status 1; stopped after "*"the same command goes on from ck" ]]
    [ ! -e m.dq ]
    train -q --reward-cmd dq-reward -c ck -l asked.log -o m.dq c.dq
    [ "$(weights own.dq)" = "$(weights m.dq)" ]
    cmp own.log asked.log
}

@test "a checkpoint keeps the labels, and refuses another labeller" {
    run -75 train -q --reward-cmd "$dies" -c ck -o m.dq c.dq
    run -1 --separate-stderr train -q --reward-cmd "dq-reward --raw-cosine" -c ck -o m.dq c.dq
    [[ $stderr == *"the checkpoint was made with another labeller, or with other options" ]]
    cp ck before
    train -q --reward-cmd "tee questions | dq-reward" -c ck -o m.dq c.dq
    dq-cat before | jq -r 'select(.name == "labels.item") | .data[]' | sort > known
    dq-cat --kind transitions questions | jq -r '.item[1:] | tonumber' | sort > asked
    [ -s known ]
    [ -s asked ]
    [ -z "$(comm -12 known asked)" ]
}

@test "one that never works ends the training, checkpoint or not; 75 of its own is a stop" {
    run -1 --separate-stderr train -q --reward-cmd "exit 3" -c ck -o m.dq c.dq
    [ "$stderr" = "dq-train: exit 3: exited with status 3" ]
    [ ! -e ck ]
    [ ! -e m.dq ]
    run -1 --separate-stderr train -q --reward-cmd "kill -9 \$\$" -o m.dq c.dq
    [ "$stderr" = "dq-train: kill -9 \$\$: was killed by SIGKILL" ]
    run -75 --separate-stderr train -q --reward-cmd "exit 75" -c ck -o m.dq c.dq
    [ "$stderr" = "dq-train: exit 75: exited with status 75; stopped after 0 steps and 0 episodes; the same command goes on from ck" ]
    run -1 train -q --reward-cmd "exit 75" -o m.dq c.dq
    train -q --reward-cmd dq-reward -c ck -o m.dq c.dq
    train -q --reward cosine -o own.dq c.dq
    [ "$(weights own.dq)" = "$(weights m.dq)" ]
}

@test "answers that are none: garbage, an echo, a stream that ends, a bad exit after a good end" {
    fails() {
        run -1 --separate-stderr train -q --reward-cmd "$1" -o m.dq c.dq
        [ "$stderr" = "dq-train: $1: $2" ] || { echo "$stderr"; false; }
        [ ! -e m.dq ]
    }
    fails "echo garbage instead of a stream" "record 1: not a dq stream: it begins with 'garbage instead of a stream\n'; stdout is the protocol's, other words go to stderr"
    fails "cat" "an answer without the columns item (u4) and reward (f4)"
    # the first answer is none, so the same command would fail for ever: no stop, though there is a checkpoint
    run -1 train -q --reward-cmd cat -c ck -o m.dq c.dq
    [ ! -e ck ]
    fails "cat pairs.dq" "an answer to a pair that was not asked"
    fails "cat c.dq" "ended its stream in the middle of the conversation"
    fails "dq-reward; exit 4" "exited with status 4"
}

@test "an interrupt while the labeller is silent" {
    mkfifo silence
    exec 9<> silence # a reader of it waits
    dq-train "${short[@]}" -q --reward-cmd "dq-reward | tee answers | { head -c 10; read -r line < silence; }" -c ck \
        -o m.dq c.dq 2> said &
    pid=$!
    until [ -s answers ]; do kill -0 $pid; done
    kill -INT $pid
    rc=0
    wait $pid || rc=$?
    exec 9>&-
    [ "$rc" = 75 ]
    grep -q "^dq-train: stopped after 0 steps and 0 episodes; the same command goes on from ck$" said
    train -q --reward-cmd dq-reward -c ck -o m.dq c.dq
    train -q --reward cosine -o own.dq c.dq
    [ "$(weights own.dq)" = "$(weights m.dq)" ]
}

@test "usage: exit 2" {
    usage() {
        local words=$1
        shift
        run -2 --separate-stderr dq-train "$@" c.dq
        [[ $stderr == "dq-train: $words"* ]] || { echo "$stderr"; false; }
    }
    usage "--ask-ahead needs --reward-cmd" --user u01 --ask-ahead 3
    usage "--reward and --reward-cmd exclude each other" --user u01 --reward cosine --reward-cmd x
    usage "--reward-cmd has no meaning with --each-user; it is for online training" --each-user --reward-cmd x
    usage "--reward-cmd has no meaning with --offline" --offline --reward-cmd x
    usage "--switch-episode has no meaning with --offline" --offline --switch-episode 3
    for bad in 2 -1 x 1: 1:2 1:0@0 1:0@x 1:0@5x 0.5@3; do
        usage "--cosine-weight $bad: a share such as 0.5, or 1:0@1000 for 1000 episodes" --user u01 --cosine-weight $bad
    done
    usage "--cosine-weight 1:0: over how many episodes? A:B@N, or --switch-episode N" --user u01 --cosine-weight 1:0
    usage "--cosine-weight 0.5: --switch-episode goes from one share to another at once: A:B" --user u01 --cosine-weight 0.5 --switch-episode 3
    usage "--cosine-weight 1:0@5: --switch-episode goes from one share to another at once: A:B" --user u01 --cosine-weight 1:0@5 --switch-episode 3
    run -1 --separate-stderr dq-train --user u01 --cosine-weight 0.5 c.dq
    [[ $stderr == "dq-train: "*"needs transitions with both parts"* ]]
    run -1 --separate-stderr dq-train --offline --cosine-weight 0.5 pairs.dq
    [[ $stderr == "dq-train: "*"needs transitions with both parts"* ]]
}

@test "the weight: its ends are the parts alone, in between it goes down a line or at once" {
    train -q --cosine-weight 1 -o one.dq parts.dq
    train -q --reward cosine -o cosine.dq parts.dq
    [ "$(weights one.dq)" = "$(weights cosine.dq)" ]
    train -q --cosine-weight 1:0.5@4 -l line.log -o line.dq parts.dq
    [ "$(jq .cosine_weight line.log | paste -sd' ')" = "1 0.875 0.75 0.625 0.5 0.5" ]
    train -q --switch-episode 2 -l jump.log -o jump.dq parts.dq
    [ "$(jq .cosine_weight jump.log | paste -sd' ')" = "1 1 0 0 0 0" ]
    train -q --switch-episode 2 --cosine-weight 0.25:0.75 -l other.log -o other.dq parts.dq
    [ "$(jq .cosine_weight other.log | paste -sd' ')" = "0.25 0.25 0.75 0.75 0.75 0.75" ]
    # the same rewards as long as the weight is the same
    [ "$(head -2 jump.log | jq -c 'del(.cosine_weight)')" = "$(train -q --cosine-weight 1 -l /dev/stdout -o x.dq parts.dq | head -2 | jq -c 'del(.cosine_weight)')" ]
    [ "$(weights jump.dq)" != "$(weights line.dq)" ]
}

@test "the weight with a labeller: the cosine is dq-train's own, so nothing is asked while it alone counts" {
    train -q --cosine-weight 1:0@5 -l parts.log -o parts-model.dq parts.dq
    labeller="$BATS_TEST_DIRNAME/../fixtures/labeller.py judge"
    train -q --cosine-weight 1:0@5 --reward-cmd "$labeller" -l asked.log -o asked.dq c.dq
    cmp parts.log asked.log
    [ "$(weights parts-model.dq)" = "$(weights asked.dq)" ]
    train -q --cosine-weight 1 --reward-cmd "exit 3" -o one.dq c.dq
    train -q --reward cosine -o cosine.dq c.dq
    [ "$(weights one.dq)" = "$(weights cosine.dq)" ]
}

@test "the weight offline, by epochs; a checkpoint goes on with it" {
    offline=(-q --offline --hidden 16 --world-hidden 16 --batch 16 --epochs 5)
    dq-train "${offline[@]}" --cosine-weight 1:0@4 -l whole.log -o whole.dq parts.dq
    [ "$(jq .cosine_weight whole.log | paste -sd' ')" = "1 0.75 0.5 0.25 0" ]
    dq-train "${offline[@]}" --cosine-weight 0 -o zero.dq parts.dq
    [ "$(weights zero.dq)" != "$(weights whole.dq)" ]
    rc=75 turns=5
    while [ $rc = 75 ]; do
        dq-train "${offline[@]}" --cosine-weight 1:0@4 -c ck -l cut.log -o cut.dq parts.dq 2> said &
        pid=$!
        for ((i = 0; i < turns; i++)); do kill -0 $pid 2> said || break; done
        kill -TERM $pid 2> said || true # at a moment that nobody chose
        rc=0
        wait $pid || rc=$?
        [ $rc != 143 ] || rc=75 # before there was anything to keep
        turns=$((turns * 2))
    done
    [ $rc = 0 ]
    cmp whole.dq cut.dq
    cmp whole.log cut.log
}

@test "a labeller gets no file that is dq-train's" {
    printf '#!/bin/sh\nls -l /proc/self/fd > open\nexec dq-reward -q -s cosine\n' > labeller
    chmod +x labeller
    train -q --reward-cmd ./labeller -l here.log -o here.dq c.dq
    grep -q ' 1 -> ' open
    run ! grep here open
}
