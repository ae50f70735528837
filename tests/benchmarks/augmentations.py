"""Images per second of processor time of every augmentation: `python tests/benchmarks/augmentations.py [NAME ...]`.

As training draws them, in batches of 32 images in memory. `nothing` is what batches cost without any augmentation.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from cnnpipe.augmentations import ROOM, Augmentation
from cnnpipe.batches import training_batches
from cnnpipe.data import SplitData
from cnnpipe.training import make_deterministic

ARGUMENTS: dict[str, dict[str, Any]] = {
    "random_shear": {"x_factor": 0.1, "y_factor": 0.1},
    "random_color_jitter": {f"{part}_factor": 0.1 for part in ("brightness", "contrast", "saturation", "hue")},
}
BATCH, SIDES, BATCHES = 32, (32, 96), 40


def made(name: str) -> Augmentation:
    kind = ROOM.load(name)
    needed = {key: 0.1 for key, field in kind.model_fields.items() if field.is_required()}
    return kind.model_validate({**needed, **ARGUMENTS.get(name, {})})  # type: ignore[return-value]


def speed(side: int, augmentation: tuple[Augmentation, ...]) -> float:
    images = np.random.default_rng(0).integers(0, 256, (256, side, side, 3), np.uint8)
    targets = {"y": np.eye(256, 10, dtype=np.float32)}
    data = SplitData(tuple(map(str, range(256))), (None,) * 256, {"image": images}, targets)
    batches = iter(training_batches(data, BATCH, 0, 0, 10**9, augmentation, keys={"y": "labels"}))
    for _ in range(10):
        next(batches)
    start = time.process_time()
    for _ in range(BATCHES):
        next(batches)
    return BATCHES * BATCH / (time.process_time() - start)


def main() -> None:
    make_deterministic(0)
    names = [name for name in ROOM.names() if name in (sys.argv[1:] or ROOM.names())]
    print("images per second".ljust(24), *(f"{side}x{side}".rjust(10) for side in SIDES))
    for name in ["nothing", *names]:
        chosen = () if name == "nothing" else (made(name),)
        print(name.ljust(24), *(f"{speed(side, chosen):>10,.0f}" for side in SIDES), flush=True)


if __name__ == "__main__":
    main()
