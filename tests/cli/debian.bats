#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What debian/ says is what the Makefile and the sources say. tests/packages builds the packages themselves, twice.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    cd "$BATS_TEST_TMPDIR" || return
}

# The value of a variable of the Makefile.
of_make() { env -u MAKEFLAGS make -s -C "$root" --no-print-directory --eval 'print-it: ; $(info $('"$1"'))' print-it; }

names_of_packages() { sed -n 's/^Package: //p' "$root"/debian/control; }

@test "the packages' version is that of the programs, the library's name that of its ABI" {
    head -1 "$root"/debian/changelog | grep -E "^dq-recommend \($(of_make VERSION)\) "
    abi=$(of_make ABI)
    [ "$(names_of_packages | sort | xargs)" = "dq-recommend dq-recommend-doc libdq-dev libdq$abi" ]
    [ "$(head -1 "$root/debian/libdq$abi.symbols")" = "libdq.so.$abi libdq$abi #MINVER#" ]
    readelf -d "$BUILD/libdq.so.$abi" | grep "SONAME.*\[libdq.so.$abi\]"
    grep -q "CDLL(\"libdq.so.$abi\")" "$root"/examples/count_rows.py
    grep -q "libdq.so.$abi\`" "$root"/docs/library.md
}

@test "the symbols file has the functions that headers declare" {
    grep -ohE '^[a-z].*\bdq_[a-z0-9_]+\(' "$root"/include/dq/*.h | grep -v 'static inline' | grep -oE 'dq_[a-z0-9_]+\($' |
        tr -d '(' | LC_ALL=C sort -u > declared
    [ -s declared ]
    sed -n 's/^ \(dq_[a-z0-9_]*\)@Base .*/\1/p' "$root"/debian/libdq*.symbols | LC_ALL=C sort > listed
    diff declared listed
}

@test "they are built with what the Makefile says that building needs" {
    # but for what is essential, and what is only needed to run
    of_make PACKAGES | tr ' ' '\n' | sed 's/|.*//' | grep -vxE 'build-essential|jq|gnuplot-nox|python3-optuna|' > wanted
    of_make DEB_PACKAGES | tr ' ' '\n' | sed 's/^debhelper$/debhelper-compat/; s/^dh-python$/dh-sequence-python3/' >> wanted
    sed -n '/^Build-Depends:/,/^Standards/{ /^Standards/d; s/^Build-Depends://; s/([^)]*)//; s/<[^>]*>//; s/|.*//; s/,.*//; s/ //g; p; }' \
        "$root"/debian/control > given
    diff <(sort wanted) <(sort given)
}

@test "every installed file is in one package, and none is Debian's dq" {
    [ -z "$SANITIZER" ] || skip "the files are those of a build without a sanitizer"
    # as debian/rules does: whatever is there of what no package needs, no package has
    read -ra parts <<< "$(sed -nE 's/.*\$\(MAKE\) install (([A-Z]+= )*)DESTDIR.*/\1/p' "$root"/debian/rules)"
    [ "${parts[*]}" = 'LEFT= MPI=' ]
    env -u MAKEFLAGS make -s -C "$root" --no-print-directory B="$BUILD" install "${parts[@]}" DESTDIR="$PWD/tmp" PREFIX=/usr LIBDIR=/usr/lib/any > words || { cat words; false; }
    (cd tmp && find . ! -type d | sed 's,^\./,,' | grep -vx usr/share/doc/dq-recommend/LICENSE | sort) > files # debian/copyright has it
    [ "$(wc -l < files)" -ge 100 ]
    run ! grep -xE 'usr/bin/dq|usr/share/man/man1/dq\.1.*' files
    for lists in "$root"/debian/*.install; do
        while read -r pattern; do
            found=$(cd tmp && compgen -G "$pattern" || true)
            [ -n "$found" ] || { echo "${lists##*/}: $pattern: no such file"; false; }
            (cd tmp && find $found ! -type d)
        done < "$lists"
    done | grep -vx usr/share/doc/dq-recommend/LICENSE | sort > packaged
    diff files packaged
}

@test "the licence is the one that is shipped, and scripts can be run" {
    sed -n '/^License: Expat$/,$p' "$root"/debian/copyright | sed '/^License/d; s/^ //; s/^\.$//' > given
    sed -n '/^Permission/,$p' "$root"/LICENSE | diff - <(sed -n '/^Permission/,$p' given)
    grep -qF "$(sed -n 's/^Copyright (c) \(2[0-9]*\) .*/\1/p' "$root"/LICENSE), the dq authors" "$root"/debian/copyright
    [ -x "$root"/debian/rules ]
    sed -n 's/^Tests: //p' "$root"/debian/tests/control | sort > given
    diff given <(ls "$root"/debian/tests | grep -vx control)
    while read -r name; do
        [ -x "$root/debian/tests/$name" ]
        bash -n "$root/debian/tests/$name"
    done < given
}
