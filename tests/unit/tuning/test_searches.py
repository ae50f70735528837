"""Searches by each algorithm, with trials that only calculate: what is tried, rejected, kept and refused."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.recipe.load import load_recipe

RECIPE = """\
name: mine
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [8, 8], color_mode: grayscale}}
model: {blocks: [{type: conv, filters: 4, name: stem}, flatten]}
training: {epochs: 9, batch_size: 64}
export: [{target: generic, quantization: int8, max_bytes: 30000}]
tuning:
  max_trials: 9
  space:
    model.blocks.stem.filters: {type: choice, values: [4, 8, 16, 400]}
    training.optimizer: {type: choice, values: [adam, {type: sgd, momentum: 0.9}]}
    training.optimizer.learning_rate: {type: float, min_value: 1e-4, max_value: 1e-1, step: 10, sampling: log}
    training.optimizer.nesterov: {type: boolean, when: {training.optimizer: sgd}}
"""
FITTING = 3 * 4 * (1 + 2)
"""Filters that fit, learning rates, and adam beside sgd with and without nesterov."""


def values(ended: Any, state: str = "completed") -> list[tuple[tuple[str, str], ...]]:
    return [tuple(sorted(trial["values"].items())) for trial in ended["trials"] if trial["state"] == state]


def test_a_grid_tries_every_combination_once_and_rejects_what_is_too_large(search: Callable[..., Any]) -> None:
    found = search(RECIPE, "tuning.algorithm=grid", "tuning.max_trials=null")
    assert len(values(found)) == len(set(values(found))) == FITTING
    assert len(values(found, "rejected")) == FITTING // 3
    assert len(found.began) == FITTING
    assert all("30,000" in trial["reason"] for trial in found["trials"] if trial["state"] == "rejected")
    best = found["best"]["values"]
    assert best["model.blocks.stem.filters"] == "16" and best["training.optimizer.learning_rate"] == "0.001"
    assert found["importances"][0]["parameter"] == "training.optimizer.learning_rate"
    assert found["importances"][0]["share"] > 0.2 and found["importances"][0]["n"] == FITTING


@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_no_candidate_is_tried_twice_and_a_search_goes_on(
    algorithm: str, search: Callable[..., Any], tmp_path: Path
) -> None:
    first = search(RECIPE, f"tuning.algorithm={algorithm}", "tuning.max_trials=6")
    more = search(RECIPE, f"tuning.algorithm={algorithm}", "tuning.max_trials=9")
    assert len(first.began) == 6 and len(more.began) == 3
    assert values(more)[:6] == values(first)
    assert len(set(values(more))) == 9
    with (tmp_path / "study" / "trials.csv").open() as file:
        assert sum(row["state"] == "completed" for row in csv.DictReader(file)) == 9
    best = load_recipe(tmp_path / "study" / "best.yaml").recipe
    said = more["best"]["values"]
    assert best.model.blocks[0].filters == int(said["model.blocks.stem.filters"])  # type: ignore[index, attr-defined]
    assert best.training.optimizer.type == said["training.optimizer"]
    assert best.tuning is None and best.name == "mine_tuned" and len(best.export) == 1


def test_hyperband_gives_more_epochs_to_the_best(search: Callable[..., Any]) -> None:
    found = search(RECIPE, "tuning.algorithm=hyperband", "tuning.max_trials=null")
    by_epochs: dict[int, list[float]] = {}
    for trial in found["trials"]:
        if trial["state"] == "completed":
            by_epochs.setdefault(trial["epochs"], []).append(trial["objectives"]["score"])
    assert sorted(by_epochs) == [1, 3, 9]
    assert len(by_epochs[1]) > len(by_epochs[9])
    assert found["best"]["epochs"] == 9


def test_several_objectives_end_with_what_nothing_beats(search: Callable[..., Any], tmp_path: Path) -> None:
    found = search(RECIPE, "tuning.algorithm=bayesian", "tuning.max_trials=12", "tuning.objectives=[score, macs]")
    front = [(trial["objectives"]["score"], trial["objectives"]["macs"]) for trial in found["front"]]
    done = [(t["objectives"]["score"], t["objectives"]["macs"]) for t in found["trials"] if t["state"] == "completed"]
    assert front and all(
        not (s >= score and m <= macs and (s, m) != (score, macs)) for score, macs in front for s, m in done
    )
    assert front == sorted(front, reverse=True)
    assert (tmp_path / "study" / "front.svg").read_text().startswith("<svg")


def test_a_study_whose_space_changed_is_refused_and_shows_the_change(search: Callable[..., Any]) -> None:
    assert search(RECIPE, "tuning.max_trials=2").code == 0
    changed = search(RECIPE.replace("[4, 8, 16, 400]", "[4, 8, 32]"), "tuning.max_trials=4")
    assert changed.code == 2 and not changed.began
    assert "tuning.space.model.blocks.stem.filters.values: [4, 8, 16, 400] → [4, 8, 32]" in changed.printed
    assert "--study" in changed.printed


def test_a_search_in_which_all_trials_failed_fails_and_says_why(search: Callable[..., Any]) -> None:
    found = search(
        RECIPE.replace("batch_size: 64", "batch_size: 13") + "    training.batch_size: {type: choice, values: [13]}\n"
    )
    assert found.code == 1 and len(found.began) == 9
    assert "9 failed: bad luck" in found.printed


def test_a_space_in_which_nothing_fits_fails_and_says_why(search: Callable[..., Any]) -> None:
    found = search(RECIPE.replace("30000", "300"), "tuning.algorithm=grid")
    assert found.code == 1 and not found.began
    assert "rejected: export.0.max_bytes" in found.printed and "300" in found.printed
