#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a program costs that has nothing to do, as far as it does not depend on the machine's speed: the libraries that
# are loaded before main, and the peak memory of --help and of runs of one record (tests/bench/starting.py).

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    cd "$BATS_TEST_TMPDIR" || return
    [ -z "$SANITIZER" ] || skip 'a sanitizer has libraries and memory of its own'
}

@test "no program is linked with what most of its runs do without" {
    for program in "$BUILD"/dq-*; do
        [ "$(head -c 4 "$program")" = $'\x7fELF' ] || continue
        ldd "$program" > libraries
        grep -q libzstd libraries
        run ! grep -E 'libopenblas|libcblas|libblas|libcurl|libpq|libmongoc|libssl|libsasl|libldap|libkrb5' libraries
    done
}

# A run that asks a server has libcurl, so that the test above looks for something: curl alone would say this.
@test "what is needed is loaded then: libcurl by a run that asks a server" {
    printf '%s\n' '{"id":"u1","text":{"t":"a"}}' > u.jsonl
    "$BUILD"/dq-export -q --users u.jsonl -o c.dq
    run -75 env OPENAI_API_KEY=k OPENAI_BASE_URL=http://127.0.0.1:1/v1 LD_DEBUG=files "$BUILD"/dq-embed openai:m --cache v.db --attempts 1 c.dq
    grep -q 'file=libcurl[^ ]*\.so\.4 .*dynamically loaded' <<<"$output"
}

# The same program, but for one letter of the library's name.
without() { # library, program
    LC_ALL=C sed "s/lib$1\([-a-z0-9.]*\.so\.\)/l1b$1\1/g" "$BUILD/$2" > "$2"
    run ! cmp -s "$2" "$BUILD/$2"
    chmod 755 "$2"
}

@test "what is needed and not there is one line, and names the package" {
    without curl dq-embed
    without mongoc dq-export
    without pq dq-reward
    printf '%s\n' '{"id":"u1","text":{"t":"a"}}' > u.jsonl
    ./dq-export -q --users u.jsonl -o c.dq
    run -1 env OPENAI_API_KEY=k OPENAI_BASE_URL=http://127.0.0.1:1/v1 ./dq-embed -q openai:m --cache v.db c.dq -o never
    echo "$output"
    [[ ${#lines[@]} = 1 && $output == "dq-embed: a library is needed that cannot be loaded: l1bcurl"*"; Debian's package is libcurl4 or libcurl3-gnutls" ]]
    run -1 ./dq-export -q --schema jobs mongodb://127.0.0.1:1/db -o never
    echo "$output"
    [[ ${#lines[@]} = 1 && $output == "dq-export: "*"l1bmongoc-1.0.so"*"; Debian's package is libmongoc-1.0-0" ]]
    run -1 ./dq-reward --export-cache postgresql://127.0.0.1:1/db -o never
    echo "$output"
    [[ ${#lines[@]} = 1 && $output == "dq-reward: a library is needed that cannot be loaded: l1bpq.so"*"; Debian's package is libpq5" ]]
    [ ! -e never ]
}

@test "a program that does nothing or little takes no more memory than a few MiB" {
    [ "$(getconf PAGESIZE)" = 4096 ] || skip 'larger pages are more memory'
    run -0 /usr/bin/python3 "$root"/tests/bench/starting.py "$BUILD" data
    [ "${#lines[@]}" -ge 25 ]
    run ! grep 'TOO MUCH' <<<"$output"
}
