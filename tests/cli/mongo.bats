#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export from a MongoDB-protocol server: FerretDB, mongod or DQ_TEST_MONGODB_URI, and the canned one.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"
# shellcheck source=tests/services/mongodb/servers.bash
source "$BATS_TEST_DIRNAME/../services/mongodb/servers.bash"

setup_file() {
    ! have_mongodb || start_mongodb
    export server=${uri:-}
}

teardown_file() { stop_servers; }

setup() {
    needs python3-pymongo python3-bson
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    db=$server/dq_test_$BATS_TEST_NUMBER
}

teardown() { stop_servers; }

# What a database's collection c answers to queries of every sort that dq-export asks.
answers() {
    /usr/bin/python3 - "$1" << 'END'
import sys, pymongo
c = pymongo.MongoClient(sys.argv[1]).get_default_database().c
for query, keys in [({}, None), ({"k": {"$gt": 9}}, {"k": 1}), ({"k": {"$gt": "a"}}, {"_id": 0, "k": 1}),
                    ({"$or": [{"k": {"$gt": "a"}}, {"k": {"$type": "objectId"}}]}, None),
                    ({"k": {"$in": [9, "b"]}, "v": {"$exists": True}}, {"v": 1})]:
    print(list(c.find(query, keys).sort("k").batch_size(2)), list(c.find(query).sort("k").limit(2)))
print(c.database.list_collection_names())
END
}

@test "the canned server answers as a real one does" {
    needs_mongodb
    mkdir folder
    cat > folder/c.jsonl << 'END'
{"_id":1,"k":10,"v":[1,2.5]}
{"_id":2,"k":"b"}
{"_id":3,"k":9,"v":{"a":null}}
{"_id":4,"k":"a"}
{"_id":5,"k":{"$oid":"65f1000000000000000000ab"},"v":true}
{"_id":6,"k":9.5}
END
    load "$db" folder
    answers "$db" > want
    [ "$(wc -l < want)" = 6 ]
    start_canned --batch 2 folder
    answers "$uri/any" | diff want -
}

export_() { "$BUILD"/dq-export "$@"; }
lines() { "$BUILD"/dq-cat "$@"; }
payload() { "$BUILD"/dq-export "$@" | zstd -dc; }
# Every bundle of a stream, without its head: the same rows were made, and cut into the same blocks.
digest() { lines --lineage "$@" | sed -n 's/^section //p'; }

@test "a database and a folder of the same documents: the same bundles" {
    needs_mongodb
    world w 40 60
    load "$db" w
    export_ --schema w.json w > folder.dq
    export_ --schema w.json "$db" > c.dq 2> words
    only_made words
    [ "$(lines --count c.dq | tr '\n\t' '  ')" = "users 40 interactions 800 items 60 " ]
    [ "$(digest c.dq)" = "$(digest folder.dq)" ]
    cmp <(zstd -dc c.dq) <(zstd -dc folder.dq) # not even the head says where it came from
    DQ_THREADS=3 export_ --strict --schema w.json --flush "$db" -o d.dq
    cmp <(zstd -dc c.dq) <(zstd -dc d.dq)
}

@test "--schema jobs: four collections of 384-wide vectors, from the demo's texts" {
    needs_mongodb
    PATH=$BUILD:$PATH "$BATS_TEST_DIRNAME"/../../pipelines/mongodb/collections "$BATS_TEST_DIRNAME"/../../data/demo folder
    for f in folder/*.jsonl; do head -20 "$f" > few && mv few "$f"; done
    load "$db" folder
    export_ --schema jobs folder 2> want.words > folder.dq
    export_ --schema jobs "$db" 2> words > c.dq
    [ "$(digest c.dq)" = "$(digest folder.dq)" ]
    [ "$(lines --count c.dq | head -1)" = $'users\t20' ]
    lines --kind items --head 1 c.dq | jq -e '.vector | keys == ["experience", "soft_skills", "tech_skills", "title"] and
        all(.[]; length == 384)'
}

@test "O*NET from a database and from its folder: the same bytes" {
    onet=$BATS_TEST_DIRNAME/../../../shared/data/onet-jobs
    [ -d "$onet" ] || skip "../shared/data/onet-jobs is not here"
    mkdir folder
    for file in "$onet"/{candidates,job}*.jsonl.zst "$onet"/interactions.jsonl.zst; do
        zstd -qdc "$file" > "folder/$(basename "$file" .zst)"
    done
    start_canned folder # FerretDB keeps no -0.0, of which there are many
    cmp <(payload --schema jobs "$uri/rl_jobsdb") <(payload --schema jobs "$onet")
}

@test "vectors as binary float32, subtype 9" {
    needs_mongodb
    world w 8 9
    load "$db" w --float32 hard_skill_embeddings --float32 job_title_embeddings --float32 tech_skills_vectors
    export_ --schema w.json w > folder.dq
    export_ --schema w.json "$db" > c.dq 2> words
    only_made words
    [ "$(digest c.dq)" = "$(digest folder.dq)" ]
}

@test "selections are those of a folder" {
    needs_mongodb
    world w 30 30
    load "$db" w
    for choice in "--limit 7" "--limit users:3 --limit items:11" "--user 24 --user s4é --item 65f1000000000000000001f9" \
        "--user -2 --limit items:0" "--limit 1000"; do
        # shellcheck disable=SC2086 # options
        export_ --schema w.json $choice w 2> want.words > folder.dq
        # shellcheck disable=SC2086
        export_ --schema w.json $choice "$db" 2> words > c.dq
        [ "$(digest c.dq)" = "$(digest folder.dq)" ] || { echo "$choice"; false; }
        cmp words want.words
    done
    run -1 export_ --schema w.json --user nobody "$db" -o o.dq
    echo "$output"
    [ "$output" = "dq-export: no user 'nobody'" ]
    [ ! -e o.dq ]
}

@test "an id as text finds it whatever its kind" {
    needs_mongodb
    mkdir w
    world w 7 7
    load "$db" w
    for id in $(export_ --schema w.json w | lines --kind users | jq -r .id); do
        [ "$(export_ --schema w.json --user "$id" "$db" | lines --kind users | jq -r .id)" = "$id" ]
    done
}

@test "TLS: a good certificate is taken; another CA, another name, and plain speech are refused, both ways" {
    needs_ferretdb
    certificates tls 2> openssl.words
    world w 4 4
    start_ferretdb tls tls/here.pem tls/here.key
    here=${uri#mongodb://} here=${here%%[/?]*}
    start_ferretdb tls tls/elsewhere.pem tls/elsewhere.key
    elsewhere=${uri#mongodb://} elsewhere=${elsewhere%%[/?]*}
    for host in "$here" "$elsewhere"; do
        load "mongodb://$host/db?tls=true&tlsCAFile=tls/ca.pem&tlsAllowInvalidHostnames=true" w
    done
    plain=${server#mongodb://}
    export_ --schema w.json "mongodb://$here/db?tls=true&tlsCAFile=tls/ca.pem" > c.dq
    [ "$(digest c.dq)" = "$(export_ --schema w.json w | digest)" ]
    refused() {
        run -1 timeout 30 "$BUILD"/dq-export --schema w.json "mongodb://$1" -o o.dq
        echo "$output"
        [ "${#lines[@]}" = 1 ]
        [[ $output =~ ^dq-export:\ 127\.0\.0\.1:[0-9]+:\ .*$2 ]]
        [ ! -e o.dq ]
    }
    refused "$here/db?tls=true&tlsCAFile=tls/other-ca.pem" "cannot reach the server: TLS handshake failed: certificate verify failed"
    refused "$here/db?tls=true" "cannot reach the server: TLS handshake failed: certificate verify failed"
    refused "$elsewhere/db?tls=true&tlsCAFile=tls/ca.pem" "cannot reach the server: TLS handshake failed: certificate verify failed"
    refused "$here/db" "cannot reach the server: Server closed connection"
    # It waits for the rest of what it takes for a message, or hangs up, as the hello's random bytes have it.
    refused "$plain/db?tls=true&connectTimeoutMS=3000" \
        "cannot reach the server: TLS handshake (timed out|failed) \(does the server speak TLS\?\)"
}

@test "logins: the right one reads, others are refused, and no credential leaves" {
    needs_ferretdb
    world w 4 4
    start_ferretdb login reader 'se/s@me'
    load "mongodb://reader:se%2Fs%40me@$address/db?authSource=admin" w
    export_ --schema w.json w > folder.dq
    export DQ_MONGODB_URI="mongodb://reader:se%2Fs%40me@$address/db?authSource=admin"
    export_ --schema w.json > c.dq 2> words
    only_made words
    [ "$(digest c.dq)" = "$(digest folder.dq)" ]
    run -1 grep -aiE 'se/s@me|se%2Fs|reader|127\.0\.0\.1' <(zstd -dc c.dq)
    "$BUILD"/dq-cat --lineage c.dq > lineage
    run -1 grep -iE 'se/s@me|se%2Fs|reader|127\.0\.0\.1|mongo' lineage
    for login in reader:wr0ng%21@ nobody:wr0ng%21@ ''; do
        DQ_MONGODB_URI="mongodb://$login$address/db?authSource=admin" run -1 "$BUILD"/dq-export --schema w.json -o o.dq
        echo "$output"
        [ "${#lines[@]}" = 1 ]
        [[ $output == "dq-export: $address: "*uthentication* ]]
        [[ $output != *wr0ng* ]]
        [ ! -e o.dq ]
    done
}

# asked COMMAND: the record's commands of that name, without what says nothing.
asked() {
    jq -c "select(.$1) | del(.connection, .lsid, .[\"\$db\"], .[\"\$readPreference\"])" record
}

@test "what is asked: only the keys that are needed, sorted by the key that joins, in batches" {
    world w 6 9 objects
    rm w/interactions.jsonl
    start_canned --record record w
    export_ --schema w.json "$uri/db" > c.dq
    asked find | grep -v '"limit":1' > finds
    diff - finds << 'END'
{"find":"interactions","filter":{},"batchSize":1000,"sort":{"_id":1}}
{"find":"candidates_text","filter":{},"batchSize":1000,"sort":{"_id":1}}
{"find":"candidates_embeddings","filter":{},"projection":{"_id":1,"original_candidate_id":1,"hard_skill_embeddings":1,"soft_skills_embeddings":1},"batchSize":1000,"sort":{"original_candidate_id":1}}
{"find":"jobs_text","filter":{},"batchSize":1000,"sort":{"_id":1}}
{"find":"job_embeddings","filter":{},"projection":{"_id":1,"original_job_id":1,"job_title_embeddings":1,"tech_skills_vectors":1,"soft_skills_embeddings":1,"experience_requirements_embeddings":1},"batchSize":1000,"sort":{"original_job_id":1}}
END
    : > record
    jq 'del(.items[0].attributes, .interactions)' w.json > lean.json
    export_ --schema lean.json --user 65f100000000000000000001 --where 'items:{"city": "c1"}' --limit items:2 "$uri/db" > c.dq
    [ "$(lines --count c.dq | tr '\n\t' '  ')" = "users 1 items 2 " ]
    asked find | grep -v '"limit":1' > finds
    jq -c .filter finds > filters
    diff - filters << 'END'
{"_id":{"$in":["65f100000000000000000001",{"$oid":"65f100000000000000000001"}]}}
{"original_candidate_id":{"$in":["65f100000000000000000001",{"$oid":"65f100000000000000000001"}]}}
{"city":"c1"}
{"original_job_id":{"$in":["0100000000000000000001f5",{"$oid":"0100000000000000000001f5"},"0100000000000000000001fb",{"$oid":"0100000000000000000001fb"},"65f1000000000000000001f8",{"$oid":"65f1000000000000000001f8"}]}}
END
    jq -c 'select(.find == "jobs_text").projection' finds > keys
    [ "$(cat keys)" = '{"_id":1,"job_title":1,"description":1,"technical_skills":1,"soft_skills":1,"experience_requirements":1}' ]
}

@test "a filter of the server's own: numbers, dates, ids, each side" {
    needs_mongodb
    world w 20 30 objects
    load "$db" w
    kept() { export_ --schema w.json "$@" "$db" | lines | jq -r 'select(.kind != "interactions") | .id' | sort | paste -sd' '; }
    ids() { jq -r "select($2) | ._id | if type == \"object\" then .[\"\$oid\"] else tostring end" "w/$1.jsonl" | sort | paste -sd' '; }
    [ "$(kept --where 'users:{"age": {"$gte": 12}}' --limit items:0)" = "$(ids candidates_text '.age >= 12')" ]
    [ "$(kept --where 'users:{"open": true, "half": {"$lt": 5.5}}' --limit items:0)" = "$(ids candidates_text '.open and .half < 5.5')" ]
    [ "$(kept --where 'items:{"city": {"$in": ["c0", "c2"]}}' --limit users:0)" = "$(ids jobs_text '.city != "c1"')" ]
    [ "$(kept --where 'users:{"since": {"$gt": {"$date": "2026-01-01T00:00:00Z"}}, "ref": {"$oid": "aa0000000000000000000003"}}' --limit items:0)" = \
        "$(ids candidates_text '.age == 3')" ]
    [ -z "$(kept --where '{"_id": "nobody"}')" ]
    export_ --schema w.json --where 'items:{"city": "c1"}' "$db" > c.dq 2> words
    only_made words
    jq -r 'select(.city == "c1") | ._id | if type == "object" then .["$oid"] else tostring end' w/jobs_text.jsonl > some
    options=()
    while read -r id; do options+=(--item="$id"); done < some
    [ "$(digest c.dq)" = "$(export_ --schema w.json "${options[@]}" w | digest)" ]
}

@test "a mapping of one's own: other names, interactions from another collection" {
    needs_mongodb
    world w 7 9
    export_ --schema w.json w > c.dq
    mkdir other
    jq -c '.title = .job_title | del(.job_title)' w/jobs_text.jsonl > other/posts.jsonl
    for c in candidates_text candidates_embeddings job_embeddings; do cp w/$c.jsonl other/; done
    sed 's,"user","who",; s,"item","what",; s,"label","judgement",' w/interactions.jsonl > other/seen.jsonl
    jq '.items[0].collection = "posts" | .items[0].texts.title = "title" |
        .interactions = {collection: "seen", user: "who", item: "what", label: "judgement"}' w.json > map.json
    load "$db" other
    export_ --schema map.json "$db" > d.dq
    [ "$(digest c.dq)" = "$(digest d.dq)" ]
    jq '.interactions.collection = "nothing"' map.json > none.json
    run -1 export_ --schema none.json "$db" -o o.dq
    [[ $output == "dq-export: "*": the database ${db##*/} has no collection nothing" ]]
    jq '.interactions.optional = true' none.json > maybe.json
    [ "$(export_ --schema maybe.json "$db" | lines --count | tr '\n\t' '  ')" = "users 7 items 9 " ]
}

@test "the URI from the environment stays there: not in the command line, the stream, or what is said" {
    world w 3 3
    start_canned --record record --on 'isMaster#*=silent' w
    DQ_MONGODB_URI="mongodb://somebody:sesame@${uri#mongodb://}/db?connectTimeoutMS=60000" "$BUILD"/dq-export --schema w.json \
        > c.dq 2> words 3>&- &
    pid=$!
    until [ -s record ]; do
        kill -0 $pid
        sleep 0.02
    done
    tr '\0' ' ' < /proc/$pid/cmdline > line
    kill $pid
    wait $pid || true
    grep -q -- '--schema w.json' line
    run -1 grep -E 'mongodb|somebody|sesame' line
    run -1 grep -E 'somebody|sesame' words c.dq
    [ ! -s c.dq ] || run -1 "$BUILD"/dq-cat --check c.dq
}

@test "a server that is not there: a line at once" {
    world w 1 1
    for host in 127.0.0.1:1 somebody:sesame@127.0.0.1:1; do
        run -1 timeout 20 "$BUILD"/dq-export --schema w.json "mongodb://$host/db" -o o.dq
        [ "$output" = "dq-export: 127.0.0.1:1: cannot reach the server: connection refused or timed out" ]
    done
    run -1 timeout 20 "$BUILD"/dq-export --schema w.json mongodb://nowhere.invalid/db -o o.dq
    [[ $output == "dq-export: nowhere.invalid:27017: cannot reach the server: "* ]]
    [ ! -e o.dq ]
}

@test "what is no URI, and options that need a database" {
    world w 1 1
    refused() {
        run "-$1" "$BUILD"/dq-export "${@:3}"
        [[ "${output% (try *)}" == "dq-export: "$2 ]] || { echo "$output"; return 1; }
        [[ $output != *sesame* ]]
    }
    refused 1 "127.0.0.1:1: the URI names no database (mongodb://HOST/DATABASE)" --schema w.json mongodb://127.0.0.1:1
    for uri in mongodb:// mongodb://user:se:same@h/db mongodb://user:ses@ame@h/db mongodb://user:sesame%zz@h/db mongodb://h/db?tls=maybe; do
        refused 1 "not a MongoDB URI: *" --schema w.json "$uri"
    done
    refused 2 "--where: *" --schema w.json --where '{"a": ' mongodb://127.0.0.1:1/db
    refused 2 "--where: *" --schema w.json --where '[1]' mongodb://127.0.0.1:1/db
    refused 2 "--where has no meaning with a folder; it is for a database" --schema w.json --where '{}' w
    refused 2 "--where: one filter a side*" --schema w.json --where '{}' --where 'users:{}' mongodb://127.0.0.1:1/db
    refused 2 "*--schema*" mongodb://127.0.0.1:1/db
    DQ_MONGODB_URI=user:sesame@h/db refused 2 "DQ_MONGODB_URI: *" --schema w.json
    DQ_MONGODB_URI='' refused 2 "--schema: needs one folder*" --schema w.json
}

@test "without Go the tests take mongod, then DQ_TEST_MONGODB_URI; without any they skip, and fail where CI=true" {
    unset CI DQ_TEST_MONGODB_URI
    mkdir stubs
    for tool in mktemp grep sleep cat; do ln -s "$(type -P $tool)" stubs/; done
    without_go() { PATH=$PWD/stubs "$@"; }
    skip() { echo "skip: $*"; }
    [ "$(without_go needs_mongodb)" = "skip: no Go 1.22 to build FerretDB with, no mongod, no DQ_TEST_MONGODB_URI" ]
    [ "$(without_go needs_ferretdb)" = "skip: no Go 1.22 to build FerretDB with" ]
    ! CI=true without_go needs_mongodb 2> words || false
    printf '#!/bin/sh\necho go1.19.8\n' > stubs/go
    chmod +x stubs/go
    [ "$(without_go needs_ferretdb)" = "skip: no Go 1.22 to build FerretDB with" ]
    grep -q "CI=true, and no Go" words || { cat words; false; }
    DQ_TEST_MONGODB_URI=mongodb://elsewhere/ without_go start_mongodb
    [ "$uri" = mongodb://elsewhere ]
    printf '#!/bin/sh\necho "$@" > arguments\necho "Waiting for connections"\nexec /bin/sleep 60\n' > stubs/mongod
    chmod +x stubs/mongod
    [ -z "$(without_go needs_mongodb)" ]
    without_go start_mongodb
    [[ $uri == mongodb://127.0.0.1:* ]]
    grep -q -- "--bind_ip 127.0.0.1 --port ${uri##*:} --nounixsocket" arguments
}

@test "paths into documents: a database gives what the folder does, sorts by a path, and sends the paths alone" {
    needs_mongodb
    mkdir n
    printf '%s\n' '{"_id":{"$oid":"65f1a2b3c4d5000100000002"},"ref":{"id":"b"},"profile":{"bio":"hates","e":[3,4],"secret":"s"},"skills":[{"name":"x"},{"name":"y"}]}' \
        '{"_id":2,"ref":{"id":"a"},"profile":{"bio":"likes","e":[1,2]},"skills":[]}' > n/people.jsonl
    printf '{"_id":"%s","of":{"id":"%s"},"v":{"w":[%s,1]}}\n' p a 5 q b 6 > n/more.jsonl
    printf '{"_id":1,"title":"t"}\n' > n/things.jsonl
    printf '{"_id":1,"who":{"user":"a"},"thing":1,"said":{"stars":[3]}}\n' > n/seen.jsonl
    cat > n.json << 'END'
{"users": [{"collection": "people", "id": "ref.id", "texts": {"bio": "profile.bio", "all": "profile", "skill": "skills.1.name"}, "vectors": [{"field": "e", "key": "profile.e", "width": 2}]},
           {"collection": "more", "id": "of.id", "vectors": [{"field": "w", "key": "v.w", "width": 2}]}],
 "items": [{"collection": "things", "id": "_id", "texts": {"title": "title"}}],
 "interactions": {"collection": "seen", "user": "who.user", "item": "thing", "reward": "said.stars.0"}}
END
    load "$db" n
    export_ -q --schema n.json n | lines > want
    [ "$(jq -c 'select(.kind == "users") | [.id, .text.bio, .vector.e, .vector.w]' want | tr '\n' ' ')" = '["a","likes",[1,2],[5,1]] ["b","hates",[3,4],[6,1]] ' ]
    export_ -q --schema n.json "$db" | lines | diff - want
    export_ -q --schema n.json --user b "$db" | lines --kind users | jq -r .text.skill | diff - <(echo y)
    start_canned --record record n
    export_ -q --schema n.json "$uri/n" > /dev/null 2> words || true # it knows no paths, but is asked for them
    asked find | jq -c 'select(.find == "people" and .projection and (.limit | not)) | [.projection, .sort]' | head -1 |
        diff - <(echo '[{"_id":1,"ref.id":1,"profile":1,"skills":1},{"ref.id":1}]')
}
