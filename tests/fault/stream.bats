#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What can be wrong with a stream, done to it: each time one clear line, status 1, and no file that looks complete.

bats_require_minimum_version 1.5.0

source "$BATS_TEST_DIRNAME/../needs.bash"
setup() {
    needs python3-msgpack python3-numpy python3-xxhash python3-zstandard
    cd "$BATS_TEST_TMPDIR" || exit 1
    PATH="$BUILD:$PATH"
    HERE="$BATS_TEST_DIRNAME"
    "$BUILD"/unit/test_format --sample s.dq
    zstd -dcq s.dq > s.plain
}

# fails WORDS COMMAND...: status 1, and one line on stderr that begins with the program's name and matches WORDS.
fails() {
    local words="$1" status=0
    shift
    "$@" > stdout 2> stderr || status=$?
    if [ "$status" -ne 1 ] || [ "$(wc -l < stderr)" -ne 1 ] || ! grep -qE "^$1: .*($words)" stderr; then
        echo "$*: status $status, wanted 1 and '$words', said:"
        cat stderr
        return 1
    fi
}

# Every program of tests/fault/programs that is built, as words; $OUT stands for the output.
programs() {
    grep -v '^#' "$HERE/programs" | while read -r name rest; do
        if [ -x "$BUILD/$name" ]; then echo "$name $rest"; fi
    done
}

# Broken streams in faults/, and an agent for programs that want one.
make_faults() {
    /usr/bin/python3 "$HERE/make_streams.py" s.dq faults
    if [ -x "$BUILD/dq-train" ]; then
        dq-train --offline --epochs 1 --hidden 4 --quiet -o model.dq < faults/sound-catalogue
    fi
}

# A 4 MiB stream, more than a pipe holds.
make_large() {
    /usr/bin/python3 -c 'import numpy; numpy.save("v.npy", numpy.random.default_rng(1).random((1024, 1024), "f4"))'
    dq-cat --from npy v.npy -o large.dq
}

@test "hostile and broken streams are refused with the right words" {
    /usr/bin/python3 "$HERE/make_streams.py" s.dq faults
    [ "$(ls faults/*.dq | wc -l)" -gt 80 ]
    for fault in faults/*.dq; do
        fails "$(cat "${fault%.dq}.words")" dq-cat --check "$fault"
        [ ! -s stdout ]
    done
    dq-cat --check faults/sound-plain
    dq-cat --check faults/sound-small
    dq-cat --check faults/sound-newer-minor
    dq-cat --check faults/sound-marked
}

@test "every program refuses them, and leaves no file" {
    make_faults
    mkdir out
    programs > list
    while read -r line; do
        for fault in faults/*.dq; do
            case $fault in faults/catalogue-*) continue ;; esac # a filter need not hold the catalogue
            OUT=out/o
            fails . ${line//\$OUT/$OUT} < "$fault"
            [ -z "$(ls out)" ]
        done
    done < list
}

@test "memory grows only with bytes received" {
    [ -z "$SANITIZER" ] || skip "sanitizers reserve address space of their own"
    /usr/bin/python3 "$HERE/make_streams.py" s.dq faults
    for name in array-16M map-16M array-16M-inside arrays-nested-claims deep-arrays string-too-long length-lie \
        shape-overflow rows-claimed window-huge; do
        (
            ulimit -v 65536
            fails "$(cat "faults/$name.words")" dq-cat --check "faults/$name.dq"
        )
    done
}

@test "cut at every byte, as it is and compressed" {
    /usr/bin/python3 "$HERE/make_streams.py" s.dq faults
    zstd -cq faults/sound-small > small.zst
    gzip -c faults/sound-small > small.gz
    for form in faults/sound-small small.zst small.gz; do
        dq-cat --check "$form"
        size=$(stat -c %s "$form") step=1
        [ "$form" != small.gz ] || step=5
        for ((n = 0; n < size; n += step)); do
            head -c "$n" "$form" > cut
            fails "cut off|empty" dq-cat --check - < cut
        done
    done
}

@test "cut anywhere, every program fails and leaves no file" {
    make_faults
    mkdir out
    programs > list
    size=$(stat -c %s faults/sound-catalogue)
    while read -r line; do
        OUT=out/o
        ${line//\$OUT/$OUT} < faults/sound-catalogue
        [ "$(ls out)" = o ]
        rm out/o
        for ((n = 0; n < size; n += 61)); do
            head -c "$n" faults/sound-catalogue > cut
            fails "cut off|empty" ${line//\$OUT/$OUT} < cut
            [ -z "$(ls out)" ]
        done
    done < list
}

@test "programs that hold a catalogue refuse one that contradicts itself" {
    make_faults
    mkdir out
    programs | grep -E '^dq-(reward|train|rank) ' > list || skip "no such program is built"
    while read -r line; do
        for fault in id-twice id-unequal width unknown-user; do
            # without --exclude-seen dq-rank does not read interactions
            case $line/$fault in dq-rank*exclude*/*) ;; dq-rank*/unknown-user) continue ;; esac
            OUT=out/o
            fails "$(cat "faults/catalogue-$fault.words")" ${line//\$OUT/$OUT} < "faults/catalogue-$fault.dq"
            [ -z "$(ls out)" ]
        done
    done < list
}

@test "programs that need other kinds say so" {
    make_faults
    mkdir out
    programs | grep -v '^dq-cat ' > list || skip "no such program is built"
    while read -r line; do
        for kind in ranking strange; do
            OUT=out/o
            fails . ${line//\$OUT/$OUT} < "faults/other-kind-$kind"
            [ -z "$(ls out)" ]
        done
    done < list
    for kind in ranking strange; do
        dq-cat --check "faults/other-kind-$kind"
        fails "choose with --kind" dq-cat --to npy "faults/other-kind-$kind"
        fails "no model" dq-cat --to safetensors "faults/other-kind-$kind"
    done
}

@test "a cut ranking is not evaluated" {
    [ -x "$BUILD/dq-rank" ] && [ -x "$BUILD/dq-eval" ] || skip "no dq-rank, no dq-eval"
    make_faults
    echo "u1 0 i1 1" > qrels
    dq-rank --by cosine -k 2 < faults/sound-catalogue | zstd -dcq > ranking
    dq-eval --qrels qrels < ranking
    size=$(stat -c %s ranking)
    for ((n = 0; n < size; n += 61)); do
        head -c "$n" ranking > cut
        fails "cut off|empty" dq-eval --qrels qrels < cut
        [ ! -s stdout ]
    done
}

@test "operands that disagree on width" {
    /usr/bin/python3 - <<'PY'
import numpy
numpy.save("a.npy", numpy.ones((2, 3), "f4"))
numpy.save("b.npy", numpy.ones((2, 4), "f4"))
PY
    echo -e "x\ny" > ids
    dq-cat --from npy a.npy > a.dq
    dq-cat --from npy --ids ids b.npy > b.dq
    fails "vectors of width 4 after vectors of width 3" dq-cat --check a.dq b.dq
}

@test "a full disk counts, also when it shows at close" {
    make_large
    for input in s.dq large.dq; do
        for args in "" "--to stream" "--count" "--lineage"; do
            fails "No space left on device" sh -c "exec dq-cat $args $input > /dev/full" || {
                grep -q "^dq-cat: .*No space left on device" stderr
                [ "$(wc -l < stderr)" -eq 1 ]
            }
        done
        fails "No space left on device" dq-cat -o /dev/full --to stream "$input"
    done
}

@test "stdout closed" {
    for args in "" "--to stream" "--count"; do
        status=0
        dq-cat $args s.dq >&- 2> stderr || status=$?
        [ "$status" -eq 1 ]
        [ "$(wc -l < stderr)" -eq 1 ]
    done
}

@test "stdin closed, no such file, a folder" {
    fails "stdin: " dq-cat - <&-
    fails "none.dq: cannot open: No such file or directory" dq-cat none.dq
    fails "Is a directory" dq-cat .
    fails "Is a directory|cannot create" dq-cat --to stream -o . s.dq
    fails "No such file or directory" dq-cat --to stream -o nowhere/x.dq s.dq
}

@test "a reader that is gone ends a program by SIGPIPE, without words" {
    make_large
    for args in "" "--to stream"; do
        { dq-cat $args large.dq 2> stderr || echo $? > code; } | head -c 10 > /dev/null
        [ "$(cat code)" -eq 141 ]
        [ ! -s stderr ]
    done
}

@test "an upstream that is killed makes every later stage fail" {
    mkfifo in
    (
        dq-cat --flush --to stream - < in &
        echo $! > pid
        wait $! || true
    ) 2> /dev/null | { code=0; dq-cat --to stream -o out.dq 2> stderr || code=$?; echo $code > code; } &
    exec 7> in
    head -c 1500 s.plain >&7
    kill -9 "$(cat pid)"
    exec 7>&-
    wait
    [ "$(cat code)" -eq 1 ]
    grep -qE "^dq-cat: stdin: record 1: (cut off|empty)|^dq-cat: stdin: record [0-9]+: cut off" stderr
    [ ! -e out.dq ]
}

@test "a binary stream is never written to a terminal" {
    command -v script > /dev/null || skip "no script(1)"
    status=0
    script -qec "dq-cat --to stream s.dq" /dev/null > screen < /dev/null || status=$?
    [ "$status" -eq 2 ]
    grep -q "not written to a terminal" screen
    run ! grep -q $'\x28\xb5\x2f\xfd' screen
    script -qec "dq-cat --kind users s.dq" /dev/null < /dev/null | grep -q '"id":"u1"'
}

@test "an output is replaced whole or not at all" {
    echo old > out.dq
    head -c 1500 s.plain > cut
    fails "cut off" dq-cat --to stream -o out.dq cut
    [ "$(cat out.dq)" = old ]
    dq-cat --to stream -o out.dq s.dq
    dq-cat --check out.dq
    [ "$(ls | grep -c '^out')" -eq 1 ]
}
