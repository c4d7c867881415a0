#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small environment for the tests of --env-cmd: a corridor of 5 places, reward 1 at its right end. It is what
examples/dq_env.py makes of it, so that is tested too.

    toy_env.py [FAULT [AFTER]]     misbehaves in the named way at step AFTER (default 21), see FAULTS
"""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "examples"))
import dq_env  # noqa: E402

FAULT = sys.argv[1] if len(sys.argv) > 1 else ""
AFTER = int(sys.argv[2]) if len(sys.argv) > 2 else 21
steps = 0


def leave():
    os._exit(3)


def babble():
    dq_env.PROTOCOL.write(b"this is no record at all, whatever else it may be")
    dq_env.PROTOCOL.flush()


def chatter():  # by every way that leads to stdout
    print("step", steps)
    sys.stdout.buffer.write(b"raw\n")
    os.write(1, b"descriptor\n")
    os.system("echo child")


def sleep():
    open("asleep", "w").close()  # for the test to see
    signal.pause()


FAULTS = {"die": leave, "kill": lambda: os.kill(os.getpid(), signal.SIGKILL), "garbage": babble, "chatter": chatter,
          "sleep": sleep}


class Corridor:
    actions, width = 2, 5

    def state(self):
        return [float(i == self.at) for i in range(5 + (FAULT == "wide" and steps >= AFTER))]

    def reset(self, seed):
        self.at, self.left = seed % 3, 30
        if FAULT == "drift":  # an episode that is not its seed's
            self.at = (self.at + 1) % 3
        return self.state()

    def step(self, action):
        global steps
        steps += 1
        if steps == AFTER and FAULT in FAULTS:
            FAULTS[FAULT]()
        self.at, self.left = max(0, self.at + (1 if action else -1)), self.left - 1
        reward = float("nan") if FAULT == "nan" and steps >= AFTER else float(self.at == 4)
        return self.state(), reward, self.at == 4, self.left == 0 and self.at < 4


if FAULT == "silent":
    sleep()
if FAULT == "early":
    leave()
if FAULT == "actionless":
    Corridor.actions = 0
if FAULT == "narrow":
    Corridor.width = 0
if FAULT == "twos":
    step = Corridor.step
    Corridor.step = lambda self, action: (*step(self, action)[:2], 2, 0)
if FAULT in ("unlaid", "mislaid", "numbered"):  # the announcement says more than it should
    announce = dq_env.put_bundle
    STATES = {"unlaid": {"item_width": 2}, "mislaid": {"item_width": 2, "history": 1, "recency": 1.0}}
    IDS = {"numbered": {"id": dq_env.numpy.arange(2, dtype="<u4")}}
    dq_env.put_bundle = lambda kind, rows, meta, **columns: announce(
        kind, rows, {**meta, "states": STATES[FAULT]} if kind == "env" and FAULT in STATES else meta,
        **(IDS.get(FAULT, {}) if kind == "env" else {}), **columns)
if FAULT in ("short", "torn"):  # a row less, said or unsaid
    put_bundle = dq_env.put_bundle
    dq_env.put_bundle = lambda kind, rows, meta, **columns: put_bundle(
        kind, rows - (FAULT == "short" and kind == "state" and steps >= AFTER), meta,
        **{n: (c[:-1] if kind == "state" and steps >= AFTER else c) for n, c in columns.items()})
dq_env.serve(Corridor)
if FAULT == "late":
    leave()
