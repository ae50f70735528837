"""Small flatbuffers: what is written is read, and what is damaged is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnpipe import flat_tables

SCHEMA = {
    "Root": {"name": "string", "kind": "byte", "items": "[Item]", "shape": "union Square Circle", "data": "[ubyte]"},
    "Item": {"numbers": "[float]", "counts": "[uint]", "next": "Leaf", "words": "[string]"},
    "Leaf": {"value": "float", "count": "uint", "sign": "int"},
    "Square": {"side": "uint"},
    "Circle": {},
}
EXAMPLE: dict[str, Any] = {
    "name": "Käfer",
    "kind": 7,
    "items": [
        {"numbers": (0.5, -2.0), "counts": (1, 2**32 - 1)},
        {"next": {"value": 1.5, "sign": -3}, "words": ["a", ""]},
    ],
    "shape": ("Square", {"side": 4}),
    "data": (0, 255),
}


def _written(fields: dict[str, Any]) -> bytes:
    return flat_tables.write(SCHEMA, "Root", fields, b"TEST")


def _read(data: bytes) -> dict[str, Any]:
    return flat_tables.read(SCHEMA, "Root", data, b"TEST")


def test_what_is_written_is_read() -> None:
    assert _read(_written(EXAMPLE)) == EXAMPLE


def test_what_is_left_out_is_not_there_and_equal_content_gives_equal_bytes() -> None:
    assert _read(_written({"name": None, "kind": 1})) == {"kind": 1}
    assert _written(EXAMPLE) == _written(EXAMPLE)


def test_a_buffer_of_bytes_lies_on_a_border_of_16() -> None:
    data = _written({"data": tuple(range(5))})
    assert data.index(bytes(range(5))) % 16 == 0


def test_another_identifier_is_refused() -> None:
    with pytest.raises(ValueError, match="OTHR"):
        flat_tables.read(SCHEMA, "Root", _written(EXAMPLE), b"OTHR")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), st.integers(8, 400))
def test_damaged_buffers_are_read_or_refused(changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(_written(EXAMPLE))
    for place, value in changes:
        if not 4 <= place < 8 and place < len(data):
            data[place] = value
    try:
        _read(bytes(data[:end]))
    except ValueError:
        pass


def test_a_few_bytes_cannot_stand_for_endless_tables() -> None:
    with pytest.raises(ValueError):
        flat_tables.read({"Root": {**SCHEMA["Root"], "items": "[Root]"}}, "Root", _loop(), b"TEST")


def _loop() -> bytes:
    """Return a table whose list holds the table itself twice."""
    schema = {"Root": {**SCHEMA["Root"], "items": "[Root]"}}
    data = bytearray(flat_tables.write(schema, "Root", {"items": [{"items": []}, {"items": []}]}, b"TEST"))
    root = int.from_bytes(data[:4], "little")
    vtable = root - int.from_bytes(data[root : root + 4], "little", signed=True)
    field = root + int.from_bytes(data[vtable + 8 : vtable + 10], "little")
    items = field + int.from_bytes(data[field : field + 4], "little")
    for slot in (items + 4, items + 8):
        data[slot : slot + 4] = ((root - slot) % 2**32).to_bytes(4, "little")
    return bytes(data)
