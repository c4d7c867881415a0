# SPDX-License-Identifier: MIT
"""What a program costs that has nothing to do: --help, and a run of one record in each main way of working (starting.py has
them, and the limits), milliseconds of CPU of both modes; and the most memory that any of them takes, those that ask a server
apart."""
import os

import starting

TUNE = 60  # ms of dq-tune, which starts Python


def measure(bench):
    folder, most = f"{bench.dir}/start", {False: (0, ""), True: (0, "")}
    starting.make(bench.build, folder)
    with starting.serving(bench.build, folder) as servers:
        for what, program, command, (mib, ms) in starting.commands(servers):
            if not os.path.exists(bench.program(program)):
                continue
            peer, asking = starting.peer(command, servers) or (None, None)
            t = bench.turns({side: lambda c=line: min(starting.cost(bench.build, folder, c, servers) for _ in range(3))
                             for side, line in (("theirs", asking), ("dq", command)) if line})
            bench.row(what if command in what else f"{what}: `{command}`", "ms of CPU", [1e3 * cpu for cpu, _ in t["dq"]], peer,
                      [1e3 * cpu for cpu, _ in t.get("theirs", [])], bound=ms)
            asks = mib == starting.SERVED[0]
            most[asks] = max(most[asks], (min(of for _, of in t["dq"]), command))
    for asks, whose, bound in ((False, "that ask nobody", starting.NETWORK[0]), (True, "that ask a server", starting.SERVED[0])):
        if most[asks][1]:
            bench.row(f"peak memory of the largest of these {whose}: `{most[asks][1]}`", "MiB", [most[asks][0]], bound=bound)
    t = bench.turns({"dq": lambda: bench.run([bench.program("dq-tune"), "--help"])})
    bench.row("`dq-tune --help`", "ms of CPU", [1e3 * c.cpu for c in t["dq"]], bound=TUNE)
