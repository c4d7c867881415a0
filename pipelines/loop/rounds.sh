# SPDX-License-Identifier: MIT
# rounds.sh WORLD SESSIONS ROUNDS: the loop of docs/production.md with simulated users, in the current folder.
#
#     rounds.tsv      what dq-sim says of each round, and the model that served it: 0 is popularity, 1 a poor model
#     forecast.tsv    of each model that was promoted: the estimate from the log before, its interval, what came
#     shots.jsonl     dq-train's words of each shot
#     ab.txt          the poor model against the last one, half of the users each, by the always-valid test
#
# The server takes what is renamed into the place of its model without being told; it listens on a free port.
set -euo pipefail
world=$1 sessions=$2 rounds=$3
map=CLICK=1,IGNORE=0 explore=0.5
server=''
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true' EXIT

serve() { # OPTION...
    : > said
    dq-serve --catalogue catalogue.dq --map "$map" --listen 127.0.0.1:0 --log-sync 1s "$@" 2> said &
    server=$!
    until grep -q 'listening at' said; do kill -0 "$server"; sleep 0.05; done
    url=$(grep -o 'http://[0-9.:]*' said | head -1)
}

stop() { # what was not yet written is, and the next server finds whole files
    kill "$server"
    wait "$server"
    server=''
}

visit() { # ROUND SESSIONS OPTION...: its lines of the table, under its own number
    dq-sim "$world" --against "$url" --top 1 --seed "$1" --sessions "$2" "${@:3}" --quiet |
        awk -v round="$1" -F'\t' -v OFS='\t' 'NR > 1 { $1 = round; print }'
}

# How often it has taken up a model.
loads() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1] + "/metrics").read().decode())' "$url" | grep '^dq_serve_model_loads_total'; }

# What a command says of a policy, as "value lower upper".
judge() { dq-eval --quiet --ope snips --epsilon "$explore" --map "$map" --target "model:$1" --catalogue catalogue.dq --format tsv "$2" | awk 'NR == 2 { print $2, $4, $5 }'; }
export -f judge
export map explore

dq-sim "$world" --catalogue -o catalogue.dq
printf 'round\tmodel\tlists\tshown\tclicks\tctr\tse\treward\n' > rounds.tsv
printf 'round\tvalue\tlower\tupper\tcame\tse\n' > forecast.tsv
rm -f ./*.log shots.jsonl

# Nobody knows anything: anything is shown. Too little of it makes a poor model.
serve --log first.log
visit 0 $((sessions / 10)) --explore 1 >> rounds.tsv
stop
dq-train --quiet --offline --loss mse --hidden 32 --no-world --features none --epochs 2 --map "$map" --unanswered IGNORE \
    catalogue.dq first.log -o poor.dq

# The loop. A model is promoted where its lower bound, by users whom it does not know, is above the old one's mean.
cp poor.dq model.dq
serve --model model.dq --log served.log
promoted=''
for ((round = 1; round <= rounds; round++)); do
    visit "$round" "$sessions" --explore "$explore" > now
    cat now >> rounds.tsv
    [ -z "$promoted" ] || printf '%s\t%s\t%s\n' "$round" "$promoted" "$(cut -f6,7 now)" >> forecast.tsv
    promoted=''
    [ "$round" -lt "$rounds" ] || break
    sleep 1.5 # the last rows are durable within a second; one that is not is learnt from in the next shot
    rc=0 before=$(loads)
    dq-train --quiet --follow served.log --init model.dq --lr 1e-3 --answer-time 0 --unanswered IGNORE --map "$map" \
        --log shot.jsonl --hold-out 0.5 --accept "$ACCEPT" catalogue.dq || rc=$?
    cat shot.jsonl >> shots.jsonl
    [ "$rc" = 0 ] || [ "$rc" = 3 ]
    if [ "$rc" = 0 ]; then
        promoted=$(judge model.dq model.dq.held | tr ' ' '\t')
        while [ "$(loads)" = "$before" ]; do kill -0 "$server" && sleep 0.1; done
    fi
done
stop

# The poor model against what came of it.
serve --model old=poor.dq:0.5 --model new=model.dq:0.5 --log ab.log
visit $((rounds + 1)) "$sessions" > ab.tsv
stop
dq-eval --quiet --ab --against old --look 0 --map "$map" --unanswered IGNORE ab.log > ab.txt || cat ab.txt
