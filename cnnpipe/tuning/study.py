"""The folder of a study: one file with all that a search knows, replaced in one step when a trial begins or ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.recipe.difference import differences
from cnnpipe.recipe.schema import Recipe
from cnnpipe.runs import Run

FILE, TRIALS, BEST = "study.json", "trials", "best.yaml"
LIMITS = ("max_trials", "max_time", "max_trial_time", "max_memory")
"""Keys of `tuning` that may change between two parts of a search: they say only when something ends."""


class Study:
    """A search on the disk. To be used inside `opened`.

    Args:
        folder: Its folder.
        definition: The recipe with its space, as plain values, without what may change.
        content: What its file held; empty for a new study.
    """

    def __init__(self, folder: Path, definition: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        self.folder, self.definition = folder, definition
        self.state: Mapping[str, Any] | None = content.get("state")
        self.fingerprint: str | None = content.get("data_fingerprint")
        self._before = float(content.get("seconds", 0.0))
        self._begin: float | None = None

    @property
    def seconds(self) -> float:
        """Time spent searching, over all processes."""
        return self._before + (0.0 if self._begin is None else time.monotonic() - self._begin)

    def search_begins(self) -> None:
        """Let the clock run."""
        self._begin = time.monotonic()

    def keep(self, state: Mapping[str, Any]) -> None:
        """Write the state of the search, in one step."""
        self.state = state
        content = {
            "definition": self.definition, "data_fingerprint": self.fingerprint, "seconds": round(self.seconds, 3),
            "state": state,
        }  # fmt: skip
        files.write_text(self.folder / FILE, json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")

    def check_data(self, fingerprint: str) -> None:
        """Refuse to compare candidates that were trained on different data. Raises `ProblemError`."""
        if self.fingerprint is None:
            self.fingerprint = fingerprint
        if fingerprint != self.fingerprint:
            hint = "Put the data back as it was, or begin another study with --study FOLDER."
            raise ProblemError(Problem(f"the data changed since {self.folder} began", path="data.source", hint=hint))

    @property
    def trials(self) -> Path:
        """The folder of all trials."""
        return self.folder / TRIALS


@contextmanager
def opened(folder: Path, recipe: Recipe, listener: Listener) -> Iterator[Study]:
    """Begin a study, or open it to go on, and keep other processes out meanwhile.

    Raises:
        ProblemError: It cannot be written, is in use, damaged, or was begun with another space or recipe.
    """
    definition = definition_of(recipe)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.writing_failed(folder / FILE, error) from error
    with Run(folder).locked(listener):
        content = _content(folder)
        if content:
            _check_definition(folder, content["definition"], definition)
        yield Study(folder, definition, content)


def definition_of(recipe: Recipe) -> dict[str, Any]:
    """Return what the candidates of a search depend on, as plain values."""
    content: dict[str, Any] = recipe.model_dump(mode="json")
    for told in ("name", "about"):  # what no candidate depends on
        content.pop(told, None)
    content["tuning"] = {key: value for key, value in content["tuning"].items() if key not in LIMITS}
    return content


def _content(folder: Path) -> dict[str, Any]:
    if not (folder / FILE).is_file():
        return {}
    found = Run(folder).read_json(FILE)
    if not isinstance(found, dict) or not {"definition", "state", "seconds"} <= set(found):
        raise ProblemError(Problem(f"{folder / FILE} is damaged", hint="Begin another study with --study FOLDER."))
    return found


def _check_definition(folder: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    found = differences(old, new)
    problems = [Problem(f"{folder} was begun with another recipe: {change}") for change in found]
    if problems:
        hint = f"Undo that, or begin another study with --study FOLDER. Only {', '.join(LIMITS)} may change."
        raise ProblemError([*problems[:-1], replace(problems[-1], hint=hint)])
