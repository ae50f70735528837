"""What a picture is: its form as stored, and a thumbnail of what it shows."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from cnnpipe.preprocessing.image import FORMATS, opaque_picture

THUMBNAIL = (16, 16, 3)
"""Height, width and channels of a thumbnail: enough to tell scenes apart (Torralba, Fergus and Freeman 2008, "80
million tiny images", section 3, where 32x32 suffice for people)."""
ORIENTATION = 0x0112
"""EXIF's tag; 1 is upright."""
ARRAY = "array"
"""The format of a picture that stands in no file of its own."""


@dataclass(frozen=True)
class Picture:
    """Facts of one picture.

    Args:
        format: `JPEG`, `PNG`, ...; `array` when it stands in no file of its own.
        mode: Pillow's name of the colours as stored: `RGB`, `L`, `CMYK`, `I;16`, ...
        depth: Bits of one colour value.
        frames: More than 1 when it is animated.
        orientation: EXIF's number, 1 when it is stored upright.
        width: In pixels, upright.
        height: In pixels, upright.
        thumbnail: `THUMBNAIL` bytes of what it shows, upright, red, green and blue.
    """

    format: str
    mode: str
    depth: int
    frames: int
    orientation: int
    width: int
    height: int
    thumbnail: bytes

    @property
    def size(self) -> str:
        """Width and height as people write them: `640x480`."""
        return f"{self.width}x{self.height}"


def look_at(raw: Any) -> Picture:
    """Return the facts of one raw picture.

    Args:
        raw: The content of an image file, or an array, as sources give them.

    Raises:
        ValueError: It cannot be decoded; says why, in the words of `run`.
    """
    from PIL import Image

    upright = opaque_picture(raw)
    small = upright.convert("RGB").resize(THUMBNAIL[1::-1], Image.Resampling.BILINEAR, reducing_gap=3.0)
    kind, mode, depth, frames, orientation = _stored(raw) if isinstance(raw, bytes) else (ARRAY, upright.mode, 8, 1, 1)
    return Picture(kind, mode, depth, frames, orientation, upright.width, upright.height, small.tobytes())


def _stored(content: bytes) -> tuple[str, str, int, int, int]:
    """Return format, mode, bits of one value, frames and orientation, from the head of a file that can be decoded."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        raw_modes = " ".join(str(tile[3]) for tile in picture.tile)
        depth = 16 if "16" in raw_modes or picture.mode.startswith(("I", "F")) else 8
        try:
            orientation = int(picture.getexif().get(ORIENTATION, 1) or 1)
        except Exception:  # metadata is broken in as many ways as pixels are, and does not matter here
            orientation = 1
        try:
            frames = int(getattr(picture, "n_frames", 1))
        except Exception:  # an animation that is cut off behind its first frame
            frames = 1
        return picture.format or "", picture.mode, depth, frames, orientation
