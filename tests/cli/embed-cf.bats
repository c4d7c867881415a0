#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-embed cf:WIDTH: vectors from who met what. dq-embed cf --factors: newcomers among them.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

# Two groups of users, each with items of its own; u19 met nothing, and i15 was met by nobody.
setup() {
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$BUILD:$PATH
    seq 0 19 | awk '{ printf "{\"id\":\"u%02d\",\"text\":{\"bio\":\"word%d\"}}\n", $1, $1 }' >users.jsonl
    seq 0 15 | awk '{ printf "{\"id\":\"i%02d\"}\n", $1 }' >items.jsonl
    awk 'BEGIN { for (u = 0; u < 19; u++) for (i = 0; i < 15; i++) if (i % 2 == u % 2 && (u * 7 + i * 3) % 5)
        printf "{\"user\":\"u%02d\",\"item\":\"i%02d\",\"label\":\"%s\"}\n", u, i, (u + i) % 4 ? "APPLY" : "IGNORE" }' >met.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions met.jsonl -o c.dq
}

vectors() { dq-cat --kind "$1" "$2" | jq -c '[.id, .vector.cf]'; }

@test "users and items of one group are near each other, and far from the other's" {
    dq-embed cf:4 c.dq | dq-rank --by cosine -k 7 --format tsv --no-header >run.tsv
    awk -F'\t' '$1 != "u19" && (substr($1, 2) + substr($3, 2)) % 2 { wrong++ } END { exit wrong > 0 }' run.tsv
}

@test "the fields are appended, and all else passes" {
    dq-embed hash:8 c.dq | dq-embed cf:3 --prefix my- -o both.dq
    dq-cat --check both.dq
    [ "$(dq-cat --count both.dq)" = "$(dq-cat --count c.dq)" ]
    [ "$(dq-cat -n 1 both.dq | jq -c '[.vector.bio, .vector["my-cf"]] | map(length)')" = "[8,3]" ]
    [ "$(dq-cat -n 1 --kind items both.dq | jq -c '.vector["my-cf"] | length')" = 3 ]
    dq-cat --kind interactions both.dq | cmp - <(dq-cat --kind interactions c.dq)
    dq-reward --strategy logged c.dq | dq-embed cf:3 | dq-cat --count >count
    [ "$(awk '$1 == "transitions" { print $2 }' count)" = "$(wc -l <met.jsonl)" ]
    run -1 --separate-stderr bash -c 'dq-embed cf:3 c.dq | dq-embed cf:3'
    [[ "$stderr" == *"users have a field 'cf' already"* ]]
}

@test "who met nothing has zeros" {
    dq-embed cf:4 -o cf.dq c.dq
    [ "$(vectors users cf.dq | tail -1)" = '["u19",[0,0,0,0]]' ]
    [ "$(vectors items cf.dq | tail -1)" = '["i15",[0,0,0,0]]' ]
}

@test "what was fitted and what is zeros is said on stderr, but not with --quiet" {
    run -0 --separate-stderr dq-embed cf:4 -o cf.dq c.dq
    [ "$stderr" = "dq-embed: users: 19 fitted, 1 zeros; items: 15 fitted, 1 zeros (zeros: met nothing)" ]
    run -0 --separate-stderr dq-embed -q cf:4 -o cf.dq c.dq
    [ -z "$stderr" ]
}

# Newcomers n1, n2 (who met the unknown i20 too), n3 (who met i20 alone), n4 (who met nothing), and u01, who was fitted.
newcomers() {
    printf '{"id":"%s"}\n' n1 u01 n2 n3 n4 >new-users.jsonl
    { cat items.jsonl && echo '{"id":"i20"}'; } >new-items.jsonl
    printf '{"user":"%s","item":"%s","label":"%s"}\n' n1 i03 APPLY n1 i05 APPLY n1 i05 APPLY n1 i04 IGNORE n2 i07 APPLY n2 i20 APPLY n3 i20 APPLY \
        u01 i20 APPLY u01 i08 APPLY >new-met.jsonl
    dq-export --users new-users.jsonl --items new-items.jsonl --interactions new-met.jsonl -o new.dq
}

@test "newcomers are folded in, who was fitted stays, who met nobody fitted has zeros" {
    newcomers
    dq-embed -q cf:4 -o f.dq c.dq
    run -0 --separate-stderr dq-embed cf --factors f.dq -o n.dq new.dq
    [ "$stderr" = "dq-embed: users: 1 as fitted, 2 folded in, 2 zeros; items: 15 as fitted, 1 folded in, 1 zeros (zeros: met nobody who was fitted)" ]
    dq-cat --check n.dq
    [ "$(dq-cat --count n.dq | paste -sd' ')" = $'users\t5 interactions\t9 items\t17' ]
    [ "$(vectors users n.dq | sed -n 2p)" = "$(vectors users f.dq | sed -n 2p)" ]
    cmp <(vectors items n.dq | head -16) <(vectors items f.dq)
    [ "$(vectors users n.dq | tail -2 | paste -sd' ')" = '["n3",[0,0,0,0]] ["n4",[0,0,0,0]]' ]
    # i20 counts for nobody: n2 is as if i07 were all; and n1's group is the odd items'
    dq-export --users <(echo '{"id":"n2"}') --items items.jsonl --interactions <(echo '{"user":"n2","item":"i07"}') |
        dq-embed -q cf --factors f.dq -o alone.dq
    [ "$(vectors users alone.dq)" = "$(vectors users n.dq | sed -n 3p)" ]
    dq-rank -q --by cosine -k 7 --user n1 --format tsv --no-header n.dq | awk -F'\t' 'NR > 1 { n++; odd += substr($3, 2) % 2 } END { exit !(n == 6 && odd >= 5) }'
    dq-embed -q cf --factors f.dq --threads 3 -o three.dq new.dq
    cmp <(zstd -dcq n.dq) <(zstd -dcq three.dq)
    dq-cat --lineage n.dq | grep -q 'cf:4' # the factors are an input
}

@test "folded in is what NumPy's solve gives, by the weights of the fit" {
    needs python3-numpy
    newcomers
    dq-embed -q cf:4 --map APPLY=2,IGNORE=0.5 --alpha 3 --lambda 0.7 -o f.dq c.dq
    dq-embed -q cf --factors f.dq -o n.dq new.dq
    vectors users f.dq >fu && vectors items f.dq >fi && vectors users n.dq >nu && vectors items n.dq >ni
    /usr/bin/python3 - <<'END'
import json
import numpy as np

def table(name):
    return {id: np.array(v) for id, v in map(json.loads, open(name))}

fu, fi, nu, ni = map(table, ("fu", "fi", "nu", "ni"))
met = [json.loads(line) for line in open("new-met.jsonl")]
weigh = {"APPLY": 2, "IGNORE": 0.5}

def solve(pairs, fixed):  # pairs: (id of the other side, weight)
    y = np.array(list(fixed.values()))
    c = {id: 1.0 for id in fixed}
    for id, w in pairs:
        c[id] += 3 * w
    p = np.array([id in dict(pairs) for id in fixed], float)
    d = np.diag([c[id] for id in fixed])
    return np.linalg.solve(y.T @ d @ y + 0.7 * np.eye(4), y.T @ d @ p)

for n in ("n1", "n2"):
    want = solve([(m["item"], weigh[m["label"]]) for m in met if m["user"] == n and m["item"] in fi], fi)
    assert np.abs(nu[n] - want).max() < 1e-5 and np.abs(want).max() > 0.1, (n, nu[n], want)
want = solve([("u01", 2)], fu)
assert np.abs(ni["i20"] - want).max() < 1e-5 and np.abs(want).max() > 0.1
END
}

@test "an item that was fitted exactly gets the same vector when it is folded in" {
    dq-embed -q cf:4 --solve exact -o f.dq c.dq
    dq-cat --kind users --to stream f.dq >users.dq # factors of users alone: every item is a newcomer
    run -0 --separate-stderr dq-embed cf --factors users.dq -o again.dq c.dq
    [[ "$stderr" == *"users: 19 as fitted, 0 folded in, 1 zeros; items: 0 as fitted, 15 folded in, 1 zeros"* ]]
    cmp <(vectors items again.dq) <(vectors items f.dq)
}

@test "factors beside other fields, under another name, and none" {
    newcomers
    dq-embed -q hash:8 c.dq | dq-embed -q cf:3 --prefix my- -o both.dq
    dq-embed -q cf:3 -o plain.dq c.dq
    dq-embed -q cf --factors both.dq --prefix my- -o n.dq new.dq
    dq-embed -q cf --factors plain.dq -o p.dq new.dq
    cmp <(dq-cat --kind users n.dq | jq -c '[.id, .vector["my-cf"]]') <(vectors users p.dq)
    dq-embed -q cf --factors p.dq -o q.dq new.dq # what was folded in can be folded into: n3 met i20, which is known now
    cmp <(vectors users q.dq | head -3) <(vectors users p.dq | head -3)
    [ "$(vectors users p.dq | sed -n 4p)" = '["n3",[0,0,0]]' ]
    [ "$(vectors users q.dq | sed -n 4p)" != '["n3",[0,0,0]]' ]
    run -1 --separate-stderr dq-embed cf --factors both.dq -o x.dq new.dq
    [ "$stderr" = "dq-embed: both.dq: no user or item has a field 'cf'" ]
    run -1 --separate-stderr dq-embed cf --factors plain.dq -o x.dq p.dq
    [[ "$stderr" == *"users have a field 'cf' already"* ]]
    dq-cat --kind items plain.dq >items.cf.jsonl
    dq-export --users users.jsonl --items items.cf.jsonl -o told.dq
    run -1 --separate-stderr dq-embed cf --factors told.dq -o x.dq new.dq
    [[ "$stderr" == *"told.dq: field 'cf' does not say by which alpha and lambda it was made"* ]]
    head -c 700 plain.dq >cut.dq
    run -1 --separate-stderr dq-embed cf --factors cut.dq -o x.dq new.dq
    [[ "$stderr" == *"cut.dq"* ]]
    [ ! -e x.dq ]
    run -2 --separate-stderr dq-embed cf new.dq
    [ "${stderr% (try *)}" = "dq-embed: cf: how wide? say cf:32, or into which factors newcomers go: cf --factors FILE" ]
    for words in "cf:3 --factors plain.dq" "hash:3 --factors plain.dq" "cf --factors plain.dq --alpha 3" "cf --factors plain.dq --seed 3"; do
        run -2 --separate-stderr dq-embed $words new.dq
        [[ "$stderr" == *"has no meaning with"* ]]
    done
}

@test "weights of labels, rewards" {
    dq-embed cf:4 --map APPLY=1,IGNORE=-1 -o liked.dq c.dq
    dq-embed cf:4 -o met.dq c.dq
    run ! cmp -s <(vectors items liked.dq) <(vectors items met.dq)
    jq -c 'if .label == "APPLY" then . + {reward: 1} else . + {reward: -1} end' met.jsonl >rewards.jsonl
    dq-export --users users.jsonl --items items.jsonl --interactions rewards.jsonl | dq-embed cf:4 -o rewarded.dq
    cmp <(vectors items liked.dq) <(vectors items rewarded.dq)
}

@test "the same bytes whatever the threads; other numbers, other vectors" {
    dq-embed cf:4 -o one.dq c.dq
    dq-embed cf:4 --threads 3 -o three.dq c.dq
    cmp <(zstd -dcq one.dq) <(zstd -dcq three.dq)
    dq-embed cf:4 --solve exact --threads 3 -o three.dq c.dq
    dq-embed cf:4 --solve exact -o exact.dq c.dq
    cmp <(zstd -dcq exact.dq) <(zstd -dcq three.dq)
    for other in "--seed 7" "--alpha 1" "--lambda 9" "--sweeps 1" "--solve exact" "--cg-steps 2"; do
        dq-embed cf:4 $other -o other.dq c.dq
        run ! cmp -s <(vectors items one.dq) <(vectors items other.dq)
    done
}

@test "conjugate gradients are the default, their steps many enough are the exact solution, and the stream says which it was" {
    dq-embed -q cf:4 -o default.dq c.dq
    dq-embed -q cf:4 --solve cg --cg-steps 3 -o told.dq c.dq
    cmp <(vectors users default.dq) <(vectors users told.dq)
    dq-embed -q cf:4 --sweeps 1 --solve exact -o exact.dq c.dq
    dq-embed -q cf:4 --sweeps 1 --cg-steps 12 -o steps.dq c.dq
    paste <(vectors users exact.dq) <(vectors users steps.dq) |
        jq -n '[inputs] | [range(0; length; 2) as $i | .[$i][1], .[$i + 1][1]] |
            [range(0; length; 2) as $i | range(0; 4) as $j | (.[$i][$j] - .[$i + 1][$j]) | fabs] | max < 1e-4' | grep -qx true
    dq-cat --lineage default.dq | grep -q 'solve=cg cg-steps=3 method=cf:4$'
    dq-cat --lineage exact.dq | grep -q 'solve=exact'
    run -2 --separate-stderr dq-embed cf:4 --solve exact --cg-steps 2 -o x.dq c.dq
    [[ "$stderr" == "dq-embed: --cg-steps needs --solve cg"* ]]
    run -2 --separate-stderr dq-embed cf --factors default.dq --solve exact -o x.dq c.dq
    [[ "$stderr" == "dq-embed: --solve has no meaning with cf without a width"* ]]
    for n in 0 513; do run -2 dq-embed cf:4 --cg-steps $n -o x.dq c.dq; done
}

@test "weights and alpha that float32 cannot hold together are an error in words" {
    jq -c '. + {reward: 1e38}' met.jsonl >huge.jsonl
    dq-export -q --users users.jsonl --items items.jsonl --interactions huge.jsonl -o huge.dq
    run -1 --separate-stderr dq-embed cf:4 --alpha 1e9 -o x.dq huge.dq
    [[ "$stderr" == *"vectors that are not finite: weights or alpha are too large" ]]
    [ ! -e x.dq ]
}

@test "what it cannot do is said in one line" {
    dq-export --users users.jsonl --items items.jsonl -o none.dq
    run -1 --separate-stderr dq-embed cf:4 -o x.dq none.dq
    [[ "$stderr" == *"no interactions in the stream"* ]]
    run -1 --separate-stderr dq-embed cf:4 --map APPLY=-1 -o x.dq c.dq
    [[ "$stderr" == *"no interaction with a positive weight"* ]]
    [ ! -e x.dq ]
    for words in "cf:0" "cf:513" "cf:4 --field bio" "cf:4 --join" "hash:4 --alpha 3" "hash:4 --map A=1" "cf:4 --lambda 0"; do
        run -2 dq-embed $words c.dq
    done
    head -c 700 c.dq >cut.dq
    run -1 dq-embed cf:4 cut.dq
}
