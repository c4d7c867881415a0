#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Agents that begin from one model and keep what differs from it: --train-last, --save delta, and who reads that.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    "$BATS_TEST_DIRNAME"/../fixtures/world.sh 12 30
    "$BUILD"/dq-export --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
    "$BUILD"/dq-reward -q --pairs all c.dq | "$BUILD"/dq-train -q --offline --loss mse --hidden 64,32 --world-hidden 32 --epochs 1 -o start.dq
    each -o whole.dq --models-dir whole c.dq
    each --train-last 1 --models-dir last c.dq
    each --train-last 1 --save delta --models-dir delta -o delta.dq c.dq
}

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    ln -s "$BATS_FILE_TMPDIR"/{c.dq,start.dq,whole.dq,delta.dq,whole,last,delta} .
}

# each OPTION...: an agent for each user, from one start
few=(--quiet --reward cosine --batch 4 --warmup 5 --replay 50 --episodes 2 --steps 10)
each() { last "$BUILD"/dq-train "${few[@]}" -t 2 --each-user --init start.dq "$@"; }
said() { { each --no-quiet "$@" > /dev/null; } 2>&1; }
digest() { "$BUILD"/dq-cat --lineage "$1" | sed -n 's/^section //p'; }
models() { "$BUILD"/dq-cat --kind model "$@"; }
bytes() { cat "$1"/u*.dq | wc -c; }
start_file() { echo "$1"/.start-*.dq; }

@test "--train-last: layers before the last keep every bit of the start, and the last ones learn" {
    models --to safetensors start.dq > start.st
    models --to safetensors last/u03.dq > last.st
    needs python3-numpy
    /usr/bin/python3 - << 'END'
import json, struct
def tensors(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    return {k: data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in head.items() if k != "__metadata__"}
a, b = tensors("start.st"), tensors("last.st")
same = {k for k in b if a.get(k) == b[k]}
assert {k for k in b if ".output." in k} == {k for k in b if k not in same}, same
assert any(".hidden.1." in k for k in same) and any(k.startswith("world.") and ".hidden." in k for k in same)
END
    "$BUILD"/dq-train "${few[@]}" --user u03 --init start.dq --train-last 1 -o u03.dq c.dq
    [ "$(digest u03.dq)" = "$(digest last/u03.dq)" ]
    run -2 --separate-stderr "$BUILD"/dq-train --user u03 --train-last 1 c.dq
    [[ $stderr == *"--train-last needs --init"* ]]
    # more layers than there are: all learn
    each --train-last 9 --models-dir all c.dq
    cmp <(models all/u05.dq) <(models whole/u05.dq)
}

@test "--save delta: what differs, a few per cent of it, and made whole it is the agent of a run without" {
    [ $(($(bytes delta) * 4)) -lt "$(bytes last)" ]
    cmp <(models "$(start_file delta)") <(models start.dq)
    for user in u00 u07 u11; do
        cmp <(models --start start.dq delta/$user.dq) <(models last/$user.dq)
        [ "$(digest <("$BUILD"/dq-cat --start start.dq --to stream delta/$user.dq) | cut -d' ' -f1)" = "$(digest last/$user.dq | cut -d' ' -f1)" ]
    done
    # a stream has what the files have
    cmp <(models delta.dq) <(cat delta/u*.dq | models)
    cmp <(models --start start.dq delta.dq) <(cat last/u*.dq | models)
    # where everything learns, too: exact, if not small
    each --save delta --models-dir d c.dq
    [ "$(bytes d)" -lt "$(bytes whole)" ]
    cmp <(cat d/u*.dq | models --start start.dq) <(models whole.dq)
}

@test "who reads models reads deltas where they stand" {
    "$BUILD"/dq-rank -q --models-dir last -k 3 --format tsv -o wanted.tsv c.dq
    "$BUILD"/dq-rank -q --models-dir delta -k 3 --format tsv c.dq | cmp - wanted.tsv
    for m in delta/u03.dq last/u03.dq; do
        "$BUILD"/dq-rank -q --model $m -u u03 -k 3 --format tsv c.dq > "${m%/*}.rank"
        "$BUILD"/dq-plan -q --model $m --per-user 2 c.dq | "$BUILD"/dq-cat > "${m%/*}.plan"
        "$BUILD"/dq-train "${few[@]}" --user u04 --init $m -o "${m%/*}.on.dq" c.dq
        models "${m%/*}.on.dq" > "${m%/*}.on"
        "$BUILD"/dq-eval --rollout --format tsv --model $m --episodes 2 --steps 3 c.dq | cut -f 2- > "${m%/*}.eval"
        "$BUILD"/dq-rank -q --models-dir whole --fallback $m -k 3 --format tsv c.dq > "${m%/*}.fallback"
    done
    for what in rank plan on eval fallback; do [ -s delta.$what ]; cmp delta.$what last.$what; done
    # dq-sim, too, which has no world of theirs: it says of both what does not fit
    for m in delta last; do
        run -1 --separate-stderr "$BUILD"/dq-sim sequence --play 1 --model $m/u03.dq -o never.dq
        echo "${stderr//$m/FOLDER}" > $m.sim
    done
    cmp delta.sim last.sim
    "$BUILD"/dq-serve -q --check --catalogue c.dq --model delta/u03.dq --log none.dq
}

@test "a delta without its start, or with another one, is refused in one line" {
    mkdir d
    cp delta/u03.dq d
    start=$(basename "$(start_file delta)")
    out="dq-cat --start MODEL makes it whole"
    for command in "dq-rank --model d/u03.dq -u u03 c.dq" "dq-rank --models-dir d -u u03 c.dq" "dq-plan --model d/u03.dq --per-user 1 c.dq" \
        "dq-train --user u03 --init d/u03.dq c.dq" "dq-rank --models-dir last --fallback d/u03.dq c.dq"; do
        run -1 --separate-stderr "$BUILD"/$command
        [ "${#stderr_lines[@]}" = 1 ]
        [[ $stderr == *"d/$start; $out" ]]
    done
    run -1 --separate-stderr bash -c 'cat d/u03.dq c.dq | "$BUILD"/dq-rank -u u03'
    [[ $stderr == *"it has only what differs from the model ${start:7:16} (--save delta); $out" ]]
    run -1 --separate-stderr "$BUILD"/dq-cat --to safetensors d/u03.dq
    [[ $stderr == *"$out" ]]
    run -1 --separate-stderr "$BUILD"/dq-cat --start last/u03.dq d/u03.dq
    [[ $stderr == *"it started from the model ${start:7:16}, and this is "* ]]
    run -1 --separate-stderr "$BUILD"/dq-cat --start d/u03.dq d/u03.dq
    [[ $stderr == *"a start is a whole model"* ]]
    cp last/u03.dq "d/$start"
    run -1 --separate-stderr "$BUILD"/dq-rank --model d/u03.dq -u u03 c.dq
    [[ $stderr == *"is not the model that it is named after" ]]
    cp "$(start_file delta)" d
    "$BUILD"/dq-rank -q --model d/u03.dq -u u03 c.dq | "$BUILD"/dq-cat --check
}

@test "what --save delta needs" {
    run -2 --separate-stderr each --save delta c.dq
    [[ $stderr == *"--save needs --models-dir"* ]]
    cat last/u0[12].dq > two.dq
    printf 'u01\nu02\n' > list
    run -1 --separate-stderr last "$BUILD"/dq-train "${few[@]}" --each-user --users-file list --init two.dq --save delta --models-dir d c.dq
    [[ $stderr == *"--save delta needs --init with one model, from which all start" ]]
    run -1 --separate-stderr last "$BUILD"/dq-train "${few[@]}" --each-user --hidden 4 --world-hidden 4 --save delta --models-dir d c.dq
    [[ $stderr == *"--save delta needs --init with one model, from which all start" ]]
    run -1 --separate-stderr last "$BUILD"/dq-train "${few[@]}" --each-user --init delta/u01.dq --save delta --models-dir d c.dq
    [[ $stderr == *"delta/u01.dq has only what differs from its start; dq-cat --start MODEL makes it whole" ]]
}

@test "a night of deltas goes on after a kill, and a new start stands beside the old one" {
    each --train-last 1 --save delta --models-dir d c.dq & night=$!
    until [ -e d/u01.dq ] || ! kill -0 $night; do sleep 0.01; done
    kill -KILL $night || true
    wait $night || true
    each --train-last 1 --save delta --models-dir d -o out.dq c.dq
    diff -r d delta
    cmp <(zstd -dcq < out.dq) <(zstd -dcq < delta.dq)
    [ "$(said --train-last 1 --save delta --models-dir d c.dq)" = "dq-train: trained 0, resumed 12" ]
    # a start that is damaged is put there again
    truncate -s 100 "$(start_file d)"
    [ "$(said --train-last 1 --save delta --models-dir d c.dq)" = "dq-train: trained 0, resumed 12" ]
    cmp <(models "$(start_file d)") <(models start.dq)
    # whole agents take their place, and deltas of another start theirs
    [ "$(said --train-last 1 --models-dir d c.dq)" = "dq-train: trained 12, replaced 12"$'\n'"dq-train: 1 start that no agent is of any more is removed" ]
    [ ! -e "$(start_file d)" ]
    cp "$(start_file delta)" delta/u06.dq d
    cp last/u01.dq start.dq.new
    printf 'u05\n' | last "$BUILD"/dq-train "${few[@]}" --each-user --users-file - --init start.dq.new --save delta --train-last 1 --models-dir d c.dq
    [ "$(ls d/.start-*.dq | wc -l)" = 2 ]
    "$BUILD"/dq-rank -q --models-dir d -k 1 --format tsv -o lists.tsv c.dq
    [ "$(wc -l < lists.tsv)" = 13 ]
}

@test "a start goes with the last agent that is of it, and not while somebody else makes agents there" {
    starts() { ls "$1"/.start-*.dq | wc -l; }
    each --train-last 1 --save delta --models-dir s c.dq
    cp last/u01.dq other.dq
    next() { last "$BUILD"/dq-train "${few[@]}" -t 2 --each-user --init other.dq --save delta --train-last 1 --models-dir s "$@" c.dq 2>&1; }
    # half of the users: the others' agents are of the old start
    [[ $(next --no-quiet --shard 1/2) != *removed* ]]
    [ "$(starts s)" = 2 ]
    # a file that is no start's is nobody's business, nor is an agent of a user who is not in the catalogue any more
    echo mine > s/.start-of-something
    cp delta/u06.dq s/gone.dq
    [[ $(next --no-quiet) != *removed* ]]
    [ "$(starts s)" = 2 ]
    # one that cannot be read may be of any start
    truncate -s 100 s/gone.dq
    [[ $(next --no-quiet) == *"starts that no agent may be of any more are left: "*s/gone.dq:* ]]
    [ "$(starts s)" = 2 ]
    rm s/gone.dq
    # somebody else is at work: here one who has claimed a user
    /usr/bin/python3 -c 'import fcntl, time
f = open("s/.lock", "r+b")
fcntl.lockf(f, fcntl.LOCK_EX, 1, 1 << 61)
print(flush=True)
time.sleep(300)' > ready 3>&- & other=$!
    while [ ! -s ready ]; do sleep 0.05; done
    printf 'u01\n' > one
    [[ $(next --no-quiet --users-file one) != *removed* ]]
    [ "$(starts s)" = 2 ]
    kill $other
    wait $other || true
    # a run for some leaves it: others may begin beside it
    [[ $(next --no-quiet --users-file one) != *removed* ]]
    [ "$(starts s)" = 2 ]
    [[ $(next --no-quiet) == *"1 start that no agent is of any more is removed"* ]]
    [ "$(starts s)" = 1 ]
    [ -e s/.start-of-something ]
    "$BUILD"/dq-rank -q --models-dir s -k 1 --format tsv -o lists.tsv c.dq
    [ "$(wc -l < lists.tsv)" = 13 ]
}

@test "Python makes a delta whole" {
    needs python3-msgpack python3-numpy python3-xxhash python3-zstandard
    each --save delta --models-dir d c.dq
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BATS_TEST_DIRNAME/../../python /usr/bin/python3 - << 'END'
import dq
start = dq.read("start.dq").models[0]
for delta, whole in (("delta/u03.dq", "last/u03.dq"), ("d/u03.dq", "whole/u03.dq")):
    a, b = dq.read(delta).models[0].whole(start), dq.read(whole).models[0]
    assert a.meta == b.meta and list(a.columns) == list(b.columns)
    assert all(a[n].tobytes() == b[n].tobytes() and a[n].shape == b[n].shape for n in a.columns)
for bundle, words in ((b, "no model that has only"), (dq.read("delta/u03.dq").models[0], "it started from the model")):
    try:
        bundle.whole(b)
        raise SystemExit("not refused")
    except dq.Error as e:
        assert words in str(e), e
END
}
