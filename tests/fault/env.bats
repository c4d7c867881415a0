#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An environment process that dies, lies, or never answers: one line with its name, exit 1, and no model that looks whole.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-msgpack python3-numpy python3-xxhash python3-zstandard
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    export PATH=$BUILD:$PATH
    ln -s "$BATS_TEST_DIRNAME"/../services/toy_env.py .
}

short=(--quiet --warmup 10 --batch 8 --hidden 8 --total-steps 100 --envs 2 -o m.dq)

train() { dq-train "${short[@]}" "$@"; }

# until_asleep PID: waits until the environment has said that it answers no more; fails when PID ends before.
until_asleep() {
    until [ -e asleep ]; do [ "$(ps -o stat= -p "$1" | head -c 1)" != Z ] && kill -0 "$1"; done
}

# stops_with STATUS PID
stops_with() {
    local rc=0
    wait "$2" || rc=$?
    [ "$rc" = "$1" ]
}

# fault NAME WORDS: the toy misbehaves, and this is what dq-train says after the command's name.
fault() {
    run -1 --separate-stderr train --env-cmd "/usr/bin/python3 ./toy_env.py $1"
    [ "${stderr_lines[-1]}" = "dq-train: /usr/bin/python3 ./toy_env.py $1: $2" ]
    [ ! -e m.dq ]
}

@test "it dies, early or late, by itself or by a signal" {
    fault early "exited with status 3"
    fault die "exited with status 3"
    run -1 train --env-cmd "/usr/bin/python3 ./toy_env.py kill"
    [[ "${lines[-1]}" == "dq-train: /usr/bin/python3 ./toy_env.py kill: "*SIGKILL* ]] # the shell's words, or ours
    fault "late" "exited with status 3"
    run -1 train --env-cmd "no-such-program"
    [[ "$output" == *"dq-train: no-such-program: exited with status 127" ]]
    run -1 train --env-cmd "true"
    [[ "$output" == "dq-train: true: "* ]]
}

@test "its numbers: NaN, another width, fewer rows, flags that are none" {
    fault nan "its reward is not a finite number"
    fault wide "its answer has no column state of floats, 5 wide"
    fault "short 7" "answered step of 2 environments with 1 rows of kind state"
    fault torn "record 15: state: column state has 1 rows, not 2"
    fault twos "its terminal is neither 0 nor 1"
}

@test "its announcement: no actions, no state" {
    fault actionless "its environment has 0 actions"
    fault narrow "its environment: meta.state is not a whole number, 1 to 1048576"
    fault unlaid "meta.states is no layout of states"
    fault mislaid "its environment: a layout of other states than these"
    fault numbered "its environment: id is not the texts of all actions"
}

@test "its stream: garbage, or another stream" {
    run -1 train --env-cmd "/usr/bin/python3 ./toy_env.py garbage"
    [[ "$output" == "dq-train: /usr/bin/python3 ./toy_env.py garbage: record "*": not a record: 'this is no record at all, whatever else ...'; stdout is the protocol's, other words go to stderr" ]]
    run -1 train --env-cmd "printf '\nit%ss a banner\n' \"'\"; exec sleep 1000" # shorter than a header, and nothing follows
    [[ "$output" == "dq-train: "*": record 1: not a dq stream: it begins with '\\nit\\'s a banner\\n'; stdout is the protocol's"* ]]
    run -1 train --env-cmd "cat /etc/hostname"
    [[ "$output" == "dq-train: cat /etc/hostname: "* ]]
    run -1 train --env-cmd "dq-sim --users 3 --items 2"
    [ "$output" = "dq-train: dq-sim --users 3 --items 2: began with a bundle of kind users, not env" ]
    [ ! -e m.dq ]
}

@test "what an environment prints goes to stderr, and the model is the same" {
    train --env-cmd "/usr/bin/python3 ./toy_env.py chatter" 2>words
    [ "$(sort -u words | paste -sd' ')" = "child descriptor raw step 21" ]
    mv m.dq chatty.dq
    train --env-cmd "/usr/bin/python3 ./toy_env.py"
    cmp <(dq-cat --kind model chatty.dq --to safetensors) <(dq-cat --kind model m.dq --to safetensors)
}

@test "an interruption while it never answers keeps what there is, and a healthy one goes on from there" {
    cat > env.sh <<'SCRIPT'
if [ -e healthy ]; then exec /usr/bin/python3 ./toy_env.py; else exec /usr/bin/python3 ./toy_env.py sleep 37; fi
SCRIPT
    dq-train "${short[@]}" --env-cmd "sh env.sh" --checkpoint ck -l log 2> said &
    pid=$!
    until_asleep "$pid"
    kill -TERM "$pid"
    stops_with 75 "$pid"
    grep -q '^dq-train: stopped after 36 steps and [0-9]* episodes; the same command goes on from ck$' said
    : > healthy
    train --env-cmd "sh env.sh" --checkpoint ck -l log
    cp m.dq resumed.dq
    train --env-cmd "sh env.sh" --checkpoint ck2 -l log2
    cmp m.dq resumed.dq
    cmp log log2
}

@test "without a checkpoint an interruption ends it by the signal" {
    dq-train --quiet --env-cmd "/usr/bin/python3 ./toy_env.py silent" -o m.dq &
    pid=$!
    until_asleep "$pid"
    kill -TERM "$pid"
    stops_with 143 "$pid"
    [ ! -e m.dq ]
}

@test "one that does not repeat itself is found out when a run goes on" {
    cat > env.sh <<'SCRIPT'
if [ -e healthy ]; then exec /usr/bin/python3 ./toy_env.py drift; else exec /usr/bin/python3 ./toy_env.py sleep 37; fi
SCRIPT
    dq-train "${short[@]}" --env-cmd "sh env.sh" --checkpoint ck 2> said &
    pid=$!
    until_asleep "$pid"
    kill -TERM "$pid"
    stops_with 75 "$pid"
    : > healthy
    run -1 train --env-cmd "sh env.sh" --checkpoint ck
    [ "$output" = "dq-train: sh env.sh: does not repeat itself: the same seed and actions led to another state than before the interruption" ]
}

@test "a served environment refuses what is no question" {
    run -1 --separate-stderr bash -c 'dq-sim --users 2 --items 2 | dq-sim maze --serve > out'
    [ "${stderr_lines[-1]}" = "dq-sim: stdin: record 2: a bundle of kind users, neither reset nor step" ]
    run -1 --separate-stderr bash -c 'dq-sim maze --serve < /dev/null > out'
    [[ "${stderr_lines[-1]}" == "dq-sim: stdin: "* ]]
    run -1 dq-cat --check out # it has no end
    cat > ask.py <<'SCRIPT'
import numpy, dq_env
dq_env.put(dq_env.pack({"dq": "head", "version": [1, 0],
                        "maker": {"program": "ask", "version": "1", "options": {}, "seed": None, "inputs": []}}))
dq_env.put_bundle("reset", 9, {}, env=numpy.arange(9, dtype="<u4"), seed=numpy.zeros(1, "<u8"))
SCRIPT
    run -1 --separate-stderr bash -c "PYTHONPATH=$BATS_TEST_DIRNAME/../../examples /usr/bin/python3 ask.py | dq-sim maze --serve > out"
    [ "${stderr_lines[-1]}" = "dq-sim: stdin: record 2: reset: column seed has 1 rows, not 9" ]
}

@test "a checkpoint of another environment is refused" {
    dq-train --quiet --env films --total-steps 100 --warmup 8 --batch 8 --checkpoint ck -o a.dq
    run -1 dq-train --quiet --env films:films=11 --total-steps 100 --warmup 8 --batch 8 --checkpoint ck -o b.dq
    [[ "$output" == "dq-train: ck: "* ]]
    [ ! -e b.dq ]
}
