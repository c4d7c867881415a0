#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-train --offline --history seen: what users have seen, as state.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../last.bash"

# A ring of 24 items. Whoever holds one (SEEN) applies to the next two of it; his own vector says nothing.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
    /usr/bin/python3 - <<'PY'
import json, random
random.seed(8)
vector = lambda: [random.gauss(0, 1) for _ in range(6)]
def write(name, lines):
    with open(name + ".jsonl", "w") as f: f.writelines(json.dumps(l) + "\n" for l in lines)
write("items", ({"id": f"i{i:02}", "vector": vector()} for i in range(24)))
for part, users in ("train", range(96)), ("test", range(96, 120)):
    write(part + "-users", ({"id": f"u{u:03}", "vector": vector()} for u in users))
    seen = [{"user": f"u{u:03}", "item": f"i{u % 24:02}", "label": "SEEN"} for u in users]
    labels = [{"user": f"u{u:03}", "item": f"i{(u + k) % 24:02}", "label": "APPLY" if k < 3 else "CLICK"} for u in users for k in (1, 2, 9, 17)]
    write(part, seen + labels if part == "train" else seen)
with open("qrels", "w") as f: f.writelines(f"u{u:03} 0 i{(u + k) % 24:02} 1\n" for u in range(96, 120) for k in (1, 2))
PY
    export_to train train
    export_to test test
    dq-train --quiet "${usual[@]}" --history seen -o seen.dq train.dq
}

again=(--offline --preset tuned --validation 0 --no-world)
usual=("${again[@]}" --features auto)

# export_to NAME INTERACTIONS: with what learning needs.
export_to() {
    dq-export --users "${1%%-*}-users.jsonl" --items items.jsonl --interactions "$2.jsonl" | dq-reward --quiet --strategy logged -o "$1.dq"
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    PATH=$BUILD:$PATH
}

ndcg() { # model: of the ranking without what was seen
    dq-rank --model "$1" -k 24 --exclude-seen --format trec test.dq >run
    [ "$(wc -l <run)" -eq $((24 * 23)) ]
    dq-eval --qrels qrels --run run --format trec -m ndcg_cut_10 | awk '{ print $3 }'
}

@test "what users have seen tells what they want, and dq-rank takes it from the model" {
    dq-train --quiet "${usual[@]}" -o blind.dq train.dq
    [ "$(echo "$(ndcg blind.dq) < 0.5" | bc)" = 1 ]
    [ "$(echo "$(ndcg seen.dq) > 0.8" | bc)" = 1 ]
    dq-cat --kind model seen.dq | head -1 | jq -e '.meta | .features.kinds | index("held-transfer") and index("held-cosine")'
    dq-cat --kind model blind.dq | head -1 | jq -e '.meta | .features.kinds | index("held-transfer") | not'
    dq-cat --lineage seen.dq | grep -m 1 dq-train | grep -q 'history=seen'
}

@test "what was seen is no target: its label's name is of no matter, and its order in the stream only by time" {
    sed 's/SEEN/HELD/' train.jsonl >train-held.jsonl
    (grep -v SEEN train.jsonl && grep SEEN train.jsonl) >train-last.jsonl
    weights() { dq-cat --kind model "$1" | jq -c 'del(.meta.made?)' | sha256sum; }
    for other in held last; do
        dq-export --users train-users.jsonl --items items.jsonl --interactions train-$other.jsonl | dq-reward --quiet --strategy logged |
            dq-train --quiet "${usual[@]}" --history seen -o $other.dq
        dq-rank --model $other.dq -k 24 --format tsv --no-header test.dq >$other.tsv
    done
    dq-rank --model seen.dq -k 24 --format tsv --no-header test.dq | cmp - held.tsv
    # A label that the map knows is learnt from, and is no state.
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --history seen --map APPLY=1,CLICK=0,SEEN=0 -o x.dq train.dq
    [[ "$stderr" == *"nobody has seen an item: every interaction has a label with a reward"* ]]
}

@test "of several items the last N count, by recency" {
    for u in $(seq 96 119); do # a second one, later: that of the user after
        printf '{"user":"u%03d","item":"i%02d","label":"SEEN","time":9}\n' "$u" $((u % 24))
        printf '{"user":"u%03d","item":"i%02d","label":"SEEN","time":5}\n' "$u" $(((u + 12) % 24))
    done >two.jsonl
    dq-export --users test-users.jsonl --items items.jsonl --interactions two.jsonl -o two.dq
    dq-train --quiet "${usual[@]}" --history seen:1 -o last.dq train.dq
    dq-train --quiet "${usual[@]}" --history seen --recency 0.5 -o recent.dq train.dq
    list() { dq-rank --model "$1" -k 24 --format tsv --no-header "$2"; }
    cmp <(list last.dq two.dq) <(list last.dq test.dq) # the later one alone
    run ! cmp -s <(list seen.dq two.dq) <(list seen.dq test.dq)
    # What is learnt is no part of it, and needs no time.
    (cat two.jsonl && echo '{"user":"u096","item":"i03","label":"APPLY"}') >labelled.jsonl
    dq-export --users test-users.jsonl --items items.jsonl --interactions labelled.jsonl -o labelled.dq
    cmp <(list recent.dq two.dq) <(list recent.dq labelled.dq)
    grep -v '"time":5' two.jsonl >>labelled.jsonl # some of what was seen has no time
    sed -i '$s/,"time":9//' labelled.jsonl
    dq-export --users test-users.jsonl --items items.jsonl --interactions labelled.jsonl -o labelled.dq
    run -1 --separate-stderr list recent.dq labelled.dq
    [[ "$stderr" == *"1 of 72 interactions have no attribute 'time': their order is not known (give it to all, or to none)"* ]]
    run ! cmp -s <(list recent.dq two.dq) <(list seen.dq two.dq)
}

@test "training goes on with what the model is told, online too" {
    dq-train --quiet "${again[@]}" --history seen --init seen.dq -o more.dq train.dq
    dq-train --quiet "${again[@]}" --init seen.dq -o more2.dq train.dq # the model asks for it
    cmp <(dq-rank --model more.dq -k 24 --format tsv --no-header test.dq) <(dq-rank --model more2.dq -k 24 --format tsv --no-header test.dq)
    run -1 --separate-stderr dq-train --quiet "${again[@]}" --history seen:2 --init seen.dq -o x.dq train.dq
    [[ "$stderr" == *"the model learnt from the last 0 items that were seen (0: all), of weight 1, and here it is 2, of 1"* ]]
    dq-cat --to stream --kind users --kind items --kind interactions train.dq >catalogue.dq
    dq-train --quiet --user u001 --init seen.dq --episodes 2 --warmup 50 --batch 16 -o online.dq catalogue.dq
    dq-rank --model online.dq --user u001 -k 3 --format tsv --no-header catalogue.dq | [ "$(wc -l)" -eq 3 ]
}

@test "what a model was told is told where it acts and goes on: its own labels and times" {
    # The map of this one knows SEEN, and HELD is what it does not know.
    sed 's/SEEN/HELD/' train.jsonl >held.jsonl
    map=APPLY=1,CLICK=0.1,IGNORE=-0.1,SEEN=0
    dq-export --users train-users.jsonl --items items.jsonl --interactions held.jsonl | dq-reward --quiet --strategy logged --map $map -o held.dq
    dq-train --quiet "${usual[@]}" --map $map --history seen -o held-model.dq held.dq
    dq-cat --to stream --kind users --kind items --kind interactions held.dq >held-catalogue.dq
    dq-train --quiet --user u001 --init held-model.dq --episodes 2 --warmup 50 --batch 16 -o held-online.dq held-catalogue.dq
    dq-cat --kind model held-online.dq | head -1 | jq -e --arg map $map '.meta.sessions.map == $map'
    # Who holds what decides what is chosen: the same catalogue, in which the users hold other items.
    act() { dq-eval --rollout --model "$1" --episodes 96 --steps 3 --epsilon 0 --candidates 24 --reward logged "$2"; }
    act held-model.dq held-catalogue.dq >told.tsv
    awk -F'"' '/HELD/ { $8 = sprintf("i%02d", (substr($8, 2) + 12) % 24) } { OFS = "\""; print }' held.jsonl >moved.jsonl
    dq-export --users train-users.jsonl --items items.jsonl --interactions moved.jsonl -o moved.dq
    act held-model.dq moved.dq >moved.tsv
    run ! cmp -s told.tsv moved.tsv
    grep -v HELD held.jsonl >nobody.jsonl
    dq-export --users train-users.jsonl --items items.jsonl --interactions nobody.jsonl -o nobody.dq
    run -1 --separate-stderr act held-model.dq nobody.dq
    [[ "$stderr" == *"nobody has seen an item"* ]]
}

@test "a history that nobody has, or that nothing is made of, is refused" {
    grep -v SEEN train.jsonl >unseen.jsonl
    dq-export --users train-users.jsonl --items items.jsonl --interactions unseen.jsonl | dq-reward --quiet --strategy logged -o unseen.dq
    run -1 --separate-stderr dq-train --quiet "${usual[@]}" --history seen -o x.dq unseen.dq
    [[ "$stderr" == *"nobody has seen an item"* ]]
    for features in none pairs cosine-z; do
        run -1 --separate-stderr last dq-train --quiet "${usual[@]}" --features $features --history seen -o x.dq train.dq
        [[ "$stderr" == *"no feature is of what users have seen (--features held-cosine,held-transfer ...; auto leaves them out of more than 2^26 pairs"* ]]
    done
    run -1 --separate-stderr last dq-train --quiet "${usual[@]}" --features held-cosine -o x.dq train.dq
    [[ "$stderr" == *"features held-cosine: what users have seen is not told (--history seen)"* ]]
    for words in "seen:0" "seen:1001" "seen:x" 3 saw; do
        run -2 --separate-stderr dq-train --quiet "${usual[@]}" --history "$words" -o x.dq train.dq
        [[ "$stderr" == *"--history $words: seen or seen:N is wanted"* ]]
    done
    for words in 0 1001 seen x; do
        run -2 --separate-stderr dq-train --quiet --offline --sessions --history "$words" -o x.dq train.dq
        [[ "$stderr" == *"--history $words: N is wanted"* ]]
    done
    run -2 --separate-stderr dq-train --quiet "${usual[@]}" --recency 0.5 -o x.dq train.dq
}
