#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --reward-cmd with a language model behind it: the project's own server and judge.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs sqlite3
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    # shellcheck source=tests/services/llm.bash
    source "$BATS_TEST_DIRNAME"/../services/llm.bash
    llm_start
    data=$BATS_TEST_DIRNAME/../../data/demo
    dq-export --users "$data"/newcomers.jsonl --items <(head -40 "$data"/jobs.jsonl) |
        dq-embed hash:16 --compare bio:description -o c.dq
}

teardown() { llm_stop; }

short=(-q --hidden 16 --world-hidden 16 --batch 8 --warmup 20 --episodes 5 --steps 20 --candidates 20 --user a29)
train() { timeout 60 dq-train "${short[@]}" "$@"; }
weights() {
    dq-cat --to safetensors -o numbers "$1"
    tail -c +$(($(od -An -tu8 -N8 numbers) + 9)) numbers | sha256sum
    rm numbers
}
ask="dq-reward -q --model demo --stages 1 --cache r.db --parallel 8"

@test "what is asked while training is what labelling ahead gives, and each pair is asked once, by all runs together" {
    train --reward-cmd "$ask -s llm" -l first.log -o first.dq c.dq
    asked=$(llm_stats .requests)
    [ "$asked" -gt 10 ]
    [ "$asked" -le 40 ]
    [ "$(sqlite3 r.db 'select count(*) from answers')" = "$asked" ]
    llm_clear
    train --reward-cmd "$ask -s llm" -l again.log -o again.dq c.dq
    [ "$(llm_stats .requests)" = 0 ]
    cmp first.dq again.dq
    cmp first.log again.log
    dq-reward -q --model demo --stages 1 --cache r.db -s llm --pairs all --user a29 -o all.dq c.dq
    train --reward logged -o ahead.dq all.dq
    [ "$(weights first.dq)" = "$(weights ahead.dq)" ]
    llm_stop
    train --reward-cmd "$ask -s llm --cache-only" --ask-ahead 10 -o alone.dq c.dq # all 40 are known by now
    [ "$(weights first.dq)" = "$(weights alone.dq)" ]
}

@test "asked ahead: the same weights, many in flight" {
    train --reward-cmd "$ask -s hybrid" -o one.dq c.dq
    rm r.db
    llm_stop
    llm_start --delay 0.05
    train --reward-cmd "$ask -s hybrid" --ask-ahead 19 -o many.dq c.dq
    cmp one.dq many.dq
    [ "$(llm_stats .in_flight_most)" -gt 1 ]
}

@test "stopped while the model thinks: what is paid for is waited for, and asked once; a second signal does not wait" {
    llm_stop
    llm_start --delay 4
    for second in '' TERM; do
        rm -f r.db ck
        llm_clear
        dq-train "${short[@]}" -c ck --reward-cmd "$ask -s llm" -o out.dq c.dq 2> said &
        pid=$!
        until [ "$(llm_stats .requests)" -gt 0 ]; do kill -0 $pid; done
        kill -TERM $pid
        until grep -qa 'dyna-q' <(zstd -dcq ck 2> none); do kill -0 $pid; done # it has kept what there is
        [ -z "$second" ] || { sleep .2; kill -TERM $pid; }
        code=0; wait $pid || code=$?
        [ "$code" = "$([ -z "$second" ] && echo 75 || echo 143)" ] || { echo "$code"; cat said; false; }
        [ ! -e out.dq ]
        until [ "$(sqlite3 r.db 'SELECT count(*) FROM owners')" = 0 ]; do sleep .1; done # the labeller has ended, too
        [ "$(sqlite3 r.db 'SELECT answered, failed, lost FROM ledger')" = "$(llm_stats .requests)|0|0" ]
    done
}

@test "hybrid's weight anneals the same way with a labeller as from transitions" {
    train --reward-cmd "$ask -s hybrid" --cosine-weight 1:0@4 -o asked.dq c.dq
    dq-reward -q --model demo --stages 1 --cache r.db -s hybrid --pairs all --user a29 -o all.dq c.dq
    train --cosine-weight 1:0@4 -o ahead.dq all.dq
    [ "$(weights asked.dq)" = "$(weights ahead.dq)" ]
}

@test "a spent budget and a lost server are stops; a missing answer is an error; each says why" {
    run -75 --separate-stderr train --reward-cmd "$ask -s llm --max-requests 5" -c ck -o m.dq c.dq
    [[ $stderr == *"exited with status 75; stopped after "*"the same command goes on from ck" ]]
    [[ $stderr == *"dq-reward: "*"request"* ]]
    [ ! -e m.dq ]
    run -1 --separate-stderr train --reward-cmd "$ask -s llm --cache-only" -o m.dq c.dq
    [[ $stderr == *"1 not in the cache"*"dq-train: $ask -s llm --cache-only: exited with status 1" ]] || { echo "$stderr"; false; }
    llm_fault '{"kind": "503", "times": 100}'
    run -75 train --reward-cmd "$ask -s llm --attempts 1" -c ck -o m.dq c.dq
    llm_clear
    train --reward-cmd "$ask -s llm" -c ck -o m.dq c.dq
    rm r.db ck
    train --reward-cmd "$ask -s llm" -o whole.dq c.dq
    [ "$(weights whole.dq)" = "$(weights m.dq)" ]
}

@test "a labeller that is killed: how it ended, nothing paid twice, and on from there" {
    cat > victim.sh <<END
{ sleep "\$(cat moment)"; kill -9 \$\$; } & # some time or other; later each time, so that a busy machine gets on, too
exec $ask -s llm
END
    kill_it() { train --reward-cmd "exec bash victim.sh" -c ck -o m.dq c.dq; }
    llm_stop
    llm_start --delay 0.05
    turns=0 rc=75
    while [ $rc = 75 ] && [ $turns -lt 40 ]; do
        rc=0
        awk -v n=$turns 'BEGIN { print 0.3 + n / 20 }' > moment
        kill_it 2> said || rc=$?
        [ $rc = 0 ] || grep -q "was killed by SIGKILL" said
        [ $rc != 1 ] || rc=75 # before its first answer
        turns=$((turns + 1))
    done
    [ $rc = 0 ]
    [ "$(llm_stats .requests)" -le $((40 + turns)) ]
    rm ck
    train --reward-cmd "$ask -s llm --cache-only" -o whole.dq c.dq
    [ "$(weights whole.dq)" = "$(weights m.dq)" ]
}
