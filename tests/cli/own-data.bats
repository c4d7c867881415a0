#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Data as people have them, without a script: vectors beside a table, users or items made of the interactions, ratings
# as rewards, keys inside of objects, vectors scaled; and what dq-export says that it made.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-numpy
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    printf '%s\n' movieId,title '1,Toy Story (1995)' '2,Jumanji (1995)' ',No id' '"3",Heat (1995)' > movies.csv
    printf '%s\n' userId,movieId,rating,timestamp 7,1,4,964982703 7,2,5,964982704 3,3,1,964982705 3,1,,964982706 > ratings.csv
}

# array NAME ROW... : rows as Python lists, saved as float32.
array() { /usr/bin/python3 -c 'import sys, numpy as n; n.save(sys.argv[1], n.array([eval(r, {"nan": n.nan}) for r in sys.argv[2:]], "f4"))' "$@"; }

# made ARGUMENT... < ROWS: these rows; what is said goes to the file words.
made() {
    cat > rows
    dq-export "$@" -o got.dq 2> words || { cat words; return 1; }
    dq-cat got.dq | diff - rows
}

# refused CODE MESSAGE ARGUMENT...: exactly this line, that exit code, and no stream.
refused() {
    local code=$1 message=$2 got=0 line
    shift 2
    rm -f o.dq
    dq-export "$@" -o o.dq 2> words || got=$?
    line=$(cat words)
    [ "${line% (try *)}" = "dq-export: $message" ] || { cat words; return 1; }
    [ "$got" = "$code" ] || { echo "exit $got"; return 1; }
    [ ! -e o.dq ]
}

@test "vectors beside a table, by order: a row that is passed over takes its own with it" {
    array v.npy '[1,1]' '[2,2]' '[9,9]' '[3,3]'
    made --items movies.csv --columns text.title=title --item-vectors v.npy << 'END'
{"kind":"items","id":"1","text":{"title":"Toy Story (1995)"},"vector":[1,1]}
{"kind":"items","id":"2","text":{"title":"Jumanji (1995)"},"vector":[2,2]}
{"kind":"items","id":"3","text":{"title":"Heat (1995)"},"vector":[3,3]}
END
    diff words - << 'END'
dq-export: items: 1 skipped: 1 without a usable id (first: line 4: no id)
dq-export: 3 items (title; vectors 2)
END
    array nan.npy '[1,1]' '[nan,2]' '[9,9]' '[3,3]'
    dq-export -q --items movies.csv --item-vectors nan.npy | dq-cat | jq -c '[.id, .vector]' | diff - <(printf '%s\n' '["1",[1,1]]' '["3",[3,3]]')
}

@test "vectors beside a table, by order: a broken line, a repeated id and another kind shift nothing" {
    printf '%s\n' '{"id":"a"}' '{"id":' '{"id":"b"}' '{"id":"a"}' '{"id":"c"}' > rows.jsonl
    array v.npy '[1]' '[2]' '[3]' '[4]' '[5]'
    dq-export -q --users rows.jsonl --user-vectors v.npy | dq-cat | jq -c '[.id, .vector[0]]' | diff - <(printf '%s\n' '["a",1]' '["b",3]' '["c",5]')
    printf '%s\n' '{"id":"a"}' '{"kind":"items","id":"i"}' '{"id":"b"}' > rows.jsonl
    array v.npy '[1]' '[2]'
    refused 1 "rows.jsonl: record 2: a row of another kind among the users, so their order does not say which vector of v.npy is whose; a list of ids does" \
        --users rows.jsonl --user-vectors v.npy
}

@test "vectors beside a table, by order: other numbers of rows are an error with both, also behind a limit" {
    array three.npy '[1,1]' '[2,2]' '[3,3]'
    array five.npy '[1]' '[2]' '[3]' '[4]' '[5]'
    for limit in 9 3 1; do
        refused 1 "movies.csv: 4 rows, and three.npy has 3: which vector is whose cannot be told by their order" --items movies.csv --item-vectors three.npy --limit $limit
        refused 1 "movies.csv: 4 rows, and five.npy has 5: which vector is whose cannot be told by their order" --items movies.csv --item-vectors five.npy --limit $limit
    done
    head -c -4 five.npy > cut.npy
    printf '%s\n' id 1 2 3 4 5 > five.csv
    refused 1 "cut.npy: the array ends after row 4 of 5" --items five.csv --item-vectors cut.npy
}

@test "vectors beside a table, by ids: in any order, missing and further ones are counted" {
    array v.npy '[3,3]' '[77,77]' '[2,2]' '[8,8]'
    printf '%s\n' 3 77 2 8 > ids
    made --items movies.csv --item-vectors v.npy --item-ids ids << 'END'
{"kind":"items","id":"2","title":"Jumanji (1995)","vector":[2,2]}
{"kind":"items","id":"3","title":"Heat (1995)","vector":[3,3]}
END
    diff words - << 'END'
dq-export: items: 2 skipped: 1 without a usable id (first: line 4: no id), 1 missing field (first: line 2: ids has no '1', so there is no vector)
dq-export: items: 2 ids of ids are of no row of movies.csv (first: 77)
dq-export: 2 items (vectors 2)
END
    printf '%s\n' 3 3 2 8 > twice
    refused 1 "twice: record 2: the id '3' stands there twice" --items movies.csv --item-vectors v.npy --item-ids twice
    printf '%s\n' 3 2 8 > few
    refused 1 "few: 3 ids for the 4 rows of v.npy" --items movies.csv --item-vectors v.npy --item-ids few
    printf '%s\n' 3 1 2 8 > one
    dq-export --items movies.csv --item-vectors v.npy --item-ids one 2>&1 > one.dq | grep -Fx 'dq-export: items: 1 id of one is of no row of movies.csv (first: 8)'
}

@test "vectors beside a table, by ids: any order gives the same stream" {
    /usr/bin/python3 - << 'END'
import random, numpy as n
random.seed(3)
open("t.csv", "w").write("id\n" + "".join(f"x{i}\n" for i in range(500)))
order = random.sample(range(500), 500)
x = n.arange(1000, dtype="f4").reshape(500, 2)
n.save("v.npy", x)
n.save("w.npy", x[order])
n.save("back.npy", x[::-1])
open("ids", "w").write("".join(f"x{i}\n" for i in order))
open("back", "w").write("".join(f"x{i}\n" for i in reversed(range(500))))
END
    dq-export -q --items t.csv --item-vectors v.npy | dq-cat > want
    dq-export -q --items t.csv --item-vectors w.npy --item-ids ids | dq-cat | cmp - want
    dq-export -q --items t.csv --item-vectors back.npy --item-ids back | dq-cat | cmp - want
}

@test "vectors beside a table: what cannot be" {
    array v.npy '[1]' '[2]' '[3]' '[4]'
    refused 2 "--item-vectors: 'x.npz' is an archive of arrays; numpy.save('x.npy', numpy.load('x.npz')['NAME']) makes an .npy file of one" --items movies.csv --item-vectors x.npz
    refused 2 "--item-vectors: 'x.csv' is no array by its name (.npy .safetensors, also with .zst or .gz)" --items movies.csv --item-vectors x.csv
    refused 2 "--item-vectors: 'v.npy' is an array itself; --items names the file with their ids" --items v.npy --item-vectors v.npy
    refused 2 "--item-ids: only for .npy and .safetensors; 'movies.csv' has its own ids (--item-vectors names its vectors)" --items movies.csv --item-ids ids
    printf '%s\n' '{"id":1,"vector":[1]}' > own.jsonl
    array one.npy '[1]'
    refused 1 "own.jsonl: the items have vectors of their own, and others in one.npy" --items own.jsonl --item-vectors one.npy
}

@test "users of the interactions, in the order of their first one; the summary says so" {
    printf '%s\n' 9,99,2,1 >> ratings.csv
    made --items movies.csv --interactions ratings.csv << 'END'
{"kind":"users","id":"7"}
{"kind":"users","id":"3"}
{"kind":"interactions","user":"7","item":"1","reward":4,"time":964982703}
{"kind":"interactions","user":"7","item":"2","reward":5,"time":964982704}
{"kind":"interactions","user":"3","item":"3","reward":1,"time":964982705}
{"kind":"interactions","user":"3","item":"1","time":964982706}
{"kind":"items","id":"1","title":"Toy Story (1995)"}
{"kind":"items","id":"2","title":"Jumanji (1995)"}
{"kind":"items","id":"3","title":"Heat (1995)"}
END
    diff words - << 'END'
dq-export: interactions: 1 skipped: 1 unknown item (first: line 6: no item '99')
dq-export: items: 1 skipped: 1 without a usable id (first: line 4: no id)
dq-export: 2 users made from the interactions, 3 items, 4 interactions (reward: column rating, 1 to 5, time)
END
    dq-export -q --items movies.csv --interactions ratings.csv --user 3 | dq-cat --count | sort | diff - <(printf 'interactions\t2\nitems\t3\nusers\t1\n')
    dq-export -q --items movies.csv --interactions ratings.csv --limit users:1 | dq-cat --count | sort | diff - <(printf 'interactions\t2\nitems\t3\nusers\t1\n')
    refused 1 "no user '33'" --items movies.csv --interactions ratings.csv --user 33
    refused 2 "--interactions: '-' must be a regular file, for it is read twice" --items movies.csv --interactions - < ratings.csv
    array v.npy '[1]' '[2]' '[3]' '[4]'
    refused 1 "items have no field 'plot'" --items movies.csv --item-vectors v.npy --interactions ratings.csv --compare bio:plot
}

@test "an interaction without a user or an item says which; what is cut of a reason ends in points" {
    printf '%s\n' user,item,rating u,1,4 u,,3 ,2,5 > x.csv
    dq-export --interactions x.csv 2>&1 > x.dq | diff - <(printf 'dq-export: %s\n' \
        'interactions: 2 skipped: 2 without a usable id (first: line 3: item: no id)' '1 interaction (reward: column rating, 4 to 4)')
    printf '%s\n' '{"user":"u","item":1}' '{"user":"u"}' > x.jsonl
    dq-export --interactions x.jsonl 2>&1 > x.dq | grep -F 'interactions need the keys user and item; there are: user; looked for: ' | grep -F '...)'
}

@test "items of the interactions; interactions alone stay alone; feedback is joined once" {
    printf '%s\n' id 7 3 > users.csv
    dq-export --users users.csv --interactions ratings.csv 2> words | dq-cat --kind items | diff - <(printf '{"id":"%s"}\n' 1 2 3)
    [ "$(cat words)" = "dq-export: 2 users, 3 items made from the interactions, 4 interactions (reward: column rating, 1 to 5, time)" ]
    dq-export -q --interactions ratings.csv | dq-cat --count | diff - <(printf 'interactions\t4\n')
    printf '%s\n' user,item a,1 b,2 > shown.csv
    printf '%s\n' user,item,label b,2,YES > said.csv
    made --items movies.csv --interactions shown.csv --feedback said.csv --user a --user b << 'END'
{"kind":"users","id":"a"}
{"kind":"users","id":"b"}
{"kind":"interactions","user":"a","item":"1","reward":0}
{"kind":"interactions","user":"b","item":"2","label":"YES","reward":1}
{"kind":"items","id":"1","title":"Toy Story (1995)"}
{"kind":"items","id":"2","title":"Jumanji (1995)"}
{"kind":"items","id":"3","title":"Heat (1995)"}
END
}

@test "rewards by the names of ratings, said; a reward comes first, and a score only where nothing else is" {
    reward() { printf '%s\n' "user,item,$1" "u,1,$2" > x.csv; dq-export --interactions x.csv 2> words | dq-cat | jq -c .reward; }
    [ "$(reward stars 3)" = 3 ]
    [ "$(cat words)" = "dq-export: 1 interaction (reward: column stars, 3 to 3)" ]
    [ "$(reward score 2)" = 2 ]
    [ "$(reward rating,score 4,2)" = 4 ]
    [ "$(cat words)" = "dq-export: 1 interaction (reward: column rating, 4 to 4)" ]
    [ "$(reward reward,rating 1,4)" = 1 ]
    [ "$(cat words)" = "dq-export: 1 interaction (reward 1 to 1)" ]
    printf '%s\n' user,item,liked u,1,3 > x.csv
    dq-export --interactions x.csv --columns reward=liked 2>&1 > /dev/null | grep 'reward: column liked, 3 to 3' > /dev/null
    printf '%s\n' user,item,rating,stars u,1,3,2 > x.csv
    refused 1 "x.csv: both rating and stars could be the reward; --columns reward=rating chooses" --interactions x.csv
}

@test "rewards on a scale: LOW becomes 0, HIGH 1; what is outside is passed over; the lineage has it" {
    printf '%s\n' user,item,rating u,1,1 u,2,2 u,3,5 u,4,0.5 u,5, > x.csv
    dq-export --interactions x.csv --reward-scale 1:5 -o x.dq 2> words
    dq-cat x.dq | jq -c .reward | diff - <(printf '%s\n' 0 0.25 1 null)
    diff words - << 'END'
dq-export: interactions: 1 skipped: 1 reward outside of the scale (first: line 5: the reward 0.5 is not from 1 to 5)
dq-export: 4 interactions (reward: column rating, 0 to 1)
END
    dq-cat --lineage x.dq | grep 'reward-scale.*1:5' > /dev/null
    for bad in 5:1 1:1 1 a:b 1:5x nan:1 1:inf :5; do
        refused 2 "--reward-scale: '$bad' is not LOW:HIGH, as in 1:5" --interactions x.csv --reward-scale $bad
    done
    refused 2 "--reward-scale: there are no --interactions" --items movies.csv --reward-scale 1:5
    printf '%s\n' user,item u,1 > none.csv
    refused 1 "--reward-scale: no interaction has a reward" --interactions none.csv --reward-scale 1:5
    refused 1 "--reward-scale: no reward is from 8 to 9" --interactions x.csv --reward-scale 8:9
    refused 1 "x.csv: record 5: the reward 0.5 is not from 1 to 5" --interactions x.csv --reward-scale 1:5 --strict
}

@test "the whole way from ratings: labels, a model, rankings and their measure" {
    /usr/bin/python3 - << 'END'
import random
random.seed(5)
open("m.csv", "w").write("movieId,title\n" + "".join(f"{i},{'war' if i % 2 else 'love'} story {i}\n" for i in range(1, 31)))
with open("r.csv", "w") as out:
    out.write("userId,movieId,rating,timestamp\n")
    for u in range(1, 21):
        for i in random.sample(range(1, 31), 12):
            out.write(f"{u},{i},{5 if (u + i) % 2 else 1},{1000000000 + i}\n")
END
    dq-export --items m.csv --columns items:text.title=title --interactions r.csv --reward-scale 1:5 2> words | dq-embed -q cf:8 | dq-embed -q hash:16 --field items:title -o c.dq
    dq-reward -q --strategy logged c.dq -o t.dq
    [ "$(cat words)" = "dq-export: 20 users made from the interactions, 30 items (title), 240 interactions (reward: column rating, 0 to 1, time)" ]
    dq-train -q --offline --hidden 8 --epochs 2 t.dq -o m.dq
    awk -F, 'NR > 1 { print $1, 0, $2, ($3 >= 4) }' r.csv > qrels
    dq-rank -q --model m.dq -k 5 t.dq | dq-eval -q --qrels qrels -m ndcg@5 2> said > table || { cat said; false; }
    grep -q ndcg table
}

@test "keys inside of objects: a path, an element of a list, and a key with a point" {
    printf '%s\n' '{"id":"a","profile":{"bio":"likes","n":1,"e":[1,2]},"skills":[{"name":"c"},{"name":"d"}]}' \
        '{"id":"b","profile":{"bio":"hates","e":[3,4]},"skills":[]}' '{"id":"c","profile.bio":"whole","profile":{"bio":"inner","e":[5,6]}}' > n.jsonl
    made --users n.jsonl --columns text.bio=profile.bio,vector=profile.e,text.s=skills.0.name << 'END'
{"kind":"users","id":"a","text":{"bio":"likes","s":"c"},"profile":{"n":1},"skills":[{"name":"c"},{"name":"d"}],"vector":[1,2]}
{"kind":"users","id":"b","text":{"bio":"hates"},"skills":[],"vector":[3,4]}
{"kind":"users","id":"c","text":{"bio":"whole"},"profile":{"bio":"inner"},"vector":[5,6]}
END
    printf '{"id":"a","p":{"q":{"r":"inner"}}}\n' > deep.jsonl
    dq-export -q --users deep.jsonl --columns text.whole=p.q,text.inner=p.q.r | dq-cat | diff - <(echo '{"kind":"users","id":"a","text":{"whole":"r: inner","inner":"inner"}}')
    refused 1 "n.jsonl: no document has the key profile.nope for the text.s" --users n.jsonl --columns text.s=profile.nope
    head -1 n.jsonl > one.jsonl
    refused 1 "one.jsonl: record 1: no users: none of the rows (1) can be used; the first: skills is a list: skills.0.name takes it of the first element, skills is all of it" \
        --users one.jsonl --columns text.s=skills.name
    printf '{"user":{"id":"a"},"what":{"item":5},"n":[{"stars":4}]}\n' > x.jsonl
    dq-export -q --interactions x.jsonl --columns user=user.id,item=what.item,reward=n.0.stars | dq-cat | diff - <(echo '{"kind":"interactions","user":"a","item":"5","reward":4,"n":[{"stars":4}]}')
}

@test "keys inside of objects: in the mapping of a folder" {
    mkdir db
    printf '%s\n' '{"_id":{"$oid":"65f1a2b3c4d5000100000000"},"ref":{"id":"a"},"profile":{"bio":"likes","e":[1,2]}}' '{"_id":2,"ref":{"id":"b"},"profile":{"bio":"hates","e":[3,4],"x":1}}' > db/people.jsonl
    printf '{"_id":1,"title":"t"}\n' > db/things.jsonl
    printf '{"_id":1,"who":{"user":"a"},"thing":1,"said":{"stars":[3]}}\n' > db/seen.jsonl
    cat > map.json << 'END'
{"users": [{"collection": "people", "id": "ref.id", "attributes": true, "texts": {"bio": "profile.bio"}, "vectors": [{"field": "e", "key": "profile.e", "width": 2}]}],
 "items": [{"collection": "things", "id": "_id", "texts": {"title": "title"}}],
 "interactions": {"collection": "seen", "user": "who.user", "item": "thing", "reward": "said.stars.0"}}
END
    made --schema map.json db << 'END'
{"kind":"users","id":"a","text":{"bio":"likes"},"vector":{"e":[1,2]}}
{"kind":"users","id":"b","text":{"bio":"hates"},"profile":{"x":1},"vector":{"e":[3,4]}}
{"kind":"interactions","user":"a","item":"1","reward":3,"said":{"stars":[3]}}
{"kind":"items","id":"1","text":{"title":"t"}}
END
    [ "$(cat words)" = "dq-export: 2 users (bio; vectors e 2), 1 item (title), 1 interaction (reward 3 to 3)" ]
}

@test "vectors scaled: z against NumPy, by field and side; a constant component is 0" {
    /usr/bin/python3 - << 'END'
import json, numpy as n
r = n.random.default_rng(1)
u = (r.normal(size=(40, 3)) * [1, 100, 0] + [5, -3, 0.1]).astype("f4")
w = r.normal(size=(40, 2)).astype("f4")
json.dump([u.tolist(), w.tolist()], open("raw.json", "w"))
with open("u.jsonl", "w") as out:
    for k in range(40): out.write(json.dumps({"id": k, "vector": {"a": u[k].tolist(), "b": w[k].tolist()}}) + "\n")
with open("i.jsonl", "w") as out:
    for k in range(40): out.write(json.dumps({"id": k, "vector": {"a": (2 * u[k]).tolist()}}) + "\n")
END
    dq-export -q --users u.jsonl --items i.jsonl -o c.dq
    dq-embed -q scale:z c.dq -o z.dq
    dq-embed -q scale:unit --field users:b c.dq -o unit.dq
    dq-cat --kind users z.dq > zu; dq-cat --kind items z.dq > zi; dq-cat --kind users unit.dq > uu
    /usr/bin/python3 - << 'END'
import json, numpy as n
u, w = (n.array(x, "f4").astype("f8") for x in json.load(open("raw.json")))
z = lambda x: n.divide(x - x.mean(0), x.std(0), out=n.zeros_like(x), where=x.std(0) > 1e-12)
read = lambda name, field: n.array([json.loads(l)["vector"][field] for l in open(name)])
assert n.abs(read("zu", "a") - z(u)).max() < 1e-6 and (read("zu", "a")[:, 2] == 0).all()
assert n.abs(read("zu", "b") - z(w)).max() < 1e-6
assert n.abs(read("zi", "a") - z((2 * u.astype("f4")).astype("f8"))).max() < 1e-6
assert n.abs(read("uu", "b") - w / n.linalg.norm(w, axis=1, keepdims=True)).max() < 1e-6
assert n.abs(read("uu", "a") - u).max() < 1e-5
END
    cmp <(dq-cat z.dq) <(dq-embed -q scale:z < c.dq | dq-cat)
}

@test "vectors scaled: later data are scaled as the first were; steps follow each other; what cannot be" {
    printf '{"id":%d,"vector":[%d,4]}\n' 1 0 2 2 > u.jsonl
    printf '{"id":9,"vector":[5,7]}\n' > later.jsonl
    dq-export -q --users u.jsonl -o u.dq
    dq-export -q --users later.jsonl -o later.dq
    dq-embed scale:z u.dq | dq-embed scale:unit -o s.dq
    dq-cat s.dq | jq -c .vector | diff - <(printf '%s\n' '[-1,0]' '[1,0]')
    dq-embed scale --factors s.dq later.dq | dq-cat | jq -c .vector | diff - <(echo '[1,0]')
    dq-embed scale:z u.dq -o z.dq
    dq-embed scale --factors z.dq later.dq -o later-z.dq
    dq-cat later-z.dq | jq -c .vector | diff - <(echo '[4,0]')
    refuses() { local code=$1 message=$2; shift 2; run -"$code" --separate-stderr dq-embed "$@"; [ "${stderr% (try *)}" = "dq-embed: $message" ] || { echo "$stderr"; false; }; }
    refuses 1 "users: the field 'vector' has been scaled already" scale:z z.dq
    refuses 1 "later-z.dq: record 2: users: the field 'vector' has been scaled already" scale --factors z.dq later-z.dq
    refuses 1 "u.dq: no users or items in it were scaled (dq-embed scale:z or scale:unit)" scale --factors u.dq u.dq
    refuses 1 "no user or item has a field 'nope'" scale:z --field nope u.dq
    refuses 2 "'scale:x' is neither scale:z nor scale:unit" scale:x u.dq
    refuses 2 "scale: how? say scale:z or scale:unit, or as which stream: scale --factors FILE" scale u.dq
    printf '{"id":9,"vector":[5,7,8]}\n' > wide.jsonl
    dq-export -q --users wide.jsonl -o wide.dq
    refuses 1 "wide.dq: record 2: meta.scale: field vector: no step that scales 3 numbers" scale --factors z.dq wide.dq
    printf '{"id":9,"vector":{"x":[5,7]}}\n' > other.jsonl
    dq-export -q --users other.jsonl -o other.dq
    refuses 1 "other.dq: record 2: the users have no field 'vector', which is scaled there" scale --factors z.dq other.dq
    printf '{"id":9}\n' > bare.jsonl
    dq-export -q --users bare.jsonl -o bare.dq
    dq-export -q --users bare.jsonl --items wide.jsonl -o half.dq
    refuses 1 "half.dq: record 2: the users have no field 'vector', which is scaled there" scale --factors z.dq half.dq
    refuses 1 "users and items have no vectors: dq-embed hash:64 makes them from texts, dq-embed openai:NAME asks a model for them, dq-embed cf:32 makes them from interactions" scale:z bare.dq
}

@test "a model of scaled vectors refuses others, in words" {
    printf '{"id":"u%d","vector":[%d,1]}\n' 1 1 2 2 3 3 > u.jsonl
    printf '{"id":"i%d","vector":[1,%d]}\n' 1 1 2 2 3 3 > i.jsonl
    printf '{"user":"u%d","item":"i%d","reward":%d}\n' 1 1 1 1 2 0 2 3 1 3 3 0 3 1 1 2 2 0 > x.jsonl
    dq-export -q --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
    dq-embed scale:z c.dq -o z.dq
    dq-reward -q --strategy logged z.dq | dq-train -q --offline --hidden 4 --epochs 1 -o m.dq
    dq-rank -q --model m.dq -k 2 z.dq > /dev/null
    run -1 --separate-stderr dq-rank -q --model m.dq -k 2 c.dq
    [[ "$stderr" == *"the model was trained on vectors that are scaled otherwise; dq-embed scale --factors FILE scales as another stream was" ]]
    dq-embed scale --factors z.dq c.dq | dq-rank -q --model m.dq -k 2 > /dev/null
    run -1 --separate-stderr bash -c 'dq-cat --to stream c.dq z.dq | dq-train -q --user u1 --episodes 1'
    [[ "$stderr" == *"are scaled otherwise" ]] || [[ "$stderr" == *"of earlier rows"* ]] || { echo "$stderr"; false; }
}

@test "training online that never learnt is an error that says why" {
    refuses() { local message=$1; shift; rm -f o.dq; run -1 --separate-stderr dq-train -q "$@" -o o.dq; [ "$stderr" = "dq-train: $message" ] || { echo "$stderr"; false; }; [ ! -e o.dq ]; }
    refuses "no update was made: 800 steps are fewer than the warm-up of 1000; --warmup 80, or more --total-steps" --env cartpole --agent dqn --hidden 4 --total-steps 800
    refuses "no update was made: 20 steps are too few for batches of 64; a smaller --batch, or more --total-steps" --env cartpole --agent dqn --hidden 4 --total-steps 20 --warmup 1
    dq-train -q --env cartpole --agent dqn --hidden 4 --total-steps 200 --warmup 80 --evaluate 2 --evaluate-episodes 1 --log log -o o.dq
    jq -se 'map(select(.evaluation)) | length > 1 and all(.updates >= 0) and (last.updates > 0)' log
    jq -se 'map(select(.return)) | first.updates == 0 and last.updates > 0' log
}
