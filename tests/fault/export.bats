#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-export on input that is wrong: one clear line, the exit code, nothing that looks complete.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../said.bash"
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-numpy
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    echo '{"id":"u1","vector":[1,2]}' > u.jsonl
    echo '{"id":"i1","vector":[1,2]}' > i.jsonl
    echo '{"user":"u1","item":"i1"}' > x.jsonl
}

# refused CODE MESSAGE ARGUMENT...: exactly this line, that exit code, and no complete stream.
refused() {
    local code=$1 message=$2 got=0
    shift 2
    "$BUILD"/dq-export "$@" > out 2> words || got=$?
    [ "$(without_made words | sed 's/ (try .*//')" = "dq-export: $message" ] || { cat words; false; }
    [ "$got" = "$code" ] || { echo "exit $got"; false; }
    [ ! -s out ] || ! "$BUILD"/dq-cat --check out 2> /dev/null
    rm -f o.dq
    "$BUILD"/dq-export "$@" -o o.dq 2> /dev/null || true
    [ ! -e o.dq ]
    [ -z "$(find . -name 'o.dq*')" ]
}

# skipped SUMMARY FILE: exit 0 and this summary, with a reason; with --strict an error at that line.
skipped() {
    "$BUILD"/dq-export --users "$2" > out 2> words
    [[ $(without_made words) == "dq-export: users: 1 skipped: 1 ${1%)}: "?*")" ]] || { cat words; false; }
    "$BUILD"/dq-cat --check out
    ! "$BUILD"/dq-export --strict --users "$2" > out 2> words
    ! "$BUILD"/dq-cat --check out 2> /dev/null
    [ "$(wc -l < words)" = 1 ]
}

@test "no such file, a folder for a file, no permission to read a name" {
    refused 1 "none.jsonl: cannot open: No such file or directory" --users none.jsonl
    refused 1 "none.csv: cannot open: No such file or directory" --items none.csv
    mkdir dir.jsonl
    run ! "$BUILD"/dq-export --users dir.jsonl
    [[ $output == "dq-export: dir.jsonl: "*"Is a directory" ]]
}

@test "a document that is malformed, with its line" {
    for text in 'not json' '{"id":"u2"' '[1]' '"text"' '{"id":"u2","id":"u3"}' '{"id":"u2","vector":[1,NaN]}' \
        '{"id":"u2","vector":[1,Infinity]}' '{"id":"u2","vector":[1,1e999]}' $'{"id":"a\\ud800"}' \
        '{"id":"u2","vector":[1,2]}{}'; do
        printf '%s\n\n%s\n' "$(cat u.jsonl)" "$text" > bad.jsonl
        skipped "malformed (first: line 3)" bad.jsonl
        [[ $(without_made words) == "dq-export: bad.jsonl: record 3: "* ]]
    done
    { cat u.jsonl; printf '{"id":"\xff"}\n'; } > bad.jsonl
    skipped "not UTF-8 (first: line 2)" bad.jsonl
    echo '{"id":"u2","vector":[1,NaN]}' > bad.jsonl
    refused 1 "bad.jsonl: record 1: JSON: invalid token near 'NaN' at byte 26" --strict --users bad.jsonl
}

@test "JSON 10,000 levels deep" {
    { cat u.jsonl; printf '{"id":"u2","a":'; head -c 10000 /dev/zero | tr '\0' '['; head -c 10000 /dev/zero | tr '\0' ']'; echo '}'; } > deep.jsonl
    skipped "malformed (first: line 2)" deep.jsonl
    refused 1 "deep.jsonl: record 2: JSON: nested deeper than 32" --strict --users deep.jsonl
}

@test "ids that are none" {
    { cat u.jsonl; echo '{"id":{"$oid":"12"},"vector":[1,2]}'; } > bad.jsonl
    skipped "without a usable id (first: line 2)" bad.jsonl
    echo '{"vector":[1,2]}' > bad.jsonl
    refused 1 "bad.jsonl: record 1: users need a key id; there are: vector; looked for: id (or _id, user_id, userId, userID, reviewerID); --columns id=NAME" --strict --users bad.jsonl
}

@test "vectors that do not fit" {
    while IFS='|' read -r vector words; do
        { cat u.jsonl; echo "{\"id\":\"u2\",\"vector\":$vector}"; } > bad.jsonl
        skipped "$words (first: line 2)" bad.jsonl
    done << 'END'
[1]|wrong width
[1,"2"]|wrong type
[1,1e39]|not finite
null|missing field
{"other":[1,2]}|missing field
END
    refused 1 "bad.jsonl: record 2: vector has no field 'vector', which most rows have" --strict --users bad.jsonl
}

@test "an id twice" {
    { cat u.jsonl; echo '{"id":"u1","vector":[3,4]}'; } > bad.jsonl
    skipped "duplicate id (first: line 2)" bad.jsonl
    refused 1 "bad.jsonl: record 2: the id 'u1' stands there already" --strict --users bad.jsonl
    { echo '{"id":7}'; echo '{"id":"7"}'; } > bad.jsonl
    skipped "duplicate id (first: line 2)" bad.jsonl
}

@test "interactions with nobody and with nothing" {
    for x in '{"user":"u2","item":"i1"}:unknown user' '{"user":"u1","item":"i2"}:unknown item' \
        '{"item":"i1"}:without a usable id'; do
        { cat x.jsonl; echo "${x%:*}"; } > bad.jsonl
        "$BUILD"/dq-export --users u.jsonl --items i.jsonl --interactions bad.jsonl 2> words > out
        [[ $(without_made words) == "dq-export: interactions: 1 skipped: 1 ${x##*:} (first: line 2: "* ]]
        [ "$("$BUILD"/dq-cat --count out | tr '\n\t' '  ')" = "users 1 interactions 1 items 1 " ]
    done
    echo '{"user":"u2","item":"i1"}' > bad.jsonl
    refused 1 "bad.jsonl: record 1: no user 'u2'" --strict --users u.jsonl --items i.jsonl --interactions bad.jsonl
    echo '{"id":"i2","vector":[1]}' >> i.jsonl
    { cat x.jsonl; echo '{"user":"u1","item":"i2"}'; } > bad.jsonl
    "$BUILD"/dq-export --users u.jsonl --items i.jsonl --interactions bad.jsonl 2> words > out
    diff - <(without_made words) << 'END'
dq-export: interactions: 1 skipped: 1 unknown item (first: line 2: no item 'i2')
dq-export: items: 1 skipped: 1 wrong width (first: line 2: vector has 1 numbers where 2 are expected)
END
}

@test "a compressed file cut at every byte is an error, never a short answer" {
    { cat u.jsonl; echo '{"id":"u2","vector":[3,4]}'; } > whole.jsonl
    zstd -q whole.jsonl
    gzip -nk whole.jsonl
    for form in zst gz; do
        size=$(stat -c %s whole.jsonl.$form)
        for ((n = 1; n < size; n++)); do
            head -c $n whole.jsonl.$form > cut.jsonl.$form
            "$BUILD"/dq-export --users cut.jsonl.$form > out 2> words && got=0 || got=$?
            [ $got = 1 ] || { echo "$form $n: $got"; false; }
            [ "$(wc -l < words)" = 1 ]
            ! "$BUILD"/dq-cat --check out 2> /dev/null
        done
    done
}

@test "a flipped bit in a compressed file" {
    { cat u.jsonl; echo '{"id":"u2","vector":[3,4]}'; } > whole.jsonl
    zstd -q --check whole.jsonl
    /usr/bin/python3 -c '
data = bytearray(open("whole.jsonl.zst", "rb").read())
data[len(data) // 2] ^= 4
open("flipped.jsonl.zst", "wb").write(data)'
    run ! "$BUILD"/dq-export --users flipped.jsonl.zst -o o.dq
    [[ $output == "dq-export: flipped.jsonl.zst: "* ]]
    [ ! -e o.dq ]
}

@test "a line of 300 MB costs an error and not the memory" {
    { printf '{"id":"'; head -c 300000000 /dev/zero | tr '\0' a; echo '"}'; } | zstd -q > long.jsonl.zst
    run ! "$BUILD"/dq-export --users long.jsonl.zst -o o.dq
    [ "$output" = "dq-export: long.jsonl.zst: a line of more than 256 MiB" ]
    [ ! -e o.dq ]
}

@test "tables: headers, rows and cells" {
    : > bad.csv
    refused 1 "bad.csv: empty: no header" --users bad.csv
    printf 'id,,x\n' > bad.csv
    refused 1 "bad.csv: column 2 of the header has no name" --users bad.csv
    printf 'id,x,x\n' > bad.csv
    refused 1 "bad.csv: two columns named x" --users bad.csv
    printf 'id,vector.1\n' > bad.csv
    refused 1 "bad.csv: column vector.1 stands where .0 is expected" --users bad.csv
    printf 'id,vector.a.0,x,vector.a.1\n' > bad.csv
    refused 1 "bad.csv: column vector.a.1 stands where .0 is expected" --users bad.csv
    printf 'id,x\na,"b\nc,d\n' > bad.csv
    refused 1 "bad.csv: record 2: a quoted cell begins here and never ends" --users bad.csv
    for row in 'b' 'b,1,2' 'b,"1"2' 'b,x' 'b,'; do
        printf 'id,vector.0\na,1\n%s\n' "$row" > bad.csv
        skipped "malformed (first: line 3)" bad.csv
    done
    printf 'id,vector.0\na,1\n\xff,1\n' > bad.csv
    skipped "not UTF-8 (first: line 3)" bad.csv
    printf 'id,vector.0\na,1\nb,nan\n' > bad.csv
    skipped "not finite (first: line 3)" bad.csv
    printf 'id\tvector\na\t[1]\nb\t[1\n' > bad.tsv
    skipped "wrong type (first: line 3)" bad.tsv
    printf 'id,vector.0\na,1\n,2\n' > bad.csv
    skipped "without a usable id (first: line 3)" bad.csv
    printf 'name,vector.0\na,1\n' > bad.csv
    refused 1 "bad.csv: users need a column id; there are: name, vector.0; looked for: id (or _id, user_id, userId, userID, reviewerID); --columns id=NAME (id=1: no header)" --users bad.csv
}

# array NAME DICT [BYTES]: a .npy with this header and so many zero bytes behind it.
array() {
    /usr/bin/python3 - "$@" << 'END'
import struct, sys
name, text, size = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3]) if len(sys.argv) > 3 else 24
open(name, "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(size))
END
}

@test ".npy: what is none, and hostile headers" {
    printf 'a\nb\nc\n' > ids
    npy() { refused 1 "$1" --items bad.npy --item-ids ids; }
    : > bad.npy
    npy "bad.npy: empty: not a .npy file"
    echo text > bad.npy
    npy "bad.npy: not a .npy file"
    printf '\x93NUMPY\x01' > bad.npy
    npy "bad.npy: the file ends inside its header"
    printf '\x93NUMPY\x09\x00\x10\x00' > bad.npy
    npy "bad.npy: version 9 of .npy (1 to 3 are read)"
    printf '\x93NUMPY\x02\x00\xff\xff\xff\xff' > bad.npy
    npy "bad.npy: not a .npy file: a header of 4294967295 bytes"
    array bad.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 9223372036854775807)}"
    npy "bad.npy: an array of 3 x 9223372036854775807 overflows"
    array bad.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2000000000)}"
    npy "bad.npy: vectors of width 2000000000"
    array bad.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0)}"
    npy "bad.npy: vectors of width 0"
    array bad.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (3, -2)}"
    npy "bad.npy: not a .npy file: its header is malformed"
    array bad.npy "{'descr': '>f4', 'fortran_order': False, 'shape': (3, 2)}"
    npy "bad.npy: elements of type >f4 (little-endian f2 f4 f8 i1..i8 u1..u8 are read); save array.astype('<f4')"
    array bad.npy "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}"
    npy "bad.npy: elements of type |O (little-endian f2 f4 f8 i1..i8 u1..u8 are read); save numpy.array(list(array), dtype='<f4'), of texts array.astype('U')"
    array bad.npy "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2)}"
    npy "bad.npy: the array is in Fortran order; save numpy.ascontiguousarray(array)"
}

@test ".npy: rows, ids and numbers that do not agree" {
    dict="{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}"
    array a.npy "$dict"
    printf 'a\nb\n' > two
    printf 'a\nb\nc\n' > three
    printf 'a\nb\nc\nd\n' > four
    refused 1 "two: 2 ids for the 3 rows of a.npy" --users a.npy --user-ids two
    refused 1 "four: more ids than the 3 rows of a.npy" --users a.npy --user-ids four
    refused 1 "none: cannot open: No such file or directory" --users a.npy --user-ids none
    array cut.npy "$dict" 23
    refused 1 "cut.npy: the array ends after row 2 of 3" --users cut.npy --user-ids three
    array more.npy "$dict" 25
    refused 1 "more.npy: bytes follow the end of the array" --users more.npy --user-ids three
    array many.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 2)}"
    refused 1 "many.npy: the array ends after row 3 of 1000000000000" --users many.npy --user-ids four
    printf 'a\n\na\n' > holes
    "$BUILD"/dq-export --users a.npy --user-ids holes 2> words > out
    [ "$(without_made words)" = "dq-export: users: 2 skipped: 1 without a usable id (first: line 2: the id is empty), 1 duplicate id (first: line 3: the id 'a' stands there already)" ]
    /usr/bin/python3 -c 'import numpy; numpy.save("nan.npy", numpy.array([[1, 2], [3, numpy.nan], [numpy.inf, 1]], "<f8"))'
    "$BUILD"/dq-export --users nan.npy --user-ids three 2> words > out
    [ "$(without_made words)" = "dq-export: users: 2 skipped: 2 not finite (first: line 2: element 1 is not finite as a float32)" ]
    refused 1 "nan.npy: record 2: element 1 is not finite as a float32" --strict --users nan.npy --user-ids three
}

# tensors NAME HEADER BYTES: a safetensors file with this header and so many zero bytes behind it.
tensors() {
    /usr/bin/python3 - "$@" << 'END'
import struct, sys
text = sys.argv[2].encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + bytes(int(sys.argv[3])))
END
}

@test ".safetensors: what is none, and tensors that do not fit" {
    printf 'a\nb\n' > ids
    three() { refused 1 "$1" --users t.safetensors --user-ids ids; }
    echo text > t.safetensors
    three "t.safetensors: too short to be safetensors"
    head -c 100 /dev/zero | tr '\0' x > t.safetensors
    three "t.safetensors: not safetensors: a header of 8680820740569200760 bytes"
    tensors t.safetensors '{}' 0
    three "t.safetensors: no tensors"
    tensors t.safetensors '{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' 15
    three "t.safetensors: ends after 15 of 16 bytes"
    tensors t.safetensors '{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]}}' 24
    three "t.safetensors: tensor b has 1 rows and a has 2"
    tensors t.safetensors '{"a":{"dtype":"F32","shape":[1,2,2],"data_offsets":[0,16]}}' 16
    three "t.safetensors: tensor a has more than two dimensions"
    tensors t.safetensors '{"a":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]}}' 12
    three "ids: 2 ids for the 3 rows of t.safetensors"
}

collections() {
    mkdir -p db
    echo '{"_id":"u1","bio":"b"}' > db/candidates_text.jsonl
    echo '{"_id":"j1","job_title":"t"}' > db/jobs_text.jsonl
    local v
    v=$(seq -s, 384)
    echo "{\"original_candidate_id\":\"u1\",\"hard_skill_embeddings\":[$v],\"soft_skills_embeddings\":[$v]}" \
        > db/candidates_embeddings.jsonl
    echo "{\"original_job_id\":\"j1\",\"job_title_embeddings\":[$v],\"tech_skills_vectors\":[$v],\"soft_skills_embeddings\":[$v]}" \
        > db/job_embeddings.jsonl
}

@test "collections: a folder or a collection that is not there, or twice" {
    refused 1 "none: cannot open the folder: No such file or directory" --schema jobs none
    refused 1 "u.jsonl: not a folder of collections" --schema jobs u.jsonl
    collections
    "$BUILD"/dq-export --schema jobs db | "$BUILD"/dq-cat --check
    zstd -q db/jobs_text.jsonl
    refused 1 "db: collection jobs_text stands there twice" --schema jobs db
    rm db/jobs_text.jsonl*
    refused 1 "db: no jobs_text.jsonl or .json (also with .zst or .gz)" --schema jobs db
}

# faulty SUMMARY: this summary, exit 0, and with --strict an error.
faulty() {
    "$BUILD"/dq-export --schema jobs db 2> words > out
    [[ $(without_made words) == "dq-export: ${1%)}: "?*")" ]] || { cat words; false; }
    "$BUILD"/dq-cat --check out
    ! "$BUILD"/dq-export --strict --schema jobs db 2> words > out
    [ "$(wc -l < words)" = 1 ]
    ! "$BUILD"/dq-cat --check out 2> /dev/null
}

@test "collections: documents that do not join or do not fit" {
    collections
    echo '{"_id":"u2","bio":"b"}' >> db/candidates_text.jsonl
    faulty "users: 1 skipped: 1 not in every collection (first: candidates_text line 2)"
    [ "$(without_made words)" = "dq-export: candidates_text: record 2: user 'u2' is not in candidates_embeddings" ]
    echo '{"original_candidate_id":"u2","hard_skill_embeddings":[1],"soft_skills_embeddings":[1]}' >> db/candidates_embeddings.jsonl
    faulty "users: 1 skipped: 1 wrong width (first: db/candidates_embeddings.jsonl line 2)"
    collections
    printf '%s\n' '{"user":"u1","item":"j1"}' '{"user":"u1","item":"j7"}' > db/interactions.jsonl
    faulty "interactions: 1 skipped: 1 unknown item (first: line 2)"
}

@test "mappings that are wrong" {
    collections
    refused 1 "none.json: cannot open: No such file or directory" --schema none.json db
    echo '{' > map.json
    run ! "$BUILD"/dq-export --schema map.json db
    [[ $output == "dq-export: map.json: JSON: "* ]]
    wrong() {
        "$BUILD"/dq-export --show-schema jobs | jq "$1" > map.json
        refused 1 "map.json: $2" --schema map.json db
    }
    wrong '.users[1].colection = "x"' "users[1]: no such key here: 'colection'"
    wrong '.pairs = [["hard_skills"]]' 'meta.pairs: not [user field, item field]'
    "$BUILD"/dq-export --show-schema jobs | jq '.users[0].collection = "../secret"' > map.json
    refused 1 "no name of a collection: '../secret'" --schema map.json db
}

@test "usage" {
    refused 2 "nothing to export: --users and --items, or --schema NAME FOLDER"
    refused 2 "--users: 'u.txt' tells no form by its name (.jsonl .json .csv .tsv .npy .safetensors, also with .zst or .gz; --sep reads it as a table)" --users u.txt
    refused 2 "--items: 'v.npy' has no ids: they come one a line from --item-ids" --items v.npy
    refused 2 "--user-ids: only for .npy and .safetensors; 'u.jsonl' has its own ids (--user-vectors names its vectors)" --users u.jsonl --user-ids ids
    refused 2 "--user-ids: there are no --users" --items i.jsonl --user-ids ids
    refused 2 "--interactions: 'x.npy' is an array, no table or JSON" --users u.jsonl --items i.jsonl --interactions x.npy
    refused 2 "--interactions: '-' must be a regular file, for it is read twice" --users u.jsonl --items - --interactions x.jsonl
    refused 2 "standard input can be only one of the files" --users - --items -
    refused 2 "--users has no meaning with a folder; it is for files" --schema jobs --users u.jsonl db
    refused 2 "--schema: needs one folder of collections, or a mongodb:// URI (here or in DQ_MONGODB_URI)" --schema jobs
    refused 2 "--schema: needs one folder of collections, or a mongodb:// URI (here or in DQ_MONGODB_URI)" --schema jobs a b
    refused 2 "'db': a folder needs --schema" --users u.jsonl db
    refused 2 "--show-schema: no built-in mapping 'x' (there is: jobs)" --show-schema x
    refused 2 "--limit: 'users:x' is not N, users:N or items:N" --users u.jsonl --limit users:x
    refused 2 "--limit: '-1' is not N, users:N or items:N" --users u.jsonl --limit=-1
    refused 2 "--compare: 'hard' is not USER_FIELD:ITEM_FIELD" --users u.jsonl --compare hard
    refused 1 "no user 'u9'" --users u.jsonl --user u9
    refused 1 "users have no field 'hard'" --users u.jsonl --items i.jsonl --compare hard:vector
}

@test "output: a full disk, a closed standard output, a terminal, a reader that goes" {
    run -1 bash -c '"$BUILD"/dq-export --users u.jsonl > /dev/full'
    [[ $output == "dq-export: "*"No space left on device" ]]
    run -1 bash -c '"$BUILD"/dq-export --users u.jsonl -o /dev/full'
    [[ $output == "dq-export: "*"No space left on device" ]]
    run -1 bash -c '"$BUILD"/dq-export --users u.jsonl >&-'
    [ "$(wc -l <<< "$output")" = 1 ]
    run -2 script -qec '"$BUILD"/dq-export --users u.jsonl' /dev/null
    [[ $output == *"terminal"* ]]
    awk 'BEGIN { for (i = 0; i < 3000; i++) { printf "{\"id\":%d,\"vector\":[", i
        for (k = 0; k < 512; k++) printf "%s%d", k ? "," : "", i * 7919 % 104729 + k * k; print "]}" } }' > big.jsonl
    "$BUILD"/dq-export --users big.jsonl 2> words | head -c 100 > /dev/null || got=${PIPESTATUS[0]}
    [ "$got" = 141 ]
    [ ! -s words ]
}

# wide NAMES ROWS: files of rows with many names: wide.{attributes,texts,elements,fields,twice}.csv, wide.{keys,texts,fields,nested}.jsonl.
wide() {
    /usr/bin/python3 - "$1" "$2" << 'END'
import json, sys
names, rows = [f"c{i}" for i in range(int(sys.argv[1]))], range(int(sys.argv[2]))
def table(what, columns):
    with open(f"wide.{what}.csv", "w") as f:
        f.write(",".join(["id", *columns]) + "\n")
        f.writelines(",".join([str(r)] + ["5"] * len(columns)) + "\n" for r in rows)
def lines(what, row):
    with open(f"wide.{what}.jsonl", "w") as f:
        f.writelines(json.dumps({"id": str(r), **row}) + "\n" for r in rows)
table("attributes", ["attr." + n for n in names])
table("texts", ["text." + n for n in names])
table("elements", [f"vector.all.{i}" for i in range(len(names))])
table("fields", [f"vector.{n}.0" for n in names])
table("twice", names + names[-1:])
lines("keys", dict.fromkeys(names, 1))
lines("texts", {"text": dict.fromkeys(names, "a")})
lines("fields", {"vector": dict.fromkeys(names, [1.5])})
lines("nested", {"a": dict.fromkeys(names, [1.5])})
END
}

# What grew with the square of the names took more than a minute for these; the limit is no measure of speed.
@test "70,000 names: read, or refused in words, in a time that grows with the file" {
    wide 70000 2
    read_() { timeout 30 "$BUILD"/dq-export --users "wide.$1" -o wide.dq; }
    for what in elements.csv nested.jsonl; do
        read_ $what
        timeout 30 "$BUILD"/dq-cat --to tsv wide.dq > wide.tsv
        [ "$(wc -l < wide.tsv)" = 3 ]
        rm wide.dq
    done
    for what in attributes.csv texts.csv fields.csv twice.csv keys.jsonl texts.jsonl fields.jsonl; do
        run -1 read_ $what
        [ "${#lines[@]}" = 1 ]
        [[ $output =~ 'more than 4094'|'two columns named c69999'|'at most '[0-9]+' are named' ]] || { echo "$what: $output"; false; }
        [ ! -e wide.dq ]
    done
    mkdir folder
    cp wide.keys.jsonl folder/c.jsonl
    echo '{"users":[{"collection":"c","id":"id","attributes":true}],"items":[{"collection":"c","id":"id"}]}' > m.json
    run timeout 30 "$BUILD"/dq-export --schema m.json folder -o wide.dq
    [ "$status" = 1 ]
    [[ $output == *"more than 4094 attributes"* ]] || { echo "$output"; false; }
}

@test "4000 names in each of many rows: a row costs what its names cost" {
    wide 4000 200
    for what in attributes.csv texts.csv texts.jsonl keys.jsonl; do
        timeout 30 "$BUILD"/dq-export --users wide.$what -o wide.dq
        timeout 30 "$BUILD"/dq-cat --to tsv wide.dq > wide.tsv
        [ "$(wc -l < wide.tsv)" = 201 ]
        [ "$(tail -1 wide.tsv | tr '\t' '\n' | wc -l)" = 4001 ]
    done
    # the same names, backwards in every second row
    jq -c 'if input_line_number % 2 == 0 then (to_entries | reverse | from_entries) else . end' wide.keys.jsonl > back.jsonl
    timeout 30 "$BUILD"/dq-export --users back.jsonl -o back.dq
    "$BUILD"/dq-cat --to tsv back.dq | cut -f1-3 | tail -2 > back
    [ "$(cat back)" = "$(tail -2 wide.tsv | cut -f1-3)" ]
}

@test "two columns that begin one field" {
    printf 'id,vector.0,x,vector.vector.0\na,1,2,3\n' > c.csv
    run -1 "$BUILD"/dq-export --users c.csv -o c.dq
    [ "$output" = "dq-export: c.csv: column vector.vector.0 stands apart from vector.0, of the same vector" ]
}
