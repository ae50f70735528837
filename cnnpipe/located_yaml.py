"""YAML 1.2 that remembers where every key and value stands.

Refused with a place: duplicate keys, merge keys, tags, several documents, keys that are not text, deep nesting and
aliases that multiply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from cnnpipe.errors import Path, Place, Problem, ProblemError
from cnnpipe.text_file import read_text
from cnnpipe.yaml_builder import Builder
from cnnpipe.yaml_mistakes import explained
from cnnpipe.yaml_nodes import Node

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Document:
    """A file that was read: its values and where each stands."""

    file: str
    lines: tuple[str, ...]
    root: Node

    @property
    def data(self) -> Any:
        """The content as plain dicts, lists and scalars."""
        return self.root.plain()

    def place(self, path: Path) -> Place:
        """Return the place of the key at `path`, or of its nearest ancestor."""
        return self.root.closest(path).key_place

    def value_place(self, path: Path) -> Place:
        """Return the place of the value at `path`, or of its nearest ancestor."""
        return self.root.closest(path).place


def read(file: File, shown: str | None = None) -> Document:
    """Read a YAML file whose top level is a mapping. `shown` is how problems name it.

    Raises:
        ProblemError: It is not there, no text, no YAML, or holds what is refused; each with its place.
    """
    shown = shown or str(file)
    return parse(read_text(file, shown), shown)


def parse(text: str, file: str) -> Document:
    """Parse a YAML text whose top level is a mapping.

    Raises:
        ProblemError: It is no YAML, or holds what is refused; each with its place.
    """
    root = parse_value(text, file)
    if not isinstance(root.value, dict):
        if root.value is None:
            raise _error(root.place, "the file is empty", "Write 'key: value' lines, or start from 'cnnpipe new'.")
        kind = "a list" if isinstance(root.value, tuple) else "a single value"
        raise _error(root.place, f"the top level must be a mapping of keys to values, and is {kind}")
    return Document(file, tuple(_BREAK.split(text)), root)


def parse_value(text: str, file: str) -> Node:
    """Parse a YAML text of any kind; see `parse`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    builder = Builder(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except YAMLError as error:
        raise ProblemError(explained(error, _BREAK.split(text), file)) from None
    if builder.problems:
        raise ProblemError(builder.problems)
    return builder.root


def _error(place: Place, message: str, hint: str = "") -> ProblemError:
    return ProblemError(Problem(message, place, hint=hint))
