"""What a bundle states of its scores, read with care: it may come from anywhere."""

from __future__ import annotations

import math
from typing import Any, Literal

from cnnpipe.evaluation import Drop
from cnnpipe.manifest import Manifest
from cnnpipe.task import Score


def stated_score(manifest: Manifest, who: Literal["model", "file"], metric: str) -> Score | None:
    """Return what a bundle states of a metric of the Keras model or the file on the test split; None when nothing."""
    try:
        stated = manifest.scores["test"][who][metric]
        low, high = stated["interval"] or (math.nan, math.nan)
        interval = (float(low), float(high)) if math.isfinite(low) and math.isfinite(high) else None
        value = float(stated["value"])
        return Score(value, int(stated["n"]), interval) if math.isfinite(value) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def stated_drop(manifest: Manifest) -> Drop | None:
    """Return what a bundle states of the file against the Keras model on the test split; None when nothing."""
    try:
        stated: Any = manifest.scores["test"]["drop"]
        counts = [None if stated[key] is None else int(stated[key]) for key in ("differs", "lost", "won")]
        drop = float(stated["drop"])
        return Drop(drop, counts[0], counts[1], counts[2], int(stated["n"])) if math.isfinite(drop) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
