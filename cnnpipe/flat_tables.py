"""Small flatbuffers by a schema that is data: tables as dictionaries, written and read without generated code.

A schema holds, for every table, the kind of each field by name, in the order of their slots. Kinds: `string`, `byte`,
`int`, `uint`, `float`, `[string]`, `[ubyte]`, `[uint]`, `[float]`, the name of a table, `[Table]`, and
`union A B …`, whose value is a pair of a table's name and its fields; `union` takes two slots.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Mapping[str, str]]
MOST_TABLES = 10_000
"""How many tables `read` follows: in a hostile buffer a few bytes can stand for any number of them."""
_SCALARS = {"byte": "B", "ubyte": "B", "int": "i", "uint": "I", "float": "f"}
_ALIGNMENT = 16


def write(schema: Schema, table: str, fields: Mapping[str, Any], identifier: bytes) -> bytes:
    """Return a buffer whose root is a table with these fields; fields that are None are left out."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(_written(builder, schema, table, fields), file_identifier=identifier)
    return bytes(builder.Output())


def read(schema: Schema, table: str, data: bytes, identifier: bytes, most_tables: int = MOST_TABLES) -> dict[str, Any]:
    """Return the fields of a buffer's root, those left out excepted; at most so many tables are followed.

    Raises:
        ValueError: It has another identifier, or is damaged.
    """
    if data[4:8] != identifier:
        raise ValueError(f"the mark {identifier.decode()} is missing")
    try:
        return _Reader(schema, data, most_tables).table(table, *struct.unpack_from("<I", data))
    except (struct.error, IndexError, OverflowError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _written(builder: Any, schema: Schema, table: str, fields: Mapping[str, Any]) -> int:
    """Write what the fields point to, then the table, and return where it is."""
    slots: list[Callable[[int], None] | None] = []
    for name, kind in schema[table].items():
        value = fields.get(name)
        if kind.startswith("union "):
            chosen = kind.split().index(value[0]) if value else 0
            slots.append(_scalar(builder, "byte", chosen) if value else None)
            kind, value = (value[0], value[1]) if value else (kind, None)
        if value is None:
            slots.append(None)
        elif kind in _SCALARS:
            slots.append(_scalar(builder, kind, value))
        else:
            slots.append(_offset(builder, _pointed_to(builder, schema, kind, value)))
    builder.StartObject(len(slots))
    for number, put in enumerate(slots):
        if put is not None:
            put(number)
    return int(builder.EndObject())


def _scalar(builder: Any, kind: str, value: Any) -> Callable[[int], None]:
    names = {"byte": "Uint8", "int": "Int32", "uint": "Uint32", "float": "Float32"}
    return lambda slot: getattr(builder, f"Prepend{names[kind]}Slot")(slot, value, 0)


def _offset(builder: Any, offset: int) -> Callable[[int], None]:
    return lambda slot: builder.PrependUOffsetTRelativeSlot(slot, offset, 0)


def _pointed_to(builder: Any, schema: Schema, kind: str, value: Any) -> int:
    if kind == "string":
        return int(builder.CreateString(value))
    if not kind.startswith("["):
        return _written(builder, schema, kind, value)
    inner = kind[1:-1]
    if inner in _SCALARS:
        return _packed(builder, inner, value)
    offsets = [_pointed_to(builder, schema, inner, item) for item in value]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _packed(builder: Any, kind: str, values: Any) -> int:
    """Write a vector of numbers; bytes are aligned, because they may be a buffer themselves."""
    content = struct.pack(f"<{len(values)}{_SCALARS[kind]}", *values)
    width = struct.calcsize(_SCALARS[kind])
    builder.StartVector(width, len(values), _ALIGNMENT if width == 1 else width)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return int(builder.EndVector())


class _Reader:
    """Follows offsets in a buffer that may be hostile."""

    def __init__(self, schema: Schema, data: bytes, most_tables: int) -> None:
        self._schema, self._data, self._most, self._left = schema, data, most_tables, most_tables

    def table(self, name: str, position: int) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it holds more than {self._most} tables")
        found: dict[str, Any] = {}
        slot = 0
        for field, kind in self._schema[name].items():
            if kind.startswith("union "):
                chosen, tables = self._at(position, slot), kind.split()
                number = self._number("B", chosen) if chosen else 0
                kind, slot = tables[number] if 0 < number < len(tables) else "", slot + 1
            if kind and (place := self._at(position, slot)):
                value = self._value(kind, place)
                found[field] = (kind, value) if self._schema[name][field] != kind else value
            slot += 1
        return found

    def _at(self, table: int, slot: int) -> int:
        """Return where the value of a slot lies; 0 when it was left out."""
        vtable = table - self._number("i", table)
        size = self._number("H", vtable)
        offset = self._number("H", vtable + 4 + 2 * slot) if 4 + 2 * slot < size else 0
        return table + offset if offset else 0

    def _value(self, kind: str, place: int) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind], place)
        place += self._number("I", place)
        if kind == "string":
            return self._bytes(place + 4, self._number("I", place)).decode()
        if not kind.startswith("["):
            return self.table(kind, place)
        inner, count = kind[1:-1], self._number("I", place)
        if inner in _SCALARS:
            size = count * struct.calcsize(_SCALARS[inner])
            return struct.unpack(f"<{count}{_SCALARS[inner]}", self._bytes(place + 4, size))
        if count > self._most:
            raise ValueError(f"a list of {count} in it")
        return [self._value(inner, place + 4 + 4 * number) for number in range(count)]

    def _number(self, code: str, place: int) -> Any:
        if place < 0:
            raise IndexError("an offset points outside")
        return struct.unpack_from(f"<{code}", self._data, place)[0]

    def _bytes(self, start: int, size: int) -> bytes:
        if start + size > len(self._data):
            raise IndexError("an offset points outside")
        return self._data[start : start + size]
