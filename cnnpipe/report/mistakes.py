"""One PNG with the examples on which a model does worst: what it saw, and the same with its mistakes drawn over it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnpipe.annotations import Annotations
from cnnpipe.report.annotated_picture import annotated_picture
from cnnpipe.task import Mistake

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

SIDE, GAP, LINE, LETTERS = 240, 8, 18, 60
"""Longer side of a picture, distances, height of a line of words, all in pixels; letters of a line."""
COLUMNS = 2


@dataclass(frozen=True)
class Shown:
    """An example with its mistake.

    Args:
        pixels: What the network saw, uint8 of shape `(height, width, channels)`.
        name: The example's name.
        mistake: What is wrong with the answer.
    """

    pixels: np.ndarray
    name: str
    mistake: Mistake


def mistakes_sheet(shown: Sequence[Shown]) -> bytes:
    """Return the sheet as a PNG file: for each example its name and score, below it the picture twice, a legend."""
    from PIL import Image

    cells = [_cell(one) for one in shown]
    width, height = (max(cell.size[axis] for cell in cells) + GAP for axis in (0, 1))
    rows = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGB", (GAP + min(COLUMNS, len(cells)) * width, GAP + rows * height), "white")
    for number, cell in enumerate(cells):
        sheet.paste(cell, (GAP + number % COLUMNS * width, GAP + number // COLUMNS * height))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def _cell(one: Shown) -> Picture:
    from PIL import Image
    from PIL.ImageDraw import Draw
    from PIL.ImageFont import load_default

    height, width = one.pixels.shape[:2]
    factor = SIDE / max(height, width)
    size = round(width * factor), round(height * factor)
    plain = annotated_picture(one.pixels, Annotations(), size)
    wrong = annotated_picture(one.pixels, one.mistake.annotations, size)
    cell = Image.new("RGB", (2 * size[0] + GAP, LINE + wrong.height), "white")
    words = f"{one.name[-LETTERS:]}   {one.mistake.caption}"
    Draw(cell).text((0, 0), words, "black", load_default(12))
    cell.paste(plain, (0, LINE))
    cell.paste(wrong, (size[0] + GAP, LINE))
    return cell
