"""A phase with a frozen backbone against a plain Keras `fit` of the same: run by hand, quietly.

    python tests/benchmarks/frozen_features.py

MobileNetV2 (alpha 0.35) at 96x96 with random weights, 600 drawn pictures, batch 32. Plain Keras sets the `trainable` of
the backbone to False and fits. Both train in one process, in turns; the best turn of each counts. CPU seconds are user
and system time. The first numbers are epochs once features are kept; the second are whole trainings as a new run has
them, with tracing and the computation of the features. Validation is in neither.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from cnnpipe.quiet import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from cnnpipe.batches import training_batches  # noqa: E402
from cnnpipe.build import build_model  # noqa: E402
from cnnpipe.data import load_data  # noqa: E402
from cnnpipe.events import Listener  # noqa: E402
from cnnpipe.frozen_features import phase_data  # noqa: E402
from cnnpipe.recipe.load import load_recipe  # noqa: E402
from cnnpipe.training.pace import choose_pace  # noqa: E402
from cnnpipe.training.phases import set_trainable  # noqa: E402

ROUNDS, EPOCHS, EXAMPLES, BATCH = 3, 30, 600, 32
RECIPE = f"""
name: benchmark
task: {{type: image_classification}}
data:
  source: {{type: synthetic_shapes, examples: {EXAMPLES + 60}, image_size: [96, 96], classes: [circle, square]}}
  preprocessing: {{image_size: [96, 96]}}
  split: {{validation: 0.05, test: 0.05}}
model:
  backbone: {{type: mobilenet_v2, alpha: 0.35, weights: none}}
training:
  batch_size: {BATCH}
  phases: [{{name: head, epochs: {EPOCHS}, freeze: backbone}}]
"""


def clocks():
    return np.array([time.perf_counter(), time.process_time()])


class Epochs(keras.callbacks.Callback):
    """Takes the time after each epoch."""

    def __init__(self):
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None):
        self.times.append(clocks())

    def each(self):
        return (self.times[-1] - self.times[0]) / (len(self.times) - 1)


def compiled(model, steps=1):
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=steps)
    return model


def ours(loaded, data, graph, folder):
    """Seconds of an epoch, and of the whole training with features from nothing."""
    model, phase = build_model(graph), loaded.recipe.training.phases[0]
    set_trainable({"": graph}, {"": model}, phase)
    begun, ears = clocks(), Epochs()
    part = phase_data(phase, loaded, data, graph, model, folder, Listener())
    pace = choose_pace([part.graph], len(part.training), BATCH)
    batches = training_batches(part.training, BATCH, 0, 0, EPOCHS * pace.steps_per_epoch, part.augmentation, part.views)
    compiled(part.model, pace.steps_per_execution).fit(
        batches, epochs=EPOCHS, steps_per_epoch=pace.steps_per_epoch, shuffle=False, verbose=0, callbacks=[ears]
    )
    return ears.each(), clocks() - begun


def plain(data, epochs):
    split = data.splits["training"]
    (x,), (y,) = split.inputs.values(), split.targets.values()
    backbone = keras.applications.MobileNetV2(alpha=0.35, include_top=False, weights=None, input_shape=(96, 96, 3))
    backbone.trainable = False
    entrance = keras.Input((96, 96, 3))
    features = keras.layers.GlobalAveragePooling2D()(backbone(keras.layers.Rescaling(1 / 127.5, -1)(entrance)))
    model = compiled(keras.Model(entrance, keras.layers.Dense(2, activation="softmax")(features)))
    begun, ears = clocks(), Epochs()
    model.fit(x.astype("float32"), y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[ears])
    return ears.each(), clocks() - begun


def main():
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "benchmark.yaml"
        file.write_text(RECIPE)
        loaded = load_recipe(file)
        data = load_data(loaded, Listener())
        (graph,) = loaded.recipe.task.networks(loaded.recipe.model, data.facts, loaded.place_of).values()
        turns = []
        for turn in range(ROUNDS):
            mine, theirs = ours(loaded, data, graph, Path(place) / f"runs{turn}"), plain(data, EPOCHS)
            turns.append((mine, theirs))
            print(f"turn {turn + 1} of {ROUNDS}: epoch {mine[0][0]:.4f} s, plain {theirs[0][0]:.4f} s", flush=True)
        best = np.array(turns).min(0)
    print(f"{len(data.splits['training'])} training examples; seconds: wall (CPU)")
    for name, mine, theirs in zip((f"epoch of {EPOCHS}, kept", f"whole of {EPOCHS} epochs"), *best, strict=True):
        print(
            f"{name:22} cnnpipe {mine[0]:7.3f} ({mine[1]:7.3f})  plain fit {theirs[0]:7.3f} ({theirs[1]:7.3f})"
            f"  ratio {theirs[0] / mine[0]:.1f} ({theirs[1] / mine[1]:.1f})"
        )


if __name__ == "__main__":
    main()
