#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-embed openai:MODEL, against the project's own server.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
source "$BATS_TEST_DIRNAME/../last.bash"

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

embed() {
    last_of dq-embed openai:m --cache v.db --batch 32 "$@" c.dq
    timeout 60 dq-embed "${line[@]}"
}

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
    grep -qx "dq-embed: 202 texts: 202 answers from the cache, 0 requests" said
    [ "$(llm_stats .requests)" = 0 ]
    cmp out.dq again.dq
    llm_stop
    embed --cache-only -o alone.dq -q
    cmp out.dq alone.dq
    embed --cache-only --field items:title -q | dq-cat --check
}

@test "a cache that cannot be opened is said" {
    run -1 embed --cache none/v.db -o out.dq
    [[ $output == "dq-embed: none/v.db: "* ]] || { echo "$output"; false; }
    [ ! -e out.dq ]
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
    [[ $stderr == "dq-embed: c.dq: record 2: users 'u1', text skills: not in the cache (1 of 2 texts without a vector; --allow-missing leaves zeros)" ]] || { echo "$stderr"; false; }
    [ ! -e out.dq ]
    llm_clear
    embed --dry-run > plan
    [ "$(llm_stats .requests)" = 0 ]
    # skills; 10 titles and 100 descriptions, 32 in a request
    [ "$(sed 1d plan | tr '\n' '\t')" = $'in_cache\t0\t0\t0\t1\tto_ask\t5\t279\t0\t111\t' ] || { cat plan; false; }
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
    embed -o out.dq -q
    dq-embed openai:m --cache w.db --batch 64 -q -o halved.dq c.dq # more texts than it takes: batches are halved
    cmp out.dq halved.dq
    rm -f v.db out.dq
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

# Items i1 .. i8 with a text each: number 3 is long, 5 blank, 6 and 7 are equal.
odd_texts() {
    for i in 1 2 3 4 5 6 7 8; do
        case $i in
        3) text=$(printf 'längs %.0s' {1..40}) ;;
        5) text=$' \n\t' ;;
        6 | 7) text="the same" ;;
        *) text="text $i" ;;
        esac
        jq -nc --arg i "$i" --arg t "$text" '{id: "i\($i)", text: {d: $t}}'
    done > o.jsonl
    dq-export -q --items o.jsonl -o o.dq
}

zeros() { dq-cat --kind items "$1" | jq -r 'select([.vector.d[] == 0] | all) | .id' | paste -sd' '; }

@test "a text too long: it is named, the others are kept; --max-chars cuts, --allow-missing goes on" {
    odd_texts
    local code
    for code in 400 413 422 500; do
        llm_stop
        llm_start --width 8 --context 100 --context-code $code
        rm -f v.db v.dq
        run -1 --separate-stderr dq-embed openai:m --cache v.db -o v.dq o.dq
        [ "$stderr" = "dq-embed: o.dq: record 2: items 'i3', text d: 127.0.0.1:$LLM_PORT/v1/embeddings: HTTP $code: the input length exceeds the context length (1 of 7 texts without a vector; --max-chars N cuts, --allow-missing leaves zeros)" ] || { echo "$stderr"; false; }
        [ ! -e v.dq ]
        [ "$(sqlite3 v.db 'select count(*) from answers')" = 5 ]
        [ "$(llm_stats .requests)" -lt 8 ]
        llm_clear
        dq-embed openai:m --cache v.db --allow-missing -o v.dq o.dq 2> said
        grep -qx "dq-embed: 1 texts have zeros in place of a vector: 1 refused, 0 not in the cache, 0 without one in the answer; the first is items 'i3', text d: .*context length" said
        [ "$(zeros v.dq)" = "i3 i5" ]
        [ "$(llm_stats .requests)" = 1 ]
        dq-embed openai:m --cache v.db --max-chars 50 -o v.dq o.dq 2> said
        grep -qx "dq-embed: 1 texts were cut to 50 characters" said
        [ "$(zeros v.dq)" = i5 ]
        [ "$(llm_get last | jq -r '.body.input[0] | length')" = 50 ]
        dq-cat --check v.dq
    done
}

@test "the first text too long, and all of them: the width comes from another, or from none" {
    jq -nc '{id: "i1", text: {d: ("long " * 40)}}, {id: "i2", text: {d: "short"}}' > o.jsonl
    dq-export -q --items o.jsonl -o o.dq
    head -1 o.jsonl > one.jsonl
    dq-export -q --items one.jsonl -o one.dq
    llm_stop
    llm_start --width 8 --context 100
    run -1 dq-embed openai:m --cache v.db -o v.dq o.dq
    [[ "$output" == *": items 'i1', text d: "*"context length (1 of 2 texts"* ]]
    dq-embed openai:m --cache v.db --allow-missing -q -o v.dq o.dq
    [ "$(zeros v.dq)" = i1 ]
    run -1 dq-embed openai:m --cache v.db -o w.dq one.dq
    [[ "$output" == *": items 'i1', text d: "*"context length (--allow-missing leaves zeros)" ]]
    dq-embed openai:m --cache v.db --allow-missing -q -o w.dq one.dq
    dq-cat --kind items w.dq | jq -e '.vector.d | length == 8'
}

@test "no text is sent twice, nor a blank one: each alone, and joined" {
    odd_texts
    llm_stop
    llm_start --width 8
    local how
    for how in "" --join; do
        llm_clear
        rm -f v.db
        # shellcheck disable=SC2086 # none, or one option
        dq-embed openai:m --cache v.db --batch 1 --parallel 2 $how -q -o v.dq o.dq
        [ "$(llm_stats '[.requests, .keys] | join(" ")')" = "6 6" ] || llm_stats
        [ "$(sqlite3 v.db 'select count(*) from answers')" = 6 ]
    done
    # A user's two texts joined are one text, and neither is asked for by itself.
    llm_clear
    dq-embed openai:m --cache w.db --join -q -o w.dq c.dq
    [ "$(sqlite3 w.db "select count(*) from answers where request like '%\"welds pipes\"%' or request like '%\"welding\"%'")" = 0 ]
    [ "$(sqlite3 w.db 'select count(*) from answers')" = 101 ]
    # Nor is a text that no field is made of.
    dq-embed openai:m --cache x.db --field description -q -o w.dq c.dq
    [ "$(sqlite3 x.db 'select count(*) from answers')" = 100 ]
}

@test "a dry run counts requests, as they are then made" {
    odd_texts
    llm_stop
    llm_start --width 8
    dq-embed openai:m --batch 2 --dry-run --price 1:0 o.dq > plan
    [ "$(head -1 plan)" = $'\trequests\ttokens_in\ttokens_out\tcost\ttexts' ]
    [ "$(awk '$1 == "to_ask" { print $2, $6 }' plan)" = "4 6" ] # the first alone, which tells the width
    [ "$(llm_stats .requests)" = 0 ]
    dq-embed openai:m --batch 2 --parallel 1 --cache v.db -q -o v.dq o.dq
    [ "$(llm_stats .requests)" = 4 ]
}

@test "odd vectors: read where they are certain, refused in words where not" {
    odd_texts
    dq-embed openai:m --cache v.db -q -o v.dq o.dq
    local fault
    for fault in no-index-0 base64; do
        llm_clear
        llm_fault "{\"kind\": \"$fault\"}"
        dq-embed openai:m --cache "$fault.db" -q -o odd.dq o.dq
        cmp v.dq odd.dq
    done
    refused() { # FAULT WORDS
        llm_clear
        llm_fault "{\"kind\": \"$1\"}"
        rm -f odd.dq
        run -1 dq-embed openai:m --cache "$1.db" -q -o odd.dq o.dq
        # shellcheck disable=SC2053 # a pattern
        [[ "$output" == $2 ]] || { echo "$1: $output"; false; }
        [ ! -e odd.dq ]
        [ "$(sqlite3 "$1.db" "select count(*) from answers where label is null")" = "${3-0}" ]
    }
    refused fewer "*: 0 vectors for 1 texts (--batch 1 asks for one)"
    refused no-index "*: 5 of 5 vectors have no index, or one out of range (--batch 1 asks for one)"
    refused same-index "*: two vectors of 5 have the index 0 (--batch 1 asks for one)"
    refused wider "*: items 'i2', text d: m: a vector of 8 numbers after one of 9"
    refused null-vector "*: items 'i1', text d: no vector in its answer (*" 1
    # One at a time there is nothing to confuse.
    llm_clear
    llm_fault '{"kind": "no-index"}'
    dq-embed openai:m --cache no-index.db --batch 1 -q -o odd.dq o.dq
    cmp v.dq odd.dq
}

@test "usage: exit 2" {
    run -2 dq-embed hash:8 --cache v.db c.dq
    [ "${output% (try *)}" = "dq-embed: --cache has no meaning with hash:WIDTH; it is for openai:MODEL" ]
    run -2 dq-embed openai: c.dq
    run -2 dq-embed openai:m c.dq
    [[ $output == *"--cache"* ]]
    run -2 dq-embed openai:m --cache v.db --batch 257 c.dq
    run -2 dq-embed hash:8 --max-chars 10 c.dq
    [ "${output% (try *)}" = "dq-embed: --max-chars has no meaning with hash:WIDTH; it is for openai:MODEL" ]
    run -2 dq-embed cf:8 --allow-missing c.dq
}
