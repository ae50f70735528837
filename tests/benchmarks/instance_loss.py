"""What hundreds of instances cost: boxes around them, and time and memory of their loss.

Run by hand: python tests/benchmarks/instance_loss.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np

SIZE, BATCH, FEW, MANY = 256, 4, 25, 375


def masks(count: int) -> np.ndarray:
    """Return masks of `count` squares side by side in each image."""
    found, side = np.zeros((BATCH, SIZE, SIZE, 1), np.int32), SIZE // 20
    for number in range(count):
        row, column = divmod(number, 20)
        found[:, row * side : row * side + side - 2, column * side : column * side + side - 2] = number + 1
    return found


def boxes_by_loop(instances: np.ndarray, count: int) -> None:
    for image in instances[..., 0]:
        for number in range(1, count + 1):
            rows, columns = np.nonzero(image == number)
            if len(rows):
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def loss_of(count: int) -> None:
    """Print seconds of CPU of a loss with its gradient, and the process's peak of memory beyond that before it."""
    import tensorflow as tf

    from cnnpipe.boxes.instances import fitted
    from cnnpipe.heads.prototypes import Prototypes

    head = Prototypes(levels=("P2", "P3"), prototypes=16, prototype_level="P2")
    labels = np.where(np.arange(400) < count, 0, -1)[None].repeat(BATCH, 0)
    targets = head.training_targets(fitted(labels, np.zeros_like(labels), masks(count)))["all_values"]
    loss = head.losses(1, (SIZE, SIZE))["all_values"]
    values = len(head.anchors((SIZE, SIZE))) * 21 + 128 * 128 * 16
    said = tf.constant(np.random.default_rng(0).normal(0, 0.1, (BATCH, values)), tf.float32)

    @tf.function
    def gradient(said: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(said)
            value = loss(targets, said)
        return tape.gradient(value, said)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gradient(said)
    start = time.process_time()
    gradient(said)
    print(time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def measured(count: int) -> tuple[float, float]:
    told = subprocess.run([sys.executable, __file__, str(count)], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, told.stdout.split())
    return seconds, megabytes


def boxes() -> None:
    from cnnpipe.boxes.instances import boxes_around

    instances = masks(MANY)
    boxes_around(instances, MANY)
    start = time.process_time()
    boxes_around(instances, MANY)
    vectorized, start = time.process_time() - start, time.process_time()
    boxes_by_loop(instances, MANY)
    print(f"boxes around {MANY} instances: {(time.process_time() - start) / vectorized:.0f} times as fast as a loop")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        loss_of(int(sys.argv[1]))
    else:
        boxes()
        (few, small), (many, large) = measured(FEW), measured(MANY)
        print(f"the loss of {BATCH} images of {SIZE}x{SIZE}, {MANY} instead of {FEW} instances in each:")
        print(f"{many / few:.1f} times the time ({many:.2f} s), {large / small:.1f} times the memory ({large:.0f} MB)")
