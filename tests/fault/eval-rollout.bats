#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --rollout on input that is wrong: one clear line, the exit code, no output.

bats_require_minimum_version 1.5.0
load eval.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    printf '{"id":"u0","vector":[1,0]}\n' > users.jsonl
    printf '{"id":"i0","vector":[1,0]}\n{"id":"i1","vector":[0,1]}\n' > items.jsonl
    "$BUILD"/dq-export --quiet --users users.jsonl --items items.jsonl -o c.dq
}

@test "usage" {
    refused 2 "--rollout needs --model" --rollout c.dq
    refused 2 "--rollout has no trec format" --rollout --model random -f trec c.dq
    refused 2 "--map: 'APPLY' is not LABEL=NUMBER" --rollout --model random --map APPLY c.dq
    refused 2 "--model has no meaning with rankings; it is for --rollout, --cold-start or --rollout --env" --model random --qrels q
}

@test "no such user, no such model, no model in it" {
    refused 1 "no user 'nobody' in the input" --rollout --model random --user nobody c.dq
    refused 1 "gone: cannot open: No such file or directory" --rollout --model gone c.dq
    refused 1 "c.dq: no model in it" --rollout --model c.dq c.dq
}

@test "more distinct steps than candidates" {
    refused 1 "--distinct: 3 steps, and only 2 candidates" --rollout --model random --distinct --steps 3 c.dq
}

@test "a model of other widths" {
    sed 's/\[1,0\]/[1,0,0]/; s/\[0,1\]/[0,1,0]/' users.jsonl > users3.jsonl
    sed 's/\[1,0\]/[1,0,0]/; s/\[0,1\]/[0,1,0]/' items.jsonl > items3.jsonl
    "$BUILD"/dq-export --quiet --users users3.jsonl --items items3.jsonl -o c3.dq
    "$BUILD"/dq-train --quiet --reward cosine --hidden 4 --world-hidden 4 --episodes 2 --steps 4 --warmup 4 --batch 2 -o m3.dq c3.dq
    refused 1 "m3.dq: the model was trained on users 3 and items 3 wide; the catalogue has users 2 and items 2 wide" --rollout --model m3.dq c.dq
}

@test "no catalogue: empty, text, without vectors, cut short at every byte" {
    refused 1 "stdin: record 1: empty: a dq stream has at least a head and an end" --rollout --model random < /dev/null
    refused 1 "users.jsonl: record 1: not a dq stream: it begins with '{\"id\":\"u0\",\"vector\":[1,0]}\\n'" --rollout --model random users.jsonl
    printf '{"id":"u0"}\n' | "$BUILD"/dq-export --quiet --users - --items items.jsonl -o bare.dq
    refused 1 "the users have no vectors: dq-embed hash:64 makes them from texts, dq-embed openai:NAME asks a model for them, dq-embed cf:32 makes them from interactions" --rollout --model random bare.dq
    for ((n = 0; n < $(stat -c %s c.dq); n += 7)); do
        head -c $n c.dq > cut.dq
        run -1 --separate-stderr "$BUILD"/dq-eval --rollout --model random cut.dq
        [ "$output" = "" ]
        [ "${#stderr_lines[@]}" = 1 ]
    done
}
