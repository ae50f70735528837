"""How a table shows what a model says of a picture."""

from __future__ import annotations

from pathlib import Path

from cnnpipe.cli._screens import screen
from cnnpipe.jobs.results import PredictResult


def shown(**prediction: object) -> str:
    return screen(PredictResult((Path("cell.png"),), [prediction])).splitlines()[-1]


def test_objects_are_told_by_their_plain_values_the_first_few() -> None:
    objects = [{"label": "RBC", "confidence": 0.97 - number / 100, "box": [1.0, 2.0, 3.0, 4.0]} for number in range(30)]
    line = shown(objects=objects)
    assert "RBC 0.97, RBC 0.96" in line
    assert "more" in line and "box" not in line and len(line) < 200
    assert shown(objects=[]).split() == ["cell.png", "-"]


def test_names_are_told_all() -> None:
    names = [f"class {number}" for number in range(20)]
    assert ", ".join(names) in shown(label=names)
