"""Charts of networks: sizes become places, and names stand clear of one another."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest

from cnnpipe.report.drawing import Rectangle, Text
from cnnpipe.report.label_placement import Box, Spot, place_labels
from cnnpipe.report.scatter_plot import FILL, HEIGHT, WIDTH, Point, draw_scatter


def test_equal_factors_are_equal_distances_and_memory_is_area() -> None:
    points = [Point(f"n{power}", 10 ** (6 + power), 10 ** (4 + power), 4**power) for power in range(3)]
    discs = [shape for shape in draw_scatter(points).shapes if isinstance(shape, Rectangle) and shape.fill == FILL]
    discs.sort(key=lambda disc: disc.width)
    centres = [(disc.x + disc.radius, disc.y + disc.radius) for disc in discs]
    (right, up), again = ((x - left, below - y) for (left, below), (x, y) in pairwise(centres))
    assert right > 0 and up > 0
    assert again == (pytest.approx(right), pytest.approx(up))
    assert [disc.radius / discs[-1].radius for disc in discs] == [pytest.approx(1 / 4), pytest.approx(1 / 2), 1]


def test_names_of_a_crowd_do_not_overlap() -> None:
    spots = [Spot(400 + 9 * number, 300 - 7 * (number % 5), 4, 90, 14) for number in range(20)]
    inside = Box(0, 0, 800, 600)
    labels = place_labels(spots, inside)
    assert all(one.overlap(other) == 0 for one, other in combinations(labels, 2))
    for spot, label in zip(spots, labels, strict=True):
        assert label.overlap(inside) == pytest.approx(label.width * label.height)
        assert math.hypot(label.x - spot.x, label.y - spot.y) < 300


def test_a_lonely_name_stands_beside_its_point() -> None:
    (label,) = place_labels([Spot(100, 100, 5, 60, 14)], Box(0, 0, 800, 600))
    assert (label.x, label.y + label.height / 2) == (pytest.approx(108), pytest.approx(100))
    (label,) = place_labels([Spot(770, 100, 5, 60, 14)], Box(0, 0, 800, 600))
    assert label.x + label.width < 770


def test_networks_without_arithmetic_and_alone_have_a_place() -> None:
    (disc,) = (s for s in draw_scatter([Point("a", 0, 0, 1)]).shapes if getattr(s, "fill", "") == FILL)
    assert 0 < disc.x < WIDTH and 0 < disc.y < HEIGHT
    words = [shape.words for shape in draw_scatter([Point("\x1bbad", 1, 1, 1)]).shapes if isinstance(shape, Text)]
    assert "?bad" in words
