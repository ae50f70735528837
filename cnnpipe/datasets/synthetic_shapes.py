"""Pictures of simple shapes on noisy backgrounds, drawn from a seed: no download, no licence, any amount."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from cnnpipe.datasets import Dataset, Example, Examples

if TYPE_CHECKING:
    import numpy as np

Shape = Literal["circle", "square", "triangle", "star"]
Side = Annotated[int, Field(ge=16, le=1024)]
OVERSAMPLING = 4
"""Shapes are drawn this much larger and shrunk, so that their edges are smooth."""


class SyntheticShapes(Dataset):
    """One shape per picture, of random place, size, angle and colour. Classes take turns."""

    keys: ClassVar[frozenset[str]] = frozenset({"images", "labels", "bounding_boxes", "segmentation_masks"})

    also_called: ClassVar[tuple[str, ...]] = ("synthetic", "shapes", "toy", "random", "fake", "dummy")
    type: Literal["synthetic_shapes"] = "synthetic_shapes"
    examples: int = Field(default=1200, ge=1)
    """How many pictures."""
    image_size: tuple[Side, Side] = (48, 48)
    """Height and width."""
    classes: tuple[Shape, ...] = Field(default=("circle", "square", "triangle", "star"), min_length=1)
    """Which shapes, in the order of the class list."""
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
    """Return a picture by Keras's keys.

    `images` is uint8 of shape `(height, width, 3)`; `bounding_boxes` holds `boxes`, float32 of shape `(1, 4)` as
    `xyxy` in pixels, and `labels`, int32 of shape `(1,)`; `segmentation_masks` is uint8 of shape `(height, width)`,
    0 for the background and the class's number plus 1 for the shape.
    """
    import numpy as np

    random = np.random.default_rng([spec.seed, number])
    label = number % len(spec.classes)
    cover = _cover(spec.classes[label], spec.image_size, random)
    background, color = _two_colors(random)
    image = background + (color - background) * cover[..., None]
    image = image + random.normal(0, spec.noise * 255, image.shape)
    inside = cover >= 0.5
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return {
        "images": np.clip(np.rint(image), 0, 255).astype(np.uint8),
        "labels": spec.classes[label],
        "bounding_boxes": {"boxes": np.array([box], np.float32), "labels": np.array([label], np.int32)},
        "segmentation_masks": np.where(inside, label + 1, 0).astype(np.uint8),
    }


def _two_colors(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return two colours that differ by a third of the value range or more."""
    import numpy as np

    while True:
        first, second = random.uniform(20, 235, (2, 3))
        if np.abs(first - second).mean() >= 85:
            return first, second


def _cover(shape: Shape, image_size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Return how much of each pixel the shape covers, 0..1, of shape `image_size`."""
    import numpy as np
    from PIL import Image, ImageDraw

    height, width = (side * OVERSAMPLING for side in image_size)
    radius = random.uniform(0.2, 0.4) * min(height, width)
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
