#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every option of every program in every mode: it is listed and taken where it belongs, refused elsewhere; and the
# defaults that --help MODE prints are those that a run records.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    printf '{"id":"u%d","vector":[%d,1]}\n' 1 1 2 2 3 3 4 4 > u.jsonl
    printf '{"id":"i%d","vector":[1,%d]}\n' 1 1 2 2 3 3 4 4 5 5 6 6 > i.jsonl
    printf '{"user":"u%d","item":"i%d","label":"APPLY","time":%d}\n' 1 1 1 1 2 2 1 3 3 2 2 1 2 4 2 3 5 1 3 6 2 4 1 1 4 3 2 > x.jsonl
    export PATH="$BUILD:$PATH" DQ_THREADS=1
    dq-export --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
    dq-reward --quiet --strategy logged c.dq -o t.dq
    dq-train --quiet --offline --hidden 4 --world-hidden 4 --epochs 1 t.dq -o pairs.dq
    dq-train --quiet --env sequence --agent dyna-q --hidden 4 --total-steps 60 --batch 4 --warmup 8 -o env.dq
    dq-sim --quiet sequence --play 1 -o log.dq
    dq-embed --quiet cf:2 c.dq -o factors.dq
    dq-embed --quiet scale:z c.dq -o scaled.dq
    printf 'shown r%d u%d i%d 1 0.2 m %d\n' 1 1 1 1 2 2 3 2 | "$BUILD"/helpers/make_log served.dq
    printf 'answer r1 u1 i1 1 0.2 m 3 APPLY\n' | "$BUILD"/helpers/make_log served.dq
}

setup() {
    set -o pipefail
    cp "$BATS_FILE_TMPDIR"/*.{jsonl,dq} "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || return
    export PATH="$BUILD:$PATH" DQ_THREADS=1
}

# Lines "MODE COMMAND..." of what enters each mode, with little to do.
entries() {
    case $1 in
    dq-cat) printf '%s\n' "rows $1 --head 1 c.dq" "check $1 --check c.dq" "count $1 --count c.dq" "schema $1 --schema c.dq" "lineage $1 --lineage c.dq" \
        "join $1 --join c.dq" ;;
    dq-embed) printf '%s\n' "hash $1 hash:4 c.dq" "cf $1 cf:2 c.dq" "fold $1 cf --factors factors.dq c.dq" \
        "openai $1 openai:m --cache v.db --cache-only c.dq" "scale $1 scale:unit c.dq" "rescale $1 scale --factors scaled.dq c.dq" ;;
    dq-eval) printf '%s\n' "rankings $1 --qrels none" "rollout $1 --rollout --model none none" "cold-start $1 --cold-start --model none none" \
        "env $1 --rollout --env maze --model none" "ope $1 --ope ips --target uniform none" "traffic $1 --traffic none" "curves $1 --curves none" "agreement $1 --agreement none none" "draw $1 --draw histogram:x=id none" "paired $1 --paired none" "ab $1 --ab none" "sample-size $1 --sample-size --effect 1" "measures $1 --list-measures" \
        "pages $1 --report page.html none" ;;
    dq-export) printf '%s\n' "files $1 --users u.jsonl" "folder $1 --schema none folder" "database $1 --schema none mongodb://localhost/x" \
        "log $1 --schema obd log.csv" \
        "mapping $1 --show-schema jobs" ;;
    dq-plan) printf '%s\n' "pairs $1 --model pairs.dq --per-user 1 c.dq" "rollouts $1 --model env.dq --rollout 1 log.dq" \
        "lists $1 --model env.dq --lists 1 log.dq" ;;
    dq-rank) printf '%s\n' "rank $1 --by auto c.dq" "merge $1 --merge none" "make-index $1 --make-index c.dq" ;;
    dq-reward) printf '%s\n' "cosine $1 --strategy cosine none" "logged $1 --strategy logged none" \
        "llm $1 --strategy llm --model m --cache r.db none" "hybrid $1 --strategy hybrid --model m --cache r.db none" \
        "human $1 --strategy human --answers a none" "ledger $1 --ledger none" "export $1 --export-cache none" "import $1 --import-cache new.db none" ;;
    dq-sim) printf '%s\n' "synthetic $1 --users 1" "play $1 --play 1 sequence" "serve $1 --serve sequence" \
        "catalogue $1 --catalogue films" "against $1 --against http://127.0.0.1:1 cartpole" "list $1 --list" ;;
    dq-train) printf '%s\n' "online $1 --user u1 none" "each-user $1 --each-user none" "offline $1 --offline --epochs 1 --hidden 2 t.dq" \
        "sessions $1 --offline --sessions --epochs 1 --hidden 2 c.dq" "states $1 --offline --epochs 1 --hidden 2 log.dq" "follow $1 --follow served.dq --init pairs.dq --answer-time 0 c.dq" "env $1 --env maze --agent tabular --total-steps 1" ;;
    esac
}

# Options by which a mode is entered: another's is refused, or refuses what entered this one.
chooses() {
    local names
    case $1 in
    dq-cat) names="check count schema lineage join" ;;
    dq-eval) names="qrels rollout cold-start env env-cmd ope traffic curves agreement paired ab sample-size draw list-measures" ;;
    dq-export) names="schema show-schema" ;;
    dq-plan) names=lists ;;
    dq-rank) names='merge make-index' ;;
    dq-reward) names='ledger export-cache import-cache' ;;
    dq-sim) names="serve play catalogue against list" ;;
    dq-train) names="offline sessions each-user follow env env-cmd" ;;
    esac
    [[ " $names " == *" $2 "* ]]
}

# Options that lead from one mode into another by themselves.
leads() {
    case "$1 $2 $3" in
    "dq-cat rows count" | "dq-cat rows schema" | "dq-train offline sessions" | "dq-train states sessions" | "dq-eval rollout cold-start" | "dq-eval rollout env" | "dq-eval rollout env-cmd" | \
        "dq-eval pages curves" | "dq-eval pages traffic" | "dq-eval pages ab" | "dq-eval pages paired" | "dq-rank rank make-index") ;;
    *) return 1 ;;
    esac
}

modes_of() { "$1" --complete-line "$1" --help "" | sed 1d | cut -f 1; }
# Names of options in --help or --help MODE.
options_of() { "$@" | grep -E '^(  -.,|     ) --' | grep -oE -- '--(\[no-\])?[a-z][a-z0-9-]*' | sed 's/^--//; s/^\[no-\]/no-/' | grep -vxE 'help|version' | sort -u; }
# Names of those that take a value.
valued_of() { "$1" --help | grep -oE -- '^(  -.,|     ) --[a-z0-9-]+=' | sed 's/.*--//; s/=$//'; }

# Runs a command with an option, with a value that it takes: $said and $code. The first value is tried as it is.
try() {
    local value=$1 option=$2
    shift 2
    for _ in 1 2 3; do
        if grep -qx "$option" valued; then set -- "$1" "--$option=$value" "${@:2}"; else set -- "$1" "--$option" "${@:2}"; fi
        said=$(timeout 60 "$@" < /dev/null 2>&1 > /dev/null) && code=0 || code=$?
        case $said in
        "$1: --$option: $value is not between "*) value=${said#*between } value=${value%% *} ;;
        "$1: --$option: '$value' is not one of "*) value=${said#*one of } value=${value%%,*} ;;
        *) return ;;
        esac
        set -- "$1" "${@:3}"
    done
}

check_program() {
    local program=$1 mode command option value
    modes_of "$program" > modes
    entries "$program" | cut -d' ' -f1 | diff modes -
    options_of "$program" --help > all
    valued_of "$program" > valued
    while read -r mode command; do
        options_of "$program" --help "$mode" > inside
        [ "$(comm -13 all inside | wc -l)" = 0 ]
        [ -s inside ]
        while read -r option; do
            case "$program $option $mode" in
            "dq-train preset env") value=maze ;; # not every preset is of it
            *" map "*) value=A=1 ;;
            *" reward-scale "*) value=1:5 ;;
            *) value=1 ;;
            esac
            # shellcheck disable=SC2086 # a command line
            try "$value" "$option" $command
            if grep -qx "$option" inside; then
                [[ $said != *"has no meaning"* ]] || { echo "$command, --$option of $mode: $said"; return 1; }
                continue
            fi
            refused=$((refused + 1))
            leads "$program" "$mode" "$option" && continue
            [ "$code" = 2 ] && [ "$(wc -l <<< "$said")" = 1 ] || { echo "$command, --$option not of $mode: $code $said"; return 1; }
            chooses "$program" "$option" && continue
            [[ $said == "$program: --${option#no-} has no meaning with "* ]] || { echo "$command, --$option: $said"; return 1; }
        done < all
    done < <(entries "$program")
}

@test "options outside of their modes are refused, inside they are taken: dq-train" {
    refused=0
    check_program dq-train
    [ "$refused" -ge 150 ]
}

@test "options outside of their modes are refused, inside they are taken: the other programs" {
    refused=0
    for program in dq-cat dq-embed dq-eval dq-export dq-plan dq-rank dq-reward dq-sim; do check_program $program; done
    [ "$refused" -ge 250 ]
}

@test "--help has each option under its modes, and --help MODE lists these" {
    for program in "$BUILD"/dq-*; do
        for mode in $(modes_of "$program"); do
            # options stand under "With A, B:" or "Not with C:", which may take more than one line, or before such: in all modes
            "$program" --help | awk -v mode="$mode" '
                /^[^ ]/ { inside = 1 }
                /^  (With|Not with) / { heading = ""; open = 1 }
                open { heading = heading $0; if (!/:$/) next
                       open = 0; negative = inside = sub(/^ *Not with /, "", heading); sub(/^ *With /, "", heading); sub(/:$/, "", heading)
                       n = split(heading, names, ", *"); for (i = 1; i <= n; i++) if (names[i] == mode) inside = !negative
                       next }
                inside && match($0, /^(  -.,|     ) --(\[no-\])?[a-z0-9-]+/) { print substr($0, 9, RLENGTH - 8) }' |
                sed 's/^\[no-\]/no-/' | grep -vxE 'help|version' | sort -u > said
            options_of "$program" --help "$mode" | diff said -
        done
    done
}

@test "--help MODE: as a word, behind =, of -h; an unknown mode lists the modes" {
    dq-train --help offline > help
    head -1 help | grep -q '^dq-train, offline: '
    cmp help <(dq-train --help=offline)
    cmp help <(dq-train -h offline)
    cmp help <(dq-train --gamma 0.5 --help offline x.dq)
    cmp <(dq-train --help) <(dq-train x.dq --help)
    run -2 --separate-stderr dq-train --help elsewhere
    [ "${stderr% (try *)}" = "dq-train: --help: 'elsewhere' is not one of online, each-user, offline, sessions, states, follow, env" ]
    [ -z "$output" ]
    run -2 --separate-stderr dq-train --help=
    [ "${stderr% (try *)}" = "dq-train: --help: '' is not one of online, each-user, offline, sessions, states, follow, env" ]
}

@test "completion offers the modes behind --help" {
    dq-train --completion > completion
    bash -euc 'source ./completion
        compopt() { :; }
        COMP_LINE="dq-train --help " COMP_WORDS=(dq-train --help "") COMP_CWORD=2; _dq-train dq-train
        [ "${COMPREPLY[*]}" = "online each-user offline sessions states follow env" ]
        COMP_LINE="dq-train --help=of" COMP_WORDS=(dq-train --help = of) COMP_CWORD=3; _dq-train dq-train
        [ "${COMPREPLY[*]}" = offline ]'
}

# defaults MODE LABEL STREAM: what --help MODE says for a preset or an agent, against what the stream's head records; how
# many were compared. Options that were given are named in $given.
defaults() {
    dq-cat --lineage "$3" | sed -n 's/^  dq-train //p' | head -1 > record
    local beside=()
    case $2 in "") ;; tabular | dqn | dyna-q | dt | linucb | thompson) beside=(--agent "$2") ;; *) beside=(--preset "$2") ;; esac
    COLUMNS=2000 dq-train "${beside[@]}" --help "$1" | /usr/bin/python3 -c '
import re, sys
label, given = sys.argv[1], sys.argv[2].split()
record = dict(w.split("=", 1) for w in open("record").read().split() if "=" in w)
compared = 0
for entry in re.split(r"\n(?= +(?:-., )?--)", sys.stdin.read()):
    entry = " ".join(entry.split("\n\n")[0].split()) # without the heading of the next
    name = re.match(r"(?:-., )?--(?:\[no-\])?([a-z0-9-]+)", entry)
    name = name and name.group(1)
    if name not in record or name in given:
        continue
    text = re.search(r"\(default (.*)\)$", entry)
    values, first = {}, ""
    for i, part in enumerate(text.group(1).split("; ") if text else []):
        names, colon, value = part.rpartition(": ")
        if i == 0 and not colon:
            first = part
        for one in names.split(", "):
            values[one] = value
    want = values.get(label, first)
    got = record[name].strip("\"")
    got = {"true": "on", "false": ""}.get(got, got)
    want = "" if want in ("none", "off") and want != got else want
    try:
        same = float(want) == float(got)
    except ValueError:
        same = want == got
    if not same and not (want == "" and float(got) == 0): # a number that the agent has no use for
        sys.exit(f"{name}: --help says {want!r}, the head {got!r}")
    compared += 1
print(compared)' "$2" "$given"
}

@test "the defaults that --help MODE prints are those of a run" {
    given="user episodes steps hidden world-hidden seed" T="--hidden 4 --world-hidden 4"
    # shellcheck disable=SC2086 # options
    dq-train -q --user u1 --episodes 10 --steps 101 $T c.dq -o m.dq
    [ "$(defaults online "" m.dq)" -ge 20 ]
    given+=" offline"
    # shellcheck disable=SC2086
    dq-train -q --offline $T t.dq -o m.dq
    [ "$(defaults offline tuned m.dq)" -ge 18 ]
    # shellcheck disable=SC2086
    dq-train -q --offline --preset published $T t.dq -o m.dq
    given+=" preset"
    [ "$(defaults offline published m.dq)" -ge 18 ]
    given="offline sessions agent preset"
    dq-train -q --offline --sessions c.dq -o m.dq
    [ "$(defaults sessions dqn m.dq)" -ge 25 ]
    dq-train -q --offline --sessions --preset films c.dq -o m.dq
    [ "$(defaults sessions films m.dq)" -ge 25 ]
    dq-train -q --offline --agent dyna-q --hidden 4 log.dq -o m.dq
    given+=" hidden"
    [ "$(defaults states dyna-q m.dq)" -ge 25 ]
    given="env agent episodes"
    for agent in tabular dqn dyna-q; do
        dq-train -q --env maze:steps=20 --agent $agent --episodes 60 -o m.dq
        [ "$(defaults env $agent m.dq)" -ge "$([ $agent = tabular ] && echo 15 || echo 36)" ]
    done
    for preset in session sequence sequence-dqn films maze; do
        given="preset episodes"
        dq-train -q --preset $preset --episodes 20 -o m.dq
        [ "$(defaults env $preset m.dq)" -ge 15 ]
    done
}
