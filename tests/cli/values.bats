#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export: ids, vectors and values of documents in every form that people have them in, and what is said of the others.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"
# shellcheck source=tests/services/mongodb/servers.bash
source "$BATS_TEST_DIRNAME/../services/mongodb/servers.bash"

setup() {
    needs python3-numpy
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() { stop_servers; }

export_() { "$BUILD"/dq-export "$@"; }
lines() { "$BUILD"/dq-cat "$@"; }
payload() { "$BUILD"/dq-export "$@" | zstd -dc; }

# ---- extended JSON ----

# The same documents of every type, in a folder each: canonical and relaxed (version 2), legacy (version 1), and raw, which
# the canned server gives as they are.
forms() {
    /usr/bin/python3 - << 'END'
import datetime, json, os, uuid
import bson
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, json_util

utc = datetime.timezone.utc
STANDARD = dict(uuid_representation=4)
modes = json_util.JSONMode
forms = {"canonical": modes.CANONICAL, "relaxed": modes.RELAXED, "legacy": modes.LEGACY}
users = [1, Int64(2), 3.0, Decimal128("4.0"), Int64(2**40), "s5", "é", Binary(b"\1\2\3", 0), Binary(b"\1\2\3\4", 128), Binary(bytes(5), 5),
         uuid.UUID(int=6), uuid.UUID("7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4"), ObjectId("65f1a2b3c4d5e6f708192a01")]
def person(k, i):
    return {"_id": i, "bio": ["text", k, 0.5, None, True, ObjectId("65f1a2b3c4d5e6f708192a0%x" % (k % 16))], "years": Int64(k),
            "born": datetime.datetime(1970 + k, 3, 1, 12, 0, 0, 1000 * k, tzinfo=utc),
            "early": datetime.datetime(1930 + k, 3, 1, 12, 0, 0, 1000 * k, tzinfo=utc),
            "double": k / 4, "whole": float(k), "int": k, "long": Int64(k), "big": Int64(2**60 + k), "decimal": Decimal128("12.5%d" % k),
            "binary": Binary(bytes([k, 255, 0]), 0), "uuid": uuid.UUID(int=k), "old": Binary(bytes(16), 3), "regex": Regex("^a.%d" % k, "im"),
            "timestamp": Timestamp(1700000000 + k, k), "code": Code("f(%d)" % k), "scoped": Code("g()", {"x": k}), "min": MinKey(),
            "max": MaxKey(), "null": None, "bool": k % 2 == 0, "list": [Int64(1), {"a": [0.5, Int64(2)]}], "map": {"a": {"b": Int64(3)}}}
all = {"people": [person(k, i) for k, i in enumerate(users)],
       "vectors": [{"_id": k, "of": i, "v": [k / 8, Int64(k), k]} for k, i in enumerate(users)],
       "jobs": [{"_id": j, "title": "Job"} for j in (7, uuid.UUID(int=70))],
       "met": [{"_id": 5 * k, "user": u, "item": [7, uuid.UUID(int=70)][k % 2], "label": ["SAVE", 4, Int64(5), 4.0][k % 4],
                "reward": [0.5, 1, Int64(2), Decimal128("0.25")][k % 4], "time": datetime.datetime(2024, 1, 1 + k, tzinfo=utc)}
               for k, u in enumerate(users)]}
for form, mode in forms.items():
    os.mkdir(form)
    options = json_util.JSONOptions(json_mode=mode, **STANDARD)
    for name, documents in all.items():
        with open("%s/%s.jsonl" % (form, name), "w") as f:
            for d in documents:
                print(json_util.dumps(d, json_options=options), file=f)
os.mkdir("raw")
codec = bson.codec_options.CodecOptions(uuid_representation=4)
for name, documents in all.items():
    with open("raw/%s.bson" % name, "wb") as f:
        for d in documents:
            f.write(bson.encode(d, codec_options=codec))
json.dump({"users": [{"collection": "people", "id": "_id", "attributes": True,
                      "texts": {"bio": "bio", "years": "years", "born": "born", "uuid": "uuid", "decimal": "decimal"}},
                     {"collection": "vectors", "id": "of", "vectors": [{"field": "v", "key": "v", "width": 3}]}],
           "items": [{"collection": "jobs", "id": "_id", "texts": {"title": "title"}}],
           "interactions": {"collection": "met", "user": "user", "item": "item", "label": "label", "reward": "reward"}},
          open("map.json", "w"))
END
}

@test "a document of every type is the same rows, whatever the form of its export, and from the database" {
    needs python3-bson python3-pymongo
    forms
    grep -q '"\$numberInt"' canonical/people.jsonl
    run ! grep -q '"\$numberInt"' relaxed/people.jsonl
    grep -q '"\$type"' legacy/people.jsonl
    start_canned --batch 3 raw
    export_ --strict --schema map.json "$uri/db" > want.dq
    zstd -dc want.dq > want
    lines want.dq > rows
    for form in canonical relaxed legacy; do
        export_ --strict --schema map.json $form > got.dq
        zstd -dc got.dq | cmp - want || { lines got.dq | diff rows -; false; }
    done
    [ "$(jq -r 'select(.kind == "users").id' rows | paste -sd' ')" = \
        "1 2 3 4 1099511627776 s5 é 010203 01020304 0000000000 00000000-0000-0000-0000-000000000006 7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4 65f1a2b3c4d5e6f708192a01" ]
    head -2 rows | tail -1 | jq -c '[.text.bio, .text.years, .text.born, .text.uuid, .text.decimal]' > texts
    diff - texts <<< '["text, 1, 0.5, null, true, 65f1a2b3c4d5e6f708192a01","1","1971-03-01T12:00:00.001Z","00000000-0000-0000-0000-000000000001","12.51"]'
    [ "$(jq -c 'select(.kind == "interactions") | [.label, .reward]' rows | sort | uniq -c | awk '{print $1 $2}' | paste -sd' ')" = \
        '6["4",0.25] 3["4",1] 3["5",2] 4["SAVE",0.5]' ] || jq -c 'select(.kind == "interactions") | [.label, .reward]' rows | sort | uniq -c
}

@test "ids of a database: by the filter, by --user, by whichever of their forms, and what is none is said" {
    needs python3-bson python3-pymongo
    forms
    start_canned raw
    for id in 3 4 1099511627776 é 010203 01020304 0000000000 7c0de5b1-4a2f-4d36-9e11-52f0a86b31d4 65f1a2b3c4d5e6f708192a01; do
        cmp <(payload --schema map.json --user "$id" "$uri/db") <(payload --schema map.json --user "$id" canonical)
    done
    export_ --schema map.json --where 'users:{"int": {"$gte": 6}}' "$uri/db" 2> words > some.dq
    only_made words
    [ "$(lines --count --kind users some.dq)" = $'users\t7' ]
    cat > odd.jsonl << 'END'
{"id":{"$binary":{"base64":"fA3lsUovTTaeEVLwqGsx1A==","subType":"03"}}}
{"id":{"$date":"2026-01-01T00:00:00Z"}}
{"id":1.5}
{"id":{"$numberDouble":"NaN"}}
{"id":{"$minKey":1}}
{"id":true}
{"id":null}
{"id":[1]}
{"id":12345678901234567890}
{"id":7.0}
{"id":{"$numberDouble":"8.0"}}
{"id":"ObjectId('65F1a2b3c4d5e6f708192a01')"}
END
    export_ --items odd.jsonl 2> words | lines > got
    [ "$(jq -r .id got | paste -sd' ')" = "7 8 65f1a2b3c4d5e6f708192a01" ]
    grep -q "9 without a usable id" words
    while IFS='|' read -r line why; do
        sed -n "${line}p" odd.jsonl > one.jsonl
        run ! "$BUILD"/dq-export --strict --items one.jsonl
        [[ $output == *"one.jsonl: record 1: $why"* ]] || { echo "$output"; false; }
    done << 'END'
1|an id of the form $binary, subtype 3: a UUID whose order of bytes only its writer knows
2|an id of the form $date that is none
3|the id 1.5 is no whole number
4|the id is NaN
5|an id of the form $minKey that is none
6|the id is true
7|the id is null
8|the id is a list
9|the id is a number over 53 bits
END
}

# ---- vectors ----

@test "vectors as NumPy prints them, in cells and in strings, are those that .npy has" {
    /usr/bin/python3 - << 'END'
import csv, json, numpy as np
rng = np.random.default_rng(3)
for n in (1, 2, 7, 384, 1000):
    for t, a in (("f4", rng.standard_normal((3, n)).astype("f4") * 10.0 ** rng.integers(-6, 6, (3, n)).astype("f4")), ("f8", rng.standard_normal((3, n))),
                 ("i8", rng.integers(-999, 999, (3, n))), ("f2", (np.arange(3 * n).reshape(3, n) / 8).astype("f2"))):
        name = "%s-%d" % (t, n)
        printed = [str(row) for row in a]
        with open(name + ".csv", "w", newline="") as f:
            w = csv.writer(f)
            w.writerow(["id", "vector"])
            w.writerows(["i%d" % k, p] for k, p in enumerate(printed))
        with open(name + ".jsonl", "w") as f, open(name + "-field.jsonl", "w") as g:
            for k, p in enumerate(printed):
                print(json.dumps({"id": "i%d" % k, "vector": p}), file=f)
        np.save(name + ".npy", np.array([[float(x) for x in p.strip("[]").split()] for p in printed]).astype("<f4"))
        with open(name + "-repr.jsonl", "w") as f:
            for k, row in enumerate(a):
                print(json.dumps({"id": "i%d" % k, "vector": repr(row)}), file=f)
    np.save("exact.npy", np.array([0.5, 0.25]).astype("<f4"))
open("ids", "w").write("i0\ni1\ni2\n")
with open("cut.csv", "w", newline="") as f:
    w = csv.writer(f)
    w.writerow(["id", "vector"])
    w.writerow(["i0", str(np.arange(1001.0))])
END
    for t in f4 f8 i8 f2; do
        for n in 1 2 7 384 1000; do
            payload --strict --items $t-$n.npy --item-ids ids > want
            payload --strict --items $t-$n.csv | cmp - want
            payload --strict --items $t-$n.jsonl | cmp - want
            [ "$(export_ --strict --items $t-$n-repr.jsonl | lines --count)" = $'items\t3' ]
        done
    done
    run ! "$BUILD"/dq-export --strict --items cut.csv
    [[ $output == *'vector is a text: cut ("..."), as NumPy prints what is above 1000 numbers: save .npy, or .tolist()' ]]
}

@test "vectors of pgvector, of PostgreSQL, in strings of JSON and between spaces" {
    printf '{"id":1,"vector":[0.5,1]}\n{"id":2,"vector":[2,-3]}\n' > want.jsonl
    payload --items want.jsonl > want
    while IFS='|' read -r a b; do
        jq -nc --arg a "$a" --arg b "$b" '{id:1,vector:$a},{id:2,vector:$b}' > some.jsonl
        payload --strict --items some.jsonl | cmp - want || { cat some.jsonl; false; }
        printf 'id,vector\n1,"%s"\n2,"%s"\n' "$a" "$b" > some.csv
        payload --strict --items some.csv | cmp - want || { cat some.csv; false; }
    done << 'END'
[0.5,1]|[2,-3]
[0.5, 1]|[2, -3]
{0.5,1}|{2,-3}
0.5 1|2 -3
0.5,1|2,-3
0.5;1|2;-3
[[0.5 1]]|[[2 -3]]
[np.float32(0.5), np.float32(1.0)]|[np.float32(2.0), np.float32(-3.0)]
END
    echo '{"users":[{"collection":"u","id":"_id"}],"items":[{"collection":"i","id":"_id","vectors":[{"field":"v","key":"v","width":2}]}]}' > map.json
    mkdir db
    echo '{"_id":1}' > db/u.jsonl
    echo '{"_id":1,"v":"[0.5  1. ]"}' > db/i.jsonl
    [ "$(export_ --schema map.json db | lines --kind items | jq -c .vector.v)" = '[0.5,1]' ]
    while IFS='|' read -r vector words; do
        jq -nc --arg v "$vector" '{id:1,vector:$v}' > bad.jsonl
        run ! "$BUILD"/dq-export --strict --items bad.jsonl
        [[ $output == *"vector is a text: "*"$words"* ]] || { echo "$output"; false; }
    done << 'END'
0,5 0,25|decimal commas
tensor([0.5000, 0.2500])|PyTorch's print
[1, 2|was it cut?
[[1 2]\n [3 4]]|several rows
a b|is no number
END
    echo '{"id":1,"vector":"[1. nan]"}' > bad.jsonl
    run ! "$BUILD"/dq-export --strict --items bad.jsonl
    [[ $output == *"vector: element 1 is not finite as a float32" ]]
}

# ---- how vectors are cut ----

@test "the commonest width decides, and not the first row" {
    printf '%s\n' '{"id":"a"}' '{"id":"b","vector":[1,2,3]}' '{"id":"c","vector":[1,2]}' '{"id":"d","vector":[3,4]}' '{"id":"e","vector":null}' > u.jsonl
    export_ --users u.jsonl 2> words > c.dq
    [ "$(lines c.dq | jq -r .id | paste -sd' ')" = "c d" ]
    grep -q "3 skipped: 2 missing field (first: line 1[:)].*1 wrong width (first: line 2[:)]" words
    zstd -dc c.dq > c
    payload --users - < u.jsonl 2> words | cmp - c
    payload --users <(cat u.jsonl) 2> words | cmp - c
    printf 'id,vector\na,\nb,"[1,2,3]"\nc,"[1,2]"\nd,"[3,4]"\ne,\n' > u.csv
    payload --users u.csv 2> words | cmp - c
    printf '%s\n' '{"id":"a"}' '{"id":"b","vector":{"x":[1],"y":[2,3]}}' '{"id":"c","vector":{"y":[5,6],"x":[4]}}' '{"id":"d","vector":[7,8,9]}' > f.jsonl
    [ "$(export_ --users f.jsonl 2> words | lines | jq -c .vector | paste -sd' ')" = '{"x":[1],"y":[2,3]} {"x":[4],"y":[5,6]}' ]
    # where most rows have no vector there are none: one that strayed in costs its own row
    printf '%s\n' '{"id":"a","text":{"t":"x"}}' '{"id":"b","vector":[1,2]}' '{"id":"c","text":{"t":"y"}}' '{"id":"d"}' > text.jsonl
    [ "$(export_ --users text.jsonl 2> words | lines | jq -r .id | paste -sd' ')" = "a c d" ]
    grep -q "1 skipped: 1 wrong width (first: line 2: a vector, where most rows have none)" words
    # rows of another kind have no say, however many come first
    { for k in $(seq 1500); do echo "{\"kind\":\"users\",\"id\":$k,\"vector\":[1,2,3]}"; done; echo '{"kind":"items","id":"i","vector":[1,2]}'; } > all.jsonl
    [ "$(export_ --users all.jsonl --items all.jsonl | lines --count | tr '\n\t' '  ')" = "users 1500 items 1 " ]
    # what comes behind the rows that are looked at is counted
    { for k in $(seq 1000); do echo "{\"id\":$k}"; done; echo '{"id":"i","vector":[1,2]}'; } > late.jsonl
    [ "$(export_ --items late.jsonl 2> words | lines --count)" = $'items\t1000' ]
    grep -q "1 skipped: 1 wrong width (first: line 1001" words
    run ! "$BUILD"/dq-export --strict --items late.jsonl
    [[ $output == *"late.jsonl: record 1001: a vector, where most rows have none" ]]
}

# ---- lists of ids ----

@test "ids of an array as .npy: texts, bytes and integers" {
    /usr/bin/python3 - << 'END'
import numpy as np
np.save("v.npy", np.arange(6, dtype="<f4").reshape(3, 2))
names = ["a", "Größe 東", "\U0001f600c"]
np.save("U.npy", np.array(names))
np.save("S.npy", np.array([n.encode() for n in names]))
np.save("column.npy", np.array(names).reshape(3, 1))
open("names", "w").write("".join(n + "\n" for n in names))
for t in "i1 i2 i4 i8 u1 u2 u4 u8".split():
    np.save(t + ".npy", np.array([1, 100, 7]).astype("<" + t))
np.save("minus.npy", np.array([-1, -100, -7]).astype("<i2"))
np.save("big.npy", np.array([2**64 - 1, 2**63, 7], dtype="<u8"))
np.save("empty.npy", np.array(["a", "", "b"]))
np.save("latin.npy", np.array([b"a", b"\xe9", b"b"]))
np.save("two.npy", np.array(["a", "b"]))
np.save("four.npy", np.array(["a", "b", "c", "d"]))
np.save("object.npy", np.array(names, dtype=object))
np.save("float.npy", np.array([1.0, 2.0, 3.0]))
np.save("swapped.npy", np.array(names).astype(">U10"))
np.save("square.npy", np.array([["a", "b"], ["c", "d"], ["e", "f"]]))
bad = np.array(["a", "b", "c"]); bad.view("<u4")[1] = 0x110000
np.save("bad.npy", bad)
END
    payload --items v.npy --item-ids names > want
    for form in U S column; do payload --strict --items v.npy --item-ids $form.npy | cmp - want; done
    cp U.npy without-a-name
    payload --items v.npy --item-ids without-a-name | cmp - want
    payload --items v.npy --item-ids - < U.npy | cmp - want
    zstd -q U.npy -o z.npy.zst
    payload --items v.npy --item-ids z.npy.zst | cmp - want
    ids() { export_ --items v.npy --item-ids "$1" | lines | jq -r .id | paste -sd' '; }
    for t in i1 i2 i4 i8 u1 u2 u4 u8; do [ "$(ids $t.npy)" = "1 100 7" ]; done
    [ "$(ids minus.npy)" = "-1 -100 -7" ]
    [ "$(ids big.npy)" = "18446744073709551615 9223372036854775808 7" ]
    for form in empty latin bad; do [ "$(ids $form.npy 2> words | wc -w)" = 2 ]; grep -q "1 without a usable id (first: line 2" words; done
    while IFS='|' read -r file words; do
        run -1 "$BUILD"/dq-export --items v.npy --item-ids $file.npy -o o.dq
        [[ $output == "dq-export: $file.npy: "*"$words"* ]] || { echo "$output"; false; }
        [ ! -e o.dq ]
    done << 'END'
two|2 ids for the 3 rows of v.npy
four|more ids than the 3 rows of v.npy
object|ids of type |O (texts, <U and |S, and little-endian integers are read); save array.astype('U')
float|ids of type <f8
swapped|ids of type >U10
square|ids in two dimensions; save array.ravel()
END
    size=$(stat -c %s U.npy)
    for ((n = 1; n < size; n += 7)); do
        head -c $n U.npy > cut.npy
        run -1 "$BUILD"/dq-export --items v.npy --item-ids cut.npy -o o.dq
        [[ $output == "dq-export: cut.npy: "* ]]
    done
    for a in "elements of type |O|np.array([[1, 2], [3, 4], [5, 6]], dtype=object)" "elements of type >f4 (little-endian f2 f4 f8 i1..i8 u1..u8 are read); save array.astype('<f4')|np.ones((3, 2), '>f4')" \
        "save numpy.ascontiguousarray(array)|np.asfortranarray(np.ones((3, 2)))" "save array.astype('<f4')|np.ones((3, 2), bool)" \
        "save array.reshape(len(array), -1)|np.ones((3, 2, 2))" "elements of type <U1|np.array(['a', 'b', 'c'])"; do
        /usr/bin/python3 -c "import numpy as np; np.save('w.npy', ${a##*|})"
        run -1 "$BUILD"/dq-export --items w.npy --item-ids names -o o.dq
        [[ $output == "dq-export: w.npy: "*"${a%|*}"* ]] || { echo "$output"; false; }
    done
}
