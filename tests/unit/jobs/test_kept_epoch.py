"""The result names the epoch whose weights the model has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.recipe.load import load_recipe
from cnnpipe.task import Scores
from cnnpipe.training import FitResult


@pytest.mark.parametrize(("restore", "kept"), [("best", 2), ("last", 5)])
def test_the_kept_epoch_is_what_restore_says(restore: str, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {"test": SimpleNamespace(scores=Scores({}))}
    monkeypatch.setattr(fitting, "measure", lambda *arguments: measured)
    monkeypatch.setattr(fitting, "keep_scores", lambda *arguments: None)
    fitted = SimpleNamespace(
        run=SimpleNamespace(folder=Path("runs/digits/0001"), update=lambda **values: None),
        loaded=load_recipe("digits", [f"training.restore={restore}"]),
        data=None, model=None, result=FitResult((), best_epoch=2, epochs=5, seconds=1.0),
        notes=fitting.Notes(Listener()),
    )  # fmt: skip
    assert fitting.finish(cast(Any, fitted)).best_epoch == kept
