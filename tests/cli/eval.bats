#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval: rankings against judgements.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    fixtures=$BATS_TEST_DIRNAME/../fixtures/measure
    nist=$BATS_TEST_DIRNAME/../../../shared/data/trec_eval
    printf 'u1 0 a 3\nu1 0 b 1\nu2 0 a 1\nu3 0 c 1\n' > q
    printf 'u1 Q0 b 1 2.5 tag\nu1 Q0 a 2 1.5 tag\nu2 Q0 c 1 1 tag\n' > r
}

measure() { "$BUILD"/dq-eval --quiet "$@"; }

@test "trec_eval's own test files, defaults" {
    [ -d "$nist" ] || skip "../shared/data/trec_eval is not here"
    measure --qrels "$nist"/qrels.test --run "$nist"/results.test --format trec | diff - "$nist"/out.test
}

@test "trec_eval's own test files, all measures" {
    [ -d "$nist" ] || skip "../shared/data/trec_eval is not here"
    measure --qrels "$nist"/qrels.test --run "$nist"/results.test --format trec -m all_trec | diff - "$nist"/out.test.a
}

@test "trec_eval's own test files: weights of set_F and utility, levels as a text" {
    [ -d "$nist" ] || skip "../shared/data/trec_eval is not here"
    judge() { measure --qrels "$nist"/qrels.test --run "$nist"/results.test --format trec "$@"; }
    while read -r name value; do # as trec_eval 10 prints them, the last with -N 100000
        n=()
        [[ $name != *.25 ]] || n=(-N 100000)
        run -0 judge -m "$name" "${n[@]}"
        [ "$output" = "$(printf '%-22s\tall\t%s' "${name/./_}" "$value")" ]
    done << 'END'
set_F.0.5 0.1045
set_F.3 0.1656
utility.1,-1,0,0 -412.6667
utility.2,-1,-0.5,0 -440.6667
utility.1,-1,-.5,.25 24354.8333
END
    run -0 judge -q -m relstring.20
    [ "$output" = "$(printf 'relstring_20          \t%s\n' "301"$'\t'"'0000011000000--10101'" \
        "302"$'\t'"'11011101101111111110'" "303"$'\t'"'00000000000000000010'")" ]
    judge -q -m all_trec | grep -A1 P_1000 | grep relstring | cut -f 2- |
        diff - <(printf '%s\t%s\n' 301 "'0000011000'" 302 "'1101110110'" 303 "'0000000000'")
}

@test "weights and texts: what they take, and what is refused" {
    run -0 measure --qrels q --run r -q -f tsv -m relstring@3 -m set_F@2
    [ "$(cut -f 2-4 <<< "$output")" = $'measure\tquery\tvalue\nrelstring_3\tu1\t13\nrelstring_3\tu2\t-\nset_F_2\tu1\t1\nset_F_2\tu2\t0\nset_F_2\tall\t0.5' ]
    measure --qrels q --run r -q -f json -m relstring@3 -m P@1 | jq -e '.by_query[0].relstring_3 == "13" and (.measures | keys) == ["P_1"]'
    run -0 measure --qrels q --run r -q -f tsv -m utility.1,-2,-4,.5 -N 100 # u2: one other retrieved, one relevant not
    [ "$(awk -F '\t' '$3 == "u2" { print $4 }' <<< "$output")" = 43 ]
    for bad in "set_F.1,2: set_F needs 1 number of at least 0 as in 1, not '1,2'" \
        "set_F.-1: set_F needs 1 number of at least 0 as in 1, not '-1'" \
        "utility.1,2,3: utility needs 4 numbers as in 1,-1,0,0, not '1,2,3'" \
        "utility.1,-1,0,1: utility's fourth weight needs --documents: how many there are" \
        "relstring.1001: relstring needs whole ranks from 1 as in 5,10, not '1001'" \
        "relstring: relstring is of each query: it needs --by-query (-q)"; do
        run -2 measure --qrels q --run r -m "${bad%%: *}"
        [ "${output% (try *)}" = "dq-eval: ${bad#*: }" ]
    done
    run -2 measure --qrels q --run r -m map -N 5
    [ "${output% (try *)}" = "dq-eval: --documents has no effect: only utility's fourth weight asks for it" ]
}

@test "what trec_eval prints, query by query, for graded judgements with ties and files in no order" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --format trec -q -m all_trec |
        awk '$1 != "rbp"' | diff - "$fixtures"/trec_eval.out
}

@test "what trec_eval prints with a higher relevance level, and with missing queries as 0" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --format trec -m all_trec -l 2 |
        awk '$1 != "rbp"' | diff - "$fixtures"/trec_eval.level
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --format trec -m all_trec -c |
        awk '$1 != "rbp"' | diff - "$fixtures"/trec_eval.complete
}

@test "what trec_eval prints of the first seven documents, and of judged ones alone" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --format trec -q -m all_trec -M 7 |
        awk '$1 != "rbp"' | diff - "$fixtures"/trec_eval.short
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --format trec -q -m all_trec -J > got
    awk -F '\t' 'NR == FNR { want[$1, $2]; next } ($1, $2) in want' "$fixtures"/trec_eval.judged got |
        diff - "$fixtures"/trec_eval.judged # which is without its 0 / 0
    # both: judged ones of the first two
    run -0 measure --qrels q --run r -f trec -M 2 -J -m num_ret -m num_rel_ret
    [ "$output" = $'num_ret               \tall\t2\nnum_rel_ret           \tall\t2' ]
}

@test "every measure of every query agrees with the second implementation" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --format tsv -q -m all_trec -m dcg -m ideal_dcg \
        -m ndcg_exp -m ndcg_exp_cut -m recip_rank_cut -k 5,10,15,20,30,100,200,500,1000 \
        -m success.1,5,10 -m unj.5,10,20 -m err -m err_cut -m rbp@.5,.8,.95 -m gauc > got
    awk 'NR == FNR { want[$1, $2] = $3; next } { key = $3 SUBSEP $2 } key in want {
             d = want[key] - $4; if (d > 1e-12 || d < -1e-12) { print $0, want[key]; bad = 1 } n++ }
         END { print n, "compared"; exit bad }' "$fixtures"/values got > said
    [ "$(cat said)" = "$(wc -l < "$fixtures"/values) compared" ]
}

@test "a recommender's measures at 10 by default, as a table" {
    run -0 --separate-stderr measure --qrels q --run r
    [ "${lines[0]}" = "measure          run      value" ]
    [ "${lines[1]}" = "num_q            r            2" ]
    [ "${lines[2]}" = "map              r       0.5000" ]
    [[ $output == *"ndcg_cut_10      r       0.3984"* ]]
    [[ $output == *"recip_rank       r       0.5000"* ]]
    [[ $output == *"success_10       r       0.5000"* ]]
    [[ $output == *"ndcg_exp_cut_10  r "* ]]
}

@test "a query that the run lacks is named, and counts as 0 with --complete" {
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run r -f trec -m num_q -m recip_rank
    [ "$stderr" = "dq-eval: 1 of 3 queries of the qrels are not in the run and do not count (--complete: as 0)" ]
    [[ $output == *$'num_q                 \tall\t2'* ]]
    [[ $output == *$'recip_rank            \tall\t0.5000'* ]]
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run r -f trec -m num_q -m recip_rank -c
    [ "$stderr" = "" ]
    [[ $output == *$'num_q                 \tall\t3'* ]]
    [[ $output == *$'recip_rank            \tall\t0.3333'* ]]
}

@test "the run comes from stdin, and any file may be compressed" {
    measure --qrels q --run r -f trec > want
    measure --qrels q -f trec < r | diff want -
    measure --qrels q --run - -f trec < r | diff want -
    zstd -q q -o q.zst
    gzip -k r
    measure --qrels q.zst --run r.gz -f trec | diff want -
    measure --qrels - --run r -f trec < q | diff want -
}

@test "a run that is not grouped by query: a file is gathered, which is said, a pipe is refused with the way out" {
    printf 'u1 Q0 b 1 2.5 tag\nu2 Q0 c 1 1 tag\nu1 Q0 a 2 1.5 tag\n' > mixed
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run mixed -f tsv -m P@1 -m map -m coverage@2
    [[ $stderr == *"the lines of a query do not stand together in the run: all of it is held in memory"* ]]
    [ "$(cut -f 2- <<< "$output")" = "$(measure --qrels q --run r -f tsv -m P@1 -m map -m coverage@2 | cut -f 2-)" ]
    run -1 --separate-stderr "$BUILD"/dq-eval --qrels q -m map < <(cat mixed)
    [[ $stderr == *"record 3: query u1 comes back"*"sort -s -k1,1, or give it as a file"* ]]
    [ -z "$output" ]
    sort -s -k1,1 mixed | measure --qrels q -f trec -m map | diff - <(measure --qrels q --run r -f trec -m map)
}

@test "ties go to the greater id, whatever the order and the ranks written" {
    printf 'u Q0 a 1 0.5 t\nu Q0 b 2 0.5 t\n' > tied
    printf 'u 0 a 1\n' > judged
    run -0 measure --qrels judged --run tied -f trec -m recip_rank
    [ "$output" = $'recip_rank            \tall\t0.5000' ]
}

@test "a relevance level, cutoffs, measures by several names" {
    run -0 measure --qrels q --run r -f tsv -l 2 -m mrr -m hit@1 -m ndcg@1,2 -m P -k 3
    [ "$(cut -f 2,4 <<< "$output")" = $'measure\tvalue\nrecip_rank\t0.25\nsuccess_1\t0\nndcg_cut_1\t0.16666666666666666\nndcg_cut_2\t0.3983537904952533\nP_3\t0.16666666666666666' ] ||
        { cut -f 2,4 <<< "$output"; false; }
}

@test "empty lines are left out, and an id that begins with # is one" {
    { echo; cat q; echo; } >q2
    { cat r; echo; } >r2
    measure --qrels q --run r -f trec >want
    measure --qrels q2 --run r2 -f trec >got
    diff got want
    awk '{ $1 = "#" $1; $3 = "#" $3 } 1' q >q3
    awk '{ $1 = "#" $1; $3 = "#" $3 } 1' r >r3
    measure --qrels q3 --run r3 -f trec >got
    diff got want
}

@test "queries of a run that nobody judged are said" {
    { cat r; printf 'u7 Q0 a 1 1 tag\nu8 Q0 a 1 1 tag\n'; } >more
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run more -m map
    [[ "$stderr" == "dq-eval: 2 of 4 queries of the run are not in the qrels and do not count"* ]]
    run -0 --separate-stderr "$BUILD"/dq-eval --qrels q --run r --run more -m map
    [[ "$stderr" == "dq-eval: 2 of 4 queries of the run more are not in the qrels and do not count"* ]]
    diff <(measure --qrels q --run r -m map -f trec) <(measure --qrels q --run more -m map -f trec)
}

@test "relevance that is a count has an exponential gain" {
    printf 'u1 0 song1 2113\nu1 0 song2 3\nu1 0 song3 1100\n' >plays
    printf 'u1 Q0 song2 1 3 r\nu1 Q0 song1 2 2 r\nu1 Q0 song3 3 1 r\n' >heard
    for form in trec tsv; do measure --qrels plays --run heard -m ndcg_exp -m ndcg_exp@1,10 -f $form; done >got
    [ "$(grep -c 0.6309 got)" = 4 ]
    run -0 grep -ci nan got || true
    measure --qrels plays --run heard -m ndcg_exp@10 -f json | jq -e '.measures.ndcg_exp_cut_10.value - 0.6309297535714575 | fabs < 1e-15'
}

@test "what dq-rank writes as a TREC run, dq-eval reads: any id that is let through" {
    /usr/bin/python3 - <<'PY'
import json
ids = ["#1", "#", "\u03c0\u03b1", "\u00e9", "'", '"', "\\", "a#b", "{", "0", "query-id", "\U0001f600"]
with open("u.jsonl", "w") as u, open("i.jsonl", "w") as i, open("x.jsonl", "w") as x:
    for n, id in enumerate(ids):
        print(json.dumps({"id": id, "vector": [1, n]}), file=u)
        print(json.dumps({"id": id, "vector": [n, 1]}), file=i)
        print(json.dumps({"user": id, "item": id, "label": "APPLY"}), file=x)
with open("refused", "w") as f:
    for c in [*range(1, 33), 0x7f, 0x85, 0xa0, 0x2003, 0x2028, 0x3000, 0xfeff]: print(json.dumps(f"a{chr(c)}b"), file=f)
PY
    "$BUILD"/dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
    for turned in u.jsonl <(tac u.jsonl); do # each id once as the first of a file
        "$BUILD"/dq-export --users "$turned" --items i.jsonl | "$BUILD"/dq-rank --by cosine -k 20 --format trec >ids.run
        [ "$(cut -d' ' -f1 ids.run | sort -u | wc -l)" = 12 ]
        "$BUILD"/dq-rank --by cosine -k 20 c.dq >ids.dq
        diff <(measure --qrels c.dq --run ids.run -f trec -m map -m ndcg) <(measure --qrels c.dq --run ids.dq -f trec -m map -m ndcg)
    done
    while read -r id; do
        echo "{\"id\": $id, \"vector\": [1, 2]}" >odd.jsonl
        "$BUILD"/dq-export -q --users u.jsonl --items odd.jsonl -o odd.dq
        run -1 "$BUILD"/dq-rank --by cosine --format trec odd.dq
        [[ "$output" == *"which a TREC run cannot hold" ]]
    done <refused
    [ "$(wc -l <refused)" = 39 ]
}

@test "several runs are compared with the first: difference, intervals, tests" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run --run "$fixtures"/run-b \
        -f json -m ndcg@10 > got
    [ "$(jq -s 'length' got)" = 3 ]
    jq -se '.[0].measures.ndcg_cut_10 | has("difference") | not' got
    jq -se '.[1].measures.ndcg_cut_10 | .difference == 0 and .p == 1 and .p_t == 1' got
    jq -se '.[2].measures.ndcg_cut_10 | .difference_interval[0] < .difference
            and .difference < .difference_interval[1] and .p > 0.001 and (.p - .p_t | fabs) < 0.05' got
    jq -se '.[2].measures.ndcg_cut_10.value - .[0].measures.ndcg_cut_10.value
            - .[2].measures.ndcg_cut_10.difference | fabs < 1e-12' got
}

@test "equal seeds give equal bytes, other seeds other intervals" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run-b > one
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run-b | cmp - one
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run-b --seed 7 > two
    run -1 cmp one two
}

@test "an interval of one run holds its mean and narrows with the confidence" {
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run -f json -m map -i > wide
    measure --qrels "$fixtures"/qrels --run "$fixtures"/run -f json -m map -i --confidence 0.5 > narrow
    jq -se '.[0].measures.map as $w | .[1].measures.map as $n | $w.value == $n.value
            and $w.interval[0] < $n.interval[0] and $n.interval[1] < $w.interval[1]
            and $n.interval[0] < $n.value and $n.value < $n.interval[1]' wide narrow
}

@test "json: one object a run, with the queries when asked" {
    run -0 measure --qrels q --run r -f json -q -m map -m num_ret
    [ "$output" = '{"run":"r","runid":"tag","queries":2,"measures":{"map":{"value":0.5},"num_ret":{"value":3}},"by_query":[{"query":"u1","map":1.0,"num_ret":2.0},{"query":"u2","map":0.0,"num_ret":1.0}]}' ]
}

@test "tsv: eleven columns on every line, ids escaped" {
    printf 'u\\1 0 a 1\n' > q2
    printf 'u\\1 Q0 a 1 1 t\n' > r2
    measure --qrels q2 --run r2 -f tsv -q -m map > got
    [ "$(awk -F '\t' '{ print NF }' got | sort -u)" = 11 ]
    [ "$(sed -n 2p got | cut -f 1-4)" = $'r2\tmap\tu\\\\1\t1' ]
}

@test "-o writes the file whole; the list of measures names each" {
    measure --qrels q --run r -f trec -o out
    measure --qrels q --run r -f trec | cmp - out
    measure --list-measures > list
    grep -q '^ndcg_cut_K *ndcg of the first k' list
    [ "$(wc -l < list)" -ge 40 ]
}

# A catalogue of two users and four items whose cosines are known, with labels.
catalogue() {
    printf '{"id":"u1","vector":[1,0]}\n{"id":"u2","vector":[0,1]}\n' > users.jsonl
    printf '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[0.8,0.6]}\n{"id":"c","vector":[0.6,0.8]}\n{"id":"d","vector":[0,1]}\n' > items.jsonl
    cat > seen.jsonl <<'JSON'
{"user":"u1","item":"b","label":"CLICK"}
{"user":"u1","item":"b","label":"APPLY"}
{"user":"u1","item":"a","label":"SAVE"}
{"user":"u1","item":"d","label":"SEEN"}
{"user":"u2","item":"d","label":"IGNORE"}
{"user":"u2","item":"c","label":"CLICK"}
{"user":"u2","item":"b","reward":0.5}
JSON
    "$BUILD"/dq-export --quiet --users users.jsonl --items items.jsonl --interactions seen.jsonl -o catalogue.dq
}

@test "rankings and judgements from streams are those of the text files" {
    catalogue
    printf 'u1 0 b 3\nu1 0 a 2\nu2 0 d 0\nu2 0 c 1\n' > judged
    "$BUILD"/dq-rank --by cosine -k 3 --format trec catalogue.dq > ranked
    measure --qrels judged --run ranked -f trec -q -m all_trec > want
    grep -q $'^num_rel_ret *\tall\t3$' want
    "$BUILD"/dq-rank --by cosine -k 3 catalogue.dq > ranked.dq
    measure --qrels catalogue.dq --run ranked.dq -f trec -q -m all_trec > got
    diff <(grep -v ^runid want) <(grep -v ^runid got)
    measure --qrels judged -f trec -q -m all_trec < ranked.dq | diff got -
}

@test "one pipeline from catalogue to measures" {
    catalogue
    printf 'u1 0 b 3\nu2 0 c 1\n' > judged
    run -0 bash -o pipefail -c '"$BUILD"/dq-rank --by cosine -k 3 catalogue.dq | "$BUILD"/dq-eval --qrels judged -f trec -m recip_rank'
    [ "$output" = $'recip_rank            \tall\t0.5000' ]
}

@test "the gains of labels are the user's to say" {
    catalogue
    "$BUILD"/dq-rank --by cosine -k 4 catalogue.dq > ranked.dq
    run -0 measure --qrels catalogue.dq --run ranked.dq -f tsv -m num_rel
    [ "$(sed -n 2p <<< "$output" | cut -f 4)" = 3 ]
    run -0 measure --qrels catalogue.dq --run ranked.dq -f tsv -m num_rel --gains SEEN=1,APPLY=1
    [ "$(sed -n 2p <<< "$output" | cut -f 4)" = 2 ]
}
