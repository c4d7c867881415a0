#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every kind of agent in every environment and from every log: it trains, keeps a checkpoint, is killed and goes on to the
# same bytes, is evaluated, and ranks where there are items. One row a run, in a table.

bats_require_minimum_version 1.5.0

agents="tabular dqn dyna-q"

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    export PATH=$BUILD:$PATH
    printf '%-10s %-26s %8s %9s %10s  %s\n' agent where trained killed evaluated ranked > table
}

teardown() {
    sed 's/^/# /' table >&3
}

# What keeps a run small, of each kind.
small() {
    case $1 in
    tabular) echo --planning 2 ;;
    dqn) echo --hidden 16 --batch 8 --replay 500 --warmup 20 --dropout 0 ;;
    dyna-q) echo --hidden 16 --batch 8 --replay 500 --warmup 20 --dropout 0 --planning 1 ;;
    esac
}

# The same from a log.
small_offline() { [ "$1" = tabular ] || echo --hidden 16 --batch 8 --dropout 0; }

# killed OPTION...: dq-train again and again, each time killed when it has left another checkpoint, until three were
# killed and the next ends by itself.
killed() {
    local pid rc
    kills=0
    while :; do
        rm -f seen
        [ ! -e ck ] || touch -r ck seen
        dq-train --quiet --checkpoint ck --checkpoint-every 1 "$@" &
        pid=$!
        while [ "$kills" -lt 3 ] && kill -0 "$pid" 2> /dev/null; do # without a process of its own: it is quick
            [[ ck -nt seen ]] || continue
            kill -9 "$pid" 2> /dev/null || true # it may have ended
            break
        done
        rc=0
        wait "$pid" 2> /dev/null || rc=$?
        [ "$rc" = 137 ] || return "$rc"
        kills=$((kills + 1))
    done
}

# lives AGENT OPTION...: trains twice, once whole, once killed; m.dq is the model.
lives() {
    rm -f ck m.dq whole.dq
    dq-train --quiet --agent "$@" -l whole.log -o whole.dq
    killed --agent "$@" -l m.log -o m.dq
    [ "$kills" -gt 0 ]
    cmp whole.dq m.dq
    cmp whole.log m.log
    dq-cat --check m.dq
}

row() { # AGENT WHERE EVALUATED RANKED
    printf '%-10s %-26s %8s %9s %10s  %s\n' "$1" "$2" yes "$kills times" "$3" "$4" >> table
}

# The mean of the model's episodes.
evaluated() { dq-eval --rollout --model m.dq -f json --episodes 5 "$@" | jq -er '.mean | . * 1000 | round / 1000'; }

# The model's ranking against the log that it learnt from.
compared() {
    dq-rank -q --model m.dq -k 3 "$@" | dq-eval --qrels "${@: -1}" -m ndcg@3 -f json | jq -er '.measures.ndcg_cut_3.value * 1000 | round / 1000'
}

# The best item, or why there is none.
ranked() { { dq-rank -q --model m.dq --format tsv --no-header "$@" 2>&1 || true; } | sed -n '$p' | cut -c1-70; }

# listed N OPTION...: so many places in all.
listed() {
    local n=$1
    shift
    [ "$(dq-rank -q --model m.dq --format tsv --no-header "$@" | wc -l)" = "$n" ]
}

catalogue() {
    printf '{"id":"u%d","vector":[%d,%d,1]}\n' 0 1 0 1 0 1 > users.jsonl
    seq 0 11 | awk '{ printf "{\"id\":\"i%d\",\"vector\":[%.4f,%.4f,%.4f]}\n", $1, cos($1), sin($1), $1 / 12 }' > items.jsonl
    seq 0 11 | awk '{ printf "{\"user\":\"u%d\",\"item\":\"i%d\",\"label\":\"%s\",\"time\":%d}\n", $1 % 2, $1,
        $1 % 3 ? "CLICK" : "APPLY", $1 }' > interactions.jsonl
    dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    dq-reward -q --strategy logged -o labelled.dq c.dq
}

@test "in a catalogue: one user, and a labeller that is asked" {
    catalogue
    for agent in $agents; do
        # shellcheck disable=SC2046
        lives "$agent" $(small "$agent") --user u1 --reward cosine --episodes 40 --steps 10 --candidates 6 c.dq
        score=$(evaluated --user u1 --candidates 6 --steps 10 c.dq)
        if [ "$agent" = tabular ]; then
            [[ "$(ranked --user u1 c.dq)" == *"the model is a table, which knows users"* ]]
        else
            listed 3 --user u1 -k 3 c.dq
        fi
        row "$agent" "catalogue" "$score" "$(ranked --user u1 -k 1 c.dq)"
        # shellcheck disable=SC2046
        lives "$agent" $(small "$agent") --user u1 --reward-cmd "dq-reward -q -s cosine" --episodes 40 --steps 10 \
            --candidates 6 --evaluate 5 --keep both c.dq
        row "$agent" "catalogue, a labeller" "$(evaluated --user u1 --candidates 6 --steps 10 c.dq)" ""
    done
}

@test "in a catalogue: each user" {
    catalogue
    for agent in $agents; do
        # shellcheck disable=SC2046
        dq-train -q --agent "$agent" $(small "$agent") --each-user --reward logged --episodes 10 --steps 10 --candidates 6 \
            -t 2 -o m.dq labelled.dq
        [ "$(dq-cat m.dq | jq -r '.meta.user | values' | paste -sd,)" = u0,u1 ]
        kills=0
        best=$(ranked -k 1 labelled.dq)
        [ "$agent" = tabular ] || listed 6 -k 3 labelled.dq
        # shellcheck disable=SC2046
        dq-train -q --agent "$agent" $(small "$agent") --each-user --reward logged --episodes 10 --steps 10 --candidates 6 \
            --evaluate 3 --keep both -t 2 -o both.dq labelled.dq
        [ "$(dq-cat both.dq | jq -r '.meta | select(.user) | .user + .kept' | paste -sd,)" = u0best,u0last,u1best,u1last ]
        dq-cat --kept best --to stream both.dq -o m.dq
        [ "$agent" = tabular ] || dq-rank -q --model both.dq -k 3 --format tsv --no-header labelled.dq |
            cmp - <(dq-rank -q --model m.dq -k 3 --format tsv --no-header labelled.dq)
        row "$agent" "catalogue, each user" "$(evaluated --candidates 6 --steps 10 labelled.dq)" "$best"
    done
}

@test "from a log: transitions of users and items" {
    catalogue
    for agent in $agents; do
        # shellcheck disable=SC2046
        lives "$agent" $(small_offline "$agent") --offline --epochs 30 --negatives 1 labelled.dq
        [ "$agent" = tabular ] || listed 6 -k 3 c.dq
        row "$agent" "log of a catalogue" "$(evaluated --candidates 6 --steps 10 labelled.dq)" "$(ranked -k 1 c.dq)"
    done
}

@test "from a log: sessions, and transitions with vectors" {
    catalogue
    for agent in $agents; do
        # shellcheck disable=SC2046
        lives "$agent" $(small_offline "$agent") --offline --sessions --history 2 --epochs 30 c.dq
        listed 6 -k 3 c.dq
        row "$agent" "log of sessions" "$(compared c.dq)" "$(ranked -k 1 c.dq)"
    done
    dq-sim -q --play 10 chain -o log.dq
    for agent in $agents; do
        # shellcheck disable=SC2046
        lives "$agent" $(small_offline "$agent") --offline --epochs 30 log.dq
        row "$agent" "log of states" "$(evaluated --env chain)" ""
    done
}

worlds="session:users=8,items=12,steps=5 films:users=8,films=6,steps=8"

@test "in environments of users and items" {
    for where in $worlds; do
        dq-sim -q --catalogue "$where" -o c.dq
        for agent in $agents; do
            # shellcheck disable=SC2046
            lives "$agent" $(small "$agent") --env "$where" --episodes 60 --envs 2 --evaluate 10 --keep best
            listed 24 -k 3 c.dq
            row "$agent" "${where%%:*}" "$(evaluated --env "$where")" "$(ranked -k 1 c.dq)"
        done
    done
}

@test "in environments of states, and in another process" {
    for where in sequence:length=3 maze:steps=60 chain graph cartpole:steps=50; do
        for agent in $agents; do
            [ "$agent" != tabular ] || [ "${where%%:*}" != cartpole ] || continue # its states never come again
            # shellcheck disable=SC2046
            lives "$agent" $(small "$agent") --env "$where" --episodes 60 --envs 2
            row "$agent" "${where%%:*}" "$(evaluated --env "$where")" ""
        done
    done
    for agent in $agents; do
        # shellcheck disable=SC2046
        lives "$agent" $(small "$agent") --env-cmd "dq-sim chain --serve" --episodes 60 --envs 2
        row "$agent" "chain, a process" "$(evaluated --env-cmd "dq-sim chain --serve")" ""
    done
}
