#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-cat: every way of working against every selection. Each combination leaves out what jq leaves out of all rows,
# or is refused in one line.

bats_require_minimum_version 1.5.0

source "$BATS_TEST_DIRNAME/../needs.bash"
setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
    PATH="$BUILD:$PATH"
    printf '{"id":"%s","vector":[%d,2]}\n' a 1 b 2 c 3 > u.jsonl
    printf '{"id":"%s","vector":[%d,0.5]}\n' x 4 y 5 > i.jsonl
    cat > n.jsonl << 'END'
{"user":"a","item":"x","time":"1998-01-01T10:00:00Z"}
{"user":"a","item":"y","time":"1998-03-01T10:00:00Z"}
{"user":"b","item":"y","time":"1998-05-01T10:00:00Z"}
{"user":"b","item":"x"}
END
    dq-export -q --users u.jsonl --items i.jsonl --interactions n.jsonl -o catalogue.dq
    dq-train -q --env films --episodes 4 --hidden 4 --warmup 8 --batch 4 --evaluate 2 --evaluate-episodes 2 --keep both -o kept.dq
    cat kept.dq catalogue.dq > s.dq
    dq-cat s.dq > rows
}

# What a selection leaves of all rows, in jq's words, on an array of them. A model's lines are one row, its metadata.
selections() {
    cat << 'END'
--kind users                                     | [.[] | select(.kind == "users")]
--kind users --kind interactions                 | [.[] | select(.kind == "users" or .kind == "interactions")]
--kind model                                     | [.[] | select(.kind == "model")]
--kind model --kept best                         | [.[] | select(.kind == "model" and .meta.kept == "best")]
--kept last                                      | [.[] | select(.kind != "model" or .meta.kept == "last")]
--user b                                         | [.[] | select(.kind == "users" and .id == "b")]
--item y                                         | [.[] | select(.kind == "items" and .id == "y")]
--user b --item y                                | [.[] | select((.kind == "users" and .id == "b") or (.kind == "items" and .id == "y"))]
--kind interactions --user a                     | [.[] | select(.kind == "interactions" and .user == "a")]
--kind interactions --user c                     | []
--kind interactions --item x                     | [.[] | select(.kind == "interactions" and .item == "x")]
--kind interactions --user a --item x            | [.[] | select(.kind == "interactions" and .user == "a" and .item == "x")]
--since 1998-03                                  | [.[] | select(.kind != "interactions" or (.time // "") >= "1998-03")]
--before 1998-03                                 | [.[] | select(.kind != "interactions" or (.time // "9") < "1998-03")]
--kind interactions --since 1998-02 --before 1998-04 | [.[] | select(.kind == "interactions" and (.time // "") > "1998-02" and .time < "1998-04")]
--kind interactions --since 1998-02 --time time  | [.[] | select(.kind == "interactions" and (.time // "") > "1998-02")]
--kind interactions --user a --since 1998-02     | [.[] | select(.kind == "interactions" and .user == "a" and (.time // "") > "1998-02")]
--kind interactions --since 2030                 | []
--head 4                                         | .[:4]
--head 0                                         | []
--row 3                                          | .[3:4]
--kind interactions --head 2                     | [.[] | select(.kind == "interactions")][:2]
--kind interactions --row 1                      | [.[] | select(.kind == "interactions")][1:2]
--kind interactions --since 1998-02 --row 1      | [.[] | select(.kind == "interactions" and (.time // "") > "1998-02")][1:2]
--kind items --item y                            | [.[] | select(.kind == "items" and .id == "y")]
END
}

# Those that can leave nothing out, or want what is not there, and what is said.
refused() {
    cat << 'END'
2 --kind items --user a          | --user chooses users, and rows that name one, and none are asked for (--kind)
2 --kind model --user a          | --user chooses users, and rows that name one, and none are asked for (--kind)
2 --kind users --item x          | --item chooses items, and rows that name one, and none are asked for (--kind)
2 --kind users --since 1998      | --since chooses interactions, and none are asked for (--kind)
2 --kind items --before 1998     | --before chooses interactions, and none are asked for (--kind)
2 --user a --since 1998          | --since chooses interactions, and none are asked for (--kind)
2 --kind users --kept best       | --kept chooses models, and none are asked for (--kind)
2 --item x --kept best           | --kept chooses models, and none are asked for (--kind)
2 --time time                    | --time needs --since or --before
2 --row 1 --head 2               | --head and --row exclude each other
2 --since soon                   | --since: 'soon' is no time: seconds, milliseconds or microseconds since 1970, or ISO 8601
1 --kind nouns                   | no nouns in the stream; dq-cat --count says what is there
1 --kind users --kind itmes      | no itmes in the stream; did you mean items?; dq-cat --count says what is there
1 --kind transitions             | no transitions in the stream; dq-cat --count says what is there
1 --user nobody                  | no user nobody
1 --item nothing                 | no item nothing
1 --user a --item nothing        | no item nothing
1 --kind users --kind items --kind interactions --user nobody | no user nobody
1 --kind interactions --item nothing | no item nothing
1 --kind interactions --user a --since 1998 --item nothing | no item nothing
1 --kind interactions --user c --item x | nothing of user c and item x
1 --kind users --row 3           | no row 3: there are 3
END
}

# "KIND TAB ROWS", of JSON lines in which a model counts once, and of --count without the kinds that have none.
tally() { jq -rs "[.[] | select(.kind != \"model\" or .meta)] | $1"' | group_by(.kind)[] | "\(.[0].kind)\t\(length)"' | sort; }
counted() { grep -v -P '\t0$' | sort; }

# The rows that `options` choose, as text; of one kind the lines do not say it.
as_text() {
    dq-cat -q "${options[@]}" s.dq > out || return
    if jq -e -s 'all(has("kind"))' out > /dev/null; then
        tally . < out
    else
        jq -c --arg kind "${kind[0]}" '{kind: $kind} + .' out | tally .
    fi
}
as_count() { dq-cat -q "${options[@]}" --count s.dq | counted; }
as_stream() { dq-cat -q "${options[@]}" --to stream s.dq | dq-cat --count | counted; }
as_sections() {
    rm -rf parts
    dq-cat -q "${options[@]}" --split parts s.dq || return
    for part in parts/*.dq; do
        [ ! -e "$part" ] || dq-cat --count "$part"
    done | awk -F'\t' '{n[$1] += $2} END {for (kind in n) print kind "\t" n[kind]}' | counted
}
# The outline's rows of each kind's first column; of models, whose columns are of many shapes, of the first.
as_outline() {
    dq-cat -q "${options[@]}" --schema s.dq > outline || return
    awk 'NR > 1 && !seen[$1]++ {print $1 "\t" $5}' outline | counted
}

@test "rows, --count, --schema, --to stream and --split obey every selection" {
    selections > table
    while IFS= read -r line; do
        read -r -a options <<< "${line%%|*}"
        kind=()
        [ "${options[0]}" != --kind ] || kind=("${options[1]}")
        tally "${line#*|}" < rows > want
        for way in as_text as_count as_outline as_stream as_sections; do
            "$way" > got
            diff want got || { echo "${options[*]}: $way" && false; }
        done
    done < table
    [ "$(wc -l < table)" = 25 ]
}

@test "--to tsv obeys every selection of one kind" {
    selections | grep -E '^(--kind (users|interactions|items)|--user b|--item y)' | grep -v -e '--kind.*--kind' -e '--user b --item' > table
    while IFS= read -r line; do
        read -r -a options <<< "${line%%|*}"
        dq-cat -q "${options[@]}" --to tsv s.dq > out
        jq -rs "[.[] | select(.kind != \"model\" or .meta)] | ${line#*|} | length" < rows > want
        [ "$(tail -n +2 out | wc -l)" = "$(cat want)" ]
    done < table
    [ "$(wc -l < table)" -gt 10 ]
}

@test "--to npy and --to safetensors choose vectors and models; what chooses neither is refused" {
    rows_of() { head -c 128 "$1" | grep -a -o "'shape': ([0-9]*" | tr -dc 0-9; }
    dq-cat --kind users --to npy s.dq > v.npy
    [ "$(rows_of v.npy)" = 3 ]
    dq-cat --user b --to npy s.dq > v.npy
    [ "$(rows_of v.npy)" = 1 ]
    dq-cat --kind users --head 2 --to npy s.dq > v.npy
    [ "$(rows_of v.npy)" = 2 ]
    dq-cat --kind items --row 1 --to npy s.dq > v.npy
    [ "$(rows_of v.npy)" = 1 ]
    dq-cat --kind model --kept last --to safetensors s.dq > m.safetensors
    run -1 dq-cat --kind model --to safetensors s.dq
    [[ "$output" == *"more than one model: choose one (--kept, --split)" ]]
    for args in "--since 1998" "--before 1998" "--kind interactions --since 1998"; do
        run -2 dq-cat $args --to npy s.dq
        [[ "${output% (try *)}" == "dq-cat: --"*" chooses interactions, and none are written (--to)" ]]
    done
    run -2 dq-cat --kept best --to npy s.dq
    [ "${output% (try *)}" = "dq-cat: --kept chooses models, and none are written (--to)" ]
    for args in "--user a --kind users" "--item x" "--since 1998"; do
        run -2 dq-cat $args --to safetensors s.dq
        [[ "${output% (try *)}" == "dq-cat: --"*", and none are written (--to)" ]]
    done
}

@test "what another program wrote is chosen from, too" {
    dq-cat --kind users --to npy s.dq > v.npy
    dq-cat --kind model --kept last --to safetensors s.dq > m.safetensors
    [ "$(dq-cat --from npy --count v.npy)" = $'items\t3' ]
    [ "$(dq-cat --from safetensors --count m.safetensors)" = $'model\t1' ]
    [ "$(dq-cat --from npy --kind users --user 1 --to jsonl v.npy)" = '{"id":"1","vector":[2,2]}' ]
    dq-cat --from npy --schema v.npy | grep -qE '^items +vector +f4 +2 +3 '
    run -2 dq-cat --from npy --user 1 v.npy
    [ "${output% (try *)}" = "dq-cat: --user chooses users, and rows that name one, and none are read (--from)" ]
    run -2 dq-cat --from npy --since 1998 v.npy
    run -1 dq-cat --from npy --item 7 --to jsonl v.npy
    [ "$output" = "dq-cat: no item 7" ]
    run -2 dq-cat --from safetensors --item 7 m.safetensors
    [ "${output% (try *)}" = "dq-cat: --item chooses items, and rows that name one, and none are read (--from)" ]
}

@test "a selection that means nothing, or names what is not there, is refused in one line in every way of working" {
    refused > table
    while IFS= read -r line; do
        read -r status options <<< "${line%%|*}"
        for way in "" --count --schema "--to stream" "--split d"; do
            rm -rf d
            run "-$status" --separate-stderr dq-cat -q $options $way s.dq
            [ "${stderr% (try *)}" = "dq-cat: ${line#*| }" ] || { echo "$options $way: $stderr" && false; }
        done
    done < table
}

@test "--check, --lineage and --join read everything: every selection is refused in one line" {
    for way in --check --lineage --join; do
        for option in "--kind users" "--user a" "--item x" "--row 1" "--head 1" "--since 1998" "--before 1998" \
            "--since 1998 --time time" "--kept best" "--from npy" "--ids f" "--split d"; do
            run -2 dq-cat $way $option s.dq
            [ "${#lines[@]}" = 1 ]
            [[ "$output" == "dq-cat: --"* ]]
        done
    done
    for way in --count --schema; do
        for option in "--to tsv" --check --lineage --join "--split d"; do
            run -2 dq-cat $way $option s.dq
            [ "${#lines[@]}" = 1 ]
        done
    done
}

@test "what is not read is not missed: --head ends before the rest of the stream" {
    [ "$(dq-cat --kind users --kind nouns --head 2 s.dq | wc -l)" = 2 ]
    zstd -dcq catalogue.dq | head -c -100 > cut
    [ "$(dq-cat --kind users --head 2 --count cut)" = $'users\t2' ]
    run -1 dq-cat --kind users --count cut
}

@test "a user or item that is not there is an error of every program, and is named" {
    dq-train -q --user a --episodes 2 --warmup 8 --batch 8 catalogue.dq > m.dq
    while IFS='|' read -r command words; do
        run -1 $command < /dev/null
        [ "${lines[-1]}" = "${command%% *}: ${words# }" ] || { echo "$command: $output" && false; }
    done << 'END'
dq-rank -q --by cosine --user a --user nobody -o out catalogue.dq | user nobody is not in the stream
dq-reward -q --strategy logged --user nobody -o out catalogue.dq | user nobody is not in the catalogue
dq-reward -q --strategy cosine --pairs all --user nobody -o out catalogue.dq | user nobody is not in the catalogue
dq-train -q --user nobody --episodes 2 -o out catalogue.dq | no user 'nobody' in the input
dq-plan -q --model m.dq --user nobody -o out catalogue.dq | no user 'nobody' in the input
dq-eval --quiet --rollout --model m.dq --user nobody -o out catalogue.dq | no user 'nobody' in the input
dq-export -q --users u.jsonl --items i.jsonl --user nobody -o out | no user 'nobody'
dq-export -q --users u.jsonl --items i.jsonl --item nothing -o out | no item 'nothing'
END
    [ ! -e out ]
}

@test "--schema: kinds, columns, types, widths, fields, spans of time, examples" {
    cat > u.jsonl << 'END'
{"id":"u1","text":{"bio":"a nurse who has worked on the night shift for years"},"age":41,"vector":{"hard":[0.1,-2],"soft":[3]}}
{"id":"ü","tags":["a"],"age":18.5,"vector":{"hard":[1,0],"soft":[7]}}
END
    cat > n.jsonl << 'END'
{"user":"u1","item":"i\u001b[31m","label":"SAVE","time":"2019-11-12T19:31:04Z","mixed":1}
{"user":"u1","item":"i\u001b[31m","reward":0.5,"time":"2019-01-12","mixed":"a"}
{"user":"ü","item":"i\u001b[31m","mixed":true}
END
    printf '{"id":"i\\u001b[31m"}\n' > i.jsonl
    dq-export -q --users u.jsonl --items i.jsonl --interactions n.jsonl -o t.dq
    dq-cat --schema t.dq > out
    cat > want << 'END'
kind          column      type  width  rows  nulls  holds                                         example
users         id          text  1      2     0      texts of 2 bytes                              u1
users         text.bio    text  1      2     1      texts of 51 bytes                             a nurse who has worked on the ni...
users         attr.age    json  1      2     0      numbers 18.5 to 41                            41
users         attr.tags   json  1      2     1      lists                                         ["a"]
users         vector      f4    3      2     0      -2 to 7                                       0.1,-2,3
users         .hard       f4    2      2     0      -2 to 1                                       0.1,-2
users         .soft       f4    1      2     0      3 to 7                                        3
interactions  user        text  1      3     0      texts of 2 bytes                              u1
interactions  item        text  1      3     0      texts of 6 bytes                              i\x1b[31m
interactions  label       text  1      3     2      texts of 4 bytes                              SAVE
interactions  reward      f4    1      3     2      0.5                                           0.5
interactions  attr.time   json  1      3     1      2019-01-12T00:00:00Z to 2019-11-12T19:31:04Z  "2019-11-12T19:31:04Z"
interactions  attr.mixed  json  1      3     0      numbers 1, texts, true or false               1
items         id          text  1      1     0      texts of 6 bytes                              i\x1b[31m
END
    diff want out
    dq-cat --schema --kind interactions --user ü t.dq > out
    grep -qE '^interactions +attr\.time +json +1 +1 +1 +- +-$' out
    dq-cat --to stream --head 0 t.dq > none.dq
    [ -z "$(dq-cat --schema none.dq)" ]
}
