#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The storms of tests/llm_storms.bash over a PostgreSQL server.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/../services/postgres.bash"
. "$BATS_TEST_DIRNAME/../services/llm.bash"
source "$BATS_TEST_DIRNAME/../llm_storms.bash"

setup_file() {
    postgres_here || return 0 # bats 1.8 takes a skip here for a failure
    postgres_start
    export POSTGRES POSTGRES_FOLDER
}

teardown_file() { postgres_stop; }

setup() {
    postgres_here || skip "PostgreSQL is not installed (package postgresql)"
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    # shellcheck disable=SC2034 # of the storms
    cache=$POSTGRES
    fresh
    llm_storm_size
}

teardown() { llm_storm_end; }

says() { psql_says "$1"; }
sound() { :; } # tests/cluster/postgres.bats looks at the server's files
fresh() { psql_says 'DROP SCHEMA IF EXISTS dq_cache CASCADE'; }
keys_match() { [ "$(says 'SELECT count(*) FROM answers WHERE key <> sha256(request)')" = 0 ]; }

@test "thirty-two processes, overlapping prompts: as many calls as there are questions" { storm_of_labellers; }
@test "processes killed at random and begun again: no label lost, a repeat at most for what was in flight" { storm_of_killed_labellers; }
@test "one labeller killed 200 times: the stream is the same, byte by byte" { storm_of_one_labeller; }
@test "a budget of requests holds over eight processes" { storm_of_spenders; }
