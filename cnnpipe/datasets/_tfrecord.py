"""Reads TFRecord files of `tf.train.Example`, one record at a time, without TensorFlow.

A record is its length (8 bytes, little-endian), 4 bytes of checksum, the data, 4 bytes of checksum. The data is a
protocol buffer: https://protobuf.dev/programming-guides/encoding/, of the messages in tensorflow/core/example.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path

HEADER, FOOTER = 12, 4
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
BYTES_LIST, FLOAT_LIST, INT64_LIST = 1, 2, 3
Values = list[bytes] | list[int] | list[float]


def record_positions(file: Path) -> list[tuple[int, int]]:
    """Return position and length of the data of each record.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is cut off, or no such file.
    """
    size, position = file.stat().st_size, 0
    found: list[tuple[int, int]] = []
    with file.open("rb") as stream:
        while position < size:
            stream.seek(position)
            header = stream.read(HEADER)
            length = struct.unpack("<Q", header[:8])[0] if len(header) == HEADER else size
            if position + HEADER + length + FOOTER > size:
                raise ValueError(f"it is cut off: record {len(found)} reaches beyond its end")
            found.append((position + HEADER, length))
            position += HEADER + length + FOOTER
    return found


def features_of(record: bytes, keys: Collection[str]) -> dict[str, Values]:
    """Return the features of a `tf.train.Example` that are called by `keys`: lists of bytes or of numbers.

    Raises:
        ValueError: It is no such message.
    """
    found: dict[str, Values] = {}
    try:
        for features in _of(record, 1):
            for entry in _of(features, 1):
                fields = dict(_fields(entry))
                name = _bytes(fields.get(1, b"")).decode()
                if name in keys:
                    found[name] = _values(_bytes(fields.get(2, b"")))
    except (IndexError, struct.error, UnicodeDecodeError):
        raise ValueError("the record is damaged") from None
    return found


def _values(feature: bytes) -> Values:
    for kind, content in _fields(feature):
        if kind == BYTES_LIST:
            return _of(_bytes(content), 1)
        if kind == FLOAT_LIST:
            return [number for field, value in _fields(_bytes(content)) if field == 1 for number in _floats(value)]
        if kind == INT64_LIST:
            return [number for field, value in _fields(_bytes(content)) if field == 1 for number in _integers(value)]
    return []


def _integers(value: bytes | int) -> Iterator[int]:
    """Yield signed numbers, packed or single."""
    if isinstance(value, int):
        yield _signed(value)
        return
    position = 0
    while position < len(value):
        number, position = _varint(value, position)
        yield _signed(number)


def _floats(value: bytes | int) -> tuple[float, ...]:
    """Return the numbers of four bytes each, packed or single."""
    packed = _bytes(value)
    return struct.unpack(f"<{len(packed) // 4}f", packed)


def _of(message: bytes, field: int) -> list[bytes]:
    return [_bytes(value) for number, value in _fields(message) if number == field]


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of each field: a whole number for a varint, else bytes."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == VARINT:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            length, position = _varint(message, position)
        elif kind in (FIXED_64, FIXED_32):
            length = 8 if kind == FIXED_64 else 4
        else:
            raise ValueError("the record is damaged")
        if position + length > len(message):
            raise ValueError("the record is damaged")
        yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the number that begins at `position`, and where it ends."""
    number = shift = 0
    while True:
        byte = message[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("the record is damaged")
    return value
