# SPDX-License-Identifier: MIT
"""Holds dq-serve to its own description: serve_openapi.py, with the server's options. Every path that /api/openapi.json names
is asked; what it answers must fit the schema that the description gives for it, and what does not fit the description
must be refused as a problem. A path that is new and takes a body needs an example in BODIES.
"""
import json
import pathlib
import re
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fault"))
from serve import JSON, server, until  # noqa: E402

# Bodies that are taken, in this order, since the later ones need what the earlier ones made; "$name" is of an answer before.
BODIES = [
    ("/api/init", {"n_users": 20, "n_items": 10, "n_interactions": 100}),
    ("/api/train", {"episodes": 2}),
    ("/api/pipeline", {"n_users": 20, "n_items": 10, "n_interactions": 100, "episodes": 2, "n_recommendations": 3}),
    ("/api/recommend", {"user_id": 1, "n_recommendations": 3}),
    ("/api/feedback", {"request_id": "$request_id", "item_id": "$item_id", "label": "$label"}),
    ("/api/cancel", {}),
]
OPTIONAL = {"/api/cancel": 409}  # what is no fault: nothing runs that could be cancelled
TYPES = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}


def is_of(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def fits(schema, value, whole, where=""):
    """None, or what does not fit: the part of JSON Schema that the description uses; any other part of it is a fault."""
    if "$ref" in schema:
        return fits(whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, whole, where)
    if "anyOf" in schema:
        wrong = [fits(s, value, whole, where) for s in schema["anyOf"]]
        return None if None in wrong else wrong[0]
    unknown = set(schema) - {"type", "properties", "required", "additionalProperties", "items", "maxItems", "maxLength", "minimum",
                             "maximum", "enum", "description"}
    assert not unknown, unknown
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_of(value, n) for n in names):
        return f"{where}: {value!r} is not {names}"
    if "enum" in schema and isinstance(value, str) and value not in schema["enum"]:
        return f"{where}: {value!r} is not in {schema['enum']}"
    if isinstance(value, str) and len(value.encode()) > schema.get("maxLength", 1 << 30):
        return f"{where}: too long"
    if is_of(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"{where}: {value} is out of range"
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", 1 << 30):
            return f"{where}: {len(value)} elements"
        return next(filter(None, (fits(schema.get("items", {}), v, whole, f"{where}/{i}") for i, v in enumerate(value))), None)
    return fits_object(schema, value, whole, where) if isinstance(value, dict) else None


def fits_object(schema, value, whole, where):
    missing = set(schema.get("required", [])) - set(value)
    if missing:
        return f"{where}: lacks {missing}"
    for name, v in value.items():
        inside = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
        if inside is False:
            return f"{where}/{name}: is not in the description"
        if wrong := fits(inside if isinstance(inside, dict) else {}, v, whole, f"{where}/{name}"):
            return wrong
    return None


class Held:
    def __init__(self, s):
        self.s = s
        self.whole = json.loads(s.ask("/api/openapi.json")[1])
        self.known = {}

    def ask(self, path, operation, body=None, method="GET", address=None):
        """An answer, which must be one that the description has."""
        status, text = self.s.ask(address or path, None if body is None else json.dumps(body), method=method)
        response = operation["responses"].get(str(status))
        if response is None and status >= 400:
            response = operation["responses"]["default"]
        assert response, (path, status, text)
        if "content" not in response:
            assert text == b"", (path, status, text)
            return status, None
        (kind, content), = response["content"].items()
        if "json" not in kind:
            return status, text
        value = json.loads(text)
        wrong = fits(content["schema"], value, self.whole)
        assert not wrong, f"{method} {path}: {wrong}"
        return status, value

    def refused(self, path, body, method, status=400, headers=JSON):
        got, text = self.s.ask(path, body, headers, method)
        problem = json.loads(text)
        assert got == status and not fits(self.whole["components"]["schemas"]["Problem"], problem, self.whole), (path, body, got, text)

    def post(self, path, operation, body):
        self.refused(path, '{"no such field":1}', "POST")
        self.refused(path, '{"', "POST")
        self.refused(path, json.dumps(body or {"x": 1}), "POST", 415, {"Content-Type": "text/plain"})
        self.refused(path, None, "POST", 415, {})  # as a page of another origin can send it
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema:
            fields = self.whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            for name in fields["properties"]:  # nothing takes two objects within one another
                self.refused(path, json.dumps(body | {name: {"": {"": [[]]}}}), "POST")
            assert operation["requestBody"]["required"] == bool(fields.get("required")), path
            for name in fields.get("required", []):
                self.refused(path, json.dumps({k: v for k, v in body.items() if k != name}), "POST")
        status, answer = self.ask(path, operation, body, "POST")
        assert status < 300 or OPTIONAL.get(path) == status, (path, status, answer)
        self.settle()
        return answer

    def settle(self):
        """Until no job runs."""
        if "/api/status" in self.whole["paths"]:
            until(lambda: (json.loads(self.s.ask("/api/status")[1]).get("job") or {}).get("state") != "running", "a job does not end")

    def get(self, path, operation):
        names = {p["name"]: p for p in operation.get("parameters", [])}
        self.refused(path.replace("{id}", "x") + "?no-such-parameter=1", None, "GET")
        for name, p in names.items():
            if p["in"] == "query" and "string" not in p["schema"]["type"]:
                self.refused(f"{path.replace('{id}', 'x')}?{name}=no-number", None, "GET")
        address = path
        if "{id}" in path:
            kind = path.split("/")[2]
            first = json.loads(self.s.ask(f"/api/{kind}?limit=1")[1])[kind][0]
            address = path.replace("{id}", urllib.parse.quote(first[f"{kind[:-1]}_id"], safe=""))
            assert self.ask(path, operation, address=path.replace("{id}", "nobody-at-all"))[0] == 404
        given = {n: self.known[n] for n, p in names.items() if p["in"] == "query" and p["required"]}
        status, _ = self.ask(path, operation, address=address + ("?" + urllib.parse.urlencode(given) if given else ""))
        assert status in (200, 204), (path, status)

    def make(self, body):
        return {k: self.known[v[1:]] if isinstance(v, str) and v.startswith("$") else v for k, v in body.items()}

    def learn(self, answer):
        items = (answer or {}).get("items")
        if isinstance(items, list) and items:
            labels = json.loads(self.s.ask("/api/status")[1])["labels"]
            self.known |= {"request_id": answer["request_id"], "user_id": answer["user_id"], "item_id": items[0]["item_id"],
                           "label": labels[0]["label"]}


def main(options):
    with server(*options) as s:
        held = Held(s)
        paths = held.whole["paths"]
        examples = dict(BODIES)
        posts = {p for p in paths if "post" in paths[p]}
        assert posts <= set(examples), f"no example of a body for {posts - set(examples)}"
        assert re.match(r"3\.1\.\d", held.whole["openapi"])
        for path, body in BODIES:
            if path in posts:
                held.learn(held.post(path, paths[path]["post"], held.make(body)))
        asked = 0
        for path in paths:
            if "get" in paths[path]:
                held.get(path, paths[path]["get"])
                held.refused(path.replace("{id}", "x"), "{}", "DELETE", 405)
                asked += 1
        print(f"{len(posts)} posts, {asked} gets")


main(sys.argv[1:])
