#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The frame of the fuzz targets: what is a finding fails the replay of a saved corpus, and nothing else does.

bats_require_minimum_version 1.5.0

# A replay of a target that does this with its bytes, over a corpus of one file.
target() { # STATEMENTS
    root=$BATS_TEST_DIRNAME/../..
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p corpus
    printf 'abc' > corpus/one
    printf '%s\n' '#include "fuzz.h"' '#include <math.h>' '#include <stdio.h>' '#include <stdlib.h>' \
        "static void *volatile kept; static void it(const uint8_t *data, size_t n) { (void)data; (void)n; $1 }" \
        'const fuzz_target fuzz_it = {.read = it, .memory = 1000, .per_byte = 100};' > target.c
    # shellcheck disable=SC2086 # a list of flags
    ${CC:-cc} -std=c11 -D_GNU_SOURCE ${SANITIZER:+-fsanitize=$SANITIZER} -I"$root"/include -I"$root"/lib -I"$root"/tests/fuzz target.c \
        "$root"/tests/fuzz/{fuzz,memory,replay}.c "$BUILD"/librooms.a -lxxhash -lm -pthread -o replay
}

fails() { # WORDS
    run -1 ./replay corpus
    [[ $output == *"not ok 1 one"* && $output == *"$1"* ]] || { echo "$output"; false; }
}

@test "a target that is content" {
    target 'kept = malloc(1000); free(kept); kept = malloc(1000); free(kept); (void)fuzz_file(data, n);'
    run -0 ./replay corpus
    [[ $output == *"ok 1 one"*"1..1"* ]]
}

@test "more memory than the bound in proportion to the input" {
    target 'kept = malloc(1000); free(kept); kept = malloc(2000);'
    fails "more than the bound"
    target 'kept = calloc(1, 700); kept = realloc(kept, 4000);'
    fails "more than the bound"
}

@test "a failure without a status, a reason, a source" {
    target 'dq_error e = DQ_ERROR_NONE; fuzz_failed(&e);'
    fails "without a status"
    target 'dq_error e = DQ_ERROR_NONE; e.status = DQ_ERR_IO; fuzz_failed(&e);'
    fails "without a reason"
    target 'dq_error e = DQ_ERROR_NONE; (void)dq_fail(&e, DQ_ERR_IO, "why"); fuzz_failed(&e);'
    fails "without a source"
    target 'dq_error e = DQ_ERROR_NONE; (void)dq_fail(&e, DQ_ERR_IO, "why"); fuzz_refused(&e);'
    run -0 ./replay corpus
}

@test "a number that is none, a crash, an empty corpus" {
    target 'fuzz_finite(n); fuzz_finite(NAN);'
    fails "nan came out"
    target 'abort();'
    fails "signal 6"
    target 'FILE *f = fopen(fuzz_folder(), "r"); (void)f; abort();'
    ./replay corpus > said 2>&1 &
    pid=$!
    status=0
    wait $pid || status=$?
    [ "$status" = 1 ] || { cat said; false; }
    [ -z "$(find /dev/shm /tmp -maxdepth 1 -name "dq-fuzz.$pid.*")" ]
    rm corpus/one
    run -1 ./replay corpus
    [[ $output == *"not ok 1"* ]]
}
