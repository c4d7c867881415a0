#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Outputs: no two are one file, links stay, and a split does not mix with an earlier one.

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    export PATH="$BUILD:$PATH"
    dq-sim --users 3 --items 4 --quiet -o c.dq
    dq-embed -q hash:8 c.dq -o e.dq
}

setup() {
    bats_require_minimum_version 1.5.0
    cd "$(mktemp -d -p "$BATS_FILE_TMPDIR")"
    cp ../c.dq ../e.dq .
}

# A usage error with these words, and neither the files nor the folder have changed.
refuses() { # words, command...
    local words=$1 before
    shift
    before=$(ls; cksum ./*.dq old 2> /dev/null || true)
    run -2 "$@"
    [ "${output% (try *)}" = "$words" ] || { echo "$output"; false; }
    [ "$before" = "$(ls; cksum ./*.dq old 2> /dev/null || true)" ]
}

@test "two outputs of one name, by whatever way the name is written" {
    ln -s new link
    mkdir sub
    ln -s ../new sub/up
    train=(dq-train -q --user u0 c.dq)
    for other in new ./new "$PWD/new" sub/../new link sub/up; do
        refuses "dq-train: --log and --output are one file: $other" "${train[@]}" --log new -o "$other"
        refuses "dq-train: --checkpoint and --output are one file: new" "${train[@]}" --checkpoint "$other" -o new
    done
    refuses "dq-train: --checkpoint and --log are one file: link" "${train[@]}" --checkpoint new --log link -o m.dq
    refuses "dq-train: --log and --output are one file: m" dq-train -q --offline e.dq --log m -o m
    refuses "dq-train: --log and --output are one file: m" dq-train -q --each-user e.dq --log m -o m
    refuses "dq-train: --log and --output are one file: m" dq-train -q --env maze --log m -o m
    refuses "dq-train: --log would overwrite the input of --init, c.dq" dq-train -q --user u0 --init c.dq --log ./c.dq e.dq -o m.dq
    refuses "dq-cat: --ids and --output are one file: new" dq-cat --kind users --to npy --ids link e.dq -o new
    refuses "dq-reward: --answers and --output are one file: new" dq-reward --strategy human --answers link c.dq -o new
    refuses "dq-reward: --cache and --output are one file: new" \
        dq-reward --strategy llm --model m --cache link c.dq -o new
    refuses "dq-reward: --export-cache and --output are one file: new" dq-reward --export-cache link -o new
    refuses "dq-embed: --cache and --output are one file: new" dq-embed openai:m --cache new c.dq -o new
}

@test "two outputs that are one file, which is there" {
    echo old > old
    ln old hard
    ln -s old soft
    for other in old hard soft; do
        refuses "dq-train: --log and --output are one file: $other" dq-train -q --user u0 c.dq --log old -o "$other"
    done
    [ "$(cat old)" = old ]
}

@test "stdout is an output, where no --output stands in for it" {
    echo old > old
    run -2 bash -c 'dq-train -q --user u0 c.dq --log old >> old 2> said; rc=$?; cat said; exit $rc'
    [ "${output% (try *)}" = "dq-train: --log and stdout are one file: old" ]
    run -2 bash -c 'dq-train -q --user u0 c.dq --log old -o - >> old 2> said; rc=$?; cat said; exit $rc'
    run -2 bash -c '{ dq-train -q --user u0 c.dq --log /dev/stdout; echo $? > rc; } 2> said | cat > got; cat said; exit $(cat rc)'
    [ "${output% (try *)}" = "dq-train: --log and stdout are one file: /dev/stdout" ]
    [ ! -s got ]
    run -2 bash -c 'dq-eval --curves e.dq --plot old >> old'
    dq-train -q --user "$(dq-cat --kind users c.dq | head -1 | jq -r .id)" --episodes 1 --warmup 8 --batch 8 e.dq --log /dev/stdout -o m.dq > log
    [ "$(wc -l < log)" = 1 ]
    dq-cat --check m.dq
}

@test "what takes from any number of writers is no file" {
    user=$(dq-cat --kind users c.dq | head -1 | jq -r .id)
    dq-train -q --user "$user" --episodes 1 --warmup 8 --batch 8 e.dq --log /dev/null > /dev/null
    dq-train -q --user "$user" --episodes 1 --warmup 8 --batch 8 e.dq --log /dev/null -o /dev/null
}

@test "an output that is written in place does not overwrite an input" {
    refuses "dq-train: --log would overwrite the input ./c.dq" dq-train -q --user u0 --log c.dq ./c.dq -o m.dq
    refuses "dq-train: --log would overwrite the input, stdin" \
        bash -c 'dq-train -q --user u0 --log c.dq -o m.dq < c.dq'
    dq-cat e.dq --kind users --to stream -o e.dq # replaced when it is complete
    dq-cat --check e.dq
}

@test "a link stays, and the file that it names is made" {
    ln -s made.dq link.dq
    dq-cat c.dq --to stream -o link.dq
    [ -L link.dq ]
    cmp <(dq-cat made.dq) <(dq-cat c.dq)
    mkdir there
    ln -s there/far.dq far.dq
    ln -s far.dq farther.dq
    dq-cat c.dq --to stream -o farther.dq
    [ -L farther.dq ]
    [ -L far.dq ]
    cmp made.dq there/far.dq
    ln -s no/where lost.dq
    run -1 dq-cat c.dq --to stream -o lost.dq
    [ "$output" = "dq-cat: lost.dq: cannot create: No such file or directory" ]
    [ -L lost.dq ]
}

@test "a split beside files of an earlier one is refused, and loses nothing" {
    dq-cat c.dq c.dq c.dq --to stream > three.dq
    dq-cat --split parts three.dq
    before=$(cksum parts/*)
    run -1 dq-cat --split parts c.dq
    [ "$output" = "dq-cat: parts: an earlier split is there (00000.dq to 00002.dq), and its files would stand among the new ones: remove them, or name another directory" ]
    [ "$before" = "$(cksum parts/*)" ]
    rm parts/0000[01].dq
    run -1 dq-cat --split parts c.dq
    [[ $output == *"(00002.dq)"* ]]
    rm parts/*
    touch parts/notes parts/12.dq parts/00001.dq.bak # nobody's
    dq-cat --split parts three.dq
    [ "$(ls parts | paste -sd' ')" = "00000.dq 00001.dq 00001.dq.bak 00002.dq 12.dq notes" ]
}
