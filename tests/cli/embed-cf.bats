#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-embed cf:WIDTH: vectors from who met what.

bats_require_minimum_version 1.5.0

# Two groups of users, each with items of its own; u19 met nothing, and i15 was met by nobody.
setup() {
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    seq 0 19 | awk '{ printf "{\"id\":\"u%02d\",\"text\":{\"bio\":\"word%d\"}}\n", $1, $1 }' >users.jsonl
    seq 0 15 | awk '{ printf "{\"id\":\"i%02d\"}\n", $1 }' >items.jsonl
    awk 'BEGIN { for (u = 0; u < 19; u++) for (i = 0; i < 15; i++) if (i % 2 == u % 2 && (u * 7 + i * 3) % 5)
        printf "{\"user\":\"u%02d\",\"item\":\"i%02d\",\"label\":\"%s\"}\n", u, i, (u + i) % 4 ? "APPLY" : "IGNORE" }' >met.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions met.jsonl -o c.dq
}

vectors() { dq-cat -k "$1" "$2" | jq -c '[.id, .vector.cf]'; }

@test "users and items of one group are near each other, and far from the other's" {
    dq-embed cf:4 c.dq | dq-rank --by cosine -k 7 --format tsv >run.tsv
    awk -F'\t' '$1 != "u19" && (substr($1, 2) + substr($3, 2)) % 2 { wrong++ } END { exit wrong > 0 }' run.tsv
}

@test "the fields are appended, and all else passes" {
    dq-embed hash:8 c.dq | dq-embed cf:3 --prefix my- -o both.dq
    dq-cat --check both.dq
    [ "$(dq-cat --count both.dq)" = "$(dq-cat --count c.dq)" ]
    [ "$(dq-cat -n 1 both.dq | jq -c '[.vector.bio, .vector["my-cf"]] | map(length)')" = "[8,3]" ]
    [ "$(dq-cat -n 1 -k items both.dq | jq -c '.vector["my-cf"] | length')" = 3 ]
    dq-cat -k interactions both.dq | cmp - <(dq-cat -k interactions c.dq)
    dq-reward --strategy logged c.dq | dq-embed cf:3 | dq-cat --count >count
    [ "$(awk '$1 == "transitions" { print $2 }' count)" = "$(wc -l <met.jsonl)" ]
    run -1 --separate-stderr bash -c 'dq-embed cf:3 c.dq | dq-embed cf:3'
    [[ "$stderr" == *"users have a field 'cf' already"* ]]
}

@test "who met nothing has zeros" {
    dq-embed cf:4 -o cf.dq c.dq
    [ "$(vectors users cf.dq | tail -1)" = '["u19",[0,0,0,0]]' ]
    [ "$(vectors items cf.dq | tail -1)" = '["i15",[0,0,0,0]]' ]
}

@test "weights of labels, rewards" {
    dq-embed cf:4 --map APPLY=1,IGNORE=-1 -o liked.dq c.dq
    dq-embed cf:4 -o met.dq c.dq
    ! cmp -s <(vectors items liked.dq) <(vectors items met.dq)
    jq -c 'if .label == "APPLY" then . + {reward: 1} else . + {reward: -1} end' met.jsonl >rewards.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions rewards.jsonl | dq-embed cf:4 -o rewarded.dq
    cmp <(vectors items liked.dq) <(vectors items rewarded.dq)
}

@test "the same bytes whatever the threads; other numbers, other vectors" {
    dq-embed cf:4 -o one.dq c.dq
    dq-embed cf:4 --threads 3 -o three.dq c.dq
    cmp <(zstd -dcq one.dq) <(zstd -dcq three.dq)
    for other in "--seed 7" "--alpha 1" "--lambda 9" "--sweeps 1"; do
        dq-embed cf:4 $other -o other.dq c.dq
        ! cmp -s <(vectors items one.dq) <(vectors items other.dq)
    done
}

@test "what it cannot do is said in one line" {
    dq-export --users users.jsonl --items items.jsonl -o none.dq
    run -1 --separate-stderr dq-embed cf:4 -o x.dq none.dq
    [[ "$stderr" == *"no interactions in the stream"* ]]
    run -1 --separate-stderr dq-embed cf:4 --map APPLY=-1 -o x.dq c.dq
    [[ "$stderr" == *"no interaction with a positive weight"* ]]
    [ ! -e x.dq ]
    for words in "cf:0" "cf:513" "cf:4 --field bio" "cf:4 --join" "hash:4 --alpha 3" "hash:4 --map A=1" "cf:4 --lambda 0"; do
        run -2 dq-embed $words c.dq
    done
    head -c 700 c.dq >cut.dq
    run -1 dq-embed cf:4 cut.dq
}
