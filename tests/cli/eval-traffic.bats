#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-eval --traffic: what interactions come to.

bats_require_minimum_version 1.5.0

setup() {
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    # u1: minutes 0, 10, 40 (a session of three), after 2 days a session of one; u2: one of two, never again; u3 at the end, in day 20
    cat > x.jsonl <<'JSON'
{"user":"u1","item":"a","label":"SEEN","time":"2024-01-01T00:00:00Z"}
{"user":"u1","item":"b","label":"CLICK","time":"2024-01-01T00:10:00Z"}
{"user":"u1","item":"a","label":"APPLY","time":"2024-01-01T00:40:00Z"}
{"user":"u2","item":"a","label":"SAVE","time":"2024-01-02T00:01:30Z"}
{"user":"u1","item":"c","reward":1,"time":"2024-01-03T00:40:00Z"}
{"user":"u2","item":"c","reward":0,"time":"2024-01-02T00:00:00Z"}
{"user":"u3","item":"a","label":"IGNORE","time":"2024-01-20T00:00:00Z"}
{"user":"u3","item":"b","label":"APPLY"}
JSON
    "$BUILD"/dq-export --quiet --interactions x.jsonl -o x.dq
}

traffic() { "$BUILD"/dq-eval --quiet --traffic "$@"; }

@test "by hand, as TSV, JSON and a table" {
    traffic x.dq -f tsv > got
    tr ' ' '\t' > want <<'TSV'
measure value
impressions 8
users 3
items 3
clicks 5
click_rate 0.625
applications 2
apply_rate 0.25
conversion 0.4
share:SEEN 0.125
share:CLICK 0.125
share:APPLY 0.25
share:SAVE 0.125
share:IGNORE 0.125
share 0.25
sessions 4
session_length 1.75
session_minutes 10.375
return_rate 0.3333333333333333
TSV
    diff want got
    traffic < x.dq -f json > json
    diff <(sed 1d got) <(jq -r 'to_entries[] | "\(.key)\t\(.value)"' json)
    traffic x.dq | awk '{ print $2 "\t" $1 }' | diff <(sed 1d got) -
}

@test "a shorter pause cuts sessions, a shorter window has no return; interactions without a time are said" {
    [ "$(traffic x.dq -f tsv --session-gap 15 | awk '$1 == "sessions" || $1 == "session_length" { print $2 }' | paste -sd' ')" = "5 1.4" ]
    [ "$(traffic x.dq -f tsv --return-within 1 | awk '$1 == "return_rate" { print $2 }')" = 0 ]
    [ "$(traffic x.dq -f tsv --return-within 30 | grep -P '^return_rate\t$' | wc -l)" = 1 ]
    run -0 --separate-stderr "$BUILD"/dq-eval --traffic x.dq
    [ "$stderr" = "dq-eval: 1 of 8 interactions have no time 'time' and are of no session
dq-eval: 1 of 8 interactions have a label outside --gains and are no clicks" ]
    run -0 --separate-stderr "$BUILD"/dq-eval --traffic x.dq --gains SEEN=0,SAVE=1 # CLICK, two APPLY and IGNORE are outside
    [[ "$stderr" == *"4 of 8 interactions have a label outside --gains and are no clicks" ]]
    traffic x.dq --time when -f tsv > got
    [ "$(tail -1 got)" = $'share\t0.25' ]
}

@test "what is a click is the user's to say; what cannot be is refused" {
    [ "$(traffic x.dq -f tsv -l 2 | awk '$1 == "clicks" { print $2 }')" = 4 ]
    [ "$(traffic x.dq -f tsv --gains SEEN=1,SAVE=2 | awk '$1 == "clicks" || $1 == "applications" { print $2 }' | paste -sd' ')" = "3 1" ]
    run -2 traffic x.dq -f trec
    [ "${lines[0]% (try *)}" = "dq-eval: --traffic has no trec format" ]
    run -2 traffic x.dq --gains A=x
    echo '{"id":"a"}' > i.jsonl
    "$BUILD"/dq-export --quiet --items i.jsonl -o i.dq
    run -1 traffic i.dq
    [ "$output" = "dq-eval: i.dq: the stream has no interactions" ]
    echo '{"user":"u","item":"i","time":"soon"}' > bad.jsonl
    "$BUILD"/dq-export --quiet --interactions bad.jsonl -o bad.dq
    run -1 traffic bad.dq
    [[ "${lines[0]}" == *"soon"* ]]
    run -1 traffic x.dq -o /dev/full
}

@test "what a single user did has no interval" {
    grep '"u1"' x.jsonl > one.jsonl
    "$BUILD"/dq-export --quiet --interactions one.jsonl -o one.dq
    traffic one.dq --interval -f tsv > got
    [ "$(cut -f 3,4 got | sort -u)" = $'\t\nlow\thigh' ]
    traffic one.dq --interval -f json | jq -e '.intervals == {} and .click_rate > 0'
}

@test "intervals of rates are the bootstrap's over users, whose interactions hang together" {
    traffic x.dq -i --resamples 200000 --confidence 0.9 -f json > json
    # all 27 ways to draw three users, each as likely: the percentiles fall on values that many ways have
    python3 - json <<'PY'
import itertools, json, sys
users = {"u1": dict(shown=4, clicks=3, applied=1, visits=4, sessions=2, seconds=2400), "u2": dict(shown=2, clicks=1, applied=0, visits=2, sessions=1, seconds=90),
         "u3": dict(shown=2, clicks=1, applied=1, visits=1, sessions=1, seconds=0)}
got = json.load(open(sys.argv[1]))["intervals"]
def ratio(over, under, per=1):
    return sorted(sum(users[u][over] for u in drawn) / sum(users[u][under] for u in drawn) / per
                  for drawn in itertools.product(users, repeat=3))
for name, values in {"click_rate": ratio("clicks", "shown"), "apply_rate": ratio("applied", "shown"), "conversion": ratio("applied", "clicks"),
                     "session_length": ratio("visits", "sessions"), "session_minutes": ratio("seconds", "sessions", 60)}.items():
    want = [values[int(0.05 * 27)], values[int(0.95 * 27)]]
    assert all(abs(a - b) < 1e-12 for a, b in zip(got[name], want)), (name, got[name], want)
assert "clicks" not in got and "sessions" not in got and set(got) >= {"share:APPLY", "share"}, got
PY
    traffic x.dq -i -f tsv > got
    [ "$(head -1 got)" = $'measure\tvalue\tlow\thigh' ]
    [ "$(grep '^clicks' got)" = $'clicks\t5\t\t' ]
    awk -F '\t' 'NR > 1 && $3 != "" { n++; if (!($3 <= $2 && $2 <= $4)) exit 1 } END { exit n != 12 }' got
    diff <(cut -f 1,2 got) <(traffic x.dq -f tsv)
    traffic x.dq -i -f tsv | cmp - got
    traffic x.dq -i | grep -qE '^ +0\.625  click_rate  \[[0-9.]+, [0-9.]+\]$'
    run -2 traffic x.dq --resamples 100
    [ "${output% (try *)}" = "dq-eval: --confidence and --resamples are for --interval" ]
}
