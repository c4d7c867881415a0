#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server on loopback that takes and refuses what one of the servers of docs/your-model.md takes and refuses, in its words; the answers
are those of a model that always chooses the last label it is offered. Prints its port; ends when its stdin closes. A line of JSON a
request goes to LOG: path, the header that held the key, what was asked for.

    personas.py NAME LOG       NAME: a key of PERSONAS"""

import http.server
import json
import re
import sys
import threading


def error(status, message, **more):
    return status, {"error": {"message": message, **more}}


def formats(*known, say=lambda kind: error(400, f"response_format {kind} is not supported")):
    """Refuses a response_format of another type."""
    def check(body, key):
        kind = (body.get("response_format") or {}).get("type")
        return say(kind) if kind and kind not in known else None
    return check


def bearer(prefix, say=lambda: error(401, "Incorrect API key provided", code="invalid_api_key")):
    def check(body, key):
        return None if key[0] == "authorization" and key[1].startswith("Bearer " + prefix) else say()
    return check


def model(name, say):
    return lambda body, key: None if body.get("model") == name else say(body.get("model"))


def logprobs(most):
    def check(body, key):
        asked = body.get("top_logprobs") or 0
        return error(400, f"Invalid value: top_logprobs is {asked}, and at most {most}") if asked > most else None
    return check


def grammar(body, key):
    """llama-cpp-python takes a schema within json_object alone."""
    kind = (body.get("response_format") or {}).get("type")
    return error(500, "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or "
                      "'json_object'\"}]", type="internal_server_error") if kind == "json_schema" else None


def thinks(body, key):
    """A model of OpenAI's that thinks takes no temperature but its own, and no log-probabilities."""
    if body.get("temperature", 1) != 1:
        return error(400, f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. Only the default (1) value is "
                          "supported.", type="invalid_request_error", param="temperature", code="unsupported_value")
    if body.get("logprobs"):
        return error(403, "You are not allowed to request logprobs from this model", type="invalid_request_error")
    return None


def azure_key(body, key):
    return None if key[1] == "azure-key" and key[0] in ("api-key", "authorization") else \
        (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}})


# By name: the path's pattern, and what may refuse a request, in order.
PERSONAS = {
    "ollama": (r"/v1/chat/completions", [model("llama3.1:8b", lambda m: error(404, f"model '{m}' not found", type="not_found_error"))]),
    "llama.cpp": (r"/v1/chat/completions", []),
    "llama-cpp-python": (r"/v1/chat/completions", [grammar]),
    "vllm": (r"/v1/chat/completions", [model("Qwen/Qwen2.5-7B-Instruct", lambda m: (404, {"object": "error", "message": f"The model `{m}` does not exist.",
                                       "type": "NotFoundError", "code": 404})), bearer("secret", lambda: (401, {"error": "Unauthorized"})), logprobs(20)]),
    "lm-studio": (r"/v1/chat/completions", [formats("json_schema", "text", say=lambda kind: (400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}))]),
    "openrouter": (r"/api/v1/chat/completions", [bearer("sk-or-", lambda: error(401, "No auth credentials found", code=401)),
                   model("meta-llama/llama-3.3-70b-instruct", lambda m: error(400, f"{m} is not a valid model ID", code=400))]),
    "azure": (r"/openai/v1/chat/completions", [azure_key]),
    "azure-classic": (r"/openai/deployments/gpt/chat/completions\?api-version=2024-10-21", [azure_key, lambda body, key: None if key[0] == "api-key" else error(401, "api-key")]),
    "openai": (r"/v1/chat/completions", [bearer("sk-"), model("gpt-4o-mini", lambda m: error(404, f"The model `{m}` does not exist", code="model_not_found")), logprobs(20)]),
    "openai-thinks": (r"/v1/chat/completions", [bearer("sk-"), model("gpt-5-mini", lambda m: error(404, f"The model `{m}` does not exist")), thinks]),
    "hugging-face": (r"/v1/chat/completions", [bearer("hf_", lambda: (401, {"error": "Invalid username or password."})),
                     model("meta-llama/Llama-3.1-8B-Instruct", lambda m: error(400, f"The requested model '{m}' does not exist", code="model_not_found"))]),
}


def labels_offered(body):
    """Of the schema where there is one, else those that the messages name."""
    enum = re.search(r'"enum": (\[[^\]]*\])', json.dumps(body.get("response_format") or {}))
    if enum:
        return json.loads(enum[1])
    said = json.dumps(body["messages"])
    return [label for label in ("APPLY", "SAVE", "CLICK", "IGNORE") if label in said]


def completion(body):
    labels, form = labels_offered(body), body.get("response_format")
    text = json.dumps({"decision": labels[-1]}) if form else f"DECISION: {labels[-1]}"
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    if body.get("logprobs"):
        top = [{"token": label, "logprob": -0.5 * n - 0.3, "bytes": list(label.encode())} for n, label in enumerate(reversed(labels))]
        before, after = text.split(labels[-1])
        plain = [{"token": piece, "logprob": 0.0, "bytes": list(piece.encode()), "top_logprobs": []} for piece in (before, after)]
        choice["logprobs"] = {"content": [plain[0], {**top[0], "top_logprobs": top}] + plain[1:] * bool(after)}
    return 200, {"id": "x", "object": "chat.completion", "model": body.get("model"), "choices": [choice],
                 "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def do_POST(self):
        path, checks = PERSONAS[sys.argv[1]]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = next(((name, self.headers[name]) for name in ("api-key", "authorization") if self.headers[name]), ("", ""))
        if key[0] == "authorization" and sys.argv[1] == "azure":
            key = ("authorization", key[1].removeprefix("Bearer "))
        if re.fullmatch(path, self.path):
            code, answer = next((refusal for check in checks if (refusal := check(body, key))), None) or completion(body)
        else:
            code, answer = 404, {"error": {"message": "Resource not found" if "azure" in sys.argv[1] else "404 page not found"}}
        with self.lock, open(sys.argv[2], "a", encoding="utf-8") as log:
            log.write(json.dumps({"path": self.path, "key": key[0], "code": code, "form": (body.get("response_format") or {}).get("type"),
                                  "logprobs": body.get("logprobs")}) + "\n")
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
