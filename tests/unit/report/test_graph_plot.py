"""Pictures of networks: every node has a box of its own, no line crosses a box, both formats can be read."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.layout import lay_out
from cnnpipe.model import Model
from cnnpipe.report.graph_plot import draw, plot_graphs

BRANCHED = (
    {"type": "conv_relu_pool", "filters": 8, "name": "stem <1>"},
    {"type": "residual", "filters": 8},
    {"type": "inverted_residual", "filters": 8, "squeeze_excitation": 0.5},
    {"type": "inception", "filters_1x1": 1, "filters_3x3_reduce": 1, "filters_3x3": 1, "filters_5x5_reduce": 1,
     "filters_5x5": 1, "filters_pool": 1},
)  # fmt: skip


@pytest.fixture
def graph():
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": BRANCHED}).expand(builder, builder.input("image", (16, 16, 3)))
    return builder.build({"features": tensor})


def test_layout(graph):
    layout = lay_out(graph)
    assert len(set(layout.cells)) == len(graph.nodes)
    assert [group.label for group in layout.groups] == ["stem <1>", "blocks.1", "blocks.2", "blocks.3"]
    for edge in layout.edges:
        rows = [row for row, _ in edge.cells]
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert not set(edge.cells[1:-1]) & set(layout.cells)
    assert len(layout.edges) == sum(len(set(node.inputs)) for node in graph.nodes)
    for above, below in zip(layout.groups, layout.groups[1:], strict=False):
        assert above.last[0] < below.first[0]


def test_svg(graph, tmp_path):
    plot_graphs({"model": graph}, tmp_path / "net.svg")
    root = ElementTree.parse(tmp_path / "net.svg").getroot()
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "stem <1>" in words
    assert "convolution 8, 3x3" in words
    assert "16x16x8   224 weights" in words
    assert sum(word.startswith(("convolution", "depthwise convolution")) for word in words) == 1 + 2 + 5 + 6


def test_png(graph, tmp_path):
    plot_graphs({"model": graph}, tmp_path / "net.png")
    drawing = draw({"model": graph})
    with Image.open(tmp_path / "net.png") as picture:
        assert picture.size == (2 * drawing.width, 2 * drawing.height)
        assert len(picture.convert("P").getcolors()) > 5


def test_png_of_very_deep_networks(tmp_path):
    def deep(layers):
        builder = GraphBuilder()
        stage = {"type": "stage", "repeat": layers, "blocks": ({"type": "dropout", "rate": 0.1},)}
        tensor = Model.model_validate({"blocks": (stage,)}).expand(builder, builder.input("vector", (4,)))
        return {"model": builder.build({"features": tensor})}

    plot_graphs(deep(300), tmp_path / "net.png")
    with Image.open(tmp_path / "net.png") as picture:
        assert picture.height == draw(deep(300)).height
    with pytest.raises(ProblemError, match=r"Write it as \.svg"):
        plot_graphs(deep(600), tmp_path / "deep.png")
    plot_graphs(deep(600), tmp_path / "deep.svg")
    assert {file.name for file in tmp_path.iterdir()} == {"net.png", "deep.svg"}


def test_several_networks_stand_side_by_side(graph):
    one, two = draw({"a": graph}), draw({"a": graph, "b": graph})
    assert two.width > 1.9 * one.width
    assert sum(getattr(shape, "words", None) == "b" for shape in two.shapes) == 1


def test_other_endings_are_refused(graph, tmp_path):
    with pytest.raises(ProblemError, match=r"is neither \.svg nor \.png"):
        plot_graphs({"model": graph}, tmp_path / "net.pdf")
    assert not list(tmp_path.iterdir())
