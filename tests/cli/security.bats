#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/security.md: the tests that it names are there, and claims of it that no other suite holds.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    set -o pipefail
    root=$BATS_TEST_DIRNAME/../..
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
}

@test "every test that the page names is there" {
    tests=0
    # in brackets: suite *title*, *title*; suite *title*
    while IFS=$'\t' read -r suite title; do
        case $suite in
        unit/*) [ -e "$root/tests/$suite.c" ] ;;
        *) grep -qF "@test \"$title\"" "$root/tests/$suite.bats" ;;
        esac || { echo "$suite: $title"; false; }
        tests=$((tests + 1))
    done < <(python3 - "$root/docs/security.md" << 'END'
import re, sys
text = " ".join(open(sys.argv[1]).read().split())
for group in re.findall(r"\(((?:cli|cluster|fault|unit)/[^|]*?)\)(?=[ ,.;|:])", text):
    for part in re.split(r"; ?\n?(?=(?:cli|cluster|fault|unit)/)", group):
        suite = re.match(r"[a-z]+/[a-z_-]+", part)[0]
        for title in re.findall(r"\*([^*]+)\*", part) or [""]:
            print(suite, title, sep="\t")
END
    )
    [ "$tests" -ge 30 ]
}

@test "a cache is its owner's whatever the umask; streams are as the umask says" {
    source "$root"/tests/services/llm.bash
    llm_start
    umask 000
    dq-sim --users 2 --items 2 -q -o c.dq
    dq-reward --strategy llm --model judge --pairs all --cache r.db -q c.dq -o l.dq
    umask 077
    dq-sim --users 2 --items 2 -q -o private.dq
    llm_stop
    [ "$(stat -c %a r.db)" = 600 ]
    [ "$(stat -c %a c.dq)" = 666 ]
    [ "$(stat -c %a private.dq)" = 600 ]
}

@test "a file size limit leaves no file" {
    got=0
    (ulimit -f 8 && exec dq-sim --users 3000 --items 3000 -q -o big.dq 2> words) || got=$?
    [ "$got" = 1 ]
    grep -q '^dq-sim: .*File too large' words
    [ -z "$(find . -name 'big.dq*')" ]
}

@test "a labeller gets the key that it needs, and no other" {
    dq-sim --users 2 --items 6 -q -o c.dq
    printf '#!/bin/sh\nenv > %s/seen\nexec dq-reward --strategy cosine --pairs stream --labels-only -q\n' "$PWD" > label.sh
    chmod +x label.sh
    OPENAI_API_KEY=sk-9 PGPASSWORD=hu-sh DQ_MONGODB_URI=mongodb://u:p@h dq-train -q --user "$(dq-cat --kind users c.dq | head -1 | jq -r .id)" --reward-cmd ./label.sh --episodes 1 --steps 3 --warmup 2 --batch 2 --hidden 4 c.dq -o /dev/null || true
    grep -q '^OPENAI_API_KEY=sk-9' seen
    grep -q '^PGPASSWORD=hu-sh' seen
    run -1 grep u:p@h seen
}

@test "gnuplot learns no secret" {
    mkdir bin
    printf '#!/bin/sh\nenv > %s/seen\nexit 1\n' "$PWD" > bin/gnuplot
    chmod +x bin/gnuplot
    dq-train -q --env maze --agent tabular --episodes 3 -l log.jsonl -o m.dq
    OPENAI_API_KEY=sk-9 PGPASSWORD=hu-sh DQ_MONGODB_URI=mongodb://u:p@h PATH=$PWD/bin:$PATH run -1 dq-eval --curves --plot out.svg log.jsonl
    grep -q ^PATH= seen
    run -1 grep -E 'sk-9|hu-sh|u:p@h' seen
}

@test "no option takes a secret" {
    for program in "$BUILD"/dq-*; do
        [ -x "$program" ] || continue
        run -1 grep -iE -- '--(api-?key|password|secret|token)([^-a-z]|$)' <("$program" --help)
    done
}
