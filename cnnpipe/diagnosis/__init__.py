"""Findings about a recipe's data. One file per kind of finding.

A file holds `findings(data)`, a plain function over an `Examination`, and says with `IN_EVERY_RUN` whether `run` and
`train` tell it as well: it must then need nothing but names, labels, splits and digests. A file in the folder
`diagnosis` of a plugin folder joins in.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from cnnpipe.datasets import SplitName
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.locations import import_plugin
from cnnpipe.registry import plugin_folders

if TYPE_CHECKING:
    from cnnpipe.diagnosis._pictures import Picture
    from cnnpipe.recipe.schema import Recipe

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class Examined:
    """One example after it was looked at.

    Args:
        name: Its name in the source.
        split: Where it belongs; None when that could not be decided.
        labels: Its class names; empty when its label is a number.
        digest: sha256 of its content; empty when it could not be read.
        file: The file that it stands in, when there is one.
        unreadable: Why it cannot be read; empty when it can.
        unusable: Why the task cannot use it; empty when it can.
        picture: What the picture is, when it is one and was looked at.
    """

    name: str
    split: SplitName | None
    labels: tuple[str, ...]
    digest: str
    file: Path | None = None
    unreadable: str = ""
    unusable: str = ""
    picture: Picture | None = None

    @property
    def shown(self) -> str:
        """How messages call it: its file, else its name."""
        return str(self.file or f"example {self.name}")


@dataclass(frozen=True)
class Examination:
    """All examples of a recipe's source.

    Args:
        recipe: The recipe.
        class_names: The class names in their order; empty when labels are numbers.
        examples: All examples, in the source's order.
        notes: What the source left out or decided.
        problems: What stops a run before any example is read, or because of the splits.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    examples: tuple[Examined, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def pictures(self) -> list[tuple[Examined, Picture]]:
        """All examples that are pictures and could be read, each with its picture."""
        return [(example, example.picture) for example in self.examples if example.picture is not None]


@dataclass(frozen=True)
class Finding:
    """Something that the user should know of the data.

    Args:
        severity: `error` stops a run; `warning` makes a model or its scores worse; `note` is good to know.
        message: What was found, one sentence without a final full stop.
        count: How many examples, groups or classes it concerns.
        examples: Where, such as paths; all of them.
        hint: What to do, as sentences; may be empty.
        details: Numbers behind the message, as plain values.
        check: Name of the file in this room that found it; filled in by `all_findings`.
    """

    severity: Severity
    message: str
    count: int
    examples: tuple[str, ...] = ()
    hint: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    check: str = ""


def all_findings(data: Examination, in_run: bool = False) -> list[Finding]:
    """Return what every file of the room finds, the worst first.

    Args:
        data: The examples.
        in_run: Whether only to ask the files that `run` and `train` ask.
    """
    found = []
    for name, file in sorted(_files().items()):
        module = _module(file)
        if module.IN_EVERY_RUN or not in_run:
            found += [replace(finding, check=name) for finding in module.findings(data)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 picture`, `2,000 pictures`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def in_words(names: Sequence[str], most: int = 5) -> str:
    """Return names as a list that ends with how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def shown(examples: Sequence[Examined]) -> tuple[str, ...]:
    """Return how messages call these examples."""
    return tuple(example.shown for example in examples)


def _files() -> dict[str, Path]:
    folders = [SHIPPED, *(folder / "diagnosis" for folder in plugin_folders())]
    found: dict[str, Path] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("[a-z]*.py"))):
        if found.setdefault(file.stem, file) != file:
            raise ProblemError(Problem(f"{file} and {found[file.stem]} both define the diagnosis '{file.stem}'"))
    return found


def _module(file: Path) -> ModuleType:
    if file.parent == SHIPPED:
        return importlib.import_module(f"cnnpipe.diagnosis.{file.stem}")
    return import_plugin("diagnosis", file)


