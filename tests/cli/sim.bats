#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-sim: populations as streams, the list of environments, what it refuses. (Its distributions are unit/population's; a
# served environment is cli/train_env's.)

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
}

sim() { "$BUILD"/dq-sim --quiet "$@"; }

@test "a population: users, interactions, items, sound for both readers" {
    sim --users 120 --items 30 -o p.dq
    "$BUILD"/dq-cat --check p.dq
    /usr/bin/python3 "$BATS_TEST_DIRNAME"/../read_stream.py p.dq > second
    "$BUILD"/dq-cat p.dq > first
    [ "$(wc -l < first)" = "$(wc -l < second)" ]
    jq -es 'map(select(.kind == "users")) | length == 120 and (map(.id) == (map(.id) | sort))' first
    jq -es 'map(select(.kind == "items")) | length == 30' first
    jq -es 'map(select(.kind == "users"))[0] | .vector | map_values(length) ==
        {preferences: 10, seasons: 4, market: 6, profile: 10, segment: 5, taste: 15}' first
    jq -es 'map(select(.kind == "users")) | all(.age >= 16 and .income > 0 and
        (.preferences | length == 10 and ((add - 1) * 1e6 | fabs) < 1))' first
    jq -es 'map(select(.kind == "interactions")) | length > 500 and
        all((.time | test("^202[34]-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z$")) and ((.rating != null) == (.label == "RATING")))' first
}

@test "the same seed gives the same bytes, by any number of threads; another seed does not" {
    sim --users 50 -t 1 -o a.dq
    sim --users 50 -t 3 | zstd -dcq > b
    zstd -dcq a.dq | cmp - b
    sim --users 50 --seed 43 | zstd -dcq > c
    ! cmp -s b c
}

@test "a total of interactions is kept" {
    sim --users 50 --interactions 777 | "$BUILD"/dq-cat --count | grep -qx 'interactions	777'
}

@test "other programs take it: labels become transitions, and items are ranked by pairs of fields" {
    sim --users 20 --items 15 -o p.dq
    "$BUILD"/dq-reward --strategy logged --map VIEW=0,CLICK=0.2,PURCHASE=1,RATING=1 p.dq > t.dq
    "$BUILD"/dq-cat --check t.dq
    "$BUILD"/dq-rank --by cosine -k 3 --format tsv p.dq > ranked
    [ "$(grep -c '^u' ranked)" = 60 ]
    "$BUILD"/dq-cat --since 2024-01-01 p.dq | jq -es 'map(select(.time)) | length > 0 and all(.time >= "2024")'
}

@test "the list has every environment and option" {
    sim --list > list
    for kind in session sequence films maze chain cartpole; do grep -q "^$kind: " list; done
    grep -q '^  similarity=0	' list
}

@test "what it refuses" {
    refused() { # words, options...
        local words=$1
        shift
        run -2 sim "$@"
        [ "$output" = "dq-sim: $words" ]
    }
    refused "an environment needs --serve" session
    refused "--serve needs an environment (--list names them)" --serve
    refused "--users, --items and --interactions have no meaning with --serve" --serve session --users 3
    refused "one environment at a time" --serve session films
    refused "--list stands alone" --list --serve
    refused "--serve speaks on stdout, not --output" --serve maze -o x
    run -1 sim --serve poker < /dev/null
    [ "$output" = "dq-sim: no environment 'poker' (dq-sim --list names them)" ]
    run -1 sim --serve maze:walls=2 < /dev/null
    [ "$output" = "dq-sim: maze has no option 'walls'; it has steps" ]
}
