# SPDX-License-Identifier: MIT
"""Programs in a pseudo-terminal, for pty.bats: what its screen shows in the end, and whether a line ever broke at its edge.

    pty_screen.py TEST       runs the function of that name below, in the folder at hand, where c.dq is a stream

The clock decides nothing: a program waits for input that the test gives it, and the test for what the screen shows.
"""
import codecs
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata

PATIENCE = int(os.environ.get("DQ_TEST_PATIENCE", 300))  # seconds, of a machine that is busy; nothing is learnt from how many it takes
LAST = b"\xff"  # what the test writes to the terminal when the command has ended: a byte that no text in UTF-8 has


class Screen:
    """What a terminal shows: lines without an end to their number. Knows what these programs use: CR, LF, erasing to the end
    of the line, colours."""

    def __init__(self, columns):
        self.columns = columns
        self.lines, self.row, self.column = [[]], 0, 0
        self.broken = []  # lines that went on in the next, at the edge
        self.unknown = []  # control characters and sequences beyond these
        self.colours = 0
        self.rest = ""

    def take(self, text):
        text = self.rest + text
        self.rest = ""
        at = 0
        while at < len(text):
            c = text[at]
            if c == "\033":
                found = re.match(r"\033\[[0-9;]*[A-Za-z]", text[at:])
                if not found and len(text) - at < 16:
                    self.rest = text[at:]
                    return
                at += len(found.group()) if found else 1
                self.obey(found.group() if found else c)
                continue
            at += 1
            if c == "\r":
                self.column = 0
            elif c == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append([])
            elif unicodedata.category(c) == "Cc":
                self.unknown.append(c)
            else:
                self.show(c)

    def obey(self, sequence):
        if sequence in ("\033[K", "\033[0K"):
            del self.lines[self.row][self.column:]
        elif sequence.endswith("m"):
            self.colours += 1
        else:
            self.unknown.append(sequence)

    def show(self, c):
        wide = 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if self.column + wide > self.columns:
            self.broken.append("".join(self.lines[self.row]))
            self.take("\r\n")
        line = self.lines[self.row]
        line += " " * (self.column - len(line))
        line[self.column:self.column + wide] = [c] + [""] * (wide - 1)
        self.column += wide

    def text(self):
        return ["".join(line).rstrip() for line in self.lines]


class Run:
    """A command in a terminal of its own; its stdin is a pipe where the test feeds it.

    The test keeps the terminal open until it has read what the command wrote: when the last who has it open closes it, the
    kernel may drop what was not read yet (seen once in some thousand runs)."""

    def __init__(self, command, columns=80, feed=False, output=None, **environment):
        self.screen = Screen(columns)
        self.bytes = b""
        self.lock = threading.Lock()
        self.ours, self.theirs = os.openpty()
        self.size(columns)
        environment = {"TERM": "xterm", **environment}
        whole = {**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "TERM")}, **environment}
        self.child = subprocess.Popen(
            command, shell=isinstance(command, str), stdin=subprocess.PIPE if feed else self.theirs,
            stdout=open(output, "wb") if output else self.theirs, stderr=self.theirs, env={k: v for k, v in whole.items() if v is not None},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def size(self, columns):
        """Draws the window to another width. Whoever writes meanwhile would be misjudged: call it when nobody does."""
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with self.lock:
            self.screen.columns = columns

    def read(self):
        decoder = codecs.getincrementaldecoder("utf-8")()
        last = b""
        while not last:
            chunk, last, _ = os.read(self.ours, 65536).partition(LAST)
            with self.lock:
                self.bytes += chunk
                self.screen.take(decoder.decode(chunk))

    def ended(self):
        """Waits for the end of the command and reads all that it wrote; its exit status."""
        status = self.child.wait(PATIENCE)
        if self.thread.is_alive():
            os.write(self.theirs, LAST)
            self.thread.join(PATIENCE)
            os.close(self.theirs)
            os.close(self.ours)
        return status

    def wait(self, holds, what):
        until = time.monotonic() + PATIENCE
        while True:
            over = self.child.poll() is not None or not self.thread.is_alive()
            if over and self.thread.is_alive():
                self.ended()
            with self.lock:
                lines = self.screen.text()
            if holds(lines):
                return lines
            if time.monotonic() > until or over:
                self.child.kill()
                raise AssertionError(f"never seen: {what}; the screen: {lines}")
            time.sleep(0.002)

    def feed(self, data):
        self.child.stdin.write(data)
        self.child.stdin.flush()

    def feed_until(self, data, holds, what):
        """A bar is redrawn at most ten times a second: it may take more than one piece of input."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.feed(data)
            time.sleep(0.02)
            with self.lock:
                lines = self.screen.text()
            if holds(lines):
                return lines
        raise AssertionError(f"never seen: {what}; the screen: {lines}")

    def settle(self):
        """Waits until the program has taken its input and sleeps, for more of it: then it draws nothing."""
        def sleeps():
            tasks = f"/proc/{self.child.pid}/task"
            left, = struct.unpack("i", fcntl.ioctl(self.child.stdin, termios.FIONREAD, bytes(4)))
            return left == 0 and all(open(f"{tasks}/{task}/stat").read().rpartition(")")[2].split()[0] == "S" for task in os.listdir(tasks))
        self.wait(lambda _: sleeps(), "a program that waits for input")

    def type(self, keys):
        os.write(self.ours, keys)

    def end(self, status=0):
        """Waits for the end; the lines of the screen. The input ends, but for who is to end by a signal."""
        if self.child.stdin and status >= 0:
            self.child.stdin.close()
        got = self.ended()
        lines = self.screen.text()
        assert got == status, f"exit status {got}, not {status}: {lines}"
        assert not self.screen.broken, f"broken at {self.screen.columns} columns: {self.screen.broken}"
        assert not self.screen.unknown, self.screen.unknown
        return lines

    def clean(self):
        """The cursor stands at the beginning of an empty line."""
        assert self.screen.column == 0 and not self.screen.text()[self.screen.row], self.screen.text()


def stream():
    with open("c.dq", "rb") as file:
        return file.read()


def same(got, wanted):
    assert got == wanted, f"\ngot:    {got}\nwanted: {wanted}"


def matches(line, pattern):
    assert re.fullmatch(pattern, line), f"{line!r} is not {pattern!r}"


# ---- the bar ----

PASS = "exec dq-cat --progress --to stream"  # a bar that counts rows as they come
COUNTS = r"reading  \d+ rows(  \d+:\d\d:\d\d)?(  [\d.]+ rows/s)?"


def is_bar(line):
    return re.fullmatch(COUNTS, line) is not None


def a_bar_fits():
    """a bar is one line at 40, 80 and 200 columns, and of fewer parts where it is narrow"""
    for columns in 12, 40, 80, 200:
        run = Run("dq-train --progress --env cartpole --agent dqn --episodes 30 --warmup 8 --seed 1 -o m.dq", columns)
        lines = [line for line in run.end() if line.startswith("training")]
        same(len(lines), 1)
        assert len(lines[0]) <= columns - 3
        if columns > 12:
            matches(lines[0], r"training \[#+\] 100%  30/30.*")
        if columns == 200:
            matches(lines[0], r"training \[#{30}\] 100%  30/30.*  return \d+\.\d+")
        run.clean()


def a_window_is_resized():
    """a window that becomes narrower and wider is followed"""
    run = Run(PASS + " > out", 80, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    run.settle()
    run.size(12)
    drawn = len(run.bytes)
    run.feed_until(stream(), lambda _: len(run.bytes) > drawn, "a bar of 12 columns")
    run.settle()
    run.wait(lambda _: run.bytes[drawn:].endswith(b"\033[K"), "the end of a bar")
    matches(run.bytes[drawn:].decode(), r"(\rreading\033\[K)+")
    run.size(80)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a wide bar")
    lines = run.end()
    same(len(lines), 2)
    matches(lines[0], COUNTS)
    run.clean()


def a_message_has_its_own_line():
    """a failure takes the bar away and stands alone"""
    run = Run(PASS + " - no-such-file > out", 80, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    lines = run.end(1)
    same([lines[-2:], [line for line in lines if "dq-cat" in line]],
         [["dq-cat: no-such-file: cannot open: No such file or directory", ""]] +
         [["dq-cat: no-such-file: cannot open: No such file or directory"]])
    run.clean()


def words_come_between():
    """words that a program says while its bar stands there are above it"""
    run = Run("dq-train --progress --offline --q-models 3 --epochs 1 --seed 1 t.dq -o m.dq", 80)
    lines = run.end()
    same([line for line in lines if line.startswith("dq-train: network")],
         ["dq-train: network 2 of 3", "dq-train: network 3 of 3"])
    assert all(line.startswith(("dq-train: ", "training [")) for line in lines[:-1]), lines
    matches(lines[-2], r"training \[#{8,30}\] 100%  .*")
    run.clean()


def others_words_come_between():
    """words of one program of a pipeline are no part of another's bar"""
    os.mkfifo("go")
    run = Run("dq-cat --progress --to stream | { cat < go; dq-cat --to nonsense; cat > out; }", 200, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    open("go", "w").close()
    lines = run.wait(lambda lines: any("nonsense" in line for line in lines), "words")
    words = [line for line in lines if "nonsense" in line]
    same(len(words), 1)
    assert words[0].startswith("dq-cat: "), words
    run.feed_until(stream(), lambda lines: is_bar(lines[-1]), "the bar below")
    run.end()
    run.clean()


def one_program_draws():
    """of the programs of a pipeline one draws at a time"""
    run = Run("dq-cat --progress --to stream | dq-cat --progress --to stream > out", 80, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    for _ in range(50):
        run.feed(stream())
    lines = run.end()
    assert 2 <= len(lines) <= 3, lines  # who draws first is a matter of luck; what the other says in the end stands below
    for line in lines[:-1]:
        matches(line, COUNTS)
    run.clean()


def an_interrupted_bar_goes():
    """Ctrl-C, SIGTERM and a reader that has gone leave a clean line"""
    run = Run(PASS + " > out", 80, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    run.type(b"\x03")
    same(run.end(-signal.SIGINT), [""])
    run.clean()
    run = Run(PASS + " > out", 80, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    run.child.terminate()
    same(run.end(-signal.SIGTERM), [""])
    run.clean()


def a_training_that_is_interrupted():
    """Ctrl-C in a training with a checkpoint: its words, below no bar"""
    run = Run("exec dq-train --progress --env cartpole --agent dqn --checkpoint k --episodes 100000000 -o m.dq", 200)
    run.wait(lambda lines: lines[0].startswith("training ["), "a bar")
    run.type(b"\x03")
    lines = run.end(75)
    assert lines[-2].startswith("dq-train: stopped after "), lines
    same([line for line in lines if "training [" in line and "dq-train:" in line], [])
    run.clean()


def a_job_in_the_background():
    """draws nothing in the background; stopped and back, the bar is there again"""
    os.mkfifo("in")
    run = Run(["bash", "-m", "-c", "dq-cat --progress --to stream < in > out & exec 3> in; cat c.dq >&3; exec 3>&-; wait"], 80)
    assert not any("reading" in line for line in run.end() if not line.startswith("[1]")), run.bytes
    run = Run(["bash", "-m", "-c", "dq-cat --progress --to stream > out; echo stopped >&2; fg > shell"], 80, feed=True)
    run.feed_until(stream(), lambda lines: is_bar(lines[0]), "a bar")
    run.type(b"\x1a")
    run.wait(lambda lines: any(line.endswith("stopped") for line in lines), "the shell's words")
    run.feed_until(stream(), lambda lines: is_bar(lines[-1]), "the bar again")
    lines = run.end()
    matches(lines[-2], COUNTS)
    run.clean()


def dumb_terminals():
    """TERM=dumb, and none: lines, and no control character but their ends"""
    for term in "dumb", None:
        run = Run("dq-reward --progress --pairs all -o r.dq c.dq", 80, TERM=term)
        for line in run.end()[:-1]:
            matches(line, r"dq-reward: rewarding .*\d/2.*")
        same(run.screen.colours, 0)
        assert not re.search(rb"[^\n\r -~]", run.bytes) and b"\r" not in run.bytes.replace(b"\r\n", b"\n"), run.bytes


def colour():
    """colour on a terminal unless NO_COLOR is set"""
    coloured = Run("dq-reward --progress --pairs all -o r.dq c.dq", 80)
    plain = Run("dq-reward --progress --pairs all -o r.dq c.dq", 80, NO_COLOR="1")
    for run in coloured, plain:
        matches(run.end()[0], r"rewarding \[#{8,30}\] 100%  2/2.*")
    assert coloured.screen.colours > 0 and plain.screen.colours == 0


# ---- help ----

def programs():
    return sorted(name for name in os.listdir(os.environ["BUILD"]) if re.fullmatch("dq-[a-z]+", name))


def help_fits():
    """no line of help is wider than the terminal, nor than 100 columns; headings are bold where colour is welcome"""
    for program in programs():
        pages = {}
        for columns in 40, 80, 200:
            run = Run(["bash", "-c", f"{program} --help"], columns)
            pages[columns] = run.end()
            assert max(map(len, pages[columns])) <= min(columns, 100), program
            assert run.screen.colours > 0, program
            plain = Run(["bash", "-c", f"{program} --help"], columns, NO_COLOR="1")
            same(plain.end(), pages[columns])
            same(plain.screen.colours, 0)
        assert len(pages[40]) > len(pages[80]) > len(pages[200]), program
        words = {columns: "".join(lines).replace(" ", "").replace("\\", "") for columns, lines in pages.items()}
        same(words[40], words[80])
        same(words[80], words[200])
        modes = [line.split()[0] for line in section(pages[80], "Modes") if line[2:3].isalpha()]
        for mode in modes:
            for columns in 40, 80:
                assert max(map(len, Run(["bash", "-c", f"{program} --help {mode}"], columns).end())) <= columns, (program, mode)


def section(lines, heading):
    """The lines below a heading, to the next empty one."""
    found = [i for i, line in enumerate(lines) if line.startswith(heading)]
    return lines[found[0] + 1:lines.index("", found[0])] if found else []


def examples_are_commands():
    """an example that is broken over lines is the command that it is in one, and no break is within quotes"""
    for program in programs():
        said = {}
        for columns in 40, 100:
            page = subprocess.run([program, "--help"], env={**os.environ, "COLUMNS": str(columns)}, capture_output=True, text=True,
                                  check=True).stdout
            examples = re.split(r"\n  (?! )", "\n" + "\n".join(section(page.split("\n"), "Examples")))[1:]
            for example in examples:
                for found in re.finditer(r" \\\n", example):
                    assert example[:found.start()].count("'") % 2 == 0, example
            said[columns] = [re.sub(r" \\\n +", " ", example) for example in examples]
        assert len(said[40]) >= 2 and not any("\n" in example for example in said[40]), said[40]
        same(said[40], said[100])


# ---- pictures ----

def pictures_fit():
    """a picture in the terminal is as wide as that, in colour where it is welcome"""
    for columns in 40, 80, 200:
        run = Run("exec dq-eval --quiet --curves log --plot -", columns)
        lines = run.end()
        assert columns / 2 < max(map(len, lines)) <= columns, lines
        assert run.screen.colours > 0
    plain = Run("exec dq-eval --quiet --curves log --plot -", 80, NO_COLOR="1")
    plain.end()
    same(plain.screen.colours, 0)


# ---- stdin that is a terminal ----

# Whatever reads stdin, by having no operand, by the operand "-", and by an option's value.
READERS = """
dq-cat
dq-cat -
dq-cat c.dq /dev/stdin
dq-cat --check
dq-cat --count
dq-cat --schema
dq-cat --lineage
dq-cat --join c.dq -
dq-cat --from npy
dq-embed hash:4
dq-embed cf:2
dq-embed cf --factors -
dq-eval --qrels qrels
dq-eval --qrels - --run run
dq-eval --qrels qrels --report page.html
dq-eval --report page.html -
dq-eval --rollout --model random
dq-eval --cold-start --model m.dq
dq-eval --traffic
dq-eval --agreement c.dq -
dq-eval --draw histogram:x=id
dq-eval --paired
dq-eval --ab
dq-export --users -
dq-export --users users.jsonl --items items.jsonl --interactions -
dq-plan --model m.dq
dq-rank --by cosine
dq-rank --model - c.dq
dq-rank --merge
dq-reward
dq-reward --strategy human --answers answers.jsonl
dq-reward --pairs-file - c.dq
dq-sim cartpole --serve
dq-sim cartpole --play 2 --model -
dq-train
dq-train --offline
dq-train --offline --init - t.dq
dq-train --each-user
dq-serve --model - --catalogue c.dq
"""


def nobody_waits_for_a_terminal():
    """who would read from a terminal says so, and exits 2"""
    readers = {line.split()[0] for line in READERS.split("\n") if line}
    same(sorted(readers), sorted(set(programs()) - {"dq-tune"}))  # the command of dq-tune gets an empty stdin
    for command in filter(None, READERS.split("\n")):
        run = Run("exec " + command, 200, output="out")
        lines = run.end(2)
        matches(lines[0], command.split()[0] + r": (stdin|/dev/stdin): (record \d+: )?a terminal, where a file or a pipe is wanted "
                r"\(try dq-[a-z]+ --help.*\)")
        same(lines[1:], [""])


# ---- bash ----

TYPED = {
    "dq-rank --by=cos": "dq-rank --by=cosine ",
    "dq-rank --by wor": "dq-rank --by world ",
    "dq-rank --simil": "dq-rank --similarity ",
    "dq-rank c.dq --user ": "dq-rank c.dq --user u ",
    "dq-rank --model=seen.j": "dq-rank --model=seen.jsonl ",
    "dq-rank --model seen.j": "dq-rank --model seen.jsonl ",
    "dq-rank 'a file": "dq-rank 'a file' ",
    "dq-reward --pairs rand": "dq-reward --pairs random:",
    "dq-reward --pairs-file=seen": "dq-reward --pairs-file=seen.jsonl ",
}


def bash_completes():
    """a bash at a terminal completes what is typed: words, ids, files, and what wants more behind it"""
    open("a file", "w").close()
    run = Run(["bash", "--noprofile", "--norc", "-i"], 200, TERM="dumb", INPUTRC="/dev/null")
    run.type(b"PS1=; source <(dq-rank --completion bash); source <(dq-reward --completion bash); bind -x "
             b"'\"\\C-xs\": printf \"\\104ONE<%s>\\n\" \"$READLINE_LINE\"; READLINE_LINE=; READLINE_POINT=0'; echo REA''DY\n")
    run.wait(lambda lines: "READY" in lines, "a shell that is ready")
    for n, (typed, whole) in enumerate(TYPED.items(), 1):
        run.type(typed.encode() + b"\t\x18s")
        lines = run.wait(lambda lines: sum("DONE<" in line and line.endswith(">") for line in lines) == n, "a line that is completed")
        same([line[line.index("DONE<"):] for line in lines if "DONE<" in line][-1], f"DONE<{whole}>")
    run.type(b"exit\n")
    run.ended()


if __name__ == "__main__":
    test = globals()[sys.argv[1]]
    test()
