"""Whether pictures are gray, by what they show and not by how they are stored."""

from __future__ import annotations

from cnnpipe.examination.pictures import Picture

GRAY = 8
"""Largest difference of red, green and blue in a thumbnail, in levels of 0..255, that compression leaves in gray."""


def is_gray(picture: Picture) -> bool:
    """Whether red, green and blue are equal everywhere, to compression."""
    import numpy as np

    pixels = np.frombuffer(picture.thumbnail, np.uint8).reshape(-1, 3)
    return int(np.ptp(pixels, axis=1).max()) <= GRAY
