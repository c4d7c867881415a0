# SPDX-License-Identifier: MIT
"""dq-serve under clients that mean no good: serve.py CASE. Each case starts a server of its own on a port that is free,
and ends with exit status 0, or says what was wrong. No case measures time: what must come is waited for, up to a limit
that no machine needs, and what must not be is read from the server's own counters.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ["BUILD"]).resolve()
PATIENCE = 120  # seconds
JSON = {"Content-Type": "application/json"}


class Server:
    def __init__(self, *options, **more):
        self.words = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([BUILD / "dq-serve", "--listen", "127.0.0.1:0", *options], stdin=subprocess.DEVNULL,
                                        stderr=self.words, **more)
        until(lambda: "listening at" in self.said() or self.process.poll() is not None, "it does not listen")
        self.told = False
        self.port = int(re.search(r"listening at http://127\.0\.0\.1:(\d+)", self.said())[1])

    def said(self):
        self.words.seek(0)
        return self.words.read()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, path="/api/health", body=None, headers=JSON, method="GET", chunked=False):
        """Status and body of a request on a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        client.request(method, path, body, headers | {"Connection": "close"}, encode_chunked=chunked)
        answer = client.getresponse()
        text = answer.read()
        client.close()
        return answer.status, text

    def well(self):
        status, text = self.ask()
        assert (status, json.loads(text)["status"]) == (200, "ok"), (status, text)

    def answers(self):
        """Whether health is answered: one of our own may be cut, too, where the limit is short and the machine is busy."""
        try:
            self.well()
            return True
        except (OSError, http.client.HTTPException):
            return False

    def number(self, name):
        """The same, or NaN where the question itself was cut."""
        try:
            return self.metric(name)
        except (OSError, http.client.HTTPException):
            return float("nan")

    def metric(self, name):
        return float(re.search(rf"^{name} (\S+)$", self.ask("/metrics")[1].decode(), re.M)[1])

    def memory(self):
        """The most that it ever had, in bytes."""
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) << 10

    def tell(self, signal_number=signal.SIGTERM):
        """It is told to stop, once."""
        self.process.send_signal(signal_number)
        self.told = True

    def end(self):
        """It is told to stop, if it was not, does, and says nothing bad."""
        self.told or self.tell()
        code = self.process.wait(PATIENCE)
        words = self.said()
        assert code == 0, (code, words)
        assert len(words.splitlines()) == 1, words


@contextlib.contextmanager
def server(*options, **more):
    s = Server(*options, **more)
    try:
        until(s.answers, "it is not well")
        yield s
        s.end()
    finally:
        if s.process.poll() is None:
            s.process.kill()
            s.process.wait()


def until(condition, complaint):
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, complaint
        time.sleep(0.02)


def descriptors(wanted):
    """As many as may be; whether that is enough."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard >= wanted


# ---- connections ----

def idle():
    """10,000 connections that say nothing: others are answered meanwhile."""
    count = 10000
    if not descriptors(count + 100):
        print("# SKIP fewer open files than 10,100 are allowed here")
        return
    with server("--request-timeout", "3600", "-t", "2") as s:
        open_ones = [s.connect() for _ in range(count)]
        until(lambda: s.metric("dq_serve_connections") > count, "they were not all accepted")
        for _ in range(10):
            s.well()
        assert s.memory() < (1 << 30 if os.environ.get("SANITIZER") else 300 << 20), f"{s.memory() >> 20} MiB"
        for each in open_ones:
            each.close()
        until(lambda: s.metric("dq_serve_connections") < 10, "they were not all forgotten")
        assert s.metric("dq_serve_cut_total") == 0


def slow():
    """300 clients that send a header, and 300 that send a body, a byte at a time and for ever: more than the server has
    places for. Health is answered all the while, and all of them are cut."""
    descriptors(2000)
    with server("--request-timeout", "1", "--max-connections", "400", "-t", "2") as s:
        watched = selectors.DefaultSelector()
        left = {}
        for i in range(600):
            c = s.connect()
            c.sendall(b"GET /api/health HTTP/1.1\r\nX-Slow: " if i % 2 else
                      b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n")
            c.setblocking(False)
            watched.register(c, selectors.EVENT_READ)
            left[c.fileno()] = c
        limit = time.monotonic() + PATIENCE
        answered = 0
        while left or not answered:
            assert time.monotonic() < limit, f"{len(left)} slow clients were not cut"
            for key, _ in watched.select(0):
                if gone(key.fileobj):
                    watched.unregister(key.fileobj)
                    left.pop(key.fd).close()
            for c in left.values():
                with contextlib.suppress(OSError):
                    c.send(b"x")
            if answered < 20:
                answered += s.answers()
            time.sleep(0.02)
        until(lambda: s.answers() and s.number("dq_serve_cut_total") >= 600, "they were not cut for being slow")
        until(lambda: s.number("dq_serve_connections") == 1, "they were not all forgotten")


def gone(c):
    """Whether the other side has ended the connection."""
    try:
        return c.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def half():
    """Clients that send half a request and go: closed, shut, reset; in the first line, the headers, the body."""
    beginnings = [b"", b"GET /api", b"GET /api/health HTTP/1.1\r\nHo", b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
                  b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a",
                  b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
                  b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 5000, b"\r\n" * 2000]
    with server("--request-timeout", "2", "--idle-timeout", "2") as s:
        for beginning in beginnings:
            for way in ("close", "shut", "reset"):
                c = s.connect()
                with contextlib.suppress(OSError):
                    c.sendall(beginning)
                    if way == "shut":
                        c.shutdown(socket.SHUT_WR)
                        while c.recv(4096):
                            pass
                    if way == "reset":
                        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                c.close()
                until(s.answers, f"{beginning[:100]} {way}")
        until(lambda: s.number("dq_serve_requests_open") == 1, "a request that was broken off stays open")
        until(lambda: s.number("dq_serve_connections") == 1, "a connection that has ended stays")


def files():
    """A server that may open few files: with more clients than that, the others wait, and are served when some have gone."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    with server("-t", "2", preexec_fn=few) as s:
        many = [s.connect() for _ in range(200)]
        waiting = s.connect()
        waiting.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        for c in many:
            c.close()
        assert b'"ok"' in whole(waiting)
        s.well()


def whole(c):
    text = b""
    while piece := c.recv(65536):
        text += piece
    return text


# ---- bodies ----

def bodies():
    """What is no JSON, nests too deep, is no UTF-8, is 100 MB long: refused, and the memory is not the client's to take."""
    def refused(body, status, chunked=False):
        got, text = s.ask(body=body, chunked=chunked, headers=JSON | ({"Transfer-Encoding": "chunked"} if chunked else {}))
        problem = json.loads(text)
        assert got == problem["status"] == status, (got, text, body[:100] if isinstance(body, bytes) else body)

    with server("-t", "1") as s:
        for bad in (b"{", b"nonsense", b"{}{}", b"[" * 1000000, b'{"a":' * 200000, b'{"\xff":1}', b'{"a":"\xc3"}', b'"\xf5\x80\x80\x80"',
                    b'{"a":"\xed\xa0\x80"}', b'\xef\xbb\xbf{}', b"{}\0", b"{\"a\":1e99999}", b'{"a":1,"a":2}', b"{'a':1}", b"[]", b"1"):
            refused(bad, 400)
        before = s.memory()
        refused(b" " * ((1 << 20) + 1), 413)
        refused(b" " * 100000000, 413)
        refused((b" " * 100000 for _ in range(1000)), 413, chunked=True)
        grown = s.memory() - before
        assert grown < 20 << 20, f"{grown >> 20} MiB more"
        s.well()


# ---- the end ----

def end():
    """SIGTERM with clients that are idle, and one that is in the middle of its request: that one is answered first."""
    with server() as s:
        kept = s.connect()
        kept.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        kept.recv(4096)
        silent = s.connect()
        late = s.connect()
        late.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
        until(lambda: s.metric("dq_serve_requests_open") == 2, "its request has not begun")
        s.tell()
        until(lambda: refuses(s), "it still listens")
        s.process.send_signal(signal.SIGHUP)  # as logrotate may at any time
        assert s.process.poll() is None
        late.sendall(b"}")
        text = whole(late)
        assert b"503" in text.split(b"\r\n")[0] and b"the server stops" in text and b"Connection: close" in text, text
        assert whole(silent) == b"" == whole(kept)


def watch():
    """SIGTERM while a training is watched: the training ends, the watcher is told, and the server exits 0."""
    with server("--demo") as s:
        def post(path, body):
            status, text = s.ask(path, json.dumps(body), method="POST")
            assert status in (200, 202), (status, text)

        post("/api/init", {"n_users": 20, "n_items": 10, "n_interactions": 100})
        until(lambda: s.ask("/api/status")[1].find(b'"running"') < 0, "the data are not made")
        post("/api/train", {"episodes": 1000000})
        watcher = s.connect()
        watcher.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = b""
        while b"event: progress" not in text:
            text += watcher.recv(4096)
        s.tell()
        text = whole(watcher)
        assert text.count(b"event: end\n") == 1, text[-500:]


def refuses(s):
    try:
        socket.create_connection(("127.0.0.1", s.port), timeout=PATIENCE).close()
        return False
    except (ConnectionRefusedError, ConnectionResetError): # the latter where it stops at this moment
        return True


def signals():
    """SIGHUP goes on, SIGINT ends as SIGTERM does; what never comes is given up at the end of --drain-timeout."""
    with server() as s:
        for _ in range(5):
            s.process.send_signal(signal.SIGHUP)
            s.well()
        s.tell(signal.SIGINT)
    half_open = Server("--drain-timeout", "0.2")
    c = half_open.connect()
    c.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{")
    until(lambda: half_open.metric("dq_serve_requests_open") == 2, "its request has not begun")
    half_open.process.send_signal(signal.SIGTERM)
    assert half_open.process.wait(PATIENCE) == 0
    assert "1 requests were not answered in time" in half_open.said(), half_open.said()


def systemd():
    """A socket that is handed over, and what is said to who starts it."""
    with tempfile.TemporaryDirectory() as folder:
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        heard.bind(f"{folder}/notify")
        heard.settimeout(PATIENCE)
        given = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        given.bind(("127.0.0.1", 0))
        given.listen(100)

        def hand_over():
            os.dup2(given.fileno(), 3)

        starter = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --listen 127.0.0.1:1', str(BUILD / "dq-serve")]
        words = tempfile.TemporaryFile("w+")
        process = subprocess.Popen(starter, stdin=subprocess.DEVNULL, stderr=words, preexec_fn=hand_over, close_fds=False,
                                   env=os.environ | {"NOTIFY_SOCKET": f"{folder}/notify"})
        try:
            assert heard.recv(100) == b"READY=1"
            client = http.client.HTTPConnection("127.0.0.1", given.getsockname()[1], timeout=PATIENCE)
            client.request("GET", "/api/health")
            assert client.getresponse().status == 200
            process.terminate()
            assert heard.recv(100) == b"STOPPING=1"
            assert process.wait(PATIENCE) == 0
            words.seek(0)
            assert f"listening at http://127.0.0.1:{given.getsockname()[1]}\n" in words.read()
        finally:
            process.kill()
            process.wait()


CASES = {each.__name__: each for each in (idle, slow, half, files, bodies, end, watch, signals, systemd)}
if __name__ == "__main__":
    CASES[sys.argv[1]]()
