#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The house: its lint can fail, its library stays silent, its programs link only what they use.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    lint=$root/tests/layers.sh
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p tree/cmd/cli tree/cmd/dq-x tree/lib/{core,wire,math,data,rank} tree/lib/port/{files,cache,http} tree/include/dq
    put include/dq/status.h '#include <stdint.h>'
    put include/dq/sink.h '#include "dq/status.h"'
    put include/dq/stream.h '#include "dq/sink.h"'
    put lib/core/topk.h '#include "dq/status.h"'
    put lib/core/topk.c '#include "core/topk.h"'
    put lib/math/vec.h
    put lib/data/load.h '#include "dq/stream.h"'
    put lib/data/load.c '#include "data/load.h"' '#include "dq/sink.h"'
    put lib/rank/mmr.h '#include "core/topk.h"'
    put lib/rank/mmr.c '#include "rank/mmr.h"' '#include "math/vec.h"'
    put lib/wire/sink.c '#include "dq/sink.h"' '#include <zstd.h>'
    put lib/port/files/csv.h '#include "dq/status.h"'
    put cmd/cli/cli.h '#include <stdio.h>'
    put cmd/dq-x/x.h '#include "cli/cli.h"'
    put cmd/dq-x/main.c '#include "x.h"' '#include "dq/sink.h"' '#include "rank/mmr.h"'
}

# A file of the tree: a licence, and lines.
put() { local file=tree/$1; shift; printf '%s\n' '/* SPDX-License-Identifier: MIT */' "$@" > "$file"; }

# The lint finds exactly one fault, and says these words.
finds() {
    run -1 bash "$lint" tree
    [ "$(grep -c '^not ok' <<<"$output")" -eq 1 ]
    [[ $output == *"$1"* ]] || { echo "$output"; false; }
}

@test "the lint passes a tree that keeps the rules" {
    run -0 bash "$lint" tree
    [[ $output != *"not ok"* ]]
}

@test "a sibling includes a sibling" {
    put lib/math/vec.c '#include "rank/mmr.h"'
    finds 'lib/math/vec.c: math may not include "rank/mmr.h", which is of rank'
}

@test "core reaches up" {
    put lib/core/status.c '  #  include "dq/sink.h"'
    finds 'lib/core/status.c: core may not include "dq/sink.h", which is of wire'
}

@test "what computes reads a stream, what moves bytes computes" {
    put lib/rank/mmr.c '#include "dq/stream.h"'
    finds 'lib/rank/mmr.c: rank may not include "dq/stream.h", which is of wire'
    put lib/rank/mmr.c
    put lib/wire/sink.c '#include "math/vec.h"'
    finds 'lib/wire/sink.c: wire may not include "math/vec.h", which is of math'
}

@test "one file of a room reads streams, and no other" {
    put lib/data/catalogue.c '#include "dq/stream.h"'
    finds 'lib/data/catalogue.c: data may not include "dq/stream.h", which is of wire'
    rm tree/lib/data/catalogue.c
    put lib/data/loader.h '#include "dq/stream.h"'
    finds 'lib/data/loader.h: data may not include "dq/stream.h", which is of wire'
    rm tree/lib/data/loader.h
    put lib/data/load.c '#include "dq/stream.h"' '#include "math/vec.h"'
    finds 'lib/data/load.c: data may not include "math/vec.h", which is of math'
    put lib/data/load.c
    put lib/rank/load.c '#include "dq/stream.h"'
    finds 'lib/rank/load.c: rank may not include "dq/stream.h", which is of wire'
    put lib/rank/load.c '#include "data/load.h"'
    finds 'lib/rank/load.c: rank may not include "data/load.h", which is of wire, too'
    rm tree/lib/rank/load.c
    put lib/data/catalogue.h '#include "data/load.h"'
    finds 'lib/data/catalogue.h: data may not include "data/load.h", which is of wire, too'
}

@test "a port sees the byte sink, and not the stream" {
    put lib/port/files/csv.c '#include "dq/sink.h"'
    run -0 bash "$lint" tree
    put lib/port/files/csv.c '#include "dq/stream.h"'
    finds 'lib/port/files/csv.c: port may not include "dq/stream.h"'
}

@test "a program looks into another, a room into a program" {
    mkdir tree/cmd/dq-y
    put cmd/dq-y/y.h
    put cmd/dq-x/main.c '#include "dq-y/y.h"'
    finds 'cmd/dq-x/main.c: "dq-y/y.h" is no header of the library'
    put cmd/dq-x/main.c
    put lib/rank/mmr.c '#include "cli/cli.h"'
    finds 'lib/rank/mmr.c: "cli/cli.h" is no header of the library'
}

@test "an include line says its room" {
    put lib/rank/mmr.c '#include "mmr.h"'
    finds 'lib/rank/mmr.c: "mmr.h" names no room'
    put lib/rank/mmr.c '#include "../math/vec.h"'
    finds 'lib/rank/mmr.c: "../math/vec.h" is no header of the library'
}

@test "foreign libraries away from home" {
    for pair in 'lib/rank/mmr.c zstd.h' 'lib/port/files/csv.c jansson.h' 'cmd/dq-x/main.c cblas.h' 'lib/wire/sink.c curl/curl.h' \
        'lib/port/files/json.c sqlite3.h' 'lib/rank/mmr.c getopt.h' 'lib/wire/sink.c xxhash.h' \
        'lib/core/index.c sanitizer/asan_interface.h' 'lib/rank/mmr.c microhttpd.h'; do
        rm -rf tree; setup
        put "${pair% *}" "#include <${pair#* }>"
        finds "${pair% *}: <${pair#* }> has another home"
    done
}

@test "a library that nobody declared" {
    put lib/rank/mmr.c '#include <glib.h>'
    finds 'lib/rank/mmr.c: <glib.h> is neither a system header nor one with a home'
}

@test "a header without a room, a room without a rule, a file outside of both, a file without a licence" {
    put include/dq/novel.h
    finds 'include/dq/novel.h: no such room'
    rm tree/include/dq/novel.h
    mkdir tree/lib/attic && put lib/attic/a.c
    finds 'lib/attic/a.c: no such room'
    rm -r tree/lib/attic
    put cmd/loose.c
    finds 'cmd/loose.c'
    rm tree/cmd/loose.c
    echo 'int x;' > tree/lib/rank/mmr.c
    finds 'lib/rank/mmr.c'
}

# A library whose only object is lib/OBJECT.o, with this statement in a function.
compiles() { # object, statement
    rm -rf made
    mkdir -p "made/obj/lib/${1%/*}"
    printf '#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nvoid f(void);\nvoid f(void) { %s; }\n' \
        "$2" > f.c
    cc -D_GNU_SOURCE -c f.c -o "made/obj/lib/$1.o"
}

@test "a library function that exits, prints, reads the environment or catches a signal" {
    for body in 'exit(1)' 'abort()' 'printf("x%d", 1)' 'fputs("x", stderr)' 'puts("x")' 'getenv("HOME")' 'secure_getenv("HOME")' \
        'setenv("A", "b", 1)' 'unsetenv("A")' 'putenv((char[]){"A=b"})' 'clearenv()' 'if (environ) return' \
        'signal(SIGINT, SIG_IGN)' 'sigaction(SIGINT, NULL, NULL)'; do
        for object in rank/f port/http/f; do
            compiles $object "$body"
            run -1 bash "$lint" tree made
            [[ $output == *"lib/$object.o uses "* ]] || { echo "$body: $output"; false; }
        done
    done
    compiles rank/f 'return'
    run -0 bash "$lint" tree "$PWD"/made
}

@test "an exception holds for one object and for what it names, and must be needed" {
    compiles math/product/openblas 'if (!getenv("A")) { setenv("A", "b", 1); unsetenv("A"); }'
    run -0 bash "$lint" tree made
    compiles math/product/openblas 'if (!getenv("A")) { setenv("A", "b", 1); unsetenv("A"); exit(1); }'
    run -1 bash "$lint" tree made
    [[ $output == *"lib/math/product/openblas.o uses exit"* ]]
    compiles math/product/openblas 'if (!getenv("A")) setenv("A", "b", 1)'
    run -1 bash "$lint" tree made
    [[ $output == *"lib/math/product/openblas.o does not use unsetenv: no exception is needed"* ]]
}

# An object of the tree's build, and its file: object FILE CODE
object() {
    mkdir -p "made/obj/${1%/*}"
    put "$1.c" # the lint looks at objects whose source is there
    echo "$2" > object.c
    cc -c object.c -o "made/obj/$1.o"
}

@test "files that take symbols of each other, in a room or in a program" {
    object lib/math/a 'int dq_b(void); int dq_a(void); int dq_a(void) { return dq_b(); }'
    object lib/rank/b 'int dq_b(void); int dq_b(void) { return 1; }'
    object cmd/dq-x/main 'int dq_a(void); int help(void); int main(void) { return dq_a() + help(); }'
    object cmd/dq-x/help 'int help(void); int help(void) { return 0; }'
    run -0 bash "$lint" tree made
    object cmd/dq-x/help 'int main(void); int help(void); int help(void) { return main(); }'
    run -1 bash "$lint" tree made
    [[ $output == *"cmd/dq-x/main takes help of cmd/dq-x/help"* && $output == *"cmd/dq-x/help takes main of cmd/dq-x/main"* ]]
    object cmd/dq-x/help 'int help(void); int help(void) { return 0; }'
    object lib/rank/b 'int dq_c(void); int dq_b(void); int dq_b(void) { return dq_c(); }'
    object lib/core/c 'int dq_a(void); int dq_c(void); int dq_c(void) { return dq_a(); }'
    run -1 bash "$lint" tree made
    [ "$(grep -c '^not ok' <<<"$output")" -eq 1 ]
    [[ $output == *"lib/core/c takes dq_a of lib/math/a"* ]]
}

@test "a symbol of the installed library without its prefix" {
    object lib/core/a 'int dq_a(void); int dq_a(void) { return 1; }'
    run -0 bash "$lint" tree made
    object lib/core/a 'int helper(void); int helper(void) { return 1; }'
    run -1 bash "$lint" tree made
    [[ $output == *"lib/core/a.o: helper"* ]]
}

@test "a crowded folder" {
    for i in {1..15}; do put lib/rank/file$i.c; done
    run -0 bash "$lint" tree
    put lib/rank/file16.c
    finds 'lib/rank/ has 17 files of C, over 16'
}

@test "a table of rooms that joins the wings" {
    sed 's/^rank:  */&wire /' "$lint" > lint && cp "$root"/tests/circles.awk .
    lint=$PWD/lint finds 'rank computes, and may see wire or port'
    sed 's/^port:  */&math /' "$root"/tests/layers.sh > lint
    lint=$PWD/lint finds 'port moves bytes, and may see math'
}

@test "every program is built" {
    for program in $(cd "$root"/cmd && ls -d dq-*/ | tr -d /); do
        [ -x "$BUILD/$program" ] || { echo "$program is not built"; false; }
    done
}

@test "programs link only what they use" {
    [ -z "$SANITIZER" ] || skip "a sanitizer links its own"
    for program in $(cd "$root"/cmd && ls -d dq-*/ | tr -d /); do ldd "$BUILD/$program" | sed "s,^,$program,"; done > links
    run ! grep -E 'curl|mongoc|blas|gfortran' links # are loaded when they are needed
    run ! bash -c "grep -vE '^dq-(reward|embed)' links | grep sqlite"
    run ! bash -c "grep -v '^dq-serve' links | grep microhttpd"
    grep -q '^dq-serve.*microhttpd' links
    grep -q '^dq-reward.*sqlite' links
}

@test "make list names the targets, and the two commands first" {
    make -C "$root" --no-print-directory list > targets
    for target in demo check bench install; do grep -q "make $target" targets; done
}

@test "no path of a machine, no unfinished work in the sources" {
    cd "$root"
    run ! grep -rnE '/(home|root|work)/|TODO|FIXME' --include='*.[ch]' --include='*.cc' cmd lib include tests/unit
}

@test "files and functions stay small" {
    cd "$root"
    run ! awk 'FNR == 601 { print FILENAME " has over 600 lines" ; bad = 1 } END { exit !bad }' cmd/*/*.[ch] cmd/cli/*/*.[ch] lib/*/*.[ch] lib/*/*/*.[ch] lib/*/*/*.cc include/dq/*.h
    # A function's body lies between a brace and a brace in the first column.
    run ! awk 'FNR == 1 { start = 0 } /^{/ { start = FNR } /^}/ { if (start && FNR - start > 101) { print FILENAME ":" start ": " FNR - start " lines"; bad = 1 } start = 0 }
        END { exit !bad }' cmd/*/*.c cmd/cli/*/*.c lib/*/*.c lib/*/*/*.c lib/*/*/*.cc
}

@test "the drawing of the rooms is what the include lines say" {
    python3 "$root"/docs/rooms.py | cmp - "$root"/docs/rooms.svg || { echo "docs/rooms.svg is out of date: make drawing"; false; }
}

@test "the drawing changes with an arrow, not with a line of code; circles and rooms without a place are refused" {
    mkdir -p house/tests house/docs
    cp -r "$root"/{lib,cmd,include} house && cp "$root"/tests/layers.sh house/tests && cp "$root"/docs/rooms.py house/docs
    echo '/* a line */' >> house/lib/env/env.c
    python3 house/docs/rooms.py | cmp - "$root"/docs/rooms.svg
    echo '#include "embed/hashing.h"' >> house/lib/env/env.c
    python3 house/docs/rooms.py > after.svg
    run ! cmp after.svg "$root"/docs/rooms.svg
    echo '#include "env/env.h"' >> house/lib/math/vec.c
    run -1 python3 house/docs/rooms.py
    [[ $output == *"include one another"* ]]
    mkdir house/lib/attic && touch house/lib/attic/a.c
    run -1 python3 house/docs/rooms.py
    [[ $output == *"give attic its line"* ]]
}

# What a page names and the tree lacks, a line each: files; functions, which a file that their line names must define.
lacking() { # page
    local line files name
    while IFS= read -r line; do
        files=''
        for name in $(grep -oE '`(lib|cmd|include|docs|tests)/[^` ]+`' <<<"$line" | tr -d '`' | sed '/NAME/d' || true); do
            [ -e "$root/$name" ] || echo "$name"
            [ ! -f "$root/$name" ] || files+=" $root/$name"
        done
        for name in $(grep -oE '\bdq_[a-z0-9_]+\(' <<<"$line" || true); do
            # shellcheck disable=SC2086 # file names
            grep -qE "^[a-z].*\b${name%(}\(" $files /dev/null || echo "$name)"
        done
    done < "$1"
}

@test "the page on the sources is short, and every file and function that it names is there" {
    page=$root/docs/architecture.md
    [ "$(wc -l < "$page")" -le 130 ]
    [ "$(grep -coE '\bdq_[a-z0-9_]+\(' "$page")" -gt 30 ]
    lacking "$page" > found
    [ ! -s found ] || { cat found; false; }
    printf '%s\n' '`lib/rank/mmr.c` and `lib/rank/nowhere.c`: `dq_mmr()`' '`lib/rank/mmr.c`: `dq_topk_push()`' > page.md
    [ "$(lacking page.md)" = "$(printf '%s\n' lib/rank/nowhere.c 'dq_topk_push()')" ]
}

@test "a test whose package is not installed is skipped, and says so" {
    source "$root"/tests/needs.bash
    skip() { echo "skipped: $*"; }
    [ "$(needs bash dq-no-such-package)" = "skipped: the package dq-no-such-package is not installed" ]
}

# errexit passes over all of A && B but the last: where A fails and the line is not its test's last, nothing does.
@test "no test joins its checks by &&, of which only the last would count" {
    joined() { awk '/^ +(\[.*\]\]?|grep .*|cmp .*|.*\) \[.*\]) && (\[|grep|cmp|run)/ && !/\|\|/ && !/&& return$/ { print FILENAME ":" FNR ": " $0 }' "$@"; }
    printf '    %s\n' '[ a ] && [ b ]' 'grep -q a b && run ! grep c b' '[[ a && b ]]' '[ a ] && [ b ] || skip c' 'x) [ a ] && [ b ] ;;' > some.bats
    [ "$(joined some.bats | cut -d : -f 2 | xargs)" = "1 2 5" ]
    joined "$root"/tests/*.bats "$root"/tests/*/*.bats > found
    [ ! -s found ] || { cat found; return 1; }
}

@test "tables and code in block comments are as they were written: clang-format has run no line of theirs into prose" {
    find "$root"/{include,lib,cmd,tests} -name '*.[ch]' -print0 | xargs -0 awk '
        FNR == 1 || /^\/\*/ { table = 0 }
        /^ \* [^ ].*[^ ]   +[^ ]/ { print FILENAME ":" FNR ": a row within prose: " $0 }
        table && /^ \* [^ ]/ { print FILENAME ":" FNR ": " $0 }
        { table = $0 ~ /^ \*     +[^ ]/ }' > run-in
    [ ! -s run-in ] || { cat run-in; return 1; }
}

@test "what a suite cannot do without is skipped test by test: bats 1.8 takes a skip in setup_file for a failure" {
    printf '%s\n' 'setup_file() {' '    true || skip "no"' '}' > "$BATS_TEST_TMPDIR"/wrong.bats
    skips() {
        awk 'FNR == 1 { inside = 0 } /^setup_file\(\)/ { inside = !/}$/ } /^}/ { inside = 0 }
             inside && /(^|[ {])skip / && !/# .*skip/ { print FILENAME ": " $0 }' "$@"
    }
    [ -n "$(skips "$BATS_TEST_TMPDIR"/wrong.bats)" ]
    [ -z "$(skips "$root"/tests/*/*.bats "$root"/tests/*.bats)" ]
}
