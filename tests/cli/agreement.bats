#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --agreement: labels of several streams against an independent computation of them
# (tests/fixtures/agreement/agreement.py made ratings.tsv and expected.tsv).

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    PATH="$BUILD:$PATH"
    FIXTURES="$BATS_TEST_DIRNAME/../fixtures/agreement"
    for rater in a b c; do
        awk -F'\t' -v rater=$rater 'NR == 1 {for (i = 3; i <= NF; i++) if ($i == rater) at = i; next}
            $at != "" {print "{\"user\":\"" $1 "\",\"item\":\"" $2 "\",\"label\":\"" $at "\"}"}' "$FIXTURES/ratings.tsv" > $rater.jsonl
    done
}

streams() { for rater; do dq-export -q --interactions $rater.jsonl -o $rater.dq; done; }

# A stream of interactions of anna, "ITEM LABEL" each.
labels() { # FILE ITEM LABEL ...
    local to=$1
    shift
    printf '{"user":"anna","item":"%s","label":"%s"}\n' "$@" > labels.jsonl
    dq-export -q --interactions labels.jsonl -o "$to"
}

@test "kappas, alphas, shares and numbers of pairs are those of an independent computation" {
    streams a b c
    dq-eval --agreement --quiet --resamples 100 --format tsv a.dq b.dq c.dq > out
    [ "$(head -1 out)" = $'measure\tfirst\tsecond\tlabel\tother\tvalue\tlow\thigh\tpairs' ]
    awk -F'\t' 'NR > 1 && $1 != "confusion" {printf "%s\t%s\t%s\t%.12f\t%d\n", $1, $2, $3, $6, $9}' out | sort > got
    sort "$FIXTURES/expected.tsv" | diff - got
    awk -F'\t' 'NR > 1 && $1 != "confusion" && !($7 <= $6 && $6 <= $8 && $7 < $8)' out > outside
    [ ! -s outside ]
    for two in "3 4 a b" "3 5 a c" "4 5 b c"; do
        read -r x y first second <<< "$two"
        awk -F'\t' -v x=$x -v y=$y -v OFS='\t' 'NR > 1 && $x != "" && $y != "" {n[$x OFS $y]++}
            END {for (two in n) print two, n[two]}' "$FIXTURES/ratings.tsv" | sort > want
        awk -F'\t' -v a=$first.dq -v b=$second.dq -v OFS='\t' '$1 == "confusion" && $2 == a && $3 == b && $6 > 0 {print $4, $5, $6}' out |
            sort | diff want -
    done
}

@test "the same seed gives the same bytes, and another other intervals alone" {
    streams a b
    dq-eval --agreement --quiet -f tsv a.dq b.dq > one
    dq-eval --agreement --quiet -f tsv a.dq b.dq | cmp - one
    dq-eval --agreement --quiet -f tsv --seed 7 a.dq b.dq > other
    run ! cmp -s one other
    diff <(cut -f1-6,9 one) <(cut -f1-6,9 other)
    dq-eval --agreement --quiet -f tsv --confidence 0.5 a.dq b.dq > narrow
    paste one narrow | awk -F'\t' '$1 == "kappa" && !($7 < $16 && $17 < $8)' > wider
    [ ! -s wider ]
}

@test "a table, and what is said of the pairs" {
    labels a.dq x APPLY y SAVE z CLICK z IGNORE
    labels b.dq x APPLY y CLICK v SAVE
    run -0 --separate-stderr dq-eval --agreement --resamples 100 a.dq b.dq
    [ "$stderr" = "dq-eval: 2 pairs have labels of all 2 streams, 2 of some only
dq-eval: a.dq: 1 labels of pairs that it labels again: the last counts" ]
    [ "${lines[0]}" = "measure          streams      value  95% interval          pairs" ]
    [ "${lines[1]}" = "share            a.dq b.dq   0.5000  [ 0.0000,  1.0000]        2" ]
    printf '%s\n' "${lines[@]}" | sed -n '/\\/,$p' > matrix
    diff matrix - << 'END'
a.dq \ b.dq  IGNORE   CLICK    SAVE   APPLY
IGNORE            0       0       0       0
CLICK             0       0       0       0
SAVE              0       1       0       0
APPLY             0       0       0       1
END
}

@test "JSON: an object a measure and one a matrix; what is undefined is null" {
    command -v jq > /dev/null || skip "no jq"
    labels a.dq x SAVE y SAVE
    labels b.dq x SAVE y SAVE
    dq-eval --agreement --quiet --resamples 100 -f json a.dq b.dq > out
    [ "$(jq -c 'select(.measure == "share")' out)" = '{"measure":"share","streams":["a.dq","b.dq"],"value":1,"low":1,"high":1,"pairs":2}' ]
    [ "$(jq -c 'select(.measure == "kappa") | [.value, .low, .high, .pairs]' out)" = '[null,null,null,2]' ]
    [ "$(jq -c 'select(.measure == "confusion")' out)" = '{"measure":"confusion","streams":["a.dq","b.dq"],"labels":["SAVE"],"counts":[[2]]}' ]
    dq-eval --agreement --quiet --resamples 100 -f tsv a.dq b.dq | grep -qxP 'kappa\ta.dq\tb.dq\t\t\t\t\t\t2'
    dq-eval --agreement --quiet --resamples 100 a.dq b.dq | grep -qE '^kappa +a.dq b.dq +- +2$'
}

@test "the scale: by --gains, by --map, or none, which is said; one that was given must know every label" {
    labels a.dq x bad y fair z good w good
    labels b.dq x fair y fair z good w bad
    run -0 --separate-stderr dq-eval --agreement --resamples 100 -f tsv a.dq b.dq
    [[ "$stderr" == *"no weighted kappa, no ordinal or interval alpha: the label bad has no value (--gains, --map)" ]]
    [ "$(printf '%s\n' "${lines[@]}" | grep -v confusion | cut -f1 | paste -sd' ')" = "measure share kappa fleiss alpha-nominal" ]
    value() { dq-eval --agreement --quiet --resamples 100 -f tsv "$@" a.dq b.dq | awk -F'\t' -v m="$measure" '$1 == m {printf "%.6f", $6}'; }
    # sums of disagreement: observed 1 + 2, expected sum r_i c_j |i - j| / 4
    measure=kappa-linear
    [ "$(value --gains bad=0,fair=1,good=2)" = "$(awk 'BEGIN {printf "%.6f", 1 - 3 / ((1*2*1 + 1*1*2 + 1*1*1 + 1*1*1 + 2*1*2 + 2*2*1) / 4)}')" ]
    # a place between fair and good moves them apart, though no one stands there
    [ "$(value --map bad=-1,fair=0,so-so=0.5,good=1)" != "$(value --map bad=-1,fair=0,good=1)" ]
    # values of interval alpha are those of the map, places of kappa their order
    [ "$(value --map bad=-1,fair=0,good=1)" = "$(value --map bad=-100,fair=0,good=1)" ]
    measure=alpha-interval
    [ "$(value --map bad=-1,fair=0,good=1)" != "$(value --map bad=-100,fair=0,good=1)" ]
    [ "$(value --map bad=-1,fair=0,good=1)" = "$(value --map bad=5,fair=7,good=9)" ]
    run -1 dq-eval --agreement --map bad=0,good=1 a.dq b.dq
    [ "$output" = "dq-eval: --map has no value of the label fair" ]
    run -1 dq-eval --agreement --gains good=1,fair=0 a.dq b.dq
    [ "$output" = "dq-eval: --gains has no value of the label bad" ]
}

@test "a model against a person: transitions' labels, else interactions', whatever the rows' order" {
    printf '{"id":"anna"}\n' > u.jsonl
    printf '{"id":"%s"}\n' x y z > i.jsonl
    printf '{"user":"anna","item":"%s","label":"%s"}\n' x APPLY y SAVE z CLICK > n.jsonl
    dq-export -q --users u.jsonl --items i.jsonl --interactions n.jsonl -o person.dq
    dq-reward -q --strategy logged person.dq -o model.dq
    # a stream with transitions: what it says there, not the interactions that it passes on
    printf '{"user":"anna","item":"%s","label":"%s"}\n' z CLICK x APPLY y IGNORE > other.jsonl
    dq-export -q --users u.jsonl --items i.jsonl --interactions other.jsonl -o other.dq
    run -0 dq-eval --agreement --quiet --resamples 100 -f tsv model.dq person.dq
    [[ "$output" == *$'share\tmodel.dq\tperson.dq\t\t\t1\t'* ]]
    dq-eval --agreement --quiet --resamples 100 -f tsv model.dq other.dq > out
    grep -qxP 'confusion\tmodel.dq\tother.dq\tSAVE\tIGNORE\t1\t\t\t' out
    grep -qP '^share\tmodel.dq\tother.dq\t\t\t0.66666666666666\d*\t' out
    dq-cat --kind interactions --to stream model.dq > passed.dq
    [ "$(dq-cat --count model.dq | grep -c '^transitions')" = 1 ]
    dq-eval --agreement --quiet --resamples 100 - person.dq < passed.dq | grep -qE '^share +- person.dq +1\.0000 '
}

@test "a label that another took the place of is none of the scale" {
    labels a.dq x SEEN x SAVE y APPLY z IGNORE
    labels b.dq x SAVE y APPLY z SAVE
    run -0 --separate-stderr dq-eval --agreement --resamples 100 -f tsv --gains APPLY=3,SAVE=2,IGNORE=0 a.dq b.dq
    [[ "$output" == *kappa-quadratic* && "$output" != *SEEN* && "$stderr" != *"no weighted kappa"* ]]
    [ "$(grep -c ^confusion <<< "$output")" = 9 ]
}

@test "bad usage and what cannot be compared: one line" {
    streams a b
    for args in "a.dq" "" "a.dq b.dq --format trec" "a.dq b.dq --gains APPLY=1 --map APPLY=1" "a.dq b.dq --map APPLY" \
        "a.dq b.dq --by-query" "a.dq b.dq --qrels a.dq" "- -"; do
        run -2 dq-eval --agreement $args < /dev/null
        [ "${#lines[@]}" = 1 ]
        [[ "$output" == dq-eval:* ]]
    done
    printf '{"user":"bo","item":"i1","label":"SAVE"}\n' > d.jsonl
    streams d
    run -1 dq-eval --agreement a.dq d.dq
    [ "$output" = "dq-eval: no pair of a user and an item has labels of two streams" ]
    printf '{"user":"bo","item":"i1"}\n' > e.jsonl
    streams e
    run -1 dq-eval --agreement a.dq e.dq
    [ "$output" = "dq-eval: e.dq: no labels of pairs in its transitions or interactions" ]
    head -c 100 a.dq > cut.dq
    run -1 dq-eval --agreement a.dq cut.dq -o out.tsv
    [[ "$output" == "dq-eval: cut.dq: "* ]]
    [ ! -e out.tsv ]
    for i in $(seq 70); do printf '{"user":"u","item":"%s","label":"l%s"}\n' "$i" "$i"; done > f.jsonl
    streams f
    run -1 dq-eval --agreement a.dq f.dq
    [[ "$output" == *"more than 64 different labels" ]]
}
