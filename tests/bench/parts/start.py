# SPDX-License-Identifier: MIT
"""What starting a program costs: --version and --help, milliseconds by the clock."""
import os

PROGRAMS = "dq-export dq-embed dq-reward dq-train dq-plan dq-rank dq-eval dq-cat dq-serve dq-sim dq-tune".split()


def measure(bench):
    for name in PROGRAMS:
        if os.path.exists(bench.program(name)):
            for option in ("--version", "--help"):
                t = bench.turns({"dq": lambda: bench.run([bench.program(name), option])})
                bench.row(f"`{name} {option}`", "ms", [1e3 * c.wall for c in t["dq"]], bound=60 if name == "dq-tune" else 10)
