#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export: every form of input, what is kept, in which order, and that it comes back.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-numpy python3-zstandard
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    onet=$BATS_TEST_DIRNAME/../../../shared/data/onet-jobs
    job2vec=$BATS_TEST_DIRNAME/../../../shared/data/job2vec
    cat > u.jsonl << 'END'
{"id":"u1","text":{"bio":"likes tea","skills":["a","b"]},"vector":{"hard":[1,0.5],"soft":[-2]},"age":30,"tags":["x",1.5]}
{"id":-7,"vector":{"soft":[3],"hard":[0,1e-3]}}
{"id":{"$oid":"65F1000000000000000000AB"},"text":{"bio":null},"vector":{"hard":[1,2],"soft":[3]},"none":null}
END
    cat > i.jsonl << 'END'
{"id":"i1","text":{"title":"Tea\tpot"},"vector":[0.1,-0.0]}
{"id":"i2","vector":[16777217,3]}
END
    cat > x.jsonl << 'END'
{"user":"u1","item":"i1","label":"APPLY","at":"2026-01-01"}
{"user":-7,"item":"i2","reward":0.5}
{"user":"u1","item":"i1"}
END
}

export_() { "$BUILD"/dq-export "$@"; }
lines() { "$BUILD"/dq-cat "$@"; }
# What counts is the payload: how well it is compressed depends on where it goes.
payload() { "$BUILD"/dq-export "$@" | zstd -dc; }
# The digest of the payload but for its head: the same rows were made.
digest() { lines --lineage "$@" | sed -n 's/^section //p'; }

@test "JSON lines: ids, texts, fields, attributes, interactions" {
    export_ --users u.jsonl --items i.jsonl --interactions x.jsonl --compare soft:vector 2> words && false
    [ "$(without_made words)" = "dq-export: the pair soft:vector has widths 1 and 2" ]
    export_ --users u.jsonl --items i.jsonl --interactions x.jsonl --compare hard:vector -o c.dq
    lines c.dq > got
    diff - got << 'END'
{"kind":"users","id":"u1","text":{"bio":"likes tea","skills":"a, b"},"age":30,"tags":["x",1.5],"vector":{"hard":[1,0.5],"soft":[-2]}}
{"kind":"users","id":"-7","vector":{"hard":[0,0.00100000005],"soft":[3]}}
{"kind":"users","id":"65f1000000000000000000ab","none":null,"vector":{"hard":[1,2],"soft":[3]}}
{"kind":"interactions","user":"u1","item":"i1","label":"APPLY","at":"2026-01-01"}
{"kind":"interactions","user":"-7","item":"i2","reward":0.5}
{"kind":"interactions","user":"u1","item":"i1"}
{"kind":"items","id":"i1","text":{"title":"Tea\tpot"},"vector":[0.100000001,-0.0]}
{"kind":"items","id":"i2","vector":[16777216,3]}
END
}

@test "what dq-cat prints comes back, row for row and block for block" {
    export_ --users u.jsonl --items i.jsonl --interactions x.jsonl --compare hard:vector -o c.dq
    lines c.dq > all.jsonl
    export_ --users all.jsonl --items all.jsonl --interactions all.jsonl --compare hard:vector -o d.dq
    zstd -dc c.dq > c
    zstd -dc d.dq | cmp - c
}

@test "plain, zstd, gzip and standard input are the same" {
    payload --users u.jsonl > plain
    zstd -q u.jsonl
    gzip -k u.jsonl
    payload --users u.jsonl.zst | cmp - plain
    payload --users u.jsonl.gz | cmp - plain
    payload --users - < u.jsonl | cmp - plain
    payload --users <(cat u.jsonl) | cmp - plain
    payload --users - < u.jsonl.zst | cmp - plain
}

@test "CSV and TSV make what JSON lines make" {
    cat > want.jsonl << 'END'
{"id":"007","text":{"bio":"tea, \"green\"\nor black"},"vector":{"a":[1,-2.5],"b":[3]},"age":30,"zip":"00123","list":[1,{"a":2}]}
{"id":"x","vector":{"a":[0,1],"b":[1e-3]},"zip":"abc"}
END
    cat > u.csv << 'END'
id,text.bio,vector.a.0,vector.a.1,vector.b.0,age,zip,attr.list
007,"tea, ""green""
or black",1,-2.5,3,30,00123,"[1,{""a"":2}]"

x,,0,1,1e-3,,abc,
END
    printf 'id\ttext.bio\tvector\tage\tzip\tlist\n%s\n%s\n' \
        $'007\ttea, "green"\\nor black\t{"a":[1,-2.5],"b":[3]}\t30\t00123\t[1,{"a":2}]' \
        $'x\t\t{"a":[0,1],"b":[1e-3]}\t\tabc\t' > u.tsv
    payload --users want.jsonl > want
    payload --users u.csv | cmp - want
    payload --users u.tsv | cmp - want
    printf 'user,item,label,reward,at\n007,i1,APPLY,,2026\nx,i2,,-0.5,\n' > x.csv
    export_ --users u.csv --items i.jsonl --interactions x.csv | lines --kind interactions > got
    diff - got << 'END'
{"user":"007","item":"i1","label":"APPLY","at":2026}
{"user":"x","item":"i2","reward":-0.5}
END
}

@test "a plain vector in columns, and a TSV that dq-cat printed" {
    printf 'id,vector.0,vector.1\na,1,2\nb,3,4\n' > v.csv
    export_ --items v.csv > c.dq
    zstd -dc c.dq > c
    [ "$(lines c.dq | tail -1)" = '{"kind":"items","id":"b","vector":[3,4]}' ]
    lines --to tsv c.dq > v.tsv
    payload --items v.tsv | cmp - c
}

@test "NumPy's arrays, each type and version, as float32" {
    /usr/bin/python3 - << 'END'
import numpy as np
rng = np.random.default_rng(1)
for t in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    a = (rng.standard_normal((5, 3)) * 10).astype("<" + t)
    np.save(t + ".npy", a)
    with open(t + ".jsonl", "w") as f:
        for i, row in enumerate(a.astype("<f4")):
            print('{"id":"id %d","vector":[%s]}' % (i, ",".join("%.9g" % x for x in row)), file=f)
a = np.arange(15, dtype="<f4").reshape(5, 3)
for v in (1, 2, 3):
    with open("v%d.npy" % v, "wb") as f:
        np.lib.format.write_array(f, a, version=(v, 0))
np.save("one.npy", np.arange(5, dtype="<f4"))
END
    printf 'id %d\n' 0 1 2 3 4 > ids
    for t in f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8; do
        payload --items $t.jsonl > want
        payload --items $t.npy --item-ids ids | cmp - want
    done
    payload --users v1.npy --user-ids ids > want
    payload --users v2.npy --user-ids ids | cmp - want
    payload --users v3.npy --user-ids ids | cmp - want
    [ "$(export_ --users v1.npy --user-ids ids | lines | tail -1)" = '{"kind":"users","id":"id 4","vector":[12,13,14]}' ]
    [ "$(export_ --users one.npy --user-ids ids | lines | tail -1)" = '{"kind":"users","id":"id 4","vector":[4]}' ]
}

@test "safetensors: one tensor is the vector, several are its fields" {
    /usr/bin/python3 - << 'END'
import json, struct, numpy as np
def save(name, **tensors):
    header, data = {}, b""
    for key, a in tensors.items():
        header[key] = {"dtype": {"f2": "F16", "f4": "F32"}[a.dtype.str[1:]], "shape": a.shape,
                       "data_offsets": [len(data), len(data) + a.nbytes]}
        data += a.tobytes()
    text = json.dumps(header).encode()
    open(name, "wb").write(struct.pack("<Q", len(text)) + text + data)
a, b = np.arange(6, dtype="<f4").reshape(2, 3), np.array([[0.5], [-1.5]], dtype="<f2")
save("one.safetensors", weights=a)
save("two.safetensors", title=a, skills=b)
END
    printf 'x\ny\n' > ids
    [ "$(export_ --items one.safetensors --item-ids ids | lines | tail -1)" = '{"kind":"items","id":"y","vector":[3,4,5]}' ]
    zstd -q two.safetensors
    [ "$(export_ --items two.safetensors.zst --item-ids ids | lines | tail -1)" = \
        '{"kind":"items","id":"y","vector":{"title":[3,4,5],"skills":[-1.5]}}' ]
}

@test "selections: limits, ids, and the interactions of what is left" {
    export_ --users u.jsonl --items i.jsonl --interactions x.jsonl --limit users:1 2> words | lines > got
    [ "$(grep -c users got)" = 1 ]
    [ "$(grep -c items got)" = 2 ]
    [ "$(grep -c interactions got)" = 2 ]
    only_made words
    export_ --users u.jsonl --items i.jsonl --interactions x.jsonl --user -7 --item i2 2> words | lines > got
    [ "$(wc -l < got)" = 3 ]
    only_made words
    export_ --users u.jsonl --items i.jsonl --limit 2 --limit items:0 | lines > got
    [ "$(wc -l < got)" = 2 ]
}

@test "blocks hold 2 MiB and do not depend on the form" {
    awk 'BEGIN { for (i = 0; i < 700; i++) { printf "{\"id\":%d,\"vector\":[", i
        for (k = 0; k < 1024; k++) printf "%s%d", k ? "," : "", i + k; print "]}" } }' > big.jsonl
    export_ --items big.jsonl > c.dq
    zstd -dc c.dq > c
    [ "$(lines --count c.dq)" = $'items\t700' ]
    lines --to npy --ids ids c.dq > v.npy
    payload --items v.npy --item-ids ids | cmp - c
    /usr/bin/python3 - << 'END'
import zstandard, msgpack
data = zstandard.ZstdDecompressor().stream_reader(open("c.dq", "rb"), read_across_frames=True).read()
rows, at = [], 0
while at < len(data):
    size = int.from_bytes(data[at + 1:at + 9], "big")
    record = msgpack.unpackb(data[at + 18:at + 18 + size])
    if record["dq"] == "bundle":
        rows.append(record["rows"])
    at += 18 + size
assert sum(rows) == 700 and len(rows) == 2 and rows[0] * 4096 >= 2 << 20 > (rows[0] - 2) * 4096, rows
END
}

# A folder of system A's collections, small.
folder() {
    mkdir -p db
    /usr/bin/python3 - << 'END'
import json
def vector(k): return [round((k * 31 + i * 7) % 17 / 8 - 1, 3) for i in range(384)]
def write(name, documents):
    with open("db/%s.jsonl" % name, "w") as f:
        for d in documents: print(json.dumps(d), file=f)
ids = [10, 9, "b", "a", {"$oid": "65f1000000000000000000ab"}]
write("candidates_text", [{"_id": i, "bio": "bio %d" % k, "skills": ["s", "t"], "experience": [{"title": "T", "years": k}],
                           "occupation": "o%d" % k} for k, i in enumerate(ids)])
write("candidates_embeddings", [{"_id": "v%d" % k, "original_candidate_id": i, "hard_skill_embeddings": vector(k),
                                 "soft_skills_embeddings": vector(k + 1)} for k, i in enumerate(ids)])
write("jobs_text", [{"_id": "j%d" % k, "job_title": "Job %d" % k, "description": "d", "technical_skills": ["x", "y"],
                     "soft_skills": [], "experience_requirements": ""} for k in range(3)])
jobs = [{"original_job_id": "j%d" % k, "job_title_embeddings": vector(k), "tech_skills_vectors": vector(k + 2),
         "soft_skills_embeddings": vector(k + 3), "experience_requirements_embeddings": vector(k + 4)} for k in range(3)]
del jobs[1]["experience_requirements_embeddings"]
write("job_embeddings", jobs)
write("interactions", [{"_id": k, "user": u, "item": i, "label": l} for k, (u, i, l) in
                       enumerate([("b", "j2", "SAVE"), (10, "j0", "APPLY"), (9, "j1", "CLICK"), (9, "j0", "APPLY"),
                                  ({"$oid": "65F1000000000000000000AB"}, "j1", "IGNORE")])])
END
}

@test "collections: joined, in the order of ids, with zeros for a missing experience" {
    folder
    export_ --schema jobs db > c.dq
    lines c.dq > got
    [ "$(jq -r 'select(.kind == "users").id' got | paste -sd' ')" = "9 10 a b 65f1000000000000000000ab" ]
    [ "$(jq -r 'select(.kind == "interactions") | .user + ":" + .item' got | paste -sd' ')" = \
        "9:j1 9:j0 10:j0 b:j2 65f1000000000000000000ab:j1" ]
    [ "$(jq -c 'select(.id == "9") | [.text, .occupation]' got)" = \
        '[{"bio":"bio 1","skills":"s, t","experience":"title: T, years: 1"},"o1"]' ]
    [ "$(jq -c 'select(.id == "j1") | .text' got)" = \
        '{"title":"Job 1","description":"d","technical_skills":"x, y","soft_skills":"","experience_requirements":""}' ]
    [ "$(jq -c 'select(.id == "j1").vector.experience | [length, min, max]' got)" = '[384,0,0]' ]
    [ "$(jq -c 'select(.id == "j0").vector | keys_unsorted' got)" = '["title","tech_skills","soft_skills","experience"]' ]
    jq -c 'select(.id == "b").vector.hard_skills' got > hard
    jq -c 'select(.original_candidate_id == "b").hard_skill_embeddings' db/candidates_embeddings.jsonl |
        jq -c --slurpfile got hard '[., $got[0]] | transpose | map((.[0] - .[1]) * 1e6 | fabs) | max < 1' > close
    [ "$(cat close)" = true ]
}

@test "collections: whatever the order of lines and the compression, the same bytes" {
    folder
    payload --schema jobs db > c
    mkdir shuffled
    for f in db/*.jsonl; do tac "$f" > shuffled/"${f##*/}"; done
    zstd -q --rm shuffled/job_embeddings.jsonl
    gzip shuffled/candidates_text.jsonl
    payload --schema jobs shuffled | cmp - c
    payload --schema jobs --strict db | cmp - c
    DQ_THREADS=4 payload --schema jobs --flush db | cmp - c
}

@test "collections: a user's interactions stand in the order of their _id, and without one in the file's" {
    printf '{"_id":%s}\n' 1 2 >people.jsonl
    printf '{"_id":%s,"title":"t"}\n' 10 20 30 >jobs.jsonl
    mkdir place && mv people.jsonl jobs.jsonl place
    cat >map.json <<'END'
{"users": [{"collection": "people", "id": "_id"}],
 "items": [{"collection": "jobs", "id": "_id", "texts": {"title": "title"}}],
 "interactions": {"collection": "seen", "user": "user", "item": "item"}}
END
    met() { export_ --schema map.json place | lines -k interactions | jq -r '.user + ":" + .item' | paste -sd' '; }
    printf '{"user":%s,"item":%s,"time":5}\n' 1 30 1 10 2 20 1 20 1 30 >place/seen.jsonl
    [ "$(met)" = "1:30 1:10 1:20 1:30 2:20" ]
    printf '{"user":%s,"item":%s,"time":5,"_id":%s}\n' 1 30 10 1 10 9 2 20 1 1 20 '{"$oid":"65f100000000000000000001"}' 1 30 '"a"' >place/seen.jsonl
    [ "$(met)" = "1:10 1:30 1:30 1:20 2:20" ]
    export_ --schema map.json place | "$BUILD"/dq-cat --kind interactions --to stream | zstd -dcq >once
    tac place/seen.jsonl >turned && mv turned place/seen.jsonl
    export_ --schema map.json place | "$BUILD"/dq-cat --kind interactions --to stream | zstd -dcq | cmp - once
}

@test "--time-format makes ISO 8601 of the interactions' times, and counts what does not fit" {
    printf '{"id":"%s"}\n' a >u.jsonl
    printf '{"id":"%s"}\n' x >i.jsonl
    times() { "$BUILD"/dq-export --users u.jsonl --items i.jsonl --interactions "$1" --time-format "$2" "${@:3}" | "$BUILD"/dq-cat --kind interactions | jq -rc '.time // "none"' | paste -sd' '; }
    printf '{"user":"a","item":"x","time":%s}\n' '"11/12/2019 7:31:04 PM"' '"2/29/2019 1:00:00 AM"' null '{"$date":"2019-11-12T00:00:00Z"}' 7 >mind.jsonl
    [ "$(times mind.jsonl '%m/%d/%Y %I:%M:%S %p' 2>words)" = '2019-11-12T19:31:04Z none {"$date":"2019-11-12T00:00:00Z"}' ]
    grep -F "interactions: 2 skipped: 2 time of another form (first: line 2" words
    run -1 times mind.jsonl '%m/%d/%Y %I:%M:%S %p' --strict
    [[ "$output" == *"mind.jsonl: record 2: the time '2/29/2019 1:00:00 AM' is not of the form '%m/%d/%Y %I:%M:%S %p'"* ]]
    printf 'user,item,time\na,x,"09 14, 2010"\na,x,"12 2, 2009"\n' >amazon.csv
    [ "$(times amazon.csv '%m %d, %Y')" = "2010-09-14T00:00:00Z 2009-12-02T00:00:00Z" ]
    printf 'user,item,time\na,x,20191112\n' >digits.csv
    [ "$(times digits.csv '%Y%m%d')" = "2019-11-12T00:00:00Z" ]
    mkdir place
    printf '{"_id":"a"}\n' >place/people.jsonl
    printf '{"_id":"x"}\n' >place/jobs.jsonl
    cp mind.jsonl place/seen.jsonl
    echo '{"users":[{"collection":"people","id":"_id"}],"items":[{"collection":"jobs","id":"_id"}],"interactions":{"collection":"seen","user":"user","item":"item"}}' >map.json
    "$BUILD"/dq-export --schema map.json --time-format '%m/%d/%Y %I:%M:%S %p' place 2>words | "$BUILD"/dq-cat --kind interactions | grep -F 2019-11-12T19:31:04Z
    grep -F "2 time of another form" words
    for format in '' '%H:%M' '%Y-%m-%d %H:%M:%S.%f' '%s' '%m/%d/%Y %H:%M:%S %p'; do
        run -2 "$BUILD"/dq-export --users u.jsonl --items i.jsonl --interactions mind.jsonl --time-format "$format"
        [[ "$output" == "dq-export: --time-format '$format': "* ]]
    done
    run -2 "$BUILD"/dq-export --users u.jsonl --items i.jsonl --time-format %Y-%m-%d
    [[ "$output" == *"there are no --interactions"* ]]
    sed 's/"time"/"seen"/' mind.jsonl >place/seen.jsonl
    run -1 "$BUILD"/dq-export --schema map.json --time-format %Y-%m-%d place -o none.dq
    [ "$output" = "dq-export: --time-format: none of the interactions (5) has an attribute 'time'" ]
    [ ! -e none.dq ]
    sed 's/"item":"item"/&,"time":"seen"/' map.json >timed.json
    "$BUILD"/dq-export --schema timed.json --time-format '%m/%d/%Y %I:%M:%S %p' place 2>words | "$BUILD"/dq-cat --kind interactions >got
    grep -F '"time":"2019-11-12T19:31:04Z"' got
    grep -F "2 time of another form" words
    echo '{"user":"a","item":"x","seen":5,"time":6}' >>place/seen.jsonl
    run -1 "$BUILD"/dq-export --schema timed.json --strict place -o none.dq
    [[ "$output" == *"both 'seen' and 'time' are there"* ]]
    echo '{"users":[{"collection":"people","id":"_id"}],"items":[{"collection":"jobs","id":"_id"}]}' >map.json
    run -2 "$BUILD"/dq-export --schema map.json --time-format %Y-%m-%d place
    [[ "${output% (try *)}" == *"the mapping map.json has no interactions" ]]
}

@test "collections: interactions may be missing, and selections hold" {
    folder
    export_ --schema jobs --limit users:2 --item j0 db 2> words | lines > got
    [ "$(jq -r '[.kind, .id // .user] | join(":")' got | paste -sd' ')" = \
        "users:9 users:10 interactions:9 interactions:10 items:j0" ]
    only_made words
    rm db/interactions.jsonl
    [ "$(export_ --schema jobs db | lines --count | tr '\n\t' '  ')" = "users 5 items 3 " ]
}

@test "a mapping of one's own: jobs under other names gives the same rows" {
    folder
    export_ --schema jobs db > c.dq
    mkdir other
    jq -c '.title = .job_title | del(.job_title)' db/jobs_text.jsonl > other/posts.jsonl
    for c in candidates_text candidates_embeddings job_embeddings; do cp db/$c.jsonl other/; done
    jq -c '{who: .user, what: .item, judgement: .label}' db/interactions.jsonl > other/seen.jsonl
    export_ --show-schema jobs | jq '.items[0].collection = "posts" | .items[0].texts.title = "title" |
        .interactions = {collection: "seen", user: "who", item: "what", label: "judgement"}' > map.json
    export_ --schema map.json other > d.dq
    [ "$(digest c.dq)" = "$(digest d.dq)" ]
    export_ --show-schema jobs > jobs.json
    [ "$(export_ --schema jobs.json db | digest)" = "$(digest c.dq)" ]
}

@test "the mapping in the documents is the built-in one" {
    sed -n '/^```json$/,/^```$/p' "$BATS_TEST_DIRNAME"/../../docs/schema-mapping.md | sed '1d;$d' > documented
    export_ --show-schema jobs | diff - documented
    jq -e . documented > /dev/null
}

@test "the pairs of fields: the mapping's, or one's own" {
    folder
    export_ --schema jobs db > c.dq
    /usr/bin/python3 - << 'END'
import zstandard
data = zstandard.ZstdDecompressor().stream_reader(open("c.dq", "rb"), read_across_frames=True).read()
assert b"\xa5pairs\x92\x92\xabhard_skills\xabtech_skills\x92\xabsoft_skills\xabsoft_skills" in data
END
    [ "$(export_ --schema jobs --compare hard_skills:title db | digest)" != "$(digest c.dq)" ]
    [ "$(export_ --schema jobs --compare hard_skills:tech_skills --compare soft_skills:soft_skills db | digest)" = "$(digest c.dq)" ]
}

@test "what is skipped is counted and named, and exit is 0" {
    cat >> u.jsonl << 'END'
{"id":"u1","vector":{"hard":[1,1],"soft":[1]}}
{"id":"w","vector":{"hard":[1],"soft":[1]}}
{"id":"w","vector":{"hard":[1,1e39],"soft":[1]}}
not json
{"vector":{"hard":[1,1],"soft":[1]}}
{"id":"w"}
{"id":"w","vector":{"hard":[1,1],"soft":["1"]}}
END
    echo '{"user":"nobody","item":"i1"}' >> x.jsonl
    echo '{"user":"u1","item":"nothing"}' >> x.jsonl
    export_ --users u.jsonl --items i.jsonl --interactions x.jsonl 2> words | lines --count > got
    [ "$(tr '\n\t' '  ' < got)" = "users 3 interactions 3 items 2 " ]
    diff - <(without_made words) << 'END'
dq-export: users: 7 skipped: 1 malformed (first: line 7: JSON: invalid token near 'not' at byte 3), 1 without a usable id (first: line 8: users need a key id; there are: vector; looked for: id (or _id, user_id, userId, userID, reviewerID); --columns id=NAME), 1 missing field (first: line 9: no vector), 1 wrong type (first: line 10: soft: element 0 is no number), 1 wrong width (first: line 5: hard has 1 numbers where 2 are expected), 1 not finite (first: line 6: hard: element 1 is not finite as a float32), 1 duplicate id (first: line 4: the id 'u1' stands there already)
dq-export: interactions: 2 skipped: 1 unknown user (first: line 4: no user 'nobody'), 1 unknown item (first: line 5: no item 'nothing')
END
    export_ --quiet --users u.jsonl 2> words > /dev/null
    [ ! -s words ]
}

@test "nothing of this machine is in the payload" {
    mkdir elsewhere
    cp u.jsonl elsewhere/v.jsonl
    export_ --users u.jsonl > c.dq
    export_ --users elsewhere/v.jsonl --threads 3 -o d.dq
    zstd -dc c.dq > c
    zstd -dc d.dq | cmp - c
}

@test "O*NET: four collections and the labels" {
    [ -d "$onet" ] || skip "../shared/data/onet-jobs is not here"
    export_ --schema jobs "$onet" -o c.dq 2> words
    only_made words
    [ "$(lines --count c.dq | tr '\n\t' '  ')" = "users 1941 interactions 38820 items 923 " ]
    lines --item 11-1011.00 c.dq | jq -c '[.text.title, (.vector | map_values(length))]' > got
    [ "$(cat got)" = '["Chief Executives",{"title":384,"tech_skills":384,"soft_skills":384,"experience":384}]' ]
    lines c.dq > all.jsonl
    [ "$(grep '"kind":"items"' all.jsonl | jq -c 'select(.vector.experience | map(. == 0) | all).id' | wc -l)" = 44 ]
    export_ --users all.jsonl --items all.jsonl --interactions all.jsonl --compare hard_skills:tech_skills \
        --compare soft_skills:soft_skills -o d.dq
    [ "$(digest c.dq)" = "$(digest d.dq)" ]
}

@test "job2vec: vectors bit for bit" {
    [ -d "$job2vec" ] || skip "../shared/data/job2vec is not here"
    V=$job2vec/vectors.npy.zst T=$job2vec/titles.txt
    export_ --users "$V" --user-ids "$T" --items "$V" --item-ids "$T" > c.dq
    [ "$(lines --count c.dq | tr '\n\t' '  ')" = "users 3448 items 3448 " ]
    lines --kind items --to npy --ids ids c.dq > v.npy
    zstd -dc "$V" | tail -c 1379200 > want
    tail -c 1379200 v.npy | cmp - want
    cmp ids "$T"
}
