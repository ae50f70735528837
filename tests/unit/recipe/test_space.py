"""Search spaces: what a candidate's recipe is, parameters that are only there beside others, and what check tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnpipe.jobs.check import check
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.space import Space

RECIPE = """\
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [32, 32], color_mode: rgb}}
model: {blocks: [{type: conv, filters: 4, name: stem}, flatten]}
training: {epochs: 3, batch_size: 64}
tuning:
  max_trials: 3
  space:
    model.backbone.alpha: {type: choice, values: [0.35, 0.5], when: {model: 1}}
    model.blocks.wide.filters: {type: int, min_value: 8, max_value: 16, when: {model: 0}}
    model:
      type: choice
      values:
        - {blocks: [{type: conv_relu_pool, filters: 4, name: wide}, flatten]}
        - {backbone: {type: mobilenet_v2, weights: none}}
    training.optimizer.learning_rate: {type: float, min_value: 1e-4, max_value: 1e-2, sampling: log}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(RECIPE)
    return "mine.yaml"


def test_whole_networks_may_vary_each_with_parameters_of_its_own(file: str) -> None:
    space = Space(load_recipe(file))
    blocks = space.candidate({"model": 0, "model.blocks.wide.filters": 12, "model.backbone.alpha": 1}).recipe
    assert blocks.model.backbone is None and blocks.model.blocks[0].filters == 12  # type: ignore[index, attr-defined]
    backbone = space.candidate({"model": 1, "model.backbone.alpha": 1, "model.blocks.wide.filters": 9}).recipe
    assert backbone.model.blocks is None and backbone.model.backbone.alpha == 0.5  # type: ignore[union-attr]
    assert blocks.tuning is None and blocks.training.epochs == 3
    assert space.candidate({"model": 0}, epochs=7).recipe.training.epochs == 7


def test_check_says_what_each_path_points_to(file: str) -> None:
    found = check(file)
    assert found.passed and not found.problems
    told = [note for note in found.notes if note.startswith("tuning")]
    assert told[0] == "tuning by random over 4 parameters, at most 3 trials"
    assert any("model.blocks.wide.filters is model.blocks.0.filters, now 4" in note for note in told)
    assert any("when model is 1" in note for note in told)


def test_without_a_limit_a_search_would_never_end(file: str) -> None:
    (problem,) = check(file, ["tuning.max_trials=null"]).problems
    assert "would never end" in problem.message and "max_time" in problem.hint
