#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-serve --cold: lists for users of whom nothing is known, what is learnt from their answers, and that a killed server
# goes on as if it had not been.

bats_require_minimum_version 1.5.0

load ../needs

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    sh "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 15
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
}

setup() {
    needs curl
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=2
    ln -s "$BATS_FILE_TMPDIR"/c.dq .
    pid='' poster=''
}

teardown() {
    for p in $pid $poster; do { kill "$p" && wait "$p"; } 2> /dev/null || true; done
}

# start OPTION...: a server; $pid is its.
start() {
    : > words # those of a server before this one say nothing of it
    dq-serve --catalogue c.dq --listen "unix:$PWD/socket" "$@" 2> words < /dev/null 3>&- &
    pid=$!
    until grep -q 'listening at' words; do
        kill -0 "$pid" || { cat words; return 1; }
        sleep 0.05
    done
}

stop() {
    kill "$pid"
    wait "$pid"
    pid=''
}

post() { curl -sS -m 60 --unix-socket socket -H 'Content-Type: application/json' -d "$2" "http://here$1"; }
recommend() { post /api/recommend "{\"user_id\": \"$1\", \"n_recommendations\": ${2-3}}"; }

# answers FROM TO: users who see a list and answer its first item, APPLY where the item's number is even
answers() {
    local i list
    for ((i = $1; i < $2; i++)); do
        list=$(recommend "new$i") || return
        jq -c '{request_id, item_id: .items[0].item_id, label: (if (.items[0].item_id[1:] | tonumber) % 2 == 0 then "APPLY" else "IGNORE" end)}' \
            <<< "$list" > answer.json
        post /api/feedback "$(cat answer.json)" > /dev/null || return
    done
}

@test "a stranger gets the bandit's list, with propensities in the log, and others those of whoever knows them" {
    start --log log.dq --cold thompson --cold-draws 20
    recommend stranger > list
    jq -e '.fallback == "thompson" and .model == "thompson" and (.items | length) == 3 and ([.items[].propensity] | all(. >= 0.05 and . <= 1))' list
    jq -e '([.items[].propensity] | .[0] * .[1] * .[2]) >= 0.0499' list
    post /api/recommend '{"user_id": "stranger", "n_recommendations": 9, "candidates": ["i000", "i003"]}' | jq -e '[.items[].item_id] | sort == ["i000", "i003"]'
    post /api/feedback "$(jq -c '{request_id, item_id: .items[1].item_id, label: "APPLY"}' list)" | jq -e '.ok and .reward == 1'
    recommend stranger | jq -e '.fallback != "thompson"' # he has a history now
    stop
    dq-cat log.dq | jq -es 'map(select(.label)) | length == 1 and .[0].model == "thompson"'
    jq -c '[.items[].propensity]' list > told
    dq-cat log.dq | jq -cs '[.[] | select(.label | not) | .propensity] | .[:3]' | jq -es '.[0] == .[1]' - told
}

@test "what is applied to is shown more, what is ignored less; by bounds there is no chance" {
    start --log log.dq --cold linucb --cold-spread 3
    answers 0 30
    stop
    start --log log.dq --cold linucb --cold-spread 0 # the same posterior, by its mean
    for i in 1 2 3; do recommend "last$i" 6 | jq -c '[.items[] | [.item_id, .propensity]]'; done | sort -u > lists
    jq -es 'length == 1 and (.[0] | map(select((.[0][1:] | tonumber) % 2 == 0)) | length == 6) and (.[0] | all(.[1] == 1))' lists
    stop
}

@test "killed at a moment that nobody chose, it goes on to the bits of one that was never stopped" {
    options=(--log log.dq --cold thompson --cold-by vectors --cold-state cold.dq)
    start "${options[@]}"
    answers 0 5
    stop # a state that is older than the log's end
    cp cold.dq first.dq
    start "${options[@]}"
    grep -q -- '--cold thompson: 5 showings learnt from' words
    answers 5 1000 2> /dev/null 3>&- &
    poster=$!
    until [ "$(dq-cat log.dq 2> /dev/null | grep -c '"label"')" -ge 12 ]; do kill -0 "$poster"; sleep 0.05; done
    kill -KILL "$pid"
    { wait "$pid" || true; wait "$poster" || true; } 2> /dev/null
    pid='' poster=''
    cmp cold.dq first.dq
    start "${options[@]}"
    answers 2000 2010
    stop
    dq-cat --check log.dq
    [ "$(dq-cat log.dq | grep -c '"label"')" -ge 22 ]
    start "${options[@]/cold.dq/anew.dq}" # the whole log at once
    stop
    cmp cold.dq anew.dq
}

@test "what cannot be is refused in one line" {
    refused() { # STATUS WORDS OPTION...
        local status=$1 words=$2
        shift 2
        run -"$status" dq-serve --listen "unix:$PWD/socket" "$@"
        [[ "${output% (try *)}" == "dq-serve: $words" ]] || { echo "$output"; false; }
    }
    refused 2 '--cold thompson learns from what the log has: --log FILE' --catalogue c.dq --cold thompson
    refused 2 '--cold-state needs --log' --catalogue c.dq --cold thompson --cold-state cold.dq
    refused 2 '--log and --cold-state are one file: ./log.dq' --catalogue c.dq --log log.dq --cold linucb --cold-state ./log.dq # it would replace the log
    refused 2 '--log would overwrite the input of --catalogue, c.dq' --catalogue c.dq --log c.dq
    refused 2 '--cold-draws needs --cold thompson' --catalogue c.dq --log log.dq --cold linucb --cold-draws 9
    refused 2 '--cold-ridge needs --cold linucb or thompson' --catalogue c.dq --cold-ridge 9
    refused 2 '--cold and --demo exclude each other' --demo --log log.dq --cold thompson
    refused 1 '--cold: there is no catalogue (--catalogue FILE)' --log log.dq --cold thompson
    start --log log.dq --cold thompson --cold-state cold.dq
    answers 0 2
    stop
    refused 1 "cold.dq: the model's posterior began with a ridge of 1, which stays: not 2" --catalogue c.dq --log log.dq --cold linucb --cold-ridge 2 --cold-state cold.dq
    jq -c 'select(.id != "i003")' "$BATS_FILE_TMPDIR"/items.jsonl > items.jsonl
    dq-export --items items.jsonl -o less.dq
    refused 1 "cold.dq: it is of other items than the catalogue's: remove it, and all is learnt from the log anew" --catalogue less.dq --log log.dq --cold thompson --cold-state cold.dq
    cp cold.dq before.dq
    dq-serve --check --catalogue c.dq --log log.dq --cold linucb --cold-state cold.dq
    cmp cold.dq before.dq
}
