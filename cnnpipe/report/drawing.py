"""Boxes, lines and words, written as SVG or painted as PNG."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.files import replacing

MOST_PIXELS = 32_000
"""The longest side of a PNG: many programs open no more than 32,767 pixels."""
PIL_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
"""Pillow's names of where a text is held, all at its base line."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A box with round corners. All lengths are in pixels."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str
    radius: float


@dataclass(frozen=True)
class Line:
    """A line through points, with an arrow at its end if wanted."""

    points: tuple[Point, ...]
    arrow: bool = False
    color: str = "#555555"


@dataclass(frozen=True)
class Text:
    """One line of words; `y` is its base line, `x` its left end, or its middle or right end as `anchor` says."""

    x: float
    y: float
    words: str
    size: float
    color: str = "#111111"
    bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True)
class Drawing:
    """Shapes in the order in which they are drawn, on white."""

    width: float
    height: float
    shapes: tuple[Rectangle | Line | Text, ...]


def write_picture(drawing: Drawing, file: Path) -> None:
    """Write a drawing in the format that the ending of the file says.

    Raises:
        ProblemError: The ending is neither .svg nor .png, the file cannot be written, or it is too long for a PNG.
    """
    writers = {".svg": svg, ".png": png}
    if file.suffix.lower() not in writers:
        raise ProblemError(Problem(f"{file} is neither .svg nor .png", hint="Give the file one of these endings."))
    content = writers[file.suffix.lower()](drawing)
    with replacing(file) as temporary:
        temporary.write_bytes(content)


def svg(drawing: Drawing) -> bytes:
    """Return the drawing as an SVG file."""
    size = f'width="{drawing.width:g}" height="{drawing.height:g}" viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="Helvetica, Arial, sans-serif">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *(_element(shape) for shape in drawing.shapes),
        "</svg>",
    ]
    return ("\n".join(parts) + "\n").encode()


def _element(shape: Rectangle | Line | Text) -> str:
    if isinstance(shape, Rectangle):
        place = f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'
        return f'<rect {place} rx="{shape.radius:g}" fill="{shape.fill}" stroke="{shape.stroke}"/>'
    if isinstance(shape, Text):
        weight = ' font-weight="bold"' if shape.bold else ""
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        place = f'x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}" fill="{shape.color}"{weight}{anchor}'
        return f"<text {place}>{escape(shape.words)}</text>"
    way = f'<polyline points="{_points(shape.points)}" fill="none" stroke="{shape.color}"/>'
    return way + (f'<polygon points="{_points(_tip(shape))}" fill="{shape.color}"/>' if shape.arrow else "")


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _tip(line: Line) -> tuple[Point, ...]:
    """Return the triangle at the end of a line."""
    (x, y), (end_x, end_y) = line.points[-2:]
    length = math.hypot(end_x - x, end_y - y) or 1
    along, across = ((end_x - x) / length, (end_y - y) / length), ((y - end_y) / length, (end_x - x) / length)
    back = (end_x - 7 * along[0], end_y - 7 * along[1])
    sides = ((back[0] + 3.5 * side * across[0], back[1] + 3.5 * side * across[1]) for side in (1, -1))
    return ((end_x, end_y), *sides)


def png(drawing: Drawing) -> bytes:
    """Return the drawing as a PNG file: two pixels for each of its own, or one where that would be a huge picture.

    Raises:
        ProblemError: Even with one it would be more than most programs open.
    """
    from PIL import Image, ImageDraw, ImageFont

    longest = max(drawing.width, drawing.height)
    if longest > MOST_PIXELS:
        message = f"the picture would be {longest:,.0f} pixels long, and a PNG holds {MOST_PIXELS:,} here"
        raise ProblemError(Problem(message, hint="Write it as .svg."))
    scale = 2 if 2 * longest <= MOST_PIXELS else 1
    picture = Image.new("RGB", (math.ceil(drawing.width * scale), math.ceil(drawing.height * scale)), "#ffffff")
    pen = ImageDraw.Draw(picture)
    for shape in drawing.shapes:
        if isinstance(shape, Rectangle):
            box = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
            corners = [number * scale for number in box]
            pen.rounded_rectangle(corners, shape.radius * scale, shape.fill, shape.stroke, max(1, round(scale / 2)))
        elif isinstance(shape, Text):
            font = ImageFont.load_default(shape.size * scale)
            bold = scale / 4 if shape.bold else 0
            place = (shape.x * scale, shape.y * scale)
            pen.text(place, shape.words, shape.color, font, PIL_ANCHORS[shape.anchor], stroke_width=bold)
        else:
            pen.line([(x * scale, y * scale) for x, y in shape.points], shape.color, max(1, round(scale * 0.6)))
            if shape.arrow:
                pen.polygon([(x * scale, y * scale) for x, y in _tip(shape)], shape.color)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
