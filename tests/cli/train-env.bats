#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --env and --env-cmd, and dq-eval --rollout --env: what they learn and write, that a process and the same
# environment in process are one, and that an interruption changes nothing.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"
source "$BATS_TEST_DIRNAME/../last.bash"

setup() {
    needs python3-msgpack python3-numpy python3-xxhash python3-zstandard
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    export PATH=$BUILD:$PATH
}

toy="/usr/bin/python3 $BATS_TEST_DIRNAME/../services/toy_env.py"
short=(--quiet --warmup 100 --batch 16 --hidden 16 --epsilon-over 300)

train() { last dq-train "${short[@]}" "$@"; }

# The rows of a stream, without its makers.
rows() { dq-cat "$1" | tail -n +2; }

# interrupted OPTION...: again and again, each time stopped a little later, until it ends by itself.
interrupted() {
    local turns=20 rc=75 pid i
    stops=0
    while [ "$rc" = 75 ] && [ "$stops" -lt 60 ]; do
        dq-train "${short[@]}" "$@" 2> said &
        pid=$!
        for ((i = 0; i < turns; i++)); do kill -0 "$pid" 2> /dev/null || break; done
        kill -TERM "$pid" 2> /dev/null || true # at a moment that nobody chose
        rc=0
        wait "$pid" || rc=$?
        [ "$rc" != 143 ] || rc=75 # before there was anything to keep
        turns=$((turns * 3 / 2))
        stops=$((stops + 1))
    done
    return "$rc"
}

@test "every environment trains a network; what it counts is in the log" {
    for kind in session:items=20,users=5 sequence films maze:steps=50 chain cartpole graph linear; do
        train --env "$kind" --total-steps 400 -l log -o m.dq
        dq-cat --check m.dq
        jq -es 'map(.episode) == [range(1; length + 1)] and length > 0 and (.[-1].total_steps <= 400)' log
    done
    train --env session:items=20 --total-steps 400 -l log -o m.dq
    jq -es 'all(.steps == 10 and .clicks <= 10 and .repeats <= 9 and .["return"] < 10.001)' log
    jq -es '.[0].q_loss == null and .[-1].q_loss != null and .[-1].gradient > 0 and .[-1].epsilon < 1' log
}

@test "the same seed gives the same model and log, by any number of threads; another seed does not" {
    train --env films --total-steps 500 --envs 3 -t 1 -l a.log -o a.dq
    train --env films --total-steps 500 --envs 3 -t 2 -l b.log -o b.dq
    cmp a.log b.log
    cmp a.dq b.dq
    train --env films --total-steps 500 --envs 3 --seed 7 -l c.log -o c.dq
    run ! cmp -s a.log c.log
}

@test "a process is the same environment: dq-sim --serve" {
    for kind in cartpole session:items=20,bonus=0.5 sequence:change=5; do
        train --env "$kind" --total-steps 600 --envs 3 --evaluate 10 --evaluate-episodes 4 -l a.log -o a.dq
        train --env-cmd "dq-sim $kind --serve" --total-steps 600 --envs 3 --evaluate 10 --evaluate-episodes 4 -l b.log -o b.dq
        jq -c 'select(.evaluation | not)' a.log > a.episodes
        jq -c 'select(.evaluation | not)' b.log | diff a.episodes -
        [ "$(rows a.dq)" = "$(rows b.dq)" ]
    done
    train --env cartpole --total-steps 600 --evaluate 10 -l a.log -o a.dq
    train --env-cmd "dq-sim cartpole --serve" --total-steps 600 --evaluate 10 -l b.log -o b.dq
    cmp a.log b.log
}

@test "a process in Python is learnt from, and judged" {
    train --env-cmd "$toy" --episodes 150 --envs 2 --evaluate 50 -l log -o toy.dq
    jq -es 'map(select(.evaluation)) | length == 3 and .[-1].evaluation_return == 1 and .[-1].evaluation_steps < 5' log
    dq-eval --rollout --env-cmd "$toy" --model random --model toy.dq --episodes 40 --format json > judged
    jq -es '.[1].mean == 1 and .[1].steps < 5 and .[0].mean < 1 and .[0].steps > .[1].steps' judged
}

@test "tabular agents solve the sequence and the maze, by their presets" {
    dq-train -q --preset sequence -l log -o t.dq
    jq -es 'length == 115 and (.[10:15] | map(.success) | add) >= 3 and (.[-20:] | map(.success) | add) >= 18' log
    dq-eval --rollout --env sequence:order=1 --model t.dq --episodes 5 --format json | jq -e '.mean == 5 and .counts.success == 1'
    dq-train -q --preset maze -l log -o m.dq
    dq-eval --rollout --env maze:steps=100 --model m.dq --episodes 1 --format json | jq -e '.mean == 1 and .steps < 20'
}

@test "presets are what they say, and give way to what is given" {
    read_stream() { /usr/bin/python3 "$BATS_TEST_DIRNAME"/../read_stream.py "$1"; }
    dq-train -q --preset films --episodes 2 -o films.dq
    read_stream films.dq | jq -es '.[0].meta.env == "films" and any(.[]; .shape == [64, 100])'
    dq-train -q --preset session --env session:items=7 --total-steps 60 --hidden 8 -o session.dq
    read_stream session.dq | jq -es '.[0].meta.env == "session:items=7" and any(.[]; .shape == [7, 8])'
    dq-train -q --preset session --env session:items=7 --episodes 5 --hidden 8 -o session.dq # its rate falls: over 5 x 10 steps
    dq-train -q --preset sequence-dqn --episodes 20 -o sequence.dq
    read_stream sequence.dq | jq -es 'any(.[]; .shape == [128, 10])'
    agent() { read_stream "$1.dq" | jq -es ".[0].meta.agent | $2"; }
    squared=0 huber=1 updates=0 steps=1 episodes=2 # as net/loss.h and learn/agent.h number them
    agent films ".loss == $squared and .clip_norm == 0 and .clip_value == 0 and .target_by == $episodes and .target_every == 10 and
        .decay_by == $updates and .epsilon_decay == .995 and .gamma == .95 and .rate == 1e-3 and .batch == 32 and .double == false"
    agent session ".loss == $squared and .target_by == $episodes and .target_every == 50 and .decay_by == $episodes and
        .epsilon_decay == .995 and .gamma == .95 and .rate == 1e-3 and .batch == 32 and .warmup == 32 and .double and .tau == 0 and
        .dropout == .2 and .dropout_layers == 2"
    agent sequence ".loss == $huber and .clip_norm == 0 and .clip_value == 1 and .decay_by == $steps and .epsilon_decay == 200 and
        .epsilon == .9 and .epsilon_min == .05 and .gamma == .99 and .rate == 1e-4 and .batch == 128"
    run -2 dq-train --preset films --offline films.dq
    [ "${output% (try *)}" = "dq-train: --preset films has no meaning with --offline; it is for --offline --sessions, --offline with states or an environment (--env)" ]
}

@test "interrupted runs equal uninterrupted ones, also of a process: the log, too" {
    for where in "--env session:items=20,bonus=1" "--env sequence:change=30" "--env-cmd $toy" "--env-cmd dq-sim\ films\ --serve"; do
        eval "options=($(sed "s,$toy,\"\$toy\"," <<< "$where") --total-steps 900 --envs 2 --evaluate 15 --evaluate-episodes 3)"
        rm -f ./*.ck r.log
        train "${options[@]}" --checkpoint w.ck --checkpoint-every 10 -l w.log -o w.dq
        interrupted "${options[@]}" --checkpoint r.ck --checkpoint-every 10 -l r.log -o r.dq
        cmp w.log r.log
        cmp w.dq r.dq
        echo "# $where: stopped $stops times" >&3
    done
}

@test "a run goes on from another's model" {
    train --env cartpole --total-steps 800 -o a.dq
    train --env cartpole --total-steps 101 --lr 1e-30 --init a.dq -o b.dq
    [ "$(rows a.dq)" = "$(rows b.dq)" ] # no step leads anywhere, so nothing has changed
    run -1 train --env films --total-steps 100 --init a.dq -o c.dq
    [[ "$output" == "dq-train: a.dq: "* ]]
}

@test "the best by evaluation is kept, and patience ends the run" {
    train --env films --episodes 60 --evaluate 5 --evaluate-episodes 5 --keep both -l log -o both.dq
    train --env films --episodes 60 --evaluate 5 --evaluate-episodes 5 --keep best -o best.dq
    train --env films --episodes 60 --evaluate 5 --evaluate-episodes 5 -o last.dq
    dq-cat both.dq | jq -es 'map(.meta.kept | values) == ["best", "last"]'
    cmp <(cat best.dq last.dq | dq-cat) <(dq-cat both.dq)
    # the log says which was the best, and its model plays as it did then: another seed, the same agent
    jq -es '[.[] | select(.evaluation)] | (map(select(.best)) | last.evaluation_return) == (map(.evaluation_return) | max)' log
    # what the run came to in the end is judged, too, also where no evaluation was due before
    train --env chain --episodes 5 --evaluate 50 --keep best -l log -o m.dq
    jq -es 'map(select(.evaluation)) | length == 1 and .[0].best and .[0].episode == 5 and .[0].evaluation == 1' log
    dq-cat m.dq | jq -es 'map(.meta.kept | values) == ["best"]'
    train --env films --episodes 23 --evaluate 5 --evaluate-episodes 5 --keep both -l log -o m.dq
    jq -es 'map(select(.evaluation).episode) == [5, 10, 15, 20, 23] and last(.[] | .evaluation | values) == 5' log
    train --env films --episodes 20 --evaluate 5 --evaluate-episodes 5 --keep both -l log -o m.dq
    jq -es 'map(select(.evaluation).episode) == [5, 10, 15, 20]' log
    train --env films --total-steps 730 --evaluate 5 --evaluate-episodes 5 --keep best -l log -o m.dq
    jq -es 'map(select(.evaluation)) | map(.episode) == [5, 7] and last.total_steps == 730' log
    train --env films --total-steps 730 --evaluate 5 --evaluate-episodes 5 -l log -o m.dq
    jq -es 'map(select(.evaluation).episode) == [5]' log
    train --env chain --episodes 500 --lr 1e-30 --evaluate 10 --patience 3 -l log -o m.dq
    jq -es '[.[] | select(.evaluation)] | length == 4 and map(.best) == [true, false, false, false]' log
    jq -es '[.[] | select(.evaluation | not)] | length == 40' log
}

@test "of the best and the last model every program takes the best, and says so" {
    where=session:users=8,items=12,steps=5
    kept() { train --agent dyna-q --env $where --episodes 40 --evaluate 5 --keep "$1" -o "$1.dq"; }
    kept both
    kept best
    kept last
    dq-sim -q --catalogue $where -o c.dq
    dq-sim -q --play 3 $where -o log.dq
    # takes both.dq, then best.dq and last.dq: NAME COMMAND...
    takes() {
        local as
        for as in both best last; do
            "${@//MODEL/$as.dq}" > $as.out 2> $as.err
            rows $as.out > $as.rows
        done
        cmp both.rows best.rows
        ! cmp -s both.rows last.rows
        [ "$(grep "of the best" both.err)" = "$1: both.dq: of the best model and the last one the best is taken (the other: dq-cat --kept last)" ]
        ! grep -q "of the best" best.err last.err
    }
    takes dq-rank --model MODEL c.dq
    dq-rank --model best.dq --format tsv --no-header c.dq > best.tsv
    [ -s best.tsv ]
    cat both.dq c.dq | dq-rank --format tsv --no-header 2> words | cmp - best.tsv
    grep -q "dq-rank: the input: of the best model and the last" words
    dq-rank --quiet --model both.dq --format tsv --no-header c.dq 2> words | cmp - best.tsv
    [ ! -s words ]
    takes dq-sim --play 3 --model MODEL $where
    takes dq-plan --model MODEL log.dq
    cat both.dq log.dq | dq-plan 2> words > of-stream.dq
    [ "$(rows of-stream.dq)" = "$(cat both.rows)" ]
    grep -q "dq-plan: the input: of the best model and the last" words
    run -1 dq-plan -q best.dq last.dq log.dq # of two runs, for all it knows
    [[ "$output" == *"a second model, where one is wanted" ]]
    # dq-eval names models as they are called; --init is part of the record alone.
    for as in both best; do
        dq-eval --rollout --env $where --episodes 3 --model $as.dq --format json 2> $as.err | jq -c 'del(.model)' > $as.out
        dq-train --warmup 20 --batch 8 --hidden 16 --env $where --agent dqn --episodes 5 --init $as.dq -o init-$as.dq 2> $as.words
    done
    cmp best.out both.out
    [ "$(rows init-both.dq)" = "$(rows init-best.dq)" ]
    grep -q "dq-eval: both.dq: of the best" both.err
    grep -q "dq-train: both.dq: of the best" both.words
    run ! grep -q "of the best" best.err best.words
    # and dq-cat gives either
    for as in best last; do
        dq-cat --kept $as --to stream both.dq -o chosen.dq
        dq-rank -q --model chosen.dq --format tsv --no-header c.dq > chosen.tsv
        dq-rank -q --model $as.dq --format tsv --no-header c.dq | cmp - chosen.tsv
    done
    [ "$(dq-cat --kept last --count both.dq)" = "$(dq-cat --count chosen.dq)" ]
    cat both.dq c.dq | dq-cat --kept last | jq -es 'map(select(.kind == "users")) | length == 8'
    run -1 dq-cat --kept best last.dq
    [ "$output" = "dq-cat: no model that was kept as the best (dq-train --keep both)" ]
}

@test "schedules end with the run, however its episodes turn out; the log shows them" {
    train --env cartpole --episodes 25 --lr-schedule linear --priority 0.6 --epsilon-form linear --epsilon-over 1 \
        --epsilon-by run --epsilon 1 --epsilon-min 0.1 -l log -o m.dq
    jq -es '.[-1] | .rate < 2e-5 and .beta > 0.99 and .epsilon < 0.11' log
    jq -es '.[0] | .rate > 9e-4 and .beta < 0.45 and .epsilon > 0.94' log
    train --env cartpole --total-steps 700 --lr-schedule exponential --lr-decay 0.01 -l log -o m.dq
    jq -es '.[-1].rate | . < 1.2e-5 and . >= 1e-5' log
}

@test "roll-outs: the same episodes for all, with intervals and differences" {
    train --env films --total-steps 600 -o a.dq
    dq-eval --rollout --env films --model random --model a.dq --model a.dq --episodes 20 --format tsv > tsv
    [ "$(awk '$1 == "a.dq" && $2 == "mean" {print $4}' tsv | uniq | wc -l)" = 1 ]
    dq-eval --rollout --env films --model a.dq --model a.dq --episodes 20 --format json | jq -es '.[1].difference == 0 and .[1].p == 1'
    dq-eval --rollout --env films --model random --model a.dq --episodes 20 --by-query --format json > json
    jq -es 'all((.by_episode | length == 20) and .steps == 100) and .[1].value != null and .[0].value == null' json
    jq -es '.[0] | (.by_episode | add / 20) as $m | ($m - .mean | fabs) < 1e-9 and .interval[0] <= $m and $m <= .interval[1]' json
    dq-eval --rollout --env films --model random | grep -q '^random '
}

@test "what is refused" {
    refused() { # status, words, program and options...
        local status=$1 words=$2
        shift 2
        run -"$status" "$@"
        [ "${output% (try *)}" = "$words" ]
    }
    train --env films --total-steps 100 -o films.dq
    refused 2 "dq-train: --envs has no meaning with online training; it is for an environment (--env)" dq-train --envs 2 x.dq
    refused 2 "dq-train: --user has no meaning with an environment (--env); it is for online training" dq-train --env maze --user 3
    refused 2 "dq-train: --offline has no meaning with an environment (--env)" dq-train --env maze --offline
    for line in "--candidates 3|what is on offer there is the environment's" "--features all|a catalogue alone has fields to compare" \
        "--reward-cmd x|a labeller is asked about one user and the items of a catalogue"; do
        run -2 dq-train --env maze ${line%|*}
        [[ "${output% (try *)}" == "dq-train: ${line%% *} has no meaning with an environment (--env); it is for "*" (${line#*|})" ]]
    done
    run -2 dq-train --offline --epsilon 0.1 x.dq
    [[ "${output% (try *)}" == *" (where nobody acts nothing is explored)" ]]
    refused 2 "dq-train: --env and --env-cmd exclude each other" dq-train --env maze --env-cmd x
    refused 2 "dq-train: unexpected operand 'x.dq' with an environment (--env)" dq-train --env maze x.dq
    refused 2 "dq-train: --epsilon-over needs --epsilon-form exponential or linear" \
        dq-train --env maze --epsilon-over 10 --epsilon-form multiplicative
    refused 2 "dq-train: --epsilon-form linear needs --epsilon-over" dq-train --env maze --epsilon-form linear
    refused 2 "dq-train: --dropout-layers needs --dropout" dq-train --env maze --agent dqn --dropout-layers 2
    refused 1 "dq-train: by the run epsilon falls linearly, over all of it or less: else it has no end there" \
        dq-train --env maze --epsilon-by run --epsilon-form exponential --epsilon-over 1
    refused 2 "dq-train: --env: no environment 'poker' (dq-sim --list names them)" dq-train --env poker -o x
    refused 2 "dq-train: --env: maze has no option 'walls'; it has steps" dq-train --env maze:walls=1 -o x
    refused 2 "dq-train: the best is so by evaluation: --keep needs --evaluate" dq-train --env maze --keep both
    refused 2 "dq-train: --patience needs --evaluate" dq-train --env maze --patience 2
    refused 1 "dq-train: a world model learns from single steps, not returns over 3" \
        dq-train --env maze --agent dyna-q --n-step 3 -o x
    refused 2 "dq-eval: --env needs --rollout" dq-eval --env maze
    refused 2 "dq-eval: --candidates has no meaning with --rollout --env; it is for --rollout or --cold-start" \
        dq-eval --rollout --env maze --model random --candidates 3
    refused 1 "dq-eval: films.dq: the model is of another environment: states of 100 numbers, 10 actions of 10; here 54, 4 of 0" \
        dq-eval --rollout --env maze --model films.dq
    [ ! -e x ]
}

@test "a checkpoint that does not fit is named itself, not the process of the environment" {
    train --env chain --episodes 3 -c ck -o a.dq
    for i in 1 2 3; do
        run -1 train --env-cmd "dq-sim chain --serve" --episodes 3 -c ck -o b.dq
        [ "$output" = "dq-train: ck: the checkpoint was made with --env" ]
    done
}

@test "an option that has no effect where it stands is refused, defaults of the mode included" {
    while IFS='|' read -r words said; do
        # shellcheck disable=SC2086 # a command line
        run -2 dq-train $words
        [ "${output% (try *)}" = "dq-train: $said" ] || { echo "$words: $output"; return 1; }
    done << 'END'
--env maze --agent tabular --lr 0.1|--lr needs --agent dqn or dyna-q or dt
--env maze --agent tabular --replay 9|--replay needs --agent dqn or dyna-q
--env maze --agent tabular --batch 9|--batch needs --agent dqn or dyna-q
--env maze --agent tabular --target-every 9|--target-every needs --agent dqn or dyna-q
--env maze --agent tabular --target-by steps|--target-by needs --agent dqn or dyna-q
--preset maze --dueling|--dueling needs --agent dqn or dyna-q
--env maze --agent dqn --alpha 0.1|--alpha needs --agent tabular
--env maze --agent dqn --world-hidden 8|--world-hidden needs --agent dyna-q
--env maze --agent dyna-q --no-world --models 2|--models needs --world
--env maze --agent dyna-q --rollout 3 --planning 0|--rollout needs --planning
--env maze --agent dqn --temperature 2|--temperature needs --explore softmax
--env maze --agent dqn --explore softmax --epsilon-min 0|--epsilon-min needs --explore epsilon
--env maze --agent dqn --explore softmax --epsilon-by steps|--epsilon-by needs --explore epsilon
--env maze --agent dqn --lr-schedule linear --lr-decay 0.1|--lr-decay needs --lr-schedule exponential
--env maze --agent dqn --lr-schedule constant --schedule-steps 9|--schedule-steps needs --lr-schedule one-cycle or linear or cosine or exponential or --priority
--env maze --agent dqn --priority 0 --importance 0.4|--importance needs --priority
--env maze --agent dqn --loss mse --huber-delta 2|--huber-delta needs --loss huber
--env maze --evaluate-episodes 3|--evaluate-episodes needs --evaluate
--user u --reward logged --raw-cosine|--raw-cosine needs --reward auto or cosine
--user u --reward logged --compare a:b|--compare needs --reward auto or cosine
--user u --reward cosine --map A=1|--map needs --reward auto or logged
END
    dq-sim --quiet maze --play 2 -o log.dq
    for words in "--patience 2 --validation 0" "--best-by loss --validation 0" "--agent tabular --lr 1"; do
        # shellcheck disable=SC2086
        run -2 dq-train --offline $words log.dq
    done
    dq-train --quiet --offline --agent tabular --batch 4 log.dq -o t.dq # there a batch is when the rate falls
    dq-train --quiet --env chain --agent dqn --explore softmax --episodes 3 --warmup 8 --batch 8 --log soft -o x.dq
    jq -es 'length == 3 and all(.epsilon == null)' soft
    dq-cat --lineage x.dq | grep ' explore=softmax ' | grep -q ' temperature='
    dq-cat --lineage x.dq > lineage
    run ! grep -q ' epsilon' lineage
}

@test "evaluations that are cut off are said once" {
    run --separate-stderr dq-train --env cartpole:steps=50 --total-steps 60 --warmup 8 --batch 8 --evaluate 1 --evaluate-episodes 2 --max-steps 5 -o m.dq
    [ "$status" = 0 ]
    [ "$(grep -c 'warning: [0-9]* episodes of evaluations were cut off after 5 steps (--max-steps): ' <<< "$stderr")" = 1 ]
    run --separate-stderr dq-train -q --env cartpole:steps=50 --total-steps 60 --warmup 8 --batch 8 --evaluate 1 --evaluate-episodes 2 --max-steps 5 -o m.dq
    [ -z "$stderr" ]
    run --separate-stderr dq-train --env cartpole:steps=50 --total-steps 60 --warmup 8 --batch 8 --evaluate 1 --evaluate-episodes 2 -o m.dq
    [[ $stderr != *"cut off"* ]]
}
