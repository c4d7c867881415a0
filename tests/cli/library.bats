#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The installed library: its headers, its symbols, and two programs outside of the tree that use nothing else.

bats_require_minimum_version 1.5.0

setup_file() {
    [ -z "$SANITIZER" ] || return 0
    export root=$BATS_TEST_DIRNAME/../.. prefix=$BATS_FILE_TMPDIR/usr
    make -C "$root" --no-print-directory install PREFIX="$prefix" > "$BATS_FILE_TMPDIR/words" || cat "$BATS_FILE_TMPDIR/words"
    "$prefix"/bin/dq-sim --items 7 --users 3 -o "$BATS_FILE_TMPDIR/catalogue.dq"
}

setup() {
    [ -z "$SANITIZER" ] || skip "a sanitizer's library needs its own linker flags"
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    cp "$root"/examples/{norms.c,count_rows.py} . # nothing else of the tree is in sight
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
    catalogue=$BATS_FILE_TMPDIR/catalogue.dq
}

@test "every installed header compiles alone, and there are at most twenty" {
    [ "$(ls "$prefix"/include/dq | wc -l)" -le 20 ]
    for header in "$prefix"/include/dq/*.h; do
        echo "#include <dq/${header##*/}>" > alone.c
        cc -std=c11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags dq) -fsyntax-only alone.c
    done
}

@test "every function that a header declares is there, shared and static, and the shared library has no other" {
    grep -ohE '^[a-z].*\bdq_[a-z0-9_]+\(' "$prefix"/include/dq/*.h | grep -v 'static inline' | grep -oE 'dq_[a-z0-9_]+\($' |
        tr -d '(' | sort -u > declared
    [ -s declared ]
    nm -D --defined-only "$prefix"/lib/libdq.so | awk '{ print $3 }' | sort -u > shared
    nm -g --defined-only "$prefix"/lib/libdq.a | awk 'NF == 3 { print $3 }' | sort -u > static
    diff declared <(comm -12 declared shared)
    diff declared <(comm -12 declared static)
    diff declared shared
}

@test "no symbol of the installed library goes without dq_" {
    run ! bash -c "nm -g --defined-only '$prefix/lib/libdq.a' | awk 'NF == 3 { print \$3 }' | grep -v ^dq_"
}

@test "the shared library has a name with a version, and needs no port" {
    readelf -d "$prefix"/lib/libdq.so > dynamic
    grep -q 'SONAME.*libdq\.so\.[0-9]' dynamic
    run ! grep -E 'NEEDED.*(blas|curl|sqlite|mongoc|jansson|nettle)' dynamic
    [ "$(pkg-config --modversion dq)" = "$("$prefix"/bin/dq-cat --version | head -1 | awk '{ print $2 }')" ]
}

@test "a program of C reads a stream, shared and static" {
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror norms.c $(pkg-config --cflags --libs dq) -lm -o norms
    cc -std=c11 norms.c $(pkg-config --cflags dq) -Wl,-Bstatic -ldq -Wl,-Bdynamic $(pkg-config --static --libs dq) -L"$prefix"/lib -o norms-static
    run ! bash -c "ldd norms-static | grep libdq"
    ./norms "$catalogue" > shared
    ./norms-static < "$catalogue" > static
    cmp shared static
    "$prefix"/bin/dq-cat "$catalogue" | jq -r 'select(.kind == "items") | [.id, ([.vector | .. | numbers | . * .] | add | sqrt)] | @tsv' > wanted
    [ "$(wc -l < wanted)" -eq 7 ]
    paste shared wanted | awk '$1 != $3 || ($2 - $4) ^ 2 > 1e-8 { bad = 1 } END { exit bad }'
}

@test "it fails on a stream that is cut off, and says where" {
    cc norms.c $(pkg-config --cflags --libs dq) -lm -o norms
    head -c 900 "$catalogue" > short.dq
    run -1 --separate-stderr ./norms short.dq
    [[ $stderr == "norms: short.dq: "* ]]
}

@test "a program of Python counts its rows" {
    [ "$(wc -l < count_rows.py)" -le 20 ]
    [ "$(wc -l < norms.c)" -le 60 ]
    /usr/bin/python3 count_rows.py "$catalogue" "$catalogue" > rows
    grep -qx $'users\t6' rows
    grep -qx $'items\t14' rows
    head -c 900 "$catalogue" > short.dq
    run -1 /usr/bin/python3 count_rows.py short.dq
}
