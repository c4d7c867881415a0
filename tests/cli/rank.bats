#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-rank: known answers by hand, and the ways in which a ranking must not change.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup() {
    needs python3-numpy
    cd "$BATS_TEST_TMPDIR"
    PATH=$BUILD:$PATH
}

# Users alice and bob, items a .. e; cosines with alice (1, 0): a 1, c 1/sqrt 2, b and d (zero vector) 0, e -1.
small() {
    cat > users.jsonl <<'JSON'
{"id": "alice", "vector": [1, 0]}
{"id": "bob", "vector": [0, 2]}
JSON
    cat > items.jsonl <<'JSON'
{"id": "a", "vector": [3, 0]}
{"id": "b", "vector": [0, 1]}
{"id": "c", "vector": [1, 1]}
{"id": "d", "vector": [0, 0]}
{"id": "e", "vector": [-2, 0]}
JSON
    cat > seen.jsonl <<'JSON'
{"user": "alice", "item": "c", "label": "SEEN"}
{"user": "bob", "item": "b", "label": "IGNORE"}
{"user": "bob", "item": "gone", "label": "APPLY"}
JSON
    dq-export --users users.jsonl --items items.jsonl -o small.dq
}

# Random users and items, so many that they fill several blocks; small whole numbers make many ties.
random() {
    python=/usr/bin/python3
    $python - <<'PY'
import json, random
random.seed(5)
for name, letter, n in (("users", "u", 7), ("items", "j", 900)):
    with open(f"r{name}.jsonl", "w") as f:
        for i in range(n):
            f.write(json.dumps({"id": f"{letter}{i}", "vector": [random.randint(-2, 2) for _ in range(4)]}) + "\n")
PY
    dq-export --users rusers.jsonl --items ritems.jsonl -o random.dq
}

# Shards: all users, every third item.
shards() {
    for s in 0 1 2; do
        awk -v s=$s 'NR % 3 == s' ritems.jsonl > ritems$s.jsonl
        dq-export --users rusers.jsonl --items ritems$s.jsonl -o shard$s.dq
    done
}

@test "cosine by hand, ties to the greater id, zero vectors score 0" {
    small
    run -0 dq-rank --by cosine -k 9 --format tsv --no-header small.dq
    expected=$'alice\t1\ta\t1\nalice\t2\tc\t0.707106769\nalice\t3\td\t0\nalice\t4\tb\t0\nalice\t5\te\t-1'
    expected+=$'\nbob\t1\tb\t1\nbob\t2\tc\t0.707106769\nbob\t3\te\t0\nbob\t4\td\t0\nbob\t5\ta\t0'
    [ "$output" = "$expected" ]
}

@test "-k cuts, --user picks, from stdin; cosine is the default without a model" {
    small
    run -0 dq-rank -k 1 --user bob --format tsv --no-header < small.dq
    [ "$output" = $'bob\t1\tb\t1' ]
    run -0 dq-rank -k 1 --user bob --user alice --format tsv --no-header < small.dq
    [ "$output" = $'alice\t1\ta\t1\nbob\t1\tb\t1' ]
}

@test "jsonl and trec" {
    small
    run -0 dq-rank -k 2 --user alice --format jsonl small.dq
    [ "${lines[0]}" = '{"user":"alice","item":"a","rank":1,"score":1}' ]
    [ "${lines[1]}" = '{"user":"alice","item":"c","rank":2,"score":0.707106769}' ]
    run -0 dq-rank -k 2 --user alice --format trec --run-name mine small.dq
    [ "$output" = $'alice Q0 a 1 1 mine\nalice Q0 c 2 0.707106769 mine' ]
}

@test "ids with white space: escaped in tsv, refused in trec before a line is written" {
    printf '%s\n' '{"id": "u", "vector": [1]}' > u.jsonl
    printf '%s\n' '{"id": "a", "vector": [1]}' '{"id": "b\tc\n\r\\", "vector": [1]}' > i.jsonl
    dq-export --users u.jsonl --items i.jsonl -o white.dq
    run -0 dq-rank --format tsv --no-header white.dq
    [ "${lines[0]}" = $'u\t1\tb\\tc\\n\\r\\\\\t1' ]
    run -1 --separate-stderr dq-rank --format trec white.dq
    [ -z "$output" ]
    [[ "$stderr" == "dq-rank: "*"white space"* ]]
}

@test "--exclude-seen leaves out interactions, whatever their label" {
    small
    dq-export --users users.jsonl --items items.jsonl --interactions seen.jsonl -o seen.dq
    run -0 dq-rank -k 2 --exclude-seen --format tsv --no-header seen.dq
    [ "$output" = $'alice\t1\ta\t1\nalice\t2\td\t0\nbob\t1\tc\t0.707106769\nbob\t2\te\t0' ]
    run -0 dq-rank -k 1 --user bob --format tsv --no-header seen.dq
    [ "$output" = $'bob\t1\tb\t1' ]
}

@test "the same bytes whatever the threads" {
    random
    for order in "" "--mmr 0.5" "--epsilon 0.3" "--softmax 0.5"; do
        dq-rank -k 20 $order --threads 1 random.dq | zstd -dc > one
        dq-rank -k 20 $order --threads 3 random.dq | zstd -dc > three
        cmp one three
    done
}

@test "sections of any size give the same ranking" {
    random
    shards
    for order in "" "--mmr 0.5" "--epsilon 0.3" "--softmax 0.5"; do
        dq-rank -k 20 $order --format tsv --no-header random.dq > whole.tsv
        cat shard2.dq shard0.dq shard1.dq | dq-rank -k 20 $order --format tsv --no-header > joined.tsv
        cmp whole.tsv joined.tsv
        dq-rank -k 20 $order --format tsv --no-header shard1.dq shard2.dq shard0.dq > joined.tsv
        cmp whole.tsv joined.tsv
    done
}

@test "--merge of shards equals the whole" {
    random
    shards
    for s in 0 1 2; do dq-rank -k 15 shard$s.dq -o ranked$s.dq; done
    dq-rank -k 15 --format tsv --no-header random.dq > whole.tsv
    dq-rank --merge -k 15 --format tsv --no-header ranked0.dq ranked1.dq ranked2.dq > merged.tsv
    cmp whole.tsv merged.tsv
    cat ranked2.dq ranked0.dq ranked1.dq ranked0.dq | dq-rank --merge -k 15 --format tsv --no-header > merged.tsv
    cmp whole.tsv merged.tsv
    # A merged ranking is a ranking: it merges again, and with fewer places.
    dq-rank --merge -k 15 ranked0.dq ranked1.dq | cat - ranked2.dq | dq-rank --merge -k 5 --format tsv --no-header > merged.tsv
    dq-rank -k 5 --format tsv --no-header random.dq | cmp - merged.tsv
}

@test "--merge refuses what would not be exact" {
    random
    shards
    dq-rank -k 5 shard0.dq -o five.dq
    run -1 --separate-stderr dq-rank --merge -k 6 five.dq
    [[ "$stderr" == "dq-rank: five.dq: record "*"cut at 5"* ]]
    dq-rank -k 5 --mmr 0.5 shard0.dq -o mmr.dq
    run -1 --separate-stderr dq-rank --merge -k 5 mmr.dq
    [[ "$stderr" == *"--mmr"* ]]
    run -1 --separate-stderr dq-rank --merge random.dq
    [[ "$stderr" == *"no rankings to merge"* ]]
    sed 's/\[/[9,/' rusers.jsonl > other.jsonl
    sed 's/\[/[1,/' ritems0.jsonl > otheritems.jsonl
    dq-export --users other.jsonl --items otheritems.jsonl | dq-rank -k 5 -o other.dq
    run -1 --separate-stderr dq-rank --merge -k 5 five.dq other.dq
    [[ "$stderr" == *"two scores"* ]]
    run -2 dq-rank --merge --exclude-seen five.dq
    [ "${output% (try *)}" = "dq-rank: --exclude-seen has no meaning with --merge; it is for ranking" ]
}

@test "cosine agrees with NumPy" {
    /usr/bin/python3 - <<'PY'
import numpy as np
rng = np.random.default_rng(3)
np.save("u.npy", rng.normal(size=(6, 50)).astype("f4"))
np.save("i.npy", rng.normal(size=(700, 50)).astype("f4"))
for name, n in (("u", 6), ("i", 700)):
    open(name + ".txt", "w").write("".join(f"{name}{k}\n" for k in range(n)))
PY
    dq-export --users u.npy --user-ids u.txt --items i.npy --item-ids i.txt |
        dq-rank --by cosine -k 10 --format tsv --no-header > ranked.tsv
    /usr/bin/python3 - <<'PY'
import numpy as np
u, i = (np.load(n).astype("f8") for n in ("u.npy", "i.npy"))
c = (u / np.linalg.norm(u, axis=1, keepdims=True)) @ (i / np.linalg.norm(i, axis=1, keepdims=True)).T
expected = [(f"u{r}", k + 1, f"i{j}", c[r, j]) for r in range(6) for k, j in enumerate(np.argsort(-c[r])[:10])]
lines = [l.rstrip("\n").split("\t") for l in open("ranked.tsv")]
assert len(lines) == len(expected)
for (user, rank, item, score), e in zip(lines, expected):
    assert (user, int(rank), item) == e[:3], (user, rank, item, e)
    assert abs(float(score) - e[3]) < 1e-6
PY
}

fields() {
    cat > fu.jsonl <<'JSON'
{"id": "u", "vector": {"skills": [1, 0], "city": [1]}}
JSON
    cat > fi.jsonl <<'JSON'
{"id": "x", "vector": {"title": [1, 0], "needs": [0, 1]}}
{"id": "y", "vector": {"title": [0, 1], "needs": [1, 0]}}
{"id": "z", "vector": {"title": [1, 1], "needs": [1, 1]}}
JSON
    dq-export --users fu.jsonl --items fi.jsonl -o fields.dq
}

# Halves are scored as they are: as the float32 catalogue of the same numbers.
@test "catalogues of halves: the bytes of their exact float32" {
    random
    for type in f2 bf16; do
        dq-cat --to stream --vectors $type random.dq > h.dq
        [ "$(dq-cat --schema h.dq | awk '$2 == "vector" {print $3}' | sort -u)" = $type ]
        dq-cat --to stream --vectors f4 h.dq > f.dq
        for how in "" "--mmr .5" "--hold --threads 2"; do
            dq-rank --by cosine -k 20 --format tsv $how f.dq > whole
            dq-rank --by cosine -k 20 --format tsv $how h.dq | cmp - whole
        done
        # A catalogue whose sections are of both types.
        dq-cat --to stream --kind items --head 450 h.dq > first.dq
        run -1 --separate-stderr dq-rank --by cosine -k 20 --format tsv f.dq first.dq
        [[ "$stderr" == *"stands in two sections with unequal rows"* ]]
        dq-cat --to stream --kind users f.dq > users.dq
        dq-cat --to jsonl --kind items f.dq | tail -450 > last.jsonl
        dq-export -q --items last.jsonl -o last.dq
        dq-rank --by cosine -k 20 --format tsv f.dq > whole
        dq-rank --by cosine -k 20 --format tsv users.dq first.dq last.dq | cmp - whole
    done
}

@test "--compare: the mean over pairs of fields" {
    fields
    run -0 dq-rank --by cosine --compare skills:title --format tsv --no-header fields.dq
    [ "$output" = $'u\t1\tx\t1\nu\t2\tz\t0.707106769\nu\t3\ty\t0' ]
    run -0 dq-rank --compare skills:title --compare skills:needs --format tsv --no-header fields.dq
    [ "$output" = $'u\t1\tz\t0.707106769\nu\t2\ty\t0.5\nu\t3\tx\t0.5' ]
}

@test "pairs that cannot be: one line each" {
    fields
    run -1 --separate-stderr dq-rank --by cosine fields.dq
    [[ "$stderr" == *"width 3"*"width 4"*"--compare"* ]]
    run -1 --separate-stderr dq-rank --compare city:title fields.dq
    [[ "$stderr" == *"city:title"*"1 and 2"* ]]
    run -1 --separate-stderr dq-rank --compare height:title fields.dq
    [[ "$stderr" == *"height"* ]]
    run -2 --separate-stderr dq-rank --compare title fields.dq
    run -2 --separate-stderr dq-rank --by q --compare skills:title fields.dq
}

@test "an unknown user is an error" {
    small
    run -1 --separate-stderr dq-rank --user carol --format tsv --no-header small.dq
    [ "$stderr" = "dq-rank: user carol is not in the stream" ]
    [ -z "$output" ]
}

@test "items before users are held; late users and interactions are told apart from lost ones" {
    small
    dq-rank --format tsv --no-header small.dq > expected.tsv
    dq-export --users users.jsonl -o users.dq
    dq-export --items items.jsonl -o items.dq
    cat items.dq users.dq | dq-rank --format tsv --no-header | cmp - expected.tsv
    cat users.dq items.dq | dq-rank --format tsv --no-header | cmp - expected.tsv

    head -1 users.jsonl > alice.jsonl
    tail -1 users.jsonl > bob.jsonl
    dq-export --users alice.jsonl --items items.jsonl -o alice.dq
    dq-export --users bob.jsonl -o bob.dq
    run -1 --separate-stderr dq-rank --format tsv --no-header alice.dq bob.dq
    [[ "$stderr" == "dq-rank: bob.dq: record "*"user bob"*"--hold"* ]]
    dq-rank --hold --format tsv --no-header alice.dq bob.dq | cmp - expected.tsv
    # The user wanted may come last.
    dq-rank --user bob --format tsv --no-header alice.dq bob.dq | cmp - <(grep ^bob expected.tsv)

    dq-export --users users.jsonl --items items.jsonl --interactions seen.jsonl -o seen.dq
    run -1 --separate-stderr dq-rank --exclude-seen small.dq seen.dq
    [[ "$stderr" == *"interaction with item c"*"--hold"* ]]
    dq-rank --exclude-seen --format tsv --no-header seen.dq > seen.tsv
    dq-rank --exclude-seen --hold --format tsv --no-header small.dq seen.dq | cmp - seen.tsv
    dq-rank --exclude-seen --format tsv --no-header seen.dq small.dq | cmp - seen.tsv
}

@test "equal items count once, unequal ones and doubles are errors" {
    small
    dq-rank --format tsv --no-header small.dq > expected.tsv
    cat small.dq small.dq | dq-rank --format tsv --no-header | cmp - expected.tsv
    sed 's/3, 0/4, 0/' items.jsonl > changed.jsonl
    dq-export --users users.jsonl --items changed.jsonl -o changed.dq
    run -1 --separate-stderr dq-rank small.dq changed.dq
    [[ "$stderr" == "dq-rank: changed.dq: record "*"id a "*"unequal rows"* ]]
}

@test "--mmr prefers what is unlike the chosen" {
    printf '%s\n' '{"id": "u", "vector": [1, 0.5]}' > u.jsonl
    printf '%s\n' '{"id": "a", "vector": [1, 0.4]}' '{"id": "b", "vector": [1, 0.3]}' '{"id": "c", "vector": [0.2, 1]}' \
        '{"id": "d", "vector": [-1, 0]}' > i.jsonl
    dq-export --users u.jsonl --items i.jsonl -o mmr.dq
    [ "$(dq-rank -k 3 --format tsv --no-header mmr.dq | cut -f 3 | tr -d '\n')" = abc ]
    [ "$(dq-rank -k 3 --mmr 1 --format tsv --no-header mmr.dq | cut -f 3 | tr -d '\n')" = abc ]
    [ "$(dq-rank -k 3 --mmr 0.3 --pool 3 --format tsv --no-header mmr.dq | cut -f 3 | tr -d '\n')" = acb ]
    [ "$(dq-rank -k 2 --mmr 0 --format tsv --no-header mmr.dq | cut -f 3 | tr -d '\n')" = ad ]
    # Only the best --pool items are candidates.
    [ "$(dq-rank -k 2 --mmr 0 --pool 2 --format tsv --no-header mmr.dq | cut -f 3 | tr -d '\n')" = ab ]
    # trec_eval orders by score: a run has the places left instead of the cosine.
    [ "$(dq-rank -k 3 --mmr 0.5 --format trec mmr.dq | cut -d ' ' -f 5 | tr '\n' ' ')" = "3 2 1 " ]
    # So does a stream, which keeps the cosine as its value; dq-eval sees the same order in both.
    dq-rank -k 3 --mmr 0.5 mmr.dq -o ranked.dq
    [ "$(dq-cat ranked.dq | jq -c '[.item, .rank, .score, (.value * 100 | round)]' | tr '\n' ' ')" = \
        '["a",1,3,100] ["d",2,2,-89] ["c",3,1,61] ' ]
    printf 'u 0 d 1\n' > mmr.qrels
    [ "$(dq-eval --qrels mmr.qrels -m mrr --format trec < ranked.dq | cut -f 3)" = 0.5000 ]
    run -2 dq-rank --mmr 2 mmr.dq
    run -2 dq-rank --mmr 0.5 --epsilon 0.5 mmr.dq
}

@test "--epsilon and --softmax: by seed, within the catalogue, no item twice" {
    random
    dq-rank -k 10 --format tsv --no-header random.dq > plain.tsv
    for order in "--epsilon 1" "--softmax 2"; do
        dq-rank -k 10 $order --format tsv --no-header random.dq > first.tsv
        dq-rank -k 10 $order --format tsv --no-header random.dq | cmp - first.tsv
        run -1 cmp first.tsv <(dq-rank -k 10 $order --seed 43 --format tsv --no-header random.dq)
        run -1 cmp first.tsv plain.tsv
        [ "$(cut -f 1,3 first.tsv | sort -u | wc -l)" = 70 ]
        # The scores are the cosines still.
        dq-rank -k 900 --format tsv --no-header random.dq | cut -f 1,3,4 | sort > all
        [ -z "$(cut -f 1,3,4 first.tsv | sort | comm -23 - all)" ]
    done
    dq-rank -k 10 --epsilon 0 --format tsv --no-header random.dq | cmp - plain.tsv
    # At a low temperature only ties are shuffled.
    dq-rank -k 10 --softmax 1e-6 --format tsv --no-header random.dq | cut -f 1,4 | cmp - <(cut -f 1,4 plain.tsv)
}

@test "a ranking stream says what scored and carries its lineage" {
    small
    dq-rank -k 3 small.dq -o ranked.dq
    run -0 dq-cat --lineage ranked.dq
    [[ "$output" == *dq-export* && "$output" == *dq-rank* ]]
    run -0 dq-cat --count ranked.dq
    [[ "$output" == *rankings*6* ]]
}

@test "--by q and world need a model" {
    small
    run -1 --separate-stderr dq-rank --by q small.dq
    [[ "$stderr" == *"--by q needs a model"* ]]
    run -1 --separate-stderr dq-rank --by world small.dq
    [[ "$stderr" == *"--by world needs a model"* ]]
}

@test "the guide's examples run" {
    [ -x "$BUILD/dq-train" ]
    [ -x "$BUILD/dq-reward" ]
    "$BATS_TEST_DIRNAME"/../examples docs/ranking.md
}

@test "the cosine of dq-rank is that of dq-reward, however long vectors are" {
    jq -nc '({"id": "small", "vector": [1e-22, 2e-22, -1e-22]}, {"id": "one", "vector": [1, 2, -1]}, {"id": "great", "vector": [1.5e38, 3e38, -1.5e38]})' > u.jsonl
    jq -nc '({"id": "a", "vector": [2e-22, 1e-22, 1e-22]}, {"id": "b", "vector": [2, 1, 1]}, {"id": "c", "vector": [3e38, 1.5e38, 1.5e38]})' > i.jsonl
    dq-export --users u.jsonl --items i.jsonl -o c.dq
    dq-rank --by cosine -k 3 --format tsv --no-header -q c.dq | awk -F'\t' '{ printf "%s %s %.5f\n", $1, $3, $4 }' | sort > ranked
    dq-reward --strategy cosine --raw-cosine --pairs all -q c.dq | dq-cat --kind transitions --to tsv |
        awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { printf "%s %s %.5f\n", $at["user"], $at["item"], $at["reward"] }' | sort > rewarded
    diff ranked rewarded
    [ "$(awk '$3 == "0.50000"' ranked | wc -l)" = 9 ]
}
