#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The storms of tests/cache_storms.bash over a file.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
source "$BATS_TEST_DIRNAME/../cache_storms.bash"

setup() {
    needs sqlite3
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    cache=c.db
    storm_size
}

says() { sqlite3 "$cache" "$1"; }
sound() { [ "$(says 'PRAGMA integrity_check')" = ok ]; }
fresh() { rm -f "$cache"; }

@test "many processes want the same keys: each is asked once" { storm_of_same_keys; }
@test "killed at random and begun again: nothing lost, one repeat for a key in flight at a kill" { storm_of_kills; }
@test "a budget holds across processes, and across kills" { storm_of_budgets; }
@test "many processes make the file at once" { storm_of_makers; }
