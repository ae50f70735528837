"""The recipes of MLPerf Tiny's networks take what its reference files take."""

from __future__ import annotations

import pytest

from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.feasibility import forecast
from cnnpipe.recipe.load import load_recipe

REFERENCES = {
    "ds_cnn": (2_656_768, 16_000, 24_272, 53_936 - 4_720),
    "mlperf_tiny_resnet8": (12_501_632, 49_152, 55_984, 98_496 - 2_824),
    "mlperf_tiny_visual_wake_words": (7_489_664, 73_728, 103_680, 333_288 - 22_144),
}
"""Multiply-adds; head and whole of the arena; file without the ranges that the converter no longer writes."""


@pytest.mark.parametrize("name", REFERENCES)
def test_it_takes_what_the_reference_takes(name: str) -> None:
    loaded = load_recipe(name)
    graph = loaded.recipe.task.deployed(compile_loaded(loaded).graphs)
    (export,) = (export for export in planned_exports(loaded.recipe) if export.device.has_arena)
    made, (macs, head, arena, size) = forecast(export, graph), REFERENCES[name]
    assert (made.program.macs, made.arena.head) == (macs, head)
    assert made.arena.total == pytest.approx(arena, rel=0.03)
    assert made.file_bytes == pytest.approx(size, rel=0.03)
