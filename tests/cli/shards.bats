#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --shard I/N: what N processes make of their users, joined, is what one makes of all.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 30
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    each --models-dir whole -o whole.dq c.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/{c.dq,whole,whole.dq} .
}

# each OPTION...: an agent for each user, tiny ones
tiny=(--quiet --reward cosine --hidden 4 --world-hidden 4 --batch 4 --warmup 5 --replay 50 --episodes 2 --steps 10)
each() { last "$BUILD"/dq-train "${tiny[@]}" -t 1 --each-user "$@"; }
models() { "$BUILD"/dq-cat --kind model "$@" | LC_ALL=C sort; }

@test "dq-train: five parts at once, in one folder and as streams" {
    local pids=() pid
    for i in 5 3 1 2 4; do
        each --shard $i/5 --models-dir d -o $i.dq c.dq &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    diff -r d whole
    "$BUILD"/dq-cat --join -o joined.dq ?.dq
    cmp <(models joined.dq) <(models whole.dq)
    cmp <(cat ?.dq | models) <(models whole.dq)
    # a part's users stand in the order of the catalogue, and its head says which part it is
    cat $("$BUILD"/dq-cat --kind model 1.dq | jq -r 'select(.meta) | "whole/\(.meta.user).dq"') | "$BUILD"/dq-cat --kind model | cmp - <("$BUILD"/dq-cat --kind model 1.dq)
    "$BUILD"/dq-cat --lineage 1.dq | grep -F 'shard=1/5'
    # and what is there is kept by who trains all
    run -0 --separate-stderr each --no-quiet --models-dir d c.dq
    [ "$stderr" = "dq-train: trained 0, resumed 12" ]
}

@test "a part without users, the only part, and parts of a list of users" {
    run -0 --separate-stderr each --no-quiet --shard 100/100 --models-dir none -o none.dq c.dq
    [ "$stderr" = "dq-train: trained 0" ]
    [ -z "$("$BUILD"/dq-cat --count none.dq)" ]
    each --shard 1/1 --models-dir d c.dq
    diff -r d whole
    printf 'u02\nu05\nu09\n' > three
    for i in 1 2; do each --shard $i/2 --users-file three --models-dir e c.dq; done
    [ "$(cd e && echo *.dq)" = "u02.dq u05.dq u09.dq" ]
    printf 'u02\nu99\n' > wrong
    for i in 1 2; do # whichever part he would be in
        run -1 --separate-stderr each --shard $i/2 --users-file wrong -o w.dq c.dq
        [ "$stderr" = "dq-train: wrong: line 2: user u99 is not in the stream" ]
    done
}

@test "what is no part is refused, and so is a part of one user" {
    for text in 0/3 4/3 3 1/0 /3 1/ x "" 1/2/3 "1/2 " 1/1000001; do
        for program in "dq-train --each-user" dq-rank dq-reward; do
            run -2 --separate-stderr "$BUILD"/$program --shard "$text" c.dq
            [[ $stderr == *": --shard: '$text' is no shard: I/N is wanted, I from 1 to N, N up to 1000000, such as 3/12 (try "* ]]
        done
    done
    run -2 --separate-stderr "$BUILD"/dq-train --shard 1/3 --user u01 c.dq
    [[ $stderr == "dq-train: --shard has no meaning with online training; it is for --each-user"* ]]
    for program in dq-rank dq-reward; do
        run -2 --separate-stderr "$BUILD"/$program --shard 1/3 --user u01 c.dq
        [[ $stderr == "$program: "*--shard*--user* || $stderr == "$program: "*--user*--shard* ]]
    done
}

@test "another run for the same part is refused while the first is at work; other parts go beside it" {
    last_of "$BUILD"/dq-train "${tiny[@]}" -t 1 --each-user --episodes 1000000 --models-dir d --shard 1/3 c.dq
    "$BUILD"/dq-train "${line[@]}" 2> words &
    pid=$!
    until [ -n "$(pgrep -P "$pid")" ]; do kill -0 "$pid"; done
    run -1 --separate-stderr each --models-dir d --shard 1/3 c.dq
    [[ $stderr == "dq-train: d: another run (process $pid) makes models here; wait for it, or end it" ]]
    printf 'u00\n' > one
    for others in "--shard 1/2" "--users-file one" "--users-file one --shard 2/3" ""; do # cut in another way
        # shellcheck disable=SC2086 # words
        run -1 --separate-stderr each --models-dir d $others c.dq
        [[ $stderr == "dq-train: d: another run (process $pid) makes models here; wait for it, or end it" ]]
    done
    each --models-dir d --shard 3/3 c.dq
    each --models-dir d --shard 2/3 c.dq
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" = 75 ]
    each --models-dir d --shard 1/3 c.dq
    diff -r --exclude=.half d whole
    [ -z "$(ls d/.half)" ] # halves of other options went with the agents that took their place
}

rank() { last "$BUILD"/dq-rank -q -k 3 "$@"; }

@test "dq-rank: lists of parts, and merged, also drawn ones, and of a stream of models" {
    for order in "--by q" "--softmax 1" "--epsilon .3" "--mmr .5"; do
        # shellcheck disable=SC2086 # words
        rank $order --models-dir whole --format tsv --no-header c.dq > all.tsv
        # shellcheck disable=SC2086 # words
        for i in 1 2 3; do rank $order --models-dir whole --format tsv --no-header --shard $i/3 c.dq > $i.tsv; done
        LC_ALL=C sort ?.tsv | cmp - <(LC_ALL=C sort all.tsv)
        for i in 1 2 3; do [ -s $i.tsv ]; done
    done
    rank --models-dir whole --format tsv c.dq > all.tsv
    for i in 1 2 3; do rank --models-dir whole --shard $i/3 -o $i.dq c.dq; done
    rank --models-dir whole --shard 100/100 -o none.dq c.dq
    rank --merge --format tsv none.dq 3.dq 1.dq 2.dq | LC_ALL=C sort | cmp - <(LC_ALL=C sort all.tsv)
    # a part without users wants no model, which another part may not have made yet
    mkdir empty
    rank --models-dir empty --shard 100/100 -o none.dq c.dq
    [ -z "$("$BUILD"/dq-cat --count none.dq)" ]
    part=1
    while [ "$(rank --by cosine --shard $part/5 --format tsv --no-header c.dq | wc -l)" = 0 ]; do part=$((part + 1)); done
    run -1 --separate-stderr rank --models-dir empty --shard $part/5 c.dq
    [ "$stderr" = "dq-rank: empty: no model in it" ]
    # models of others go by; users of a part that come too late are named
    for i in 1 2 3; do cat whole.dq c.dq | rank --format tsv --no-header --shard $i/3; done | LC_ALL=C sort | cmp - <(tail -n +2 all.tsv | LC_ALL=C sort)
    "$BUILD"/dq-cat --kind items --to stream -o items.dq c.dq
    "$BUILD"/dq-cat --kind users --user u00 --to stream -o u00.dq c.dq
    "$BUILD"/dq-cat --kind users --user u07 --to stream -o u07.dq c.dq
    part=1 # of u07
    until rank --shard $part/5 --models-dir whole --format tsv --no-header c.dq | grep '^u07' > /dev/null; do part=$((part + 1)); done
    run -1 --separate-stderr rank --by cosine --shard $part/5 u00.dq items.dq u07.dq
    [[ $stderr == *"user u07 comes after items were ranked: put all users before the items, or use --hold" ]]
    rank --by cosine --shard $((part % 5 + 1))/5 -o late.dq u00.dq items.dq u07.dq
}

@test "dq-reward: the pairs of parts are those of one run" {
    pairs() { "$BUILD"/dq-reward -q "$@" c.dq | "$BUILD"/dq-cat --kind transitions | LC_ALL=C sort; }
    for from in all random:5 top:3; do
        pairs --pairs $from > all.jsonl
        for i in 1 2 3; do pairs --pairs $from --shard $i/3 > $i.jsonl; [ -s $i.jsonl ]; done
        LC_ALL=C sort ?.jsonl | cmp - all.jsonl
    done
}
