#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Many processes over one cache, killed at random: nobody asks what another asks, nothing that was answered is
# lost, and the file stays whole. STORM=full: 32 processes, 10,000 keys, 200 kills.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs sqlite3
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    if [ "${STORM:-}" = full ]; then processes=32 keys=10000 kills=200; else processes=16 keys=1500 kills=40; fi
}

# storm PROCESSES KEYS KILLS SEED [BUDGET]
storm() {
    "$BUILD"/helpers/cache_storm c.db . "$@" > told
    cat told
    touch calls got
}

# The file is whole and nobody is left in it; a request is an answer, failed, or lost.
whole() {
    [ "$(sqlite3 c.db 'PRAGMA integrity_check')" = ok ]
    # whoever was killed last is cleared away by the next that claims
    "$BUILD"/helpers/cache_storm c.db "$(mktemp -d)" 1 "$keys" 0 9 > /dev/null
    [ "$(sqlite3 c.db 'SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM owners) + (SELECT count(*) FROM flights)')" = 0 ]
    [ "$(sqlite3 c.db 'SELECT sum(calls - answered - failed - lost) FROM ledger')" = 0 ]
}

# Every process wrote all keys, and all wrote the same answers, which are those in the file.
same() {
    [ "$(cat out.* | sort -u | wc -l)" = "$keys" ]
    for out in out.*; do cmp "$out" out.0; done
    [ "$(sqlite3 c.db 'SELECT count(*) FROM answers')" = "$keys" ]
}

@test "many processes want the same keys: each is asked once" {
    storm $processes "$keys" 0 1
    [ "$(wc -l < calls)" = "$keys" ]
    [ "$(cut -d' ' -f1 calls | sort -u | wc -l)" = "$keys" ]
    same
    [ "$(sqlite3 c.db 'SELECT calls || answered || lost FROM ledger')" = "$keys${keys}0" ]
    whole
}

@test "killed at random and begun again: nothing lost, one repeat for a key in flight at a kill" {
    storm $processes "$keys" $kills 2
    [ "$(sed 's/kills=\([0-9]*\) .*/\1/' told)" -ge 5 ]
    same
    # A call without an answer was in flight at a kill: that many repeats, and no more. Nobody asked after an answer.
    awk 'FILENAME == "got" { answered[$1 " " $2]; next }
         { calls[$1]++; if (!(($1 " " $2) in answered)) killed[$1]++ }
         END { for (k in calls) if (calls[k] > 1 + killed[k]) { print k, calls[k], killed[k]; exit 1 } }' got calls
    # What a process saw stored is what the file has.
    sqlite3 -cmd '.mode tabs' c.db "SELECT label FROM answers" | sort | uniq -c > kept
    awk '{ print $2 }' out.0 | sort | uniq -c | cmp - kept
    sort got > got.sorted
    [ -z "$(comm -23 got.sorted <(sort out.0))" ]
    [ "$(sqlite3 c.db 'SELECT calls >= answered + lost FROM ledger')" = 1 ]
    [ "$(wc -l < calls)" -le "$(sqlite3 c.db 'SELECT calls FROM ledger')" ]
    whole
}

@test "a budget holds across processes, and across kills" {
    storm 8 500 0 3 100
    [ "$(wc -l < calls)" = 100 ]
    [ "$(sqlite3 c.db 'SELECT calls || answered FROM ledger')" = 100100 ]
    rm c.db calls got
    storm 8 500 20 4 200
    [ "$(wc -l < calls)" -le 200 ]
    [ "$(sqlite3 c.db 'SELECT calls FROM ledger')" = 200 ]
    keys=500
    [ "$(sqlite3 c.db 'PRAGMA integrity_check')" = ok ]
}

@test "many processes make the file at once" {
    for seed in {1..20}; do
        rm -f c.db
        storm 32 1 0 "$seed"
    done
    [ "$(wc -l < calls)" = 20 ]
}
