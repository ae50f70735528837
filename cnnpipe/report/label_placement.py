"""Where the names of points stand in a chart: near their points, over no other name and over no point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

RINGS, GAP = 14, 3
"""How many distances from the point are tried, and how many pixels lie between a point and a name beside it."""
DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
"""Where a name may stand, the best first: right, left, above, below, and between."""
OUTSIDE, NAME, MARK, RING = 20.0, 20.0, 1.0, 40.0
"""What a pixel outside, over a name and over a point costs, and a step away from the own point."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: Box) -> float:
        """Return the area that two boxes share."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0.0, across) * max(0.0, down)


@dataclass(frozen=True)
class Spot:
    """A point with a radius, and the size of its name."""

    x: float
    y: float
    radius: float
    width: float
    height: float


def place_labels(spots: Sequence[Spot], inside: Box) -> list[Box]:
    """Return the box of each name, in the order of the points.

    Points among many are served first. Each name takes the place that costs least: near, inside, and over nothing.

    Args:
        spots: The points.
        inside: What names may not leave.
    """
    marks = [Box(spot.x - spot.radius, spot.y - spot.radius, 2 * spot.radius, 2 * spot.radius) for spot in spots]
    found: dict[int, Box] = {}
    crowd = [sum(mark.overlap(_around(spot)) > 0 for mark in marks) for spot in spots]
    for number in sorted(range(len(spots)), key=lambda number: -crowd[number]):
        taken = [*((NAME, box) for box in found.values()), *((MARK, mark) for mark in marks)]
        costs = {
            box: ring * RING + _cost(box, taken, inside)
            for ring in range(RINGS)
            for box in _places(spots[number], ring)
        }
        found[number] = min(costs, key=lambda box: round(costs[box], 3))
    return [found[number] for number in range(len(spots))]


def _around(spot: Spot) -> Box:
    reach = spot.radius + spot.width
    return Box(spot.x - reach, spot.y - 2 * spot.height, 2 * reach, 4 * spot.height)


def _places(spot: Spot, ring: int) -> Iterator[Box]:
    """Yield boxes around a point, the best first."""
    away = spot.radius + GAP + ring * 0.7 * spot.height
    for across, down in DIRECTIONS:
        diagonal = 0.7 if across and down else 1.0
        x = spot.x + across * diagonal * away + (across - 1) / 2 * spot.width
        y = spot.y + down * diagonal * away + (down - 1) / 2 * spot.height
        yield Box(x, y, spot.width, spot.height)


def _cost(box: Box, taken: Sequence[tuple[float, Box]], inside: Box) -> float:
    outside = box.width * box.height - box.overlap(inside)
    return OUTSIDE * outside + sum(weight * box.overlap(other) for weight, other in taken)
