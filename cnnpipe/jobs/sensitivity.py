"""Which layers of a trained run int8 hurts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe.bundle.client import client_subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.jobs.export import open_source
from cnnpipe.jobs.export_item import load_with_item
from cnnpipe.jobs.exporting import subject_of
from cnnpipe.jobs.trained import RESOLVED, open_trained
from cnnpipe.quantization.sensitivity import Sensitivity, sensitivities
from cnnpipe.recipe.exports import planned_exports


@dataclass(frozen=True)
class SensitivityResult:
    """What int8 does to each operator of a trained network.

    Args:
        run: The run folder.
        operators: All of them, the worst first.
    """

    run: Path
    operators: tuple[Sensitivity, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: run, operators."""
        return {"run": str(self.run), "operators": [one.as_json() for one in self.operators]}


def sensitivity(
    run: str | Path,
    item: Mapping[str, Any] | None = None,
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
) -> SensitivityResult:
    """Measure every operator of a trained network in int8 beside its float twin. Nothing is written.

    Args:
        run: A run folder, a name and number, or a name: its newest run.
        item: As in a recipe's `export` list; `target` is `generic` when left out, `quantization` is always int8.
        runs_folder: Where names are looked up.
        listener: Hears what is going on.

    Raises:
        ProblemError: There is no such run, its data is gone or changed, or it cannot be converted.
    """
    notes = fitting.Notes(listener or Listener())
    trained = open_trained(run, runs_folder)
    loaded = load_with_item(trained.run.folder / RESOLVED, {**(item or {}), "quantization": "int8"})
    (export,) = planned_exports(loaded.recipe)
    source = open_source(trained, loaded, notes)
    notes.stage("measuring")
    with subject_of(source) as subject, Workers() as workers:
        subject = client_subject(export, subject, subject.weights.parent)
        return SensitivityResult(trained.run.folder, sensitivities(export, subject, workers))
