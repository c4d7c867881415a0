#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# System B's API: data made up, models trained by jobs that are watched, cancelled and killed, and the views.

bats_require_minimum_version 1.5.0

load ../needs

setup_file() { export PATH="$BUILD:$PATH" DQ_THREADS=2; }

setup() {
    needs curl
    set -o pipefail
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() { stop; }

# A server with these options; $url and $pid are its.
start() {
    : > words # those of a server before this one say nothing of it
    dq-serve --listen 127.0.0.1:0 "$@" 2> words < /dev/null 3>&- &
    pid=$!
    until grep -q 'listening at' words; do
        kill -0 "$pid" || { cat words; return 1; }
        sleep 0.05
    done
    url=$(sed -n 's/.*listening at //p' words)
}

# It is told to end, and ends well.
stop() {
    local it=${pid-}
    pid=
    [ -z "$it" ] || { kill "$it" && wait "$it"; } || { cat words; return 1; }
}

get() { curl -sS -g -m 120 "$url$1"; }

# post PATH BODY: the answer's status into $code, its body printed
post() { curl -sS -m 120 -o answer -w '%{http_code}' -H 'Content-Type: application/json' -d "$2" "$url$1" > code && cat answer; }

# post, and the status is CODE
expect() { post "$2" "$3" > /dev/null && [ "$(cat code)" = "$1" ] || { cat code answer; return 1; }; }

# Data of this size; where it takes longer than a moment, until it is there.
init() {
    post /api/init "$1" > /dev/null
    [ "$(cat code)" = 200 ] || { [ "$(cat code)" = 202 ] && watch | tail -n 1 | cut -f 2 | jq -e .ok; }
}

# The job's events until its end, a line each: NAME TAB DATA
watch() { get /api/events | sed -n 's/^event: //p; s/^data: //p' | paste - - ; }

# Waits until the job has done so many episodes.
wait_for_episode() {
    until [ "$(get /api/status | jq '.job.episode')" -ge "$1" ]; do
        kill -0 "$pid"
        sleep 0.05
    done
}

@test "without --demo there is nothing to train by, and all the views" {
    dq-sim -q --users 30 --items 12 --interactions 200 -o c.dq
    start --catalogue c.dq
    for path in init train pipeline cancel; do expect 404 /api/$path '{}'; done
    for path in events metrics; do [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/$path")" = 404 ]; done
    get /api/status | jq -e '.demo == false and .users == 30 and .items == 12 and .interactions == 200 and .simulated and .job == null'
    get /api/users | jq -e '(.users | length) == 20 and .total == 30 and .next == "u19"'
    get '/api/users?after=u19' | jq -e '(.users | length) == 10 and .next == null'
    get '/api/items?limit=1' | jq -e '.items[0].item_id == "i00" and .items[0].attributes.price > 0'
    get /api/openapi.json | jq -e '.paths | has("/api/users/{id}") and (has("/api/train") | not)'
}

@test "users, items and distributions are those of the catalogue" {
    dq-sim -q --users 30 --items 12 --interactions 200 -o c.dq
    start --catalogue c.dq
    user=$(dq-cat -q --kind interactions c.dq | jq -r .user | sort | uniq -c | sort -rn | awk 'NR == 1 {print $2}')
    dq-cat -q --kind interactions --user "$user" c.dq | jq -r '[.time, .item, .label] | @tsv' | sort -r > wanted
    get "/api/users/$user" | jq -r '.history[] | [.time, .item_id, .label] | @tsv' > got
    diff wanted got
    dq-cat -q --kind users --user "$user" c.dq | jq -S '.segment, .age' > wanted
    get "/api/users/$user" | jq -S '.attributes | .segment, .age' | diff wanted -
    dq-cat -q --kind interactions c.dq | jq -r .label | sort | uniq -c | awk '{print $2, $1}' > wanted
    get /api/distributions | jq -r '.labels[] | "\(.value) \(.count)"' | sort | diff wanted -
    get /api/distributions | jq -e '([.item_popularity.bins[].count] | add) == 12 and ([.user_activity.bins[].count] | add) == 30
        and (.users[] | select(.attribute == "age") | [.bins[].count] | add) == 30
        and (.users[] | select(.attribute == "segment") | [.values[].count] | add) == 30'
    get '/api/items?q=BOOKS' | jq -e '(.items | length) > 0 and all(.items[]; .title | test("books"))'
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/users/nobody")" = 404 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/users?after=nobody")" = 404 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/users?limit=0")" = 400 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/users?color=red")" = 400 ]
}

@test "data is made up in system B's own form, and again" {
    start --demo
    get /api/status | jq -e '.demo and .users == 0 and .simulated == false'
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/users")" = 404 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/events")" = 204 ]
    get /api/metrics | jq -e '.job == null and .rewards == []'
    expect 409 /api/train '{"episodes": 5}'
    jq -e '.detail | test("/api/init")' answer
    init '{"n_users": 500, "n_items": 100, "n_interactions": 10000}'
    get /api/status | jq -e '.users == 500 and .items == 100 and .interactions == 10000 and .simulated and .job.state == "done"'
    init '{"n_users": 40, "n_items": 7, "n_interactions": 90, "seed": 3}'
    dq-sim -q --users 40 --items 7 --interactions 90 --seed 3 | dq-cat -q --kind users | jq -c .age > wanted
    get '/api/users?limit=100' | jq -c '.users[].attributes.age' | diff wanted -
    for body in '{"n_users": 0}' '{"n_users": "many"}' '{"n_users": 1e9}' '{"users": 5}' '[]' '{'; do expect 400 /api/init "$body"; done
    for body in '{"episodes": 0}' '{"episodes": 1.5}' '{"agent": "tabular"}' '{"n_users": 5}'; do expect 400 /api/train "$body"; done
    expect 404 /api/train '{"model": "nobody"}'
}

@test "a training is watched to its end, and is what dq-train makes" {
    start --demo --catalogue c.dq --model m.dq
    init '{"n_users": 60, "n_items": 20, "n_interactions": 500}'
    expect 202 /api/train '{"episodes": 50}'
    jq -e '.episodes == 50 and .unit == "episode" and .model == "model"' answer
    watch > events
    [ "$(grep -c '^progress' events)" = 50 ]
    tail -n 1 events | cut -f 2 | jq -e '.ok and .state == "done" and .model == "model"'
    tail -n 1 events | grep -q '^end'
    dq-train -q --preset session --env session:generated=1,users=60,items=20,world=42 --agent dqn --episodes 50 --seed 42 \
        --log log -o by-hand.dq
    dq-cat -q --kind model by-hand.dq > wanted
    dq-cat -q --kind model m.dq | cmp wanted -
    jq -s '[.[].return]' log > wanted
    get /api/metrics > metrics
    jq .rewards metrics | diff wanted -
    jq -e '.lengths == [range(50) | 10] and .episode == 50 and .state == "done" and .window == 50' metrics
    jq -e '. as $m | [range(50) | . as $i | ($m.rewards[:$i + 1] | add / length) - $m.moving_average[$i] | fabs < 1e-9] | all' metrics
    watch | tail -n 1 | grep '^end' # who comes later sees how it ended
}

@test "one training at a time; a cancelled one leaves the model as it was" {
    start --demo --catalogue c.dq --model m.dq
    init '{"n_users": 60, "n_items": 20, "n_interactions": 500}'
    expect 409 /api/cancel '{}'
    expect 202 /api/train '{"episodes": 5}'
    watch > /dev/null
    cp m.dq before.dq
    ls > files
    expect 202 /api/train '{"episodes": 1000000}'
    watch > events &
    watcher=$!
    wait_for_episode 3
    expect 409 /api/train '{"episodes": 5}'
    jq -e '.status == 409 and (.detail | test("job 3 runs"))' answer
    expect 409 /api/init '{}'
    expect 409 /api/pipeline '{}'
    expect 200 /api/cancel '{}'
    wait "$watcher"
    tail -n 1 events | cut -f 2 | jq -e '.ok == false and .state == "cancelled"'
    cmp before.dq m.dq
    rm events
    grep -v -x -e code -e answer -e files files > wanted
    ls | grep -v -x -e code -e answer -e files -e wanted -e now > now
    diff wanted now
    run ! pgrep -P "$pid"
    expect 202 /api/train '{"episodes": 5}' # and then another
    watch | tail -n 1 | cut -f 2 | jq -e .ok
}

@test "a training that is killed says so, and the server goes on" {
    start --demo --catalogue c.dq --model m.dq
    init '{"n_users": 60, "n_items": 20, "n_interactions": 500}'
    expect 202 /api/train '{"episodes": 1000000}'
    wait_for_episode 3
    kill -9 "$(pgrep -P "$pid" dq-train)"
    watch | tail -n 1 | cut -f 2 > end
    jq -e '.ok == false and .state == "failed" and .message == "dq-train was killed by SIGKILL"' end
    [ ! -e m.dq ]
    get /api/health | jq -e '.status == "ok"'
    get /api/metrics | jq -e '.state == "failed" and .episode >= 3'
    expect 202 /api/train '{"episodes": 5}'
    watch | tail -n 1 | cut -f 2 | jq -e .ok
}

@test "SIGTERM ends a training with its events, and what was made" {
    mkdir there
    TMPDIR=$PWD/there start --demo
    init '{"n_users": 60, "n_items": 20, "n_interactions": 500}'
    ls there/dq-serve-*/catalogue.dq
    expect 202 /api/train '{"episodes": 1000000}'
    wait_for_episode 3
    child=$(pgrep -P "$pid" dq-train)
    watch > events &
    watcher=$!
    until [ "$(get /metrics | awk '$1 == "dq_serve_watchers" {print $2}')" = 1 ]; do sleep 0.05; done
    kill "$pid"
    wait "$pid"
    pid=
    wait "$watcher"
    grep -q '^end' events
    run ! kill -0 "$child"
    [ -z "$(ls there)" ]
}

@test "a failure has the words of what failed" {
    start --demo --catalogue c.dq --model folder/m.dq
    init '{"n_users": 60, "n_items": 20, "n_interactions": 500}'
    expect 202 /api/train '{"episodes": 5}'
    watch | tail -n 1 | cut -f 2 > end
    jq -e '.ok == false and (.message | test("^dq-train: folder/m.dq: cannot create: No such file"))' end
    get /api/status | jq -e '.job.message | test("No such file")'
}

@test "of a catalogue of jobs the model of all users is trained, and the data stays" {
    demo=$BATS_TEST_DIRNAME/../../data/demo
    head -n 40 "$demo/jobs.jsonl" > jobs.jsonl
    jq -c --slurpfile jobs jobs.jsonl -n '($jobs | map({(.id): 1}) | add) as $known | inputs | select($known[.item])' \
        "$demo/veterans-answers.jsonl" > answers.jsonl
    dq-export -q --users "$demo/veterans.jsonl" --items jobs.jsonl --interactions answers.jsonl | dq-embed -q hash:64 -o jobs.dq
    start --demo --catalogue jobs.dq --model m.dq --log log.dq
    get /api/status | jq -e '.simulated == false and .users > 0'
    cp jobs.dq before.dq
    for path in init pipeline; do
        expect 409 /api/$path '{}'
        jq -e '.detail | test("not made by dq-sim")' answer
    done
    expect 202 /api/train '{"episodes": 2}'
    jq -e '.unit == "epoch" and .episodes == 2' answer
    watch > events
    [ "$(cut -f 1 events | uniq | tr '\n' ' ')" = "stage progress end " ]
    [ "$(grep '^stage' events | cut -f 2 | jq -r .stage | tr '\n' ' ')" = "reward train " ]
    grep '^progress' events | cut -f 2 | jq -s -e '[.[].episode] == [1, 2] and all(.[]; .unit == "epoch" and .loss > 0 and .length == null)'
    tail -n 1 events | cut -f 2 | jq -e .ok
    dq-reward -q --strategy logged jobs.dq | dq-train -q --offline --agent dyna-q --epochs 2 -o by-hand.dq
    dq-cat -q --kind model by-hand.dq > wanted
    dq-cat -q --kind model m.dq | cmp wanted -
    cmp before.dq jobs.dq
    user=$(dq-cat -q --kind users --head 1 jobs.dq | jq -r .id)
    get "/api/users/$user" | jq -e '.texts.bio != ""'
    # What was answered since is learnt from, and what was shown and not answered is not.
    expect 200 /api/recommend '{"user_id": "'"$user"'", "n_recommendations": 4}'
    jq -c '{request_id, item_id: .items[2].item_id, label: "APPLY"}' answer > feedback
    expect 200 /api/feedback "$(cat feedback)"
    expect 202 /api/train '{"episodes": 2}'
    watch | tail -n 1 | cut -f 2 | jq -e .ok
    dq-reward -q --strategy logged jobs.dq -o labelled.dq
    dq-train -q --offline --agent dyna-q --epochs 2 -o by-hand.dq labelled.dq log.dq
    run ! cmp <(dq-cat -q --kind model by-hand.dq) wanted
    dq-cat -q --kind model by-hand.dq > wanted
    dq-cat -q --kind model m.dq | cmp wanted -
    expect 202 /api/train '{"episodes": 1000000, "agent": "dqn"}'
    wait_for_episode 1
    expect 200 /api/cancel '{}'
    watch | tail -n 1 | cut -f 2 | jq -e '.state == "cancelled"'
    dq-cat -q --kind model m.dq | cmp wanted -
}

@test "a pipeline makes data, trains and recommends" {
    start --demo
    expect 202 /api/pipeline '{"n_users": 60, "n_items": 20, "n_interactions": 500, "episodes": 5, "user_id": 7, "n_recommendations": 3}'
    watch > events
    [ "$(grep '^stage' events | cut -f 2 | jq -r .stage | tr '\n' ' ')" = "init train recommend " ]
    tail -n 1 events | cut -f 2 > end
    jq -e '.ok and .result.user_id == "u07" and (.result.items | length) == 3 and .result.model == .model and .result.fallback == null' end
    expect 200 /api/recommend '{"user_id": 7, "n_recommendations": 3}'
    diff <(jq -c '[.result.items[].item_id]' end) <(jq -c '[.items[].item_id]' answer)
    get /api/status | jq -e '.models[0].loaded and .models[0].kind == "dqn" and (.models[0].world | not)'
    expect 202 /api/pipeline '{"n_users": 20, "n_items": 9, "n_interactions": 100, "episodes": 5}' # the first user, of another world
    watch | tail -n 1 | cut -f 2 | jq -e '.ok and .result.user_id == "u00" and (.result.items | length) == 5'
}

@test "values are those of dq-rank, beside the world model's, of several models" {
    dq-sim -q --users 30 --items 12 --interactions 200 -o c.dq
    for agent in dqn dyna-q; do
        dq-train -q --preset session --env session:generated=1,users=30,items=12 --agent $agent --episodes 20 -o $agent.dq
    done
    start --catalogue c.dq --model a=dqn.dq:0.5 --model b=dyna-q.dq:0.5
    get '/api/values?user_id=u03&n=12' > values
    jq -e '[.models[] | [.name, .kind, .world, .error]] == [["a", "dqn", false, null], ["b", "dyna-q", true, null]]' values
    for m in a:dqn b:dyna-q; do
        dq-rank -q --model "${m#*:}.dq" --user u03 -k 12 c.dq | dq-cat -q | jq -r '[.item, .score, .rank] | @tsv' | sort > wanted
        jq -r --arg m "${m%%:*}" '.items[] | .item_id as $i | .values[] | select(.model == $m) | [$i, .q, .rank] | @tsv' values | sort > got
        paste wanted got | awk '{d = $2 - $5; if ($1 != $4 || $3 != $6 || d > 1e-6 || -d > 1e-6) {print; bad = 1}} END {exit bad + (NR != 12)}'
    done
    jq -e '[.items[].values[] | select(.model == "a") | .world] | all(. == null)' values
    jq -e '[.items[].values[] | select(.model == "b") | .world] | all(type == "number") and (unique | length) > 1' values
    get '/api/values?user_id=u03&n=1' | jq -e '(.items | length) <= 2 and .items[0].values[0].rank == 1'
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/values?user_id=nobody")" = 404 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/values")" = 400 ]
}

@test "a model of other data is not served, and it is said why" {
    start --demo --catalogue c.dq --model m.dq
    init '{"n_users": 60, "n_items": 20, "n_interactions": 500}'
    expect 202 /api/train '{"episodes": 5}'
    watch | tail -n 1 | cut -f 2 | jq -e .ok
    get /api/status | jq -e '.models[0].loaded and .models[0].error == null'
    get /metrics | grep -E '^dq_serve_model_age_seconds\{model="model"\} [0-9]+$'
    init '{"n_users": 60, "n_items": 25, "n_interactions": 500, "seed": 5}'
    get /api/status | jq -e '(.models[0].loaded | not) and (.models[0].error | length) > 0'
    get /metrics | grep -x 'dq_serve_model_age_seconds{model="model"} nan' # no file is served, however new the one that is there
    expect 200 /api/recommend '{"user_id": 7}'
    jq -e '.fallback != null and (.items | length) > 0' answer
}

# The world model's forward pass in NumPy: of pairs of a user and an item, and of sessions, whose state is the user, the mean of
# the last three items that he met, and how many there were.
forward() { # MODEL CATALOGUE VALUES NAME
    /usr/bin/python3 - "$@" << 'END'
import json, subprocess, sys
import numpy as np
model, catalogue, values, name = sys.argv[1:]
def read(*arguments):
    return [json.loads(l) for l in subprocess.run(["dq-cat", "-q", *arguments], check=True, stdout=subprocess.PIPE).stdout.splitlines()]
flat = lambda v: np.concatenate([np.array(x, "f8") for x in v.values()]) if isinstance(v, dict) else np.array(v, "f8")
weights = {c["name"]: np.array(c["data"], "f8").reshape(c["shape"]) for c in read("--kind", "model", model) if "name" in c}
items = {r["id"]: flat(r["vector"]) for r in read("--kind", "items", catalogue)}
answer = json.load(open(values))
user = flat(read("--kind", "users", "--user", answer["user_id"], catalogue)[0]["vector"])
met = [items[r["item"]] for r in sorted(read("--kind", "interactions", "--user", answer["user_id"], catalogue), key=lambda r: r["time"])]
layers = [f"world.0.hidden.{l}" for l in range(8) if f"world.0.hidden.{l}.weight" in weights] + ["world.0.output"]
first, last = weights[f"{layers[0]}.weight"], weights["world.0.output.weight"]
width = first.shape[1] - len(next(iter(items.values())))
state = user
if width > len(user): state = np.concatenate([user, np.mean(met[-3:], axis=0), [min(len(met) / 10, 1)] * 2])
seen = 0
for item in answer["items"]:
    x = np.concatenate([state, items[item["item_id"]]])
    for layer in layers:
        x = weights[f"{layer}.weight"] @ x + weights[f"{layer}.bias"]
        if layer != layers[-1]: x = np.maximum(x, 0)
    reward = x[len(last) - 2 if len(last) > 1 else 0]
    [got] = [v["world"] for v in item["values"] if v["model"] == name]
    assert abs(got - reward) < 1e-5, (item["item_id"], got, reward)
    seen += 1
assert seen == len(items), (seen, len(items))
END
}

@test "the world model's rewards are those of NumPy: of sessions and of pairs" {
    needs python3-numpy
    dq-sim -q --users 80 --items 12 --interactions 900 -o c.dq
    dq-train -q --preset session --env session:generated=1,users=80,items=12 --agent dyna-q --episodes 20 -o sessions.dq
    dq-reward -q --strategy logged --map VIEW=0,CLICK=0.2,PURCHASE=1,RATING=1 c.dq > labelled.dq
    dq-train -q --offline --agent dyna-q --loss mse --epochs 2 --features none --hidden 16,8 --world-hidden 12 labelled.dq -o pairs.dq
    dq-train -q --offline --agent dyna-q --loss mse --epochs 2 --head outputs --hidden 16,8 --world-hidden 12 labelled.dq -o outputs.dq
    start --catalogue c.dq --model s=sessions.dq --model p=pairs.dq --model o=outputs.dq
    users=$(dq-cat -q --kind interactions c.dq | jq -r .user | sort -u)
    for user in "$(head -n 1 <<< "$users")" "$(tail -n 1 <<< "$users")"; do # in the first group of users whose states are computed together, and beyond
        get "/api/values?user_id=$user&n=12" > values
        forward sessions.dq c.dq values s
        forward pairs.dq c.dq values p
        forward outputs.dq c.dq values o
    done
}

@test "every answer is as the description has it" {
    dq-sim -q --users 30 --items 12 --interactions 200 -o c.dq
    dq-train -q --preset session --env session:generated=1,users=30,items=12 --agent dyna-q --episodes 5 -o m.dq
    start --demo --catalogue c.dq --model m.dq --model other=none.dq
    init '{"n_users": 30, "n_items": 12, "n_interactions": 200}'
    cp answer init
    expect 202 /api/train '{"episodes": 5}'
    cp answer train
    watch > /dev/null
    expect 202 /api/pipeline '{"n_users": 30, "n_items": 12, "n_interactions": 200, "episodes": 1000000, "model": "other", "agent": "dyna-q"}'
    cp answer pipeline
    wait_for_episode 3
    for path in status metrics users 'users/u03' items 'items/i03' distributions 'values?user_id=u03'; do
        get "/api/$path" > "$(tr '/?=' '---' <<< "$path")"
    done
    expect 200 /api/cancel '{}'
    cp answer cancel
    watch > /dev/null
    get /api/openapi.json > openapi
    /usr/bin/python3 - << 'END'
import json
api = json.load(open("openapi"))
def fits(schema, value, where):
    """Type, fields and elements; returns how many values were held to a type."""
    while "$ref" in schema: schema = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"}
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    name = names[type(value)]
    if "anyOf" in schema:
        ways = [s for s in schema["anyOf"] if accepts(s, value)]
        assert ways, (where, value, schema)
        return fits(ways[0], value, where)
    assert not wanted or name in wanted or (name == "integer" and "number" in wanted), (where, name, wanted)
    assert "enum" not in schema or value in schema["enum"], (where, value)
    count = 1
    if isinstance(value, dict) and "properties" in schema:
        known, more = schema["properties"], schema.get("additionalProperties")
        assert set(schema.get("required", [])) <= set(value) and (more or set(value) <= set(known)), (where, sorted(value))
        count += sum(fits(known.get(k, more), v, f"{where}/{k}") for k, v in value.items())
    if isinstance(value, list) and "items" in schema:
        count += sum(fits(schema["items"], v, f"{where}/{i}") for i, v in enumerate(value))
    return count
def accepts(schema, value):
    try: fits(schema, value, ""); return True
    except AssertionError: return False
def answer(method, path, file, status="200"):
    schema = api["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    assert fits(schema, json.load(open(file)), file) > 1, file
answer("post", "/api/init", "init")
for name in "train", "pipeline": answer("post", f"/api/{name}", name, "202")
answer("post", "/api/cancel", "cancel")
for name in "status", "metrics", "users", "items", "distributions": answer("get", f"/api/{name}", name)
answer("get", "/api/users/{id}", "users-u03")
answer("get", "/api/items/{id}", "items-i03")
answer("get", "/api/values", "values-user_id-u03")
END
}
