#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-reward --labels-only: the labels of transitions alone. Being spoken with is tested by dq-train --reward-cmd.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    printf '%s\n' '{"id":"u1","vector":[1,0]}' '{"id":"u2","vector":[1,1]}' > u.jsonl
    printf '%s\n' '{"id":"a","vector":[2,0]}' '{"id":"b","vector":[0,3]}' '{"id":"c","vector":[-1,0]}' > i.jsonl
    printf '%s\n' '{"user":"u1","item":"a","label":"APPLY"}' '{"user":"u2","item":"b","label":"SEEN"}' > x.jsonl
    dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
    dq-reward --pairs all -o all.dq c.dq
}

@test "cosine: the rows as they were asked, no catalogue" {
    dq-reward --labels-only -o labels.dq all.dq
    dq-cat --check labels.dq
    dq-cat labels.dq | jq -c '[.user, .item, .reward, .cosine]' > got
    dq-cat --kind transitions all.dq | jq -c '[.reward, .cosine]' | paste -sd' ' > expected
    [ "$(jq -c '.[2:]' got | paste -sd' ')" = "$(cat expected)" ]
    [ "$(jq -r '"\(.[0])\(.[1])"' got | paste -sd' ')" = "00 01 02 10 11 12" ]
}

@test "logged: labels, and null where there is none" {
    run --separate-stderr dq-reward --strategy logged --labels-only -o labels.dq all.dq
    [ "$status" = 0 ]
    [ "${stderr% (try *)}" = "dq-reward: 5 of 6 transitions have no reward: no label, or one outside the map" ]
    dq-cat labels.dq | jq -r '"\(.reward) \(.label)"' | paste -sd, > got
    [ "$(cat got)" = "1 APPLY,null null,null null,null null,null SEEN,null null" ]
}

@test "the environment asks for it too, and an option overrules it" {
    dq-reward --labels-only all.dq | cmp - <(DQ_LABELS_ONLY=1 dq-reward all.dq)
    dq-reward all.dq | cmp - <(DQ_LABELS_ONLY=1 dq-reward --no-labels-only all.dq)
    dq-reward all.dq | cmp - <(DQ_LABELS_ONLY=0 dq-reward all.dq)
}

@test "sections: equal rows once, each section's references; a catalogue that comes too late" {
    run -1 --separate-stderr dq-reward --labels-only -o out.dq all.dq all.dq
    [ "$stderr" = "dq-reward: all.dq: record 2: --labels-only: a catalogue after pairs were answered" ]
    [ ! -e out.dq ]
    dq-reward --labels-only c.dq all.dq | cmp <(dq-cat <(dq-reward --labels-only all.dq)) <(dq-cat)
}

@test "it answers the stream's pairs, not others" {
    for option in "--pairs all" "--pairs-file x.jsonl" "--user u1"; do
        # shellcheck disable=SC2086 # an option and its argument
        run -2 dq-reward --labels-only $option c.dq
        [ "${output% (try *)}" = "dq-reward: ${option% *} and --labels-only exclude each other" ]
    done
}
