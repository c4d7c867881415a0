# SPDX-License-Identifier: MIT
"""Every program in every way of working, each a run of some tens of milliseconds: what the tests of short memory, few
descriptors, full disks and failing calls run. One table for all of them.

    folder = prepare(pathlib.Path(...))      the inputs, made once: users.jsonl, c.dq, m.dq, answers.db ...
    for c in COMMANDS:
        ran = run(c, folder, scratch)        in a scratch folder of its own, where inputs lie at in/NAME
        ran.code, ran.words, ran.files       exit status, what it said, {name: bytes} of what it left
        wrong(c, ran, whole)                 what breaks the rules, or None; whole: the run that nothing disturbed

A run that is disturbed either gives what the undisturbed one gives, or ends with exit status 1 (or 75, see Command.stops)
and a line that begins with the program's name; it leaves no file that is not whole, and none that has no name of ours.
"""
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "services"))
from llm import Server  # noqa: E402

BUILD = pathlib.Path(os.environ["BUILD"]).resolve()
TESTS = pathlib.Path(__file__).resolve().parents[1]
DEMO = TESTS.parent / "data/demo"


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    line: str                 # words; the first is the program
    stdin: str = ""           # a file of the inputs
    out: tuple = ()           # files that are complete or not there at all
    grows: tuple = ()         # files that are written in place: what a failed run leaves is a beginning of the whole one,
                              # or, for a database, anything that the next run can go on from
    copies: tuple = ()        # inputs that the program changes: each run has its own
    stops: bool = False       # exit status 75 is an end, too
    some: bool = False        # of many agents some may fail, which is said: the others leave without them
    slow: bool = False        # takes a second
    package: str = ""         # Debian package without which it does not run

    @property
    def words(self):
        return self.line.split()

    @property
    def program(self):
        return self.words[0]


SMALL = "--hidden 8 --batch 8 --warmup 10"
ONLINE = f"dq-train -q -t 1 -u u01 {SMALL} --world-hidden 8 -e 2 --steps 15"
HALF = ONLINE.replace("-e 2", "-e 40") + " --checkpoint-every 1"  # half.ck has the beginning of it

COMMANDS = [
    # dq-export: each form
    Command("export json", "dq-export -q --users in/users.jsonl --items in/items.jsonl --interactions in/interactions.jsonl -o out", out=("out",)),
    Command("export stdout", "dq-export -q --users in/users.jsonl --items in/items.jsonl"),
    Command("export csv", "dq-export -q --users in/users.tsv --items in/items.tsv --interactions in/interactions.csv -o out", out=("out",)),
    Command("export packed", "dq-export -q --users in/users.jsonl.gz --items in/items.jsonl.zst -o out", out=("out",)),
    Command("export npy", "dq-export -q --users in/users.npy --user-ids in/users.ids --items in/items.npy --item-ids in/items.ids -o out", out=("out",)),
    Command("export beside", "dq-export -q --users in/bare-users.csv --user-vectors in/users.npy --items in/bare-items.csv --item-vectors in/items.npy --item-ids in/items.ids -o out", out=("out",)),
    Command("export made", "dq-export -q --items in/items.jsonl --interactions in/interactions.jsonl -o out", out=("out",)),
    Command("export collections", "dq-export -q --schema jobs in/jobs -o out", out=("out",)),
    Command("export log", "dq-export -q --schema obd --items in/context.csv -o out in/log.csv", out=("out",)),
    Command("export feedback", "dq-export -q --interactions in/shown.jsonl --feedback in/done.jsonl -o out", out=("out",)),
    # dq-embed
    Command("embed hash", "dq-embed -q hash:8 -o out in/words.dq", out=("out",)),
    Command("embed cf", "dq-embed -q cf:4 -o out in/c.dq", out=("out",)),
    Command("embed scale", "dq-embed -q scale:z -o out in/c.dq", out=("out",)),
    Command("embed rescale", "dq-embed -q scale --factors in/scaled.dq -o out in/c.dq", out=("out",)),
    Command("embed cached", "dq-embed -q openai:demo --cache-only --cache in/vectors.db -o out in/words.dq", out=("out",)),
    # dq-reward
    Command("reward cosine", "dq-reward -q --pairs all -o out in/c.dq", out=("out",)),
    Command("reward pipe", "dq-reward -q --pairs top:3", stdin="c.dq"),
    Command("reward logged", "dq-reward -q -s logged -o out in/c.dq", out=("out",)),
    Command("reward cached", "dq-reward -q -s llm --model demo --stages 1 --pairs random:2 --cache-only --cache in/answers.db -o out in/words.dq", out=("out",)),
    Command("reward ledger", "dq-reward --ledger in/answers.db"),
    Command("reward export", "dq-reward -q --export-cache in/answers.db -o out", out=("out",)),
    Command("reward import", "dq-reward -q --import-cache answers.db in/answers.dq", copies=("answers.db",), grows=("answers.db-journal",)),
    # dq-train
    Command("train online", f"{ONLINE} -c ck --checkpoint-every 1 -l log -o out in/c.dq", out=("out", "ck"), grows=("log",)),
    Command("train resumed", f"{HALF} -c half.ck -o out in/c.dq", out=("out",), copies=("half.ck",)),
    Command("train asked", f"{ONLINE} --reward-cmd in/logged -o out in/t.dq", out=("out",)),
    Command("train each", f"dq-train -q -t 2 --each-user {SMALL} --world-hidden 8 -e 1 --steps 15 -o out in/few.dq", out=("out",), some=True),
    Command("train folder", f"dq-train -q -t 2 --each-user {SMALL} --world-hidden 8 -e 1 --steps 15 --models-dir d -l log -o out in/few.dq",
            out=("out", "d/u00.dq", "d/u01.dq", "d/u02.dq"), grows=("log", "d/.lock"), some=True),
    Command("train delta", "dq-train -q -t 2 --each-user --init in/m.dq --train-last 1 --save delta -b 4 --warmup 4 -e 1 --steps 15 --models-dir ./d in/few.dq",
            out=("d/u00.dq", "d/u01.dq", "d/u02.dq"), grows=("d/.lock", "d"), some=True),  # d: the start, named by its digest
    Command("train offline", "dq-train -q -t 1 --offline --hidden 8 --world-hidden 8 --epochs 2 -c ck -l log -o out in/t.dq", out=("out", "ck"), grows=("log",)),
    Command("train several", "dq-train -q -t 1 --offline --loss mse --hidden 8 --no-world --epochs 1 --q-models 3 -o out in/t.dq", out=("out",)),
    Command("train bf16", "dq-train -q -t 1 --offline --loss mse --precision bf16 --hidden 8 --no-world --epochs 1 -o out in/t.dq", out=("out",)),
    Command("train meta", "dq-train -q -t 1 --offline --meta reptile --hidden 8 --no-world --epochs 1 -c ck -o out in/t.dq", out=("out", "ck")),
    Command("train pass", "dq-train -q -t 1 --offline --hidden 8 --no-world --epochs 1 --pass", stdin="t.dq"),
    Command("train sessions", "dq-train -q -t 1 --offline --sessions --agent dqn --history 2 --hidden 8 --epochs 2 --batch 8 -c ck -o out in/clicks.dq", out=("out", "ck")),
    Command("train states", "dq-train -q -t 1 --offline --agent dyna-q --hidden 8 --batch 16 --epochs 1 -o out in/played.dq", out=("out",)),
    Command("train env", f"dq-train -q -t 1 --env cartpole --total-steps 100 {SMALL} -c ck -l log -o out", out=("out", "ck"), grows=("log",)),
    Command("train tabular", "dq-train -q -t 1 --env maze --agent tabular --episodes 2 -o out", out=("out",)),
    Command("train bandit", "dq-train -q -t 1 --env linear --agent thompson --total-steps 200 -c ck -l log -o out", out=("out", "ck"), grows=("log",)),
    Command("train balanced", "dq-train -q -t 1 --offline --agent linucb --balance 5 -o out in/played.dq", out=("out",)),
    Command("train served", f"dq-train -q -t 1 --env-cmd in/served --total-steps 60 {SMALL} -o out", out=("out",)),
    Command("train follow", "dq-train -q -t 1 --follow in/served.dq --init in/m.dq --answer-time 0 --batch 4 --warmup 4 --replay 50 -l log -o out in/c.dq", out=("out",), grows=("log",)),
    # dq-plan
    Command("plan pairs", "dq-plan -q -t 1 --model in/m.dq --pairs unseen -o out in/c.dq", out=("out",)),
    Command("plan states", "dq-plan -q -t 1 --model in/dyna.dq --actions all -o out in/played.dq", out=("out",)),
    Command("plan lists", "dq-plan -q -t 1 --model in/dyna.dq --lists 3 -o out in/played.dq", out=("out",)),
    # dq-rank
    Command("rank cosine", "dq-rank -q -t 1 --by cosine -x -k 3 --format tsv -o out in/c.dq", out=("out",)),
    Command("rank model", "dq-rank -q -t 1 --model in/m.dq -k 3", stdin="c.dq"),
    Command("rank first pass", "dq-rank -q -t 1 --model in/m.dq --first-pass int8 --shortlist 6 --measure-recall -k 3 --format tsv -o out in/c.dq", out=("out",)),
    Command("rank make index", "dq-rank -q -t 1 --make-index --model in/m.dq --sample-users 8 -o out in/c.dq", out=("out",), package="libfaiss-dev"),
    Command("rank index", "dq-rank -q -t 1 --model in/m.dq --index in/c.index --shortlist 6 --recall-sample 2 -k 3 --format tsv -o out in/c.dq", out=("out",), package="libfaiss-dev"),
    Command("rank folder", "dq-rank -q -t 1 --models-dir in/agents --fallback in/m.dq -k 3 --format tsv -o out in/c.dq", out=("out",)),
    Command("rank mmr", "dq-rank -q -t 1 --mmr 0.4 --pool 10 -k 3 --format trec -o out in/c.dq", out=("out",)),
    Command("rank fields", "dq-rank -q -t 1 --by cosine --compare user_feature_0:item_feature_1 -k 2 --format tsv -o out in/shown.dq", out=("out",)),
    Command("rank drawn", "dq-rank -q -t 1 --by cosine --softmax 0.5 -k 3 --format jsonl -o out in/c.dq", out=("out",)),
    Command("rank ensemble", "dq-rank -q -t 1 --model in/several.dq --explore ensemble --disagreement -k 3 --format tsv -o out in/c.dq", out=("out",)),
    Command("rank item-knn", "dq-rank -q -t 1 --by item-knn --similarity tfidf --shrink 2 --neighbours 3 -k 3 --format tsv -o out in/clicks.dq", out=("out",)),
    Command("rank last-item", "dq-rank -q -t 1 --by last-item --similarity follows --train in/clicks.dq --map APPLY=1,SAVE=1 -k 3 -o out in/clicks.dq", out=("out",)),
    Command("rank with", "dq-rank -q -t 1 --by recent --with title --format jsonl -k 3 -o out in/clicks.dq", out=("out",)),
    Command("rank merge", "dq-rank -q --merge -k 3 --format jsonl -o out in/ranked.dq in/ranked.dq", out=("out",)),
    # dq-eval
    Command("eval run", "dq-eval --quiet -t 1 --qrels in/t.dq --run in/run.trec --interval --resamples 100 -o out", out=("out",)),
    Command("eval groups", "dq-eval --quiet -t 1 --qrels in/clicks.dq --run in/ranked.dq --catalogue in/clicks.dq -m recommender -m auc -m relstring -q --interval --resamples 100 -f json -o out", out=("out",)),
    Command("eval traffic", "dq-eval --quiet --traffic --interval --resamples 100 -f json -o out in/clicks.dq", out=("out",)),
    Command("eval rollout", "dq-eval --quiet -t 1 --rollout --model random --model in/m.dq --episodes 2 --steps 5 --reward cosine -o out in/c.dq", out=("out",)),
    Command("eval curves", "dq-eval --quiet --curves --format tsv -o out in/log.jsonl", out=("out",)),
    Command("eval ope", "dq-eval --quiet -t 1 --ope log,ips,slope,pdis,wpdis --session episode --target uniform --resamples 100 -o out in/played.dq", out=("out",)),
    Command("eval against", "dq-eval --quiet --qrels in/t.dq --run in/run.trec --run in/run.trec --against all --resamples 100 --format latex -o out", out=("out",)),
    Command("eval targets", "dq-eval --quiet -t 1 --ope ips,wpdis --session episode --target uniform --target column:propensity --against first --resamples 100 -o out in/played.dq", out=("out",)),
    Command("eval paired", "dq-eval --quiet --paired --resamples 100 --format json -o out in/scores.tsv", out=("out",)),
    Command("eval ab", "dq-eval --quiet --ab --look 5 --format csv -o out in/ab.dq", out=("out",)),
    Command("eval sample-size", "dq-eval --sample-size --effect 0.2 --format markdown -o out", out=("out",)),
    Command("eval plot", "dq-eval --quiet --curves --plot out.svg in/log.jsonl", out=("out.svg",), package="gnuplot-nox"),
    Command("eval picture", "dq-eval --quiet --qrels in/t.dq --run in/run.trec --resamples 100 --plot out.pdf -o out", out=("out", "out.pdf"), package="gnuplot-nox"),
    Command("eval draw", "dq-eval --quiet --draw histogram:x=id -o out in/users.tsv", out=("out",)),
    Command("eval report", "dq-eval --quiet --traffic --report page -o out in/clicks.dq", out=("out", "page")),
    Command("eval report pipe", "dq-eval --quiet --qrels in/t.dq -m ndcg@5 --report page", stdin="run.trec", out=("page",), package="gnuplot-nox"),
    Command("eval pages", "dq-eval --report page in/one.html in/two.html", out=("page",)),
    # dq-sim
    Command("sim catalogue", "dq-sim -q --users 5 --items 6 --interactions 20 -o out", out=("out",)),
    Command("sim play", "dq-sim -q films --play 3 -o out", out=("out",)),
    Command("eval agreement", "dq-eval --quiet --agreement --resamples 100 -o out in/c.dq in/t.dq", out=("out",)),
    # dq-cat
    Command("cat json", "dq-cat", stdin="c.dq"),
    Command("cat tsv", "dq-cat --kind items --to tsv -o out in/c.dq", out=("out",)),
    Command("cat stream", "dq-cat --to stream -o out in/c.dq in/t.dq", out=("out",)),
    # long enough for threads that read and write
    Command("cat threads", "dq-cat -t 3 --to stream -o out in/long.dq", out=("out",)),
    Command("cat threads pipe", "dq-cat -t 2 --to stream", stdin="long.dq"),
    Command("cat join", "dq-cat --join -o out in/c.dq in/few.dq", out=("out",)),
    Command("cat vectors", "dq-cat --to stream --vectors bf16 -o out in/c.dq", out=("out",)),
    Command("cat split", "dq-cat --split parts in/three.dq", out=("parts/00000.dq", "parts/00001.dq", "parts/00002.dq")),
    Command("cat npy", "dq-cat --kind users --to npy --ids ids -o out in/c.dq", out=("out", "ids")),
    Command("cat safetensors", "dq-cat --to safetensors -o out in/m.dq", out=("out",)),
    Command("cat count", "dq-cat --count --kind interactions --user u00 in/c.dq"),
    Command("cat schema", "dq-cat --schema -o out in/c.dq in/t.dq", out=("out",)),
    Command("cat lineage", "dq-cat --lineage in/t.dq in/m.dq"),
    Command("cat start", "dq-cat --start in/m.dq --to stream -o out in/deltas/u02.dq", out=("out",)),
    Command("rank delta", "dq-rank -q --models-dir in/deltas --users-file in/two -k 2 -o out in/c.dq", out=("out",)),
    Command("cat check", "dq-cat --check in/t.dq in/m.dq"),
    # dq-serve, but for its listening, which has no end
    Command("serve check", "dq-serve --check --token-file in/token --catalogue in/c.dq --model in/m.dq --log in/served.dq"),
    Command("serve cold", "dq-serve -q --check --catalogue in/c.dq --log none.dq --cold thompson --cold-state state.dq"),
    # dq-tune
    Command("tune", "dq-tune -q --by grid --option epochs=1|2 --metric validation_concordance --prune none -d study -o out -- "
            "dq-train --offline --hidden 8 --no-world --validation .2 in/t.dq",
            out=("out",), grows=("study",), stops=True, slow=True, package="python3-optuna"),
]

# What makes the inputs, in the folder they are to lie in; $DEMO is the project's small data.
INPUTS = f"""
{TESTS}/fixtures/world.sh 12 40
dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl -o c.dq
dq-export -q --users users.jsonl --items items.jsonl --interactions interactions.jsonl --limit users:3 -o few.dq
dq-train -q -t 1 --each-user --users-file - {SMALL} --world-hidden 8 -e 1 --steps 15 --models-dir agents c.dq << END
u01
u02
END
for kind in users items interactions; do dq-cat --kind $kind --to tsv c.dq > $kind.tsv; done
tr '\\t' , < interactions.tsv > interactions.csv
printf '%s\\n' item_id,position,click,propensity_score,timestamp,user_feature_0,user-item_affinity_0 0,1,0,.5,2019-11-24,a,0 1,2,1,.25,2019-11-25,b,.5 > shown.csv
printf '%s\\n' item_id,item_feature_0,item_feature_1 0,-.5,q 1,.5,r > two.csv
dq-export -q --schema obd --items two.csv shown.csv -o shown.dq
gzip -nkf users.jsonl; zstd -qf items.jsonl
for kind in users items; do dq-cat --kind $kind --to npy --ids $kind.ids -o $kind.npy c.dq; done
for kind in users items; do (echo id; cat $kind.ids) > bare-$kind.csv; done
dq-embed -q scale:z c.dq -o scaled.dq
head -4 $DEMO/veterans.jsonl > veterans.jsonl; head -6 $DEMO/jobs.jsonl > posts.jsonl
dq-export -q --users veterans.jsonl --items posts.jsonl -o words.dq
{TESTS.parent}/pipelines/mongodb/collections $DEMO jobs
dq-embed -q openai:demo --cache vectors.db -o embedded.dq words.dq
dq-reward -q -s llm --model demo --stages 1 --pairs random:2 --cache answers.db -o asked.dq words.dq
dq-reward -q --export-cache answers.db -o answers.dq
printf '%s\\n' item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0 > log.csv
for i in 1 2 3 4 5 6 7 8; do printf '%s\\n' $((i % 3)),1,$((i % 2)),0.5,f$((i % 2)),0.$i; done >> log.csv
printf '%s\\n' item_id,item_feature_0,item_feature_1 0,-0.5,q 1,0.25,p 2,1,q > context.csv
printf '{{"user": "u", "item": "i%s", "request": "r", "propensity": 0.5, "position": %s}}\\n' 1 1 2 2 3 3 > shown.jsonl
printf '{{"request": "r", "item": "i2", "label": "bought"}}\\n' > done.jsonl
dq-reward -q -s logged -o t.dq c.dq
cat c.dq c.dq t.dq > three.dq
dq-train -q -t 1 --offline --loss mse --hidden 8 --no-world --epochs 1 --q-models 3 -o several.dq t.dq
{ONLINE} -l log.jsonl -o m.dq c.dq
[ ! -e {BUILD}/faiss.so ] || dq-rank -q -t 1 --make-index --model m.dq --sample-users 8 -o c.index c.dq
printf '%s\\n' u01 u02 > two
dq-train -q -t 1 --each-user --users-file two --init m.dq --train-last 1 --save delta -b 4 --warmup 4 -e 1 --steps 15 --models-dir deltas c.dq
awk 'BEGIN {{ for (i = 1; i <= 9; i++) {{ w = sprintf("r%d u%02d i%03d 1 .1 m %d", i, i, i, i); print "shown " w; print "answer " w " APPLY" }} }}' | {BUILD}/helpers/make_log served.dq
{HALF} -c half.ck -o half.dq c.dq 2> /dev/null & pid=$!; while [ ! -e half.ck ]; do kill -0 $pid; done; kill -TERM $pid; wait $pid || [ $? = 75 ]
awk -F'"' '{{ printf "{{\\"user\\": \\"%s\\", \\"item\\": \\"%s\\", \\"label\\": \\"%s\\", \\"time\\": \\"2024-%02d-%02d\\"}}\\n", $4, $8, $12, NR % 5 + 1, NR % 27 + 1 }}' interactions.jsonl > clicks.jsonl
dq-export -q --users users.jsonl --items items.jsonl --interactions clicks.jsonl -o clicks.dq
dq-sim -q sequence --play 40 --seed 5 -o played.dq
dq-train -q -t 1 --offline --agent dyna-q --models 2 --hidden 8 --batch 16 --epochs 1 -o dyna.dq played.dq
printf '%s\\t%s\\t%s\\n' system seed value a 1 0.5 a 2 0.75 b 1 0.25 b 2 1 > scores.tsv
for i in 1 2 3 4 5 6 7 8; do printf '{{"user": "u%s", "item": "i", "label": "APPLY", "reward": %s, "model": "m%s"}}\\n' $i $((i % 3)) $((i % 2)); done > ab.jsonl
dq-export -q --interactions ab.jsonl -o ab.dq
dq-rank -q -t 1 --by cosine -k 5 -o ranked.dq c.dq
dq-rank -q -t 1 --by cosine -k 5 --format trec -o run.trec c.dq
dq-eval --quiet --qrels t.dq --run run.trec -m ndcg@5 --report one.html -o one.txt
dq-eval --quiet --traffic --report two.html -o two.txt clicks.dq
printf '#!/bin/sh\\nexec dq-reward -q -s logged --labels-only\\n' > logged
printf '#!/bin/sh\\nexec dq-sim cartpole --serve\\n' > served
chmod 755 logged served
echo 0123456789abcdef > token
/usr/bin/python3 -c 'import array, random
header = str(dict(descr="<f4", fortran_order=False, shape=(6400, 256))).ljust(117) + chr(10)
open("long.npy", "wb").write(b"\\x93NUMPY\\1\\0" + len(header).to_bytes(2, "little") + header.encode())
open("long.npy", "ab").write(array.array("f", map(random.Random(1).uniform, [-1.0] * 1638400, [1.0] * 1638400)).tobytes())'
dq-cat --from npy long.npy -o long.dq
"""


def clean_up_when_stopped():
    """SIGTERM, which a time limit sends, ends us as an exception does: temporary folders are removed, servers stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def environment(extra=None):
    """PATH with the built programs first; no thread, key, proxy or server but what a test names."""
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(("DQ_", "OPENAI_")) and not name.lower().endswith("_proxy")}
    return own | {"PATH": f"{BUILD}:{os.environ['PATH']}", "DQ_THREADS": "1"} | (extra or {})


def prepare(folder):
    """Makes the inputs in a new folder, which it returns."""
    folder.mkdir(parents=True)
    with Server() as server:
        extra = {"DEMO": str(DEMO), "OPENAI_BASE_URL": f"{server.address}/v1"}
        subprocess.run(["bash", "-euc", INPUTS], cwd=folder, env=environment(extra), stdin=subprocess.DEVNULL, check=True)
    return folder


def here(command):
    """Whether the package that a command needs is there."""
    return not command.package or subprocess.run(["dpkg-query", "-W", command.package], capture_output=True).returncode == 0


@dataclasses.dataclass(frozen=True)
class Run:
    code: int     # exit status; minus the signal that ended it; None: it did not end
    stdout: bytes
    words: str
    files: dict   # name: bytes, of all that lies in its folder afterwards, but for its inputs


def files_of(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*"))
            if f.is_file() and f.relative_to(folder).parts[0] != "in"}


def lay_out(command, inputs, scratch):
    """What a command finds in its folder."""
    (scratch / "in").symlink_to(inputs)
    for name in command.copies:
        shutil.copyfile(inputs / name, scratch / name)


def run(command, inputs, scratch, prefix=(), extra=None, preexec=None, timeout=60, keep=False, stdout=subprocess.PIPE):
    """Runs it in the folder scratch, which is made empty first unless keep. prefix: words before the program; extra: more of the
    environment; preexec: as subprocess has it; stdout: where it goes, if not into Run.stdout."""
    if not keep:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        lay_out(command, inputs, scratch)
    program, *arguments = command.words
    with open(inputs / command.stdin if command.stdin else os.devnull, "rb") as stdin:
        child = subprocess.Popen([*prefix, str(BUILD / program), *arguments], cwd=scratch, env=environment(extra), stdin=stdin,
                                 stdout=stdout, stderr=subprocess.PIPE, preexec_fn=preexec, start_new_session=True)
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            return Run(None, out, err.decode(errors="replace"), files_of(scratch))
    return Run(child.returncode, out or b"", err.decode(errors="replace"), files_of(scratch))


def payload(data):
    """What compressed streams hold, so that they compare; other files as they are."""
    if data[:4] != b"\x28\xb5\x2f\xfd":
        return data
    done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True)
    return done.stdout if done.returncode == 0 else data


def same(mine, whole):
    return mine == whole or payload(mine) == payload(whole)


def printed(command, ran):
    """What it printed; of a search without the numbers of its trials, since one that was cut off has a number, too."""
    return re.sub(rb"^\d+\t", b"", ran.stdout, flags=re.M) if command.program == "dq-tune" else ran.stdout


# What the loader, a library or Python says where there is too little to begin with: not our words, and nothing is lost.
EARLY = ("error while loading shared libraries", "cannot allocate TLS data structures", "_mongoc_do_init", "Fatal Python error", "/usr/bin/python3: ")


def wrong(command, ran, whole, codes=(1,), early=False):
    """Which rule a run broke that something disturbed; None when none. codes: exit statuses of a failure; early: it may have ended
    before its main."""
    if ran.code is None:
        return "it does not end"
    return wrong_files(command, ran, whole) or wrong_end(command, ran, whole, codes, early)


def would_be(command, ran, name, whole):
    """What a file that grows would have been: the log of many agents has no lines of those that failed, whatever ended the run."""
    if not command.some or name != "log":
        return whole
    failed = set(re.findall(r"^dq-train: user (\S+): ", ran.words, re.M))
    return b"".join(line for line in whole.splitlines(True) if json.loads(line)["user"] not in failed)


def wrong_files(command, ran, whole):
    def of(names, name):
        return any(name == n or name.startswith(n + "/") for n in names)

    for name, data in ran.files.items():
        if not of(command.out + command.copies + command.grows, name):
            return f"exit {ran.code}, and it leaves {name}"
        if command.some and name == "out" and re.search(r"^dq-train: trained .*failed", ran.words, re.M):
            if subprocess.run([BUILD / "dq-cat", "--check"], input=data, capture_output=True).returncode:
                return f"exit {ran.code}, and {name} is not whole"
            continue
        if name in command.out and name != "ck" and not same(data, whole.files[name]):
            return f"exit {ran.code}, and {name} is not what it would have been"
        if name in ("ck", "half.ck") and subprocess.run([BUILD / "dq-cat", "--check"], input=data, capture_output=True).returncode:
            return f"exit {ran.code}, and {name} is not whole"
        if name in command.grows and not would_be(command, ran, name, whole.files[name]).startswith(data):
            return f"exit {ran.code}, and {name} is no beginning of what it would have been"
    missing = [name for name in command.out if name not in ran.files]
    return f"exit 0 without {' '.join(missing)}" if ran.code == 0 and missing else None


def wrong_end(command, ran, whole, codes, early):
    if ran.code == 0:
        return None if same(printed(command, ran), printed(command, whole)) else "exit 0, and stdout is not what it would have been"
    if early and any(words in ran.words for words in EARLY):
        return None
    if ran.code not in codes and not (command.stops and ran.code == 75):
        return f"ends with {ran.code}: {ran.words.strip()[-300:]}"
    if not re.search(rf"^{command.program}: .", ran.words, re.M):
        return f"exit {ran.code} without a line of its own: {ran.words.strip()[-300:]!r}"
    return None


if __name__ == "__main__":  # what each gives when nothing disturbs it: python3 tests/fault/commands.py FOLDER
    import time
    where = pathlib.Path(sys.argv[1]).resolve()
    made = prepare(where / "inputs")
    for each in COMMANDS:
        began = time.monotonic()
        got = run(each, made, where / "scratch")
        print(f"{each.name:20} {got.code} {time.monotonic() - began:5.2f} s  {len(got.stdout):6} bytes out  "
              f"{' '.join(f'{n}:{len(d)}' for n, d in got.files.items() if len(n) < 20)} {got.words.strip()}")
