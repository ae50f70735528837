"""What a bundle states of its scores, when it states nonsense."""

from __future__ import annotations

from typing import Any

import pytest

from cnnpipe.evaluation import Drop
from cnnpipe.jobs.stated import stated_drop, stated_score
from cnnpipe.manifest import Manifest
from cnnpipe.task import Score


def stating(test: Any) -> Manifest:
    return Manifest.model_construct(scores={"test": test})


def test_what_is_stated_is_returned() -> None:
    interval = {"value": 0.5, "n": 4, "interval": (0.2, 0.8)}
    assert stated_score(stating({"file": {"accuracy": interval}}), "file", "accuracy") == Score(0.5, 4, (0.2, 0.8))
    without = stating({"model": {"loss": {"value": 2, "n": 4, "interval": None}}})
    assert stated_score(without, "model", "loss") == Score(2.0, 4)
    drop = {"drop": 0.25, "differs": 1, "lost": 1, "won": 0, "n": 4}
    assert stated_drop(stating({"drop": drop})) == Drop(0.25, 1, 1, 0, 4)
    assert stated_drop(stating({"drop": {**drop, "differs": None, "lost": None, "won": None}})) == Drop(
        0.25, None, None, None, 4
    )


@pytest.mark.parametrize(
    "nonsense",
    [
        None, [], "x", {"file": {}}, {"file": {"accuracy": 0.5}}, {"file": {"accuracy": {"value": "a", "n": 1}}},
        {"file": {"accuracy": {"value": float("nan"), "n": 1, "interval": None}}},
        {"file": {"accuracy": {"value": 1, "n": float("inf"), "interval": None}}},
        {"file": {"accuracy": {"value": 1, "n": 1, "interval": (1, 2, 3)}}},
        {"drop": {"drop": float("inf"), "differs": None, "lost": None, "won": None, "n": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_nonsense_is_nothing(nonsense: Any) -> None:
    assert stated_score(stating(nonsense), "file", "accuracy") is None
    assert stated_drop(stating(nonsense)) is None
