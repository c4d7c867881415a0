#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export from a MongoDB-protocol server: FerretDB, mongod or DQ_TEST_MONGODB_URI, and the canned one.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/services/mongodb/servers.bash
source "$BATS_TEST_DIRNAME/../services/mongodb/servers.bash"

setup_file() {
    needs_mongodb
    start_mongodb
    export server=$uri
}

teardown_file() { stop_servers; }

setup() {
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
