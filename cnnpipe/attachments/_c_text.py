"""Values as C++ source text. The text is plain ASCII, whatever labels and names hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

TYPES = {
    "float32": "float",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "bool": "bool",
}
"""C++'s name of each type that an input or output of a microcontroller may have."""
ON_A_LINE = 16


def identifier(name: str) -> str:
    """Return a C++ identifier in lower case for any name; different names may give the same one."""
    text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return text if text and not text[0].isdigit() else f"m_{text}".rstrip("_")


def string(text: str) -> str:
    """Return a string literal of a text in UTF-8."""
    return '"' + "".join(_character(byte) for byte in text.encode()) + '"'


def number(value: float) -> str:
    """Return a literal of type `float` that gives exactly this number of 32 bits."""
    text = f"{value:.9g}"
    return f"{text}f" if any(mark in text for mark in ".en") else f"{text}.0f"


def values(array: np.ndarray) -> str:
    """Return the values of an array as indented lines, row by row, for the inside of braces."""
    flat = array.reshape(-1)
    texts = [number(float(value)) for value in flat] if flat.dtype.kind == "f" else [str(int(value)) for value in flat]
    return "\n".join(f"    {', '.join(line)}," for line in _lines(texts))


def content(data: bytes) -> str:
    """Return bytes as indented lines, for the inside of braces."""
    texts = [f"0x{byte:02x}" for byte in data]
    return "\n".join(f"    {', '.join(line)}," for line in _lines(texts))


def _lines(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), ON_A_LINE):
        yield texts[start : start + ON_A_LINE]


def _character(byte: int) -> str:
    character = chr(byte)
    plain = 32 <= byte < 127 and character not in '"\\?'  # two question marks may begin a trigraph
    return character if plain else f"\\{byte:03o}"
