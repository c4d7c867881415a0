#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval: measures of recommendations beyond being right, over a catalogue, and by group of users.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    fixtures=$BATS_TEST_DIRNAME/../fixtures/measure
    printf 'u1 0 a 3\nu1 0 b 1\nu2 0 a 1\nu3 0 c 1\n' > q
    printf 'u1 Q0 b 1 2.5 tag\nu1 Q0 a 2 1.5 tag\nu2 Q0 c 1 1 tag\nu9 Q0 d 1 1 tag\n' > r
}

measure() { "$BUILD"/dq-eval --quiet "$@"; }
fixture() { "$BUILD"/dq-export --quiet --schema "$fixtures"/catalogue/map.json "$fixtures"/catalogue -o c.dq; }

@test "measures over a catalogue agree with NumPy: each query, the whole run, groups" {
    fixture
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --catalogue c.dq -f tsv -q -k 5 -m recommender \
        -m diversity -m diversity:title -m diversity:text -m calibration:genre -m auc --by sex > got
    tr ' ' '\t' < "$fixtures"/recommended > want
    awk -F '\t' 'NR == FNR { want[$1, $2, $3] = $4; next } FNR == 1 || $3 == "gap" || $4 == "" { next }
             { key = $2 SUBSEP ($12 == "" ? "all" : $12) SUBSEP $3; d = want[key] - $4
               if (!(key in want) || d > 1e-12 || d < -1e-12) { print $0, want[key]; bad = 1 } n++ }
         END { print n, "compared"; exit bad }' want got > said || { cat said; false; }
    [ "$(cat said)" = "$(wc -l < want) compared" ]
    awk -F '\t' '$12 == "f" { f[$2] = $4 } $12 == "m" { m[$2] = $4 } $3 == "gap" { d = f[$2] - m[$2]; d = d < 0 ? -d : d; if (d - $4 > 1e-12 || $4 - d > 1e-12) exit 1; n++ } END { exit n != 13 }' got
}

@test "several measures in one --measure" {
    fixture
    run -0 measure --qrels "$fixtures"/qrels --run "$fixtures"/run --catalogue c.dq -f tsv \
        -m coverage@10,gini@10,novelty@10,diversity@10
    [ "$(cut -f 2 <<< "$output" | tr '\n' ' ')" = "measure coverage_10 gini_10 novelty_10 diversity_10 " ]
}

@test "what does not count is said" {
    fixture
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels "$fixtures"/qrels --run "$fixtures"/run --catalogue c.dq -k 5 -m novelty \
        -m coverage -m calibration:genre -m diversity --by sex
    [[ "$stderr" == *"1 of 24 queries of the run are not in the qrels and do not count, but in measures of the whole run"* ]]
    [[ "$stderr" == *"1 items of the run $fixtures/run are not in the catalogue and do not count"* ]]
    [[ "$stderr" == *"2 of 23 queries have no sex and are in no group"* ]]
    [[ "$stderr" == *"4 of 23 queries have no diversity_5 and do not count there"* ]]
    [[ "$stderr" == *"3 of 23 queries have no calibration:genre_5 and do not count there"* ]]
    [[ "$stderr" != *novelty* ]]
}

@test "that no query of a run is judged is said with --complete, too" {
    printf 'u9 Q0 d 1 1 tag\n' > stranger
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run stranger -m map -c
    [[ "$stderr" == *"1 of 1 queries of the run are not in the qrels and do not count"* ]]
}

@test "without a catalogue the items and who met them are those of qrels and runs, and that is said" {
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run r -m coverage@1 -m novelty@2 -f tsv
    [[ "$stderr" == *"how popular an item is, is counted in the qrels: there are no interactions"* ]]
    [[ "$stderr" == *"the 4 items are those of the qrels and the runs (--catalogue: others)"* ]]
    [ "$(cut -f 2,4 <<< "$output" | sed 1d)" = $'coverage_1\t0.75\nnovelty_2\t1.334962500721156' ] || { echo "$output"; false; }
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run r -m map
    [[ "$stderr" != *items* ]]
    # several runs: the items of all
    printf 'u1 Q0 e 1 2 tag\nu2 Q0 f 1 2 tag\n' > r2
    measure --qrels q --run r --run r2 -m coverage@1 -m user_coverage -f tsv > got
    [ "$(cut -f 1,2,4 got | sed 1d)" = $'r\tcoverage_1\t0.5\nr\tuser_coverage_10\t0.6666666666666666\nr2\tcoverage_1\t0.3333333333333333\nr2\tuser_coverage_10\t0.6666666666666666' ] ||
        { cat got; false; }
}

@test "popularity of a catalogue without interactions is counted in the qrels" {
    printf '{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n{"id":"d"}\n' > i.jsonl
    "$BUILD"/dq-export --quiet --items i.jsonl -o c.dq
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run r -m popularity@1 -m coverage@1 --catalogue c.dq -f tsv
    [[ "$stderr" == *"counted in the qrels"* && "$stderr" != *"the 4 items"* ]]
    [ "$(cut -f 2,4 <<< "$output" | sed 1d)" = $'popularity_1\t1\ncoverage_1\t0.75' ]
    run -1 measure --qrels q --run r -m calibration:genre --catalogue c.dq
    [ "$output" = "dq-eval: c.dq: calibration compares with what users met: there are no interactions" ]
    run -1 measure --qrels q --run r -m diversity --catalogue c.dq
    [[ "$output" == "dq-eval: c.dq: the items have no vectors"* ]]
}

@test "means over lists have intervals and tests, of the queries with a value in every run; the whole run's have intervals alone" {
    fixture
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run-b --catalogue c.dq -f json -k 5 \
        -m novelty -m diversity:title -m coverage -m gauc > got
    jq -se '.[1].measures | .novelty_5.p > 0 and ."diversity:title_5".p > 0 and
            (.coverage_5, .gauc | has("interval") and (has("p") | not) and .interval[0] < .value and .value < .interval[1])' got
    jq -se '[.[] .measures."diversity:title_5"] | .[1].value - .[0].value - .[1].difference | fabs < 1e-12' got
    # the others' intervals are the same with and without a measure that some queries lack
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run-b --catalogue c.dq -f json -k 5 -m novelty > alone
    diff <(jq -c .measures.novelty_5 got) <(jq -c .measures.novelty_5 alone)
}

@test "no value of any query: - in a table, empty in TSV, null in JSON, never nan" {
    printf 'u1 0 a 0\n' > none
    for form in table tsv json; do measure --qrels none --run r -m gauc -m auc -m novelty@1 -i -q -f $form; done > got
    measure --qrels none --run r -m gauc -m auc -m novelty@1 -q -f trec >> got
    run ! grep -i nan got
    [ "$(grep -c -- '-$' got)" -ge 3 ]
    grep -q '"gauc":{"value":null}' got
}

@test "intervals of groups, of their gap and of the whole run: means are those of the bootstrap, within what they can be" {
    fixture
    judge() { measure --qrels "$fixtures"/qrels --run "$fixtures"/run --catalogue c.dq -k 5 -m recommender -m auc -m gauc -m map -m gm_map -m num_ret --by sex -i "$@"; }
    judge -f tsv > got
    judge -f tsv | cmp - got
    awk -F '\t' 'NR == 1 || $2 == "num_ret" { next } { n++ }
        !($5 <= $4 && $4 <= $6 && $5 >= 0 && ($6 <= 1 || $2 ~ /entropy|novelty|popularity/)) && $3 != "gap" { print; bad = 1 }
        $3 == "gap" && !($5 >= 0 && $6 >= $4) { print; bad = 1 } END { exit bad || n != 12 * 4 }' got
    [ -z "$(awk -F '\t' '$2 == "num_ret" && $5 $6 != ""' got)" ] # a count has none
    judge | grep -qE '^ +[0-9.]+  gap  \[[0-9.]+, [0-9.]+\]$'
    judge -f json | jq -e '.group_intervals.f.map[0] < .groups.f.map and .groups.f.map < .group_intervals.f.map[1] and
        .gap_interval.coverage_5[0] == 0 and (.group_intervals.f | has("num_ret") | not)'
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --catalogue c.dq -m map --by sex -f json | jq -e 'has("group_intervals") | not'
    # all in one group: its interval is that of all
    awk '{ $0 = $0; print }' "$fixtures"/qrels | cut -d ' ' -f 1 | sort -u | sed 's/.*/{"id":"&","all":"x"}/' > u.jsonl
    printf '{"id":"a"}\n' > i.jsonl
    "$BUILD"/dq-export --quiet --users u.jsonl --items i.jsonl -o one.dq
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --catalogue one.dq -m map -m gauc --by all -i --resamples 100000 -f tsv > got
    awk -F '\t' '$3 == "gap" { next } NR > 1 { if (($2, "low") in v) { a = v[$2, "low"] - $5; b = v[$2, "high"] - $6; if (a * a + b * b > 1e-6) exit 1; n++ } v[$2, "low"] = $5; v[$2, "high"] = $6 } END { exit n != 2 }' got
    run -2 measure --qrels q --run r -m num_ret -m num_q -i
    [ "${output% (try *)}" = "dq-eval: --interval has no effect: counts have none" ]
    run -2 measure --qrels q --run r -m map -i -f trec
    [ "${output% (try *)}" = "dq-eval: --interval: the trec format has none" ]
}

@test "groups: as a table, and in JSON" {
    printf '{"id":"u1","sex":"f"}\n{"id":"u2","sex":["m","x"]}\n' > u.jsonl
    printf '{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n{"id":"d"}\n' > i.jsonl
    "$BUILD"/dq-export --quiet --users u.jsonl --items i.jsonl -o c.dq
    run -0 measure --qrels q --run r -m P@1 -m num_q -m coverage@1 --catalogue c.dq --by sex
    [ "$(tail -n +6 <<< "$output")" = "measure     run      value  sex
P_1         r       1.0000  f
                    0.0000  m
                    0.0000  x
                    1.0000  gap
num_q       r            1  f
                         1  m
                         1  x
                         0  gap
coverage_1  r       0.2500  f
                    0.2500  m
                    0.2500  x
                    0.0000  gap" ] || { echo "$output"; false; }
    run -0 measure --qrels q --run r -m P@1 --catalogue c.dq --by sex -f json
    [ "$output" = '{"run":"r","runid":"tag","queries":2,"measures":{"P_1":{"value":0.5}},"groups":{"f":{"P_1":1.0},"m":{"P_1":0.0},"x":{"P_1":0.0}},"gap":{"P_1":1.0}}' ] || { echo "$output"; false; }
}

@test "groups by a number: all its digits count, and 2.0 is 2" {
    printf '{"id":"u1","of":1234567890123456}\n{"id":"u2","of":[1234567890123457,2.0]}\n{"id":"u3","of":[2,0.1,0.1000000000000001]}\n' > u.jsonl
    printf '{"id":"a"}\n' > i.jsonl
    "$BUILD"/dq-export --quiet --users u.jsonl --items i.jsonl -o c.dq
    run -0 measure --qrels q --run r -m num_q -c --catalogue c.dq --by of -f tsv
    [ "$(cut -f 4,12 <<< "$output" | sed '1,2d' | paste -sd' ')" = $'1\t1234567890123456 1\t1234567890123457 2\t2 1\t0.1 1\t0.1000000000000001 1\t' ] || { echo "$output"; false; }
}

@test "what cannot be is refused in one line" {
    fixture
    refused() {
        local words=$1 code=$2
        shift 2
        run -"$code" "$BUILD"/dq-eval --quiet --qrels q --run r "$@"
        [[ ${#lines[@]} -le 2 && "${lines[0]}" == *"$words"* ]] || { echo "$output"; return 1; }
    }
    refused 'diversity_10 needs --catalogue' 2 -m diversity
    refused 'calibration:genre_10 needs --catalogue' 2 -m calibration:genre
    refused 'calibration is of an attribute of the items, as in calibration:genre@10' 2 -m calibration@10 --catalogue c.dq
    refused "no measure of a field or an attribute is called 'ndcg'" 2 -m ndcg:title@10
    refused "rbp_p needs numbers between 0 and 1 as in 0.5,0.8, not '1'" 2 -m rbp@1
    refused '--by needs --catalogue' 2 --by sex
    refused '--by has no trec format' 2 --by sex --catalogue c.dq -f trec
    refused '--catalogue has no effect: no measure asks for it, and no --by' 2 --catalogue c.dq
    run -2 "$BUILD"/dq-eval --qrels none --run r --catalogue c.dq # before anything is read
    refused "c.dq: the items' vectors have no field 'salary'" 1 -m diversity:salary@10 --catalogue c.dq
    refused "c.dq: no item has an attribute 'salary'" 1 -m calibration:salary --catalogue c.dq
    refused "c.dq: no user has an attribute 'age'" 1 --by age --catalogue c.dq
    long=$(printf 'x%.0s' {1..63})
    printf '{"id":"u1","%s":1}\n' "$long" > u.jsonl
    printf '{"id":"a"}\n' > i.jsonl
    "$BUILD"/dq-export --quiet --users u.jsonl --items i.jsonl -o l.dq
    refused "l.dq: an attribute's name of 64 bytes, of at most 63" 1 --by "${long}y" --catalogue l.dq
    printf '{"id":"u1","sex":{"f":1}}\n' > u.jsonl
    printf '{"id":"a"}\n' > i.jsonl
    "$BUILD"/dq-export --quiet --users u.jsonl --items i.jsonl -o o.dq
    refused "o.dq: sex: a value is neither a text, a number nor a list of these" 1 --by sex --catalogue o.dq
    "$BUILD"/dq-export --quiet --users u.jsonl -o u.dq
    refused "u.dq: there are no items in it" 1 -m coverage --catalogue u.dq
    refused 'stdin can be read only once' 2 --qrels - -m coverage --catalogue -
}
