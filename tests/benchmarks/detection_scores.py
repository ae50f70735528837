"""How long it takes to measure detections: matching by pycocotools, and the interval by the bootstrap.

Run by hand: python tests/benchmarks/detection_scores.py
"""

from __future__ import annotations

import time

import numpy as np

from cnnpipe.metrics import average_precision as metric
from cnnpipe.metrics.average_precision import Objects, average_precision

IMAGES, OBJECTS, FOUND, CLASSES = 87, 14, 40, 3


def case() -> tuple[list[Objects], list[Objects]]:
    random = np.random.default_rng(0)
    truth, found = [], []
    for _ in range(IMAGES):
        boxes = [np.concatenate([corner, corner + 40]) for corner in random.uniform(0, 280, (FOUND, 2))]
        labels = random.integers(0, CLASSES, FOUND)
        truth.append(Objects(np.float32(boxes[:OBJECTS]), labels[:OBJECTS]))
        found.append(Objects(np.float32(boxes) + random.normal(0, 3, (FOUND, 4)), labels, random.random(FOUND)))
    return truth, found


def seconds(resamples: int) -> float:
    metric.RESAMPLES = resamples
    start = time.process_time()
    average_precision(*case(), CLASSES)
    return time.process_time() - start


if __name__ == "__main__":
    whole, matching = seconds(metric.RESAMPLES), seconds(1)
    print(f"{IMAGES} images, {OBJECTS} objects and {FOUND} detections each, {CLASSES} classes: {whole:.2f} s of CPU")
    print(
        f"of these the interval takes {whole - matching:.2f} s, {(whole - matching) / matching:.1f} times the matching"
    )
