#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-embed openai:MODEL, against the project's own server.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs sqlite3 curl
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    # shellcheck source=tests/services/llm.bash
    source "$BATS_TEST_DIRNAME"/../services/llm.bash
    llm_start --width 8 --batch 32
    printf '%s\n' '{"id":"u1","text":{"bio":"welds pipes","skills":"welding"}}' '{"id":"u2","text":{"bio":""}}' > u.jsonl
    seq 100 | jq -c '{id: "i\(.)", vector: [., 1], text: {title: "job \(. % 10)", description: "work number \(.)"}}' > i.jsonl
    dq-export --users u.jsonl --items i.jsonl -o c.dq
}

teardown() { llm_stop; }

embed() { timeout 60 dq-embed openai:m --cache v.db --batch 32 "$@" c.dq; }

@test "a field of vectors for each text, each text paid for once, many in a request" {
    embed -o out.dq 2> said
    # 10 titles, 100 descriptions, a bio and skills; the empty bio is nobody's
    grep -qx "dq-embed: 202 texts: .* answers from the cache, $(llm_stats .requests) requests" said
    [ "$(llm_stats .requests)" -lt 12 ]
    [ "$(sqlite3 v.db 'select count(*) from answers')" = 112 ]
    dq-cat --check out.dq
    dq-cat --kind items out.dq | head -1 | jq -e '.vector | (keys | sort) == ["description", "title", "vector"] and (.title | length) == 8'
    dq-cat --kind users out.dq | jq -e 'select(.id == "u2") | .vector.bio == [0,0,0,0,0,0,0,0]'
    dq-cat --kind items out.dq | jq -c .vector.title | sort -u | wc -l | grep -qx 10
    # the server's own numbers
    curl -sS "$OPENAI_BASE_URL/embeddings" -d '{"model":"m","input":"welds pipes"}' | jq -c '[.data[0].embedding[] | . * 1e6 | round]' > own
    dq-cat --kind users out.dq | jq -c 'select(.id == "u1") | [.vector.bio[] | . * 1e6 | round]' | cmp - own
}

@test "from the cache: the same bytes, no request, no server; another batch and layout too" {
    embed -o out.dq 2> said
    llm_clear
    embed --batch 3 -o again.dq 2> said
    grep -qx "dq-embed: 202 texts: 203 answers from the cache, 0 requests" said
    [ "$(llm_stats .requests)" = 0 ]
    cmp out.dq again.dq
    llm_stop
    embed --cache-only -o alone.dq -q
    cmp out.dq alone.dq
    embed --cache-only --field items:title -q | dq-cat --check
}

@test "one by one and together: the same vectors" {
    embed -o out.dq -q
    dq-embed openai:m --cache other.db --batch 1 --parallel 2 -q -o single.dq c.dq
    cmp out.dq single.dq
    dq-embed openai:m --cache third.db --batch 32 --join -q c.dq | dq-cat --kind users | head -1 | jq -e '.vector.text | length == 8'
}

@test "a miss, a dry run, a budget" {
    embed --field bio -q | dq-cat --check
    run -1 --separate-stderr dq-embed openai:m --cache v.db --cache-only -o out.dq c.dq
    [[ $stderr == "dq-embed: c.dq: record 2: 1 of 2 texts have no vector: 1 answers are not in the cache, 0 could not be read" ]] || { echo "$stderr"; false; }
    [ ! -e out.dq ]
    llm_clear
    embed --dry-run > plan
    [ "$(llm_stats .requests)" = 0 ]
    grep -q "^to_ask.*201" plan
    rm v.db
    run -75 embed --batch 10 --max-requests 3 -o out.dq
    [ ! -e out.dq ]
    [ "$(llm_stats .requests)" = 3 ]
    embed -o out.dq -q
    [ "$(sqlite3 v.db 'select count(*) from answers')" = 112 ]
}

@test "a server that refuses, answers with other widths, or too few" {
    llm_fault '{"kind": "401", "times": 100}'
    run -1 embed -o out.dq
    [[ $output == *"401"* ]]
    llm_clear
    rm -f v.db
    run -1 dq-embed openai:m --cache v.db --batch 64 -o out.dq c.dq # more texts than it takes
    [[ $output == *"400"* ]]
    [ ! -e out.dq ]
    rm -f v.db
    embed --field users:bio -q -o bio.dq
    llm_stop
    llm_start --width 9 --batch 32
    run -1 embed -o out.dq
    [[ $output == *"m: a vector of 9 numbers after one of 8" ]]
    rm -f v.db
    llm_fault '{"kind": "malformed", "times": 100}'
    run -1 embed -o out.dq
    [ ! -e out.dq ]
}

@test "usage: exit 2" {
    run -2 dq-embed hash:8 --cache v.db c.dq
    [ "$output" = "dq-embed: --cache has no meaning with hash:WIDTH; it is for openai:MODEL" ]
    run -2 dq-embed openai: c.dq
    run -2 dq-embed openai:m c.dq
    [[ $output == *"--cache"* ]]
    run -2 dq-embed openai:m --cache v.db --batch 257 c.dq
}
