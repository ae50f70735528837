"""An export that options ask for, in the place of those of the run's recipe."""

from __future__ import annotations

from pathlib import Path

from cnnpipe.errors import Place, Problem
from cnnpipe.evaluation import Drop
from cnnpipe.jobs.export import _unplaced
from cnnpipe.jobs.results import ExportResult, ExportsResult
from cnnpipe.task import Metric, Score


def test_a_broken_promise_of_an_option_points_at_no_recipe() -> None:
    lost = Problem("the file loses 0.3", Place("--set 1", 0, 0), "export.0.max_drop", "Hint.")
    score, drop = Score(0.5, 10), Drop(0.3, 3, 3, 0, 10)
    file = ExportResult(Path("model.tflite"), "generic", "int8", 1, score, drop, False, problems=(lost,))
    result = _unplaced(ExportsResult(Path("run"), Metric("accuracy"), (file,)))
    assert [str(problem) for problem in result.problems] == ["the file loses 0.3. Hint."]
    assert not result.passed
