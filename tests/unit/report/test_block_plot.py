"""Pictures of networks by blocks: few boxes, all within the picture, and columns that suit a page."""

from __future__ import annotations

import math

import pytest
from PIL import Image

from cnnpipe.jobs.describe import describe, plot
from cnnpipe.report.block_plot import draw_blocks
from cnnpipe.report.drawing import Drawing, Line, Rectangle, Text

FAMILIES = [
    {"type": "densenet", "variant": "densenet121"},
    {"type": "inception_v3"},
    {"type": "nasnet", "variant": "mobile"},
    {"type": "mobilenet_v2"},
]


def drawn(recipe: str, *overrides: str) -> Drawing:
    found = describe(recipe, overrides)
    return draw_blocks(found.graphs, found.name)


def words(drawing: Drawing) -> list[str]:
    return [shape.words for shape in drawing.shapes if isinstance(shape, Text)]


def test_it_tells_what_blocks_are_made_of() -> None:
    said = words(drawn("digits"))
    assert said[0] == "digits: 81,002 parameters, 988,416 multiply-adds"
    assert {"stem", "3x3 convolution 16, relu", "2x2 max pooling", "8x8x16", "160 weights"} <= set(said)
    assert said.count("3x3 convolution 32, relu") == 1 and "2 times" in said
    assert "dense 128, relu, dropout 0.5" in said


def test_shortcuts_go_around_what_they_skip() -> None:
    drawing = drawn("mlperf_tiny_resnet8")
    boxes = {shape.y: shape for shape in drawing.shapes if isinstance(shape, Rectangle)}
    assert words(drawing).count("+, relu") == 3
    around = [line for line in drawing.shapes if isinstance(line, Line) and len(line.points) == 6]
    assert around
    for line in around:
        assert max(x for x, _ in line.points) > max(box.x for box in boxes.values() if box.height == 22)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family["type"])
def test_any_network_fits_a_page(family: dict[str, str]) -> None:
    chosen = "{" + ", ".join(f"{key}: {value}" for key, value in family.items()) + ", weights: none}"
    drawing = drawn("one_conv", "model={backbone: " + chosen + "}", "data.preprocessing.image_size=[224, 224]")
    assert max(drawing.width, drawing.height) / min(drawing.width, drawing.height) < 2.2
    assert math.hypot(drawing.width, drawing.height) < 3200
    for shape in drawing.shapes:
        if isinstance(shape, Rectangle):
            assert 0 <= shape.x and shape.x + shape.width <= drawing.width
            assert 0 <= shape.y and shape.y + shape.height <= drawing.height


def test_every_layer_is_drawn_only_when_asked_for(tmp_path) -> None:
    found = describe("mlperf_tiny_visual_wake_words")
    plot(found, tmp_path / "blocks.svg")
    plot(found, tmp_path / "layers.svg", every=True)
    few, all_of_them = ((tmp_path / f"{name}.svg").read_text().count("<rect") for name in ("blocks", "layers"))
    assert few < 60 and all_of_them > len(found.layers)
    plot(found, tmp_path / "blocks.png")
    with Image.open(tmp_path / "blocks.png") as picture:
        assert picture.width > 500
