#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --curves on what is no log, and where gnuplot is not.

bats_require_minimum_version 1.5.0
load eval.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo '{"episode":1,"steps":10,"reward":0.5}' > log
}

@test "gnuplot missing: one line, no file" {
    mkdir empty
    run -1 --separate-stderr env PATH="$PWD/empty" "$BUILD"/dq-eval --quiet --curves log --plot out.svg
    [ "$stderr" = "dq-eval: gnuplot is not installed (Debian: gnuplot-nox); it draws the pictures" ]
    [ ! -e out.svg ]
}

@test "gnuplot failing: its words, no file" {
    mkdir bin
    printf '#!/bin/sh\necho "no terminal" >&2\nexit 3\n' > bin/gnuplot
    chmod +x bin/gnuplot
    run -1 --separate-stderr env PATH="$PWD/bin:$PATH" "$BUILD"/dq-eval --quiet --curves log --plot out.svg
    [ "$stderr" = "dq-eval: gnuplot failed: no terminal" ]
    [ ! -e out.svg ]
}

@test "not a log" {
    : > empty
    refused 1 "empty: no line of a log in it, or read already" --curves empty
    refused 1 "gone: cannot open: No such file or directory" --curves gone
    { cat log; echo '{"reward":1}'; } > bad
    refused 1 "bad: record 2: not a line of a log: an object with an episode or an epoch" --curves bad
    echo '[1]' > bad
    refused 1 "bad: record 1: not a line of a log: an object with an episode or an epoch" --curves bad
    echo '{"episode":1e12}' > bad
    refused 1 "bad: record 1: not a line of a log: an object with an episode or an epoch" --curves bad
    echo '{"episode":99999999999}' > bad
    refused 1 "bad: record 1: not a line of a log: an object with an episode or an epoch" --curves bad
    echo '{"epoch":1,"q_loss":1}' > epochs
    refused 1 "epochs: record 1: a log by epoch among logs by episode" --curves log epochs
    printf '{"episode":1,"rew' > cut
    run -1 --separate-stderr "$BUILD"/dq-eval --curves cut
    [[ $stderr == "dq-eval: cut: record 1: JSON: "* ]]
    refused 1 "log: no line of a log in it, or read already" --curves log log
}

@test "usage" {
    refused 2 "--curves needs the logs of dq-train (dq-train --log FILE)" --curves
    refused 2 "--plot FILE: 'x.jpg' ends in none of .svg, .png and .pdf" --curves log --plot x.jpg
    refused 2 "--curves has no trec format" --curves log -f trec
    refused 2 "--plot draws: no --format" --curves log --plot x.svg -f tsv
    refused 2 "--plot and --output exclude each other" --curves log --plot x.svg -o y.svg
    refused 2 "--plot has no meaning with --traffic; it is for rankings, --rollout, --cold-start, --rollout --env, --ope, --curves, --agreement or --draw" --plot x.svg --traffic q
}

@test "a log with nothing to draw, a full disk" {
    echo '{"episode":1}' > bare
    refused 1 "the logs have nothing that is drawn: reward, cumulative_reward, q_loss, world_loss, planning_loss, validation_loss, validation_concordance, validation_ndcg, validation_hit, return, evaluation_return" --curves bare
    run -1 --separate-stderr bash -c '"$BUILD"/dq-eval --curves log > /dev/full'
    [[ $stderr == *"No space left on device" ]]
}
