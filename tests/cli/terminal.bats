#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What people read moves no terminal and forges no row: control characters in ids, names and texts.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    set -o pipefail
    root=$PWD
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    # the title of the window by C0, a clear screen by C1 in UTF-8, a row of its own, a rubout
    id='u\u001b]0;x\u0007\u009b2J\u007f\nall\t9'
    printf '{"id":"%s","vector":[1,2]}\n' "$id" > u.jsonl
    printf '{"id":"i%s","vector":[1,2]}\n{"id":"plain €ü","vector":[2,1]}\n{"id":"nul\u0000l","vector":[2,3]}\n' "$id" > i.jsonl
    printf '{"user":"%s","item":"i%s","label":"%s"}\n' "$id" "$id" "$id" > a.jsonl
    dq-export --users u.jsonl --items i.jsonl --interactions a.jsonl -o c.dq
}

# stdin has no control character but line feeds and tabs
is_harmless() {
    python3 -c '
import sys, unicodedata
text = sys.stdin.buffer.read().decode()
assert text, "nothing to read"
bad = [c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"]
assert not bad, repr(text)'
}

@test "tables of tab-separated values show control characters, and are read back" {
    for kind in users items interactions; do
        dq-cat --kind $kind --to tsv c.dq > $kind.tsv
        is_harmless < $kind.tsv
        [ "$(wc -l < $kind.tsv)" = "$((1 + $(dq-cat --kind $kind c.dq | wc -l)))" ]
    done
    grep -qF '€ü' items.tsv
    dq-export --users users.tsv --items items.tsv --interactions interactions.tsv -o back.dq
    for kind in users items interactions; do
        cmp <(dq-cat --kind $kind c.dq) <(dq-cat --kind $kind back.dq)
    done
}

@test "lines of JSON: DEL and C1 are escaped as C0 is, and are read back" {
    dq-cat c.dq > c.jsonl
    is_harmless < c.jsonl
    grep -qF '\u009b2J\u007f\nall\t9' c.jsonl
    for kind in users items interactions; do grep -F "\"kind\":\"$kind\"" c.jsonl > $kind.jsonl; done
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o back.dq
    cmp c.jsonl <(dq-cat back.dq)
    dq-cat --lineage c.dq | is_harmless
    dq-rank --by cosine --format jsonl c.dq | is_harmless
    # an attribute whose JSON is of somebody else's writing
    printf '{"id":"a","note":"\xc2\x9b2J\x7f"}\n' > n.jsonl
    dq-export --users n.jsonl | dq-cat | is_harmless
}

@test "rankings and measures" {
    dq-rank --by cosine --format tsv --no-header c.dq > r.tsv
    is_harmless < r.tsv
    [ "$(awk -F'\t' 'NF != 4' r.tsv)" = "" ]
    run --separate-stderr -1 dq-rank --by cosine --format trec c.dq
    is_harmless <<< "$stderr"
    dq-cat --count c.dq | is_harmless
}

@test "errors that quote an id" {
    run --separate-stderr -1 dq-rank --by cosine --user $'no\e[31m\xc2\x9bone' c.dq
    is_harmless <<< "$stderr"
    [[ $stderr == *'\x1b'* ]]
    run --separate-stderr dq-cat $'no\e[31mfile'
    is_harmless <<< "$stderr"
    run --separate-stderr -2 dq-rank --by $'\e[31m' c.dq
    is_harmless <<< "$stderr"
}

@test "the ledger: a model's name is one cell of one row" {
    needs sqlite3
    source "$root"/tests/services/llm.bash
    llm_start
    dq-reward --strategy llm --model judge --pairs all --cache r.db -q c.dq -o /dev/null
    llm_stop
    sqlite3 r.db "INSERT INTO ledger VALUES('m' || char(10) || 'forged' || char(9) || '0' || char(27) || '[2J', 1,1,0,0,0,0,5,5,0,1)"
    run --separate-stderr -0 dq-reward --ledger r.db
    is_harmless <<< "$output"
    grep -q '^m.*forged' <<< "$output"
    [ "$(grep -c ^forged <<< "$output")" = 0 ]
    [ "$(awk -F'\t' 'NF != 12' <<< "$output")" = "" ]
}

@test "an environment of somebody else learns no secrets" {
    printf '#!/bin/sh\nenv > %s/seen\nexec dq-sim cartpole --serve\n' "$PWD" > env.sh
    chmod +x env.sh
    OPENAI_API_KEY=sk-9 DQ_MONGODB_URI=mongodb://u:p@h dq-train -q --env-cmd ./env.sh --total-steps 20 --warmup 4 --batch 4 -o /dev/null
    grep -q '^DQ_FLUSH=1' seen
    run -1 grep -e sk-9 -e u:p@h seen
}
