#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The house: its lint can fail, its library stays silent, its programs link only what they use.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    lint=$root/tests/layers.sh
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p tree/cmd tree/lib/core tree/lib/wire tree/lib/rank tree/lib/port tree/include/dq
    put include/dq/status.h '#include <stdint.h>'
    put include/dq/topk.h '#include "dq/status.h"'
    put include/dq/sink.h '#include "dq/status.h"'
    put lib/rank/topk.c '#include "dq/topk.h"'
    put lib/wire/sink.c '#include "dq/sink.h"' '#include <zstd.h>'
    put cmd/dq-x.c '#include "dq/sink.h"' '#include "dq/topk.h"' '#include "cli.h"'
    put cmd/cli.h '#include <stdio.h>'
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
    put lib/rank/topk.c '#include "dq/reward.h"'
    put include/dq/reward.h
    finds 'lib/rank/topk.c: rank may not include "dq/reward.h", which is of reward'
}

@test "core reaches up" {
    put lib/core/status.c '  #  include "dq/sink.h"'
    finds 'lib/core/status.c: core may not include "dq/sink.h"'
}

@test "a public header reaches across" {
    put include/dq/topk.h '#include "dq/sink.h"'
    finds 'include/dq/topk.h: rank may not include "dq/sink.h", which is of wire'
}

@test "a port sees the byte sink, and not the stream" {
    put lib/port/csv.c '#include "dq/sink.h"'
    run -0 bash "$lint" tree
    put include/dq/stream.h
    put lib/port/csv.c '#include "dq/stream.h"'
    finds 'lib/port/csv.c: port may not include "dq/stream.h"'
}

@test "foreign libraries away from home" {
    for pair in 'lib/rank/topk.c zstd.h' 'lib/port/csv.c jansson.h' 'cmd/dq-x.c cblas.h' 'lib/wire/sink.c curl/curl.h' \
        'lib/port/json.c sqlite3.h' 'lib/rank/topk.c getopt.h'; do
        rm -rf tree; setup
        put "${pair% *}" "#include <${pair#* }>"
        finds "${pair% *}: <${pair#* }> has another home"
    done
}

@test "a library that nobody declared" {
    put lib/rank/topk.c '#include <glib.h>'
    finds 'lib/rank/topk.c: <glib.h> is neither a system header nor one with a home'
}

@test "another room's private header" {
    put lib/wire/wire.h
    put lib/rank/topk.c '#include "../wire/wire.h"'
    finds '"../wire/wire.h" is not a private header of its room'
}

@test "a public header without a room, a room without a rule, a file without a licence" {
    put include/dq/novel.h
    run -1 bash "$lint" tree
    [[ $output == *"include/dq/novel.h belongs to no room"* ]]
    rm tree/include/dq/novel.h
    mkdir tree/lib/attic && put lib/attic/a.c
    finds 'lib/attic/a.c: no such room'
    rm -r tree/lib/attic
    echo 'int x;' > tree/lib/rank/topk.c
    finds 'lib/rank/topk.c'
}

@test "a library function that exits or prints" {
    for body in 'exit(1)' 'abort()' 'printf("x%d", 1)' 'fputs("x", stderr)' 'puts("x")'; do
        mkdir -p made/obj/lib/rank
        printf '#include <stdio.h>\n#include <stdlib.h>\nvoid f(void);\nvoid f(void) { %s; }\n' "$body" > f.c
        cc -c f.c -o made/obj/lib/rank/f.o
        run -1 bash "$lint" tree made
        [[ $output == *"lib/rank/f.o uses"* ]]
    done
    echo 'int f(int x); int f(int x) { return x; }' > f.c
    cc -c f.c -o made/obj/lib/rank/f.o
    run -0 bash "$lint" tree "$PWD"/made
}

@test "every program of the Makefile is there, and each installs" {
    for program in $(sed -n 's/^PROGRAMS *:= *//p' "$root"/Makefile); do
        [ -x "$BUILD/$program" ] || { echo "$program is not built"; false; }
    done
}

@test "programs link only what they use" {
    [ -z "$SANITIZER" ] || skip "a sanitizer links its own"
    for program in $(sed -n 's/^PROGRAMS *:= *//p' "$root"/Makefile); do ldd "$BUILD/$program" | sed "s,^,$program,"; done > links
    run ! bash -c "grep -vE '^dq-(reward|embed)' links | grep -E 'curl|sqlite'"
    run ! grep -E '^dq-[^e].*mongoc|^dq-(embed|eval).*mongoc' links
    for program in dq-cat dq-export dq-embed dq-reward; do
        run ! grep -E "^$program.*(blas|gfortran)" links
    done
}

@test "make list names the targets, and the two commands first" {
    make -C "$root" --no-print-directory list > targets
    for target in demo check bench install; do grep -q "make $target" targets; done
}

@test "no path of a machine, no unfinished work in the sources" {
    cd "$root"
    run ! grep -rnE '/(home|root|work)/|TODO|FIXME' --include='*.[ch]' cmd lib include tests/unit
}

@test "files and functions stay small" {
    cd "$root"
    run ! awk 'FNR == 601 { print FILENAME " has over 600 lines" ; bad = 1 } END { exit !bad }' cmd/*.[ch] lib/*/*.[ch] include/dq/*.h
    # A function's body lies between a brace and a brace in the first column.
    run ! awk 'FNR == 1 { start = 0 } /^{/ { start = FNR } /^}/ { if (start && FNR - start > 101) { print FILENAME ":" start ": " FNR - start " lines"; bad = 1 } start = 0 }
        END { exit !bad }' cmd/*.c lib/*/*.c
}
