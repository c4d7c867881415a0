#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --ope: a policy judged from the log of another.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    obd=$BATS_TEST_DIRNAME/../../../shared/data/obd
    # weights of the uniform target over a, b: 0.5 / propensity = 1, 2, 1, 0.625
    cat > rows.jsonl <<-'END'
	{"user":"u1","item":"a","reward":1,"propensity":0.5,"position":1,"request":"r1","t":0.9,"all":{"a":0.9,"b":0.1},"q_logged":0.5,"q_target":0.25}
	{"user":"u1","item":"b","reward":0,"propensity":0.25,"position":2,"request":"r1","t":0.25,"all":{"a":0.75,"b":0.25},"q_logged":0.25,"q_target":0.25}
	{"user":"u2","item":"b","reward":1,"propensity":0.5,"position":1,"request":"r2","t":0,"all":{"a":1},"q_logged":0.5,"q_target":0.5}
	{"user":"u2","item":"a","reward":0,"propensity":0.8,"position":2,"request":"r2","t":0.4,"all":{"a":0.4,"b":0.6},"q_logged":0,"q_target":0.5}
	END
    printf '{"id":"u1","vector":[1,0]}\n{"id":"u2","vector":[0,1]}\n' > users.jsonl
    printf '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[0.5,1]}\n' > items.jsonl
    export_log rows.jsonl > log.dq
    "$BUILD"/dq-export -q --interactions rows.jsonl > bare.dq
    printf 'u1 Q0 a 1 3 x\nu1 Q0 b 2 2 x\nu2 Q0 b 1 3 x\nu2 Q0 a 2 2 x\n' > run
}

export_log() { "$BUILD"/dq-export -q --users users.jsonl --items items.jsonl --interactions "$@"; }

judge() { "$BUILD"/dq-eval --quiet --resamples 100 --format tsv --ope "$@"; }

# The values of a column, a line an estimator.
column() { awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) k = i } NR > 1 { printf "%.12g\n", $k }'; }

fails() { # exit status, words in its one line, command...
    local status_wanted=$1 words=$2
    shift 2
    run -"$status_wanted" --separate-stderr "$@" < /dev/null
    [ "$output" = "" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == *"$words"* ]] || { echo "$stderr"; return 1; }
}

refused() { fails 2 "$1" "$BUILD"/dq-eval --quiet "${@:2}"; }
failed() { fails 1 "$1" "$BUILD"/dq-eval --quiet "${@:2}"; }

@test "four rows by hand: the uniform target" {
    judge log,ips,snips --target uniform log.dq > out
    [ "$(column value < out | xargs)" = "0.5 0.5 0.432432432432" ] # 2 / 4, (1 + 1) / 4, 2 / 4.625
    [ "$(column ess < out | xargs)" = "3.34718826406 3.34718826406 3.34718826406" ] # 4.625^2 / 6.390625
    [ "$(column max_weight < out | sort -u)" = 2 ]
    [ "$(column unsupported < out | sort -u)" = 0 ]
    [ "$(head -1 out | tr '\t' ' ')" = "estimator value se lower upper ess max_weight unsupported bernstein_lower bernstein_upper bound" ]
}

@test "models of rewards by hand: columns of the log, and the table" {
    judge dm,dr --target uniform --reward-model column:q log.dq > out
    # dr: 0.375 + (1 * 0.5 - 2 * 0.25 + 1 * 0.5 - 0) / 4
    [ "$(column value < out | xargs)" = "0.375 0.5" ]
    judge dm,dr,switch-dr,dr-os --target uniform --reward-model column:q --switch-tau 1.5 --shrinkage 0 log.dq > out
    [ "$(column value < out | xargs)" = "0.375 0.5 0.625 0.375" ]
    judge dm --target uniform --reward-model table log.dq > out
    # place 1: a 2/3, b 2/3; place 2: a 1/3, b 1/3
    [ "$(column value < out)" = 0.5 ]
}

@test "the target's probabilities in the log: of what was logged, and of all items" {
    judge ips,snips --target column:t log.dq > numbers
    judge ips,snips --target column:all log.dq | cut -f 1-7 > objects
    [ "$(column value < numbers | head -1)" = 0.45 ] # 0.9 / 0.5 / 4
    cut -f 1-7 numbers | diff - objects
    judge dm --target column:all --reward-model table log.dq > out
    [ "$(column value < out)" = 0.5 ]
    judge ips --target column:t < log.dq | diff <(judge ips --target column:t log.dq) -
}

@test "a ranking is taken place by place, with epsilon, and by softmax" {
    judge ips --target ranking:run log.dq > out
    [ "$(column value < out)" = 1 ] # a, b, b, a: all are taken: (2 + 0 + 2 + 0) / 4
    judge ips --target ranking:run --epsilon 0.5 log.dq > out
    [ "$(column value < out)" = 0.75 ]
    judge ips --target ranking:run --softmax 1 log.dq > out
    awk 'BEGIN { p = 1 / (1 + exp(-1)); printf "%.12g\n", (p / 0.5 + p / 0.5) / 4 }' | diff - <(column value < out)
    judge ips --target ranking:run log.dq > all
    judge ips --target ranking:<("$BUILD"/dq-rank -q --by cosine -k 2 log.dq) log.dq > streamed
    judge ips --target model:cosine log.dq | diff - streamed
}

@test "a model is a target: its lists are those of dq-rank" {
    "$BUILD"/dq-reward -q --strategy cosine log.dq --compare vector:vector | "$BUILD"/dq-train -q --offline --epochs 1 --hidden 4 > model.dq
    "$BUILD"/dq-rank -q --model model.dq -k 2 --format trec log.dq > lists
    for i in $(seq 12); do cat rows.jsonl; done > many.jsonl
    export_log many.jsonl > many.dq
    judge ips,dr --target model:model.dq many.dq | diff - <(judge ips,dr --target ranking:lists many.dq)
    # one that has only what differs from its start, where it stands
    "$BUILD"/dq-train -q --each-user --init model.dq --train-last 1 --save delta --models-dir agents --reward cosine --compare vector:vector --batch 4 \
        --warmup 5 --replay 50 --episodes 2 --steps 10 log.dq
    delta=$(ls agents/*.dq | head -1)
    "$BUILD"/dq-cat --start model.dq --to stream "$delta" > whole.dq
    judge ips,dr --target model:"$delta" many.dq | diff - <(judge ips,dr --target model:whole.dq many.dq)
    judge ips,dr --target model:model.dq --softmax 0.5 --epsilon 0.1 many.dq > out
    judge ips,dr --target ranking:lists --softmax 0.5 --epsilon 0.1 many.dq > lists.out
    paste <(column value < out) <(column value < lists.out) | awk '{ if (($1 - $2) ^ 2 > 1e-12) exit 1 }'
}

@test "sessions by hand: requests and users" {
    judge pdis,wis,wpdis --session request --target uniform log.dq > out
    # of a request what is left is drawn: weights 1, then 1 / 0.25; 1, then 1 / 0.8; rewards come first
    [ "$(column value < out | xargs)" = "1 1 1" ]
    [ "$(column max_weight < out | sort -u)" = 4 ]
    judge pdis --session user --gamma 0 --target uniform log.dq > out
    [ "$(column value < out)" = 1 ]
    awk 'NR != 2' rows.jsonl > torn.jsonl && awk 'NR == 2' rows.jsonl >> torn.jsonl
    export_log torn.jsonl > torn.dq
    failed "the rows of 'r1' do not stand together" --ope pdis --session request --target uniform torn.dq
    for i in $(seq 201); do echo '{"user":"u1","item":"a","reward":1,"propensity":0.5}'; done > long.jsonl
    export_log long.jsonl > long.dq
    failed "a session of more than 200 rows" --ope pdis --session user --target uniform long.dq
    failed "no column request" --ope pdis --session request --target uniform long.dq
    refused "file" --ope ips --target uniform -
    judge pdis --session request --target uniform log.dq > out
    judge pdis --session request --target ranking:run --epsilon 1 log.dq | diff out -
    judge pdis --session request --target ranking:run log.dq | cut -f 2 > greedy
    judge pdis --session request --target ranking:run --softmax 1e-4 log.dq | cut -f 2 | diff greedy -
    tac rows.jsonl > upside.jsonl
    export_log upside.jsonl > upside.dq
    failed "row 1 of a request has position 2" --ope pdis --session request --target uniform upside.dq
    jq -c 'if .item == "b" then del(.request) else . end' rows.jsonl > torn.jsonl
    export_log torn.jsonl > torn.dq
    failed "has no request" --ope pdis --session request --target uniform torn.dq
    jq -c 'if .position == 1 then .user = "u3" else . end' rows.jsonl > two.jsonl
    echo '{"id":"u3","vector":[1,1]}' >> users.jsonl
    for k in {0..399}; do echo "{\"id\":\"u$k\",\"vector\":[1]}"; done > users.jsonl
    printf '{"id":"%s","vector":[1]}\n' a b > items.jsonl
    export_log two.jsonl > two.dq
    failed "and users without" --ope pdis --session request --target ranking:run two.dq
}

@test "who drew the lists is judged by his own log: every weight is 1" {
    for i in $(seq 60); do echo "{\"id\":\"u$i\",\"vector\":[$((i % 7)),$((i % 5 - 2))]}"; done > users.jsonl
    for i in $(seq 9); do echo "{\"id\":\"i$i\",\"vector\":[$((i % 4)),$((i % 3 - 1))]}"; done > items.jsonl
    "$BUILD"/dq-export -q --users users.jsonl --items items.jsonl > catalogue.dq
    for how in "--softmax 0.5" "--epsilon 0.3"; do
        # shellcheck disable=SC2086 # two words
        "$BUILD"/dq-rank -q --by cosine -k 4 $how --format jsonl catalogue.dq > served.jsonl
        jq -r '[.request, .item] | @csv' served.jsonl | awk 'BEGIN { print "request,item" } NR % 3 == 0' > clicks.csv
        export_log served.jsonl --columns position=rank --feedback clicks.csv > served.dq
        # shellcheck disable=SC2086
        judge pdis,wpdis,wis --session request --target model:cosine $how served.dq > out
        [ "$(column value < out | awk '{ print int($1 * 1e5 + 0.5) }' | sort -u)" = 133333 ] # 80 clicks of 60 requests
        column ess < out | awk '($1 - 60) ^ 2 > 1e-6 { exit 1 }'
        column max_weight < out | awk '($1 - 1) ^ 2 > 1e-9 { exit 1 }'
    done
    judge pdis --session request --target uniform served.dq > out
    column ess < out | awk '{ exit !($1 < 30) }'
}

@test "transitions are a log: episodes of an environment, and actions that have numbers alone" {
    "$BUILD"/dq-sim -q films:steps=20 --play 50 > films.dq
    judge log,pdis,wis --session episode --target uniform films.dq > out
    column value < out | awk 'NR == 1 { log_value = $1 } NR > 1 && ($1 - 20 * log_value) ^ 2 > 1e-9 { exit 1 }' # any action was taken
    "$BUILD"/dq-sim -q chain --play 20 > chain.dq
    run --separate-stderr "$BUILD"/dq-eval --ope log,ips --target uniform --format tsv chain.dq
    [[ $stderr == *"the 2 items are those of the log"* ]]
    [ "$(printf '%s\n' "$output" | column value | sort -u | wc -l)" -eq 1 ]
    failed "no column request" --ope pdis --session request --target uniform chain.dq
    jq -c 'if .item == "b" then del(.reward) else . end' rows.jsonl > some.jsonl
    export_log some.jsonl > some.dq
    failed "a session needs all of its rows" --ope pdis --session request --target uniform some.dq
}

@test "propensities are estimated by counts: then the log's own policy is the uniform one here" {
    judge ips,log --target uniform --propensity estimated log.dq > out
    [ "$(column value < out | xargs)" = "0.5 0.5" ]
    jq -c 'del(.propensity)' rows.jsonl > without.jsonl
    export_log without.jsonl > without.dq
    judge ips,log --target uniform --propensity estimated without.dq | diff - out
    judge ips --target uniform --propensity estimated --propensity-model logistic without.dq > out
    column value < out | awk '{ exit !($1 > 0.2 && $1 < 0.8) }'
    failed "no column propensity" --ope ips --target uniform without.dq
    refused "--propensity-model" --ope ips --target uniform --propensity-model logistic log.dq
}

@test "an untrustworthy estimate is an error where that is asked for" {
    judge ips --target uniform --min-ess 3 log.dq > out
    failed "effective sample size of 3.3" --ope ips --target uniform --min-ess 4 log.dq
    # an estimator without weights has no such size
    judge log,ips --target uniform --min-ess 3 log.dq > out
    judge log,dm --reward-model table --target uniform log.dq > out
    failed "ips has an effective sample size of" --ope log,ips --target uniform --min-ess 4 log.dq
    judge log,wis --session request --target uniform --min-ess 1 log.dq > out
    refused "--min-ess has no effect: no weight enters log,dm" --ope log,dm --reward-model table --target uniform --min-ess 4 log.dq
    judge ips --target uniform --require-support log.dq > out
    echo '{"id":"c","vector":[1,1]}' >> items.jsonl
    export_log rows.jsonl > more.dq
    judge ips --target uniform more.dq > out
    [ "$(column unsupported < out)" = 0.333333333333 ]
    failed "33.33 % of the target's choices are never in the log" --ope ips --target uniform --require-support more.dq
    refused "--require-support needs" --ope ips --target column:t --require-support log.dq
    failed "all weights are 0" --ope snips --target column:t <(head -3 rows.jsonl | tail -1 > one.jsonl; export_log one.jsonl)
}

@test "what is left out is said" {
    jq -c 'if .position == 2 then del(.reward) else . end' rows.jsonl > some.jsonl
    echo '{"user":"u1","item":"a","reward":1,"position":1}' >> some.jsonl
    echo '{"user":"u3","item":"a","reward":1,"position":1,"propensity":1}' >> some.jsonl
    echo '{"id":"u3","vector":[1,1]}' >> users.jsonl
    export_log some.jsonl > some.dq
    run --separate-stderr "$BUILD"/dq-eval --ope ips --target ranking:run some.dq
    [[ $stderr == *"2 rows, whose weights"* ]]
    [[ $stderr == *"2 rows without a reward are left out"* ]]
    [[ $stderr == *"1 rows without a propensity are left out"* ]]
    [[ $stderr == *"1 rows of users for whom the target has no list are left out"* ]]
    run --separate-stderr "$BUILD"/dq-eval --ope ips --target uniform bare.dq
    [[ $stderr == *"the 2 items are those of the log (--catalogue)"* ]]
}

@test "labels are rewards through --map" {
    jq -c '.label = if .reward == 1 then "YES" else "NO" end | del(.reward)' rows.jsonl > labels.jsonl
    export_log labels.jsonl > labels.dq
    judge ips --target uniform --map YES=1,NO=0 labels.dq | diff - <(judge ips --target uniform log.dq)
}

@test "one reading is enough where the items are known, more than one needs a file" {
    judge ips,snips --target uniform log.dq > file
    judge ips,snips --target uniform --catalogue log.dq < log.dq | diff file -
    refused "it has to be a file, or --catalogue" --ope ips --target uniform
    refused "it has to be a file" --ope dr --reward-model table --target uniform --catalogue log.dq
    refused "it has to be a file" --ope ips --propensity estimated --target uniform --catalogue log.dq
    cat log.dq | judge slope --target uniform --catalogue log.dq > out
}

@test "blocks of the stream, and threads, do not change an estimate; a seed decides the intervals" {
    judge ips,dr --reward-model table --target uniform log.dq > whole
    cat <(head -2 rows.jsonl | "$BUILD"/dq-export -q --interactions /dev/stdin) \
        <(tail -2 rows.jsonl > rest.jsonl; export_log rest.jsonl) > parts.dq
    judge ips,dr --reward-model table --target uniform parts.dq | diff whole -
    judge ips,dr --reward-model table --target uniform --threads 3 log.dq | diff whole -
    judge ips,dr --reward-model table --target uniform --seed 7 log.dq | cut -f 1-3 | diff <(cut -f 1-3 whole) -
}

@test "json has null for what there is not, a table has a dash" {
    "$BUILD"/dq-eval --quiet --ope ips --target column:t --format json log.dq > out
    jq -e '.estimator == "ips" and .value == 0.45 and .unsupported == null and .bound == null' out
    "$BUILD"/dq-eval --quiet --ope ips --clip 1 --target uniform log.dq > table
    grep -Eq '^ips +0\.5 .* 1$' table
}

@test "options that say nothing here, and values that are none, are refused in one line" {
    refused "--target is needed" --ope ips log.dq
    refused "--target all:" --ope ips --target all log.dq
    refused "--target ranking:" --ope ips --target ranking: log.dq
    refused "there is no estimator 'ipw'" --ope ips,ipw --target uniform log.dq
    refused "SLOPE chooses" --ope slope:dm --target uniform log.dq
    refused "--reward-model belongs to" --ope ips --reward-model table --target uniform log.dq
    refused "--reward-model forest:" --ope dm --reward-model forest --target uniform log.dq
    refused "--epsilon and --softmax belong to" --ope ips --epsilon 0.1 --target uniform log.dq
    refused "--epsilon and --softmax belong to" --ope ips --softmax 1 --target column:t log.dq
    refused "--clip belongs to" --ope dm --clip 2 --target uniform --reward-model table log.dq
    refused "--switch-tau belongs to" --ope ips --switch-tau 2 --target uniform log.dq
    refused "--shrinkage belongs to" --ope ips --shrinkage 2 --target uniform log.dq
    refused "--slope-grid belongs to" --ope ips --slope-grid 2 --target uniform log.dq
    refused "ascending numbers" --ope slope --slope-grid 2,1 --target uniform log.dq
    refused "ascending numbers" --ope slope --slope-grid 1,,2 --target uniform log.dq
    refused "ascending numbers" --ope slope --slope-grid 0 --target uniform log.dq
    refused "need one another" --ope pdis --target uniform log.dq
    refused "need one another" --ope ips --session user --target uniform log.dq
    refused "--gamma belongs to" --ope ips --gamma 0.5 --target uniform log.dq
    refused "--catalogue: nothing" --ope ips --target column:t --catalogue log.dq log.dq
    refused "stdin can be read only once" --ope ips --target uniform --catalogue -
    refused "stdin can be read only once" --ope ips --target ranking:- --catalogue log.dq
    refused "trec" --ope ips --target uniform --format trec log.dq
    refused "--ope" --qrels x --target uniform
    refused "--map" --ope ips --target uniform --map A log.dq
}

@test "logs that cannot be judged fail in one line" {
    failed "have neither a column x nor an attribute" --ope ips --target column:x log.dq
    failed "have neither a column x_logged" --ope dm --reward-model column:x --target uniform log.dq
    failed "the column request is not of numbers" --ope ips --target column:request log.dq
    jq -c '.t = 1.5' rows.jsonl > high.jsonl
    failed "no probability" --ope ips --target column:t <(export_log high.jsonl)
    jq -c '.t = "x"' rows.jsonl > word.jsonl
    failed "is not a finite number" --ope ips --target column:t <(export_log word.jsonl)
    jq -c '.all = {"a":0.9,"b":0.9}' rows.jsonl > over.jsonl
    failed "add up to 1.8" --ope ips --target column:all <(export_log over.jsonl)
    jq -c '.all = {"z":0.9}' rows.jsonl > other.jsonl
    export_log other.jsonl > other.dq
    failed "takes 'z', which is not among the items" --ope dm --reward-model table --target column:all other.dq
    failed "more than 32 rows, and there are 4" --ope dm --target uniform log.dq
    jq -c '.all = {"a":0.5}' rows.jsonl > part.jsonl
    export_log part.jsonl > part.dq
    failed "add up to 0.5" --ope dm --reward-model table --target column:all part.dq
    jq -c '.propensity = if .t == 0 then 0.5 else null end | .user = "u2"' rows.jsonl > null.jsonl
    export_log null.jsonl > null.dq
    failed "0 have no reward, 3 no propensity, and of 1 the user" --ope ips --target ranking:<(head -2 run) null.dq
    failed "needs the target's probabilities of all items" --ope dm --reward-model table --target column:t log.dq
    printf 'u1 Q0 z 1 3 x\n' > strange
    failed "takes 'z', which is not among the items" --ope ips --target ranking:strange log.dq
    printf 'u1 Q0 a 1 3 x\n' > short
    failed "shows an item at position 2, and the target's list ends at 1" --ope ips --target ranking:short log.dq
    jq -c '.reward = 3' rows.jsonl > three.jsonl
    export_log three.jsonl > three.dq
    failed "wants rewards in [0, 1]" --ope dm --reward-model table --target uniform three.dq
    failed "wants rewards in [0, 1]" --ope dm --reward-model logistic --target uniform three.dq
    failed "neither users nor items have vectors" --ope dm --target uniform bare.dq
    jq -c 'if .item == "b" then del(.position) else . end' rows.jsonl > places.jsonl
    failed "has no position, others have" --ope ips --target column:t <(export_log places.jsonl)
    "$BUILD"/dq-export -q --users users.jsonl --items items.jsonl > none.dq
    failed "no interactions" --ope ips --target uniform none.dq
    failed "there are no items in it" --ope ips --target uniform --catalogue bare.dq log.dq
    echo '{"user":"u1","item":"zz","reward":1,"propensity":0.5,"position":1}' >> rows.jsonl
    "$BUILD"/dq-export -q --interactions rows.jsonl > strange.dq
    failed "the catalogue has no item 'zz'" --ope ips --target uniform --catalogue log.dq strange.dq
    failed "nowhere" --ope ips --target uniform --catalogue nowhere log.dq
}

@test "the Open Bandit Dataset: what its own library estimates, to the digit" {
    [ -d "$obd" ] || skip "../shared/data/obd is not here"
    python3 "$BATS_TEST_DIRNAME"/ope_reference.py "$BUILD" "$obd"
}

@test "the Open Bandit Dataset by its schema: effective sample size and largest weight" {
    [ -d "$obd" ] || skip "../shared/data/obd is not here"
    "$BUILD"/dq-export -q --schema obd "$obd"/bts_men.csv.zst --items "$obd"/bts_item_context_men.csv -o bts.dq
    judge ips,snips,dr,slope --target uniform bts.dq > out
    [ "$(column value < out | head -2 | xargs)" = "0.00300862632726 0.00318942316228" ]
    [ "$(column ess < out | sort -u)" = 655.709849587 ]
    [ "$(column max_weight < out | sort -u)" = 178.25311943 ]
    [ "$(column bound < out | tail -1)" = 1 ] # a warning, not a recommendation
}

@test "--require-better: the first target's lower bound is above the second's value, or that is an error" {
    awk 'BEGIN { srand(5); for (k = 0; k < 400; k++) { a = rand() < 0.5 ? "a" : "b"
        printf "{\"user\":\"u%d\",\"item\":\"%s\",\"reward\":%d,\"propensity\":0.5}\n", k, a, rand() < (a == "a" ? 0.6 : 0.3) } }' > two.jsonl
    for k in {0..399}; do echo "{\"id\":\"u$k\",\"vector\":[1]}"; done > users.jsonl
    printf '{"id":"%s","vector":[1]}\n' a b > items.jsonl
    export_log two.jsonl > two.dq
    awk 'BEGIN { for (k = 0; k < 400; k++) printf "u%d Q0 a 1 1 a\n", k }' > a.run
    sed 's/ a 1 1 a/ b 1 1 b/' a.run > b.run
    run -0 --separate-stderr "$BUILD"/dq-eval --ope snips --require-better --target ranking:a.run --target ranking:b.run two.dq
    [[ "${stderr_lines[-1]}" == "dq-eval: snips 0."*" is above 0."*" of ranking:b.run" ]]
    for other in a b; do # the table is there all the same
        run -1 --separate-stderr "$BUILD"/dq-eval --quiet --ope snips --require-better --target ranking:$other.run --target ranking:a.run two.dq
        [ "${#lines[@]}" = 3 ]
        [[ "$stderr" == "dq-eval: snips 0."*" is not above 0."*" of ranking:a.run (--require-better)" ]]
    done
    refused "--require-better needs two --targets" --ope snips --require-better --target ranking:a.run two.dq
}
