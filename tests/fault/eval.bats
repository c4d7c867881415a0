#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval on input that is wrong: one clear line, the exit code, no output.

bats_require_minimum_version 1.5.0
load eval.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    printf 'u1 0 a 3\nu1 0 b 1\nu2 0 a 1\n' > q
    printf 'u1 Q0 b 1 2.5 tag\nu1 Q0 a 2 1.5 tag\nu2 Q0 c 1 1 tag\n' > r
}

@test "empty judgements, an empty run, nothing but empty lines" {
    : > empty
    echo > blank
    echo '# nothing' > comment
    refused 1 "empty: empty: no judgements in it" --qrels empty --run r
    refused 1 "blank: no judgements in it" --qrels blank --run r
    refused 1 "comment: record 1: fewer than 4 columns; a line of qrels is: query iteration document relevance" --qrels comment --run r
    refused 1 "empty: empty: no ranking in it" --qrels q --run empty
    refused 1 "blank: no ranking in it" --qrels q --run blank
    refused 1 "stdin: empty: no ranking in it" --qrels q < /dev/null
}

@test "a line that is none, by its number" {
    printf 'u1 0 a 3\n\nu1 0 b\n' > bad
    refused 1 "bad: record 3: fewer than 4 columns; a line of qrels is: query iteration document relevance" --qrels bad --run r
    printf 'u1 0 a 3 4\n' > bad
    refused 1 "bad: record 1: more than 4 columns; a line of qrels is: query iteration document relevance" --qrels bad --run r
    printf 'u1 Q0 a 1 1 t\nu1 Q0 b 1 1\n' > bad
    refused 1 "bad: record 2: fewer than 6 columns; a line of a run is: query Q0 document rank score tag" --qrels q --run bad
}

@test "relevances that are no integers" {
    for value in x 1.5 NaN 3000000000 1e999 ''; do
        printf 'u1 0 b 1\nu1 0 a %s\n' "$value" > bad
        run -1 --separate-stderr "$BUILD"/dq-eval --qrels bad --run r
        [[ $stderr == "dq-eval: bad: record 2: "* ]]
        [ "$output" = "" ]
    done
}

@test "scores that are no finite numbers" {
    for value in nan NaN inf -Infinity 1e999 x 1x 0x10 - . ''; do
        printf 'u1 Q0 b 1 1 t\nu1 Q0 a 1 %s t\n' "$value" > bad
        run -1 --separate-stderr "$BUILD"/dq-eval --qrels q --run bad
        [[ $stderr == "dq-eval: bad: record 2: "* ]] || { echo "$value: $stderr"; false; }
        [ "$output" = "" ]
    done
}

@test "scores in every form that is one" {
    printf 'u1 Q0 a 1 %s t\nu1 Q0 b 1 0.015 t\n' 1.5e-2 > r1
    printf 'u1 Q0 a 1 %s t\nu1 Q0 b 1 0.015 t\n' +.01500000000000000000 > r2
    printf 'u1 Q0 a 1 %s t\nu1 Q0 b 1 0.015 t\n' -7. > r3
    for r in r1 r2 r3; do # a tie goes to b, and -7 is below
        run -0 "$BUILD"/dq-eval --quiet --qrels q --run $r -f tsv -m mrr -l 2
        [ "$(sed -n 2p <<< "$output" | cut -f 4)" = 0.5 ]
    done
}

@test "a document twice" {
    cat r - <<< 'u1 Q0 b 3 0.5 tag' > bad
    refused 1 "bad: query u1 has b twice" --qrels q --run bad
    cat q - <<< 'u1 0 b 0' > bad
    refused 1 "bad: query u1 has b twice" --qrels bad --run r
}

@test "text that is not UTF-8" {
    printf 'u1 Q0 \xff\xfe 1 1 t\n' > bad
    refused 1 "bad: record 1: the document is not UTF-8" --qrels q --run bad
}

@test "no query in common" {
    sed 's/^u/v/' r > other
    refused 1 "no query of the qrels is in the run" --qrels q --run other
}

@test "a missing file, a folder" {
    refused 1 "gone: cannot open: No such file or directory" --qrels gone --run r
    refused 1 "gone: cannot open: No such file or directory" --qrels q --run gone
    mkdir folder
    refused 1 "folder: cannot read: Is a directory" --qrels folder --run r
}

@test "a compressed file cut at every byte" {
    zstd -q r -o r.zst
    for ((n = 0; n < $(stat -c %s r.zst); n++)); do
        head -c $n r.zst > cut.zst
        run -1 --separate-stderr "$BUILD"/dq-eval --qrels q --run cut.zst
        [ "$output" = "" ]
        [ "${#stderr_lines[@]}" = 1 ]
    done
}

@test "usage: no judgements, an unknown measure, a bad rank, bad gains, stdin twice" {
    refused 2 "--qrels FILE is needed: the judgements" --run r
    refused 2 "no measure is called 'nosuch'" --qrels q --run r -m nosuch
    refused 2 "P needs whole ranks from 1 as in 5,10, not '0'" --qrels q --run r -m P_0
    refused 2 "P needs whole ranks from 1 as in 5,10, not '5,x'" --qrels q --run r -k 5,x
    refused 2 "--gains: 0.5 is not a whole level" --qrels q --run r --gains APPLY=0.5
    refused 2 "stdin can be read only once" --qrels -
    refused 2 "stdin can be read only once" --qrels q --run - --run -
    refused 2 "unexpected operand 'r' with rankings" --qrels q r
}

@test "a full disk" {
    run -1 --separate-stderr bash -c '"$BUILD"/dq-eval --quiet --qrels q --run r > /dev/full'
    [[ $stderr == "dq-eval: stdout: "*"No space left on device" ]] || { echo "$stderr"; false; }
    run -1 --separate-stderr "$BUILD"/dq-eval --quiet --qrels q --run r -o /dev/full
    [[ $stderr == *"No space left on device" ]]
}

@test "a closed stdout, an output that cannot be made" {
    run -1 --separate-stderr bash -c '"$BUILD"/dq-eval --quiet --qrels q --run r >&-'
    [ -n "$stderr" ]
    run -1 --separate-stderr "$BUILD"/dq-eval --quiet --qrels q --run r -o gone/out
    [[ $stderr == *"No such file or directory" ]]
}

@test "a failure leaves an older output as it was" {
    echo old > out
    run -1 "$BUILD"/dq-eval --qrels q --run gone -o out
    [ "$(cat out)" = old ]
    [ "$(ls)" = $'out\nq\nr' ]
}

streams() {
    printf '{"id":"u1","vector":[1,0]}\n' > users.jsonl
    printf '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[0.8,0.6]}\n' > items.jsonl
    "$BUILD"/dq-export --quiet --users users.jsonl --items items.jsonl -o catalogue.dq
    "$BUILD"/dq-rank --quiet --by cosine -k 2 -o ranked.dq catalogue.dq
}

@test "a ranking stream cut at every byte, in the file and once unpacked" {
    streams
    zstd -qdc ranked.dq > plain.dq
    for file in ranked.dq plain.dq; do
        for ((n = 1; n < $(stat -c %s $file); n++)); do
            head -c $n $file > cut.dq
            code=0
            "$BUILD"/dq-eval --qrels q --run cut.dq > out 2> err || code=$?
            [ $code = 1 ] && [ ! -s out ] && [ "$(wc -l < err)" = 1 ] || { echo "$file at $n: $code"; cat err; false; }
        done
    done
}

@test "a stream of another kind" {
    streams
    refused 1 "catalogue.dq: the stream has no rankings" --qrels q --run catalogue.dq
    refused 1 "catalogue.dq: the stream has no interactions" --qrels catalogue.dq --run r
    refused 1 "ranked.dq: the stream has no interactions" --qrels ranked.dq --run r
}

@test "the upstream program dies" {
    streams
    run -1 --separate-stderr bash -c 'head -c 300 ranked.dq | "$BUILD"/dq-eval --qrels q'
    [ "$output" = "" ]
    [[ $stderr == "dq-eval: stdin: "*"cut off"* ]]
}
