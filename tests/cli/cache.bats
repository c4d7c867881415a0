#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/cache.md: its queries and its commands run as they are printed, on a cache that processes filled.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs sqlite3
    set -o pipefail
    document=$BATS_TEST_DIRNAME/../../docs/cache.md
    cd "$BATS_TEST_TMPDIR" || return
    "$BUILD"/helpers/cache_storm rewards.db . 4 60 0 1 > /dev/null
    sqlite3 rewards.db "UPDATE answers SET label = NULL, asked = 2, answer = 'no JSON' WHERE id <= 10"
}

# blocks LANGUAGE: each block of the document into LANGUAGE.1, LANGUAGE.2 ...
blocks() {
    awk -v fence='```'"$1" -v name="$1" '/^```/ { inside = ($0 == fence); n += inside; next } inside { print > (name "." n) }' "$document"
}

@test "the queries answer" {
    blocks sql
    for query in 1 2 3 4 5; do sqlite3 -bail rewards.db < sql.$query > rows.$query; [ -s rows.$query ]; done
    sort rows.1 > sorted
    grep -qx 'storm|(unreadable)|10|16.7' sorted
    [ "$(awk -F'|' '{ n += $3 } END { print n }' rows.1)" = 60 ]
    [ "$(wc -l < rows.2)" = 10 ]
    grep -q '|none|2|no JSON$' rows.2
    [ "$(wc -l < rows.3)" = 20 ]
    grep -q '^run[0-9]*|APPLY|an engineer$' rows.3
    [ "$(cut -d'|' -f2- rows.4 | head -1 | cut -d'|' -f1)" = storm ]
    grep -qx 'none|storm|60|0.0|0.0' rows.5
    sqlite3 -bail rewards.db < sql.6
    [ "$(sqlite3 rewards.db 'SELECT count(*) FROM answers')" = 50 ]
}

@test "copying, joining and saving leave caches that the program takes" {
    blocks sh
    "$BUILD"/helpers/cache_storm theirs.db "$(mktemp -d -p "$BATS_TEST_TMPDIR")" 4 100 0 2 > /dev/null
    bash -euo pipefail sh.1
    [ "$(stat -c %a copy.db)" = 600 ]
    bash -euo pipefail sh.2
    [ "$(sqlite3 rewards.db 'SELECT count(*) FROM answers')" = 100 ]
    [ "$(sqlite3 rewards.db 'SELECT count(*) FROM answers WHERE label IS NULL')" = 10 ]
    [ "$(sqlite3 rewards.db 'SELECT calls FROM ledger')" = 60 ]
    # a page that a broken disk returned
    printf '\377%.0s' {1..64} | dd of=rewards.db bs=1 seek=$(($(stat -c %s rewards.db) - 8192)) conv=notrunc 2> /dev/null
    [ "$(sqlite3 rewards.db 'PRAGMA integrity_check' 2>&1)" != ok ]
    bash -uo pipefail sh.3 > /dev/null 2>&1
    [ "$(sqlite3 saved.db 'SELECT count(*) BETWEEN 20 AND 100 FROM answers')" = 1 ]
    for cache in copy.db saved.db; do
        folder=$(mktemp -d -p "$BATS_TEST_TMPDIR")
        "$BUILD"/helpers/cache_storm $cache "$folder" 2 100 0 3
        [ "$(sqlite3 $cache 'SELECT count(*) FROM answers')" = 100 ]
        [ "$(wc -l < "$folder/calls")" -le 80 ]
    done
}
