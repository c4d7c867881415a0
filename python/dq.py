# SPDX-License-Identifier: MIT
"""Streams of dq in Python: read and written as arrays and dictionaries.

    import dq

    catalogue = dq.read("catalogue.dq")                    # all of a stream
    catalogue.items["vector"]                              # a NumPy array (rows, width)
    catalogue.items["text.title"]                          # an array of str, None where there is none
    dq.frame("catalogue.dq", "interactions")               # a pandas frame

    with dq.Reader("log.dq") as reader:                    # bundle by bundle, as they come; no name: standard input
        for bundle in reader:
            print(bundle.kind, bundle.rows, bundle.section.maker["program"])

    dq.write("mine.dq", users={"id": ["u1"]}, items={"id": ["i1", "i2"], "vector": [[1, 0], [0, 1]]},
             transitions={"user": ["u1"], "item": ["i2"], "reward": [1.0]})

docs/stream-format.md says what a stream is and which columns each kind has; docs/python.md has examples. Whatever that
page forbids is a dq.Error: a stream that is cut off, a flipped bit, a length that lies. Nothing is taken on trust, and
memory grows with the bytes received, not with those that were claimed.

Needs NumPy, msgpack, zstandard and an XXH3: the module xxhash, or libxxhash, which every program of dq is linked with.
pandas is imported by what makes frames alone.
"""
from __future__ import annotations

import ctypes
import dataclasses
import functools
import itertools
import json
import os
import platform
import secrets
import struct
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Union

import msgpack
import numpy
import zstandard

__all__ = ["Bundle", "Column", "Error", "Reader", "Section", "Stream", "Writer", "bfloat16", "frame", "read", "write"]

Source = Union[str, os.PathLike, BinaryIO, None]

MAX_BODY, MAX_VALUES, MAX_DEPTH, MAX_COLUMNS, MAX_KINDS, MAX_WINDOW = 1 << 30, 1 << 20, 32, 4096, 256, 1 << 27
MAX_FIELDS = 1024
BLOCK = 4 << 20  # bytes of a bundle that a table is cut into
INPUT = 8 << 10  # bytes that are decoded at once: one byte of zstd can stand for 32 KiB

# What a number is in a file, and how NumPy names it. A bfloat16 is its 16 bits.
_NUMBERS = {"f2": "<f2", "bf16": "<u2", "f4": "<f4", "f8": "<f8", "i1": "i1", "i2": "<i2", "i4": "<i4", "i8": "<i8",
            "u1": "u1", "u2": "<u2", "u4": "<u4", "u8": "<u8"}
_TYPES = {numpy.dtype(d): name for name, d in _NUMBERS.items() if name != "bf16"}
_FLOATS, _COUNTS = ("f2", "bf16", "f4", "f8"), ("u4", "u8")

# The columns of each kind, in the order of a section. Words of a column: its type; "always"; "null" where values may be
# null; "matrix" of two dimensions; "of KIND" for references; "chance" above 0 and at most 1; "place" from 1.
_LOGGED = {"propensity": "floats null chance", "position": "count null place", "request": "text null", "model": "text null"}
_SCHEMA: dict[str, dict[str, str]] = {
    "model": {},
    "users": {"id": "text always", "vector": "floats matrix"},
    "interactions": {"user": "text always", "item": "text always", "label": "text null", "reward": "floats null", **_LOGGED},
    "items": {"id": "text always", "vector": "floats matrix"},
    "transitions": {"user": "count of users", "item": "count of items", "state": "floats matrix", "action": "floats matrix",
                    "choice": "count", "reward": "floats null", "cosine": "floats null", "llm": "floats null",
                    "label": "text null", "done": "flag", "next_user": "count of users", "next_state": "floats matrix",
                    **_LOGGED, "episode": "count", "step": "count", "candidates": "count matrix of items"},
    "rankings": {"user": "text always", "item": "text always", "rank": "count always", "score": "floats always", **_LOGGED},
}
_KINDS = list(_SCHEMA)
_MAY_BE = {"text": ("text",), "floats": _FLOATS, "count": _COUNTS, "flag": ("u1",)}


class Error(ValueError):
    """What is no stream, or would be none."""


def _hash_of_xxhash() -> Callable[[Any], int]:
    try:
        import xxhash
        return xxhash.xxh3_64_intdigest
    except ImportError:
        pass
    try:
        function = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
    except (OSError, AttributeError):
        raise ImportError("dq: neither the module xxhash nor libxxhash.so.0 is here, and without XXH3 no stream can be "
                          "verified (Debian: python3-xxhash)") from None
    function.restype, function.argtypes = ctypes.c_uint64, [ctypes.c_void_p, ctypes.c_size_t]
    return lambda data: function(numpy.frombuffer(data, "u1").ctypes.data if len(data) else None, len(data))


_xxh3 = _hash_of_xxhash()


# ---- columns ----

def _float32(bits: numpy.ndarray) -> numpy.ndarray:
    return (bits.astype("<u4") << 16).view("<f4")


def bfloat16(values: Any) -> Column:
    """A column of bfloat16 from numbers, rounded to the nearest, ties to even."""
    bits = numpy.ascontiguousarray(values, "<f4").view("<u4")
    rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16
    return Column("bf16", rounded.astype("<u2"))


@dataclasses.dataclass(eq=False)
class Column:
    """A column as it stands in the stream; `values` is what one wants of it.

    type     "f4", "text", "json" and so on, as the format names them
    data     numbers: an array of the column's shape, bfloat16 as uint16; texts: their UTF-8, one behind the other
    offsets  texts: where each begins, and where the last ends; else None
    nulls    an array of bool, True where the value is null; None: nowhere
    ref      the kind whose rows the numbers count; None: they count none
    shuffle  whether the numbers' bytes are shuffled in the stream, where smooth ones take less room; data is in order

    Arrays are views of the record that was read (shuffled ones copies of it), and read-only.
    """
    type: str
    data: numpy.ndarray
    offsets: numpy.ndarray | None = None
    nulls: numpy.ndarray | None = None
    ref: str | None = None
    shuffle: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape if self.offsets is None else (len(self.offsets) - 1,)

    def _texts(self) -> list[str]:
        assert self.offsets is not None
        data, at = self.data.tobytes(), self.offsets.tolist()
        whole = data.decode()
        if len(whole) == len(data):  # characters are bytes
            return [whole[a:b] for a, b in zip(at, at[1:])]
        return [data[a:b].decode() for a, b in zip(at, at[1:])]

    @functools.cached_property
    def values(self) -> numpy.ndarray:
        """Numbers as an array, masked where some are null; bfloat16 as float32; texts and what JSON says as an array of
        objects, None for a null."""
        if self.offsets is None:
            data = _float32(self.data) if self.type == "bf16" else self.data
            return data if self.nulls is None else numpy.ma.masked_array(data, self.nulls)
        values: Sequence[Any] = self._texts()
        if self.type == "json":
            try:
                values = [None if t == "" else json.loads(t) for t in values]
            except ValueError as e:
                raise Error(f"a value that is no JSON: {e}") from None
        objects = numpy.empty(len(values), object)
        objects[:] = values
        if self.nulls is not None:
            objects[self.nulls] = None
        return objects

    def rows(self, first: int, end: int) -> Column:
        """The rows from first to before end."""
        nulls = None if self.nulls is None else self.nulls[first:end]
        if self.offsets is None:
            return dataclasses.replace(self, data=self.data[first:end], nulls=nulls)
        offsets = self.offsets[first:end + 1]
        return dataclasses.replace(self, data=self.data[int(offsets[0]):int(offsets[-1])], offsets=offsets - offsets[0], nulls=nulls)

    def _bytes(self) -> int:
        return self.data.nbytes + (0 if self.offsets is None else 4 * len(self.offsets))


def _text_column(type: str, texts: Sequence[str | None]) -> Column:
    raw = [b"" if t is None else t.encode() for t in texts]
    offsets = numpy.zeros(len(raw) + 1, "<u8")
    numpy.cumsum([len(t) for t in raw], out=offsets[1:])
    nulls = numpy.array([t is None for t in texts], bool)
    return Column(type, numpy.frombuffer(b"".join(raw), "u1"), offsets, nulls if nulls.any() else None)


def _json_of(value: Any) -> Any:
    for way in ("isoformat", "tolist", "item"):
        if hasattr(value, way):
            return getattr(value, way)()
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def _is_null(value: Any) -> bool:
    """None, and what pandas has for it: a float that is no number, NaT, NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, (float, numpy.floating)) and value != value)


def _json_column(values: Iterable[Any]) -> Column:
    return _text_column("json", [None if _is_null(v) else json.dumps(
        v, default=_json_of, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for v in values])


def _array_of(values: Any) -> tuple[numpy.ndarray, numpy.ndarray | None]:
    """Whatever people have, as an array, and which of it is null."""
    if isinstance(values, numpy.ma.MaskedArray):
        return values.data, numpy.ma.getmaskarray(values)
    if not isinstance(values, numpy.ndarray):
        values = list(values)
        if any(isinstance(v, str) or _is_null(v) for v in values):
            objects = numpy.empty(len(values), object)
            objects[:] = values
            values = objects
        else:
            values = numpy.array(values)
    if values.dtype != object:
        return values, None
    nulls = numpy.array([_is_null(v) for v in values], bool)
    some = [v for v, null in zip(values, nulls) if not null]
    if some and all(isinstance(v, str) for v in some):
        return values, nulls
    try:
        rest = numpy.array(some)
        whole = numpy.zeros((len(values), *rest.shape[1:]), rest.dtype)
        whole[~nulls] = rest
    except ValueError:
        raise Error("values of several lengths") from None
    return whole, nulls


def _column_of(name: str, values: Any, words: Sequence[str], find: Callable[[str, Sequence[str]], numpy.ndarray]) -> Column:
    """The column that values make. find(kind, ids) gives the rows of ids, for references that are named."""
    ref = words[words.index("of") + 1] if "of" in words else None
    if isinstance(values, Column):
        return values
    if name.startswith("attr."):
        return _json_column(values)
    data, nulls = _array_of(values)
    if nulls is not None and not nulls.any():
        nulls = None
    if data.dtype.kind in "UO" and (len(data) or "text" in words or name.startswith("text.")):
        if ref is None:
            return _text_column("text", [None if nulls is not None and n else str(v) for v, n in
                                         zip(data, nulls if nulls is not None else numpy.zeros(len(data)))])
        data = find(ref, data.ravel()).reshape(data.shape)
    elif len(data) == 0 and ("text" in words or name.startswith("text.")):
        return _text_column("text", [])
    if data.dtype.kind == "f" and data.ndim == 1 and "null" in words and numpy.isnan(data).any():
        nulls = numpy.isnan(data) if nulls is None else nulls | numpy.isnan(data)
    if "floats" in words and data.dtype.kind in "iub":
        data = data.astype("<f4")
    if "count" in words and data.dtype.kind in "iu":
        seen = data if nulls is None else data[~nulls]
        if seen.size and int(seen.min()) < 0:
            raise Error("a count below 0")
        data = data.astype("<u4" if not seen.size or int(seen.max()) < 1 << 32 else "<u8")
    if data.dtype.kind == "b":
        data = data.astype("u1")
    data = numpy.ascontiguousarray(data).astype(data.dtype.newbyteorder("<"), copy=False)
    if data.dtype not in _TYPES:
        raise Error(f"{data.dtype} is no type of a column")
    return Column(_TYPES[data.dtype], data, None, nulls, ref)


# ---- bundles and sections ----

@dataclasses.dataclass(eq=False)
class Section:
    """What is known of a section: who made it, what it has held so far, and its digest once its end has come.

    maker   the head's maker: "program", "version", "options", "seed", and "inputs", a list of makers
    rows    how many rows of each kind
    bundles how many bundles
    digest  16 hexadecimal digits, or None before the end
    inputs  what the end says of the inputs, or None before it
    """
    maker: dict[str, Any]
    rows: dict[str, int] = dataclasses.field(default_factory=dict)
    bundles: int = 0
    digest: str | None = None
    inputs: list[dict[str, Any]] | None = None
    _order: int = -1
    _hashes: bytearray = dataclasses.field(default_factory=bytearray)
    _ids: dict[str, list[Column]] = dataclasses.field(default_factory=dict)
    _joined: dict[str, numpy.ndarray] = dataclasses.field(default_factory=dict)

    def ids(self, kind: str) -> numpy.ndarray:
        """The ids of all rows of a kind that have come, as references count them."""
        parts = self._ids.get(kind, [])
        if len(self._joined.get(kind, ())) != sum(c.shape[0] for c in parts):
            self._joined[kind] = numpy.concatenate([c.values for c in parts])
        return self._joined.get(kind, numpy.empty(0, object))

    def _add(self, bundle: Bundle, hash64: int) -> None:
        """Checks a bundle's place and references, then counts it."""
        place = _KINDS.index(bundle.kind) if bundle.kind in _SCHEMA else self._order
        if place < self._order:
            raise Error(f"a bundle of {bundle.kind} stands after the bundles that follow its kind")
        for name, column in bundle.columns.items():
            if column.ref is not None:
                rows = self.rows.get(column.ref, 0)
                if column.type[0] != "u":
                    raise Error(f"{bundle.kind}: column {name} refers to {column.ref}, but has type {column.type}")
                numbers = column.data if column.nulls is None else column.data[~column.nulls]
                if numbers.size and int(numbers.max()) >= rows:
                    raise Error(f"{bundle.kind}: column {name} refers to row {numbers.max()} of {rows} {column.ref}")
        if bundle.kind not in self.rows and len(self.rows) == MAX_KINDS:
            raise Error(f"more than {MAX_KINDS} kinds in a section")
        ids = bundle.columns.get("id")
        if ids is not None and ids.offsets is not None:  # a copy, so that vectors beside them can go
            self._ids.setdefault(bundle.kind, []).append(Column("text", ids.data.copy(), ids.offsets.copy()))
        self.rows[bundle.kind] = self.rows.get(bundle.kind, 0) + bundle.rows
        self._order = place
        self.bundles += 1
        self._hashes += struct.pack("<Q", hash64)

    def _sum(self) -> str:
        return "%016x" % _xxh3(bytes(self._hashes))


class Bundle(Mapping):
    """Named columns: bundle["reward"] is an array (Column.values), bundle.columns["reward"] the column itself.

    kind     "users", "items" and so on
    rows     how many; 0 of a model, whose columns have shapes of their own
    meta     a dictionary
    section  the Section that it stands in; None of one that was made of several sections, or here
    digest   that of the record that it was, 16 hexadecimal digits; None of one that was made here
    """
    digest: str | None = None

    def __init__(self, kind: str, columns: Mapping[str, Column], meta: Mapping[str, Any] | None = None,
                 section: Section | None = None, ids: Callable[[str], numpy.ndarray] | None = None):
        self.kind, self.columns, self.meta, self.section = kind, dict(columns), dict(meta or {}), section
        self.rows = 0 if kind == "model" or not self.columns else next(iter(self.columns.values())).shape[0]
        self._ids = ids or (section.ids if section else None)

    __eq__, __hash__ = object.__eq__, object.__hash__  # a Mapping would compare arrays

    def __getitem__(self, name: str) -> numpy.ndarray:
        if name not in self.columns:
            raise KeyError(f"{self.kind}: no column {name}; there are {', '.join(self.columns)}")
        return self.columns[name].values

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"<{self.rows} {self.kind}: {', '.join(f'{n} {c.type}{list(c.shape)}' for n, c in self.columns.items())}>"

    def ids(self, name: str) -> numpy.ndarray:
        """The ids that a column of references stands for; of a column of texts, the texts."""
        column = self.columns[name]
        if column.ref is None:
            return self[name]
        if self._ids is None:
            raise Error(f"{self.kind}: column {name} refers to {column.ref}, which are not here")
        numbers, known = column.data, self._ids(column.ref)
        if column.nulls is None:
            return known[numbers]
        ids = numpy.full(numbers.shape, None, object)
        ids[~column.nulls] = known[numbers[~column.nulls]]
        return ids

    @property
    def fields(self) -> dict[str, numpy.ndarray]:
        """The named parts of the vectors (meta["fields"]), each a view (rows, width)."""
        vectors = self["vector"]
        return {name: vectors[:, at:at + width] for name, at, width in self.meta.get("fields", [])}

    def with_columns(self, columns: Mapping[str, Any], meta: Mapping[str, Any] | None = None) -> Bundle:
        """A copy with more columns, or others in place of those of the same names; meta is added to what is there."""
        words = _SCHEMA.get(self.kind, {})
        more = {name: _column_of(name, v, words.get(name, "").split(), self._find) for name, v in columns.items()}
        return Bundle(self.kind, {**self.columns, **more}, {**self.meta, **(meta or {})}, self.section, self._ids)

    def whole(self, start: Bundle) -> Bundle:
        """The model of which this has only what differs from the one that its training started from (meta["delta"])."""
        delta = self.meta.get("delta")
        if not isinstance(delta, dict) or not all(isinstance(delta.get(k), list) for k in ("columns", "meta")):
            raise Error("this is no model that has only what differs from its start")
        if delta.get("start") != start.digest:
            raise Error(f"it started from the model {delta.get('start')}, and this is {start.digest}")
        try:
            meta = {k: self.meta.get(k, start.meta.get(k)) for k in delta["meta"]}
            return Bundle(self.kind, {n: self._whole_column(n, start) for n in delta["columns"]}, meta, self.section)
        except (KeyError, IndexError, TypeError, ValueError):
            raise Error("what differs from its start is no model") from None

    def _whole_column(self, name: str, start: Bundle) -> Column:
        rows = self.columns.get(f"delta.{name}")
        if rows is None:
            return self.columns[name] if name in self.columns else start.columns[name]
        data, now = start.columns[name].data.copy(), self.columns[name].data
        part = data.reshape(-1) if now.ndim == 1 else data
        part[rows.data] = now
        return Column(self.columns[name].type, data)

    def _find(self, kind: str, ids: Sequence[str]) -> numpy.ndarray:
        if self._ids is None:
            raise Error(f"{self.kind}: the {kind} are not here")
        return _find(kind, ids, {v: i for i, v in enumerate(self._ids(kind))})

    def frame(self) -> Any:
        """A pandas frame: a column for each column, ids in place of references, a vector an array in its cell."""
        import pandas

        if self.kind == "model":
            raise Error("a model is no table: its columns have shapes of their own")
        return pandas.DataFrame({name: self._series(name, pandas) for name in self.columns})

    def _series(self, name: str, pandas: Any) -> Any:
        column = self.columns[name]
        values = self.ids(name) if column.ref is not None else column.values
        if values.ndim > 1:
            return pandas.Series(list(values), dtype=object)
        if column.type == "json":
            return pandas.Series(list(values)).infer_objects()
        if isinstance(values, numpy.ma.MaskedArray):
            if values.dtype.kind == "f":
                return pandas.Series(values.filled(numpy.nan))
            return pandas.Series(pandas.arrays.IntegerArray(values.data.copy(), values.mask.copy()))
        return pandas.Series(values)


def _find(kind: str, ids: Sequence[str], known: Mapping[str, int]) -> numpy.ndarray:
    try:
        return numpy.array([known[i] for i in ids], "<u4")
    except KeyError as e:
        raise Error(f"{e.args[0]!r} is none of the {kind}") from None


def _check(bundle: Bundle) -> None:
    """Section 4 of the format: the columns that a kind has."""
    rules, kind = _SCHEMA.get(bundle.kind, {}), bundle.kind
    for name, words in ((n, w.split()) for n, w in rules.items()):
        column = bundle.columns.get(name)
        if column is None:
            if "always" in words:
                raise Error(f"{kind}: no column {name}")
            continue
        if column.type not in _MAY_BE[words[0]]:
            raise Error(f"{kind}: column {name} has type {column.type}")
        if len(column.shape) != (2 if "matrix" in words else 1):
            raise Error(f"{kind}: column {name} has {len(column.shape)} dimensions")
        if "of" in words and column.ref != words[-1]:
            raise Error(f"{kind}: column {name} does not say that it refers to {words[-1]}")
        if column.nulls is not None and "null" not in words:
            raise Error(f"{kind}: column {name} may not have nulls")
    for name, column in bundle.columns.items():
        words = rules.get(name, "").split()
        if kind != "model" and column.shape[0] != bundle.rows:
            raise Error(f"{kind}: column {name} has {column.shape[0]} rows, not {bundle.rows}")
        for prefix, type_ in (("text.", "text"), ("attr.", "json")):
            if kind in _SCHEMA and name.startswith(prefix) and column.type != type_:
                raise Error(f"{kind}: column {name} is not {type_}")
        if kind in _SCHEMA and column.type in _FLOATS or "place" in words:
            _check_numbers(kind, name, column, words)
    if kind in ("users", "items") and "vector" in bundle.columns and "fields" in bundle.meta:
        _check_fields(kind, bundle.meta["fields"], bundle.columns["vector"].shape[1])


def _check_numbers(kind: str, name: str, column: Column, words: Sequence[str]) -> None:
    data = _float32(column.data) if column.type == "bf16" else column.data
    if column.nulls is not None:
        data = data[~column.nulls]
    if not numpy.isfinite(data).all():
        raise Error(f"{kind}: column {name}: not a finite number")
    if data.ndim > 1 and (numpy.abs(data) > numpy.finfo(numpy.float32).max).any():
        raise Error(f"{kind}: column {name}: a vector's number beyond float32")
    if "chance" in words and ((data <= 0) | (data > 1)).any():
        raise Error(f"{kind}: column {name}: no probability of what has happened")
    if "place" in words and (data < 1).any():
        raise Error(f"{kind}: column {name}: no place: the first is 1")


def _check_fields(kind: str, fields: Any, width: int) -> None:
    if not isinstance(fields, (list, tuple)) or len(fields) > MAX_FIELDS:
        raise Error(f"{kind}: meta.fields is no list of up to {MAX_FIELDS}")
    for field in fields:
        if not isinstance(field, (list, tuple)) or len(field) != 3 or not isinstance(field[0], str):
            raise Error(f"{kind}: meta.fields: not [name, offset, width]")
        name, at, span = field
        if not all(isinstance(n, (int, numpy.integer)) for n in (at, span)) or at < 0 or span < 1 or at + span > width:
            raise Error(f"{kind}: meta.fields: field {name} is not inside a vector of {width}")


# ---- from bytes to values ----

def _decode(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Section 1: the payload, whatever it is packed in."""
    first, chunks = b"", iter(chunks)
    while len(first) < 4 and (chunk := next(chunks, b"")):
        first += chunk
    if first[:4] == b"\x28\xb5\x2f\xfd":
        begin: Callable[[], Any] = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj
    elif first[:2] == b"\x1f\x8b":
        begin = functools.partial(zlib.decompressobj, 16 + 15)
    else:
        yield first
        yield from chunks
        return
    decoder, inside = begin(), False
    for chunk in itertools.chain((first,), chunks):
        for at in range(0, len(chunk), INPUT):
            left = chunk[at:at + INPUT]
            while left:
                try:
                    data = decoder.decompress(left)
                except (zstandard.ZstdError, zlib.error) as e:
                    raise Error(f"damaged, or bytes behind a frame that are none: {e}") from None
                inside, left = not decoder.eof, decoder.unused_data if decoder.eof else b""
                if decoder.eof:
                    decoder = begin()
                yield data
    if inside:
        raise Error("cut off inside a compressed frame")


class _Payload:
    """Exactly as many bytes as are asked for."""

    def __init__(self, chunks: Iterable[bytes]):
        self.chunks, self.held, self.at = _decode(chunks), b"", 0

    def read(self, n: int) -> bytearray:
        """n bytes; fewer only where the payload ends."""
        out = bytearray()
        while len(out) < n:
            if self.at == len(self.held):
                held = next(self.chunks, None)
                if held is None:
                    break
                self.held, self.at = held, 0
            piece = memoryview(self.held)[self.at:self.at + n - len(out)]
            out += piece
            self.at += len(piece)
        return out


_SIZED = {0xd9: (str, ">B"), 0xda: (str, ">H"), 0xdb: (str, ">I"), 0xc4: (bytes, ">B"), 0xc5: (bytes, ">H"), 0xc6: (bytes, ">I"),
          0xdc: (list, ">H"), 0xdd: (list, ">I"), 0xde: (dict, ">H"), 0xdf: (dict, ">I")}
_SCALARS = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}


class _Body:
    """A record's body, parsed. msgpack's own parser would copy every binary, and reserve what a header claims; here a
    binary is a view of the body, and a container begins when the body has a byte for each of its elements."""

    def __init__(self, body: memoryview):
        self.body, self.at, self.budget = body, 0, min(len(body), MAX_VALUES)

    def whole(self) -> Any:
        try:
            value = self.value(0)
        except UnicodeDecodeError:
            raise Error("a string that is not UTF-8") from None
        if self.at != len(self.body):
            raise Error("a record with bytes behind its MessagePack")
        return value

    def take(self, n: int) -> memoryview:
        self.at += n
        if self.at > len(self.body):
            raise Error("a record whose MessagePack is longer than its body")
        return self.body[self.at - n:self.at]

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self, depth: int) -> Any:
        kind: Any
        byte = self.take(1)[0]
        if byte < 0x80 or byte >= 0xe0:
            return byte - 256 * (byte >= 0xe0)
        if byte < 0xc0:
            kind, n = (dict, byte & 15) if byte < 0x90 else (list, byte & 15) if byte < 0xa0 else (str, byte & 31)
        elif byte in _SIZED:
            kind, n = _SIZED[byte][0], self.number(_SIZED[byte][1])
        elif byte in _SCALARS:
            return self.scalar(_SCALARS[byte])
        elif byte in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[byte]
        else:
            raise Error("a record that is not MessagePack" if byte == 0xc1 else "a MessagePack extension type")
        if kind is str:
            return str(self.take(n), "utf-8")
        return self.take(n) if kind is bytes else self.container(kind, n, depth + 1)

    def scalar(self, form: str) -> int | float:
        n = self.number(form)
        if form == ">Q" and n >= 1 << 63:
            raise Error("an integer over 2^63 - 1")
        return n

    def container(self, kind: type, n: int, depth: int) -> list | dict:
        self.budget -= n * (1 + (kind is dict))
        if depth > MAX_DEPTH:
            raise Error(f"a record nested more than {MAX_DEPTH} deep")
        if self.budget < 0:
            raise Error("a container claims more elements than its record can hold")
        if kind is list:
            return [self.value(depth) for _ in range(n)]
        out: dict[str, Any] = {}
        for _ in range(n):
            key = self.value(depth)
            if not isinstance(key, str):
                raise Error("a map's key that is no string")
            if key in out:
                raise Error(f"a map has the key {key!r} twice")
            out[key] = self.value(depth)
        return out


def _is_count(n: Any) -> bool:
    return type(n) is int and n >= 0


def _binary(name: str, column: Mapping[str, Any], key: str, base: int) -> numpy.ndarray:
    """A binary of a column as bytes, which must stand at a multiple of 64 from the body's first byte."""
    if not isinstance(column.get(key), memoryview):
        raise Error(f"column {name}: no {key}")
    data = numpy.frombuffer(column[key], "u1") if len(column[key]) else numpy.empty(0, "u1")
    if len(data) and (data.ctypes.data - base) % 64:
        raise Error(f"column {name}: its {key} are not aligned")
    return data


def _check_text(name: str, data: numpy.ndarray, offsets: numpy.ndarray) -> None:
    if offsets[0] != 0 or offsets[-1] != len(data):
        raise Error(f"column {name}: its offsets do not span its data")
    if (offsets[1:] < offsets[:-1]).any():
        raise Error(f"column {name}: its offsets descend")
    try:
        str(memoryview(data), "utf-8")
    except UnicodeDecodeError:
        raise Error(f"column {name}: text that is not UTF-8") from None
    inner = offsets[offsets < len(data)]
    if ((data[inner] & 0xc0) == 0x80).any():
        raise Error(f"column {name}: an offset inside a character")


def _column_from(c: Any, base: int) -> tuple[str, Column]:
    name = c.get("name") if isinstance(c, dict) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise Error("a column without a name")
    shape, type_, ref = c.get("shape"), c.get("type"), c.get("ref")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 4 or not all(map(_is_count, shape)):
        raise Error(f"column {name}: its shape is not 1 to 4 numbers in range")
    if ref is not None and not (isinstance(ref, str) and ref):
        raise Error(f"column {name}: its ref is no kind")
    data, nulls = _binary(name, c, "data", base), None
    if "nulls" in c:
        flags = c["nulls"]
        if not isinstance(flags, memoryview) or len(flags) != shape[0] or len(shape) != 1:
            raise Error(f"column {name}: nulls are not one flag a row")
        nulls = numpy.frombuffer(flags, "u1") if len(flags) else numpy.empty(0, "u1")
        if (nulls > 1).any():
            raise Error(f"column {name}: a null flag that is neither 0 nor 1")
        nulls = nulls.view(bool)
    if type_ in ("text", "json"):
        offsets = _binary(name, c, "offsets", base)
        if len(offsets) != 4 * (shape[0] + 1) or len(shape) != 1:
            raise Error(f"column {name}: its offsets are not one a row and one more")
        if "shuffle" in c:
            raise Error(f"column {name}: texts that are shuffled")
        offsets = offsets.view("<u4")
        _check_text(name, data, offsets)
        return name, Column(type_, data, offsets, nulls, ref)
    if type_ not in _NUMBERS:
        raise Error(f"column {name}: a type that is not known")
    dtype, elements = numpy.dtype(_NUMBERS[type_]), 1
    for n in shape:
        elements *= n
    if elements * dtype.itemsize != len(data) or (elements == 0 and max(shape) >= 1 << 40):
        raise Error(f"column {name}: its shape does not match its bytes")
    shuffle = "shuffle" in c
    if shuffle:
        if c["shuffle"] is not True or dtype.itemsize < 2:
            raise Error(f"column {name}: its shuffle is not true, or its type has no bytes to shuffle")
        data = numpy.ascontiguousarray(data.reshape(dtype.itemsize, -1).T).ravel()
        data.flags.writeable = False
    return name, Column(type_, data.view(dtype).reshape(shape), None, nulls, ref, shuffle)


def _bundle_from(record: Mapping[str, Any], body: memoryview, section: Section) -> Bundle:
    kind, meta, columns = (record.get(k) for k in ("kind", "meta", "columns"))
    rows: Any = record.get("rows")
    if not isinstance(kind, str) or not kind or "\0" in kind:
        raise Error("a bundle without a kind")
    if not _is_count(rows) or rows > len(body):
        raise Error(f"{kind}: its number of rows is out of range")
    if not isinstance(meta, dict) or not isinstance(columns, list) or len(columns) > MAX_COLUMNS:
        raise Error(f"{kind}: no meta, or no list of up to {MAX_COLUMNS} columns")
    base = numpy.frombuffer(body, "u1").ctypes.data
    named = [_column_from(c, base) for c in columns]
    bundle = Bundle(kind, dict(named), meta, section)
    if len(bundle.columns) != len(named):
        raise Error(f"{kind}: two columns of one name")
    if kind == "model" and rows:
        raise Error("a model with rows, where it is no table")
    bundle.rows = rows
    _check(bundle)
    return bundle


# ---- reading ----

def _chunks(file: BinaryIO) -> Iterator[bytes]:
    read = getattr(file, "read1", file.read)  # what has come, without waiting for more
    while chunk := read(1 << 18):
        yield chunk


class Reader:
    """Bundles of a stream, one by one, each verified before it is given: for bundle in Reader("x.dq").

    source is a path, "-" or nothing for standard input, or a binary file. sections grows as heads come. The iteration
    ends where the stream ends well; a stream that is cut off is an Error, and who leaves the loop earlier does not learn
    of it.
    """

    def __init__(self, source: Source = None):
        self.sections: list[Section] = []
        self._own = False
        if source is None or source == "-":
            self._file, self.name = _standard(sys.stdin), "stdin"
        elif isinstance(source, (str, os.PathLike)):
            self._file, self.name, self._own = open(source, "rb"), os.fspath(source), True
        else:
            self._file, self.name = source, str(getattr(source, "name", "a stream"))
        self._payload, self._records, self._bundles = _Payload(_chunks(self._file)), 0, self._all()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        if self._own:
            self._file.close()

    def __iter__(self) -> Iterator[Bundle]:
        return self._bundles

    def _record(self) -> tuple[dict[str, Any], memoryview, int] | None:
        """Section 2: a record, its body and its hash; None at the end of the payload."""
        header = self._payload.read(18)
        if not header:
            return None
        if header[0] != 0xcf or len(header) > 9 and header[9] != 0xcf:
            raise Error("not a dq stream" if not self._records else "bytes that are no record")
        if len(header) < 18:
            raise Error("cut off inside a record's header")
        length, hash64 = struct.unpack(">xQxQ", header)
        if not 1 <= length <= MAX_BODY:
            raise Error(f"a record claims {length} bytes")
        body = memoryview(self._payload.read(length)).toreadonly()
        if len(body) < length:
            raise Error("cut off inside a record")
        if _xxh3(body) != hash64:
            raise Error("damaged: its bytes do not have its hash")
        record = _Body(body).whole()
        if not isinstance(record, dict) or record.get("dq") not in ("head", "bundle", "end"):
            raise Error("a record that is neither head, bundle nor end")
        return record, body, hash64

    def _all(self) -> Iterator[Bundle]:
        section: Section | None = None
        try:
            while (found := self._record()) is not None:
                (record, body, hash64), what = found, found[0]["dq"]
                self._records += 1
                if what == "head":
                    if section:
                        raise Error("cut off: a new section begins before this one's end")
                    section = _section_from(record)
                    self.sections.append(section)
                elif section is None:
                    raise Error("no head where a section should begin")
                elif what == "bundle":
                    bundle = _bundle_from(record, body, section)
                    bundle.digest = f"{hash64:016x}"
                    section._add(bundle, hash64)
                    yield bundle
                else:
                    _end(section, record)
                    section = None
            if section or not self.sections:
                raise Error("cut off: its section has no end" if section else "empty: no stream")
        except Error as e:
            raise Error(f"{self.name}: record {self._records + 1}: {e}") from None


def _standard(file: Any) -> BinaryIO:
    if file.isatty():
        raise Error(f"{file.name} is a terminal, where a stream is wanted: name a file, or pipe one")
    return file.buffer


def _section_from(head: Mapping[str, Any]) -> Section:
    version, maker = head.get("version"), head.get("maker")
    if not isinstance(version, list) or len(version) != 2 or not all(map(_is_count, version)):
        raise Error("a head without a version")
    if version[0] != 1:
        raise Error(f"version {version[0]} of the stream format, where this reads version 1")
    if not isinstance(maker, dict):
        raise Error("a head without a maker")
    return Section(maker)


def _end(section: Section, end: Mapping[str, Any]) -> None:
    if end.get("bundles") != section.bundles or end.get("rows") != section.rows:
        raise Error("its end does not count what it holds")
    if end.get("digest") != section._sum():
        raise Error("its end has another digest: bundles are missing or in another order")
    section.digest, section.inputs = end["digest"], end.get("inputs")


class Stream:
    """All of a stream, in memory: stream.items["id"], stream["items"], stream.models.

    Bundles of a kind are one, sections stand one behind the other, and references count the rows of the whole: for
    transitions t, stream.items["id"][t["item"]] are ids, as are t.ids("item").
    """

    def __init__(self, bundles: Iterable[Bundle], sections: Sequence[Section]):
        self.models: list[Bundle] = []
        self.sections = sections
        self._parts: dict[str, list[Bundle]] = {}
        self._kinds: dict[str, Bundle] = {}
        for bundle in bundles:
            (self.models if bundle.kind == "model" else self._parts.setdefault(bundle.kind, [])).append(bundle)

    @property
    def kinds(self) -> list[str]:
        """The kinds that it has rows of, in the order in which they came; models apart."""
        return list(self._parts)

    def __contains__(self, kind: str) -> bool:
        return kind in self._parts

    def __getitem__(self, kind: str) -> Bundle:
        if kind not in self._parts:
            raise KeyError(f"no {kind}; there are {', '.join(self._parts) or 'none of any kind'}")
        if kind not in self._kinds:
            self._kinds[kind] = self._join(kind)
        return self._kinds[kind]

    def __getattr__(self, name: str) -> Bundle:
        if name in _SCHEMA and name != "model":
            try:
                return self[name]
            except KeyError as e:
                raise AttributeError(e.args[0]) from None
        raise AttributeError(name)

    def _join(self, kind: str) -> Bundle:
        parts, first = self._parts[kind], self._first_rows()
        names = list(dict.fromkeys(name for part in parts for name in part.columns))
        for key, words in (("fields", "have different fields"), ("scale", "are scaled in different ways")):
            said = [part.meta.get(key) for part in parts if "vector" in part.columns]
            if any(s != said[0] for s in said):
                raise Error(f"{kind}: bundles whose vectors {words}")
        meta = {k: v for k, v in parts[0].meta.items() if all(part.meta.get(k) == v for part in parts)}
        columns = {name: _concatenate(kind, name, [(part, first[id(part.section)]) for part in parts]) for name in names}
        return Bundle(kind, columns, meta, None, lambda k: numpy.concatenate([s.ids(k) for s in self.sections]))

    def _first_rows(self) -> dict[int, dict[str, int]]:
        """Of each section, how many rows of each kind stand in those before it."""
        first: dict[int, dict[str, int]] = {}
        sums: dict[str, int] = {}
        for section in self.sections:
            first[id(section)] = dict(sums)
            for kind, rows in section.rows.items():
                sums[kind] = sums.get(kind, 0) + rows
        return first


def _concatenate(kind: str, name: str, parts: Sequence[tuple[Bundle, Mapping[str, int]]]) -> Column:
    """A column of all parts; rows of parts without it are null. Part 1 of each pair: where its references begin."""
    have = [part.columns[name] for part, _ in parts if name in part.columns]
    if len(have) == len(parts) == 1:
        return have[0]
    if len({(c.offsets is None, c.type if c.offsets is not None else "", c.shape[1:], c.ref) for c in have}) > 1:
        raise Error(f"{kind}: column {name} has several types or widths")
    like = have[0]
    columns = [part.columns.get(name) or _nothing(like, part.rows) for part, _ in parts]
    nulls = None
    if any(c.nulls is not None for c in columns):
        nulls = numpy.concatenate([numpy.zeros(c.shape[0], bool) if c.nulls is None else c.nulls for c in columns])
    if like.offsets is not None:
        starts = numpy.cumsum([0] + [len(c.data) for c in columns])
        offsets = [numpy.zeros(1, "<u8")] + [c.offsets[1:] + s.astype("<u8") for c, s in zip(columns, starts) if c.offsets is not None]
        return Column(like.type, numpy.concatenate([c.data for c in columns]), numpy.concatenate(offsets), nulls)
    if like.ref:
        first = [before.get(like.ref, 0) for _, before in parts]
        arrays = [c.data + numpy.uint64(n) if n else c.data for c, n in zip(columns, first)]
        data = numpy.concatenate(arrays)
    elif len({c.type for c in columns}) == 1:
        return Column(like.type, numpy.concatenate([c.data for c in columns]), None, nulls)
    else:
        data = numpy.concatenate([_float32(c.data) if c.type == "bf16" else c.data for c in columns])
    return Column(_TYPES[data.dtype], data, None, nulls, like.ref)


def _nothing(like: Column, rows: int) -> Column:
    """A column of nulls. Where no null may stand, in a matrix, there are zeros."""
    if like.offsets is not None:
        return _text_column(like.type, [None] * rows)
    nulls = numpy.ones(rows, bool) if like.data.ndim == 1 else None
    return Column(like.type, numpy.zeros((rows, *like.shape[1:]), like.data.dtype), None, nulls, like.ref)


def read(source: Source = None) -> Stream:
    """All of a stream: a path, "-" or nothing for standard input, or a binary file."""
    with Reader(source) as reader:
        return Stream(list(reader), reader.sections)


def frame(source: Source, kind: str) -> Any:
    """The rows of one kind as a pandas frame, from a path, "-" or a binary file. Other kinds are read past."""
    with Reader(source) as reader:
        kept = [bundle for bundle in reader if bundle.kind == kind]
        if not kept:
            there = dict.fromkeys(k for section in reader.sections for k in section.rows)
            raise Error(f"{reader.name}: no {kind}; there are {', '.join(there) or 'none of any kind'}")
        return (kept[0] if kind == "model" else Stream(kept, reader.sections)[kind]).frame()


# ---- writing ----

def _plain(value: Any) -> Any:
    """For msgpack: a number of NumPy as Python's."""
    if isinstance(value, (numpy.generic, numpy.ndarray)):
        return value.tolist()
    raise Error(f"{type(value).__name__} is nothing that metadata have")


def _pack(value: Any) -> bytes:
    return msgpack.packb(value, default=_plain, use_bin_type=True)


def _prune(value: Any, depth: int) -> Any:
    """A copy whose containers nest at most depth deep: None stands where the tree was cut."""
    if not isinstance(value, (list, dict)):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_prune(v, depth - 1) for v in value]
    return {k: _prune(v, depth - 1) for k, v in value.items()}


def _body_of(bundle: Bundle) -> bytes:
    """Section 3.2."""
    out = [b"\x85" + b"".join(map(_pack, ("dq", "bundle", "kind", bundle.kind, "rows", bundle.rows, "meta", bundle.meta, "columns")))]
    out[0] += _list_header(len(bundle.columns))
    at = len(out[0])

    def put(*pieces: Any) -> None:
        nonlocal at
        for piece in pieces:
            out.append(piece)
            at += len(piece)

    def binary(key: str, array: numpy.ndarray, padded: bool = True) -> None:
        data = memoryview(numpy.ascontiguousarray(array)).cast("B") if array.size else b""
        if padded:
            put(_pack(key + "_pad"))
            pad = -(at + 2 + 1 + len(key) + 5) % 64
            put(bytes((0xc4, pad)) + bytes(pad))
        put(_pack(key), struct.pack(">BI", 0xc6, len(data)), data)

    for name, c in bundle.columns.items():
        pairs = {"name": name, "type": c.type, "shape": list(c.shape), **({"ref": c.ref} if c.ref else {})}
        put(bytes((0x80 | len(pairs) + 2 + (c.nulls is not None) + 2 * (c.offsets is not None) + c.shuffle,)))
        put(*(_pack(v) for pair in pairs.items() for v in pair))
        if c.nulls is not None:
            binary("nulls", c.nulls.astype("u1"), padded=False)
        if c.offsets is not None:
            binary("offsets", c.offsets.astype("<u4"))
        data = c.data
        if c.shuffle:
            put(_pack("shuffle"), _pack(True))
            data = numpy.ascontiguousarray(data).reshape(-1).view("u1").reshape(-1, data.itemsize).T
        binary("data", data)
    if at > MAX_BODY:
        raise Error(f"{bundle.kind}: a record of {at} bytes, where 2^30 are the most")
    return b"".join(out)


def _list_header(n: int) -> bytes:
    if n > MAX_COLUMNS:
        raise Error(f"{n} columns, where {MAX_COLUMNS} are the most")
    return bytes((0x90 | n,)) if n < 16 else struct.pack(">BH", 0xdc, n)


class _Target:
    """Where a stream goes: a file that gets its name when it is complete, a pipe or device, or somebody's file."""

    def __init__(self, target: Source):
        self.path = self.aside = ""
        self.own = False
        if target is None or target == "-":
            self.file = _standard(sys.stdout)
        elif isinstance(target, (str, os.PathLike)):
            self.file, self.own = self._open(os.path.realpath(os.fspath(target))), True
        else:
            self.file = target

    def _open(self, path: str) -> BinaryIO:
        there = os.path.exists(path)
        if there and not os.path.isfile(path):  # a pipe, a device
            return open(path, "wb")
        folder, name = os.path.split(path)
        self.path, self.aside = path, os.path.join(folder, f".{name}.{secrets.token_hex(4)}")
        fd = os.open(self.aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        if there:
            os.fchmod(fd, os.stat(path).st_mode & 0o7777)
        return os.fdopen(fd, "wb")

    def complete(self) -> None:
        if self.aside:
            os.fsync(self.file.fileno())
            os.replace(self.aside, self.path)
            self.aside = ""

    def discard(self) -> None:
        try:
            if self.own:
                self.file.close()  # which may find the disk full
        finally:
            if self.aside:
                os.unlink(self.aside)
                self.aside = ""


class Writer:
    """A stream of one section, or several:

        with dq.Writer("x.dq", program="mine.py", version="1") as writer:
            writer.write("items", {"id": ["i1"], "text.title": ["One"], "attr.year": [1999], "vector": [[0.5, 1]]},
                         meta={"fields": [["title", 0, 2]]})

    source is a path, which appears when the stream is complete; "-" or nothing for standard output; or a binary file.
    program, version, options and seed go into the head: who made this, and of what. inputs are the Readers (or Streams)
    that it was made of, whose makers and digests are written down.

    An exception inside of `with` leaves no file, and on a pipe a stream that is cut off, which every reader reports.
    """

    def __init__(self, target: Source = None, *, program: str = "python", version: str | None = None,
                 options: Mapping[str, Any] | None = None, seed: int | None = None, inputs: Sequence[Reader | Stream] = ()):
        if version is None:
            version = platform.python_version() if program == "python" else "0"
        self._maker = {"program": program, "version": version, "options": dict(options or {}), "seed": seed}
        self._inputs, self._known = list(inputs), [0] * len(inputs)
        self._target: _Target | None = _Target(target)
        self._file = self._target.file
        self._zstd = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
        self._section: Section | None = None
        self._from: Section | None = None
        self._rows_of: dict[str, dict[str, int]] = {}

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.abort() if kind else self.close()

    # A section's head is written when its first bundle comes, so that it names what the inputs have told by then.

    def _begin(self) -> Section:
        if self._section is None:
            sections = [list(i.sections) for i in self._inputs]
            self._known = [len(s) for s in sections]
            makers = [_prune(s.maker, MAX_DEPTH - 4) for part in sections for s in part]
            self._section = Section({**self._maker, "inputs": makers})
            self._record(_pack({"dq": "head", "version": [1, 0], "maker": self._section.maker}))
        return self._section

    def _record(self, body: bytes) -> int:
        hash64 = _xxh3(body)
        self._file.write(self._zstd.compress(struct.pack(">BQBQ", 0xcf, len(body), 0xcf, hash64)))
        self._file.write(self._zstd.compress(body))
        return hash64

    def next_section(self) -> None:
        """Ends the section that was begun, if there is one. What is written next begins another."""
        if self._section is None:
            return
        inputs = []
        for source, known in zip(self._inputs, self._known):
            for i, section in enumerate(source.sections):
                late = {} if i < known else {"maker": _prune(section.maker, MAX_DEPTH - 4)}
                inputs.append({"digest": section.digest, **late})
        s = self._section
        self._record(_pack({"dq": "end", "bundles": s.bundles, "rows": s.rows, "digest": s._sum(), "inputs": inputs}))
        self._section, self._from, self._rows_of = None, None, {}

    def write(self, what: Bundle | str, columns: Any = None, meta: Mapping[str, Any] | None = None) -> None:
        """Writes a bundle, or a kind's columns: a dictionary of lists or arrays, or a pandas frame.

        Texts become text, attr.NAME becomes JSON, numbers keep their type where the kind allows it (integers become
        float32 where floats are wanted, and unsigned where they count). None, a masked value, or NaN where a null may
        stand, is null. user and item of transitions may be ids of what this section has, or rows. A large table is cut
        into bundles. A bundle of a Reader stays whole, and begins a section where its own section began one.
        """
        if isinstance(what, Bundle):
            if what.section is None:
                self._cut(what)
                return
            if what.section is not self._from and self._from is not None:
                self.next_section()
            self._from = what.section
            self._put(what)
            return
        if columns is None:
            raise Error(f"{what}: no columns")
        words = _SCHEMA.get(what, {})
        self._begin()
        made: dict[str, Column] = {}
        for name in list(columns):
            try:
                made[name] = _column_of(name, columns[name], words.get(name, "").split(), self._find)
            except (Error, TypeError, ValueError) as e:
                raise Error(f"{what}: column {name}: {e}") from None
        self._cut(Bundle(what, made, meta))

    def _cut(self, bundle: Bundle) -> None:
        """Writes a table in bundles of about BLOCK bytes; a model whole."""
        each = sum(c._bytes() for c in bundle.columns.values()) // max(bundle.rows, 1) + 1
        step = max(BLOCK // each, 1)
        if bundle.kind == "model" or bundle.rows <= step:
            self._put(bundle)
            return
        _check(bundle)
        for first in range(0, bundle.rows, step):
            end = min(first + step, bundle.rows)
            self._put(Bundle(bundle.kind, {n: c.rows(first, end) for n, c in bundle.columns.items()}, bundle.meta))

    def _find(self, kind: str, ids: Sequence[str]) -> numpy.ndarray:
        return _find(kind, ids, self._rows_of.get(kind, {}))

    def _put(self, bundle: Bundle) -> None:
        section = self._begin()
        if not bundle.kind or "\0" in bundle.kind or any(not n or "\0" in n for n in bundle.columns):
            raise Error("a kind or a column without a name")
        _check(bundle)
        body = _body_of(bundle)
        _Body(memoryview(body)).whole()  # metadata within the limits
        if bundle.kind in ("users", "items"):
            known, ids = self._rows_of.setdefault(bundle.kind, {}), bundle["id"]
            known.update(zip(ids, range(len(known), len(known) + len(ids))))
            if len(known) != section.rows.get(bundle.kind, 0) + bundle.rows:
                raise Error(f"{bundle.kind}: an id stands twice")
        section._add(bundle, _xxh3(body))
        self._record(body)

    def flush(self) -> None:
        """Makes what was written visible to whoever reads the other end of a pipe."""
        self._file.write(self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        self._file.flush()

    def close(self) -> None:
        """Ends the stream; the file gets its name. A stream of nothing is a section without bundles."""
        if self._target is None:
            return
        try:
            self._begin()
            self.next_section()
            self._file.write(self._zstd.flush())
            self._file.flush()
            self._target.complete()
        finally:
            self.abort()

    def abort(self) -> None:
        """Leaves the stream as it is, without an end; a file that has no name yet is removed."""
        if self._target is not None:
            self._target.discard()
        self._target = None


def write(target: Source, kinds: Mapping[str, Any] | None = None, /, **more: Any) -> None:
    """Writes a stream of one section: dq.write("x.dq", users={...}, items=frame). Kinds are put in their order.

    Of a kind there are columns, or (columns, meta). For a head that names its program, and for bundles one after the
    other, there is Writer.
    """
    kinds = {**(kinds or {}), **more}
    known = [k for k in _KINDS if k in kinds]
    with Writer(target) as writer:
        for kind in known + [k for k in kinds if k not in _SCHEMA]:
            columns, meta = kinds[kind] if isinstance(kinds[kind], tuple) else (kinds[kind], None)
            writer.write(kind, columns, meta)
