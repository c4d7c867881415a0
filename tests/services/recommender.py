# SPDX-License-Identifier: MIT
"""A server of recommendations with little in it, for tests of its clients: python3 recommender.py WHERE ITEMS [WRONG]

WHERE is where its address is written: a file that gets "http://127.0.0.1:PORT" or, where it ends in .sock, a Unix socket.
Two models, by the user's number, even and odd; each user gets items of a fixed order. WRONG is an item that the world does
not have, which every list then begins with. What came stands in WHERE.log, a line of JSON a request.
"""
import http.server
import json
import os
import pathlib
import socketserver
import sys
import threading

where, items, wrong = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
lock, count = threading.Lock(), [0]
log = open(f"{where}.log", "a", buffering=1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with lock:
            count[0] += 1
            number = count[0]
            log.write(json.dumps({"path": self.path, "token": self.headers.get("authorization"), **body}) + "\n")
        if self.path == "/api/feedback":
            return self.answer({"ok": True, "reward": 1})
        user = int(body["user_id"][1:])
        ids = [f"i{(user * 7 + k * 3) % items:02d}" for k in range(body["n_recommendations"])]
        return self.answer({"request_id": f"r{number}", "user_id": body["user_id"], "model": "even" if user % 2 == 0 else "odd",
                            "items": [{"item_id": i, "rank": k + 1} for k, i in enumerate(wrong + ids)], "fallback": None})

    def answer(self, reply):
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class OnSocket(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if where.suffix == ".sock":
    server = OnSocket(str(where), Handler)
else:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aside = where.with_suffix(".aside")
    aside.write_text(f"http://127.0.0.1:{server.server_address[1]}")
    os.rename(aside, where)
server.serve_forever()
