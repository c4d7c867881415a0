#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every program is asked for at least: --help, and a run of one record in each main way of working, of a server, too.
`make bench` measures the CPU of each (parts/start.py); this file alone looks at what does not depend on the machine's speed, and
fails:

    starting.py BUILD FOLDER [PATTERN]    BUILD: with the programs, and bench/cost; FOLDER: for the data; PATTERN: these runs

that is the peak memory against the limits below.
"""
import contextlib
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys

PROGRAMS = "dq-export dq-embed dq-reward dq-train dq-plan dq-rank dq-eval dq-cat dq-serve dq-sim".split()

# MiB of a program's memory, and ms of its CPU; of those that compute with networks, which may have to load OpenBLAS, on a
# CPU for which dq has no kernels.
PLAIN, NETWORK = (8, 5), (12, 5)
SERVED = (16, 10)  # of a run that asks a server or a database: libcurl with TLS and LDAP behind it, libmongoc with SASL
NETWORKS = "dq-train dq-plan dq-rank dq-eval dq-serve dq-sim".split()

PR_SET_THP_DISABLE = 41  # of Linux' <sys/prctl.h>

# How the data is made: a user, an item, what came of them; models with little networks, of pairs and of an environment.
DATA = r"""
printf '{"id":"u1","vector":[1,2],"text":{"t":"a word"}}\n' > u.jsonl
printf '{"id":"i1","vector":[2,1],"text":{"t":"a word"}}\n' > i.jsonl
printf '{"user":"u1","item":"i1","label":"APPLY","time":1}\n' > x.jsonl
printf 'q 0 d 1\n' > qrels.txt
printf 'q Q0 d 1 0.5 r\n' > run.txt
dq-export -q --users u.jsonl --items i.jsonl --interactions x.jsonl -o c.dq
dq-reward -q --strategy logged c.dq -o t.dq
dq-train -q --offline --hidden 4 --world-hidden 4 --epochs 1 -b 1 t.dq -o pairs.dq
dq-train -q --env sequence --agent dyna-q --hidden 4 --total-steps 60 --batch 4 --warmup 8 -o env.dq
mkdir -p mongo
printf '{"_id":"u1","vector":[1,2]}\n' > mongo/people.jsonl
printf '{"_id":"i1","vector":[2,1]}\n' > mongo/things.jsonl
printf '%s' '{"users":[{"collection":"people","id":"_id","vectors":[{"field":"v","key":"vector","width":2}]}],"items":[{"collection":"things","id":"_id","vectors":[{"field":"v","key":"vector","width":2}]}]}' > mongo.json
"""

RUNS = [line.split("\t") for line in """
export, JSON lines	dq-export -q --users u.jsonl
embed, hashed words	dq-embed -q hash:4 c.dq
embed, scaled	dq-embed -q scale:unit c.dq
reward, labels	dq-reward -q --strategy logged c.dq
reward, cosines	dq-reward -q --strategy cosine c.dq
train, offline	dq-train -q --offline --hidden 4 --no-world --epochs 1 -b 1 t.dq
train, in an environment	dq-train -q --env cartpole --total-steps 1 --batch 1 --warmup 1
train, a table	dq-train -q --env maze --agent tabular --total-steps 1
plan, pairs	dq-plan -q --model pairs.dq --per-user 1 t.dq
rank, by cosine	dq-rank -q --by cosine c.dq
rank, by a model	dq-rank -q --model pairs.dq c.dq
evaluate a run	dq-eval --qrels qrels.txt --run run.txt
evaluate by a roll-out	dq-eval --rollout --env cartpole --model random --episodes 1
evaluate an agent of an environment	dq-eval --rollout --env sequence --model env.dq --episodes 1
a stream checked	dq-cat --check c.dq
a stream as JSON	dq-cat c.dq
a played episode	dq-sim -q cartpole --play 1
made-up users	dq-sim -q --users 1 --items 1
""".strip().split("\n")]

# Runs against the tests' servers, by the server that they ask: of a model, and of MongoDB.
ASKING = [(server, *line.split("\t")) for server, lines in {"model": """
reward, asking a model	dq-reward -q --strategy llm --model judge --stages 1 --pairs all --cache new.db c.dq
embed, asking a model	dq-embed -q openai:judge --cache new.db c.dq
""", "mongo": """
export, MongoDB	dq-export -q --schema mongo.json $MONGO/db
"""}.items() for line in lines.strip().split("\n")]


def commands(servers=None):
    """Lists of what, program, command, limits (MiB and ms); of runs that ask those of the servers that are there."""
    return ([(f"`{p} --help`", p, f"{p} --help", limits(p)) for p in PROGRAMS]
            + [(what, command.split()[0], command, limits(command.split()[0])) for what, command in RUNS]
            + [(what, command.split()[0], command, SERVED) for server, what, command in ASKING if server in (servers or {})])


def peer(command, servers):
    """The name and command of a program that does nothing but ask the same server, by the same library; None: there is none."""
    asked = {line: server for server, _, line in ASKING}.get(command)
    if asked != "model" or not shutil.which("curl"):
        return None
    return "`curl`, one request", f"curl -s -o /dev/null http://127.0.0.1:{servers['model']}/v1/models"


def limits(program):
    return NETWORK if program in NETWORKS else PLAIN


def environment(build, servers=None):
    served = {"OPENAI_BASE_URL": f"http://127.0.0.1:{servers['model']}/v1", "OPENAI_API_KEY": ""} if "model" in (servers or {}) else {}
    return dict(os.environ, PATH=f"{build}:{os.environ['PATH']}", DQ_THREADS="1", **served)


@contextlib.contextmanager
def serving(build, folder):
    """The servers that can run here, what they say of where they are by name; one that cannot is said."""
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wanted = {"model": [f"{build}/services/llm_server"], "mongo": ["/usr/bin/python3", f"{tests}/services/mongodb/canned.py", f"{folder}/mongo"]}
    servers, running = {}, []
    try:
        for name, command in wanted.items():
            if not os.path.exists(command[0]) or name == "mongo" and subprocess.run(["/usr/bin/python3", "-c", "import bson"],
                                                                                    capture_output=True).returncode:
                print(f"no server for {name}: its runs are left out", file=sys.stderr)
                continue
            running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            servers[name] = running[-1].stdout.readline().strip()
        yield servers
    finally:
        for server in running:
            server.kill()
            server.wait()
            server.stdin.close()
            server.stdout.close()


def make(build, folder):
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(f"{folder}/mongo.json"):  # what DATA makes last
        subprocess.run(["bash", "-euc", DATA], cwd=folder, env=environment(build), check=True)


def cost(build, folder, command, servers=None):
    """Seconds of CPU and MiB, of a small process's child: a big one's counts the memory of its parent."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(f"{folder}/new.db")  # what is in a cache is not asked for
    command = command.replace("$MONGO", (servers or {}).get("mongo", ""))
    report, far = os.pipe()
    with open(report) as said:
        done = subprocess.run([f"{build}/bench/cost", str(far), *command.split()], cwd=folder, env=environment(build, servers), pass_fds=[far],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        os.close(far)
        if done.returncode:
            sys.exit(f"{command}: exit status {done.returncode}\n{done.stderr}")
        c = json.load(said)
    return c["user"] + c["system"], c["kib"] / 1024


def main(build, folder, pattern=""):
    build, failed = os.path.abspath(build), False
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)  # inherited: 2 MiB for a page that is touched are the machine's choice
    make(build, folder)
    with serving(build, folder) as servers:
        for _, program, command, (most, _) in commands(servers):
            if not os.path.exists(f"{build}/{program}") or not re.search(pattern, command):
                continue
            mib = min(cost(build, folder, command, servers)[1] for _ in range(3))
            print(f"{mib:5.1f} of {most:2} MiB  {command}{'' if mib <= most else '   TOO MUCH'}")
            failed |= mib > most
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
