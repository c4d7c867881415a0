#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-plan with agents of environments, on bad input: one clear line, the documented exit code, nothing that looks complete.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    dq-sim --quiet sequence --play 20 -o log.dq
    dq-sim --quiet sequence:distractors=3 --play 20 -o more.dq
    dq-sim --quiet maze:steps=20 --play 2 -o maze.dq
    for agent in dyna-q dqn; do dq-train --quiet --offline --agent $agent --hidden 8 --epochs 1 -o $agent.dq log.dq; done
    dq-train --quiet --offline --agent dyna-q --models 2 --hidden 8 --epochs 1 -o two.dq log.dq
}

setup() {
    needs python3-msgpack python3-zstandard
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    rm -f out.dq out.dq.*
}

# fails CODE WORDS ARGUMENTS...
fails() {
    local code=$1 words=$2
    shift 2
    run -"$code" --separate-stderr dq-plan --quiet -o out.dq "$@"
    [ "${#stderr_lines[@]}" = 1 ]
    # shellcheck disable=SC2053 # words are a pattern
    [[ "${stderr% (try *)}" == $words ]] || { echo "said: $stderr"; false; }
    [ -z "$(ls out.dq* 2> /dev/null)" ]
}

@test "usage: options of the other kind of agent, or of the other output" {
    fails 2 "dq-plan: --pairs has no meaning with roll-outs of an environment's agent; it is for a catalogue's agent" --model two.dq --pairs unseen log.dq
    fails 2 "dq-plan: --rollout has no meaning with --lists; it is for roll-outs of an environment's agent" --model two.dq --lists 3 --rollout 2 log.dq
    fails 2 "dq-plan: --beam has no meaning with roll-outs of an environment's agent; it is for --lists" --model two.dq --beam 2 log.dq
    fails 2 "dq-plan: --actions: 'best' is not one of agent, random, all, remembered" --model two.dq --actions best log.dq
    fails 2 "dq-plan: --replay needs --model, a checkpoint" --replay
    fails 2 "dq-plan: --replay reads no file but the model" --replay --model two.dq log.dq
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 6 20
    dq-export --quiet --users users.jsonl --items items.jsonl --interactions interactions.jsonl | dq-reward --quiet --strategy logged -o t.dq
    dq-train --quiet --offline --hidden 8 --world-hidden 8 --epochs 1 -o m.dq t.dq
    fails 2 "dq-plan: --lists has no meaning with a catalogue's agent" --model m.dq --lists 3 t.dq
}

@test "a model without a world, or with one world where several are needed" {
    fails 1 "dq-plan: a dqn agent without a world model to ask" --model dqn.dq log.dq
    fails 1 "dq-plan: a dqn agent without a world model to ask" --model dqn.dq --lists 3 log.dq
    fails 1 "dq-plan: one world model cannot disagree; an ensemble can (dq-train --models 5)" --model dyna-q.dq --max-disagreement 1 log.dq
    cat two.dq dyna-q.dq > both.dq
    fails 1 "dq-plan: 2 models, where one is wanted" --model both.dq log.dq
}

@test "states of another width, actions that the model does not know, no states at all" {
    fails 1 "dq-plan: maze.dq: record 2: states of 54 numbers, where the model knows states of 5" --model two.dq maze.dq
    fails 1 "dq-plan: more.dq: record 2: choice [678], where the model knows 6 actions" --model two.dq --actions remembered more.dq
    dq-sim --quiet --users 3 --items 3 -o people.dq
    fails 1 "dq-plan: the input has no transitions with states to look ahead from" --model two.dq people.dq
    fails 1 "dq-plan: stdin: *empty*" --model two.dq < /dev/null
}

# Transitions as nobody writes them: without a choice, or with a NaN in a state.
changed() { # nan | choiceless
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 - "$1" <<'PY'
import struct, sys
import make_streams, zstandard
what = sys.argv[1]
states = [1, 0, 0, 0, 0] + [float("nan") if what == "nan" else 0, 1, 0, 0, 0]
columns = [("state", "f4", [2, 5], struct.pack("<10f", *states))]
if what == "choiceless":
    columns.append(("action", "f4", [2, 1], struct.pack("<2f", 0, 0)))
else:
    columns.append(("choice", "u4", [2], struct.pack("<2I", 0, 1)))
bundle = make_streams.pack_bundle("transitions", 2, columns)
open(what + ".dq", "wb").write(zstandard.compress(make_streams.stream(bundle, rows={"transitions": 2})))
PY
}

@test "a checkpoint whose actions are no numbers of actions" {
    dq-train --quiet --env chain --agent dyna-q --hidden 8 --warmup 50 --batch 16 --total-steps 200 --checkpoint c.ck -o c.dq
    zstd -dcq c.ck | PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME /usr/bin/python3 -c '
import sys, make_streams
payload = sys.stdin.buffer.read()
for name, changes in (("same", {}), ("floats", {"type": "f4"}), ("none", {"shape": [200, 0], "data": b""})):
    open(name + ".ck", "wb").write(make_streams.with_column(payload, "replay.action", **changes))'
    dq-plan --quiet --model same.ck --replay --actions remembered -o out.dq < /dev/null
    rm out.dq
    for fault in floats none; do
        fails 1 "dq-plan: the model remembers nothing: --replay needs a checkpoint" --model $fault.ck --replay --actions remembered
    done
}

@test "a state that is no number; no choice where it is asked for" {
    changed nan
    changed choiceless
    fails 1 "dq-plan: nan.dq: record 2: *finite*" --model two.dq nan.dq
    fails 1 "dq-plan: choiceless.dq: record 2: --actions remembered needs the column choice" --model two.dq --actions remembered choiceless.dq
    dq-plan --quiet --model two.dq choiceless.dq | dq-cat --check
}
