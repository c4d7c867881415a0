#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every pipeline runs start to end in its short form, every example in the documents runs as it is printed.

setup() {
    cd "$BATS_TEST_DIRNAME/.." || return 1
    onet=../shared/data/onet-jobs
}

@test "the demo's data is what its script writes" {
    python3 pipelines/demo/make_data.py "$BATS_TEST_TMPDIR"
    diff -r data/demo "$BATS_TEST_TMPDIR"
}

@test "the demo's data with another seed is other data" {
    python3 pipelines/demo/make_data.py "$BATS_TEST_TMPDIR" 43
    ! diff -rq data/demo "$BATS_TEST_TMPDIR"
}
