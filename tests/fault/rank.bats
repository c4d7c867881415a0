#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-rank and broken input: one clear line, exit 1, nothing that looks complete.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
    printf '%s\n' '{"id": "u1", "vector": [1, 0]}' '{"id": "u2", "vector": [0, 1]}' > u.jsonl
    printf '%s\n' '{"id": "i1", "vector": [1, 2]}' '{"id": "i2", "vector": [3, 1]}' > i.jsonl
    dq-export --users u.jsonl --items i.jsonl -o c.dq
}

# One line on stderr, exit 1, and no file out.dq.
fails() {
    run -1 --separate-stderr dq-rank "$@" -o out.dq
    [ "${#stderr_lines[@]}" = 1 ]
    [[ "$stderr" == "dq-rank: "* ]]
    [ -z "$output" ]
    [ "$(echo out.dq*)" = "out.dq*" ]
}

# The same for text on stdout: not one line of it.
refuses() {
    local status=0
    dq-rank --format tsv --no-header "$@" > out 2> err || status=$?
    [ $status = 1 ]
    [ "$(wc -l < err)" = 1 ]
    [ ! -s out ]
}

@test "empty stdin, not a stream, a missing file" {
    fails < /dev/null
    echo hello > text
    fails text
    fails absent.dq
    [[ "$stderr" == *"absent.dq"* ]]
}

@test "cut at every byte, as a file and on a pipe" {
    size=$(stat -c %s c.dq)
    for ((n = 0; n < size; n++)); do
        head -c $n c.dq > cut.dq
        refuses cut.dq
        head -c $n c.dq | refuses
    done
}

@test "a flipped bit" {
    zstd -dcq c.dq > plain.dq
    size=$(stat -c %s plain.dq)
    for ((n = 0; n < size; n += 7)); do
        /usr/bin/python3 -c '
import sys
b = bytearray(open("plain.dq", "rb").read()); b[int(sys.argv[1])] ^= 16; open("bad.dq", "wb").write(b)' $n
        refuses bad.dq
    done
}

@test "garbage after the end" {
    echo garbage | cat c.dq - > bad.dq
    fails bad.dq
}

@test "no users, no items, rankings instead of a catalogue" {
    dq-export --items i.jsonl -o items.dq
    fails items.dq
    [[ "$stderr" == *"no users"* ]]
    dq-export --users u.jsonl -o users.dq
    fails users.dq
    [[ "$stderr" == *"no items"* ]]
    dq-rank c.dq -o ranked.dq
    fails ranked.dq
}

@test "operands that disagree on width" {
    printf '%s\n' '{"id": "i3", "vector": [1, 2, 3]}' > wide.jsonl
    dq-export --items wide.jsonl -o wide.dq
    fails c.dq wide.dq
    [[ "$stderr" == "dq-rank: wide.dq: "*"width 3"*"width 2"* ]]
    fails wide.dq c.dq
}

@test "without vectors" {
    printf '%s\n' '{"id": "i1", "text": {"title": "x"}}' > text.jsonl
    dq-export --items text.jsonl -o text.dq
    dq-export --users u.jsonl -o users.dq
    fails users.dq text.dq
    [[ "$stderr" == *"items have no vectors"* ]]
    printf '%s\n' '{"id": "u1", "text": {"bio": "x"}}' > text.jsonl
    dq-export --users text.jsonl -o users.dq
    dq-export --items i.jsonl -o items.dq
    fails users.dq items.dq
    [[ "$stderr" == *"users have no vectors"* ]]
}

@test "/dev/full, a closed stdout, a reader that goes" {
    run -1 --separate-stderr dq-rank c.dq -o /dev/full
    [[ "$stderr" == *"No space left"* ]]
    run -1 --separate-stderr bash -c 'dq-rank --format tsv --no-header c.dq > /dev/full'
    [[ "$stderr" == *"No space left"* ]]
    run -1 bash -c 'dq-rank --format tsv --no-header c.dq >&-'
    /usr/bin/python3 -c '
import json
with open("many.jsonl", "w") as f:
    for i in range(20000): f.write(json.dumps({"id": f"item{i:020d}", "vector": [i, 1]}) + "\n")'
    dq-export --users u.jsonl --items many.jsonl -o many.dq
    run -0 bash -c 'dq-rank -k 20000 --format tsv --no-header many.dq | head -1; exit ${PIPESTATUS[0]/141/0}'
    [ "${#lines[@]}" = 1 ]
}

@test "a broken stage before it breaks it too" {
    run -1 --separate-stderr bash -c 'set -o pipefail; { cat c.dq | head -c 200; } | dq-rank --format tsv --no-header'
    [ -z "$output" ]
}

@test "a model that is cut, missing, or none" {
    head -c 60 c.dq > cut.dq
    fails --model cut.dq c.dq
    fails --model absent.dq c.dq
    fails --model c.dq c.dq
    [[ "$stderr" == *"c.dq"*"no model"* ]]
}

@test "a model of outputs whose states are wider than its users" {
    needs python3-msgpack python3-zstandard
    printf '%s\n' '{"user": "u1", "item": "i1", "label": "APPLY"}' '{"user": "u2", "item": "i2", "label": "SAVE"}' > x.jsonl
    dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl | dq-reward -q --strategy logged -o l.dq
    dq-train -q --offline --head outputs --agent dqn --hidden 4 --epochs 1 --validation 0 -o m.dq l.dq
    zstd -dcq m.dq | PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 -c '
import sys, make_streams, msgpack
payload = sys.stdin.buffer.read()
meta = msgpack.unpackb(make_streams.bodies_of(payload)[1])["meta"]
for width in 1, 2:
    changed = {key: {**meta[key], "user_width": width} for key in ("env_spec", "q")}
    open(f"{width}.dq", "wb").write(make_streams.with_column(payload, "", {**changed, "layout": None}))'
    dq-rank --model 2.dq c.dq -o out.dq
    rm out.dq
    sed 's/, [0-9]\]/]/' u.jsonl > narrow.jsonl
    dq-export --users narrow.jsonl --items i.jsonl -o narrow.dq
    fails --model 1.dq narrow.dq
    [[ "$stderr" == *"the model's states are not the users of a catalogue"* ]]
}

@test "a stream is not written to a terminal" {
    command -v script || skip "no script(1)"
    run script -qec "dq-rank c.dq" /dev/null
    [ "$status" = 2 ]
    [[ "$output" == *"terminal"* ]]
}

@test "fails at once, though its input stays open and silent" {
    printf '%s\n' '{"id": "i3", "vector": [1, 2, 3]}' > wide.jsonl
    dq-export --items wide.jsonl -o wide.dq
    mkfifo silent
    exec 8<> silent
    cat wide.dq >&8
    for t in 1 3; do
        cat wide.dq >&8
        run -1 --separate-stderr timeout 60 dq-rank -t $t c.dq - 8>&- < silent
        [[ "$stderr" == "dq-rank: stdin: "*"width 3"* ]]
    done
    exec 8>&-
}
