#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval: systems held against each other, A/B logs, sample sizes, and the forms of all tables.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    fixtures=$BATS_TEST_DIRNAME/../fixtures/measure
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    # Student's sleep data (Biometrika 6, 1908): ten patients, extra hours by two drugs
    awk 'BEGIN { print "system\tseed\tmeasure\tvalue"
        split("0.7 -1.6 -0.2 -1.2 -0.1 3.4 3.7 0.8 0.0 2.0", a); split("1.9 0.8 1.1 0.1 -0.1 4.4 5.5 1.6 4.6 3.4", b)
        for (i = 1; i <= 10; i++) { print "dextro\t" i "\thours\t" a[i]; print "laevo\t" i "\thours\t" b[i] } }' > sleep.tsv
}

quiet() { dq-eval --quiet "$@"; }
# The cells of a column of TSV by name.
column() { awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; if (!at) exit 1; next } { print $at }'; }
near() { awk -v a="$1" -v b="$2" -v within="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; if (!(d <= within)) { print a, "is not", b; exit 1 } }'; }

@test "Student's sleep data: R's numbers" {
    quiet --paired --format tsv sleep.tsv > got
    [ "$(cut -f 1-4 got | tail -1)" = $'laevo\tdextro\thours\t10' ]
    near "$(column difference < got)" 1.58 1e-12
    near "$(column p_t < got)" 0.00283289 1e-8            # t.test(paired = TRUE)
    near "$(column p_wilcoxon < got)" 0.00390625 1e-12    # a zero and a tie: 2 of 512 signs
    near "$(column p_randomisation < got)" 0.00390625 1e-12
    near "$(column d_z < got)" 1.2845580 1e-6             # 1.58 / 1.229995
    near "$(column g < got)" 1.1740 1e-4                  # times J(9) = 0.913
    near "$(column rank_biserial < got)" 1 0
    [ "$(cut -f 20-22 got | tail -1)" = $'9\t0\t1' ]
    near "$(column lower_t < got)" 0.7001142 1e-7
    near "$(column upper_t < got)" 2.4598858 1e-7
    [ "$(quiet --paired --test t sleep.tsv | awk '{ print $8, $10 }' | tr '\n' ' ')" = "lower_t p_t 0.7001 0.0028 " ]
    # the interval is the percentile bootstrap's, about 1.58 -+ 1.96 * 1.23 / sqrt(10) * sqrt(0.9)
    near "$(column lower < got)" 0.857 0.15
    near "$(column upper < got)" 2.303 0.2
}

@test "pairs: from the first, all from each other, from one by name; units that some system lacks" {
    { cat sleep.tsv; awk -F '\t' 'NR > 1 && $1 == "laevo" && $2 != 3 { print "third\t" $2 "\thours\t" $4 + 1 }' sleep.tsv; } > three.tsv
    [ "$(quiet --paired --format tsv three.tsv | cut -f 1,2,4 | tr '\n\t' ' /')" = "a/b/n laevo/dextro/9 third/dextro/9 " ]
    [ "$(quiet --paired --format tsv --against all three.tsv | cut -f 1,2 | tr '\n\t' ' /')" = "a/b laevo/dextro third/dextro third/laevo " ]
    [ "$(quiet --paired --format tsv --against laevo three.tsv | cut -f 1,2 | tr '\n\t' ' /')" = "a/b dextro/laevo third/laevo " ]
    run -0 --separate-stderr dq-eval --paired --resamples 100 three.tsv
    [ "$stderr" = "dq-eval: 1 of 10 units lack a value of some system, and do not count there
dq-eval: of fewer than 20 units the bootstrap's interval is too narrow (--test t: Student's)" ]
    run -1 quiet --paired --against nobody three.tsv
    [[ $output == *"nothing to compare is called 'nobody'"* ]]
    # two tables, or one, or a pipe, or other names of the columns: the same
    quiet --paired sleep.tsv > whole
    awk -F '\t' 'NR == 1 || $1 == "dextro"' sleep.tsv > a.tsv
    awk -F '\t' 'NR == 1 || $1 == "laevo"' sleep.tsv > b.tsv
    quiet --paired a.tsv b.tsv | diff - whole
    sed '1s/.*/agent\tuser\tmetric\tscore/' sleep.tsv | quiet --paired | diff - whole
    quiet --paired a.tsv - < b.tsv | diff - whole
}

@test "many comparisons are adjusted over all rows that are printed" {
    awk 'BEGIN { srand(5); print "model\tseed\tvalue"
        for (s = 0; s < 5; s++) for (i = 1; i <= 30; i++) print "m" s "\t" i "\t" rand() + s * 0.05 }' > five.tsv
    for how in holm bh none; do
        quiet --paired --against all --test t --adjust $how --resamples 100 --format tsv five.tsv > got
        paste <(column p_t < got) <(column p_adjusted < got) | sort -g | awk -v how=$how '
            { p[NR] = $1; q[NR] = $2 }
            END { if (NR != 10) exit 1
                for (i = 1; i <= NR; i++) { w[i] = how == "holm" ? (NR - i + 1) * p[i] : how == "bh" ? NR / i * p[i] : p[i]; if (w[i] > 1) w[i] = 1 }
                if (how == "holm") for (i = 2; i <= NR; i++) if (w[i] < w[i - 1]) w[i] = w[i - 1]
                if (how == "bh") for (i = NR - 1; i; i--) if (w[i] > w[i + 1]) w[i] = w[i + 1]
                for (i = 1; i <= NR; i++) if ((w[i] - q[i]) ^ 2 > 1e-20) { print how, i, w[i], q[i]; exit 1 } }'
    done
}

@test "tables that are none are refused, with their line" {
    printf 'system\tvalue\na\t1\n' > none.tsv
    run -1 quiet --paired none.tsv
    [[ $output == "dq-eval: none.tsv"*"has no column unit (or seed, query, user, episode, at)" ]]
    printf 'system\tunit\tvalue\na\t1\tmuch\n' > words.tsv
    run -1 quiet --paired words.tsv
    [[ $output == "dq-eval: words.tsv: record 2: 'much' is no value" || $output == *"words.tsv"*2*"'much' is no value" ]]
    cat sleep.tsv <(sed 1d sleep.tsv) > twice.tsv
    run -1 quiet --paired twice.tsv
    [[ $output == *"two values of dextro for 1"* ]]
    head -1 sleep.tsv > empty.tsv
    run -1 quiet --paired empty.tsv
    [[ $output == *"no value of any unit to compare"* ]]
    grep -v laevo sleep.tsv > one.tsv
    run -1 quiet --paired one.tsv
    [[ $output == *"one system alone cannot be compared"* ]]
}

@test "runs: the differences are those of the table of values, whose rows of queries --paired reads" {
    both=(--qrels "$fixtures"/qrels --run "$fixtures"/run --run "$fixtures"/run-b -m map -m ndcg@10)
    quiet "${both[@]}" --format tsv > values
    quiet "${both[@]}" --against first --format tsv > got
    diff <(awk -F '\t' 'NR > 1 && $7 != "" { print $2, $7, $8, $9, $10, $11 }' values | sort) \
        <(awk -F '\t' 'NR > 1 { print $3, $7, $8, $9, $12, $13 }' got | sort)
    quiet "${both[@]}" --format tsv -q | quiet --paired --format tsv | cut -f 3- | sort | diff - <(cut -f 3- got | sort)
    run -0 --separate-stderr dq-eval "${both[@]}" -m num_ret -m coverage@10 --against all
    [[ $stderr == *"2 measures are no means over queries, and have no differences here"* ]]
    run -2 quiet "${both[@]}" --against all -q
    run -2 quiet "${both[@]}" --against all --format trec
    run -2 quiet "${both[@]}" --test t
    [[ $output == *"--test"*"--against"* ]]
    run -1 quiet --qrels "$fixtures"/qrels --run "$fixtures"/run --against all
}

@test "roll-outs: every pair of agents on the same episodes" {
    dq-sim --quiet --users 6 --items 30 --interactions 60 -o c.dq
    quiet --rollout --model random --model cosine --model untrained --episodes 12 --steps 5 --format tsv c.dq > values
    quiet --rollout --model random --model cosine --model untrained --episodes 12 --steps 5 --against all --format tsv c.dq > got
    [ "$(cut -f 1-4 got | tr '\n\t' ' /')" = "a/b/measure/n cosine/random/reward/12 untrained/random/reward/12 untrained/cosine/reward/12 " ]
    for model in cosine untrained; do
        near "$(awk -F '\t' -v m=$model '$1 == m && $2 == "difference" { print $4 }' values)" \
            "$(awk -F '\t' -v m=$model '$1 == m && $2 == "random" { print $7 }' got)" 1e-12
        near "$(awk -F '\t' -v m=$model '$1 == m && $2 == "p" { print $4 }' values)" \
            "$(awk -F '\t' -v m=$model '$1 == m && $2 == "random" { print $12 }' got)" 1e-12
    done
}

@test "off-policy: several targets, and their differences in pairs over the rows" {
    awk 'BEGIN { srand(3); for (i = 1; i <= 400; i++) { item = int(rand() * 4); r = rand() < 0.2 + 0.15 * item
        printf "{\"user\":\"u%d\",\"item\":\"i%d\",\"reward\":%d,\"propensity\":0.25,\"position\":1,\"attr\":{},\"best\":%s}\n", i, item, r, item == 3 ? "1" : "0" } }' |
        sed 's/"attr":{},//' > log.jsonl
    dq-export --quiet --interactions log.jsonl -o log.dq
    two=(--ope ips,snips --target uniform --target column:best)
    quiet "${two[@]}" --format tsv log.dq > values
    [ "$(cut -f 1,2 values | tr '\n\t' ' /')" = "target/estimator uniform/ips uniform/snips column:best/ips column:best/snips " ]
    for target in uniform column:best; do # each is what it is alone
        quiet --ope ips,snips --target $target --format tsv log.dq | sed "s/^/$target\t/; 1s/^[^\t]*/target/" |
            diff - <(awk -F '\t' -v t=$target 'NR == 1 || $1 == t' values)
    done
    quiet "${two[@]}" --against first --format tsv log.dq > got
    [ "$(cut -f 1-4 got | tail -1)" = $'column:best\tuniform\tsnips\t400' ]
    # ips of each row is weight times reward, so the difference has their t test; means are the estimates
    near "$(column mean_a < got | head -1)" "$(awk -F '\t' '$1 == "column:best" && $2 == "ips" { print $3 }' values)" 1e-12
    near "$(column mean_a < got | tail -1)" "$(awk -F '\t' '$1 == "column:best" && $2 == "snips" { print $3 }' values)" 1e-12
    awk -F '[:,}]' '{ r = $6; w = $12 * 4; d = w * r - r; n++; s += d; q += d * d }
        END { m = s / n; printf "%.12g\n", m / sqrt((q - n * m * m) / (n - 1)) }' log.jsonl > cohen
    near "$(column d_z < got | head -1)" "$(cat cohen)" 1e-9
    run -2 quiet "${two[@]}" - < log.dq
    [[ $output == *"has to be a file"* ]]
    run -1 quiet --ope ips --target uniform --against all log.dq
}

@test "off-policy: as many rows are not the same rows; blocks of several have no effect sizes" {
    for i in 1 2 3 4 5 6; do echo '{"user":"u'$i'","item":"i'$((i % 2))'","reward":'$((i % 2))',"propensity":0.5}'; done > log.jsonl
    dq-export --quiet --interactions log.jsonl -o log.dq
    for i in 1 2 3 4 5 6; do echo "u$i Q0 i0 1 1 x"; done > all.run
    grep -v u2 all.run > a.run
    grep -v u4 all.run > b.run
    quiet --ope ips --target ranking:a.run --target ranking:a.run --against first log.dq
    run -1 quiet --ope ips --target ranking:a.run --target ranking:b.run --against first log.dq
    [[ $output == *"no pairs: ranking:a.run is judged on 5 rows, ranking:b.run on 5, which are others, as users lack a list" ]]
    for i in {1..2001}; do cat log.jsonl; done > long.jsonl
    dq-export --quiet --interactions long.jsonl -o long.dq
    run -0 --separate-stderr dq-eval --ope ips --resamples 100 --target uniform --target ranking:all.run --against first -f tsv long.dq
    [[ $stderr == *"units are blocks of several rows: no effect sizes, and no wins"* ]]
    [ "$(tail -1 <<<"$output" | cut -f 4,16-22)" = "$(printf '%s\t\t\t\t\t\t\t' 6003)" ]
    run -0 --separate-stderr dq-eval --ope ips --resamples 100 --target uniform --target ranking:all.run --against first -f tsv log.dq
    [[ $stderr != *"units are blocks"* && $(tail -1 <<<"$output" | cut -f 21) == 3 ]]
}

@test "what a comparison cannot say, it says" {
    printf 'system\tunit\tvalue\na\t1\t1\na\t2\t2\nb\t1\t2\nb\t2\t3\n' > same.tsv
    run -0 --separate-stderr dq-eval --paired --test t -f json same.tsv
    [ "$stderr" = "dq-eval: 1 of 1 differences have no t test: they are of one unit, or the same in all units" ]
    jq -e '.p_t == null and .lower_t == null and .d_z == null and .p_adjusted == null and .difference == 1' <<<"$output"
    dq-sim --quiet --users 6 --items 30 --interactions 60 -o c.dq
    run -0 --separate-stderr dq-eval --rollout --model random --model cosine --episodes 3 --steps 5 --against first c.dq
    [[ $stderr == *"of fewer than 20 units the bootstrap's interval is too narrow"* ]]
    for i in 1 2 3 4; do echo '{"user":"u'$i'","item":"i","model":"m'$((i % 2))'","reward":'$((i / 2))'}'; done > few.jsonl
    dq-export --quiet --interactions few.jsonl -o few.dq
    run -0 --separate-stderr dq-eval --ab -f json few.dq
    [ "$stderr" = "dq-eval: of 1 of 1 pairs nothing is said: fewer than 30 units of a model (--burn-in), or all their values are the same" ]
    jq -e '.lower == null and .upper == null and .p == 1 and .verdict == "open"' <<<"$output"
}

ab_log() { # rows, what B's chance is more than A's
    awk -v rows="$1" -v more="$2" 'BEGIN { srand(7); for (i = 1; i <= rows; i++) { m = rand() < 0.5 ? "A" : "B"; r = rand() < 0.1 + (m == "B" ? more : 0)
        printf "{\"user\":\"u%d\",\"item\":\"i\",\"reward\":%d,\"model\":\"%s\",\"time\":%d,\"request\":\"r%d\"}\n", i, r, m, 1700000000 + i, i } }' > ab.jsonl
    dq-export --quiet --interactions ab.jsonl -o "${3-ab.dq}"
}

@test "A/B: the formula, look by look; a difference is found, and where there is none the test stays open" {
    ab_log 4000 0.1
    quiet --ab --against A --look 500 --format tsv ab.dq > got
    [ "$(column rows < got | tr '\n' ' ')" = "500 1000 1500 2000 2500 3000 3500 4000 " ]
    awk -F '[:,"}]+' '{ m = $9 == "A"; r = $7; n[m]++; s[m] += r; if (NR % 500 == 0) {
            for (k = 0; k < 2; k++) { mean[k] = s[k] / n[k]; v[k] = mean[k] * (1 - mean[k]) * n[k] / (n[k] - 1) }
            d = mean[0] - mean[1]; V = v[0] / n[0] + v[1] / n[1]
            pooled = ((n[0] - 1) * v[0] + (n[1] - 1) * v[1]) / (n[0] + n[1] - 2); t2 = 0.01 * pooled
            if (pooled / n[0] + pooled / n[1] > V) V = pooled / n[0] + pooled / n[1]
            half = sqrt(V * (V + t2) / t2 * (2 * log(20) + log((V + t2) / V)))
            p = exp(0.5 * log((V + t2) / V) - t2 * d * d / (2 * V * (V + t2))); if (p > least) p = least; least = p
            printf "%.9g %.9g %.9g %.9g\n", d, d - half, d + half, p } } BEGIN { least = 1 }' ab.jsonl > want
    paste -d ' ' <(column difference < got) <(column lower < got) <(column upper < got) <(column p < got) |
        awk '{ printf "%.9g %.9g %.9g %.9g\n", $1, $2, $3, $4 }' | diff - want
    [ "$(column verdict < got | tail -1)" = differs ]
    ab_log 4000 0
    [ "$(quiet --ab --look 10 --format tsv ab.dq | column verdict | sort -u)" = open ]
    # few rows: nothing is known, and said so
    [ "$(quiet --ab --burn-in 3000 ab.dq | awk 'NR == 2 { print $NF }')" = open ]
    [ "$(quiet --ab --burn-in 3000 --format json ab.dq | jq -c '[.lower, .p, .verdict]')" = '[null,1,"open"]' ]
}

@test "A/B: units are users, requests or rows; rows go by their time; what has no model or reward is left out" {
    ab_log 600 0.05
    for unit in user request row; do quiet --ab --unit $unit --look 200 ab.dq > $unit; done # a user a row, a request a row
    diff user request
    diff user row
    shuf --random-source=<(yes) ab.jsonl > mixed.jsonl
    dq-export --quiet --interactions mixed.jsonl -o mixed.dq
    quiet --ab --against A --look 200 mixed.dq | diff - <(quiet --ab --against A --look 200 ab.dq)
    # one user's rows count once, with their mean
    sed 's/"u[0-9]*\([0-9]\)"/"u\1"/' ab.jsonl > ten.jsonl
    dq-export --quiet --interactions ten.jsonl -o ten.dq
    run -0 --separate-stderr dq-eval --ab --burn-in 2 --format tsv ten.dq
    [ "$(cut -f 4,5 <<< "${lines[1]}")" = $'10\t10' ]
    [[ $stderr == *"10 units met more than one model, and count for each of them"* ]]
    { cat ab.jsonl; printf '{"user":"x","item":"i","reward":1}\n{"user":"y","item":"i","model":"A"}\n'; } > more.jsonl
    dq-export --quiet --interactions more.jsonl -o more.dq
    run -0 --separate-stderr dq-eval --ab --look 300 more.dq
    [[ $stderr == *"1 rows without a model are left out"*"1 rows without a reward are left out"* ]]
    sed 's/,"time":[0-9]*//; s/,"request":"[^"]*"//' ab.jsonl > bare.jsonl
    dq-export --quiet --interactions bare.jsonl -o bare.dq
    run -1 quiet --ab --unit request bare.dq
    [[ $output == *"row 1 has no request (--unit)"* ]]
    run -0 --separate-stderr dq-eval --ab --look 300 bare.dq
    [[ $stderr == *"not every row has a time 'time': looks follow the order of the stream"* ]]
    run -1 quiet --ab <(dq-export --quiet --interactions <(grep '"A"' ab.jsonl) 2> /dev/null)
    [[ $output == *"every row was chosen by A: nothing to compare"* ]]
}

@test "sample sizes: Cohen's table, the paired test, the way back" {
    [ "$(quiet --sample-size --effect 0.5 --format tsv | cut -f 1,2 | tr '\n\t' ' /')" = "design/units paired/34 two samples/64 " ]
    [ "$(quiet --sample-size --effect 0.2 --format tsv | column units | tr '\n' ' ')" = "199 394 " ]
    [ "$(quiet --sample-size --effect 5 --sd 10 --power 0.9 --confidence 0.99 --format tsv | column units | tail -1)" = 121 ] # G*Power
    # differences of correlated values vary less
    near "$(quiet --sample-size --effect 1 --correlation 0.92 --format tsv | column sd | head -1)" 0.4 1e-12
    near "$(quiet --sample-size --units 64 --format tsv | column effect | tail -1)" 0.4992 0.0005
    run -2 dq-eval --sample-size
    [[ "${output% (try *)}" == *"needs --effect X, to find units for, or --units N, to find an effect for" ]]
    run -2 dq-eval --sample-size --effect 1 --units 3
    run -1 dq-eval --sample-size --effect 1e-9
}

@test "every table in every form" {
    printf 'system\tunit\tmeasure\tvalue\n%s' $'a|_b\t1\t50%, "x"\t1\na|_b\t2\t50%, "x"\t2\nc\t1\t50%, "x"\t1.5\nc\t2\t50%, "x"\t1e-3\n' > odd.tsv
    how=(--paired --resamples 100 odd.tsv)
    quiet "${how[@]}" --format csv | python3 -c 'import csv, sys
rows = list(csv.DictReader(sys.stdin)); assert len(rows) == 1 and rows[0]["b"] == "a|_b" and rows[0]["measure"] == "50%, \"x\"" and float(rows[0]["difference"]) == -0.7495'
    quiet "${how[@]}" --format json | jq -e '.b == "a|_b" and .n == 2 and .difference == -0.7495 and .g == null'
    quiet "${how[@]}" --format markdown > got
    [ "$(sed -n 3p got | cut -d ' ' -f 1-9)" = '| c | a\|\_b | 50%, "x" | 2' ]
    [ "$(grep -c '^|.*|$' got)" = 3 ]
    quiet "${how[@]}" --format latex > got
    [ "$(sed -n 2p got)" = '\begin{tabular}{lllrrrrrrrrr}' ]
    [[ "$(sed -n 6p got)" == 'c & a\textbar{}\_b & 50\%, "x" & 2 & 0.7505 & 1.500 & $-$0.7495 & '*' \\' ]]
    quiet "${how[@]}" > got
    [ "$(wc -l < got)" = 2 ]
    # the other modes' tables: the rows of their tsv
    for form in csv latex markdown; do
        quiet --qrels "$fixtures"/qrels --run "$fixtures"/run -m map -q --format $form > got
        [ "$(grep -c map got)" -ge 20 ]
        ab_log 50 0
        quiet --traffic ab.dq --format $form | grep -q 'click.*rate'
        quiet --rollout --env sequence --model random --episodes 3 --format $form | grep -q random
        printf '{"episode":%d,"return":%d}\n' 1 3 2 4 > log.jsonl
        quiet --curves --format $form log.jsonl | grep -q return
    done
    quiet --curves --format json log.jsonl | jq -se 'map([.metric, .episode, .mean]) == [["return", 1, 3], ["return", 2, 4]]'
    diff <(quiet --qrels "$fixtures"/qrels --run "$fixtures"/run -m map -q --format csv | tr , '\t') <(quiet --qrels "$fixtures"/qrels --run "$fixtures"/run -m map -q --format tsv)
}
