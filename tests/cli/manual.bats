#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Manual pages and completions say what the programs do.

bats_require_minimum_version 1.5.0

source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    manual=$BATS_TEST_DIRNAME/../../docs/man
    programs=("$BUILD"/dq-*)
}

# Names of the long options in --help, without the two that every program has.
options_of() {
    "$1" --help | sed -nE 's/^(  -., |      )--(\[no-\])?([a-z][a-z0-9-]*).*/--\3/p' | sed 's/^--no-/--/' |
        grep -vxE -- '--(help|version)' | sort -u
}

@test "every program has a manual page, with its parts in order and two examples" {
    for program in "${programs[@]}"; do
        page=$manual/${program##*/}.1.scd
        [ -e "$page" ] || { echo "${program##*/} has no manual page"; false; }
        grep '^# ' "$page" | grep -vx -e '# ENVIRONMENT' -e '# MEMORY' > parts # which stand before EXIT STATUS, where they are
        head -3 parts | diff - <(printf '# NAME\n# SYNOPSIS\n# EXAMPLES\n')
        tail -3 parts | diff - <(printf '# OPTIONS\n# EXIT STATUS\n# SEE ALSO\n')
        [ "$(sed -n '/^# EXAMPLES/,/^# [^E]/p' "$page" | grep -cE '^	|^```$')" -ge 2 ]
        [ -s "$BUILD/man/${program##*/}.1" ]
    done
}

@test "every option stands in the manual page, and the page invents none" {
    for program in "${programs[@]}"; do
        page=$manual/${program##*/}.1.scd
        [ -e "$page" ] || continue
        options_of "$program" > real
        [ -s real ]
        sed -n '/^# OPTIONS/,/^# EXIT/p' "$page" | grep -E '^\*-' | grep -oE -- '\*--[a-z][a-z0-9-]*' | tr -d '*' |
            grep -vxE -- '--(help|version|completion)' | sed 's/^--no-/--/' | sort -u > written
        diff real written > difference || { echo "${program##*/}: < in --help, > in the manual"; cat difference; false; }
    done
}

@test "the defaults that a page gives are those of the program" {
    for program in "${programs[@]}"; do
        page=$manual/${program##*/}.1.scd
        [ -e "$page" ] || continue
        "$program" --help | awk '/^ +(-., )?--/ { match($0, /--(\[no-\])?[a-z0-9-]+/); name = substr($0, RSTART, RLENGTH); text = "" }
            { text = text $0 } name && match(text, /\(default [-0-9.e]+[;)]/) { print name, substr(text, RSTART + 9, RLENGTH - 10); name = "" }' > real
        while read -r name value; do
            awk -v name="*$name*" -v value="$value" 'index($0, name) == 1 || index($0, ", " name) { on = 1; seen = 0; next }
                on && /^$/ { on = 0 } on { text = text " " $0 }
                END { if (match(text, /default [-0-9.e]*[0-9]/)) { got = substr(text, RSTART + 8, RLENGTH - 8); if (got + 0 != value + 0) { print name, got, "not", value; exit 1 } } }' "$page"
        done < real
    done
}

@test "completions: bash takes them, and they offer what --help lists" {
    for program in "${programs[@]}"; do
        name=${program##*/}
        "$program" --completion > completion
        cmp completion "$BUILD/completions/bash/$name"
        options_of "$program" > real
        bash -euc 'source ./completion
            [[ $(complete -p '"$name"') == *-F\ _'"$name"'* ]]
            compopt() { :; }
            COMP_LINE="'"$name"' --" COMP_WORDS=('"$name"' --) COMP_CWORD=1
            _'"$name"' "'"$program"'"
            printf "%s\n" "${COMPREPLY[@]}"' | sed 's/=$//; s/^--no-/--/' | grep -vxE -- '--(help|version)' | sort -u | diff real -
    done
}

@test "completions: choices after an option, with and without the equals sign" {
    "$BUILD"/dq-reward --completion > completion
    bash -euc 'source ./completion
        compopt() { :; }
        PATH=$BUILD:$PATH
        typed() { COMP_LINE=$1 COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)); _dq-reward dq-reward; }
        typed "dq-reward --strategy " dq-reward --strategy ""; [ "${COMPREPLY[*]}" = "cosine logged llm hybrid human" ]
        typed "dq-reward --strategy=lo" dq-reward --strategy = lo; [ "${COMPREPLY[*]}" = logged ]
        typed "dq-reward -s c" dq-reward -s c; [ "${COMPREPLY[*]}" = cosine ]
        typed "dq-reward file" dq-reward file; [ ${#COMPREPLY[@]} -eq 0 ]'
}

# Lines "PROGRAM --OPTION" for every option of every program in what is read: a command ends at a bar, a quote, a
# bracket or the end of the line; a line ending in a bar or backslash goes on.
options_used() {
    sed -E 's/\\?[[:space:]]*$//' "$@" | tr '|;()`*<>"'"'" '\n' |
        awk '{ name = ""; for (i = 1; i <= NF; i++) { if ($i ~ /^dq-[a-z]+$/) name = $i
               else if (name && $i ~ /^--[a-z]/) { sub(/[=.,].*/, "", $i); print name, $i } } }' | sort -u
}

@test "no example uses an option that a program does not have" {
    shopt -s nullglob
    cd "$BATS_TEST_DIRNAME/../.."
    for program in "${programs[@]}"; do "$program" --help | sed -n '/^Examples:/,/^$/p'; done > "$BATS_TEST_TMPDIR"/examples
    options_used "$BATS_TEST_TMPDIR"/examples README.md docs/*.md docs/man/*.scd pipelines/*.mk > "$BATS_TEST_TMPDIR"/used
    [ "$(wc -l < "$BATS_TEST_TMPDIR"/used)" -ge 20 ]
    while read -r name option; do
        [ -x "$BUILD/$name" ] || continue
        "$BUILD/$name" --help > "$BATS_TEST_TMPDIR"/help
        grep -qE -- "--((\[no-\])?${option#--}|\[no-\]${option#--no-})([ =]|\$)" "$BATS_TEST_TMPDIR"/help || [[ $option == --completion || $option == --complete-line ]] ||
            { echo "$name has no $option"; false; }
    done < "$BATS_TEST_TMPDIR"/used
}

@test "every page is called as its file, cites dq(7) and dq-stream(5), and cites nothing that is not there" {
    for page in "$manual"/*.scd; do
        name=${page##*/} name=${name%.scd}
        title="${name%.*}(${name##*.})"
        [ "$(head -1 "$page")" = "$title" ] || { echo "$name begins with $(head -1 "$page")"; false; }
        [[ $(sed -n '/^# NAME/,/^# [^N]/p' "$page") == *$'\n'"${name%.*} - "* ]] || { echo "$name: NAME is another's"; false; }
        sed -n '/^# SEE ALSO/,$p' "$page" > also
        for wanted in 'dq(7)' 'dq-stream(5)'; do
            [ "$wanted" = "$title" ] || grep -qF "*${wanted%(*}*(${wanted#*(}" also || { echo "$name does not cite $wanted"; false; }
        done
        while read -r cited; do
            [ -e "$manual/$cited.scd" ] || { echo "$name cites $cited, which is not there"; false; }
        done < <(grep -ohE '\*dq[a-z-]*\*\([1-9]\)' "$page" | sed 's/\*(/./; s/[*)]//g' | sort -u)
        while read -r guide; do
            [ -e "$manual/../../$guide" ] || { echo "$name cites $guide, which is not there"; false; }
        done < <(grep -oE 'docs/[a-z-]+\.md' "$page" | sort -u)
    done
}

@test "man shows every page without a warning" {
    needs man-db
    for page in "$BUILD"/man/*.[1-9]; do
        LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" > shown 2> warnings
        [ ! -s warnings ] || { echo "${page##*/}:"; cat warnings; false; }
        grep -q SYNOPSIS shown || grep -q DESCRIPTION shown
    done
}

@test "dq(7) names every program, and every exit code" {
    page=$manual/dq.7.scd
    for program in "${programs[@]}"; do
        sed -n '/^# PROGRAMS/,/^# A/p' "$page" > programs
        grep -qxF ":  *${program##*/}*(1)" programs || { echo "no ${program##*/}"; false; }
    done
    sed -n '/^# EXIT STATUS/,/^# E[^X]/p' "$page" | grep -oE '^\*[0-9]+\*' | tr -d '*' > written
    grep -E '^enum \{ DQ_EXIT' "$manual"/../../cmd/cli/cli.h | grep -oE '= [0-9]+' | tr -d '= ' | diff - written
}

@test "dq(7) has every letter with the options that it stands for, in all programs but dq-eval" {
    for program in "${programs[@]}"; do
        [ "${program##*/}" = dq-eval ] || "$program" --help
    done | sed -nE 's/^ +-([a-zA-Z]), +--(\[no-\])?([a-z][a-z-]*).*/\1 \3/p' | sort -u > real
    [ "$(wc -l < real)" -ge 20 ]
    sed -n '/^; letters/,/^; end of letters/p' "$manual"/dq.7.scd |
        awk '/^[|]/ { letter = substr($2, 3, 1) } /^:/ { while (match($0, /\*--[a-z-]+/)) { print letter, substr($0, RSTART + 3, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH) } }' |
        sort -u | diff real -
}

@test "dq(7) has every variable of the environment that programs read or set, and no other" {
    cd "$manual/../.." || return
    find cmd lib \( -name '*.c' -o -name '*.h' -o -name '*.py' \) -exec cat {} + > "$BATS_TEST_TMPDIR"/sources
    cd "$BATS_TEST_TMPDIR" || return
    # Two functions read variables whose names are elsewhere: names of proxies, and OpenBLAS's.
    grep -oE '\bgetenv\([^")]+\)' sources | sort | diff - <(printf '%s\n' 'getenv(name)' 'getenv(variable)')
    grep -oE '(getenv\(|environment\(|environ[a-z.]*[[(]|variable\[\] = )"[A-Za-z_]+|"(DQ_[A-Z_]+=?|[A-Za-z]+_(proxy|PROXY))"' sources |
        sed 's/"$//; s/=$//; s/.*"//' | sort -u > used
    sed -n '/^# ENVIRONMENT/,/^# FILES/p' "$manual"/dq.7.scd | grep '^\*' | grep -oE '\*[A-Za-z_]+\*' | tr -d '*' | sort -u > written
    # libpq reads its own, of which these say who one is.
    { grep -oE '"LISTEN_FDNAMES"' sources | tr -d '"'; printf '%s\n' PGPASSFILE PGPASSWORD PGSERVICE PGSERVICEFILE; } |
        sort -u - used | diff - written
}

@test "dq-stream(5) has the keys, types, kinds and limits of the format's specification" {
    format=$manual/../stream-format.md page=$manual/dq-stream.5.scd
    [ "$(sed -n '1s/.*version //p' "$format")" = "$(sed -n 's/^dq-stream - .*version //p' "$page")" ]
    { sed -n '/^## 3/,/^## 4/p' "$format" | grep -oE '^\| `[^|]*' | grep -oE '`[^`]*`'
      sed -n '/^## 4/,/^## 5/p' "$format" | sed -n '3,4p' | grep -oE '`[a-z]+`'
      sed -n '/^## 4/,/^## 5/p' "$format" | grep -vE '`features\.|`items\.|`value`' | grep -oE '^\| `[^|]*' | grep -oE '`[^`]*`'; } |
        tr -d '`' | sed 's/NAME$//' | sort -u | grep -vx -e log -e begun > specified # of a server's log
    [ "$(wc -l < specified)" -ge 50 ]
    while read -r word; do
        grep -qF "*$word*" "$page" || { echo "no $word"; false; }
    done < specified
    for limit in '2^30' '2^20' 32 4096 256 128; do
        sed -n '/^## 5/,/^## 6/p' "$format" | grep -F "$limit" > /dev/null
        sed -n '/^# LIMITS/,/^# E/p' "$page" | grep -F "$limit" > /dev/null
    done
}

@test "the lines of Python in dq-stream(5) read a stream" {
    needs python3-msgpack zstd
    "$BUILD"/dq-sim --items 7 --users 3 -o catalogue.dq
    sed -n '/^	zstd -dc/,/^$/p' "$manual"/dq-stream.5.scd | sed 's/^	//; s/++$//; s/\\//g' > lines
    PATH=/usr/bin:$PATH bash -o pipefail ./lines > records # which has the packages
    grep -qxE 'head +' records
    grep -qx 'bundle items 7' records
    grep -q '^end ' records
}
