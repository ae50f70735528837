"""A picture with what is said of it drawn over it: boxes, classes of pixels, instances."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnpipe.annotations import Annotations, Box
from cnnpipe.datasets import IGNORED

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

Color = tuple[int, int, int]
COLORS: tuple[Color, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
"""Colours that colour-blind people tell apart (Okabe and Ito 2008, "Color Universal Design"); later ones are hues."""
GRAY: Color = (128, 128, 128)
"""Of pixels that count nowhere."""
GOLDEN = 0.618034
"""Part of the hue circle between one hue and the next: any number of them stay apart."""
SMALL, LARGE = 320, 640
"""Pictures whose longer side is below the first are enlarged by a whole number, up to the second at most."""
OPACITY = 0.5
FONT, LINE, GAP, SQUARE = 12, 18, 6, 10
"""Size of letters, height of a line, distances and side of a legend's squares, in pixels."""


def annotated_picture(
    pixels: np.ndarray, annotations: Annotations, size: tuple[int, int] | None = None, words: bool = True
) -> Picture:
    """Return the picture with its annotations, and below it a legend of the classes that are seen.

    Args:
        pixels: uint8 of shape `(height, width)`, `(height, width, 1)` or `(height, width, 3)`.
        annotations: What is drawn, in the picture's pixels.
        size: Width and height at which it is drawn; None: as large as it is, small ones enlarged.
        words: Whether captions and legend are written.
    """
    from PIL import Image
    from PIL.ImageDraw import Draw

    picture = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).convert("RGB")
    width, height = size or _readable(picture.size)
    shrinks = width < picture.width
    picture = picture.resize((width, height), Image.Resampling.LANCZOS if shrinks else Image.Resampling.NEAREST)
    for mask in (annotations.class_mask, annotations.instance_mask):
        if mask is not None:
            ignores = mask is annotations.class_mask
            picture = _covered(picture, mask, IGNORED if ignores else None)
    pen = Draw(picture)
    scale = width / pixels.shape[1], height / pixels.shape[0]
    for box in annotations.boxes:
        _draw_box(pen, box, scale)
    for box in annotations.boxes if words else ():
        _write_caption(pen, box, scale)
    return _with_legend(picture, annotations) if words else picture


def color_of(number: int) -> Color:
    """Return the colour of a label or of an instance, counted from 0; the same in every picture."""
    if number < len(COLORS):
        return COLORS[number]
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.75, (0.95, 0.7)[number % 2])
    return round(red * 255), round(green * 255), round(blue * 255)


def _readable(size: tuple[int, int]) -> tuple[int, int]:
    longer = max(size)
    factor = max(1, min(-(-SMALL // longer), LARGE // longer))
    return size[0] * factor, size[1] * factor


def _covered(picture: Picture, mask: np.ndarray, ignored: int | None) -> Picture:
    """Return the picture under a mask that is half transparent, with opaque borders between its numbers."""
    import numpy as np
    from PIL import Image

    rows, columns = (
        (np.arange(length) * was // length) for length, was in zip(picture.size[::-1], mask.shape, strict=True)
    )
    enlarged = np.asarray(mask).astype(np.int64)[rows[:, None], columns]
    numbers, positions = np.unique(enlarged, return_inverse=True)
    colors = np.array([GRAY if number == ignored else color_of(max(number - 1, 0)) for number in numbers.tolist()])
    opacity = np.where(_borders(enlarged), 1.0, OPACITY) * (enlarged > 0)
    pixels = np.asarray(picture, np.float64)
    mixed = pixels + (colors[positions.reshape(enlarged.shape)] - pixels) * opacity[..., None]
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _borders(mask: np.ndarray) -> np.ndarray:
    """Return which pixels have another number to their right or below, or are looked at from there."""
    import numpy as np

    found = np.zeros(mask.shape, bool)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= down
    found[:-1] |= down
    return found


def _draw_box(pen: ImageDraw, box: Box, scale: tuple[float, float]) -> None:
    left, top, right, bottom = _scaled(box, scale)
    pen.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), outline=color_of(box.label), width=2)


def _write_caption(pen: ImageDraw, box: Box, scale: tuple[float, float]) -> None:
    """Write above the box, or inside where it touches the upper edge; never beyond the right edge."""
    if not box.caption:
        return
    left, top, _, _ = _scaled(box, scale)
    length = pen.textlength(box.caption, _font()) + 4
    x = max(0.0, min(left, pen.im.size[0] - length))
    y = top - LINE + 3 if top >= LINE - 3 else top
    pen.rectangle((x, y, x + length, y + LINE - 4), fill=color_of(box.label))
    pen.text((x + 2, y), box.caption, _ink(color_of(box.label)), _font())


def _scaled(box: Box, scale: tuple[float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.corners
    return left * scale[0], top * scale[1], right * scale[0], bottom * scale[1]


def _with_legend(picture: Picture, annotations: Annotations) -> Picture:
    from PIL import Image
    from PIL.ImageDraw import Draw

    entries = _seen(annotations)
    if not entries:
        return picture
    pen = Draw(picture)
    places, x, y = [], GAP, picture.height + GAP
    for name, _ in entries:
        length = SQUARE + 2 * GAP + round(pen.textlength(name, _font()))
        if x > GAP and x + length > picture.width:
            x, y = GAP, y + LINE
        places.append((x, y))
        x += length + GAP
    sheet = Image.new("RGB", (picture.width, y + LINE), "white")
    sheet.paste(picture)
    pen = Draw(sheet)
    for (name, color), (x, y) in zip(entries, places, strict=True):
        pen.rectangle((x, y + 2, x + SQUARE, y + 2 + SQUARE), fill=color)
        pen.text((x + SQUARE + GAP, y), name, "black", _font())
    return sheet


def _seen(annotations: Annotations) -> Sequence[tuple[str, Color]]:
    """Return the classes of the mask that are seen, with their colours."""
    import numpy as np

    if annotations.class_mask is None:
        return ()
    numbers = set(np.unique(annotations.class_mask).tolist())
    named = [
        (name, color_of(number)) for number, name in enumerate(annotations.legend) if number + 1 in numbers - {IGNORED}
    ]
    return [*named, ("ignored", GRAY)] if IGNORED in numbers else named


def _ink(color: Color) -> str:
    """Return black or white, whichever is read more easily on a colour."""
    red, green, blue = color
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else "white"


def _font() -> FreeTypeFont | ImageFont:
    from PIL.ImageFont import load_default

    return load_default(FONT)
