"""Pictures of arenas: a box for every piece, none over another, names that cannot harm."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from cnnpipe.errors import ProblemError
from cnnpipe.program import Operator, Program, Tensor, plan_arena
from cnnpipe.report.arena_plot import COLORS, draw_arena, plot_arena
from cnnpipe.report.drawing import Rectangle, Text

PROGRAM = Program(
    (
        Tensor("image", (1, 8, 8, 3), "int8"),
        Tensor("a", (1, 8, 8, 16), "int8"),
        Tensor("b", (1, 4, 4, 16), "int8"),
        Tensor("result", (1, 16), "int8"),
        Tensor("axes", (2,), "int32", constant=True),
    ),
    (
        Operator("CONV_2D", (0,), (1,), layer="n001_convolution"),
        Operator("\x1b[2J<&>", (1,), (2,)),
        Operator("MEAN", (2, 4), (3,)),
    ),
    (0,),
    (3,),
)


def test_every_piece_has_a_box_of_its_own() -> None:
    arena = plan_arena(PROGRAM)
    drawing = draw_arena(PROGRAM, arena, "title")
    boxes = [shape for shape in drawing.shapes if isinstance(shape, Rectangle) and shape.radius == 2][
        : len(arena.buffers)
    ]
    assert len(boxes) == len(arena.buffers) == 4 + 3
    assert [box.fill for box in boxes].count(COLORS["scratch"]) == 3
    for one, other in combinations(boxes, 2):
        beside = one.x + one.width <= other.x + 1 or other.x + other.width <= one.x + 1
        apart = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert beside or apart
    words = [shape.words for shape in drawing.shapes if isinstance(shape, Text)]
    assert f"{8 * 8 * 16:,}  8x8x16 int8" in words
    assert "CONV_2D  n001_convolution" in words
    assert f"{arena.head:,}" in words


def test_both_formats_can_be_read(tmp_path: Path) -> None:
    arena = plan_arena(PROGRAM)
    for name in ("plan.svg", "plan.PNG"):
        plot_arena(PROGRAM, arena, "a\x00b", tmp_path / name)
    text = "{http://www.w3.org/2000/svg}text"
    words = [element.text for element in ElementTree.parse(tmp_path / "plan.svg").getroot().iter(text)]
    assert {"a?b", "?[2J<&>"} <= set(words)
    with Image.open(tmp_path / "plan.PNG") as picture:
        assert picture.width > 1000
    with pytest.raises(ProblemError, match=r"neither \.svg nor \.png"):
        plot_arena(PROGRAM, arena, "", tmp_path / "plan.pdf")


def test_an_empty_program_has_a_picture_too(tmp_path: Path) -> None:
    empty = Program((), (), (), ())
    plot_arena(empty, plan_arena(empty), "nothing", tmp_path / "plan.svg")
    assert "nothing" in (tmp_path / "plan.svg").read_text()
