"""One PNG with a row of pictures for each class: what the model sees, before and after augmentation."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnpipe.annotations import Annotations
from cnnpipe.examination.sample import Row
from cnnpipe.report.annotated_picture import annotated_picture, color_of

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
WITH_TRUTH = 224
"""Longer side of a picture over which boxes or masks are drawn."""
SQUARE = 12
"""Side of a square of a class's colour, in pixels."""
Cell = tuple["np.ndarray", "Annotations | None"]
"""A picture and what is drawn over it."""


def contact_sheet(rows: Sequence[Row], title: Sequence[str], class_names: Sequence[str] = ()) -> bytes:
    """Return the sheet as a PNG file.

    Args:
        rows: The classes.
        title: Lines above all.
        class_names: Of the source, for the colours of boxes and masks where those are drawn.
    """
    from PIL import Image
    from PIL.ImageDraw import Draw

    grids = [_groups(row) for row in rows]
    height, width = _cell(rows[0].before[0], WITH_TRUTH if rows[0].truth_before else CELL)
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
        if row.truth_before and row.label in class_names:
            corner = MARGIN, y + height // 2 + LINE // 2
            far = corner[0] + SQUARE, corner[1] + SQUARE
            pen.rectangle((*corner, *far), fill=color_of(class_names.index(row.label)))
        x = left
        for group in groups:
            for pixels, truth in group:
                sheet.paste(_picture(pixels, truth, width, height), (x, y))
                x += width + GAP
            x += BETWEEN
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _groups(row: Row) -> list[list[Cell]]:
    """Return what stands side by side: pairs of before and after, then the first picture with its mirror images."""
    before, after = _cells(row.before, row.truth_before), _cells(row.after, row.truth_after)
    pairs = [[*pair] for pair in zip(before, after, strict=True)] if after else [[cell] for cell in before]
    return [*pairs, _cells([row.before[0], *row.mirrored], ())] if row.mirrored else pairs


def _cells(pictures: Sequence[np.ndarray], truths: Sequence[Annotations]) -> list[Cell]:
    drawn: Sequence[Annotations | None] = truths or [None] * len(pictures)
    return list(zip(pictures, drawn, strict=True))


def _head(pen: ImageDraw, groups: Sequence[Sequence[Cell]], row: Row, place: tuple[int, int], width: int) -> None:
    x, y = place
    for number, group in enumerate(groups):
        if row.mirrored and number == len(groups) - 1:
            _write(pen, (x, y), "mirrored: still its class?", QUESTION)
        elif row.after:
            _write(pen, (x, y), "before", PALE)
            _write(pen, (x + width + GAP, y), "after", PALE)
        x += len(group) * (width + GAP) + BETWEEN


def _cell(pixels: np.ndarray, longest: int) -> tuple[int, int]:
    """Return height and width of a picture on the sheet: small ones are enlarged by a whole number."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    factor = math.floor(factor) if factor >= 1 else factor
    return max(1, round(height * factor)), max(1, round(width * factor))


def _picture(pixels: np.ndarray, truth: Annotations | None, width: int, height: int) -> Picture:
    from PIL import Image

    if truth is not None:
        return annotated_picture(pixels, truth, (width, height), words=False)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    larger = width >= picture.width
    return picture.resize((width, height), Image.Resampling.NEAREST if larger else Image.Resampling.LANCZOS)


def _short(label: str) -> str:
    return label if len(label) <= LETTERS else f"{label[: LETTERS - 3]}..."


def _write(pen: ImageDraw, place: tuple[int, int], words: str, colour: str) -> None:
    from PIL import ImageFont

    pen.text(place, words, colour, ImageFont.load_default(13))
