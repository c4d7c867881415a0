#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The storms of tests/llm_storms.bash over a file; and a network that is not there.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
. "$BATS_TEST_DIRNAME/../services/llm.bash"
source "$BATS_TEST_DIRNAME/../llm_storms.bash"

setup() {
    needs sqlite3
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    cache=rewards.db
    llm_storm_size
}

teardown() { llm_storm_end; }

says() { sqlite3 "$cache" "$1"; }
sound() { [ "$(says 'PRAGMA integrity_check')" = ok ]; }
fresh() { rm -f "$cache" "$cache"-journal; }
keys_match() {
    python3 - << 'END'
import hashlib, sqlite3
rows = sqlite3.connect("rewards.db").execute("SELECT key, request FROM answers").fetchall()
assert rows and all(hashlib.sha256(request.encode()).digest() == key for key, request in rows)
END
}

@test "thirty-two processes, overlapping prompts: as many calls as there are questions" { storm_of_labellers; }
@test "processes killed at random and begun again: no label lost, a repeat at most for what was in flight" { storm_of_killed_labellers; }
@test "one labeller killed 200 times: the stream is the same, byte by byte" { storm_of_one_labeller; }
@test "a budget of requests holds over eight processes" { storm_of_spenders; }

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
