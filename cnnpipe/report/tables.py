"""Plain text tables, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence

Cell = str | int | float | None


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], left: Sequence[str] = ()) -> str:
    """Return an aligned table: a column whose title is in `left` to the left, all others to the right.

    Integers get thousands separators, floats four decimals, None a dash.
    """
    cells = [list(header), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            f"{cell:<{width}}" if title in left else f"{cell:>{width}}"
            for cell, width, title in zip(row, widths, header, strict=True)
        ).rstrip()
        for row in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def byte_size(size: float) -> str:
    """Return a size in bytes as people read it, in powers of 1000: `1.2 MB`."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def short_number(number: int) -> str:
    """Return a count as people read it: `822 M`."""
    size = float(number)
    for unit in ("", " k", " M", " G"):
        if size < 999.5:
            return f"{size:.3g}{unit}"
        size /= 1000
    return f"{size:,.3g} T"


def shape(size: Sequence[int]) -> str:
    """Return a shape as `112x112x32`."""
    return "x".join(str(axis) for axis in size)


def printable(text: str) -> str:
    """Return text without control characters, which a foreign file could send to the terminal; lines stay."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
