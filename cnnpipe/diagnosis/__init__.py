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
from typing import Any, Literal

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.examination import Examination, Examined
from cnnpipe.locations import import_plugin
from cnnpipe.registry import plugin_folders

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SHIPPED = Path(__file__).parent


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
