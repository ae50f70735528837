"""Problems as text for people, and as plain values for `--json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnpipe.errors import Place, Problem
from cnnpipe.report.tables import printable

_WIDTH = 100


def render(problems: Iterable[Problem]) -> str:
    """Return all problems in the order of their places, each with its source line, then how many there are."""
    found = list(problems)
    sources: dict[str, list[str]] = {}
    blocks = [f"{problem}{_source(problem.place, sources)}" for problem in found]
    return printable("\n".join([*blocks, _counts(found)])) if found else ""


def as_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems as plain values: file, line, column, path, message, hint, severity."""
    return [
        {
            "file": problem.place.file if problem.place else None,
            "line": problem.place.line if problem.place else None,
            "column": problem.place.column if problem.place else None,
            "path": problem.path,
            "message": problem.message,
            "hint": problem.hint,
            "severity": problem.severity,
        }
        for problem in problems
    ]


def _source(place: Place | None, sources: dict[str, list[str]]) -> str:
    """Return the source line of a place, indented and with its number, cut around the column when it is long."""
    if place is None:
        return ""
    if place.file not in sources:
        sources[place.file] = _lines(place.file)
    lines = sources[place.file]
    if not 1 <= place.line <= len(lines) or not lines[place.line - 1].strip():
        return ""
    line = lines[place.line - 1].replace("\t", " ")
    start = max(0, min(place.column - 1 - _WIDTH // 2, len(line) - _WIDTH))
    shown = line[start : start + _WIDTH].rstrip()
    number = f"{place.line:>6} | "
    caret = " " * (len(number) + place.column - 1 - start)
    return f"\n{number}{shown}\n{caret}^"


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8-sig") as text:
            return text.read(1_000_000).split("\n")
    except (OSError, UnicodeDecodeError):
        return []


def _counts(problems: list[Problem]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    parts = [(errors, "error"), (len(problems) - errors, "warning")]
    return ", ".join(f"{number} {word}{'s' * (number != 1)}" for number, word in parts if number)
