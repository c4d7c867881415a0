#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What every program promises on its command line, whatever it does.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    programs=("$BUILD"/dq-*)
    printf '%s\n' '{"id":"u1","vector":[1,0]}' > u.jsonl
    printf '%s\n' '{"id":"a","vector":[2,0]}' '{"id":"b","vector":[0,3]}' > i.jsonl
}

catalogue() { "$BUILD"/dq-export --users u.jsonl --items i.jsonl -o c.dq; }

@test "--help: usage, two examples or three, defaults, exit codes; exit 0, nothing on stderr" {
    for program in "${programs[@]}"; do
        name=${program##*/}
        "$program" --help < /dev/null > help 2> words
        [ ! -s words ]
        head -1 help | grep -c "^$name: "
        [[ $(sed -n '/^Examples:/,/^$/p' help | grep -c '^  [^ ]') =~ ^[23]$ ]]
        grep -q "^Usage: $name" help
        grep -q '^Exit status: 0 done, 1 failed' help
        grep -qE '\(default ' help
        [ "$(wc -L < help)" -le 80 ]
        [[ $(tail -1 help) == "Read on: man $name, man 7 dq (all programs), docs/"*.md ]]
        [ -e "$BATS_TEST_DIRNAME/../../$(tail -1 help | sed 's/.*, //')" ]
    done
}

@test "--version: name and number" {
    for program in "${programs[@]}"; do
        "$program" --version < /dev/null > version 2> words
        [ ! -s words ]
        [ "$(head -1 version)" = "${program##*/} 0.1.0" ]
    done
}

@test "--help wins over other options, and does not show them as defaults" {
    run -0 "$BUILD"/dq-reward --seed 7 --map A=3 --help
    [[ $output == *"random numbers (default 42)"* && $output != *A=3* ]]
}

@test "an unknown option, a missing argument, an argument too many: one line, exit 2" {
    for program in "${programs[@]}"; do
        for words in --no-such-option --output --quiet=3; do
            run -2 "$program" "$words"
            [ "${#lines[@]}" -eq 1 ]
            [[ $output == "${program##*/}: "* ]]
        done
    done
}

@test "abbreviations while unambiguous" {
    run -2 "$BUILD"/dq-reward --s cosine
    [[ $output == "dq-reward: --s may be any of "*"--strategy"*"--strict"*"--seed"* ]]
    catalogue
    "$BUILD"/dq-reward --strat cosine --pairs all --raw c.dq | "$BUILD"/dq-cat --check
}

@test "counts: plain, k, M, G; nothing else" {
    catalogue
    "$BUILD"/dq-reward --pairs random:1 --seed 2k c.dq | "$BUILD"/dq-cat --lineage | grep -c 'seed.*2000'
    "$BUILD"/dq-reward --pairs random:1 --seed 3M c.dq | "$BUILD"/dq-cat --lineage | grep -c 'seed.*3000000'
    "$BUILD"/dq-reward --pairs random:1 --seed 1G c.dq | "$BUILD"/dq-cat --lineage | grep -c 'seed.*1000000000'
    for seed in '' -1 +1 1.5 1K 1kk 0x10 ' 1' 18446744073709551616 99999999999G; do
        run -2 "$BUILD"/dq-reward --seed "$seed" c.dq
        [ "${#lines[@]}" -eq 1 ]
    done
    run -2 "$BUILD"/dq-reward --threads 1025 c.dq
    [ "${output% (try *)}" = "dq-reward: --threads: 1025 is not between 0 and 1024" ]
}

@test "-- ends the options, operands may stand between them" {
    catalogue
    "$BUILD"/dq-reward --no-raw-cosine --pairs all c.dq | "$BUILD"/dq-cat --lineage | grep -c 'raw-cosine=false'
    "$BUILD"/dq-reward c.dq --pairs all -- c.dq | "$BUILD"/dq-cat --check
    "$BUILD"/dq-cat < c.dq - | cmp - <("$BUILD"/dq-cat c.dq)
}

@test "DQ_THREADS, DQ_FLUSH" {
    catalogue
    run -2 env DQ_THREADS=many "$BUILD"/dq-reward --pairs all c.dq
    [ "${output% (try *)}" = "dq-reward: DQ_THREADS: 'many' is not a count" ]
    DQ_THREADS=3 "$BUILD"/dq-reward --pairs all c.dq | cmp - <("$BUILD"/dq-reward --pairs all c.dq)
    # A co-process: a filter shows what it has made of a section while its input stays open.
    mkfifo in out
    DQ_FLUSH=1 "$BUILD"/dq-embed hash:4 --field items:title < in > out &
    exec 7> in 8< out
    printf '{"id":"u1","text":{"bio":"a"}}\n' > tu.jsonl
    "$BUILD"/dq-export --users tu.jsonl -o t.dq
    cat t.dq >&7
    timeout 60 head -c 4 <&8 | cmp - <(printf '\x28\xb5\x2f\xfd')
    exec 7>&- 8<&-
    wait
}

@test "a full disk shows in the exit status, of --help too" {
    for program in "${programs[@]}"; do
        run -1 bash -c '"$1" --help > /dev/full' - "$program"
        [ "$output" = "${program##*/}: stdout: No space left on device" ]
    done
}

@test "a closed stdout is an error once there is something to say" {
    for program in "${programs[@]}"; do
        run -1 bash -c '"$1" --version >&-' - "$program"
        [ "${#lines[@]}" -eq 1 ]
    done
}

@test "a closed stdin is not mistaken for the first file" {
    catalogue
    run -1 bash -c '"$BUILD"/dq-cat <&-'
    [ "${#lines[@]}" -eq 1 ]
    bash -c '"$BUILD"/dq-cat c.dq <&- > got'
    cmp got <("$BUILD"/dq-cat c.dq)
}

@test "a closed stderr hurts nothing" {
    catalogue
    bash -c '"$BUILD"/dq-cat c.dq 2>&- > got'
    cmp got <("$BUILD"/dq-cat c.dq)
}

@test "a reader that has gone ends a program by SIGPIPE, without words" {
    seq 60000 | jq -c '{id: "i\(.)", vector: [., 1]}' > many.jsonl
    "$BUILD"/dq-export --items many.jsonl -o many.dq
    run bash -c 'trap "" PIPE; "$BUILD"/dq-cat many.dq | head -1; exit "${PIPESTATUS[0]}"'
    [ "$status" -eq 141 ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "a progress bar when asked for, none in a pipe" {
    catalogue
    "$BUILD"/dq-reward --pairs all --progress c.dq 2> words > out.dq
    grep -qxE 'dq-reward: rewarding 100%  2/2(  .*)?' words
    "$BUILD"/dq-reward --pairs all c.dq 2> words > out.dq
    [ ! -s words ]
    "$BUILD"/dq-reward --pairs all --progress --quiet c.dq 2> words > out.dq
    [ ! -s words ]
}

@test "a stream is not written to a terminal" {
    catalogue
    run script -qec '"$BUILD"/dq-reward --pairs all c.dq' /dev/null
    [ "$status" -eq 2 ]
    [[ $output == *"dq-reward: "*"terminal"* ]]
}

@test "on a terminal: a bar in colour unless NO_COLOR is set" {
    catalogue
    command='"$BUILD"/dq-reward --pairs all -o r.dq c.dq'
    TERM=xterm script -qec "$command --progress" /dev/null > bar
    grep -qF "$(printf '\033[32m')" bar
    TERM=xterm NO_COLOR=1 script -qec "$command --progress" /dev/null > bar
    grep -qF '100%  2/2' bar
    run ! grep -qF "$(printf '\033[32m')" bar
}
