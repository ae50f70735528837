"""Says in plain words what a YAML parser could not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cnnpipe.errors import Place, Problem

_TABLE = (
    (
        "mapping values are not allowed",
        "a ':' is not expected here",
        "Check the indentation of this line and the one before; put text that holds ': ' in quotes.",
    ),
    ("could not find expected ':'", "this line has no ':' after its key", "Write it as 'key: value'."),
    (
        "while scanning a quoted scalar",
        "the text in quotes that begins here has no closing quote",
        "Close it with the same kind of quote.",
    ),
    (
        "while parsing a flow sequence",
        "the list that begins here with '[' is not closed or lacks a comma",
        "Write it as [a, b, c].",
    ),
    (
        "while parsing a flow mapping",
        "the mapping that begins here with '{' is not closed or lacks a comma",
        "Write it as {key: value, key: value}.",
    ),
    (
        "while parsing a block collection",
        "this line is indented differently from the list items above it",
        "Begin every '-' of one list in the same column.",
    ),
    (
        "while parsing a block mapping",
        "this line is indented differently from the keys above it",
        "Begin all keys of one mapping in the same column.",
    ),
    ("unknown escape character", "the backslash begins no known escape", "Use single quotes, or write '\\\\'."),
    ("while scanning an anchor", "'&' must be followed by a name", "Put text that starts with '&' in quotes."),
    ("while scanning an alias", "'*' must be followed by a name", "Put text that starts with '*' in quotes."),
    ("that cannot start any token", "this character cannot begin a value", "Put the text in quotes."),
    (
        "expected the node content",
        "a value is expected here, and there is none",
        "Check the brackets and commas before it.",
    ),
    ("tag", "this tag cannot be read", "Delete it; put text that starts with '!' in quotes."),
    ("block scalar", "the text block that begins here with '|' or '>' is not well formed", "Put the text in quotes."),
    ("directive", "a line that begins with '%' is not used in recipes", "Delete it, or put the text in quotes."),
    (
        "sequence entries are not allowed",
        "a list item ('- ') is not expected here",
        "Begin it on a line of its own, below its key.",
    ),
)
_OPENING = ("quoted scalar", "flow sequence", "flow mapping")


def explained(error: Any, lines: Sequence[str], file: str) -> Problem:
    """Return the problem that a parser's error stands for."""
    context, problem = getattr(error, "context", None) or "", getattr(error, "problem", None) or str(error)
    opening = any(name in context for name in _OPENING)
    mark = (getattr(error, "context_mark", None) if opening else None) or getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    tab = _tab(getattr(error, "problem_mark", None), lines)
    if tab:
        return Problem("a tab is used for indentation", Place(file, *tab), hint="Use spaces.")
    if "expected <block end>" in problem and mark and lines[mark.line][: mark.column].strip(" -"):
        return Problem(
            "nothing more is expected in this line",
            Place(file, line, column),
            hint="Put the whole text in quotes, or begin a new line.",
        )
    for words, message, hint in _TABLE:
        if words in problem or words in context:
            return Problem(message, Place(file, line, column), hint=hint)
    return Problem(f"this is not YAML ({re.sub(r'[^ -~]+', ' ', problem).strip()})", Place(file, line, column))


def _tab(mark: Any, lines: Sequence[str]) -> tuple[int, int] | None:
    """Return line and column of a tab in the indentation at the mark, or in the line before it."""
    if mark is None:
        return None
    for number in (mark.line, mark.line - 1):
        text = lines[number] if 0 <= number < len(lines) else ""
        indentation = text[: len(text) - len(text.lstrip())]
        if "\t" in indentation and text.strip():
            return number + 1, indentation.index("\t") + 1
    return None
