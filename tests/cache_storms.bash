# SPDX-License-Identifier: MIT
# Many processes over one cache, killed at random, for suites that source this file: one whose cache is a file, and one
# whose cache is a server's database. Nobody asks what another asks, nothing that was answered is lost, and the cache
# stays whole. STORM=full: 32 processes, 10,000 keys, 200 kills.
#
# The suite sets `cache`, and says what differs:
#
#   says SQL     the cache's answer: a line a row, columns divided by |
#   sound        true when what lies on the disk is as it should be
#   fresh        there is no cache from now on

storm_size() {
    if [ "${STORM:-}" = full ]; then processes=32 keys=10000 kills=200; else processes=16 keys=1500 kills=40; fi
}

# storm PROCESSES KEYS KILLS SEED [BUDGET]
storm() {
    "$BUILD"/helpers/cache_storm "$cache" . "$@" > told
    cat told
    touch calls got
}

# The cache is whole and nobody is left in it; a request is an answer, failed, or lost.
whole() {
    sound
    # whoever was killed last is cleared away by the next that claims
    "$BUILD"/helpers/cache_storm "$cache" "$(mktemp -d -p "$BATS_TEST_TMPDIR")" 1 "$keys" 0 9 > /dev/null
    [ "$(says 'SELECT (SELECT count(*) FROM claims) + (SELECT count(*) FROM owners) + (SELECT count(*) FROM flights)')" = 0 ]
    [ "$(says 'SELECT sum(calls - answered - failed - lost) FROM ledger')" = 0 ]
}

# Every process wrote all keys, and all wrote the same answers, which are those in the cache.
same() {
    [ "$(cat out.* | sort -u | wc -l)" = "$keys" ]
    for out in out.*; do cmp "$out" out.0; done
    [ "$(says 'SELECT count(*) FROM answers')" = "$keys" ]
}

# Many processes want the same keys: each is asked once.
storm_of_same_keys() {
    storm $processes "$keys" 0 1
    [ "$(wc -l < calls)" = "$keys" ]
    [ "$(cut -d' ' -f1 calls | sort -u | wc -l)" = "$keys" ]
    same
    [ "$(says 'SELECT calls, answered, lost FROM ledger')" = "$keys|$keys|0" ]
    whole
}

# Killed at random and begun again: nothing lost, one repeat for a key in flight at a kill.
storm_of_kills() {
    storm $processes "$keys" $kills 2
    [ "$(sed 's/kills=\([0-9]*\) .*/\1/' told)" -ge 5 ]
    same
    # A call without an answer was in flight at a kill: that many repeats, and no more. Nobody asked after an answer.
    awk 'FILENAME == "got" { answered[$1 " " $2]; next }
         { calls[$1]++; if (!(($1 " " $2) in answered)) killed[$1]++ }
         END { for (k in calls) if (calls[k] > 1 + killed[k]) { print k, calls[k], killed[k]; exit 1 } }' got calls
    # What a process saw stored is what the cache has.
    says "SELECT label FROM answers" | sort | uniq -c > kept
    awk '{ print $2 }' out.0 | sort | uniq -c | cmp - kept
    sort got > got.sorted
    [ -z "$(comm -23 got.sorted <(sort out.0))" ]
    [ "$(says 'SELECT count(*) FROM ledger WHERE calls >= answered + lost')" = 1 ]
    [ "$(wc -l < calls)" -le "$(says 'SELECT calls FROM ledger')" ]
    whole
}

# A budget holds across processes, and across kills.
storm_of_budgets() {
    storm 8 500 0 3 100
    [ "$(wc -l < calls)" = 100 ]
    [ "$(says 'SELECT calls, answered FROM ledger')" = '100|100' ]
    fresh
    rm calls got
    storm 8 500 20 4 200
    [ "$(wc -l < calls)" -le 200 ]
    [ "$(says 'SELECT calls FROM ledger')" = 200 ]
    keys=500
    sound
}

# Many processes make the cache at once.
storm_of_makers() {
    for seed in {1..20}; do
        fresh
        storm 32 1 0 "$seed"
    done
    [ "$(wc -l < calls)" = 20 ]
}
