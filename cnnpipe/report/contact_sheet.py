"""One PNG with a row of pictures for each class: what the model sees, before and after augmentation."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnpipe.examination.sample import Row

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

CELL = 112
"""Longer side of a picture on the sheet, in pixels."""
GAP, BETWEEN, MARGIN, LINE = 3, 16, 14, 20
"""Pixels inside of a pair, between pairs and rows, around all, and of a line of words."""
LETTERS, LETTER = 20, 8
"""Letters of a class's name that are shown, and pixels for each."""
INK, PALE, QUESTION = "#111111", "#666666", "#b3261e"


def contact_sheet(rows: Sequence[Row], title: Sequence[str]) -> bytes:
    """Return the sheet as a PNG file.

    Args:
        rows: The classes.
        title: Lines above all.
    """
    from PIL import Image
    from PIL.ImageDraw import Draw

    grids = [_groups(row) for row in rows]
    height, width = _cell(rows[0].before[0])
    widest = max(grids, key=lambda groups: sum(map(len, groups)))
    left = MARGIN + LETTER * (1 + max(len(_short(row.label)) for row in rows))
    across = left + sum(len(group) * (width + GAP) + BETWEEN for group in widest)
    top = MARGIN + LINE * (len(title) + 1)
    size = max(across + MARGIN, 480), top + len(rows) * (height + BETWEEN) + MARGIN
    sheet = Image.new("RGB", size, "white")
    pen = Draw(sheet)
    for number, line in enumerate(title):
        _write(pen, (MARGIN, MARGIN + number * LINE), line, PALE if number else INK)
    _head(pen, widest, rows[0], (left, top - LINE), width)
    for number, (row, groups) in enumerate(zip(rows, grids, strict=True)):
        y = top + number * (height + BETWEEN)
        _write(pen, (MARGIN, y + height // 2 - LINE // 2), _short(row.label), INK)
        x = left
        for group in groups:
            for pixels in group:
                sheet.paste(_picture(pixels, width, height), (x, y))
                x += width + GAP
            x += BETWEEN
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _groups(row: Row) -> list[list[np.ndarray]]:
    """Return what stands side by side: pairs of before and after, then the first picture with its mirror images."""
    pairs = [[*pair] for pair in zip(row.before, row.after, strict=True)] if row.after else [[p] for p in row.before]
    return [*pairs, [row.before[0], *row.mirrored]] if row.mirrored else pairs


def _head(pen: ImageDraw, groups: Sequence[Sequence[np.ndarray]], row: Row, place: tuple[int, int], width: int) -> None:
    x, y = place
    for number, group in enumerate(groups):
        if row.mirrored and number == len(groups) - 1:
            _write(pen, (x, y), "mirrored: still its class?", QUESTION)
        elif row.after:
            _write(pen, (x, y), "before", PALE)
            _write(pen, (x + width + GAP, y), "after", PALE)
        x += len(group) * (width + GAP) + BETWEEN


def _cell(pixels: np.ndarray) -> tuple[int, int]:
    """Return height and width of a picture on the sheet: small ones are enlarged by a whole number."""
    height, width = pixels.shape[:2]
    factor = CELL / max(height, width)
    factor = math.floor(factor) if factor >= 1 else factor
    return max(1, round(height * factor)), max(1, round(width * factor))


def _picture(pixels: np.ndarray, width: int, height: int) -> Picture:
    from PIL import Image

    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    larger = width >= picture.width
    return picture.resize((width, height), Image.Resampling.NEAREST if larger else Image.Resampling.LANCZOS)


def _short(label: str) -> str:
    return label if len(label) <= LETTERS else f"{label[: LETTERS - 3]}..."


def _write(pen: ImageDraw, place: tuple[int, int], words: str, colour: str) -> None:
    from PIL import ImageFont

    pen.text(place, words, colour, ImageFont.load_default(13))
