#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export from a MongoDB-protocol server that loses connections, lies, falls silent, or has documents that are no good.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"
# shellcheck source=tests/services/mongodb/servers.bash
source "$BATS_TEST_DIRNAME/../services/mongodb/servers.bash"

setup() {
    needs python3-pymongo python3-bson
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() { stop_servers; }

export_() { timeout 60 "$BUILD"/dq-export "$@"; }
digest() { "$BUILD"/dq-cat --lineage "$@" | sed -n 's/^section //p'; }

# From URI/pN the stream of want.dq, without a word, whatever rule N says.
same() {
    export_ --schema w.json "$uri/p$1" > "$1.dq" 2> "$1.words" && got=0 || got=$?
    [ "$got" = 0 ] && only_made "$1.words" && [ "$(digest "$1.dq")" = "$(digest want.dq)" ] && return
    echo "p$1: exit $got: $(cat "$1.words")"
    return 1
}

# Rules for databases p0, p1, ...: each loses the connection at another answer, before it and within it. Some lose it
# several times, and some when it is taken up again.
losses() {
    local collection command how k
    rules=() n=0
    for collection in candidates_text candidates_embeddings jobs_text job_embeddings interactions; do
        for command in find#{1..6} getMore#{1..6}; do
            for how in hangup half; do
                rules+=(--on "p$((n++))/${command/\#/.$collection#}=$how")
            done
        done
    done
    for ((k = 0; k < 6; k++)); do
        rules+=(--on "p$n/getMore#$((2 + k))=hangup" --on "p$n/getMore#$((4 + 3 * k))=half" --on "p$n/find#$((9 + k))=hangup")
        n=$((n + 1))
    done
}

@test "a connection lost at any answer, before it and within it: the same bytes" {
    export -f only_made same export_ digest
    for kind in '' integers; do
        rm -rf w
        # shellcheck disable=SC2086 # none, or one
        world w 12 16 $kind
        export_ --schema w.json w > want.dq
        losses
        start_canned --batch 3 "${rules[@]}" w
        export uri
        seq 0 $((n - 1)) | xargs -P 8 -I{} bash -c 'same {}'
        stop_servers
    done
}

@test "taken up again after the last key, type by type, and in the middle of many batches" {
    world w 2 40
    export_ --schema w.json w > want.dq
    start_canned --batch 5 --record record --on 'getMore.jobs_text#*=hangup' w
    same 0
    jq -c 'select(.find == "jobs_text" and (.limit | not)).filter' record | sort -u > filters
    sed -E 's/"\$(gt|oid)":("[^"]*"|[0-9-]+)/"$\1":_/g' filters | sort -u | diff - <(sort << 'END'
{"$or":[{"_id":{"$gt":_}},{"_id":{"$type":["string","binData","objectId"]}}]}
{"$or":[{"_id":{"$gt":_}},{"_id":{"$type":["binData","objectId"]}}]}
{"_id":{"$gt":{"$oid":_}}}
{}
END
    ) || { cat filters; false; }
    stop_servers

    for kind in uuids binaries numbers; do
        world w 20 40 $kind
        export_ --strict --schema w.json w > want.dq
        start_canned --batch 5 --on 'getMore.jobs_text#*=hangup' --on 'getMore.job_embeddings#*=half' w
        same 0
        stop_servers
    done

    world w 2 2600 strings
    export_ --schema w.json w > want.dq
    start_canned --on 'p0/getMore.job_embeddings#1=half' --on 'p1/getMore.job_embeddings#2=hangup' \
        --on 'p2/getMore.jobs_text#1=hangup' --on 'p2/getMore.job_embeddings#2=half' --on 'p3/getMore.jobs_text#3=half' w
    for k in 0 1 2 3; do same $k; done
}

@test "an id that stands twice, with the connection lost between the two" {
    world w 6 8
    for collection in job_embeddings candidates_embeddings; do
        cp w/$collection.jsonl whole
        jq -c 'del(._id)' whole whole > w/$collection.jsonl # _id stays unique: the server gives one
        export_ --schema w.json w 2> folder.words > want.dq
        rules=()
        for ((n = 1; n < 8; n++)); do
            rules+=(--on "p$n/getMore.$collection#$n=hangup")
        done
        start_canned --batch 1 "${rules[@]}" w
        export_ --schema w.json "$uri/p0" 2> want.words > p0.dq
        [ "$(digest p0.dq)" = "$(digest want.dq)" ]
        sed 's/(first.*//' folder.words | cmp - <(sed 's/(first.*//' want.words)
        for ((n = 1; n < 8; n++)); do
            export_ --schema w.json "$uri/p$n" 2> words > p.dq
            [ "$(digest p.dq)" = "$(digest want.dq)" ]
            diff want.words words
        done
        stop_servers
        mv whole w/$collection.jsonl
    done
}

@test "interactions: many of one user and of one pair, with the connection lost among them" {
    world w 2 2
    jq -c '.at = (range(4) | tostring)' w/interactions.jsonl > more
    mv more w/interactions.jsonl
    export_ --schema w.json w > want.dq
    rules=() n=0
    for ((k = 1; k < 9; k++)); do
        rules+=(--on "p$((n++))/getMore.interactions#$k=hangup")
    done
    start_canned --batch 1 "${rules[@]}" w
    for ((k = 0; k < n; k++)); do same $k; done
}

# broken WORDS URI [OPTION]...: exit 1, one line that matches and names no credential, no stream that looks complete.
broken() {
    local words=$1 target=$2 got=0
    shift 2
    rm -f o.dq
    export_ --schema w.json "$@" "$target" -o o.dq 2> said > out || got=$?
    [ "$got" = 1 ] || { echo "exit $got: $(cat said)"; return 1; }
    [ "$(wc -l < said)" = 1 ]
    grep -qE "^dq-export: $words\$" said || { cat said; return 1; }
    ! grep -q sesame said
    [ ! -s out ]
    [ ! -e o.dq ]
    [ -z "$(find . -name 'o.dq*')" ]
    export_ --schema w.json "$@" "$target" > out 2> said || true
    ! "$BUILD"/dq-cat --check out 2> /dev/null
}

# A world with one kind of id, whose second job is changed by a filter of jq.
changed() {
    world w 4 8 objects
    jq -c "if input_line_number == 2 then $2 else . end" "w/$1.jsonl" > more
    mv more "w/$1.jsonl"
}

# skips WORDS: exit 0, the rest leaves, and this is the summary; with --strict an error of one line, and no stream.
skips() {
    export_ --schema w.json "$uri/db" 2> words > c.dq
    grep -qE "^dq-export: $1\$" words || { cat words; return 1; }
    ! grep -vE "^dq-export: ($1|interactions: 1 skipped: 1 unknown item .*)\$" words # who met the one left out
    "$BUILD"/dq-cat --check c.dq
    [ "$("$BUILD"/dq-cat --count --kind items c.dq | cut -f2)" = 7 ]
    run -1 export_ --strict --schema w.json "$uri/db" -o o.dq
    [ "${#lines[@]}" = 1 ]
    [ ! -e o.dq ]
}

@test "documents that are no good are counted and named" {
    id="[a-z_]+ '[0-9a-f]{24}'"
    while IFS='|' read -r change words; do
        changed job_embeddings "$change"
        start_canned --batch 3 w
        skips "items: 1 skipped: 1 $words \(first: $id: .+\)" || { echo "$change"; false; }
        stop_servers
    done << 'END'
.tech_skills_vectors[1] = {"$numberDouble": "NaN"}|not finite
.tech_skills_vectors = [[1, 2], [3, 4], [5, 6], [7, 8]]|wrong type
.tech_skills_vectors[2] = {"$timestamp": {"t": 1, "i": 2}}|wrong type
.tech_skills_vectors = {"0": 1, "1": 2, "2": 3, "3": 4}|wrong type
.tech_skills_vectors = [1, 2, 3, 4, 5]|wrong width
.tech_skills_vectors = {"$binary": {"base64": "JwAAAIA/AAAAQAAAQEA=", "subType": "09"}}|wrong width
.tech_skills_vectors = {"$binary": {"base64": "EAAAAIA/AAAAQAAAQEAAAIBA", "subType": "09"}}|wrong type
.tech_skills_vectors = {"$binary": {"base64": "JwAAAIA/AAAAQAAAQEAAAMB/", "subType": "09"}}|not finite
del(.tech_skills_vectors)|missing field
END
}

@test "numbers of other types in a vector, and a zero below zero" {
    changed job_embeddings '.tech_skills_vectors = [1, {"$numberLong": "2"}, 0, {"$numberInt": "4"}]
        | .job_title_embeddings = [{"$numberDouble": "-0.0"}, 5e-324, 1e-40, 3.4e38]'
    start_canned w
    export_ --schema w.json "$uri/db" > c.dq 2> words
    only_made words
    "$BUILD"/dq-cat --kind items c.dq | grep -F '"title":[-0.0,0,9.9999461e-41,3.39999995e+38],"tech_skills":[1,2,0,4]'
}

@test "raw BSON that is broken: the document is passed over, the others leave" {
    for how in unknown-type not-utf8 key-not-utf8 twice deep string-long string-negative binary-long document-long \
        document-short boolean-2 name-without-end array-long array-short; do
        rm -rf w
        world w 4 8 objects
        collection=jobs_text
        [[ $how != array-* ]] || collection=job_embeddings
        "$services/spoil.py" w $collection $how
        rm w/$collection.jsonl w/interactions.jsonl
        start_canned --batch 3 w
        export_ --schema w.json "$uri/db" > c.dq 2> words
        grep -qE "^dq-export: items: 2 skipped: 1 malformed \(first: $collection: .+\), 1 not in every collection \(first: [a-z_]+ '[0-9a-f]{24}': .+\)\$" words ||
            { echo "$how"; cat words; false; }
        "$BUILD"/dq-cat --check c.dq
        [ "$("$BUILD"/dq-cat --count --kind items c.dq | cut -f2)" = 7 ]
        run -1 export_ --strict --schema w.json "$uri/db" -o o.dq
        [[ ${#lines[@]} = 1 && $output == "dq-export: $collection: "* ]] || { echo "$how: $output"; false; }
        stop_servers
    done
}

@test "a document of 16 MB: one that is not asked for, and one that is" {
    changed job_embeddings '.pad = "x" * 16000000'
    export_ --schema w.json w > want.dq
    start_canned w
    same 0
    stop_servers
    changed jobs_text '.description = "y" * 16000000'
    export_ --schema w.json w > want.dq
    start_canned w
    same 0
}

@test "a server that fails: one line, no stream, nothing named that is secret" {
    world w 4 12 objects
    rm w/interactions.jsonl
    cases=() rules=()
    while IFS='|' read -r rule words; do
        rules+=(--on "p${#cases[@]}/$rule")
        cases+=("$words")
    done << 'END'
find.jobs_text#*=hangup|Failed to .*
find.job_embeddings#4+=hangup|Failed to .*
find.job_embeddings#4+=half|Failed to .*
getMore.job_embeddings#*=error:50:operation exceeded time limit|operation exceeded time limit
getMore.job_embeddings#3+=error:13:not authorized on db to execute command|not authorized on db to execute command
find.jobs_text#4+=error:13:not authorized on db to execute command|not authorized on db to execute command
find.jobs_text#4+=silent|Failed to .* socket error or timeout
getMore.jobs_text#3+=empty|.*Invalid reply to getMore command.*
getMore.jobs_text#4+=garbage|the server's reply is not sound: .*
getMore.jobs_text#4+=error:8:an error after the last batch|an error after the last batch
getMore.job_embeddings#4+=error:8:an error after the last batch|an error after the last batch
find.jobs_text#4+=length|the server's reply is not sound: a message of a length that none has .*
find.jobs_text#4+=empty|Invalid reply to find command\.
END
    start_canned --batch 3 "${rules[@]}" w
    for k in "${!cases[@]}"; do
        patience=
        [[ ${rules[2 * k + 1]} != *silent ]] || patience='?socketTimeoutMS=2000'
        broken "127\.0\.0\.1:[0-9]+: ${cases[k]}" "$uri/p$k$patience" || { echo "${rules[2 * k + 1]}"; false; }
    done
}

# lies: the names of canned.py's lies, one a line.
lies() {
    /usr/bin/python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import canned; print(*canned.LIES, *canned.LENGTHS, sep="\n")' "$services"
}

@test "a reply that lies about its lengths, its parts or its kind: one line, exit 1" {
    world w 4 8 objects
    export_ --schema w.json w > want.dq
    lies > hows
    [ "$(wc -l < hows)" -ge 50 ]
    rules=() n=0
    while read -r how; do
        for place in find.jobs_text#4+ getMore.jobs_text#2+; do
            rules+=(--on "p$((n++))/$place=lie:$how")
        done
    done < hows
    start_canned --batch 3 "${rules[@]}" w
    same "$n" # no rule
    n=0
    while read -r how; do
        for place in first later; do
            broken "127\.0\.0\.1:[0-9]+: the server's reply is not sound: [a-z A-Z,'0-9()?]+" "$uri/p$n" || { echo "$how, $place"; false; }
            n=$((n + 1))
        done
    done < hows
}

@test "a server whose first words lie, and one that speaks HTTP" {
    world w 4 8 objects
    for how in document-huge document-negative sections reply-many reply-negative compressed length-huge length-none deep; do
        start_canned --on "isMaster#*=lie:$how" --on "hello#*=lie:$how" w
        broken "127\.0\.0\.1:[0-9]+: the server's reply is not sound: [a-z A-Z,'0-9()?]+" "$uri/db" || { echo "$how"; false; }
        stop_servers
    done
    launch 'port [0-9]+' /usr/bin/python3 -u -c 'import http.server as h; s = h.HTTPServer(("127.0.0.1", 0), h.SimpleHTTPRequestHandler); print("port", s.server_port); s.serve_forever()'
    broken '127\.0\.0\.1:[0-9]+: .+' "mongodb://127.0.0.1:${ready#port }/db"
}

@test "a message as long as any may be, and cut: no more memory than it says" {
    [ -z "$SANITIZER" ] || skip "a sanitizer has memory of its own"
    world w 4 8 objects
    start_canned --on 'p0/find.jobs_text#4+=lie:length-most' --on 'p1/find.jobs_text#4+=lie:length-more' w
    (
        ulimit -v 400000
        broken '127\.0\.0\.1:[0-9]+: .+' "$uri/p0?socketTimeoutMS=2000"
        broken "127\.0\.0\.1:[0-9]+: the server's reply is not sound: .+" "$uri/p1"
    )
}

# A server that dies while an export waits for its answer; its port, and the export's process, are left in variables.
dies() {
    world w 3 9 objects
    export_ --schema w.json w > want.dq
    start_canned --batch 2 --record record --on 'getMore.job_embeddings#2=silent' w
    port=${uri##*:}
    "$BUILD"/dq-export --schema w.json "$uri/db?$1" -o 0.dq 2> words 3>&- &
    pid=$!
    until [ "$(grep -c '"getMore".*"job_embeddings"' record)" = 2 ]; do
        kill -0 $pid
        sleep 0.02
    done
    kill "$(tail -1 "$(servers_file)")"
}

@test "a server that dies for good: an error" {
    dies serverSelectionTimeoutMS=300
    wait $pid && got=0 || got=$?
    [ "$got" = 1 ]
    grep -qE "^dq-export: 127\.0\.0\.1:$port: cannot reach the server: [A-Za-z ]+(closed|refused)[a-z. ]*\$" words || { cat words; false; }
    [ "$(wc -l < words)" = 1 ]
    [ ! -e 0.dq ]
    [ -z "$(find . -name '0.dq*')" ]
}

@test "a server that comes back: the same bytes" {
    dies serverSelectionTimeoutMS=60000
    start_canned --port "$port" --batch 2 w
    wait $pid
    only_made words
    [ "$(digest 0.dq)" = "$(digest want.dq)" ]
}

# peak FOLDER: MiB that an export of FOLDER from the canned server holds at most.
peak() {
    start_canned "$1"
    /usr/bin/python3 - "$BUILD/dq-export" --schema jobs -q "$uri/db" << 'END'
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
assert status == 0
print(usage.ru_maxrss // 1024)
END
    stop_servers
}

@test "memory is a batch's, however many documents there are" {
    [ -z "$SANITIZER" ] || skip "a sanitizer has memory of its own"
    for jobs in 2500 7500; do
        /usr/bin/python3 "$BATS_TEST_DIRNAME"/../bench/data/mongo_data.py $jobs $jobs
    done
    less=$(peak 2500)
    more=$(peak 7500) # 31 MiB more of vectors
    echo "$less $more"
    [ "$more" -lt $((less + 10)) ]
    [ "$more" -lt 64 ]
}
