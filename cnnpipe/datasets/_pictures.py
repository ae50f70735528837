"""Pictures in folders, found by their names and asked for their size: what the sources with annotations share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cnnpipe.datasets.image_folder import DROPPINGS

EXTENSIONS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp")
"""How names of pictures end; their content says what they are."""


def pictures_in(folder: Path) -> Iterator[Path]:
    """Yield the pictures below a folder, sorted by their paths; hidden ones are left out."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in DROPPINGS:
            continue
        if path.is_dir():
            yield from pictures_in(path)
        elif path.suffix.lower() in EXTENSIONS:
            yield path


def size_of(file: Path) -> tuple[int, int]:
    """Return width and height of an upright picture, from its header.

    Raises:
        ValueError: It cannot be read, or is no picture; says why.
    """
    from PIL import Image, UnidentifiedImageError

    from cnnpipe.preprocessing.image import EXIF_ORIENTATION, FIRST_ON_ITS_SIDE, FORMATS

    try:
        with Image.open(file, formats=FORMATS) as picture:
            on_its_side = picture.getexif().get(EXIF_ORIENTATION, 1) >= FIRST_ON_ITS_SIDE
            return picture.size[::-1] if on_its_side else picture.size
    except UnidentifiedImageError:
        raise ValueError(f"{file} is no image") from None
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} cannot be read ({getattr(error, 'strerror', None) or error})") from None
