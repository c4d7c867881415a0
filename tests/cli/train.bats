#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train and dq-plan: what they write, and that it is the same whatever the threads or interruptions.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 40
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward --strategy logged -o t.dq c.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/c.dq "$BATS_FILE_TMPDIR"/t.dq .
}

small=(--quiet --hidden 24,12 --world-hidden 16 --seed 7)
short=(--batch 8 --warmup 40 --episodes 12 --steps 20 --candidates 15 --target-every 50 --planning 3)
brief=(--batch 16 --negatives 2 --epochs 6)

online() { last "$BUILD"/dq-train "${small[@]}" "${short[@]}" "$@"; }
offline() { last "$BUILD"/dq-train --offline "${small[@]}" "${brief[@]}" "$@"; }
payload() { zstd -dcq "$1" | sha256sum; }

# interrupted OPTION...: dq-train again and again, each time stopped a little later, until it ends by itself.
interrupted() {
    local turns=5 rc=75 pid i
    stops=0
    last_of "$BUILD"/dq-train "${small[@]}" "$@"
    while [ "$rc" = 75 ] && [ "$stops" -lt 40 ]; do
        "$BUILD"/dq-train "${line[@]}" 2> said &
        pid=$!
        for ((i = 0; i < turns; i++)); do kill -0 "$pid" 2> /dev/null || break; done
        kill -TERM "$pid" 2> /dev/null || true # at a moment that nobody chose
        rc=0
        wait "$pid" || rc=$?
        [ "$rc" != 143 ] || rc=75 # before there was anything to keep
        turns=$((turns * 2))
        stops=$((stops + 1))
    done
    return "$rc"
}

@test "a signal ends what waits for its reader to take the model, named - or not at all" {
    for output in "" "-o -"; do
        rm -rf ck pipe
        mkfifo pipe
        # shellcheck disable=SC2217 # it holds the pipe open
        sleep 1000 < pipe 3>&- &
        reader=$!
        # shellcheck disable=SC2086 # an option and its value, or none
        "$BUILD"/dq-train --offline --quiet --hidden 1000,500 --world-hidden 16 --epochs 1 -c ck $output t.dq > pipe 2> said 3>&- &
        pid=$!
        waits=0
        while [ $waits -lt 5 ]; do # it has finished, and sleeps
            kill -0 $pid
            if [ -e ck ] && grep -q '^State:.S' /proc/$pid/status; then waits=$((waits + 1)); else waits=0; fi
            sleep .1
        done
        kill -TERM $pid
        for _ in {1..50}; do grep -q '^State:.[RSD]' /proc/$pid/status 2> none || break; sleep .1; done
        ! grep -q '^State:.[RSD]' /proc/$pid/status 2> none || { kill -KILL $pid $reader; false; }
        code=0; wait $pid || code=$?
        kill $reader
        [ $code = 143 ] || { echo "$code: $(cat said)"; false; }
    done
}

@test "online: a model with its user, by any number of threads, twice the same" {
    online --user u03 -t 1 -o a.dq c.dq
    online --user u03 -t 2 -o b.dq c.dq
    online --user u03 -t 2 c.dq | cat > d.dq
    cmp a.dq b.dq
    [ "$(payload a.dq)" = "$(payload d.dq)" ]
    "$BUILD"/dq-cat --check a.dq
    online --user u03 --seed 8 -o e.dq c.dq
    run ! cmp -s a.dq e.dq
}

@test "online: --pass sends the catalogue after the model" {
    online --user u03 --pass c.dq > m.dq
    "$BUILD"/dq-cat --count m.dq > count
    printf 'model\t1\nusers\t12\ninteractions\t%d\nitems\t40\n' "$(wc -l < "$BATS_FILE_TMPDIR"/interactions.jsonl)" |
        diff - count
}

@test "online: the log has a line an episode, and rewards rise" {
    online --user u03 --episodes 40 --log log c.dq -o m.dq
    [ "$(wc -l < log)" = 40 ]
    jq -es 'map(.episode) == [range(1; 41)]' log
    jq -es '(map(.reward) | .[35:] | add / 5) > (map(.reward) | .[:2] | add / 2) + 0.05' log
    jq -es '.[0].q_loss == null and .[-1].q_loss != null and (.[-1].user == "u03")' log
}

@test "online: logged rewards are those of labels, and of transitions" {
    online --user u03 --reward logged --log a c.dq -o a.dq
    online --user u03 --log b t.dq -o b.dq
    cmp a b
    online --user u03 --log d c.dq -o d.dq
    run ! cmp -s a d
}

@test "online: a resumed run equals an uninterrupted one, the log too" {
    online --user u05 --episodes 60 --log whole.log -o whole.dq c.dq
    interrupted "${short[@]}" --user u05 --episodes 60 --checkpoint ck --checkpoint-every 3 --log parts.log -o parts.dq c.dq
    cmp whole.dq parts.dq
    cmp whole.log parts.log
}

# Starts a run that never ends by itself, and waits for its first checkpoint. Sets pid.
long_run() { # how it is started
    rm -f ck
    last_of "$BUILD"/dq-train "${small[@]}" "${short[@]}" --user u05 --episodes 1000000 --checkpoint ck \
        --checkpoint-every 1 -o m.dq c.dq
    "$@" "$BUILD"/dq-train "${line[@]}" 2> said &
    pid=$!
    until [ -e ck ]; do kill -0 "$pid"; done
}

@test "online: stopping exits 75 and says how to go on: Ctrl-C, kill, a closed session" {
    for signal in INT TERM HUP; do
        long_run env --default-signal=HUP
        kill -$signal "$pid"
        rc=0
        wait "$pid" || rc=$?
        [ "$rc" = 75 ] || { echo "$signal: $rc"; false; }
        [ "$(wc -l < said)" = 1 ]
        grep -q '^dq-train: stopped after .* steps and .* episodes; the same command goes on from ck$' said
        [ ! -e m.dq ]
        [ -z "$(ls | grep -v -e '^ck$' -e '^said$' -e '\.dq$')" ]
    done
}

@test "online: under nohup a closed session is ignored, as it was asked for" {
    long_run env --ignore-signal=HUP
    kill -HUP "$pid"
    rm ck
    until [ -e ck ]; do kill -0 "$pid"; done # it goes on
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" = 75 ]
}

@test "online: a finished run's checkpoint gives the model again" {
    online --user u05 --checkpoint ck -o a.dq c.dq
    online --user u05 --checkpoint ck -o b.dq c.dq
    cmp a.dq b.dq
}

@test "a checkpoint of other options, another seed or another input is refused" {
    online --user u05 --checkpoint ck -o a.dq c.dq
    run -1 online --user u05 --checkpoint ck --gamma 0.5 -o b.dq c.dq
    [ "$output" = "dq-train: ck: the checkpoint was made with another --gamma" ]
    run -1 online --user u04 --checkpoint ck -o b.dq c.dq
    [ "$output" = "dq-train: ck: the checkpoint was made with another --user" ]
    run -1 online --user u05 --checkpoint ck --seed 8 -o b.dq c.dq
    [ "$output" = "dq-train: ck: the checkpoint was made with another --seed" ]
    run -1 online --user u05 --checkpoint ck --compare vector:vector -o b.dq c.dq
    [ "$output" = "dq-train: ck: the checkpoint was made with another --compare" ]
    run -1 online --user u05 --checkpoint ck -o b.dq t.dq
    [ "$output" = "dq-train: ck: the checkpoint was made from another input" ]
    run -1 online --user u05 --checkpoint a.dq -o b.dq c.dq
    [ "$output" = "dq-train: a.dq: a model, but no checkpoint" ]
    [ ! -e b.dq ]
}

@test "offline: a model for all, by any number of threads, twice the same" {
    offline -t 1 -o a.dq t.dq
    offline -t 2 -o b.dq t.dq
    cmp a.dq b.dq
    offline -t 2 t.dq | cat > d.dq
    [ "$(payload a.dq)" = "$(payload d.dq)" ]
    "$BUILD"/dq-cat --check a.dq
}

@test "offline: with gamma, over drawn candidates, published" {
    offline --loss mse --gamma 0.9 --target-every 20 -t 1 -o a.dq t.dq
    offline --loss mse --gamma 0.9 --target-every 20 -t 2 -o b.dq t.dq
    cmp a.dq b.dq
    offline --loss mse --gamma 0.9 --target-every 20 --candidates 5 -o d.dq t.dq
    run ! cmp -s a.dq d.dq
    offline --preset published -o e.dq t.dq
    "$BUILD"/dq-cat --lineage e.dq > lineage
    grep -q ' lr-schedule=constant .*weight-decay=1e-0*5 .*gamma=0.9 ' lineage
}

@test "offline: what was drawn as not wanted is worth what IGNORE is in the map" {
    loss() { "$BUILD"/dq-train --offline --quiet --agent dqn --loss mse --hidden 4 --dropout 0 --lr 1e-9 --validation 0 --epochs 1 --log log -o m.dq "$@" && jq .q_loss log; }
    labels=APPLY=0,SAVE=0,CLICK=0,IGNORE
    "$BUILD"/dq-reward --strategy logged --map $labels=0 -o zero.dq c.dq # Q is about 0, and so are all rewards but those of negatives
    awk -v none="$(loss --negatives 3 --map $labels=0 zero.dq)" -v ten="$(loss --negatives 3 --map $labels=-10 zero.dq)" \
        'BEGIN { exit !(none < 1 && ten > 60 && ten < 90) }' # three of four rows are worth -10
}

@test "offline: validation by an attribute, in the log" {
    offline --validate-by household --validation 0.25 --log log t.dq -o m.dq
    jq -es 'length == 6 and all(.validation_loss > 0) and all(.validation_concordance > 0) and .[0].best' log
    offline --validate-by household --validation 0.25 --best-by loss --log log t.dq -o m.dq
    jq -es '(map(select(.best)) | .[-1].validation_loss) == (map(.validation_loss) | min)' log
    "$BUILD"/dq-train --offline --hidden 8 --world-hidden 8 --epochs 1 --validate-by household --validation 0.25 \
        -o m.dq t.dq 2> said
    grep -q '(1 of 4 groups)' said
}

@test "offline: the epoch that is kept, by any measure; what rows cannot tell is said" {
    for by in loss concordance ndcg; do
        offline --validation 0.25 --best-by $by --log log -o m.dq t.dq
        [ "$by" = loss ] || jq -es "(map(select(.best))[-1].validation_$by) == (map(.validation_$by) | max)" log
    done
    jq -es 'all(.validation_hit >= .validation_ndcg and .validation_ndcg > 0)' log
    "$BUILD"/dq-reward --strategy logged --map APPLY=1,SAVE=1,CLICK=1,IGNORE=1 -o equal.dq c.dq
    "$BUILD"/dq-train --offline "${small[@]/--quiet/--progress}" --loss mse --validation 0.25 --epochs 1 -o m.dq equal.dq 2> said
    grep -q 'no two held-out rows of one user have different rewards: the epoch of the least loss is kept' said
    run -1 offline --loss mse --negatives 0 --validation 0.25 --best-by concordance -o x.dq equal.dq
    [ "$output" = "dq-train: --best-by concordance: no two held-out rows of one user have different rewards" ]
    [ ! -e x.dq ]
    "$BUILD"/dq-reward --strategy logged --map APPLY=-1,SAVE=-1,CLICK=-1,IGNORE=-2 -o bad.dq c.dq
    run -1 offline --loss mse --validation 0.25 --best-by ndcg -o x.dq bad.dq
    [ "$output" = "dq-train: --best-by ndcg: no held-out row has a positive reward" ]
}

@test "offline: rows by priority, in the log and in a resumed run" {
    offline --loss mse --priority 0.6 --importance 0.3 --epochs 40 --log whole.log -o whole.dq t.dq
    jq -es '.[0].beta > 0.3 and .[-1].beta > 0.99 and ([.[].beta] | . == sort)' whole.log
    interrupted --offline "${brief[@]}" --loss mse --priority 0.6 --importance 0.3 --epochs 40 --checkpoint ck --log parts.log -o parts.dq t.dq
    cmp whole.dq parts.dq
    cmp whole.log parts.log
    offline --loss mse --epochs 40 -o uniform.dq t.dq
    run ! cmp -s whole.dq uniform.dq
}

@test "offline: any agent, on vectors of items or with an output for each" {
    "$BUILD"/dq-train --offline --quiet --agent dqn --hidden 24 --epochs 3 --log log -o a.dq t.dq
    jq -es 'all(.world_loss == null) and all(.q_loss > 0)' log
    "$BUILD"/dq-cat --kind model a.dq | head -1 | jq -e '.meta | .architecture == "dqn" and has("layout") and (has("items") | not)'
    "$BUILD"/dq-train --offline --quiet --agent dqn --head outputs --hidden 24 --double --dueling --conservative 0.5 --epochs 3 -o b.dq t.dq
    "$BUILD"/dq-cat --kind model b.dq | head -1 | jq -e '(.meta.items | length) == 40 and .meta.items[3] == "i003"'
    "$BUILD"/dq-train --offline --quiet --agent tabular --alpha 0.5 --epochs 20 --validation 0 --log log -o d.dq t.dq
    jq -es '.[-1].q_loss < .[0].q_loss / 2' log
    run -2 "$BUILD"/dq-train --offline --head outputs --features all t.dq
    [ "${output% (try *)}" = "dq-train: --features compare a state with an action: they need --head actions" ]
    run -2 "$BUILD"/dq-train --offline --n-step 3 t.dq
    [[ "${output% (try *)}" == *" (pairs of users and items follow no order, so no later reward is theirs)" ]]
}

@test "offline: lists, whole or drawn, by either loss: threads do not matter, values are in rewards, and what they cannot have is refused" {
    for loss in softmax pairwise; do
        for negatives in 0 5; do
            lists=(--offline --quiet --loss $loss --negatives $negatives --batch 8 --epochs 20 --lr 1e-2 --world-hidden 8)
            "$BUILD"/dq-train "${lists[@]}" --log log -t 1 -o a.dq t.dq
            "$BUILD"/dq-train "${lists[@]}" -t 3 -o b.dq t.dq
            cmp a.dq b.dq
            jq -es '.[-1].q_loss < .[0].q_loss and (.[-1].world_loss > 0)' log
            "$BUILD"/dq-cat --kind model a.dq | head -1 | jq -e '.meta.q.calibrated == 1 and .meta.q.factored == 128'
            "$BUILD"/dq-rank -q --model a.dq c.dq -k 40 --format tsv --no-header | awk '{ if ($4 > 2 || $4 < -2) exit 1 }'
        done
    done
    last "$BUILD"/dq-train "${small[@]}" "${lists[@]}" --log whole.log -o whole.dq t.dq
    interrupted "${lists[@]}" --checkpoint ck --log parts.log -o parts.dq t.dq
    cmp whole.dq parts.dq
    cmp whole.log parts.log
    # It goes on by lists, by rows, and online.
    "$BUILD"/dq-train "${lists[@]}" --init a.dq -o more.dq t.dq
    "$BUILD"/dq-train --offline --quiet --loss mse --epochs 1 --init a.dq -o rows.dq t.dq
    # What the weights of features have learnt is where they go on.
    for model in a still; do
        [ $model = a ] || last "$BUILD"/dq-train "${lists[@]}" --epochs 1 --lr 1e-30 --weight-decay 0 --init a.dq -o $model.dq t.dq
        "$BUILD"/dq-cat --kind model $model.dq | grep '"q.direct.weight"' > $model.direct
    done
    cmp a.direct still.direct
    last "$BUILD"/dq-train "${lists[@]}" --epochs 1 --lr 1e-30 --weight-decay 0 --direct-start 3 --init a.dq -o anew.dq t.dq
    "$BUILD"/dq-cat --kind model anew.dq | grep '"q.direct.weight"' | jq -e '.data[0] == 3'
    "$BUILD"/dq-train --offline --quiet --agent dqn --loss mse --hidden 8 --epochs 1 -o plain.dq t.dq # not calibrated yet
    "$BUILD"/dq-train --offline --quiet --agent dqn --epochs 2 --init plain.dq -o lists.dq t.dq
    "$BUILD"/dq-cat --kind model lists.dq | head -1 | jq -e '.meta.q.calibrated == 1 and .meta.q.factored == 0'
    run -1 "$BUILD"/dq-train --offline --gamma 0.9 -o x.dq t.dq
    [ "$output" = "dq-train: a list has no next state: gamma, priorities and the conservative term are of rows (--loss mse)" ]
    for option in --double "--bootstrap same" "--target-every 3" "--tau 0.5"; do # a list has no next state
        # shellcheck disable=SC2086 # an option and its value
        run -2 "$BUILD"/dq-train --offline $option -o x.dq t.dq
        [[ "${output% (try *)}" == "dq-train: ${option%% *} needs "*"--loss mse or huber" ]]
    done
    run -2 "$BUILD"/dq-train --offline --features neighbours --feature-scale 2 -o x.dq t.dq
    [ "${output% (try *)}" = "dq-train: --feature-scale needs cosines among --features: pairs or all" ]
    run -2 "$BUILD"/dq-train --offline --loss mse --list-temperature 2 t.dq
    [[ $output == *--list-temperature*--loss* ]]
    run -2 "$BUILD"/dq-train --user u05 --loss softmax c.dq
    [[ $output == *softmax* ]]
    [ ! -e x.dq ]
}

@test "offline: a resumed run equals an uninterrupted one, the log too" {
    offline --epochs 80 --validation 0.2 --log whole.log -o whole.dq t.dq
    interrupted --offline "${brief[@]}" --epochs 80 --validation 0.2 --checkpoint ck --log parts.log -o parts.dq t.dq
    cmp whole.dq parts.dq
    cmp whole.log parts.log
}

@test "a log that lacks what its checkpoint counts is refused, and names both ways out" {
    offline --epochs 4 --checkpoint ck --log log -o whole.dq t.dq
    bytes=$(stat -c %s log)
    cp log whole.log
    for has in 0 20; do
        if [ $has = 0 ]; then rm log; else head -c $has whole.log > log; fi
        run -1 offline --epochs 4 --checkpoint ck --log log -o again.dq t.dq
        [ "$output" = "dq-train: log: the checkpoint was made when the log had $bytes bytes, and it has $has: put the log back, or remove the checkpoint to begin again" ]
    done
    cp whole.log log
    offline --epochs 4 --checkpoint ck --log log -o again.dq t.dq
    cmp log whole.log
    rm ck log
    offline --epochs 4 --checkpoint ck --log log -o again.dq t.dq
    cmp log whole.log
    cmp whole.dq again.dq
}

@test "a killed run goes on from its last checkpoint" {
    offline --epochs 60 --log whole.log -o whole.dq t.dq
    last_of "$BUILD"/dq-train --offline "${small[@]}" "${brief[@]}" --epochs 60 --checkpoint ck --log parts.log -o parts.dq t.dq
    "$BUILD"/dq-train "${line[@]}" &
    pid=$!
    until [ -e ck ]; do kill -0 "$pid"; done
    kill -KILL "$pid" 2> /dev/null || true
    wait "$pid" || true
    offline --epochs 60 --checkpoint ck --log parts.log -o parts.dq t.dq
    cmp whole.dq parts.dq
    cmp whole.log parts.log
}

@test "--init goes on from a model, also from one in the stream, with its shape" {
    offline -o m.dq t.dq
    "$BUILD"/dq-train --quiet "${short[@]}" --user u02 --init m.dq -o a.dq c.dq
    cat m.dq c.dq | "$BUILD"/dq-train --quiet "${short[@]}" --user u02 -o b.dq
    "$BUILD"/dq-cat --check a.dq b.dq
    [ "$(stat -c %s a.dq)" -lt 20000 ] # 24,12 and 16, not the default 1024s
    "$BUILD"/dq-train --quiet "${short[@]}" --hidden 24,12 --world-hidden 16 --user u02 -o d.dq c.dq
    run ! cmp -s a.dq d.dq
    run -1 "$BUILD"/dq-train --quiet "${short[@]}" --hidden 25 --user u02 --init m.dq -o e.dq c.dq
    offline --checkpoint ck -o m.dq t.dq # a checkpoint is a model too, but its last pass's, not its best
    "$BUILD"/dq-train --quiet "${short[@]}" --user u02 --init ck -o f.dq c.dq
    "$BUILD"/dq-cat --check f.dq
}

@test "--each-user: a model a user, in their order, each as --user makes it" {
    online --each-user -t 3 --log each.log -o each.dq c.dq
    online --each-user -t 1 -o one.dq c.dq
    cmp each.dq one.dq
    [ "$(wc -l < each.log)" = 144 ]
    jq -r .user each.log | uniq | tr '\n' ' ' | diff - <(printf 'u%02d ' $(seq 0 11))
    online --user u07 --log u07.log -o u07.dq c.dq
    diff <(grep '"u07"' each.log) u07.log
    online --user u07 --episodes 3 --init each.dq --log x -o x.dq c.dq
    online --user u07 --episodes 3 --init u07.dq --log y -o y.dq c.dq
    cmp x y
}

@test "--each-user: who forks has no thread beside, which may hold a lock that the child waits for" {
    local most=0 n pid
    "$BUILD"/dq-train "${small[@]}" "${short[@]}" --each-user -t 2 -o each.dq c.dq &
    pid=$!
    while kill -0 $pid 2> /dev/null; do
        n=$(find /proc/$pid/task -mindepth 1 -maxdepth 1 2> /dev/null | wc -l) || true
        ((n <= most)) || most=$n
    done
    wait $pid
    [ "$most" = 1 ]
}

@test "--fold: each part of the users is held out once, and other numbers are refused" {
    for fold in 1 2 3; do
        "$BUILD"/dq-train --offline --hidden 8 --no-world --epochs 1 --fold $fold/3 -o m$fold.dq t.dq 2>words
        grep -o 'held out ([0-9]* of [0-9]* groups)' words
    done | tee shares
    [ "$(awk -F'[( ]' '{ n += $4; of = $6 } END { print n == of, NR }' shares)" = "1 3" ]
    run ! cmp -s <(payload m1.dq) <(payload m2.dq)
    for bad in 0/3 4/3 1/1 1 a/b 1/3x 1/-3 4294967297/2; do
        run -2 --separate-stderr "$BUILD"/dq-train --offline --fold $bad t.dq
        [[ $stderr == "dq-train: --fold $bad: I/K is wanted"* ]]
    done
    run -1 "$BUILD"/dq-train --offline --hidden 8 --no-world --epochs 1 --fold 1/900 t.dq -o none.dq
    [[ $output == "dq-train: "*"900 folds of "*" groups: some would hold nothing out" ]]
    run -2 "$BUILD"/dq-train --offline --fold 1/3 --validation .2 t.dq
    run -2 "$BUILD"/dq-train --user u03 --fold 1/3 t.dq
}

@test "dq-plan: the catalogue, then what the world model expects of remembered pairs" {
    offline -o m.dq t.dq
    "$BUILD"/dq-plan --model m.dq t.dq > s.dq
    "$BUILD"/dq-cat --check s.dq
    [ "$("$BUILD"/dq-cat s.dq | jq -c 'select(.kind == "transitions") | [.user, .item]' | sort)" = \
      "$("$BUILD"/dq-cat t.dq | jq -c 'select(.kind == "transitions") | [.user, .item]' | sort)" ]
    "$BUILD"/dq-plan --model m.dq < t.dq | offline --init m.dq -o m2.dq
    "$BUILD"/dq-train --quiet --offline --epochs 1 --no-world --init m.dq -o without.dq t.dq # whose world model is left out
    "$BUILD"/dq-cat --check m2.dq
    cat m.dq t.dq | "$BUILD"/dq-plan | "$BUILD"/dq-cat | cmp - <("$BUILD"/dq-cat s.dq)
}

@test "dq-plan: several models are an ensemble: the mean, how far they disagree, and a limit to that" {
    offline --seed 1 -o e1.dq t.dq
    offline --seed 2 -o e2.dq t.dq
    cat e1.dq e2.dq > both.dq
    for m in e1 e2 both; do "$BUILD"/dq-plan --model $m.dq t.dq | "$BUILD"/dq-cat --kind transitions > $m.rows; done
    paste -d' ' <(jq .reward e1.rows) <(jq .reward e2.rows) <(jq .reward both.rows) <(jq .disagreement both.rows) |
        awk '{ m = ($1 + $2) / 2 - $3; d = ($1 - $2) / 2; d = (d < 0 ? -d : d) - $4; if (m * m > 1e-12 || d * d > 1e-12) exit 1 }'
    jq -es 'all(has("disagreement") | not)' e1.rows
    limit=$(jq -s 'map(.disagreement) | sort | (length / 2 | floor) as $n | (.[$n - 1] + .[$n]) / 2' both.rows)
    "$BUILD"/dq-plan --model both.dq --max-disagreement "$limit" t.dq 2> said | "$BUILD"/dq-cat --kind transitions > kept.rows
    [ "$(wc -l < kept.rows)" = "$(jq -s --argjson limit "$limit" 'map(select(.disagreement <= $limit)) | length' both.rows)" ]
    grep -qx "dq-plan: $(($(wc -l < both.rows) - $(wc -l < kept.rows))) pairs dropped: the models disagree by more than .*" said
    run -1 "$BUILD"/dq-plan --model e1.dq --max-disagreement 1 t.dq -o out.dq
    [[ "$output" == "dq-plan: one world model cannot disagree; "* ]]
    [ ! -e out.dq ]
}

@test "dq-plan: unseen pairs are none of the stream's, N a user, drawn by the seed" {
    offline -o m.dq t.dq
    pairs() { jq -c 'select(.kind == "transitions") | [.user, .item]' | sort; }
    "$BUILD"/dq-plan --model m.dq --pairs unseen --per-user 7 t.dq | "$BUILD"/dq-cat | pairs > drawn
    "$BUILD"/dq-plan --model m.dq --pairs unseen --per-user 7 -t 2 t.dq | "$BUILD"/dq-cat | pairs | cmp - drawn
    [ "$(wc -l < drawn)" = 84 ]
    [ "$(uniq -d drawn)" = "" ]
    [ "$("$BUILD"/dq-cat t.dq | pairs | comm -12 - drawn)" = "" ]
    "$BUILD"/dq-plan --model m.dq --pairs unseen --per-user 7 --seed 2 t.dq | "$BUILD"/dq-cat | pairs > other
    run ! cmp -s drawn other
    "$BUILD"/dq-plan --model m.dq --pairs unseen t.dq | "$BUILD"/dq-cat | pairs > all
    [ "$(sort -u all <("$BUILD"/dq-cat t.dq | pairs) | wc -l)" = 480 ]
    "$BUILD"/dq-plan --model m.dq --pairs unseen --user u03 t.dq | "$BUILD"/dq-cat | pairs | cmp - <(grep '"u03"' all)
}

@test "an evaluation in a catalogue has --steps, however many" {
    "$BUILD"/dq-train --quiet --agent dqn --user u01 --reward cosine --hidden 2 --batch 8 --warmup 20 --train-every 1000 --episodes 1 --steps 100010 \
        --candidates 4 --evaluate 1 --evaluate-episodes 1 -l log -o m.dq c.dq
    jq -se 'map(select(.evaluation)) | length == 1 and .[0].evaluation_steps == 100010 and .[0].evaluation_cut == 0' log
}

# Two users that nobody can tell apart, of whom each likes what the other does not.
opposites() {
    local i
    printf '{"id": "%s", "vector": [1, 0]}\n' a b > users.jsonl
    for i in {0..59}; do
        printf '{"id": "i%d", "vector": [%d, %d]}\n' $i $((i % 2)) $((1 - i % 2)) >> items.jsonl
        printf '{"user": "a", "item": "i%d", "reward": %d}\n' $i $((i % 2)) >> rows.jsonl
        printf '{"user": "b", "item": "i%d", "reward": %d}\n' $i $((1 - i % 2)) >> rows.jsonl
    done
    "$BUILD"/dq-export -q --users users.jsonl --items items.jsonl --interactions rows.jsonl |
        "$BUILD"/dq-reward -q --strategy logged -o o.dq
}

@test "offline: what ranks nothing, or no better than chance, is said" {
    rate=(last "$BUILD"/dq-train --offline --loss mse --hidden 24,12 --dropout 0 --epochs 30 -t 1)
    "${rate[@]}" --validation 0 --lr 10 -o m.dq t.dq 2> said
    [ "$(tail -1 said)" = "dq-train: warning: the model gives every action the same value, so it ranks nothing (try a smaller --lr)" ]
    [ "$("$BUILD"/dq-rank -q --model m.dq c.dq --format tsv --no-header | cut -f4 | sort -u | wc -l)" = 1 ]
    "${rate[@]}" --validation 0 --lr 1e-3 -o m.dq t.dq 2> said
    run ! grep warning said
    opposites
    "${rate[@]}" --epochs 1 --batch 1 --lr 1e-2 -o m.dq o.dq 2> said
    grep -qx 'dq-train: warning: held-out rows are ordered no better than by chance (concordance 0.0000, chance 0.5)' said
    "${rate[@]}" --quiet --epochs 1 --batch 1 --lr 1e-2 -o m.dq o.dq 2> said
    [ ! -s said ]
}

@test "online: a network that a rate has killed is said, a table that has not met a state is not" {
    one=("$BUILD"/dq-train --hidden 24,12 --dropout 0 --agent dqn --batch 8 --warmup 20 --user u05 -t 1 -o m.dq c.dq)
    "${one[@]}" --lr 10 --episodes 60 2> said
    [ "$(cat said)" = "dq-train: u05: warning: the model gives every action the same value, so it ranks nothing (try a smaller --lr)" ]
    "${one[@]}" --episodes 5 2> said
    "$BUILD"/dq-train --agent tabular --env maze --total-steps 50 -o m.dq 2>> said
    [ ! -s said ]
}
