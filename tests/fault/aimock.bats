#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-reward against a server that others wrote: the shape of requests, a 429 and then an answer, answers by JSON schema, a
# malformed body, a reply without words.

bats_require_minimum_version 1.5.0
load ../services/aimock

setup() {
    cd "$BATS_TEST_TMPDIR"
    aimock_install || skip "no Node 20 or newer, or no way to npm"
    PATH=$BUILD:$PATH
    echo '{"id": "u1", "text": {"bio": "a baker"}}' > u.jsonl
    printf '%s\n' '{"id": "i1", "text": {"title": "Baker", "description": "bread"}}' \
        '{"id": "i2", "text": {"title": "Miller", "description": "flour"}}' > i.jsonl
    dq-export -q --users u.jsonl --items i.jsonl -o c.dq
    cat > fixtures.json <<'JSON'
{"fixtures": [
  {"match": {"model": "limited", "sequenceIndex": 0},
   "response": {"error": {"message": "slow down", "type": "rate_limit_error"}, "status": 429, "retryAfter": 1}},
  {"match": {"model": "limited"}, "response": {"content": {"decision": "SAVE"}}},
  {"match": {"model": "busy", "sequenceIndex": 0},
   "response": {"error": {"message": "overloaded", "type": "server_error"}, "status": 503}},
  {"match": {"model": "busy"}, "response": {"content": "DECISION: CLICK"}},
  {"match": {"model": "wordless"}, "response": {"content": " "}},
  {"match": {"model": "broken"}, "response": {"content": "APPLY"}, "chaos": {"malformedRate": 1}},
  {"match": {"model": "denied"},
   "response": {"error": {"message": "no such model for you", "type": "invalid_request_error"}, "status": 404}},
  {"match": {"model": "judge", "userMessage": "title: Baker", "responseFormat": "json_schema"},
   "response": {"content": {"decision": "APPLY"}}},
  {"match": {"model": "judge", "userMessage": "title: Miller", "responseFormat": "json_schema"},
   "response": {"content": {"decision": "IGNORE"}}},
  {"match": {"inputText": "baker"}, "response": {"embedding": [0.6, 0.8, 0]}}
]}
JSON
    aimock_start fixtures.json
}

teardown() { aimock_stop; }

label() {
    local model=$1
    shift
    dq-reward -q --strategy llm --model "$model" --stages 1 --cache "$model.db" --parallel 1 "$@" c.dq
}

labels() { dq-cat --kind transitions | jq -r '.item + " " + (.label // "none")' | paste -sd ' '; }

@test "answers by JSON schema, and the request as it saw it" {
    [ "$(label judge --pairs all | labels)" = "i1 APPLY i2 IGNORE" ]
    aimock_journal > seen
    [ "$(jq length seen)" = 2 ]
    [ "$(jq -c '[.[].body | .model, .temperature, .response_format.type, .response_format.json_schema.strict, (.messages | length)]' seen)" = \
        '["judge",0,"json_schema",true,2,"judge",0,"json_schema",true,2]' ]
    [ "$(jq -c '[.[0] | .path, .headers["content-type"], .headers.authorization]' seen)" = \
        '["/v1/chat/completions","application/json",null]' ]
    [ "$(jq -c '[.[0].body.response_format.json_schema.schema.properties[].enum]' seen)" = '[["APPLY","SAVE","CLICK","IGNORE"]]' ]
    # The same again is in the cache.
    [ "$(label judge --pairs all --cache-only | labels)" = "i1 APPLY i2 IGNORE" ]
    [ "$(aimock_journal | jq length)" = 2 ]
}

@test "a key goes out as a bearer's" {
    OPENAI_API_KEY=sk-one label judge --pairs all > /dev/null
    [ "$(aimock_journal | jq -c '[.[].headers | has("authorization")]')" = "[true,true]" ]
}

@test "429 with Retry-After, then an answer" {
    [ "$(label limited --pairs random:1 | labels | cut -d' ' -f2)" = SAVE ]
    [ "$(aimock_journal | jq -c '[.[].response.status]')" = "[429,200]" ]
    [ "$(aimock_journal | jq '.[1].timestamp - .[0].timestamp >= 1000')" = true ]
}

@test "503, then an answer in words" {
    [ "$(label busy --pairs random:1 | labels | cut -d' ' -f2)" = CLICK ]
    [ "$(aimock_journal | jq -c '[.[].response.status]')" = "[503,200]" ]
}

@test "a reply without words and a malformed body are no labels" {
    local model
    for model in wordless broken; do
        run -1 --separate-stderr label $model --pairs random:1
        [ -z "$(tr -d '\0' <<<"$output" | dq-cat --kind transitions 2>/dev/null)" ]
        [[ "$stderr" == "dq-reward: 1 of 1 pairs have no label: "* ]]
        [ "$(label $model --pairs random:1 --allow-missing | labels | cut -d' ' -f2)" = none ]
    done
    [ "$(aimock_journal | jq length)" = 4 ]
}

@test "a refusal with its reason" {
    run -1 --separate-stderr label denied --pairs random:1 -o out.dq
    [ "$stderr" = "dq-reward: ${AIMOCK#http://}/v1/chat/completions: HTTP 404: no such model for you" ]
    [ "$(aimock_journal | jq length)" = 1 ]
}

@test "embeddings" {
    dq-embed -q openai:small --cache e.db --field bio c.dq > v.dq
    [ "$(dq-cat --kind users v.dq | jq -c '[.vector | .. | numbers * 100 | round]')" = "[60,80,0]" ]
    [ "$(aimock_journal | jq -c '[.[] | [.path, .body.model, .body.embeddingInput]]')" = '[["/v1/embeddings","small","a baker"]]' ]
}
