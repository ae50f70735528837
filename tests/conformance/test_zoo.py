"""Every published network among the recipes: it checks, and at small size it trains, exports, and runs as files.

Recipes are found by their `about` section: those that say a year of publication. One that extends another recipe has
the same structure and is left to tests/stress/test_whole_zoo.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from cnnpipe.bundle.workers import Workers
from cnnpipe.errors import ProblemError
from cnnpipe.extends import read_chain
from cnnpipe.jobs import fitting
from cnnpipe.jobs.check import check
from cnnpipe.jobs.describe import describe
from cnnpipe.jobs.list_recipes import list_recipes
from cnnpipe.jobs.results import RunResult
from cnnpipe.jobs.run import run
from cnnpipe.recipe.load import load_recipe, shipped_recipes

ZOO = [name for name, said in list_recipes().items() if said["year"]]
CLASSIFIERS = [name for name, said in list_recipes().items() if said["year"] and said["task"] == "image_classification"]
"""Those that the small data below is for; networks of other tasks are trained where their tasks are proven."""
EXPECTED = ("million weights", "does not exist")
"""What warnings say that a published network may have: it really has so many in one dense layer, or lacks its data."""
SIDES = (32, 64, 96, 128)
"""Sides of small pictures; the smallest that a network takes is taken."""
DATA = (
    "task.classes=[circle, square, triangle, star]",
    "data.source={type: synthetic_shapes, examples: 96, image_size: [32, 32]}",
    "data.split={validation: 0.25, test: 0.25}",
)
TRAINING = (
    "training.epochs=1", "training.phases=[]", "training.batch_size=8", "training.schedule=null",
    "training.optimizer={type: adam, learning_rate: 0.01}", "task.class_weights={circle: 8}",
)  # fmt: skip
"""Few steps, after which a network prefers one class: rounding would decide between shares that are all alike."""
COEFFICIENTS = {"width": 0.25, "depth": 0.3}
"""A third of the repetitions leaves each family a block that is repeated, if its recipe has one four times."""
EXPORTS = ("export=[{target: generic, quantization: none}, {target: generic, quantization: int8}]",)


def structures() -> list[str]:
    """Return the classifiers that extend no other recipe."""
    files = shipped_recipes()
    return [name for name in CLASSIFIERS if read_chain(files[name], name).document.root.child("extends") is None]


def small(name: str) -> list[str]:
    """Return the changes that make a recipe narrow and shallow, with small pictures, few of them, and one epoch."""
    model = load_recipe(name).recipe.model
    backbone = type(model.backbone).model_fields if model.backbone is not None else ()
    sections = {"model": model.blocks is not None, "model.backbone": "width_coefficient" in backbone}
    scales = [
        f"{section}.{direction}_coefficient={factor}"
        for section, has_blocks in sections.items()
        for direction, factor in COEFFICIENTS.items()
        if has_blocks
    ]
    return [*DATA, *TRAINING, *EXPORTS, *scales, _pictures(name, [*DATA, *scales])]


def _pictures(name: str, overrides: Sequence[str]) -> str:
    """Return the smallest pictures that leave the last map more than one position, as far as the published ones do."""
    problems = []
    for side in SIDES:
        setting = f"data.preprocessing.image_size=[{side}, {side}]"
        try:
            found = describe(name, [*overrides, setting])
        except ProblemError as error:
            problems += error.problems
        else:
            if not any("1x1 map" in warning.message for warning in found.warnings):
                return setting
    raise ProblemError(problems)


def trained(name: str, workers: Workers, folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunResult:
    """Run a recipe at small size with the given processes, which stay open for the next one, and no dry export."""
    import keras

    keras.backend.clear_session()
    monkeypatch.setattr(fitting, "prepare", partial(fitting.prepare, dry=False))
    monkeypatch.setattr(Workers, "__exit__", lambda *details: None)
    monkeypatch.setattr("cnnpipe.jobs.run.Workers", lambda: workers)
    return run(name, small(name), folder)


def hold(result: RunResult) -> None:
    """Hold that both files were written, run in LiteRT, and say what Keras says."""
    assert result.passed, result.problems
    exports = result.as_json()["exports"]
    assert [export["quantization"] for export in exports] == ["none", "int8"]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as opened:
        converter, runtime = opened.converter, opened.runtime
        yield opened
        converter.end()
        runtime.end()


def test_there_is_a_zoo() -> None:
    assert len(ZOO) >= 5 and 5 <= len(structures()) < len(ZOO)


def test_every_recipe_says_what_it_is_in_words_of_its_own() -> None:
    said = list_recipes()
    summaries = [recipe["summary"] for recipe in said.values()]
    assert all(summaries) and len(set(summaries)) == len(summaries)
    assert not [name for name, recipe in said.items() if recipe["summary"].startswith("cnnpipe ")]
    assert all(said[name]["source"] for name in ZOO)


@pytest.mark.parametrize("name", ZOO)
def test_it_checks(name: str) -> None:
    found = check(name).problems
    assert all(problem.severity == "warning" for problem in found), found
    assert all(any(words in problem.message for words in EXPECTED) for problem in found), found


@pytest.mark.parametrize("name", structures())
def test_a_small_one_trains_exports_and_runs(
    name: str, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(trained(name, workers, tmp_path, monkeypatch))
