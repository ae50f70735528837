"""What the numbers or colours of mask files mean, and masks read by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

from pydantic import Field

from cnnpipe.datasets import IGNORED
from cnnpipe.datasets._masks import MOST_CLASSES, boxes_around

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

Byte = Annotated[int, Field(ge=0, le=255)]
Number = Annotated[int, Field(ge=0, le=65535)]
Color = tuple[Byte, Byte, Byte]
Value = Number | Color
"""What a mask holds at a pixel."""
File = Path | BinaryIO
FORMATS = ("PNG", "BMP", "GIF", "TIFF", "WEBP")


def numbered(classes: Sequence[str] | Mapping[str, Value]) -> tuple[Value, ...]:
    """Return the number or colour of each class: those of a table, else 1 and more in their order.

    Raises:
        ValueError: Two classes have the same name.
    """
    if isinstance(classes, Mapping):
        return tuple(classes.values())
    if len(set(classes)) < len(classes):
        raise ValueError("classes must have different names")
    return tuple(range(1, 1 + len(classes)))


@dataclass(frozen=True)
class MaskValues:
    """The meaning of numbers, colours packed as `red * 65536 + green * 256 + blue`.

    Args:
        known: All numbers that mean something.
        meanings: For each what it means: 0 none of the classes, 1 and more a class, 255 ignored.
        colors: Whether they are colours.
    """

    known: tuple[int, ...]
    meanings: tuple[int, ...]
    colors: bool

    @classmethod
    def of(cls, classes: Sequence[Value], background: Value | None, ignore: Value | None) -> MaskValues:
        """Return the meaning of what classes, in their order, are called in masks.

        Raises:
            ValueError: Numbers and colours are mixed, one has two meanings, or there are too many classes.
        """
        stated = [*classes, *(value for value in (background, ignore) if value is not None)]
        if len({isinstance(value, tuple) for value in stated}) > 1:
            raise ValueError("classes, background and ignore must all be numbers, or all colours")
        if len(classes) > MOST_CLASSES:
            raise ValueError(f"masks can have {MOST_CLASSES} classes (received {len(classes)})")
        if twice := [value for value in stated if stated.count(value) > 1]:
            raise ValueError(f"{_shown(twice[0])} has two meanings")
        meanings = {_packed(value): number for number, value in enumerate(classes, 1)}
        if ignore is not None:
            meanings[_packed(ignore)] = IGNORED
        meanings.setdefault(0 if background is None else _packed(background), 0)
        known = tuple(sorted(meanings))
        return cls(known, tuple(meanings[value] for value in known), any(isinstance(value, tuple) for value in stated))


def masked_classes(file: File, values: MaskValues, size: tuple[int, int]) -> dict[str, Any]:
    """Return `segmentation_masks` of a mask of classes, and as `numbers` the classes that are seen, from 1.

    Raises:
        ValueError: It cannot be read, is of another size, or holds what has no meaning; says where.
    """
    import numpy as np

    numbers = _numbers(file, values.colors, size)
    known = np.array(values.known)
    positions = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    strange = known[positions] != numbers
    if strange.any():
        row, column = np.argwhere(strange)[0].tolist()
        value = int(numbers[row, column])
        shown = _shown((value >> 16, value >> 8 & 255, value & 255) if values.colors else value)
        raise ValueError(
            f"its mask{_named(file)} holds {shown}, which is no class of the source, in "
            f"{int((numbers == value).sum()):,} pixels, the first at column {column}, row {row}; add it to classes, or "
            "set ignore or background to it"
        )
    mask = np.array(values.meanings, np.uint8)[positions]
    return {"segmentation_masks": mask, "numbers": [n for n in np.unique(mask).tolist() if 0 < n < IGNORED]}


def masked_instances(file: File, values: MaskValues, size: tuple[int, int]) -> dict[str, Any]:
    """Return what a mask of instances tells, all of the first class: masks and boxes, and `numbers` as above.

    Raises:
        ValueError: It cannot be read, or is of another size.
    """
    import numpy as np

    numbers = _numbers(file, values.colors, size)
    meanings = dict(zip(values.known, values.meanings, strict=True))
    ignored = np.isin(numbers, [value for value, meaning in meanings.items() if meaning == IGNORED])
    nothing = np.isin(numbers, [value for value, meaning in meanings.items() if meaning == 0])
    instances, boxes = boxes_around(np.where(ignored | nothing, -1, numbers) + 1)
    return {
        "instance_masks": instances,
        "segmentation_masks": np.where(ignored, IGNORED, instances > 0).astype(np.uint8),
        "bounding_boxes": {"boxes": boxes, "labels": np.zeros(len(boxes), np.int32)},
        "numbers": [1] if len(boxes) else [],
    }


def _numbers(file: File, colors: bool, size: tuple[int, int]) -> np.ndarray:
    """Return the numbers of a mask, `(height, width)`, colours packed into one."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file, formats=FORMATS) as picture:
            values = _values(picture, colors)
    except UnidentifiedImageError:
        raise ValueError(f"its mask{_named(file)} is no image ({', '.join(FORMATS)} can be read)") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"its mask{_named(file)} cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from None
    if values is None:
        what = "colours, and classes, background and ignore are numbers" if not colors else "numbers, not colours"
        raise ValueError(f"its mask{_named(file)} holds {what}")
    if values.shape != size:
        raise ValueError(
            f"its mask{_named(file)} has {values.shape[1]}x{values.shape[0]} pixels, and the picture "
            f"{size[1]}x{size[0]}"
        )
    return values.astype(np.int64)


def _values(picture: Picture, colors: bool) -> np.ndarray | None:
    """Return the numbers of an open mask; None when it holds something else. Gray levels in colour are numbers too."""
    import numpy as np

    if colors and picture.mode in ("1", "I", "F", "I;16", "I;16B"):
        return None
    if colors or picture.mode not in ("1", "L", "P", "I", "I;16", "I;16B", "LA", "PA"):
        channels = np.asarray(picture.convert("RGB")).astype(np.int64)
        if colors:
            return channels[..., 0] * 65536 + channels[..., 1] * 256 + channels[..., 2]
        gray = (channels == channels[..., :1]).all()
        return channels[..., 0] if gray else None
    pixels = np.asarray(picture)
    return pixels[..., 0] if pixels.ndim == 3 else pixels


def _named(file: File) -> str:
    return f" {file}" if isinstance(file, Path) else ""


def _packed(value: Value) -> int:
    return value if isinstance(value, int) else value[0] * 65536 + value[1] * 256 + value[2]


def _shown(value: Value) -> str:
    return str(value) if isinstance(value, int) else f"[{', '.join(map(str, value))}]"


def values_in(file: Path) -> list[Value]:
    """Return the different numbers of a mask, or its colours, sorted; nothing when it cannot be read."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(file, formats=FORMATS) as picture:
            numbers = _values(picture, False)
            if numbers is not None:
                return list(np.unique(numbers).astype(int).tolist())
            packed = _values(picture, True)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return []
    return [] if packed is None else [(v >> 16, v >> 8 & 255, v & 255) for v in np.unique(packed).tolist()]
