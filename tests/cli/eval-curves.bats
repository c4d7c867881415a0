#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --curves: logs of dq-train to means, bands and pictures.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    set -o pipefail
    for run in 1 2 3; do
        for episode in 1 2 3 4; do
            echo "{\"user\":\"u\",\"episode\":$episode,\"steps\":10,\"reward\":0.$((run + episode)),\"q_loss\":$([ $episode = 1 ] && echo null || echo 1.$run),\"epsilon\":0.5}"
        done > run$run.jsonl
    done
}

@test "tsv: mean and sample sd of several runs; cumulative reward counts the steps" {
    "$BUILD"/dq-eval --curves g=run1.jsonl g=run2.jsonl g=run3.jsonl -f tsv > got
    cat > want <<'TSV'
group	metric	episode	mean	sd	runs
g	reward	1	0.3	0.1	3
g	reward	2	0.4	0.1	3
g	reward	3	0.5	0.1	3
g	reward	4	0.6	0.1	3
g	cumulative_reward	1	3	1	3
g	cumulative_reward	2	7	2	3
g	cumulative_reward	3	12	3	3
g	cumulative_reward	4	18	4	3
g	q_loss	2	1.2	0.1	3
g	q_loss	3	1.2	0.1	3
g	q_loss	4	1.2	0.1	3
TSV
    diff got want
}

@test "runs of unequal length: the mean says of how many it is, and no line joins different runs" {
    head -2 run3.jsonl > short.jsonl
    "$BUILD"/dq-eval --curves g=run1.jsonl g=run2.jsonl g=short.jsonl -f tsv --metric reward > got
    diff got - <<'TSV'
group	metric	episode	mean	sd	runs
g	reward	1	0.3	0.1	3
g	reward	2	0.4	0.1	3
g	reward	3	0.45	0.0707106781	2
g	reward	4	0.55	0.0707106781	2
TSV
    "$BUILD"/dq-eval --curves g=run1.jsonl g=run2.jsonl g=short.jsonl --metric reward --plot unequal.svg
    grep -q '2 of 3' unequal.svg
    grep -q 'stroke-dasharray' unequal.svg
    "$BUILD"/dq-eval --curves g=run1.jsonl g=run2.jsonl g=run3.jsonl --metric reward --plot equal.svg
    run ! grep -q 'of 3<\|stroke-dasharray' equal.svg
    "$BUILD"/dq-eval --curves g=run1.jsonl g=run2.jsonl g=short.jsonl --metric reward | grep -q '2 of 3'
}

@test "runs measured at different points count throughout, by straight lines" {
    printf '{"episode":%d,"return":%d}\n' 1 0 3 4 5 8 > a.jsonl
    printf '{"episode":%d,"return":%d}\n' 1 10 4 4 > b.jsonl
    "$BUILD"/dq-eval --curves a.jsonl b.jsonl -f tsv --metric return | tail -n +2 | cut -f 3- > got
    diff got - <<'TSV'
1	5	7.07106781	2
3	5	1.41421356	2
4	5	1.41421356	2
5	8	0	1
TSV
    "$BUILD"/dq-eval --curves a.jsonl b.jsonl --metric return --plot lone.svg # the last point is one, and shown
    grep -q '1 of 2' lone.svg
}

@test "groups by NAME=LOG, users of one log as runs of their own, a moving average" {
    sed 's/"u"/"v"/' run2.jsonl | cat run1.jsonl - > both.jsonl
    "$BUILD"/dq-eval --curves a=both.jsonl b=run3.jsonl --smooth 2 -f tsv > got
    grep -qx $'a\treward\t1\t0.25\t0.0707106781\t2' got
    grep -qx $'a\treward\t2\t0.3\t0.0707106781\t2' got
    grep -qx $'b\treward\t4\t0.65\t0\t1' got
    grep -qx $'b\tcumulative_reward\t4\t22\t0\t1' got
}

@test "logs by epoch" {
    echo '{"epoch":1,"q_loss":0.5,"validation_loss":0.25,"validation_concordance":0.75}' > offline.jsonl
    "$BUILD"/dq-eval --curves offline.jsonl -f tsv > got
    grep -qx $'group\tmetric\tepoch\tmean\tsd\truns' got
    grep -qx $'\tvalidation_loss\t1\t0.25\t0\t1' got
}

@test "pictures: SVG, PNG, and the terminal" {
    "$BUILD"/dq-eval --curves 'a=run1.jsonl' 'a=run2.jsonl' 'b=run3.jsonl' --plot curves.svg
    grep -q '<svg' curves.svg
    grep -q 'Cumulative reward' curves.svg
    grep -q 'a, mean of 2 runs, ± sd' curves.svg
    "$BUILD"/dq-eval --curves run1.jsonl run2.jsonl --plot curves.png
    [ "$(head -c 8 curves.png | od -An -tx1)" = " 89 50 4e 47 0d 0a 1a 0a" ]
    "$BUILD"/dq-eval --curves run1.jsonl run2.jsonl > drawn
    grep -q 'Q-network loss' drawn
    [ "$(wc -L < drawn)" -le 79 ]
}

@test "the same logs give the same picture" {
    "$BUILD"/dq-eval --curves run1.jsonl run2.jsonl --plot one.svg
    "$BUILD"/dq-eval --curves run1.jsonl run2.jsonl --plot two.svg
    cmp one.svg two.svg
}

@test "names and files are never commands" {
    evil="x'; system 'touch pwned'; \`touch pwned\` \"@y"
    cp run1.jsonl '|touch pwned;.jsonl'
    "$BUILD"/dq-eval --curves "$evil=run1.jsonl" '|touch pwned;.jsonl' --plot '|touch pwned;.svg'
    [ ! -e pwned ]
    grep -q 'system' '|touch pwned;.svg'
}

@test "--metric draws what is asked for, also of evaluations; --mark draws a line" {
    printf '%s\n' '{"episode":1,"reward":1,"steps":2,"errors":4}' '{"episode":1,"evaluation_return":7}' \
        '{"episode":2,"reward":2,"steps":2,"errors":2}' '{"episode":3,"reward":3,"steps":2,"errors":null}' '{"episode":4,"reward":0,"steps":2,"errors":1}' > e.jsonl
    "$BUILD"/dq-eval --curves --format tsv --metric errors --metric evaluation_return e.jsonl > t
    diff t - <<'END'
group	metric	episode	mean	sd	runs
	errors	1	4	0	1
	errors	2	2	0	1
	errors	4	1	0	1
	evaluation_return	1	7	0	1
END
    "$BUILD"/dq-eval --curves --format tsv e.jsonl | grep -P "\tcumulative_reward\t3\t12\t"
    "$BUILD"/dq-eval --curves --metric errors --mark 2 --plot e.svg e.jsonl
    grep -q 'Errors an episode' e.svg
    grep -q "path stroke='rgb(144, 148, 152)" e.svg
    "$BUILD"/dq-eval --curves --metric errors --plot plain.svg e.jsonl
    run ! grep -q "path stroke='rgb(144, 148, 152)" plain.svg
    run -1 "$BUILD"/dq-eval --curves --metric nothing e.jsonl
    [[ "$output" == *"the logs have nothing that is drawn: nothing"* ]]
    run -2 "$BUILD"/dq-eval --curves --mark x e.jsonl
    run -2 "$BUILD"/dq-eval --metric errors --qrels x
}
