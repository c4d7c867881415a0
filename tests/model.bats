#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A model labels the demo's pairs: enough of them, once, sealed afterwards, graded, and through a KILL. In `make check` the tests'
# server plays the model. `make check-model` holds a real one to the same: LLAMA names the folder that llama_install filled.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/needs.bash"

setup() {
    needs sqlite3
    set -o pipefail
    root=$BATS_TEST_DIRNAME/..
    PATH=$BUILD:$PATH
    source "$root"/tests/services/llm.bash
    source "$root"/tests/services/llama.bash
    [ -z "${LLAMA:-}" ] || [ -e "$LLAMA/ready" ] || skip "$(cat "$LLAMA/why")"
    cd "$BATS_FILE_TMPDIR" || return
    [ -e catalogue.dq ] || catalogue 12 6 catalogue.dq
}

teardown() {
    llm_stop
    llama_stop
}

# catalogue USERS ITEMS FILE: of the demo's
catalogue() {
    dq-export -q --users <(head -"$1" "$root"/data/demo/newcomers.jsonl) --items <(head -"$2" "$root"/data/demo/jobs.jsonl) -o "$3"
}

model_start() { if [ -n "${LLAMA:-}" ]; then llama_start "$LLAMA"; else llm_start "$@"; fi; }
model_asked() { if [ -n "${LLAMA:-}" ]; then llama_asked; else llm_stats .answered; fi; }

# The built-in prompts, and nothing about the server but its address.
label() { dq-reward --quiet --strategy llm --model smollm2-135m --pairs all "$@"; }
rows() { dq-cat --kind transitions "$1"; }
answers() { sqlite3 "$1" 'select count(*) from answers' 2> /dev/null || echo 0; }
payload() { zstd -dcq "$1"; }

@test "72 pairs: at least 95 in a hundred get a label, for a question or two each" {
    model_start
    SECONDS=0
    label --soft --allow-missing --cache r.db catalogue.dq -o soft.dq
    asked=$(model_asked) labelled=$(rows soft.dq | jq -r 'select(.label != null) | .label' | wc -l)
    echo "# $labelled of 72 pairs labelled, $asked requests, $SECONDS s: $(rows soft.dq | jq -r .label | sort | uniq -c | awk '{ print $2, $1 }' | paste -sd, -)" >&3
    [ "$(rows soft.dq | wc -l)" = 72 ]
    [ "$labelled" -ge 69 ]
    [ "$asked" -ge 72 ]
    [ "$asked" -le 150 ]
}

@test "sealed: with the server gone the cache gives the same bytes, soft or plain" {
    [ -e soft.dq ] || skip "nothing was labelled"
    export OPENAI_BASE_URL=http://127.0.0.1:9/v1
    label --soft --allow-missing --cache r.db --cache-only catalogue.dq | cmp <(payload /dev/stdin) <(payload soft.dq)
    label --allow-missing --cache r.db --cache-only catalogue.dq -o plain.dq
    cmp <(rows soft.dq | jq -c '[.user, .item, .label]') <(rows plain.dq | jq -c '[.user, .item, .label]')
}

@test "soft: the rewards are graded where the labels are not" {
    [ -e soft.dq ] || skip "nothing was labelled"
    rows soft.dq | jq -se 'map(select(.label != null)) | (map(select(.soft == 1)) | length) >= 0.95 * length'
    rows soft.dq | jq -r 'select(.soft == 1) | .reward' | sort -g > rewards
    echo "# rewards from $(head -1 rewards) to $(tail -1 rewards), $(sort -u rewards | wc -l) of them" >&3
    [ "$(sort -u rewards | wc -l)" -ge 36 ]
    awk 'NR == 1 { least = $1 } { most = $1 } END { exit !(most - least > 0.02) }' rewards
}

@test "killed and begun again: no question that has its answer is asked twice" {
    catalogue 2 6 twelve.dq
    model_start --delay 0.3
    dq-reward --quiet --strategy llm --model smollm2-135m --pairs all --parallel 2 --cache k.db twelve.dq -o killed.dq &
    pid=$!
    until [ "$(answers k.db)" -ge 2 ]; do kill -0 "$pid"; done
    kill -KILL "$pid"
    wait "$pid" || true
    [ ! -e killed.dq ]
    before=$(answers k.db)
    label --parallel 2 --allow-missing --cache k.db twelve.dq -o resumed.dq
    [ "$before" -lt "$(answers k.db)" ]
    # What was in flight at the kill, two at most, may have been answered to nobody.
    [ "$(model_asked)" -le $(($(answers k.db) + 2)) ]
    [ "$(rows resumed.dq | jq -r 'select(.label != null) | .label' | wc -l)" -ge 11 ]
    label --allow-missing --cache k.db --cache-only twelve.dq | cmp <(payload /dev/stdin) <(payload resumed.dq)
}
