"""Every distribution divides batches equally, and refuses at their lines what it cannot honour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.optimizers import Optimizer
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.registry import room

ROOM = room("distributions")
PARTS = {"mirrored": {"devices": 3}, "multi_worker": {"workers": 3}}
VALUES = {"clipnorm": 1.0, "clipvalue": 1.0, "global_clipnorm": 1.0, "gradient_accumulation_steps": 2}
RECIPE = """
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [8, 8], color_mode: grayscale}}
model: {blocks: [flatten]}
training: {epochs: 1, batch_size: 30}
"""


def loaded(folder: Path, name: str, *overrides: str) -> LoadedRecipe:
    file = folder / "small.yaml"
    file.write_text(RECIPE)
    said = ", ".join(f"{key}: {value}" for key, value in {"type": name, **PARTS[name]}.items())
    return load_recipe(file, [f"training.distribution={{{said}}}", *overrides])


def test_all_are_seen() -> None:
    assert set(ROOM.names()) == set(PARTS)


@pytest.mark.parametrize("name", ROOM.names())
def test_a_batch_is_divided_equally(tmp_path: Path, name: str) -> None:
    distribution: Any = loaded(tmp_path, name).recipe.training.distribution
    assert distribution.parts == 3
    with pytest.raises(ProblemError, match="divides a batch into 3 equal parts, and 31 examples") as found:
        loaded(tmp_path, name, "training.batch_size=31")
    assert [problem.path for problem in found.value.problems] == ["training.batch_size"]


@pytest.mark.parametrize("name", ROOM.names())
def test_what_cannot_be_honoured_is_refused_and_nothing_else(tmp_path: Path, name: str) -> None:
    refused = ROOM.load(name).refused  # type: ignore[attr-defined]
    assert set(refused) <= set(VALUES) <= set(Optimizer.model_fields)
    for key, value in VALUES.items():
        change = f"training.optimizer.{key}={value}"
        if key not in refused:
            assert loaded(tmp_path, name, change)
            continue
        with pytest.raises(ProblemError) as found:
            loaded(tmp_path, name, change)
        (problem,) = found.value.problems
        assert (problem.path, str(problem.place)) == (f"training.optimizer.{key}", "--set 2")
        assert refused[key] in problem.message
