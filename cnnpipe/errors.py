"""What can go wrong by a user's hand: a `Problem` with a place, and the two exceptions that carry problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Place:
    """A position in a text file. Line and column count from 1; line 0 means that there are no lines (`--set 2`)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or surely unwanted.

    Args:
        message: What is wrong and what was received, one sentence without a final full stop.
        place: Where it stands, when it stands in a file.
        path: The dotted recipe path, such as `model.blocks.0.filters`; empty when there is none.
        hint: What to do next, as a sentence of its own; may be empty.
        severity: `error` stops the command; `warning` does not.
    """

    message: str
    place: Place | None = None
    path: str = ""
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        where = "".join(f"{part}: " for part in (self.place, self.path) if part)
        kind = "warning: " if self.severity == "warning" else ""
        return f"{where}{kind}{self.message}." + (f" {self.hint}" if self.hint else "")

    def at(self, place: Place | None, path: str = "") -> Problem:
        """Return the same problem at a place, unless it already has one."""
        return replace(self, place=self.place or place, path=self.path or path)


class ProblemError(Exception):
    """Bad input: one or more problems. Commands print them and exit with 2."""

    exit_code = 2

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class GateError(ProblemError):
    """A promise of the recipe was measured and broken: a drop beyond `max_drop`, a failed parity. Exit code 1."""

    exit_code = 1


def dotted(path: Path) -> str:
    """Return a recipe path as the user writes it: `("model", "blocks", 0)` becomes `model.blocks.0`."""
    return ".".join(str(part) for part in path)
