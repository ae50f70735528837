"""Lists of things found: their order is no error, a thing that is missing or somewhere else is one."""

from __future__ import annotations

import numpy as np

from cnnpipe.bundle.parity import OutputParity, compare_outputs
from cnnpipe.exporters import TensorFacts

N, ROWS = 60, 20
NAMES = [f"photo {number}" for number in range(N)]
SHAPES: dict[str, tuple[int, ...]] = {
    "location": (1, ROWS, 4), "category": (1, ROWS), "score": (1, ROWS), "count": (1,)
}  # fmt: skip
TENSORS = [TensorFacts(name, shape, "float32") for name, shape in SHAPES.items()]


def lists(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "location": random.random((N, ROWS, 4)).astype(np.float32),
        "category": random.integers(0, 3, (N, ROWS)).astype(np.float32),
        "score": -np.sort(-random.random((N, ROWS)).astype(np.float32), axis=1),
        "count": np.full(N, ROWS, np.float32),
    }


def compared(found: dict[str, np.ndarray], listed: bool = True) -> dict[str, OutputParity]:
    made = compare_outputs(lists(), found, TENSORS, "none", NAMES, listed=listed)
    return {one.output: one for one in made}


def test_rows_in_another_order_are_the_same_list() -> None:
    found, order = lists(), np.random.default_rng(1).permutation(ROWS)
    for name in ("location", "category", "score"):
        found[name] = found[name][:, order]
    assert all(one.passed for one in compared(found).values())
    assert not all(one.passed for one in compared(found, listed=False).values())


def test_a_row_belongs_together() -> None:
    found = lists()
    found["category"] = found["category"][:, ::-1]
    assert not compared(found)["category"].passed


def test_one_thing_that_is_missing_is_rounding_and_one_in_each_example_is_not() -> None:
    found = lists()
    for name in ("location", "category", "score"):
        found[name][3, -1] = 0
    assert all(one.passed for one in compared(found).values())
    for name in ("location", "category", "score"):
        found[name][:, -2:] = 0
    assert not compared(found)["location"].passed


def test_boxes_that_lie_elsewhere_are_an_error() -> None:
    found = lists()
    found["location"] += 0.02
    assert not compared(found)["location"].passed
    found["location"][:] = np.nan
    assert not compared(found)["location"].passed


def test_how_many_there_are_is_compared() -> None:
    found = lists()
    found["count"] -= 1
    assert not compared(found)["count"].passed
