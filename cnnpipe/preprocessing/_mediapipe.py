"""Resizing as MediaPipe Tasks does it on a phone's processor, to the bit.

Its graph of an image task warps the picture with OpenCV: pixel `x` of the result is read at `x * width / new width` of
the picture (corners on corners, not centres on centres), between its four neighbours, without averaging when it
shrinks. OpenCV computes with places in 32nds of a pixel and weights whose products sum to 1024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

_PLACES = 32
"""Into how many places the way from one pixel to the next is divided."""


def resized(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return a picture of 8 bits a channel in another size (width, height)."""
    import numpy as np
    from PIL import Image as pillow

    pixels = np.asarray(picture).astype(np.int32)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    left, right, x = _between(pixels.shape[1], size[0])
    above, below, y = _between(pixels.shape[0], size[1])
    x, y = x[:, None], y[:, None, None]
    upper, lower = (rows[:, left] * (_PLACES - x) + rows[:, right] * x for rows in (pixels[above], pixels[below]))
    mixed = (upper * (_PLACES - y) + lower * y + _PLACES**2 // 2) // _PLACES**2
    return pillow.fromarray(mixed.astype(np.uint8).squeeze(2) if mixed.shape[2] == 1 else mixed.astype(np.uint8))


def _between(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each new position, its two old neighbours, and how far it is from the first, in `_PLACES`."""
    import numpy as np

    places = np.rint(np.arange(new) * (old / new) * _PLACES).astype(np.int64)
    first = places // _PLACES
    return np.minimum(first, old - 1), np.minimum(first + 1, old - 1), places % _PLACES
