#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-reward: rewards by cosine and from logged labels.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    printf '%s\n' '{"id":"u1","vector":[1,0]}' '{"id":"u2","vector":[1,1]}' '{"id":"u3","vector":[0,0]}' > u.jsonl
    printf '%s\n' '{"id":"a","vector":[2,0]}' '{"id":"b","vector":[0,3]}' '{"id":"c","vector":[-1,0]}' '{"id":"d","vector":[0,7]}' > i.jsonl
    printf '%s\n' '{"user":"u1","item":"a","label":"APPLY"}' '{"user":"u2","item":"a","label":"SEEN"}' \
        '{"user":"u2","item":"b","label":"IGNORE"}' '{"user":"u1","item":"c","reward":0.25}' \
        '{"user":"u1","item":"a","label":"CLICK"}' > x.jsonl
    dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
}

payload() { zstd -dcq; }
rewards() { dq-cat --kind transitions "$@" | jq -r '"\(.user) \(.item) \(.reward) \(.label)"'; }

@test "logged: the map, an explicit number, a label outside the map" {
    dq-reward --strategy logged c.dq -q | rewards > got
    [ "$(cat got)" = $'u1 a 1 APPLY\nu2 a null SEEN\nu2 b -0.100000001 IGNORE\nu1 c 0.25 null\nu1 a 0 CLICK' ]
    run dq-reward --strategy logged c.dq -o out.dq
    [ "$output" = "dq-reward: 1 of 5 transitions have no reward: no label, or one outside the map" ]
}

@test "logged: another map" {
    dq-reward --strategy logged --map SEEN=-1,APPLY=2 -q c.dq | rewards > got
    [ "$(cat got)" = $'u1 a 2 APPLY\nu2 a -1 SEEN\nu2 b null IGNORE\nu1 c 0.25 null\nu1 a null CLICK' ]
}

@test "logged: pairs that are looked up take the last interaction" {
    dq-reward --strategy logged --pairs all --user u1 -q c.dq | rewards > got
    [ "$(cat got)" = $'u1 a 0 CLICK\nu1 b null null\nu1 c 0.25 null\nu1 d null null' ]
}

@test "cosine: by hand, scaled and raw, a zero vector in the middle" {
    dq-reward --pairs all c.dq | rewards > got
    [ "$(awk '{ print $3 }' got | paste -sd' ')" = "1 0.5 0 0.5 0.853553414 0.853553414 0.146446615 0.853553414 0.5 0.5 0.5 0.5" ]
    dq-reward --pairs all --raw-cosine c.dq | rewards > got
    [ "$(awk '{ print $3 }' got | paste -sd' ')" = "1 0 -1 0 0.707106769 0.707106769 -0.707106769 0.707106769 0 0 0 0" ]
    dq-reward --pairs all c.dq | dq-cat --kind transitions | jq -se 'all(.reward == .cosine and .done == 0)'
}

@test "cosine: the stream's interactions, in their order" {
    dq-reward c.dq | rewards > got
    [ "$(awk '{ print $1 $2 }' got | paste -sd' ')" = "u1a u2a u2b u1c u1a" ]
}

@test "pairs of fields: the mean of their cosines, and the catalogue's own" {
    printf '%s\n' '{"id":"u","vector":{"hard":[1,0],"soft":[3,4,0]}}' > fu.jsonl
    printf '%s\n' '{"id":"i","vector":{"title":[9,9],"tech":[1,1],"soft":[0,1,0]}}' > fi.jsonl
    dq-export --users fu.jsonl --items fi.jsonl -o f.dq
    dq-reward --pairs all --raw-cosine --compare hard:tech --compare soft:soft f.dq | rewards > got
    [ "$(cat got)" = "u i 0.753553391 null" ] # (sqrt(1/2) + 4/5) / 2
    dq-reward --pairs all --raw-cosine --compare soft:soft f.dq | rewards > got
    [ "$(cat got)" = "u i 0.800000012 null" ]
    run -1 dq-reward --pairs all f.dq -o out.dq
    [[ $output == *"width 5"*"width 7"*"--compare"* ]]
    run -1 dq-reward --pairs all --compare hard:soft f.dq -o out.dq
    [[ $output == *"hard:soft has widths 2 and 3"* ]]
    run -1 dq-reward --pairs all --compare firm:soft f.dq -o out.dq
    [[ $output == *"users have no field 'firm'"* ]]
    [ ! -e out.dq ]
}

@test "without vectors cosine is an error, logged is not" {
    jq -c 'del(.vector)' u.jsonl > tu.jsonl
    jq -c 'del(.vector)' i.jsonl > ti.jsonl
    dq-export --users tu.jsonl --items ti.jsonl --interactions x.jsonl -o t.dq
    run -1 dq-reward t.dq -o out.dq
    [[ $output == *"users have no vectors"* ]]
    dq-reward --strategy logged -q t.dq | dq-cat --check
}

@test "top: the greatest cosines, ties to the greater id" {
    dq-reward --pairs top:2 c.dq | rewards | awk '{ print $1 $2 }' | paste -sd' ' > got
    [ "$(cat got)" = "u1a u1d u2b u2d u3c u3d" ]
}

@test "random: as many as asked, the same for a user alone, other seeds other pairs" {
    seq 40 | jq -c '{id: "i\(.)", vector: [., 1]}' > many.jsonl
    dq-export --users u.jsonl --items many.jsonl -o m.dq
    dq-reward --pairs random:10 m.dq -o a.dq
    dq-reward --pairs random:10 m.dq | payload | cmp - <(payload < a.dq)
    rewards a.dq | awk '{ print $1 }' | sort | uniq -c | awk '{ print $1 }' | paste -sd' ' > got
    [ "$(cat got)" = "10 10 10" ]
    [ "$(rewards a.dq | sort -u | wc -l)" -eq 30 ]
    dq-reward --pairs random:10 --user u2 m.dq | rewards | cmp - <(rewards a.dq | grep '^u2')
    run ! cmp <(dq-reward --pairs random:10 --seed 7 m.dq | rewards) <(rewards a.dq)
    run ! cmp <(rewards a.dq | grep '^u1' | cut -d' ' -f2) <(rewards a.dq | grep '^u2' | cut -d' ' -f2)
    [ "$(dq-reward --pairs random:99 m.dq | rewards | wc -l)" -eq 120 ]
}

@test "threads change no byte; more than one block" {
    seq 300 | jq -c '{id: "u\(.)", vector: [., 300 - ., 7]}' > many-u.jsonl
    seq 300 | jq -c '{id: "i\(.)", vector: [. % 17, . % 5, . % 3]}' > many-i.jsonl
    dq-export --users many-u.jsonl --items many-i.jsonl -o m.dq
    dq-reward --pairs all m.dq | payload | cksum > one
    dq-reward --pairs all -t 5 m.dq | payload | cksum | cmp - one
    [ "$(dq-reward --pairs all m.dq | dq-cat --count | awk '/transitions/ { print $2 }')" = 90000 ]
}

@test "a file of pairs: unknown ids are skipped and counted, or an error" {
    printf 'u2\tb\nnobody\ta\nu1\tnothing\n\nu1\ta\tmore columns\n' > pairs.tsv
    run dq-reward --pairs-file pairs.tsv c.dq -o out.dq
    [ "$status" -eq 0 ]
    [ "${output% (try *)}" = "dq-reward: pairs.tsv: 2 pairs with an unknown user or item skipped (first: line 2: user nobody is not in the catalogue)" ]
    [ "$(rewards out.dq | awk '{ print $1 $2 }' | paste -sd' ')" = "u2b u1a" ]
    run -1 dq-reward --pairs-file pairs.tsv --strict c.dq -o strict.dq
    [ "$output" = "dq-reward: pairs.tsv: record 2: user nobody is not in the catalogue" ]
    [ ! -e strict.dq ]
    printf '\nnobody\ta\nu1\tnothing\n' > none.tsv
    run -1 dq-reward --pairs-file none.tsv c.dq -o none.dq
    [ "$output" = "dq-reward: none.tsv: record 2: none of the pairs (2) can be used; the first: user nobody is not in the catalogue" ]
    [ ! -e none.dq ]
    printf 'u2 b\n' > spaces.tsv
    run -1 dq-reward --pairs-file spaces.tsv c.dq -o out2.dq
    [ "$output" = "dq-reward: spaces.tsv: record 1: not USER, a tab, ITEM" ]
}

@test "the catalogue goes through as it is" {
    dq-reward c.dq | dq-cat --kind users --kind items --kind interactions | cmp - <(dq-cat c.dq)
}

@test "transitions of the stream are labelled anew, the rest of them stays" {
    dq-reward c.dq | dq-reward --strategy logged -q -o both.dq
    dq-cat --kind transitions both.dq | jq -r '"\(.user)\(.item) \(.cosine) \(.reward) \(.label)"' > got
    [ "$(head -2 got)" = $'u1a 1 0 CLICK\nu2a 0.853553414 null SEEN' ]
    dq-reward --pairs random:1 c.dq | dq-reward --pairs top:1 | dq-cat --count | grep -c 'transitions.*6'
    dq-reward --pairs all c.dq | dq-reward --raw-cosine --user u2 | rewards > got
    [ "$(awk '{ print $1 $3 }' got | paste -sd' ')" = "u20.707106769 u20.707106769 u2-0.707106769 u20.707106769" ]
}

@test "sections are joined: equal rows once, references in the right places" {
    cat c.dq c.dq | dq-reward --pairs all | dq-cat --count > got
    grep -q 'users.*3' got
    grep -q 'items.*4' got
    grep -q 'transitions.*12' got
    printf '%s\n' '{"id":"u9","vector":[0,1]}' '{"id":"u1","vector":[1,0]}' > u2.jsonl
    printf '%s\n' '{"id":"z","vector":[0,1]}' '{"id":"a","vector":[2,0]}' > i2.jsonl
    printf '%s\n' '{"user":"u9","item":"z","label":"SAVE"}' '{"user":"u1","item":"a","label":"APPLY"}' > x2.jsonl
    dq-export --users u2.jsonl --items i2.jsonl --interactions x2.jsonl -o d.dq
    cat <(dq-reward --strategy logged -q c.dq) <(dq-reward --strategy logged -q d.dq) |
        dq-reward -o joined.dq
    [ "$(rewards joined.dq | awk '{ print $1 $2 $3 }' | paste -sd' ')" = "u1a1 u2a0.853553414 u2b0.853553414 u1c0 u1a1 u9z1 u1a1" ]
    dq-cat --count joined.dq > got
    grep -q 'users.*4' got
    grep -q 'items.*5' got
}

@test "equal ids with unequal rows, and widths that differ" {
    printf '%s\n' '{"id":"u1","vector":[1,5]}' > other.jsonl
    run -1 bash -c 'cat c.dq <(dq-export -q --users other.jsonl) | dq-reward --pairs all -o out.dq'
    [[ $output == *"users: id u1 stands in two sections with unequal rows" ]]
    printf '%s\n' '{"id":"w","vector":[1,5,6]}' > wide.jsonl
    dq-export --users wide.jsonl -o wide.dq
    run -1 dq-reward --pairs all c.dq wide.dq -o out.dq
    [[ $output == "dq-reward: wide.dq: "*"width 3 after vectors of width 2" ]]
    [ ! -e out.dq ]
}

@test "interactions across sections are resolved; unknown ids in a stream are an error" {
    dq-cat --kind interactions --to stream c.dq > x.dq
    dq-cat --kind users --kind items --to stream c.dq > ui.dq
    cat x.dq ui.dq | dq-reward | rewards | wc -l | grep -cx 5
    run -1 dq-reward x.dq -o out.dq
    [[ $output == "dq-reward: "*"interactions: user u1 is not in the catalogue" ]]
}

@test "a stream without pairs, an unknown user" {
    dq-cat --kind users --kind items --to stream c.dq > ui.dq
    run -1 dq-reward ui.dq -o out.dq
    [[ $output == *"no pairs"*"--pairs all"* ]]
    run -1 dq-reward --user nobody c.dq -o out.dq
    [ "$output" = "dq-reward: user nobody is not in the catalogue" ]
    [ ! -e out.dq ]
}

@test "a pair's cosine is the same in whatever order pairs come, on any threads, for one user or all" {
    awk 'BEGIN { for (u = 0; u < 90; u++) { printf "{\"id\":\"u%d\",\"vector\":[", u
        for (k = 0; k < 40; k++) printf "%s%.4f", k ? "," : "", sin(u * 41 + k * k); print "]}" } }' > mu.jsonl
    awk 'BEGIN { for (i = 0; i < 800; i++) { printf "{\"id\":\"i%d\",\"vector\":[", i
        for (k = 0; k < 40; k++) printf "%s%.4f", k ? "," : "", cos(i * 7 + k * k); print "]}" } }' > mi.jsonl
    dq-export -q --users mu.jsonl --items mi.jsonl -o m.dq
    cells() { dq-cat --kind transitions --to tsv | cut -f1-3 | tail -n +2; }
    dq-reward -q --pairs all m.dq | cells > all # more than a block
    [ "$(wc -l < all)" -eq 72000 ]
    dq-reward -q --pairs all -t 3 m.dq | cells | cmp - all
    cut -f1,2 all | sort -k2 > list # never two items of a user in a row
    dq-reward -q --pairs-file list m.dq | cells | sort | cmp - <(sort all)
    dq-reward -q --pairs all --user u17 --user u4 m.dq | cells | cmp - <(grep -E $'^(u17|u4)\t' all)
    for some in random:9 top:9; do
        dq-reward -q --pairs "$some" m.dq | cells > some
        [ "$(wc -l < some)" -eq 810 ]
        [ -z "$(sort some all | uniq -c | awk '$1 == 2' | wc -l | grep -vx 810)" ]
    done
    sort -t$'\t' -k1,1 -k3,3gr all | awk -F'\t' 'n[$1]++ < 9' | sort | cmp - <(sort some)
}

@test "usage" {
    for words in "--pairs some" "--pairs random:0" "--pairs random:" "--pairs top:1x" "--compare a" "--map A" \
        "--strategy llm" "--pairs all --pairs-file f" "--map A=1,A=2"; do
        # shellcheck disable=SC2086
        run -2 dq-reward $words c.dq
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == dq-reward:* ]]
    done
}

@test "what can change the payload stands in the head, and nothing else" {
    dq-reward --pairs random:2 --seed 5 -t 2 c.dq | dq-cat --lineage > got
    grep -q 'pairs=random:2' got
    grep -q 'seed.*5' got
    run ! grep -qE 'threads|quiet|output' got
    dq-reward --pairs all --seed 5 c.dq | payload | cmp - <(dq-reward --pairs all --seed 6 c.dq | payload)
}

@test "a cut input gives no end; a full disk, a closed stdout" {
    head -c -20 c.dq > cut.dq
    run -1 dq-reward cut.dq -o out.dq
    [[ $output == "dq-reward: cut.dq: "* ]]
    [ ! -e out.dq ]
    run -1 bash -c 'dq-reward --pairs all < cut.dq | dq-cat --check'
    run -1 bash -c 'dq-reward c.dq > /dev/full'
    [ "${#lines[@]}" -eq 1 ]
    run -1 bash -c 'dq-reward c.dq >&-'
    [ "${#lines[@]}" -eq 1 ]
}
