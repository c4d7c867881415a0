#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Features of a pair within its user's whole list: learnt by dq-train, kept in the model, computed again by whoever
# goes on with it. Their numbers are tests/unit/test_feature.c's.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    sh "$BATS_TEST_DIRNAME"/../fixtures/world.sh 40 50
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o catalogue.dq
    dq-reward --strategy logged catalogue.dq -o labelled.dq
    train -o model.dq labelled.dq
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
    for f in "$BATS_FILE_TMPDIR"/*.dq "$BATS_FILE_TMPDIR"/*.jsonl; do ln -sf "$f" .; done
}

train() { last dq-train --quiet --offline --hidden 8 --world-hidden 8 --epochs 3 --validate-by household --features auto "$@"; }
ranked() { dq-rank --model model.dq --format tsv --no-header "$@" catalogue.dq; }

@test "the model says which features it is given" {
    dq-cat --kind model model.dq | head -1 | jq -e '.meta.features.kinds == ["cosine-z", "log-rank", "hubness", "likely-item",
        "reciprocity", "neighbours", "ridge"] and .meta.q.given == 8'
    train --features all --validation 0.1 -o plain.dq labelled.dq
    dq-cat --kind model plain.dq | head -1 | jq -e '.meta | has("features") | not'
}

@test "any threads, the same model; a resumed run, too" {
    train -t 1 -o one.dq labelled.dq
    cmp <(dq-cat --kind model model.dq) <(dq-cat --kind model one.dq)
    train -t 3 -o three.dq labelled.dq
    cmp <(dq-cat --kind model model.dq) <(dq-cat --kind model three.dq)
    train --epochs 1 --checkpoint ck -o less.dq labelled.dq
    run -1 train --features cosine-z --epochs 1 --checkpoint ck -o less.dq labelled.dq
}

@test "the same scores for one user, with any threads, blocks and sections, from a file and from a pipe" {
    ranked > all.tsv
    for u in u00 u17; do ranked --user $u | cmp - <(grep "^$u" all.tsv); done
    for t in 1 3; do ranked -t $t | cmp - all.tsv; done
    cat model.dq catalogue.dq | dq-rank --format tsv --no-header | cmp - all.tsv
    ranked --hold | cmp - all.tsv
    for s in 0 1; do
        awk -v s=$s 'NR % 2 == s' items.jsonl > part.jsonl
        dq-export --users users.jsonl --items part.jsonl -o part$s.dq
    done
    cat model.dq part1.dq part0.dq | dq-rank --format tsv --no-header > parts.tsv
    # Another order of items moves sums by rounding alone.
    paste all.tsv parts.tsv | awk '{ d = $4 - $8; if (d < 0) d = -d; if ($1 != $5 || $3 != $7 || d > 1e-4) bad = 1 } END { exit bad }'
}

@test "what is ranked does not change the features of what is not: seen items count in the list" {
    ranked -k 50 | sort > whole.tsv
    ranked -k 50 --exclude-seen | sort > rest.tsv
    [ "$(wc -l < rest.tsv)" -lt "$(wc -l < whole.tsv)" ]
    cut -f 1,3,4 rest.tsv | sort > a
    [ -z "$(comm -23 a <(cut -f 1,3,4 whole.tsv | sort))" ]
}

@test "shards cannot be merged: a shard does not know the list" {
    head -25 items.jsonl > part.jsonl
    dq-export --users users.jsonl --items part.jsonl | cat model.dq - | dq-rank -o ranked.dq
    run -1 dq-rank --merge ranked.dq
    [[ $output == *"whose scores depend on the whole list, by features within it, cannot be merged"* ]]
    dq-rank --model model.dq --by world catalogue.dq | dq-rank --merge > merged.dq # its world model is given none
}

@test "labels carry: features of neighbours rank what cosines cannot" {
    # What a user of this world likes, a cosine does not see; users of one household like the same.
    head -36 users.jsonl > known.jsonl
    jq -c 'select(.user < "u36")' interactions.jsonl > labels.jsonl
    dq-export --users known.jsonl --items items.jsonl --interactions labels.jsonl | dq-reward --strategy logged -o known.dq
    train --validation 0 --features all,neighbours -o known-model.dq known.dq
    dq-rank --model known-model.dq --format tsv --no-header -k 3 catalogue.dq | grep -c '^u3[6-9]' | grep -qx 12
}

@test "a model goes on: offline, online for a user, in plans, in roll-outs" {
    dq-train --quiet --offline --epochs 1 --validate-by household --init model.dq -o more.dq labelled.dq
    dq-cat --kind model more.dq | head -1 | jq -e '.meta.features.kinds | length == 7'
    dq-train --quiet --user u05 --init model.dq --episodes 2 --steps 20 --warmup 10 --batch 8 -o online.dq labelled.dq
    dq-cat --kind model online.dq | head -1 | jq -e '.meta.user == "u05" and (.meta.features.kinds | length == 7)'
    dq-rank --model online.dq --user u05 --format tsv catalogue.dq > online.tsv
    [ "$(wc -l < online.tsv)" -eq 11 ]
    dq-eval --rollout --model untrained --model online.dq --user u05 --episodes 3 --steps 5 --reward logged labelled.dq > rollout.tsv
    grep -q online.dq rollout.tsv
    dq-plan --model model.dq --pairs unseen --per-user 2 catalogue.dq | dq-cat --kind transitions --count | grep 80 > /dev/null
}

@test "a model is the target of an off-policy evaluation as dq-rank ranks by it" {
    dq-rank --model model.dq --epsilon 0.3 --seed 1 -k 5 catalogue.dq | dq-cat | jq -c 'del(.kind, .value) |
        . + {label: (if .item > "i024" then "APPLY" else "IGNORE" end)}' > drawn.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions drawn.jsonl -o log.dq
    dq-rank --model model.dq -k 5 -o lists.dq catalogue.dq
    dq-eval -q --ope ips --target model:model.dq log.dq | diff - <(dq-eval -q --ope ips --target ranking:lists.dq log.dq)
}

@test "what cannot be computed is refused in one line" {
    refused() { # words, options
        run -1 train -o none.dq "${@:2}"
        [ "$output" = "dq-train: $1" ]
    }
    refused "there are no features called 'nonsense'" --features all,nonsense labelled.dq
    refused "features hubness are named twice" --features hubness,hubness labelled.dq
    refused "features: the cosines of all pairs of fields, or of the catalogue's" --features all,pairs labelled.dq
    jq -c '.label = "IGNORE"' interactions.jsonl > ignored.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions ignored.jsonl | dq-reward --strategy logged -o ignored.dq
    refused "features neighbours: no user has a label that is worth more than an item passed over" --features neighbours --loss mse --best-by loss ignored.dq
    run -1 dq-train --quiet --user u00 --features neighbours labelled.dq
    [ "$output" = "dq-train: features neighbours are learnt from labels of users and items (--offline), or come with --init" ]
    run -2 dq-train --quiet --offline --validation 0 --validate-by household --features all labelled.dq
    [ "${output% (try *)}" = "dq-train: --validate-by needs --validation or --fold, or features of users' labels" ]
}

@test "a scale of cosines is refused where no cosine is among the features" {
    run -2 --separate-stderr train --features cosine-z --feature-scale 3 -o x.dq labelled.dq
    [ "${stderr% (try *)}" = "dq-train: --feature-scale needs cosines among --features: pairs or all" ]
    train --features all --validation 0.2 --feature-scale 3 -o x.dq labelled.dq
}
