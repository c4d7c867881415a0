#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every pipeline runs start to end in its short form, and every example in the documents as it is printed.

bats_require_minimum_version 1.5.0

source "$BATS_TEST_DIRNAME/needs.bash"
setup() {
    cd "$BATS_TEST_DIRNAME/.." || return 1
    out=$BATS_TEST_TMPDIR
    PATH=$BUILD:$PATH
}

# A folder for a pipeline's output that has the programs too.
programs() {
    mkdir -p "$out/build"
    ln -sf "$BUILD"/dq-* "$out/build/"
}

needs_onet() {
    [ -d ../shared/data/onet-jobs ] || skip "../shared/data/onet-jobs is absent"
}

@test "the demo's data is what its script writes; another seed writes other data" {
    python3 pipelines/demo/make_data.py "$out/same"
    diff -r data/demo "$out/same"
    python3 pipelines/demo/make_data.py "$out/other" 43
    run cmp -s data/demo/jobs.jsonl "$out/other/jobs.jsonl"
    [ "$status" -eq 1 ]
}

@test "the demo's held-out answers were seen by nobody" {
    jq -r '"\(.user) \(.item)"' data/demo/*-answers.jsonl | sort > "$out/seen"
    awk '{ print $1, $3 }' data/demo/held-out.qrels | sort > "$out/held-out"
    [ -s "$out/seen" ]
    [ -s "$out/held-out" ]
    [ -z "$(comm -12 "$out/seen" "$out/held-out")" ]
}

@test "the demo runs, and makes nothing when nothing has changed" {
    programs
    make -f pipelines/demo.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/demo-quick/table.tsv")" -eq 8 ]
    [ "$(head -c 4 "$out/build/demo-quick/learning.png" | tail -c 3)" = PNG ]
    make -q -f pipelines/demo.mk BUILD="$out/build" QUICK=1 "$out/build/demo-quick/table.tsv"
}

@test "a stage that fails stops the demo and leaves no half of a file" {
    programs
    rm "$out/build/dq-reward"
    printf '#!/bin/sh\nexit 1\n' > "$out/build/dq-reward"
    chmod +x "$out/build/dq-reward"
    run make -f pipelines/demo.mk BUILD="$out/build" QUICK=1
    [ "$status" -ne 0 ]
    [ ! -e "$out/build/demo-quick/pretraining.dq" ]
    [ ! -e "$out/build/demo-quick/table.tsv" ]
}

@test "O*NET's pipeline runs" {
    needs_onet
    programs
    make -f pipelines/onet.mk DATA=../shared/data/onet-jobs BUILD="$out/build" QUICK=1
}

@test "Entree's sessions run" {
    [ -d ../shared/data/uci-entree ] || skip "../shared/data/uci-entree is absent"
    programs
    make -f pipelines/entree.mk DATA=../shared/data/uci-entree BUILD="$out/build" QUICK=1
}

@test "the study of planning and pre-training runs" {
    needs_onet
    programs
    make -f pipelines/planning.mk DATA=../shared/data/onet-jobs BUILD="$out/build" QUICK=1
    [ "$(cut -f 1 "$out/build/planning-quick/online-means.tsv" | tail -n +2 | sort -u | wc -l)" = 8 ]
    make -q -f pipelines/planning.mk DATA=../shared/data/onet-jobs BUILD="$out/build" QUICK=1 "$out/build/planning-quick/online.tsv"
}

@test "system A's pipeline from MongoDB runs, against a server of its own that ends with it" {
    source tests/services/mongodb/servers.bash
    needs_ferretdb
    programs
    mkdir -p "$BUILD/services"
    ln -s "$BUILD/services" "$out/build/services"
    make -f pipelines/mongodb.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/mongodb-quick/table.tsv")" -eq 4 ]
    make -q -f pipelines/mongodb.mk BUILD="$out/build" QUICK=1 "$out/build/mongodb-quick/table.tsv"
    run ! pgrep -f "$out/build/services/ferretdb"
}

@test "without a URI the pipeline from MongoDB says so" {
    programs
    run env -u MONGODB_URI make -f pipelines/mongodb.mk BUILD="$out/build"
    [ "$status" -ne 0 ]
    [[ $output == *"MONGODB_URI: names the database, in the environment"* ]]
}

@test "the comparison of rewards runs without a network, from the shipped cache" {
    programs
    isolated=(unshare -rn)
    "${isolated[@]}" true 2> /dev/null || isolated=(env OPENAI_BASE_URL=http://127.0.0.1:1/v1)
    "${isolated[@]}" make -f pipelines/rewards.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/rewards-quick/table.tsv")" -eq 6 ]
    grep -q '</svg>' "$out/build/rewards-quick/rewards.svg"
    make -q -f pipelines/rewards.mk BUILD="$out/build" QUICK=1 "$out/build/rewards-quick/table.tsv"
}

@test "the shipped cache is what its script makes: the same answers" {
    [ -x "$BUILD/services/llm_server" ] || skip "the test server is not built"
    mkdir -p "$out/copy"
    cp -r data pipelines tests "$out/copy/"
    env -u OPENAI_BASE_URL "$out/copy/pipelines/rewards/make_cache" "$BUILD"
    for cache in data/rewards "$out/copy/data/rewards"; do
        zstd -dqf $cache/demo.db.zst -o "$out/one.db"
        sqlite3 "$out/one.db" 'select hex(key), label from answers order by 1'
    done | sort | uniq -u > "$out/different"
    [ ! -s "$out/different" ]
    [ "$(sqlite3 "$out/one.db" 'select count(*) from answers')" -gt 2000 ]
}

@test "the comparison of agents runs" {
    programs
    make -f pipelines/compare.mk BUILD="$out/build" QUICK=1
    [ -s "$out/build/compare-quick/learning.png" ]
}

@test "the Dyna maze: planning saves the episodes that the book says" {
    programs
    make -f pipelines/maze.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/maze-quick/table.tsv")" -eq 4 ]
    make -q -f pipelines/maze.mk BUILD="$out/build" QUICK=1 "$out/build/maze-quick/table.tsv"
}

@test "shortest ways out of random walks, by a decision transformer" {
    programs
    make -f pipelines/graph.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/graph-quick/table.tsv")" -eq 6 ]
    make -q -f pipelines/graph.mk BUILD="$out/build" QUICK=1 "$out/build/graph-quick/table.tsv"
}

@test "system C's pipeline runs: both orders are learnt" {
    programs
    make -f pipelines/sequence.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/sequence-quick/table.tsv")" -eq 5 ]
    [ "$(tail -n +2 "$out/build/sequence-quick/snapshots.tsv" | cut -f 1-3 | sort -u | wc -l)" -eq 60 ] # 2 x 5 places x 6 items
    [ -s "$out/build/sequence-quick/q-table.png" ]
    [ -s "$out/build/sequence-quick/distractor.png" ]
    make -q -f pipelines/sequence.mk BUILD="$out/build" QUICK=1 "$out/build/sequence-quick/table.tsv"
}

@test "system B's pipeline runs: the generator is as stated, agents learn, pictures are drawn" {
    programs
    make -f pipelines/session.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/session-quick/table.tsv")" -eq 15 ]
    [ "$(wc -l < "$out/build/session-quick/terms.tsv")" -eq 7 ]
    [ -s "$out/build/session-quick/population.png" ]
    [ -s "$out/build/session-quick/generated.png" ]
    make -q -f pipelines/session.mk BUILD="$out/build" QUICK=1 "$out/build/session-quick/table.tsv"
    # users, items and what the users did, named, in the order of low, medium, high
    make -f pipelines/session.mk BUILD="$out/build" QUICK=1 "$out/build/session-quick/population.svg"
    /usr/bin/python3 tests/cli/picture.py texts "$out/build/session-quick/population.svg" > "$out/texts"
    for title in 'QUICK: no result' 'Users by age' 'Items by category' 'Items by price' 'interactions of a user' 'what a user did with an item'; do
        cut -f 3 "$out/texts" | grep -qx "$title"
    done
    names=$(awk -F'\t' '$2 > 100 && /\t(low|medium|high)$/' "$out/texts" | sort -n | cut -f 3 | xargs)
    [ "$names" = "low medium high" ]
}

@test "system D's pipeline runs: the variants, what they promise, the cold start" {
    programs
    make -f pipelines/films.mk BUILD="$out/build" QUICK=1
    [ "$(wc -l < "$out/build/films-quick/table.tsv")" -eq 10 ]
    [ "$(wc -l < "$out/build/films-quick/values.tsv")" -eq 9 ]
    [ "$(awk -F'\t' '{ print NF }' "$out/build/films-quick/cold-start.tsv" | tr '\n' ' ')" = "5 5 5 3 " ]
    [ -s "$out/build/films-quick/values.png" ]
    make -q -f pipelines/films.mk BUILD="$out/build" QUICK=1 "$out/build/films-quick/table.tsv"
    # who does not adapt is a level line among those who learn
    make -f pipelines/films.mk BUILD="$out/build" QUICK=1 "$out/build/films-quick/cold-start.svg"
    for name in nothing simulated adapted; do
        /usr/bin/python3 tests/cli/picture.py texts "$out/build/films-quick/cold-start.svg" | cut -f 3 | grep -qx $name
    done
    /usr/bin/python3 tests/cli/picture.py lines "$out/build/films-quick/cold-start.svg" | awk -F'\t' '{level[NR] = $5 == $6} END {exit !(NR == 3 && !level[1] && level[2] && !level[3])}'
}

@test "the steps until a cold start has the level of training from nothing" {
    cd pipelines/films
    log() { for r in "$@"; do echo "{\"evaluation\": 1, \"evaluation_return\": $r, \"total_steps\": $((++n * 10))}"; done; }
    n=0 log 0 0 0 3 3 6 6 6 6 6 6 6 6 6 6 6 6 > "$out/nothing"
    n=0 log 2 4 5.5 5.5 5.5 > "$out/adapted"
    run jq -rn --slurpfile other "$out/nothing" -f cold-start.jq "$out/adapted"
    [ "$status" -eq 0 ]
    [ "$output" = $'first\tall\t2\nlast\tall\t4.5\nsteps-to-level\tall\t50\nsteps-saved\tall\t30' ]
}

@test "a table is held to what is expected of it" {
    printf 'system\tndcg\na\t0.500 ± 0.010\n' > "$out/table"
    awk -v expected="a ndcg .4 .6" -f pipelines/expect.awk "$out/table"
    for wrong in "a ndcg .6 .7" "b ndcg .4 .6" ""; do
        run awk -v expected="$wrong" -f pipelines/expect.awk "$out/table"
        [ "$status" -eq 1 ]
    done
}

@test "the mean and interval of seeds" {
    for seed in 1 2 3; do
        mkdir -p "$out/$seed"
        printf 'P_10\tall\t0.%d\n' $((seed * 2)) > "$out/$seed/a.eval"
        printf 'P_10\tall\t0.%d5\n' $((seed * 2)) > "$out/$seed/b.eval"
    done
    run awk -v measures=P_10 -v against=a -f pipelines/summary.awk "$out"/*/*.eval
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = $'a\t0.400 ± 0.497\t' ] # sd 0.2, 4.303 * 0.2 / sqrt(3)
    [ "${lines[2]}" = $'b\t0.450 ± 0.497\t+0.050 ± 0.000' ]
}

@test "the examples of the README and the guides run as they are printed" {
    # shellcheck disable=SC2046 # names without spaces
    tests/examples README.md $(grep -l '^```sh run' docs/*.md | grep -v docs/tour.md)
}

@test "the tour prints what it shows" {
    needs curl
    tests/examples docs/tour.md
}

@test "an example that prints other than its page shows fails" {
    mkdir -p "$out/tests" "$out/data"
    cp tests/examples "$out/tests"
    page() { printf '```sh run\nx=1\n```\n```sh run\n%s\n```\n\n```text output\n%s\n```\n```sh run\n[ $x = 1 ]\n```\n' "$@" > "$out/page.md"; }
    fits() { page "$@"; run -0 "$out/tests/examples" page.md; }
    fails() { page "$@"; run -1 "$out/tests/examples" page.md; [ "${lines[-1]}" = "page.md: an example failed" ]; }
    fits 'echo "a  1.2345 $x"; printf "{\"s\":-0.5}\n"' $'a 1.2340 1\n{"s":-0.5003}'
    fails 'echo a 1.25' 'a 1.20'
    fails 'echo a 1.2' 'a 1'
    fails 'echo a 2' 'a 1'
    fails 'echo -0.5' '0.5'
    fails 'printf "a\nb\n"' a
    fails 'echo a' $'a\nb'
    fails true a
    fails 'echo a; false' a
    fails 'echo a; x=2' a
    printf '```text output\n```\n' > "$out/page.md"
    run -1 "$out/tests/examples" page.md
    # and what is printed can be written into it
    page 'echo new' old
    WRITE=1 "$out/tests/examples" page.md
    grep -qx new "$out/page.md"
    run ! grep -q old "$out/page.md"
    run -0 "$out/tests/examples" page.md
}

@test "the loop closes: served, logged, judged, learnt from, promoted, and better" {
    programs
    make -f pipelines/loop.mk BUILD="$out/build" QUICK=1
    [ "$(cut -f1 "$out/build/loop-quick/rounds.tsv" | tr '\n' ' ')" = "round 0 1 2 3 " ]
    grep -q '"accepted":true' "$out/build/loop-quick/shots.jsonl"
    [ -s "$out/build/loop-quick/rounds.svg" ]
    [ -s "$out/build/loop-quick/ab.txt" ]
    [ ! -e "$out/build/loop-quick/model.dq.candidate" ]
    make -q -f pipelines/loop.mk BUILD="$out/build" QUICK=1 "$out/build/loop-quick/checked"
}
