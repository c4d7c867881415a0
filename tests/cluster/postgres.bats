#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A cache on a PostgreSQL server: the tests of a cache in a file, on a server; answers moved between both; what it says of
# addresses, secrets and servers that are gone.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/../services/postgres.bash"
. "$BATS_TEST_DIRNAME/../services/llm.bash"
source "$BATS_TEST_DIRNAME/../cache_storms.bash"

setup_file() {
    postgres_here || return 0 # bats 1.8 takes a skip here for a failure
    postgres_start
    export POSTGRES POSTGRES_FOLDER
    psql -qX "$POSTGRES" -c 'CREATE EXTENSION amcheck' # what pg_amcheck asks
}

teardown_file() { postgres_stop; }

setup() {
    postgres_here || skip "PostgreSQL is not installed (package postgresql)"
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    # shellcheck disable=SC2034 # of the storms
    cache=$POSTGRES
    export PATH="$BUILD:$PATH"
    fresh
}

teardown() { llm_stop; }

says() { psql_says "$1"; }
sound() { "$(postgres_bin)"/pg_amcheck --heapallindexed -s dq_cache "$POSTGRES"; }
fresh() { psql_says 'DROP SCHEMA IF EXISTS dq_cache CASCADE'; }

# judged USERS ITEMS: a catalogue, and a server that judges its pairs.
judged() {
    seq "$1" | sed 's/.*/{"id": "u&", "text": {"bio": "engineer number &", "skills": "welding & parts"}}/' > users.jsonl
    seq "$2" | sed 's/.*/{"id": "i&", "text": {"title": "post &", "description": "work of kind & in a shop"}}/' > items.jsonl
    dq-export -q --users users.jsonl --items items.jsonl -o catalogue.dq
    llm_start
}

label() { dq-reward -q --strategy llm --model judge --stages 1 --pairs all "$@" catalogue.dq; }
payload() { zstd -dcq "$1"; }

@test "the tests of claims, budgets and the ledger" {
    DQ_CACHE_ADDRESS=$POSTGRES "$BUILD"/unit/test_cache_claims
}

@test "the tests of answers that are moved" {
    DQ_CACHE_ADDRESS=$POSTGRES "$BUILD"/unit/test_answers
}

@test "the tests of a server: recognised, refused, read without the right to write, lost and found again" {
    DQ_CACHE_ADDRESS=$POSTGRES "$BUILD"/unit/test_cache_server
}

@test "many processes want the same keys: each is asked once" { storm_size; storm_of_same_keys; }
@test "killed at random and begun again: nothing lost, one repeat for a key in flight at a kill" { storm_size; storm_of_kills; }
@test "a budget holds across processes, and across kills" { storm_size; storm_of_budgets; }
@test "many processes make the tables at once" { storm_size; storm_of_makers; }

@test "a labeller gives the same stream as with a file, and asks nobody twice" {
    judged 10 8
    label --cache "$POSTGRES" --dry-run > plan
    grep -q '^to_ask	80	' plan
    label --cache rewards.db -o file.dq
    label --cache "$POSTGRES" -o server.dq
    cmp <(payload file.dq) <(payload server.dq)
    llm_clear
    label --cache "$POSTGRES" -o again.dq
    [ "$(llm_stats .requests)" = 0 ]
    llm_stop
    label --cache "$POSTGRES" --cache-only -o only.dq
    cmp <(payload file.dq) <(payload only.dq)
    dq-reward --ledger "$POSTGRES" | cut -f1-10 > server
    dq-reward --ledger rewards.db | cut -f1-10 > file
    [ "$(awk -F'\t' 'NR == 2 { $7 -= 80; print }' OFS='\t' server)" = "$(sed -n 2p file)" ]
}

@test "answers move between both, and merge exactly" {
    judged 10 8
    head -6 users.jsonl > some.jsonl
    dq-export -q --users some.jsonl --items items.jsonl -o some.dq
    label --cache a.db -o a.dq
    dq-reward -q --strategy llm --model judge --stages 1 --pairs all --cache b.db some.dq -o b.dq
    sqlite3 a.db "UPDATE answers SET label = NULL WHERE id <= 5; UPDATE answers SET answer = CAST(x'ff00fe' AS TEXT) WHERE id = 3"
    # out of a file, into a server, and back: the same
    dq-reward --export-cache a.db -o a.answers
    dq-reward --import-cache "$POSTGRES" a.answers 2> words
    grep -qx 'dq-reward: 80 answers: 80 taken, 0 there already' words
    dq-reward -q --export-cache "$POSTGRES" -o server.answers
    cmp <(payload a.answers) <(payload server.answers)
    dq-reward -q --export-cache "$POSTGRES" | dq-reward -q --import-cache c.db
    cmp <(payload a.answers) <(dq-reward -q --export-cache c.db | payload -)
    [ "$(sqlite3 c.db 'SELECT hex(answer) FROM answers EXCEPT SELECT CAST(hex(answer) AS TEXT) FROM answers WHERE answer LIKE "{%"')" = FF00FE ]
    # again: nothing; of another: what was unreadable and is not
    dq-reward --import-cache "$POSTGRES" a.answers 2> words
    grep -qx 'dq-reward: 80 answers: 0 taken, 80 there already' words
    unreadable=$(says 'SELECT count(*) FROM answers WHERE label IS NULL')
    [ "$unreadable" = 5 ]
    dq-reward -q --export-cache b.db | dq-reward --import-cache "$POSTGRES" 2> words
    taken=$(sed -n 's/.*: 48 answers: \([0-9]*\) taken.*/\1/p' words)
    [ "$(says 'SELECT count(*) FROM answers WHERE label IS NULL')" = $((5 - taken)) ]
    [ "$(says 'SELECT count(*) FROM answers')" = 80 ]
    [ "$(says 'SELECT count(*) FROM answers WHERE key <> sha256(request)')" = 0 ]
    [ "$(says 'SELECT count(*) FROM facts')" = "$(sqlite3 a.db 'SELECT count(*) FROM facts')" ]
    # what was moved is not asked
    llm_clear
    label --cache "$POSTGRES" --retry-unreadable -o d.dq
    [ "$(llm_stats .requests)" = $((5 - taken)) ]
    # the ledger is each cache's own
    [ "$(says 'SELECT calls FROM ledger')" = $((5 - taken)) ]
}

@test "what cannot be moved is one line" {
    "$BUILD"/helpers/cache_storm storm.db "$(mktemp -d -p "$BATS_TEST_TMPDIR")" 2 5 0 1 > /dev/null
    run ! dq-reward --export-cache storm.db -o never.dq
    [[ ${#lines[@]} = 1 && $output == *"is not its request's SHA-256: delete that row of answers" ]]
    [ ! -e never.dq ]
    judged 2 2
    run ! dq-reward --import-cache "$POSTGRES" catalogue.dq
    [[ ${#lines[@]} = 1 && $output == *"the stream has no answers"* ]]
    label --cache a.db -o a.dq
    dq-reward -q --export-cache a.db -o a.answers
    head -c $(($(stat -c %s a.answers) - 9)) a.answers > cut.answers
    run ! dq-reward --import-cache "$POSTGRES" cut.answers
    [ "${#lines[@]}" = 1 ]
}

@test "a password is never shown: refused in an address, found in the environment and in files" {
    for address in postgresql://dq:hush@127.0.0.1/db 'postgres://127.0.0.1/db?password=hush' 'postgresql://127.0.0.1/db?user=x&p%61ssword=hush' \
        postgresql://dq:hu/sh@127.0.0.1/db 'postgresql://dq:hu?sh@127.0.0.1/db' 'postgresql://127.0.0.1/db?sslpassword=hush'; do
        for option in --ledger --export-cache --import-cache; do
            run -2 dq-reward $option "$address"
            [[ ${#lines[@]} = 1 && $output == *"may not hold a password"*PGPASSWORD* && $output != *hu*sh@* && $output != *=hush* ]]
        done
        run -2 dq-reward --strategy llm --model m --cache "$address" none.dq
        [[ $output == *"may not hold a password"* ]]
        run -2 dq-embed openai:m --cache "$address" none.dq
        [[ $output == *"may not hold a password"* ]]
    done
    for address in 'host=127.0.0.1 password=hush' 'Postgresql://dq:hush@127.0.0.1/db' 'postgresql://127.0.0.1/db?hush'; do
        run -2 dq-reward --ledger "$address"
        [[ ${#lines[@]} = 1 && $output != *hush* ]]
    done
    judged 2 2
    label --cache "$POSTGRES" -o out.dq
    run ! grep -c "$PGPASSWORD" <(payload out.dq) <(dq-reward -q --export-cache "$POSTGRES" | payload -)
    run ! env PGPASSWORD=wrong-sesame dq-reward --ledger "$POSTGRES"
    [[ ${#lines[@]} = 1 && $output == *"password authentication failed for user"* && $output != *sesame* ]]
    run ! env -u PGPASSWORD HOME=/nonexistent dq-reward --ledger "$POSTGRES"
    [[ ${#lines[@]} = 1 && $output == *"PGPASSWORD, a service file (PGSERVICE) or ~/.pgpass gives one" ]]
    rest=${POSTGRES#*127.0.0.1:}
    printf '[labels]\nhost=127.0.0.1\nport=%s\ndbname=postgres\nuser=dq\npassword=%s\n' "${rest%/*}" "$PGPASSWORD" > service
    env -u PGPASSWORD PGSERVICEFILE="$PWD/service" PGSERVICE=labels dq-reward --ledger postgresql:// > ledger
    env -u PGPASSWORD PGSERVICEFILE="$PWD/service" dq-reward --ledger 'postgresql://?service=labels' | cmp - ledger
    [ "$(wc -l < ledger)" = 2 ]
}

@test "a server that crashes: labellers fail in a line or go on, and nothing that was stored is lost" {
    judged 20 20
    label --cache plain.db -o plain.dq
    llm_stop
    llm_start --delay 0.02
    for slot in 1 2 3; do
        label --cache "$POSTGRES" --parallel 4 > out.$slot.dq 2> words.$slot 3>&- &
        pids[slot]=$!
    done
    sleep 0.5
    postgres_restart KILL
    for slot in 1 2 3; do wait "${pids[slot]}" || [ "$(wc -l < words.$slot)" = 1 ]; done
    stored=$(says 'SELECT count(*) FROM answers')
    asked=$(llm_stats .requests)
    label --cache "$POSTGRES" -o again.dq
    cmp <(payload plain.dq) <(payload again.dq)
    [ $(($(llm_stats .requests) - asked)) = $((400 - stored)) ]
    [ "$(says 'SELECT count(*) FROM claims')" = 0 ]
}

@test "nobody is there: one line" {
    run ! dq-reward --ledger postgresql://dq@127.0.0.1:1/db
    [[ ${#lines[@]} = 1 && $output == *"no connection to the cache's server"*"Connection refused"* ]]
    run ! dq-reward --ledger "$POSTGRES"
    [[ ${#lines[@]} = 1 && $output == *"not a cache: nobody has written to it yet" ]]
}
