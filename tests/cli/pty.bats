#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs in a pseudo-terminal (pty_screen.py): bars, help, and stdin that is a terminal, at 40, 80 and 200 columns.

bats_require_minimum_version 1.5.0

load ../needs

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    printf '{"id":"u","vector":[1,0]}\n' > users.jsonl
    printf '{"id":"a","vector":[1,0]}\n{"id":"b","vector":[0,1]}\n' > items.jsonl
    printf '{"user":"u","item":"a","label":"APPLY"}\n{"user":"u","item":"b","label":"CLICK"}\n' > seen.jsonl
    dq-export -q --users users.jsonl --items items.jsonl --interactions seen.jsonl -o c.dq
    dq-reward -q --strategy logged c.dq -o t.dq
    dq-train -q --offline --epochs 1 --hidden 4 t.dq -o m.dq
    dq-rank -q --by cosine --format trec c.dq -o run
    printf 'u 0 a 1\n' > qrels
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    cp "$BATS_FILE_TMPDIR"/* .
}

# A function of pty_screen.py, whose first line says what it holds.
holds() {
    PYTHONDONTWRITEBYTECODE=1 timeout 900 python3 "$BATS_TEST_DIRNAME/pty_screen.py" "$1" < /dev/null
}

@test "a bar is one line at 40, 80 and 200 columns, of fewer parts where it is narrow" { holds a_bar_fits; }
@test "a window that becomes narrower and wider is followed" { holds a_window_is_resized; }
@test "a failure takes the bar away and stands alone" { holds a_message_has_its_own_line; }
@test "words that a program says while its bar stands there are above it" { holds words_come_between; }
@test "words of one program of a pipeline are no part of another's bar" { holds others_words_come_between; }
@test "of the programs of a pipeline one draws at a time" { holds one_program_draws; }
@test "Ctrl-C and SIGTERM leave a clean line" { holds an_interrupted_bar_goes; }
@test "Ctrl-C in a training that keeps its progress" { holds a_training_that_is_interrupted; }
@test "nothing is drawn in the background; stopped and back, the bar is there again" { holds a_job_in_the_background; }
@test "a dumb terminal gets lines, and no control character but their ends" { holds dumb_terminals; }
@test "colour on a terminal unless NO_COLOR is set" { holds colour; }
@test "a picture is as wide as the terminal, in colour where that is welcome" {
    needs gnuplot-nox
    dq-train -q --env maze --agent tabular --episodes 30 --log log -o m.dq
    holds pictures_fit
}
@test "bash completes what is typed at a terminal" { holds bash_completes; }
@test "who would read from a terminal says so, and exits 2" { holds nobody_waits_for_a_terminal; }
@test "no line of help is wider than the terminal, nor than 100 columns; headings are bold where colour is welcome" { holds help_fits; }
@test "an example that is broken over lines is the command that it is in one" { holds examples_are_commands; }
