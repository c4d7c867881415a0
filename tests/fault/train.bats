#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train and dq-plan on bad input: one clear line, the documented exit code, nothing that looks complete.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 6 20
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward --strategy logged -o t.dq c.dq
    "$BUILD"/dq-train --offline "${small[@]}" -o m.dq t.dq
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
    rm -f out.dq out.dq.*
}

small=(--quiet --hidden 8 --world-hidden 8)
short=("${small[@]}" --batch 8 --warmup 20 --episodes 4 --steps 20)

# fails CODE WORDS COMMAND...: that exit code, one line with these words, and no output file.
fails() {
    local code=$1 words=$2
    shift 2
    run -"$code" --separate-stderr "$@"
    [ "${#stderr_lines[@]}" = 1 ]
    # shellcheck disable=SC2053 # words are a pattern
    [[ "${stderr% (try *)}" == $words ]] || { echo "said: $stderr"; false; }
    [ -z "$(ls out.dq* 2> /dev/null)" ]
}

train() { "$BUILD"/dq-train "$@" -o out.dq; }
plan() { "$BUILD"/dq-plan "$@" -o out.dq; }

@test "usage: exit 2" {
    fails 2 "dq-train: --epochs has no meaning with online training; it is for --offline, --offline --sessions or --offline with states" train --epochs 3 c.dq
    fails 2 "dq-train: --episodes has no meaning with --offline; it is for online training, --each-user or an environment (--env)" train --offline --episodes 3 t.dq
    fails 2 "dq-train: --user has no meaning with --each-user; it is for online training" train --user u00 --each-user c.dq
    fails 2 "dq-train: --checkpoint has no meaning with --each-user; it is for *" train --each-user --checkpoint ck c.dq
    fails 2 "dq-train: --checkpoint-every needs --checkpoint" train --user u00 --checkpoint-every 2 c.dq
    fails 2 "dq-train: --replay is smaller than --batch" train --user u00 --replay 10 c.dq
    fails 2 "dq-train: --candidates 0 needs --offline" train --user u00 --candidates 0 c.dq
    fails 2 "dq-train: --fold and --validation exclude each other" train --offline --fold 1/3 --validation 0.2 t.dq
    fails 2 "dq-train: --preset session has no meaning with --offline; it is for --offline --sessions, --offline with states or an environment (--env)" \
        train --offline --preset session t.dq
    fails 2 "dq-train: --gamma: 1.5 is not between*" train --user u00 --gamma 1.5 c.dq
    fails 2 "dq-train: --lr-schedule: 'steep' is not one of constant, one-cycle*" train --lr-schedule steep c.dq
    fails 2 "dq-plan: --pairs: 'all' is not one of remembered, unseen" plan --pairs all t.dq
}

@test "empty input, other bytes, a cut stream, a missing file" {
    fails 1 "dq-train: stdin: *empty*" train --user u00 < /dev/null
    fails 1 "dq-train: users.jsonl: *not a dq stream*" train --user u00 users.jsonl
    head -c -300 c.dq > cut.dq
    fails 1 "dq-train: cut.dq: *" train --user u00 cut.dq
    fails 1 "dq-train: none.dq: *No such file or directory" train --user u00 none.dq
    fails 1 "dq-plan: stdin: *empty*" plan --model m.dq < /dev/null
    fails 1 "dq-plan: cut.dq: *" plan --model m.dq cut.dq
}

@test "the wrong kinds: no users, no items, no vectors, no transitions, no model" {
    fails 1 "dq-train: the input has no users" train --user u00 m.dq
    sed 's/,"vector":[^]]*]//' users.jsonl > plain.jsonl
    "$BUILD"/dq-export --users plain.jsonl --items items.jsonl -o plain.dq
    fails 1 "dq-train: the users have no vectors: dq-embed hash:64 makes them from texts, dq-embed openai:NAME asks a model for them, dq-embed cf:32 makes them from interactions" train --user u00 plain.dq
    fails 1 "dq-train: no transition with a reward in the input*" train --offline c.dq
    fails 1 "dq-train: c.dq: no model in it" train --user u00 --init c.dq c.dq
    fails 1 "dq-plan: no model in the input; name one with --model" plan t.dq
    "$BUILD"/dq-train --offline --quiet --hidden 8 --no-world -o q.dq t.dq
    fails 1 "dq-plan: the model has no world model" plan --model q.dq t.dq
}

@test "unknown users and attributes; several users and none named" {
    fails 1 "dq-train: no user 'nobody' in the input" train --user nobody c.dq
    fails 1 "dq-train: 6 users in the input: name one with --user, or --each-user" train c.dq
    fails 1 "dq-train: --validate-by: no user has an attribute 'street'" train --offline --validate-by street t.dq
    fails 1 "dq-plan: no user 'nobody' in the input" plan --model m.dq --user nobody t.dq
}

@test "hidden widths that are none; fields that are none" {
    for widths in '' 8, 8,,4 0 x 8x -8 1,1,1,1,1,1,1,1,1; do
        fails 2 "dq-train: --hidden $widths: widths such as*" train --user u00 --hidden "$widths" c.dq
    done
    fails 1 "dq-train: *colour*" train --user u00 --compare vector:colour c.dq
    fails 1 "dq-train: *" train --user u00 --compare vector c.dq
    fails 2 "dq-train: *APPLY*" train --user u00 --map APPLY c.dq
}

@test "a model of other widths" {
    sed 's/"vector":\[[^,]*,/"vector":[/' users.jsonl > narrow.jsonl
    "$BUILD"/dq-export --users narrow.jsonl --items items.jsonl --interactions interactions.jsonl -o narrow.dq
    fails 1 "dq-train: m.dq: the model was trained on users 8 and items 8 wide; *" train "${short[@]}" --user u00 --reward logged --init m.dq narrow.dq
    fails 1 "dq-plan: the model was trained on users 8 and items 8 wide; the catalogue has users 7 and items 8 wide" plan --model m.dq narrow.dq
}

@test "a model of the same widths, but of fields in another order" {
    printf '%s\n' '{"id": "u", "vector": {"a": [1, 0], "b": [0, 1]}}' > fu.jsonl
    printf '%s\n' '{"id": "i", "vector": {"c": [1, 0], "d": [0, 1]}}' > fi.jsonl
    printf '%s\n' '{"id": "i", "vector": {"d": [0, 1], "c": [1, 0]}}' > fo.jsonl
    "$BUILD"/dq-export --users fu.jsonl --items fi.jsonl -o f.dq
    "$BUILD"/dq-export --users fu.jsonl --items fo.jsonl -o other.dq
    tiny=("${small[@]}" --compare a:c --episodes 1 --steps 5 --batch 2 --warmup 2 --candidates 1)
    "$BUILD"/dq-train "${tiny[@]}" -o fm.dq f.dq
    words="the model was trained on other fields, or on the same in another order"
    fails 1 "dq-train: fm.dq: $words" train "${tiny[@]}" --init fm.dq other.dq
    fails 1 "dq-plan: $words" plan --quiet --model fm.dq --pairs unseen other.dq
    fails 1 "dq-eval: fm.dq: $words" "$BUILD"/dq-eval --rollout --quiet --model fm.dq --compare a:c other.dq
    "$BUILD"/dq-train "${tiny[@]}" --init fm.dq -o again.dq f.dq
    "$BUILD"/dq-plan --quiet --model fm.dq --pairs unseen -o planned.dq f.dq
    "$BUILD"/dq-eval --rollout --quiet --model fm.dq --compare a:c f.dq
}

@test "divergence says so, and leaves no model" {
    fails 1 "dq-train: training has diverged: the Q loss is not finite after * updates*" \
        train "${short[@]}" --user u00 --reward logged --map APPLY=3e38,SAVE=-3e38,CLICK=3e38,IGNORE=-3e38 c.dq
    fails 1 "dq-train: user u00: training has diverged*" \
        train "${short[@]}" --each-user --max-failures 0 --reward logged --map APPLY=3e38,SAVE=-3e38,CLICK=3e38,IGNORE=-3e38 c.dq
}

@test "a checkpoint that was cut, changed or is something else" {
    "$BUILD"/dq-train "${short[@]}" --user u00 --checkpoint ck -o out.dq c.dq
    rm out.dq
    head -c 5000 ck > cut.ck
    fails 1 "dq-train: cut.ck: *" train "${short[@]}" --user u00 --checkpoint cut.ck c.dq
    python3 - ck flipped.ck << 'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 4
open(sys.argv[2], "wb").write(data)
END
    fails 1 "dq-train: flipped.ck: *" train "${short[@]}" --user u00 --checkpoint flipped.ck c.dq
    zstd -dcq ck | PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 -c '
import sys, make_streams
payload = sys.stdin.buffer.read()
for name, changes in (("same", {}), ("none", {"shape": [0], "data": b""})):
    open(name + ".ck", "wb").write(make_streams.with_column(payload, "env.0.memory", {}, **changes))'
    train "${short[@]}" --user u00 --checkpoint same.ck c.dq
    rm out.dq
    fails 1 "dq-train: none.ck: the checkpoint is not of this run: column env.0.memory" train "${short[@]}" --user u00 --checkpoint none.ck c.dq
    cp c.dq catalogue.ck
    fails 1 "dq-train: catalogue.ck: no model in it" train "${short[@]}" --user u00 --checkpoint catalogue.ck c.dq
    fails 1 "dq-train: ck: the checkpoint was made with*" train --offline "${small[@]}" --checkpoint ck t.dq
    rm ck
}

@test "the checkpoint's and the log's folder are not there" {
    fails 1 "dq-train: *none/ck*No such file or directory" train "${short[@]}" --user u00 --checkpoint none/ck c.dq
    fails 1 "dq-train: none/log: cannot open the log: No such file or directory" \
        train "${short[@]}" --user u00 --log none/log c.dq
}

@test "full disks: the model, the log" {
    run -1 --separate-stderr "$BUILD"/dq-train "${short[@]}" --user u00 -o /dev/full c.dq
    [[ "$stderr" == dq-train:*"No space left on device" ]]
    fails 1 "dq-train: /dev/full: cannot write the log: No space left on device" \
        train "${short[@]}" --user u00 --log /dev/full c.dq
    run -1 --separate-stderr "$BUILD"/dq-plan --model m.dq -o /dev/full t.dq
    [[ "$stderr" == dq-plan:*"No space left on device" ]]
}

@test "no model on a terminal" {
    command -v script > /dev/null || skip "script(1) is not here"
    run script -qec "\"$BUILD\"/dq-train --user u00 c.dq" /dev/null
    [ "$status" = 2 ]
    [[ "$output" == *terminal* ]]
}

@test "a reader that is gone ends the program by SIGPIPE, without words" {
    { rc=0; "$BUILD"/dq-train "${short[@]}" --user u00 --pass c.dq 2> said || rc=$?; echo "$rc" > code; } | true
    [ "$(cat code)" = 141 ]
    [ ! -s said ]
}

@test "an upstream that died: nobody trains on half of the data" {
    half() { head -c -300 c.dq; false; }
    half | fails 1 "dq-train: stdin: *" train --user u00
}

@test "without a checkpoint SIGTERM ends it by signal, and nothing is left" {
    last_of "$BUILD"/dq-train "${short[@]}" --episodes 1000000 --user u00 --log "$BATS_FILE_TMPDIR"/going -o out.dq c.dq
    "$BUILD"/dq-train "${line[@]}" &
    pid=$!
    until [ -s going ]; do kill -0 "$pid"; done
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" = 143 ]
    [ ! -e out.dq ]
}
