"""Pictures of simple shapes on noisy backgrounds, drawn from a seed: no download, no licence, any amount."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe.datasets import Dataset, Example, Examples

if TYPE_CHECKING:
    import numpy as np

Shape = Literal["circle", "square", "triangle", "star"]
Side = Annotated[int, Field(ge=16, le=1024)]
Count = Annotated[int, Field(ge=0, le=100)]
OVERSAMPLING = 4
"""Shapes are drawn this much larger and shrunk, so that their edges are smooth."""


INSIDE, CONTRAST = 0.5, 85
"""From which cover on a pixel belongs to a shape, and mean difference of its colour from the background's."""
MOST_HIDDEN = 0.5
"""Part of a shape that others may cover."""
ATTEMPTS = 20
"""How often a place is drawn for a shape before there is none."""


class SyntheticShapes(Dataset):
    """Shapes of random place, size, angle and colour, one per picture unless told otherwise. Classes take turns.

    Of shapes that overlap the smaller one is seen. Boxes are drawn around what is seen.
    """

    keys: ClassVar[frozenset[str]] = frozenset(
        {"images", "labels", "bounding_boxes", "segmentation_masks", "instance_masks"}
    )

    also_called: ClassVar[tuple[str, ...]] = ("synthetic", "shapes", "toy", "random", "fake", "dummy")
    type: Literal["synthetic_shapes"] = "synthetic_shapes"
    examples: int = Field(default=1200, ge=1)
    """How many pictures."""
    image_size: tuple[Side, Side] = (48, 48)
    """Height and width."""
    classes: tuple[Shape, ...] = Field(default=("circle", "square", "triangle", "star"), min_length=1)
    """Which shapes, in the order of the class list."""
    objects: tuple[Count, Count] = (1, 1)
    """The lowest and the highest number of shapes in a picture; the more there may be, the smaller they are. Where a
    picture has no room for all it has fewer."""
    noise: float = Field(default=0.1, ge=0, le=1)
    """Standard deviation of the noise, as a share of the value range."""
    seed: int = Field(default=0, ge=0)
    """Another seed is other pictures."""

    @field_validator("classes")
    @classmethod
    def _are_distinct(cls, classes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("classes must be different shapes")
        return classes

    @field_validator("objects")
    @classmethod
    def _are_ordered(cls, objects: tuple[int, int]) -> tuple[int, int]:
        if objects[1] < max(objects[0], 1):
            raise ValueError("objects must be the lowest number, then the highest, which is 1 or more")
        return objects

    def class_names(self) -> tuple[str, ...]:
        """Return the shapes."""
        return self.classes

    def open(self, folder: Path) -> Examples:
        """List the pictures; each is drawn when it is read, from the seed and its number alone."""
        return Examples(
            tuple(Example(f"{number:06d}", None, partial(_draw, self, number)) for number in range(self.examples)),
            self.classes,
        )


def _draw(spec: SyntheticShapes, number: int) -> dict[str, Any]:
    """Return a picture with its truth, as the room says; `images` is uint8 of shape `(height, width, 3)`.

    `labels` is the class where every picture has one shape, else a tuple of the classes that are seen.
    """
    import numpy as np

    random = np.random.default_rng([spec.seed, number])
    if spec.objects == (1, 1):
        first = number % len(spec.classes)
        labels, covers = [first], [_cover(spec.classes[first], spec.image_size, random)]
    else:
        labels, covers = _several(spec, number, random)
    background, color = _two_colors(random)
    image = np.broadcast_to(background, (*spec.image_size, 3))
    for cover in covers:
        image = image + (color - image) * cover[..., None]
        color = _unlike(background, random) if len(covers) > 1 else color
    image = image + random.normal(0, spec.noise * 255, image.shape)
    instances = _seen(covers, spec.image_size)
    boxes = [_box(instances == row) for row in range(1, len(covers) + 1)]
    names = tuple(spec.classes[label] for label in sorted(set(labels)))
    return {
        "images": np.clip(np.rint(image), 0, 255).astype(np.uint8),
        "labels": names[0] if spec.objects == (1, 1) else names,
        "bounding_boxes": {
            "boxes": np.array(boxes, np.float32).reshape(-1, 4),
            "labels": np.array(labels, np.int32),
        },
        "segmentation_masks": np.array([0, *(label + 1 for label in labels)], np.uint8)[instances],
        "instance_masks": instances,
    }


def _several(spec: SyntheticShapes, number: int, random: np.random.Generator) -> tuple[list[int], list[np.ndarray]]:
    """Return classes and covers of several shapes, the largest first; none is hidden by more than `MOST_HIDDEN`."""
    wanted = int(random.integers(spec.objects[0], spec.objects[1] + 1))
    smaller = 1 / math.sqrt(spec.objects[1])
    drawn: list[tuple[int, np.ndarray]] = []
    for position in range(wanted):
        label = (number + position) % len(spec.classes)
        for _ in range(ATTEMPTS):
            cover = _cover(spec.classes[label], spec.image_size, random, smaller)
            more = sorted([*drawn, (label, cover)], key=lambda item: -float(item[1].sum()))
            if _all_are_seen([cover for _, cover in more], spec.image_size):
                drawn = more
                break
    return [label for label, _ in drawn], [cover for _, cover in drawn]


def _seen(covers: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Return which shape is seen at each pixel, int32: 0 for none, later ones lie over earlier ones."""
    import numpy as np

    instances = np.zeros(size, np.int32)
    for row, cover in enumerate(covers, 1):
        instances[cover >= INSIDE] = row
    return instances


def _all_are_seen(covers: Sequence[np.ndarray], size: tuple[int, int]) -> bool:
    instances = _seen(covers, size)
    areas = [((instances == row).sum(), (cover >= INSIDE).sum()) for row, cover in enumerate(covers, 1)]
    return all(seen > 0 and seen >= (1 - MOST_HIDDEN) * area for seen, area in areas)


def _box(inside: np.ndarray) -> tuple[int, int, int, int]:
    """Return the box around what is true."""
    import numpy as np

    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def _unlike(background: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return another colour that differs from the background as much as the first one does."""
    import numpy as np

    while True:
        color = random.uniform(20, 235, 3)
        if np.abs(background - color).mean() >= CONTRAST:
            return color


def _two_colors(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return two colours that differ by a third of the value range or more."""
    import numpy as np

    while True:
        first, second = random.uniform(20, 235, (2, 3))
        if np.abs(first - second).mean() >= CONTRAST:
            return first, second


def _cover(shape: Shape, image_size: tuple[int, int], random: np.random.Generator, smaller: float = 1.0) -> np.ndarray:
    """Return how much of each pixel the shape covers, 0..1, of shape `image_size`; `smaller` is a factor of sizes."""
    import numpy as np
    from PIL import Image, ImageDraw

    height, width = (side * OVERSAMPLING for side in image_size)
    radius = random.uniform(0.2, 0.4) * min(height, width) * smaller
    x, y = random.uniform(radius, width - radius), random.uniform(radius, height - radius)
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    if shape == "circle":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    else:
        draw.polygon(_corners(shape, x, y, radius, random.uniform(0, 2 * math.pi)), fill=255)
    return np.asarray(canvas.resize((image_size[1], image_size[0]), Image.Resampling.BOX), np.float64) / 255


def _corners(shape: Shape, x: float, y: float, radius: float, angle: float) -> list[tuple[float, float]]:
    """Return the corners of a shape around a centre; a star has every second one further inside."""
    count, inner = {"square": (4, 1.0), "triangle": (3, 1.0), "star": (10, 0.4)}[shape]
    corners = []
    for number in range(count):
        distance = radius * (inner if number % 2 else 1.0)
        turn = angle + 2 * math.pi * number / count
        corners.append((x + distance * math.cos(turn), y + distance * math.sin(turn)))
    return corners
