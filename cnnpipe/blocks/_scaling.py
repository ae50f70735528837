"""Compound scaling: how much wider and deeper a network is than the one that a recipe writes down."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEAST_SHARE = 0.9
"""Rounding takes away at most a tenth of the channels."""


@dataclass(frozen=True)
class Scaling:
    """Factors on channels and on repetitions (Tan and Le 2019, section 3.3).

    Args:
        width: Factor on channels.
        depth: Factor on repetitions.
        divisor: Scaled channels are rounded to a multiple of it, which is also their least number.
    """

    width: float = 1.0
    depth: float = 1.0
    divisor: int = 8

    def filters(self, filters: int) -> int:
        """Return the scaled number of channels; as it is when the width is 1."""
        if self.width == 1:
            return filters
        return rounded(filters * self.width, self.divisor)

    def repeats(self, repeats: int) -> int:
        """Return the scaled number of repetitions, rounded up."""
        return math.ceil(repeats * self.depth)


def rounded(channels: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` next to a number of channels, but not a tenth less of them."""
    near = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return near if near >= LEAST_SHARE * channels else near + divisor
