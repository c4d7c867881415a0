#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --follow: a model learns on from a server's log, and takes the old one's place, or does not.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    dq-sim --quiet --users 20 --items 30 --interactions 600 --seed 1 -o c.dq
    dq-reward --quiet --strategy logged --map VIEW=0,CLICK=1,PURCHASE=1,RATING=1 c.dq |
        dq-train --quiet --offline --loss mse --hidden 8 --world-hidden 8 --epochs 1 -o m.dq
    served 0 100 > first
    served 100 150 > second
}

# served FROM TO: showings and answers, one a second; every third is not answered, every fourth was clicked.
served() {
    awk -v from="$1" -v to="$2" 'BEGIN { for (k = from; k < to; k++) {
        words = sprintf("r%d u%02d i%02d 1 0.03 m %d", k, k * 7 % 20, k * 11 % 30, 1000 + k)
        print "shown " words
        if (k % 3) print "answer " words, k % 4 ? "IGNORE" : "CLICK"
        print "." } }'
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    cp "$BATS_FILE_TMPDIR"/{c.dq,m.dq,first,second} .
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    small=(--map CLICK=1,IGNORE=0 --batch 8 --warmup 8 --replay 50)
}

put() { "$BUILD"/helpers/make_log "$@"; }
digest() { dq-cat --lineage "$1" | head -1; }
follow() { dq-train --follow log.dq --init m.dq "${small[@]}" "$@" c.dq; }

@test "two shots equal one, and no row is learnt from twice" {
    put one.log < <(cat first second)
    cp m.dq one.dq
    dq-train --follow one.log --init one.dq "${small[@]}" --answer-time 0 --unanswered IGNORE c.dq 2> said
    grep -q '150 rows learnt from (mean reward 0.1667) in 143 updates' said
    put log.dq < first
    follow --answer-time 0 --unanswered IGNORE -q
    run ! cmp -s m.dq one.dq
    put log.dq < second
    follow --answer-time 0 --unanswered IGNORE 2> said
    grep -q '50 rows learnt from' said
    [ "$(digest m.dq)" = "$(digest one.dq)" ]
    cp m.dq before.dq
    follow --answer-time 0 2> said
    grep -q 'nothing to learn from' said
    cmp m.dq before.dq
    run -1 follow --answer-time 0 --unanswered NOPE
    [[ "$output" == *"the map has no label 'NOPE'"* ]]
}

@test "a showing waits for its answer, wherever one stops to read" {
    cat first second > all
    printf '%s\n' 'shown r900 u01 i01 1 0.03 m 1149' 'answer r900 u01 i01 1 0.03 m 1170 CLICK' 'shown r901 u02 i01 1 0.03 m 1190' > rest
    put one.log < <(cat all rest)
    cp m.dq one.dq
    dq-train --follow one.log --init one.dq "${small[@]}" --answer-time 30 c.dq 2> said
    for n in 40 100 150 230; do
        rm -f log.dq.* && put log.dq < <(tail -n +$((last + 1)) all | head -$((n - last)))
        last=$n
        follow --answer-time 30 -q
    done
    put log.dq < <(tail -n +$((last + 1)) all | cat - rest)
    follow --answer-time 30 -q
    [ "$(digest m.dq)" = "$(digest one.dq)" ]
    grep -q '101 rows learnt from' said # 100 answered ones, and r900; r901 waits
    grep -q 'left out: 50 without a reward, 0 of users' said
}

@test "shot after shot equals shots by hand, and a signal ends it" {
    put log.dq < <(cat first second)
    cp m.dq by-hand.dq
    dq-train --follow log.dq --init m.dq "${small[@]}" --answer-time 1 --every 40 --log shots.jsonl c.dq 2> said &
    pid=$!
    until [ "$(wc -l < shots.jsonl 2> /dev/null || echo 0)" = 2 ]; do
        kill -0 "$pid"
        sleep 0.1
    done
    kill -TERM "$pid"
    wait "$pid"
    [ "$(grep -c '"rows": *40' shots.jsonl)" = 2 ]
    awk '/shown/ && ++n > 121 { exit } { print }' <(cat first second) > part
    put part.log < part
    dq-train --follow part.log --init by-hand.dq "${small[@]}" --answer-time 1 -q c.dq
    [ "$(digest m.dq)" = "$(digest by-hand.dq)" ]
}

@test "a command decides, and the model says what it was judged by" {
    put log.dq < first
    cp m.dq old.dq
    run -3 --separate-stderr follow --answer-time 0 --accept 'cmp -s $DQ_STANDING old.dq && dq-cat --count $DQ_CANDIDATE > seen; echo; echo not good enough; false'
    [[ "$stderr" == *"not good enough"*"refused (status 1): the new model is m.dq.refused"* ]]
    cmp m.dq old.dq
    grep -q model seen
    [ ! -e m.dq.candidate ]
    dq-cat --check m.dq.refused
    follow --answer-time 0 --hold-out 0 --accept 'echo "lower 0.3 > 0.2 at $DQ_LOG, token=abc"' -o new.dq -q
    cmp m.dq old.dq
    [ "$(digest new.dq)" != "$(digest m.dq.refused)" ] # it says more
    zstd -dcq new.dq > bytes
    grep -aq 'lower 0.3 > 0.2 at log.dq, token=' bytes
    grep -aq 'echo "lower 0.3 > 0.2 at $DQ_LOG, token=\*\*\*' bytes
    [ "$(ls -A | grep -c candidate)" = 0 ]
}

@test "a refused model is not made again from the same rows" {
    put log.dq < <(cat first second)
    dq-train --follow log.dq --init m.dq "${small[@]}" --answer-time 1 --every 30 --log shots.jsonl --hold-out 0 --accept false -q c.dq &
    pid=$!
    until [ "$(wc -l < shots.jsonl 2> /dev/null || echo 0)" -ge 3 ]; do
        kill -0 "$pid"
        sleep 0.1
    done
    kill -TERM "$pid"
    wait "$pid"
    run cat shots.jsonl
    [[ "${lines[0]}" == *'"rows":30,'* && "${lines[1]}" == *'"rows":60,'* && "${lines[2]}" == *'"rows":90,'* ]]
    [ "${#lines[@]}" = 3 ]
}

@test "another catalogue empties the memory, and what cannot be followed is refused" {
    put log.dq < first
    follow --answer-time 0 -q
    dq-sim --quiet --users 22 --items 30 --interactions 600 --seed 1 -o other.dq
    put log.dq < second
    run -0 --separate-stderr dq-train --follow log.dq --init m.dq "${small[@]}" --answer-time 0 other.dq
    [[ "$stderr" == *"the catalogue is another one: what the agent remembered is forgotten"* ]]
    dq-train --quiet --env sequence --agent dqn --hidden 4 --total-steps 20 --warmup 4 --batch 4 -o env.dq
    run -1 --separate-stderr dq-train --follow log.dq --init env.dq c.dq
    [ "$stderr" = "dq-train: env.dq: --follow goes on from a model whose states are users (dq-train --offline)" ]
    run -1 --separate-stderr dq-train --follow c.dq --init m.dq c.dq
    [[ "$stderr" == "dq-train: c.dq: "* ]]
    run -2 --separate-stderr follow --every 5x
    [[ "$stderr" == *"--every 5x: a number of rows is wanted, or a time such as"* ]]
    run -2 --separate-stderr follow --every 5 --answer-time 0
    run -2 --separate-stderr dq-train --follow log.dq c.dq
    [[ "$stderr" == *"--follow needs --init"* ]]
}

@test "held-out users are not learnt from, and judged by" {
    put log.dq < <(cat first second)
    follow --answer-time 0 --unanswered IGNORE --hold-out 0.4 --accept 'cp "$DQ_HELD" held.dq' 2> said
    read -r learnt held <<< "$(sed -nE 's/.*: ([0-9]+) rows learnt from.* ([0-9]+) held out/\1 \2/p' said)"
    [ $((learnt + held)) = 150 ]
    [ "$held" -gt 20 ]
    [ "$learnt" -gt 60 ]
    [ "$(dq-cat held.dq | grep -c '"label":"\(CLICK\|IGNORE\)"')" = "$held" ]
    [ "$(dq-cat held.dq | grep -o '"user":"[^"]*"' | sort -u | wc -l)" -lt 15 ] # whole users
    run -2 --separate-stderr follow --hold-out 0.4
    [[ "$stderr" == *"--hold-out needs --accept"* ]]
    dq-eval --ope log --map CLICK=1,IGNORE=0 --target uniform --catalogue c.dq held.dq 2> words | grep -q '^log'
    grep -q "$held rows" words
}
