#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Linear bandits, from dq-train to dq-rank and dq-eval: every way of training, and what is refused in one line.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    sh "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 15
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    dq-reward -q --strategy logged c.dq -o t.dq
    dq-sim -q linear --play 40 -o played.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    export PATH=$BUILD:$PATH
    ln -s "$BATS_FILE_TMPDIR"/*.dq .
}

refused() { # the words after "dq-train: ", options
    local words=$1
    shift
    run -2 dq-train -q --env linear --total-steps 9 --agent linucb "$@" -o m.dq
    [ "${output% (try *)}" = "dq-train: $words" ] || { echo "$output"; false; }
}

@test "both learn in every environment; the log counts, and the linear world's regret falls" {
    for agent in linucb thompson; do
        for env in session:items=20,users=5 sequence films maze:steps=50 chain cartpole:steps=50 graph linear; do
            dq-train -q --env "$env" --agent $agent --total-steps 200 --max-steps 60 --evaluate 2 --evaluate-episodes 2 -l log -o m.dq
            dq-cat --check m.dq
            jq -es 'map(select(.evaluation | not)) | length > 0 and all(.learnt == .updates and .learnt == .total_steps)' log
            dq-eval --rollout --env "$env" --max-steps 60 --model m.dq --episodes 2 > /dev/null
        done
        for head in outputs "actions --outer"; do
            dq-train -q --env linear --agent $agent --head $head --total-steps 2000 -l log -o m.dq
            jq -es '.[0].regret > 20 and ([.[-5:][].regret] | add / 5) < 5' log
        done
    done
}

@test "a process is the same environment to a bandit" {
    dq-train -q --env linear --agent thompson --envs 3 --total-steps 400 -l a.log -o a.dq
    dq-train -q --env-cmd 'dq-sim linear --serve' --agent thompson --envs 3 --total-steps 400 -l b.log -o b.dq
    cmp a.log b.log
    dq-cat a.dq | tail -n +2 > a.rows # without the makers
    dq-cat b.dq | tail -n +2 | cmp - a.rows
}

@test "a run that goes on from a checkpoint ends with the bytes of one that was not stopped" {
    for head in outputs "actions --outer"; do
        rm -f ./*.ck
        options=(-q --env linear --agent thompson --head $head --envs 2)
        dq-train "${options[@]}" --episodes 40 -c whole.ck --checkpoint-every 20 -o whole.dq
        dq-train "${options[@]}" --episodes 40 -c kept.ck --checkpoint-every 10 -o /dev/full 2> said && false # all learnt, and lost
        dq-train "${options[@]}" --episodes 40 -c kept.ck --checkpoint-every 10 -o kept.dq
        cmp whole.dq kept.dq
    done
    dq-train -q --offline --agent linucb -c off.ck played.dq -o a.dq
    dq-train -q --offline --agent linucb -c off.ck played.dq -o b.dq
    cmp a.dq b.dq
}

@test "from logs: users and items, sessions, vectors; one pass, whose order does not matter" {
    for agent in linucb thompson; do
        for head in outputs "actions --outer"; do
            dq-train -q --offline --agent $agent --head $head t.dq -o users.dq
            dq-train -q --offline --sessions --agent $agent --head $head c.dq -o sessions.dq
            for m in users sessions; do
                [ "$(dq-rank -q --model $m.dq -k 4 --format tsv --no-header c.dq | wc -l)" = 48 ]
            done
        done
        dq-train -q --offline --agent $agent played.dq -o vectors.dq
    done
    dq-train -q --offline --agent linucb --seed 1 t.dq -o a.dq
    dq-train -q --offline --agent linucb --seed 2 t.dq -o b.dq # another order
    for m in a b; do dq-rank -q --model $m.dq -k 15 --format tsv --no-header c.dq | cut -f1-3 > $m.tsv; done
    cmp a.tsv b.tsv
    dq-eval --rollout --env linear --model random --model vectors.dq --episodes 20 --format tsv > played.tsv
    awk -F'\t' '$2 == "regret" { regret[$1] = $4 } END { exit !(regret["random"] > 40 && regret["vectors.dq"] < 3) }' played.tsv
}

@test "for one user and for each; the model of one ranks for him" {
    for head in outputs actions; do
        dq-train -q --user u00 --agent linucb --head $head --reward cosine --episodes 3 --steps 20 c.dq -o m.dq
        [ "$(dq-rank -q --user u00 --model m.dq -k 3 --format tsv --no-header c.dq | wc -l)" = 3 ]
    done
    dq-train -q --each-user --agent thompson --episodes 2 --steps 5 --reward cosine c.dq -o each.dq
    [ "$(dq-cat --count each.dq | awk '$1 == "model" { print $2 }')" = 12 ]
}

@test "it goes on from a model, whose ridge and shape stay" {
    dq-train -q --env linear --agent linucb --ridge 3 --total-steps 300 -o a.dq
    dq-train -q --env linear --agent thompson --init a.dq --total-steps 300 -l log -o b.dq
    jq -es '.[0].regret < 30' log
    run -1 dq-train -q --env linear --agent linucb --init a.dq --ridge 1 --total-steps 9 -o b.dq
    [[ "$output" == *"a.dq: the model's posterior began with a ridge of 3, which stays: not 1" ]]
}

@test "rows weigh by propensity where asked, and then need one" {
    dq-train -q --offline --agent linucb played.dq -o plain.dq
    dq-train --offline --agent linucb --balance 1 played.dq -o one.dq 2> said # at most 1: all the same
    run ! grep propensities said
    cmp <(dq-cat plain.dq | tail -n +2) <(dq-cat one.dq | tail -n +2)
    dq-sim -q linear --play 40 --model plain.dq --epsilon 0.3 -o policy.dq
    dq-train -q --offline --agent linucb policy.dq -o plain.dq
    dq-train -q --offline --agent linucb --balance 20 policy.dq -o balanced.dq
    run ! cmp -s <(dq-cat plain.dq | tail -n +2) <(dq-cat balanced.dq | tail -n +2)
    run -1 dq-train -q --offline --agent linucb --balance 20 t.dq -o m.dq
    [[ "$output" == *"a row without a propensity in (0, 1], by which it should weigh" ]]
}

@test "lists by upper bounds, and by samples with their propensities" {
    dq-train -q --offline --agent thompson t.dq -o m.dq
    ranked() { dq-rank -q --model m.dq -k 3 --format jsonl "$@" c.dq; }
    cmp <(ranked) <(ranked --explore ucb --spread 0)
    run ! cmp -s <(ranked) <(ranked --explore ucb --spread 3)
    ranked --explore ucb | jq -es 'all(has("propensity") | not)'
    ranked --explore thompson --draws 8 --seed 4 > drawn
    cmp drawn <(ranked --explore thompson --draws 8 --seed 4)
    cmp <(grep '"u03"' drawn) <(ranked --explore thompson --draws 8 --seed 4 --user u03)
    run ! cmp -s drawn <(ranked --explore thompson --draws 8 --seed 5)
    jq -es 'group_by(.request) | length == 12 and all((map(.propensity) | .[0] * .[1] * .[2]) as $p | $p >= 0.1249 and $p <= 1)' drawn
    for spread in 1 2; do dq-rank -q --model m.dq --explore ucb --spread $spread -o $spread.dq c.dq; done
    run -1 dq-rank -q --merge 1.dq 2.dq
    [[ "$output" == *"rankings with other settings cannot be merged: 'spread=2 explore=ucb' after 'spread=1 explore=ucb'" ]]
    run -1 dq-rank -q --by q --explore ucb c.dq
    dq-train -q --offline --hidden 4 --no-world --epochs 1 t.dq -o net.dq
    run -1 dq-rank -q --model net.dq --explore ucb c.dq
    [[ "$output" == *"--explore ucb is for a bandit, which says how much it does not know (dq-train --agent thompson)" ]]
    run -2 dq-rank -q --model m.dq --explore ucb --draws 5 c.dq
    [ "${output% (try *)}" = "dq-rank: --draws needs --explore thompson" ]
}

@test "a user's list does not depend on who is ranked beside him" {
    sh "$BATS_TEST_DIRNAME"/../fixtures/world.sh 150 9
    dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o many.dq
    dq-reward -q --strategy logged many.dq -o labelled.dq
    for agent in "linucb" "dqn --head outputs --hidden 4 --epochs 2"; do
        dq-train -q --offline --agent $agent labelled.dq -o m.dq
        dq-rank -q --model m.dq -k 9 --format tsv --no-header many.dq > all.tsv
        for user in $(cut -f1 all.tsv | sort -u | sed -n '3p;70p;149p'); do
            dq-rank -q --model m.dq -k 9 --format tsv --no-header --user "$user" many.dq | cut -f1-3 > one.tsv
            grep -P "^$user\t" all.tsv | cut -f1-3 | cmp - one.tsv
        done
    done
}

@test "what a bandit has no use for is refused in one line" {
    refused '--gamma needs --agent tabular or dqn or dyna-q' --gamma 0.5
    refused '--epsilon needs --agent tabular or dqn or dyna-q' --epsilon 0.1
    refused '--explore needs --agent tabular or dqn or dyna-q' --explore softmax
    refused '--lr needs --agent dqn or dyna-q or dt' --lr 1
    refused '--lr-schedule needs --agent tabular or dqn or dyna-q or dt' --lr-schedule linear
    refused '--train-every needs --agent tabular or dqn or dyna-q' --train-every 2
    refused '--hidden needs --agent dqn or dyna-q or dt' --hidden 5
    refused '--outer needs --head actions' --outer
    run -2 dq-train -q --offline --agent linucb --epochs 3 t.dq -o m.dq
    [ "${output% (try *)}" = "dq-train: --epochs needs --agent tabular or dqn or dyna-q or dt" ]
    run -2 dq-train -q --offline --agent linucb --candidates 3 t.dq -o m.dq
    [ "${output% (try *)}" = "dq-train: --candidates: a bandit of a log has no maximum to run over them" ]
    run -2 dq-train -q --env linear --agent dqn --ridge 3 -o m.dq
    [ "${output% (try *)}" = "dq-train: --ridge needs --agent linucb or thompson" ]
    run -1 dq-train -q --env cartpole --agent linucb --head actions --total-steps 9 -o m.dq
    [ "$output" = "dq-train: a head on actions needs their vectors: these have none" ]
}
