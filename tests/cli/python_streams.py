#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""python/dq.py held to the programs and to the format: python_streams.py TEST [FILE...], run by python.bats."""
import io
import json
import os
import resource
import subprocess
import sys

import numpy
import zstandard

import dq

CAT = os.path.join(os.environ["BUILD"], "dq-cat")
TESTS = {}


def test(function):
    TESTS[function.__name__] = function
    return function


def cat(*words, data=None):
    return subprocess.run([CAT, *words], input=data, stdout=subprocess.PIPE, check=True).stdout


def refused(words, function, *more, **named):
    """function(...) raises dq.Error, and no other, with these words in it."""
    try:
        function(*more, **named)
    except dq.Error as e:
        assert words in str(e), f"{e}: lacks {words!r}"
        return
    raise AssertionError(f"not refused: {words}")


def written(*bundles, **named):
    """The bytes of a stream of (kind, columns, meta) each, which dq-cat --check accepts."""
    out = io.BytesIO()
    with dq.Writer(out, **named) as writer:
        for kind, columns, *meta in bundles:
            writer.write(kind, columns, *meta)
    cat("--check", data=out.getvalue())
    return out.getvalue()


# ---- reading: what dq-cat shows ----

def value(v):
    """As dq-cat prints it: float32 with 9 digits, float64 with 17."""
    if isinstance(v, numpy.ndarray):
        return [value(x) for x in v]
    if isinstance(v, numpy.floating):
        return float("%.17g" % v) if v.dtype.itemsize == 8 else float("%.9g" % v)
    return v.item() if isinstance(v, numpy.generic) else v


def row_of(bundle, r):
    row = {"kind": bundle.kind}
    for name, column in bundle.columns.items():
        v = bundle.ids(name)[r] if column.ref else bundle[name][r]
        if v is None or v is numpy.ma.masked:
            continue
        if name.startswith("text."):
            row.setdefault("text", {})[name[5:]] = v
        elif name == "vector" and bundle.meta.get("fields"):
            row[name] = {field: value(array[r]) for field, array in bundle.fields.items()}
        else:
            row[name.removeprefix("attr.")] = value(v)
    return row


def lines_of(bundles):
    for bundle in bundles:
        if bundle.kind != "model":
            yield from (row_of(bundle, r) for r in range(bundle.rows))
            continue
        yield {"kind": "model", "meta": bundle.meta}
        for name, c in bundle.columns.items():
            if c.offsets is None:
                yield {"kind": "model", "name": name, "type": c.type, "shape": list(c.shape), "data": value(numpy.ravel(bundle[name]))}


@test
def shows_what_dq_cat_shows(*paths):
    for path in paths:
        with dq.Reader(path) as reader:
            mine = list(lines_of(reader))
        theirs = [json.loads(line) for line in cat(path).splitlines()]
        kinds = {row.get("kind") for row in mine}
        if len(kinds) == 1:  # dq-cat names the kind where there are several
            theirs = [{"kind": mine[0]["kind"], **row} for row in theirs]
        assert len(mine) == len(theirs) > 0, (path, len(mine), len(theirs))
        for a, b in zip(mine, theirs):
            assert a == b, f"{path}:\n{a}\n{b}"


@test
def passes_a_stream_on_unchanged(*paths):
    """Bundles that are written as they were read keep their bytes, so the digest of each section."""
    for path in paths:
        out = io.BytesIO()
        with dq.Reader(path) as reader, dq.Writer(out, inputs=[reader], program="pass", seed=3, options={"a": [1, 2.5, None]}) as writer:
            for bundle in reader:
                writer.write(bundle)
        again = dq.read(io.BytesIO(out.getvalue()))
        assert [s.digest for s in again.sections] == [s.digest for s in reader.sections if s.bundles], path
        assert again.sections[0].maker["inputs"][0] == reader.sections[0].maker
        assert [i["digest"] for i in again.sections[-1].inputs] == [s.digest for s in reader.sections]
        cat("--check", data=out.getvalue())
        lineage = cat("--lineage", data=out.getvalue()).decode()
        assert "pass 0" in lineage and reader.sections[0].maker["program"] in lineage, lineage


@test
def several_sections_are_one_table(path):
    raw = open(path, "rb").read()
    one, two = dq.read(path), dq.read(io.BytesIO(raw + raw))
    assert two.users.rows == 2 * one.users.rows and list(two.users["id"]) == 2 * list(one.users["id"])
    assert two.transitions["user"].max() >= one.users.rows  # rows of the whole
    assert list(two.transitions.ids("user")) == 2 * list(one.transitions.ids("user"))
    assert list(two.users["id"][two.transitions["user"]]) == list(two.transitions.ids("user"))
    assert [[*row] for row in two.transitions.ids("candidates")] == 2 * [[*row] for row in one.transitions.ids("candidates")]
    assert two.items["vector"].dtype == one.items["vector"].dtype and numpy.array_equal(two.items["vector"][2:], one.items["vector"])
    assert len(two.models) == 2 and len(two.sections) == 2
    assert dq.frame(io.BytesIO(raw + raw), "transitions")["item"].tolist() == 2 * one.transitions.ids("item").tolist()
    plain, *others = (written(("items", {"id": ["i"], "vector": [[1, 2]]}, meta)) for meta in (
        {}, {"scale": {"vector": [{"how": "unit"}]}}, {"fields": [["a", 0, 1]]}))
    for other, words in zip(others, ("are scaled in different ways", "have different fields")):
        refused(f"items: bundles whose vectors {words}", lambda raw=plain + other: dq.read(io.BytesIO(raw)).items)


@test
def columns_are_views(path):
    for bundle in dq.Reader(path):
        for name, column in bundle.columns.items():
            assert not column.data.flags.owndata and not column.data.flags.writeable, name
            if column.type not in ("text", "json", "bf16") and column.nulls is None:
                assert bundle[name] is column.data
        assert bundle == bundle and bundle != dq.Bundle(bundle.kind, bundle.columns) and bundle in {bundle}


# ---- reading: nothing on trust ----

@test
def refuses(*paths):
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (256 << 20), hard))  # memory grows with bytes received
    for path in paths:
        try:
            dq.read(path)
        except dq.Error as e:
            assert str(e).startswith(path), e
            continue
        raise AssertionError(f"{path}: not refused")
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@test
def refuses_what_is_cut_or_flipped():
    raw = written(("users", {"id": ["u1", "ü"], "attr.age": [3, None]}),
                  ("items", {"id": ["i1"], "vector": [[1, 2]]}, {"fields": [["a", 0, 2]]}),
                  ("transitions", {"user": ["ü"], "item": ["i1"], "reward": [None]}))
    payload = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    wanted = list(lines_of(dq.Reader(io.BytesIO(payload))))
    assert list(lines_of(dq.Reader(io.BytesIO(raw)))) == wanted and len(wanted) == 4
    for whole in (raw, payload):
        for n in range(len(whole)):
            refused("", dq.read, io.BytesIO(whole[:n]))
    for i in range(len(payload)):
        refused("", dq.read, io.BytesIO(flipped(payload, i)))
    for i in range(len(raw)):  # some bits of a frame's header mean nothing
        try:
            assert list(lines_of(dq.Reader(io.BytesIO(flipped(raw, i))))) == wanted
        except dq.Error:
            pass


def flipped(data, i):
    return data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1:]


@test
def pieces_do_not_matter():
    """A stream that comes a byte at a time, in many frames, in gzip, or plain."""
    import gzip

    class Slow(io.BytesIO):
        def read1(self, _=-1):
            return super().read(1)

    raw = written(("users", {"id": ["u1", "u2"]}), ("items", {"id": ["i"]}))
    payload = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    frames = b"".join(zstandard.ZstdCompressor(write_checksum=True).compress(payload[i:i + 50]) for i in range(0, len(payload), 50))
    for data in (raw, payload, frames, gzip.compress(payload), gzip.compress(payload[:40]) + gzip.compress(payload[40:])):
        for file in (io.BytesIO(data), Slow(data)):
            assert dq.read(file).users["id"].tolist() == ["u1", "u2"]
        refused("", dq.read, io.BytesIO(data + b"\x1f"))
        refused("cut off", dq.read, io.BytesIO(data[:-1]))


@test
def a_bomb_is_not_blown_up():
    """A GiB of zeros in 32 KiB of zstd is no record, which is told before it is decoded."""
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28)) * 4
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused("not a dq stream", dq.read, io.BytesIO(bomb))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600 << 10


# ---- writing ----

@test
def every_type_and_null(path):
    types = ["<f2", "<f4", "<f8", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", ">f4", ">i2"]
    tensors = {t: numpy.arange(6).reshape(2, 3).astype(t) for t in types}
    halves = numpy.array([1, -2.5, 3.140625, 1e38, 1 + 2 ** -8, 1 + 3 * 2 ** -8], "f4")
    bundles = [
        ("model", {**tensors, "b": dq.bfloat16(halves), "deep": numpy.zeros((1, 2, 1, 2)), "none": numpy.zeros((0, 3), "f4"),
                   "flag": numpy.array([True, False])}, {"architecture": "mine", "n": numpy.int64(3), "list": [1, {"x": None}]}),
        ("users", {"id": ["u1", "ü€", ""], "text.bio": ["a\tb", None, "😀"], "attr.age": [41, None, {"a": [1, None]}]}),
        ("interactions", {"user": ["u1", "ü€"], "item": numpy.array(["i1", "i2"]), "label": [None, "SAVE"],
                          "reward": numpy.array([numpy.nan, 0.5]), "propensity": numpy.ma.masked_array([0.5, 9], [False, True]),
                          "position": [None, 2], "request": numpy.array([None, "r"], object)}),
        ("items", {"id": ["i1", "i2"], "vector": dq.bfloat16([[1, 2, 3], [4, 5, 6]])}, {"fields": [["a", 0, 1], ["b", 1, 2]]}),
        ("transitions", {"user": ["ü€", "u1"], "item": [1, 0], "candidates": [["i1", "i2"], ["i2", "i1"]], "done": [True, False],
                         "reward": [1, 2], "state": [[1.5], [2.5]], "choice": [7, 8]}),
        ("rankings", {"user": ["u1"], "item": ["i1"], "rank": [1], "score": [0.25]}),
        ("strange", {"what": ["ever"], "n": [-5]}),
    ]
    raw = written(*bundles, program="types.py", version="7", options={"x": 1}, seed=5)
    assert raw == written(*bundles, program="types.py", version="7", options={"x": 1}, seed=5)
    open(path, "wb").write(raw)
    stream = dq.read(path)
    model = stream.models[0]
    for t, wanted in tensors.items():
        assert model[t].tolist() == wanted.tolist() and model.columns[t].type == numpy.dtype(t).newbyteorder("<").str[1:], t
    assert model["b"][[0, 1, 2, 4, 5]].tolist() == [1, -2.5, 3.140625, 1, 1 + 2 ** -6]  # halves go to the even
    assert abs(model["b"][3] / 1e38 - 1) < 2 ** -8 and model.columns["b"].data.dtype == "<u2"
    assert model["deep"].shape == (1, 2, 1, 2) and model["none"].shape == (0, 3) and model["flag"].tolist() == [1, 0]
    assert model.meta == {"architecture": "mine", "n": 3, "list": [1, {"x": None}]} and model.rows == 0
    assert stream.users["text.bio"].tolist() == ["a\tb", None, "😀"]
    assert stream.users["attr.age"].tolist() == [41, None, {"a": [1, None]}]
    met = stream.interactions
    assert met["reward"].mask.tolist() == [True, False] and met["propensity"].mask.tolist() == [False, True]
    assert met["position"].tolist() == [None, 2] and met["label"].tolist() == [None, "SAVE"] and met["request"].tolist() == [None, "r"]
    assert stream.items.fields["b"].tolist() == [[2, 3], [5, 6]]
    assert stream.transitions.ids("user").tolist() == ["ü€", "u1"] and stream.transitions["item"].tolist() == [1, 0]
    assert stream.transitions["reward"].dtype == "<f4" and stream.transitions["done"].tolist() == [1, 0]
    assert stream.sections[0].maker == {"program": "types.py", "version": "7", "options": {"x": 1}, "seed": 5, "inputs": []}
    shows_what_dq_cat_shows(path)


@test
def refuses_to_write():
    deep = json.loads("[" * 31 + "]" * 31)
    logged = {"user": ["u"], "item": ["i"]}
    for words, kind, columns, *meta in [
        ("no column id", "items", {"text.bio": ["x"]}),
        ("not a finite number", "items", {"id": ["i"], "vector": [[numpy.nan]]}),
        ("beyond float32", "items", {"id": ["i"], "vector": dq.Column("f8", numpy.array([[1e39]]))}),
        ("has type i8", "items", {"id": ["i"], "vector": dq.Column("i8", numpy.array([[1]]))}),
        ("2 rows, not 1", "items", {"id": ["i"], "text.a": ["x", "y"]}),
        ("1 dimensions", "items", {"id": ["i"], "vector": [1.0]}),
        ("several lengths", "items", {"id": ["a", "b"], "vector": numpy.array([[1], [1, 2]], object)}),
        ("stands twice", "items", {"id": ["a", "a"]}),
        ("may not have nulls", "items", {"id": ["a", None]}),
        ("column attr.x: object is nothing", "items", {"id": ["a"], "attr.x": [object()]}),
        ("below 0", "rankings", {**logged, "rank": [-1], "score": [1.0]}),
        ("no probability", "interactions", {**logged, "propensity": [0.0]}),
        ("no place", "interactions", {**logged, "position": [0]}),
        ("'v' is none of the users", "transitions", {"user": ["v"]}),
        ("row 9 of 1 users", "transitions", {"user": [9]}),
        ("is no type", "strange", {"x": numpy.array([1j])}),
        ("nothing that metadata have", "strange", {"x": [1]}, {"a": object()}),
        ("nested more than 32", "strange", {"x": [1]}, {"a": deep}),
        ("4096 are the most", "strange", {str(i): [1] for i in range(4097)}),
    ]:
        refused(words, written, ("users", {"id": ["u"]}), (kind, columns, *meta))
    refused("stands after", written, ("items", {"id": ["i"]}), ("users", {"id": ["u"]}))
    for fields, words in (([["a", 0, 3]], "field a is not inside a vector of 2"), ([["a", 0]], "not [name, offset, width]"),
                          ([["a", 1, 0]], "field a is not inside"), ("a", "no list of up to 1024")):
        refused("items: meta.fields", written, ("items", {"id": ["i"], "vector": [[1, 2]]}, {"fields": fields}))
        refused(words, written, ("items", {"id": ["i"], "vector": [[1, 2]]}, {"fields": fields}))


@test
def a_large_table_is_cut(path):
    rows, dq.BLOCK = 20_000, 1 << 17
    dq.write(path, users={"id": numpy.char.add("u", numpy.arange(rows).astype(str))},
             items=({"id": ["i"], "vector": [[1, 2]]}, {"fields": [["a", 0, 2]]}),
             transitions={"user": numpy.arange(rows)[::-1], "item": numpy.zeros(rows, int), "reward": numpy.arange(rows) / rows})
    cat("--check", path)
    with dq.Reader(path) as reader:
        sizes = [bundle.rows for bundle in reader if bundle.kind == "transitions"]
    assert len(sizes) > 1 and sum(sizes) == rows, sizes
    whole = dq.read(path)
    with dq.Writer(path + ".again") as writer:  # tables of several bundles are cut again
        for kind in whole.kinds:
            writer.write(whole[kind])
    assert cat("--lineage", path + ".again").split()[1] == cat("--lineage", path).split()[1]
    frame = dq.frame(path, "transitions")
    assert frame.user[0] == f"u{rows - 1}" and frame.user[rows - 1] == "u0" and frame.reward[1] == numpy.float64(1 / rows)


@test
def a_file_appears_when_it_is_complete(folder):
    path = os.path.join(folder, "x.dq")
    dq.write(path, users={"id": ["old"]})
    os.chmod(path, 0o640)
    try:
        with dq.Writer(path) as writer:
            writer.write("users", {"id": ["new"]})
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    refused("stands twice", dq.write, path, users={"id": ["a", "a"]})
    assert os.listdir(folder) == ["x.dq"] and dq.read(path).users["id"].tolist() == ["old"]
    dq.write(path, {"users": {"id": ["new"]}})
    assert os.listdir(folder) == ["x.dq"] and dq.read(path).users["id"].tolist() == ["new"]
    assert os.stat(path).st_mode & 0o777 == 0o640
    dq.write(path)  # nothing is a section without bundles
    cat("--check", path)
    assert dq.read(path).kinds == []


@test
def frames(path):
    import pandas

    raw = written(
        ("users", pandas.DataFrame({"id": ["a", "b"], "text.bio": ["x", None], "attr.age": [3, 4]})),
        ("interactions", pandas.DataFrame({"user": ["a", "b"], "item": ["i", "i"], "label": pandas.Categorical(["SAVE", None]),
                                           "reward": [1.5, float("nan")], "position": pandas.array([1, None], "Int64"),
                                           "attr.time": pandas.to_datetime(["2024-01-02", None])})),
        ("items", pandas.DataFrame({"id": ["i"], "vector": [numpy.array([1, 2], "f4")], "attr.tags": [["a", "b"]]})),
        ("transitions", pandas.DataFrame({"user": ["b"], "item": ["i"], "reward": [2.0]})))
    open(path, "wb").write(raw)
    users, met = dq.frame(path, "users"), dq.frame(path, "interactions")
    assert users["attr.age"].dtype == "int64" and users["text.bio"].tolist() == ["x", None]
    assert met.reward[0] == 1.5 and numpy.isnan(met.reward[1]) and met.label.tolist() == ["SAVE", None]
    assert met.position[0] == 1 and met.position[1] is pandas.NA
    assert met["attr.time"].tolist() == ["2024-01-02T00:00:00", None]
    items = dq.read(path).items.frame()
    assert items.vector[0].tolist() == [1, 2] and items["attr.tags"][0] == ["a", "b"]
    assert dq.frame(path, "transitions").to_dict("records") == [{"user": "b", "item": "i", "reward": 2.0}]
    met.loc[0, "reward"] = 7.0  # a frame is its own
    again = written(("users", users), ("interactions", met), ("items", items), ("transitions", dq.frame(path, "transitions")))
    assert dq.read(io.BytesIO(again)).interactions["reward"][0] == 7
    refused("no rankings; there are users, interactions, items, transitions", dq.frame, path, "rankings")
    refused("no table", dq.frame, io.BytesIO(written(("model", {"w": [1.0]}))), "model")


@test
def lineage_of_inputs():
    """Heads that came before the first bundle was written are in the head, later ones in the end; a deep tree is cut."""
    raw = written(("users", {"id": ["u"]}), program="first") + written(("users", {"id": ["v"]}), program="second")
    reader, out = dq.Reader(io.BytesIO(raw)), io.BytesIO()
    with dq.Writer(out, program="both", inputs=[reader]) as writer:
        for bundle in reader:
            writer.write("users", bundle.columns)
    section = dq.read(io.BytesIO(out.getvalue())).sections[0]
    assert [m["program"] for m in section.maker["inputs"]] == ["first"]
    assert [i.get("maker", {}).get("program") for i in section.inputs] == [None, "second"]
    assert [i["digest"] for i in section.inputs] == [s.digest for s in reader.sections]
    raw = written(("users", {"id": ["u"]}), program="p0")
    for n in range(1, 30):
        reader = dq.read(io.BytesIO(raw))
        raw = written(("users", {"id": ["u"]}), program=f"p{n}", inputs=[reader])
    lineage = cat("--lineage", data=raw).decode()
    assert "p29" in lineage and "p17" in lineage and "p0" not in lineage


@test
def hashes_are_xxh3():
    """What the format's page computes by hand; both ways to the hash."""
    from unittest import mock
    assert "%016x" % dq._xxh3(bytes.fromhex("b77546bd96083122")) == "8c41bcee5ebe71c4"
    with mock.patch.dict(sys.modules, {"xxhash": None}):
        other = dq._hash_of_xxhash()
        for data in (b"", b"a", bytes(1000), memoryview(bytes(range(200)))):
            assert other(data) == dq._xxh3(data)
        with mock.patch("ctypes.CDLL", side_effect=OSError):
            try:
                dq._hash_of_xxhash()
            except ImportError as e:
                assert "python3-xxhash" in str(e)
            else:
                raise AssertionError("a stream would not be verified")


TESTS[sys.argv[1]](*sys.argv[2:])
