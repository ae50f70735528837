"""A search with real trainings: judged on validation only, the same in a used process as in a fresh one, isolated."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnpipe.errors import GateError
from cnnpipe.jobs.tune import tune
from cnnpipe.recipe.load import load_recipe
from cnnpipe.tuning import trainer

RECIPE = """\
name: tiny
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [8, 8], color_mode: grayscale}}
model: {blocks: [{type: conv, filters: 4, name: stem}, flatten, {type: dropout, rate: 0.2}]}
training: {epochs: 2, batch_size: 64}
tuning:
  algorithm: grid
  space: {model.blocks.stem.filters: {type: choice, values: [2, 6]}}
"""


def test_trials_in_one_process_are_those_of_fresh_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    one = tune(tmp_path / "tiny.yaml", study_folder=tmp_path / "one")
    monkeypatch.setattr(trainer, "MOST_TRIALS", 1)
    other = tune(tmp_path / "tiny.yaml", study_folder=tmp_path / "other")
    scores = [[record.objectives["score"] for record in result.records] for result in (one, other)]
    assert len(scores[0]) == 2 and scores[0] == scores[1]
    assert scores[0][0] != scores[0][1]
    best = load_recipe(one.recipe).recipe
    assert best.model.blocks[0].filters == int(one.best.labels["model.blocks.stem.filters"])  # type: ignore[index, attr-defined]
    left = {file.name for file in (tmp_path / "one" / "trials").rglob("*") if file.is_file()}
    assert "history.csv" in left and not left & {"scores.json", "model.keras", "state.npz", "best.npz"}


def test_a_trial_that_needs_too_much_memory_ends_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    with pytest.raises(GateError) as caught:
        tune(tmp_path / "tiny.yaml", ["tuning.max_memory=0.2"], tmp_path / "study")
    assert "no candidate could be trained" in str(caught.value)
    with pytest.raises(GateError):  # and the study is there, with both failures
        tune(tmp_path / "tiny.yaml", ["tuning.max_memory=0.2"], tmp_path / "study")


def test_a_trial_that_takes_too_long_ends_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    with pytest.raises(GateError) as caught:  # not even TensorFlow starts within a second
        tune(tmp_path / "tiny.yaml", ["tuning.max_trial_time=1s", "tuning.max_trials=1"], tmp_path / "study")
    assert "1 failed: it took longer than max_trial_time, 1s" in str(caught.value)
