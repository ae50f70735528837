"""Lengths of time as a person writes them: `90s`, `40m`, `2h`, `1h30m`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_PARTS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(duration: str) -> int:
    """Return the seconds of a length of time.

    Raises:
        ValueError: It is none.
    """
    match = _PARTS.fullmatch(duration)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise ValueError(f"expected a time such as 90s, 40m or 1h30m (received '{duration}')")
    return total


def magnitude(seconds: float) -> str:
    """Return an order of magnitude in words, with two digits: `6.6 ms`."""
    unit, size = ("s", seconds) if seconds >= 1 else ("ms", 1000 * seconds)
    return f"{float(f'{size:.2g}'):g} {unit}"


def _checked(duration: Any) -> Any:
    seconds_of(str(duration))
    return duration


Duration = Annotated[str, BeforeValidator(_checked)]
"""A length of time in hours (h), minutes (m) and seconds (s), such as `40m`."""
