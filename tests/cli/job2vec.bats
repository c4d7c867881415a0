#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# pipelines/job2vec.mk: .npy in, exact cosine top 10 out, checked by NumPy.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-numpy
    cd "$BATS_TEST_DIRNAME/../.."
}

pipeline() {
    make --no-print-directory -f pipelines/job2vec.mk BUILD="$BUILD" OUT="$BATS_TEST_TMPDIR/out" QUICK=1 "$@"
}

@test "on made-up vectors" {
    (cd "$BATS_TEST_TMPDIR" && /usr/bin/python3 -c '
import numpy as np
np.save("vectors.npy", np.random.default_rng(1).normal(size=(500, 20)).astype("f4"))
open("titles.txt", "w").write("".join(f"title {i}\n" for i in range(500)))' && zstd -q vectors.npy)
    run -0 pipeline DATA="$BATS_TEST_TMPDIR"
    [[ "$output" == *"NumPy agrees on 200 lists of 10"* ]]
    # A wrong ranking is found.
    sed -i '3s/title [0-9]*\t\(.\)\ttitle [0-9]*/title 0\t\1\ttitle 499/' "$BATS_TEST_TMPDIR/out/neighbours.tsv"
    rm "$BATS_TEST_TMPDIR/out/checked"
    run -2 pipeline DATA="$BATS_TEST_TMPDIR"
}

@test "on job2vec" {
    [ -e ../shared/data/job2vec/vectors.npy.zst ] || skip "no ../shared/data/job2vec"
    run -0 pipeline DATA=../shared/data/job2vec
    [[ "$output" == *"NumPy agrees"* ]]
}

@test "says so and skips without the data" {
    run -0 pipeline DATA="$BATS_TEST_TMPDIR"
    [[ "$output" == "job2vec: skipped"* ]]
}
