#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-reward asking a model: thirty-two processes over one cache, labellers that are killed at any moment, a network
# that is not there, budgets. Requests are counted at the server. STORM=full: 10,000 prompts.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
. "$BATS_TEST_DIRNAME/../services/llm.bash"

setup() {
    needs sqlite3
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    pids=()
    if [ "${STORM:-}" = full ]; then catalogue 100 100; else catalogue 40 40; fi
}

teardown() {
    [ -z "${pids[*]}" ] || kill -KILL "${pids[@]}" 2> /dev/null || true
    llm_stop
}

# catalogue USERS ITEMS: catalogue.dq, and $keys prompts of one stage.
catalogue() {
    keys=$(($1 * $2)) items=$2
    seq "$1" | sed 's/.*/{"id": "u&", "text": {"bio": "engineer number &", "skills": "welding & parts"}}/' > users.jsonl
    seq "$2" | sed 's/.*/{"id": "i&", "text": {"title": "post &", "description": "work of kind & in a shop"}}/' > items.jsonl
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl -o catalogue.dq
}

# label ARGUMENT...: the labeller, one question a pair.
options=(-q --strategy llm --model judge --stages 1 --cache rewards.db)
label() { "$BUILD"/dq-reward "${options[@]}" "$@" catalogue.dq; }

# start SLOT ARGUMENT...: the same in the background, into out.SLOT.dq; pids[SLOT] is the program's own.
start() {
    local slot=$1
    shift
    "$BUILD"/dq-reward "${options[@]}" "$@" catalogue.dq > out.$slot.dq 2> words.$slot 3>&- &
    pids[slot]=$!
}

# reference: plain.dq, what one undisturbed process gives, with a cache of its own.
reference() {
    label --pairs all --parallel 16 -o plain.dq
    rm rewards.db*
    llm_clear
}

same() { cmp <(zstd -dcq "$1") <(zstd -dcq "$2"); }
labels() { "$BUILD"/dq-cat --kind transitions "$1" | jq -r '[.user, .item, .label] | @tsv'; }

# The file is whole, all that was granted has an outcome, and every answer's key is its request's.
whole() {
    [ "$(sqlite3 rewards.db 'PRAGMA integrity_check')" = ok ]
    [ "$(sqlite3 rewards.db 'SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM owners) + (SELECT count(*) FROM flights)')" = 0 ]
    [ "$(sqlite3 rewards.db 'SELECT calls - answered - failed - lost FROM ledger')" = 0 ]
    python3 - << 'END'
import hashlib, sqlite3
rows = sqlite3.connect("rewards.db").execute("SELECT key, request FROM answers").fetchall()
assert rows and all(hashlib.sha256(request.encode()).digest() == key for key, request in rows)
END
}

# kill_soon PID: kills it after a moment; waits until it is gone.
kill_soon() {
    sleep "0.0$((RANDOM % 8))$((RANDOM % 10))"
    kill -KILL "$1" 2> /dev/null || true
    wait "$1" 2> /dev/null || true
}

@test "thirty-two processes, overlapping prompts: as many calls as there are questions" {
    llm_start
    for seed in {1..32}; do start "$seed" --pairs random:$((items * 2 / 5)) --seed "$seed"; done
    for pid in "${pids[@]}"; do wait "$pid"; done
    [ "$(llm_stats .requests)" = "$keys" ]
    [ "$(llm_stats .keys)" = "$keys" ]
    [ "$(sqlite3 rewards.db 'SELECT count(*) FROM answers')" = "$keys" ]
    pairs=$((32 * keys * 2 / 5))
    [ "$(sqlite3 rewards.db 'SELECT calls, answered, hits FROM ledger')" = "$keys|$keys|$((pairs - keys))" ]
    for out in out.*.dq; do labels "$out"; done > all
    [ "$(wc -l < all)" = "$pairs" ]
    [ "$(sort -u all | wc -l)" = "$keys" ] # all say the same of a pair
    whole
}

@test "processes killed at random and begun again: no label lost, a repeat at most for what was in flight" {
    parallel=4 kills=0
    llm_start
    reference
    llm_stop
    llm_start --delay 0.02
    for slot in {0..7}; do start $slot --pairs all --parallel $parallel; done
    for _ in {1..40}; do
        slot=$((RANDOM % 8))
        ! kill -0 "${pids[slot]}" 2> /dev/null || kills=$((kills + 1))
        kill_soon "${pids[slot]}"
        start $slot --pairs all --parallel $parallel
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    for slot in {0..7}; do same out.$slot.dq plain.dq; done
    # Every repeat has a call that was in flight when its process was killed: on the wire, or answered and not yet
    # stored; a labeller claims twice as many as it has on the wire.
    echo "$kills kills, $(llm_stats .requests) requests for $keys questions"
    [ "$(llm_stats .keys)" = "$keys" ]
    [ "$(llm_stats .requests)" -le $((keys + kills * 2 * parallel)) ]
    [ "$(llm_stats .requests)" -le "$((keys + $(sqlite3 rewards.db 'SELECT lost FROM ledger')))" ]
    [ "$(sqlite3 rewards.db 'SELECT count(*) FROM answers')" = "$keys" ]
    whole
}

@test "one labeller killed 200 times: the stream is the same, byte by byte" {
    parallel=8
    llm_start
    reference
    llm_stop
    llm_start --delay 0.02
    for _ in {1..200}; do
        start 0 --pairs all --parallel $parallel
        kill_soon "${pids[0]}"
        [ ! -s words.0 ] || { cat words.0; false; }
        [ ! -e /proc/"${pids[0]}" ]
    done
    label --pairs all --parallel $parallel > out.dq
    same out.dq plain.dq
    [ "$(llm_stats .keys)" = "$keys" ]
    [ "$(llm_stats .requests)" -le $((keys + 200 * 2 * parallel)) ]
    [ "$(llm_stats .requests)" -le "$((keys + $(sqlite3 rewards.db 'SELECT lost FROM ledger')))" ]
    echo "$(llm_stats .requests) requests for $keys questions"
    whole
}

@test "--cache-only without a network: hits work, a miss is counted and fails" {
    llm_start
    label --pairs all --parallel 16 -o plain.dq
    llm_stop
    unshare -rn true 2> /dev/null || skip "no new network namespace is allowed here"
    without() { unshare -rn "$BUILD"/dq-reward --strategy llm --model judge --stages 1 --cache rewards.db "$@"; }
    without -q --pairs all --cache-only catalogue.dq > out.dq
    same out.dq plain.dq
    sqlite3 rewards.db "DELETE FROM answers WHERE id IN (SELECT id FROM answers LIMIT 3)"
    run -1 without -q --pairs all --cache-only catalogue.dq -o none.dq
    missed="dq-reward: 3 of $keys pairs have no label: answers: 3 not in the cache; --allow-missing leaves them null"
    [ "$output" = "$missed" ] || { echo "$output"; false; }
    [ ! -e none.dq ]
    chmod 400 rewards.db
    run -1 without -q --pairs all --cache-only catalogue.dq -o none.dq
    [ "$output" = "$missed" ]
}

@test "a budget of requests holds over eight processes" {
    llm_start --delay 0.002
    for slot in {1..8}; do start $slot --pairs all --parallel 4 --max-requests 100; done
    for pid in "${pids[@]}"; do
        got=0
        wait "$pid" || got=$?
        [ $got = 75 ]
    done
    cat words.*
    [ "$(llm_stats .requests)" -le 108 ]
    [ "$(llm_stats .requests)" -gt 90 ]
    [ "$(sqlite3 rewards.db 'SELECT count(*) FROM answers')" = "$(llm_stats .requests)" ]
    for slot in {1..8}; do run ! "$BUILD"/dq-cat --check out.$slot.dq; done
    llm_clear
    label --pairs all --parallel 16 -o out.dq
    [ "$(llm_stats .requests)" = $((keys - $(sqlite3 rewards.db "SELECT count(*) FROM answers WHERE id <= 100"))) ]
    whole
}
