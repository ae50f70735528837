"""Training throughput against a plain Keras `fit` of the same network, batch size and data: run by hand, quietly.

    python tests/benchmarks/training_throughput.py

Both train in one process, in turns, and each network's best turn of each counts. CPU seconds are user and system time.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from cnnpipe.quiet import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from cnnpipe.build import build_model  # noqa: E402
from cnnpipe.data import load_data  # noqa: E402
from cnnpipe.events import Listener  # noqa: E402
from cnnpipe.recipe.load import load_recipe  # noqa: E402
from cnnpipe.runs import create_run  # noqa: E402
from cnnpipe.training import fit  # noqa: E402

ROUNDS, EPOCHS = 4, 6
LENET = """
    - {type: conv_relu_pool, filters: 6, kernel_size: 5}
    - {type: conv_relu_pool, filters: 16, kernel_size: 5, padding: valid}
    - flatten
    - {type: dense, units: 120}
    - {type: dense, units: 84}
"""
SMALL_VGG = """
    - {type: conv_relu_pool, filters: 32, repeat: 2}
    - {type: conv_relu_pool, filters: 64, repeat: 2}
    - {type: conv_relu_pool, filters: 128, repeat: 2}
"""
DIGITS = """
    - {type: conv_relu_pool, filters: 16}
    - {type: conv_relu_pool, filters: 32, repeat: 2}
    - flatten
    - {type: dense, units: 128, dropout: 0.5}
"""
CASES = [
    ("LeNet 28x28, batch 32", LENET, 28, 32), ("LeNet 28x28, batch 128", LENET, 28, 128),
    ("digits 16x16, batch 64", DIGITS, 16, 64), ("small VGG 28x28, batch 32", SMALL_VGG, 28, 32),
]  # fmt: skip
RECIPE = """
name: benchmark
task: {{type: image_classification, classes: 10}}
data:
  source: digits
  preprocessing: {{image_size: [{size}, {size}], color_mode: grayscale}}
model:
  blocks: {blocks}
training: {{epochs: {epochs}, batch_size: {batch}, restore: last}}
"""


def clocks():
    return np.array([time.perf_counter(), time.process_time()])


def prepared(folder, blocks, size, batch):
    file = folder / "benchmark.yaml"
    file.write_text(RECIPE.format(blocks=blocks, size=size, batch=batch, epochs=EPOCHS))
    loaded = load_recipe(file)
    data = load_data(loaded, Listener())
    return loaded, data, loaded.recipe.task.networks(loaded.recipe.model, data.facts, loaded.place_of)


class Epochs(Listener):
    """Takes the time after each epoch, so that tracing counts for neither."""

    def __init__(self):
        self.times = []

    def progress(self, done, total, values):
        if done % (total // EPOCHS) == 0:
            self.times.append(clocks())


class KerasEpochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None):
        self.times.append(clocks())


def ours(loaded, data, graphs, folder):
    ears = Epochs()
    fit(loaded, data, {name: build_model(graph) for name, graph in graphs.items()}, create_run(folder, "b"), ears)
    return (ears.times[-1] - ears.times[0]) / (EPOCHS - 1)


def plain(loaded, data, graphs):
    (graph,) = graphs.values()
    split, validation = data.splits["training"], data.splits["validation"]
    model = build_model(graph)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = (next(iter(arrays.values())) for arrays in (split.inputs, split.targets))
    held = tuple(next(iter(arrays.values())) for arrays in (validation.inputs, validation.targets))
    ears = KerasEpochs()
    model.fit(
        x.astype("float32"), y, batch_size=loaded.recipe.training.batch_size, epochs=EPOCHS, verbose=0,
        validation_data=(held[0].astype("float32"), held[1]), callbacks=[ears],
    )  # fmt: skip
    return (ears.times[-1] - ears.times[0]) / (EPOCHS - 1)


def main():
    keras.utils.set_random_seed(0)
    print("seconds per epoch, validation included: wall (CPU)")
    for name, blocks, size, batch in CASES:
        with tempfile.TemporaryDirectory() as folder:
            case = prepared(Path(folder), blocks, size, batch)
            turns = [(ours(*case, Path(folder)), plain(*case)) for _ in range(ROUNDS)]
        mine, theirs = np.array(turns).min(0)
        print(
            f"{name:28} cnnpipe {mine[0]:.3f} ({mine[1]:.3f})  plain fit {theirs[0]:.3f} ({theirs[1]:.3f})"
            f"  ratio {theirs[0] / mine[0]:.2f} ({theirs[1] / mine[1]:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
