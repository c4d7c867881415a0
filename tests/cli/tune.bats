#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-tune: the space, the searches, pruning, going on, and what it says of failures.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-optuna
    cd "$BATS_TEST_TMPDIR" || return 1
    PATH=$BUILD:$PATH
    # A trainer with a known optimum, x = 3, that improves over ten lines, and writes its options as a model.
    cat >trainer <<'END'
#!/bin/bash
x=0 bonus=0 lines=10 log= out=
while [ $# -gt 0 ]; do
    case $1 in
    --x=*) x=${1#*=} ;; --bonus=*) bonus=${1#*=} ;; --lines=*) lines=${1#*=} ;; --fold) fold=${2%/*}; shift ;;
    --log) log=$2; shift ;; -o) out=$2; shift ;; --fail) echo "trainer: it is broken" >&2; exit 1 ;;
    --usage) echo "trainer: --usage: no such option" >&2; exit 2 ;;
    --hang) hang=1 ;;
    esac
    shift
done
if [ -n "${hang-}" ] && [ "$x" = 2 ] && [ ! -e unhung ]; then
    touch hung
    exec sleep 600
fi
awk -v x="$x" -v b="$bonus" -v f="${fold:-0}" -v n="$lines" \
    'BEGIN { for (i = 1; i <= n; i++) printf "{\"score\":%.6f,\"empty\":null}\n", (10 - (x - 3)^2 + b + f / 10) * i / n }' >"$log"
echo "x=$x bonus=$bonus" >"$out"
END
    chmod +x trainer
}

tune() { dq-tune -q --metric score "$@"; }

@test "a grid tries every point once, best first, and keeps the best model" {
    tune --by grid --option 'x=1|2|3|4' --option 'bonus=0|5' --prune none -o best -- ./trainer >table
    [ "$(wc -l <table)" -eq 9 ]
    [ "$(sed -n 1p table)" = $'trial\tstate\tscore\tx\tbonus' ]
    [ "$(sed -n 2p table | cut -f 2-)" = $'complete\t15\t3\t5' ]
    [ "$(cut -f 4,5 table | sort -u | wc -l)" -eq 9 ]
    [ "$(cat best)" = "x=3 bonus=5" ]
}

@test "the best model goes where -o says: a link stays, and what is no file is written to, not replaced" {
    ln -s made link
    mkfifo pipe
    tune --by grid --option 'x=2|3' --prune none -o link -- ./trainer >table
    [ -L link ]
    [ "$(cat made)" = "x=3 bonus=0" ]
    cat pipe >got &
    tune --by grid --option 'x=2|3' --prune none -o pipe -- ./trainer >table
    wait $!
    [ -p pipe ]
    cmp made got
    run -1 --separate-stderr tune --by grid --option 'x=2|3' --prune none -o none/best -- ./trainer
    [[ $stderr == "dq-tune: "*"none/best: No such file or directory" ]]
    [ -z "$(ls | grep -E '^(none|link[.]|made[.]|pipe[.])')" ]
}

@test "of equal values that comes first whose options do, and a trial is proposed by what came before it alone" {
    tune --by grid --option 'x=4|2' --prune none -- ./trainer >table
    [ "$(sed 1d table | cut -f 4 | paste -sd' ')" = "4 2" ]
    tune --option x=-20.0..20.0 --trials 14 -d whole -- ./trainer >whole.tsv
    tune --option x=-20.0..20.0 --trials 6 -d parts -- ./trainer >parts.tsv
    tune --option x=-20.0..20.0 --trials 14 -d parts -- ./trainer >parts.tsv
    cmp whole.tsv parts.tsv
}

@test "Bayesian optimisation comes near the optimum of a range, and the same way for the same seed" {
    tune --option x=-20.0..20.0 --trials 40 -d a -- ./trainer >a.tsv
    tune --option x=-20.0..20.0 --trials 40 -d b -- ./trainer >b.tsv
    cmp a.tsv b.tsv
    awk -F'\t' 'NR == 2 { exit !($3 > 8.5) }' a.tsv
    tune --option x=-20.0..20.0 --trials 40 -d c --seed 7 -- ./trainer >c.tsv
    run ! cmp -s a.tsv c.tsv
}

@test "integers, logarithms and random search" {
    tune --by random --option x=1..6 --option bonus=0.001..1.0:log --trials 30 --prune none -- ./trainer >table
    awk -F'\t' 'NR > 1 { if ($4 !~ /^[1-6]$/ || $5 < .001 || $5 > 1) exit 1; if ($5 < .03) small++ }
        END { exit !(NR == 31 && small > 5) }' table
}

@test "what falls behind is pruned, and stands last" {
    tune --by grid --option 'x=3|2|4|1|5|20|21|22' -- ./trainer >table
    awk -F'\t' '$2 == "pruned" { pruned++; if ($4 < 20) exit 1 } $2 == "complete" && pruned { exit 1 } END { exit !pruned }' table
}

@test "folds: each trial is the mean of its folds" {
    tune --by grid --option 'x=3' --folds 4 -o best -- ./trainer >table
    [ "$(sed -n 2p table | cut -f 3)" = 10.25 ]
    [ "$(ls tune/trial-00000/*.jsonl | wc -l)" -eq 4 ]
}

@test "--minimise and --take" {
    tune --by grid --option 'x=3|9' --minimise --take last --prune none -- ./trainer >table
    [ "$(sed -n 2p table | cut -f 3-)" = $'-26\t9' ]
    tune --by grid --option 'x=3' --option 'lines=4' --take last:2 -d two -- ./trainer >table
    [ "$(sed -n 2p table | cut -f 3)" = 8.75 ]
}

@test "jobs side by side try the same grid" {
    tune --by grid --option 'x=1|2|3|4|5|6' -j 3 --prune none -- ./trainer >table
    [ "$(tail -n +2 table | cut -f 4 | sort | tr '\n' ' ')" = "1 2 3 4 5 6 " ]
}

@test "an interrupted search ends its children, says how to go on, and goes on" {
    for signal in TERM HUP; do
        rm -rf tune hung unhung
        env --default-signal=HUP dq-tune -q --metric score --by grid --option 'x=1|2|3' --prune none -- ./trainer --hang >table 2>words &
        pid=$!
        until [ -e hung ]; do kill -0 $pid; done
        child=$(pgrep -P $pid)
        kill -$signal $pid
        code=0; wait $pid || code=$?
        [ $code -eq 75 ]
        grep -q "stopped after 1 trials; the same command goes on from tune" words
        [ ! -s table ]
        ! kill -0 "$child"
        touch unhung
        tune --by grid --option 'x=1|2|3' --prune none -- ./trainer --hang >table
        [ "$(tail -n +2 table | cut -f 4 | tr '\n' ' ')" = "3 2 1 " ]
    done
}

@test "a search that was killed goes on, and tries again what was cut off" {
    dq-tune -q --metric score --by grid --option 'x=1|2|3' --prune none -- ./trainer --hang >table &
    pid=$!
    until [ -e hung ]; do kill -0 $pid; done
    child=$(pgrep -P $pid)
    kill -KILL $pid
    wait $pid || true
    kill -KILL "$child"
    touch unhung
    tune --by grid --option 'x=1|2|3' --prune none -- ./trainer --hang >table
    [ "$(tail -n +2 table | cut -f 4 | tr '\n' ' ')" = "3 2 1 " ]
}

@test "another search in the same folder is refused" {
    tune --by grid --option 'x=1|2' -- ./trainer >/dev/null
    run -1 --separate-stderr tune --by grid --option 'x=1|3' -- ./trainer
    [[ $stderr == "dq-tune: tune: holds another search"* ]]
}

@test "a command that fails, a metric that is not there" {
    run -1 --separate-stderr tune --option 'x=1|2' -- ./trainer --fail
    [ "$stderr" = "dq-tune: ./trainer failed: trainer: it is broken" ]
    run -1 --separate-stderr tune --option 'x=1|2' -d other -- ./trainer --usage
    [ "$stderr" = "dq-tune: ./trainer failed: trainer: --usage: no such option" ]
    run -1 --separate-stderr dq-tune -q --option 'x=1|2' --metric empty -d third -- ./trainer
    [ "$stderr" = "dq-tune: third/trial-00000/run.jsonl: no line has a number 'empty'" ]
}

@test "usage errors are one line and exit 2" {
    for words in "--option x=1|2 -- ./trainer" "--metric score -- ./trainer" "--option x=1 --metric score" \
        "--option x --metric score -- ./trainer" "--option x=1..2:ln --metric score -- ./trainer" "--option x=1 --option x=2 --metric score -- ./trainer" \
        "--by grid --option x=1..2 --metric score -- ./trainer" "--take worst --option x=1 --metric score -- ./trainer" \
        "--by magic --option x=1 --metric score -- ./trainer" "--trials 0 --option x=1 --metric score -- ./trainer" \
        "--option x=1 --metric score -- ./no-such-program"; do
        run -2 --separate-stderr dq-tune $words
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "dq-tune: "* ]]
        [ -z "$output" ]
    done
}

@test "it searches dq-train's own options" {
    data=$BATS_TEST_DIRNAME/../../data/demo
    dq-export --users "$data/veterans.jsonl" --items "$data/jobs.jsonl" --interactions "$data/veterans-answers.jsonl" |
        dq-embed hash:16 | dq-reward --strategy logged -o t.dq
    dq-tune -q --by grid --option 'lr=1e-3|1e-5' --option 'hidden=16|8,8' --metric validation_concordance --prune none -o best.dq -- \
        dq-train --offline --world-hidden 4 --epochs 2 --validation .2 t.dq >table
    [ "$(wc -l <table)" -eq 5 ]
    [ "$(dq-cat --count best.dq | cut -f 1)" = model ]
}

@test "a preset: the defaults first, what was chosen beside them, and a model from which nothing is held out" {
    # x = 3 is best; of the preset's own options the trainer knows none.
    run --separate-stderr dq-tune --preset offline --metric score --option 'x=1|3|5' --trials 8 --folds 2 -o best -- ./trainer
    [ "$(head -1 <<<"$output")" = $'trial\tstate\tscore\tx\tloss\thidden\tfactored\tlr\tweight-decay\tinput-dropout\tdirect-start\tlist-temperature\tbatch' ]
    grep -q $'^0\tcomplete\t6.15\t1\tsoftmax\t48\t128\t2e-3\t1e-2\t0.2\t2\t1\t128$' <<<"$output"
    [[ $stderr == *"dq-tune: chosen: --x=3"*": score 10.15, with the defaults 6.15; better on 2 of 2 folds"* ]]
    [ "$(cat best)" = "x=3 bonus=0" ]
    [ -e tune/refit.jsonl ]
    run --separate-stderr dq-tune --preset offline --metric score --option 'x=3|1' --trials 3 --folds 1 -d other -- ./trainer
    [[ $stderr == *"dq-tune: the defaults stay: score 10, the best of 3" ]]
    # What is no better than the defaults is not chosen.
    run --separate-stderr dq-tune --preset offline --metric score --option 'x=5|1' --option 'batch=64|128' --trials 6 --folds 1 -d equal -- ./trainer
    [[ $stderr == *"dq-tune: the defaults stay: score 6, the best of 6" ]]
    run -2 --separate-stderr dq-tune --preset online -- ./trainer
    [[ $stderr == *"--preset: 'online' is not one of offline"* ]]
}

@test "the preset of --offline begins with its defaults, and is judged on groups that are held out" {
    sh "$BATS_TEST_DIRNAME"/../fixtures/world.sh 40 50
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl | dq-reward --strategy logged -o l.dq
    train=(dq-train --offline --no-world --epochs 2 --validate-by household l.dq)
    dq-tune -q --preset offline --trials 3 --folds 2 -o best.dq -- "${train[@]}" >table
    [ "$(wc -l <table)" -eq 4 ]
    [ "$(jq -s 'map(.validation_ndcg) | length' tune/trial-00000/fold-2.jsonl)" -eq 2 ]
    options=$(awk -F'\t' 'NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i }
        $1 == "0" { for (i = 4; i <= NF; i++) printf " --%s=%s", name[i], $i }' table)
    "${train[@]}" -q -o plain.dq
    "${train[@]}" $options -q -o said.dq
    cmp <(dq-cat --kind model plain.dq) <(dq-cat --kind model said.dq)
    best=$(awk -F'\t' 'NR == 1 { for (i = 4; i <= NF; i++) name[i] = $i }
        NR == 2 { for (i = 4; i <= NF; i++) printf " --%s=%s", name[i], $i }' table)
    "${train[@]}" $best -q -o again.dq
    cmp <(dq-cat --kind model best.dq) <(dq-cat --kind model again.dq)
}
