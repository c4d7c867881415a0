# SPDX-License-Identifier: MIT
"""What a program costs that has nothing to do: --help, and a run of one record in each main way of working (starting.py has
them, and the limits), milliseconds of CPU of both modes; and the most memory that any of them takes."""
import os

import starting

TUNE = 60  # ms of dq-tune, which starts Python


def measure(bench):
    folder, most = f"{bench.dir}/start", (0, "")
    starting.make(bench.build, folder)
    for what, program, command in starting.commands():
        if not os.path.exists(bench.program(program)):
            continue
        mib, ms = starting.limits(program)
        t = bench.turns({"dq": lambda c=command: min(starting.cost(bench.build, folder, c) for _ in range(3))})
        bench.row(what if command in what else f"{what}: `{command}`", "ms of CPU", [1e3 * cpu for cpu, _ in t["dq"]], bound=ms)
        most = max(most, (min(of for _, of in t["dq"]), command))
    bench.row(f"peak memory of the largest of these: `{most[1]}`", "MiB", [most[0]], bound=starting.NETWORK[0])
    t = bench.turns({"dq": lambda: bench.run([bench.program("dq-tune"), "--help"])})
    bench.row("`dq-tune --help`", "ms of CPU", [1e3 * c.cpu for c in t["dq"]], bound=TUNE)
