"""Speed of the single-stage detector against KerasHub's RetinaNet on pictures of the same size: run by hand, quietly.

    python tests/benchmarks/detector_speed.py [ROUNDS]

KerasHub is no dependency: put it on the path (pip install --target FOLDER keras-hub, PYTHONPATH=FOLDER). Weights are
random and the pictures are noise with 20 boxes each: only arithmetic is compared. All train and predict in one process
on one thread, in turns, and each network's best turn of each counts, in CPU seconds. Prediction goes from pixels to
boxes without repetitions, in the framework, as both libraries give them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnpipe.quiet import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from cnnpipe.build import build_model  # noqa: E402
from cnnpipe.recipe.compiled import compile_recipe  # noqa: E402
from cnnpipe.recipe.load import LoadedRecipe, load_recipe, shipped_recipes  # noqa: E402

SIZE, CLASSES, BATCH, STEPS, ROUNDS, BOXES = (256, 320), 3, 4, 3, 3, 20

RESNET18 = """
task: {type: object_detection, classes: [circle, square, star], head: {type: decoupled, filters: 256, repeat: 4}}
data:
  source: {type: synthetic_shapes, classes: [circle, square, star]}
  preprocessing: {image_size: [256, 320], color_mode: rgb}
model:
  blocks:
    - {type: conv, filters: 64, kernel_size: 7, strides: 2, batch_normalization: true}
    - {type: max_pooling, pool_size: 3, strides: 2, padding: same}
    - {type: residual, filters: 64, repeat: 2}
    - {type: residual, filters: 128, repeat: 2, strides: 2}
    - {type: residual, filters: 256, repeat: 2, strides: 2}
    - {type: residual, filters: 512, repeat: 2, strides: 2}
  neck: {type: fpn, filters: 256}
training: {epochs: 1}
"""
"""A network as large as KerasHub's: backbone, pyramid and head of the same channels and repetitions."""


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a batch of pictures, boxes as `xyxy` in pixels, and labels."""
    random = np.random.default_rng(0)
    corners = random.uniform(0, 200, (BATCH, BOXES, 2))
    boxes = np.concatenate([corners, corners + random.uniform(10, 50, corners.shape)], -1).astype(np.float32)
    images = random.integers(0, 256, (BATCH, *SIZE, 3)).astype(np.float32)
    return images, boxes, random.integers(0, CLASSES, (BATCH, BOXES)).astype(np.int32)


def bccd() -> LoadedRecipe:
    """Return the shipped recipe for this size."""
    settings = [f"data.preprocessing.image_size={list(SIZE)}", "model.backbone.weights=none"]
    return load_recipe(shipped_recipes()["bccd"], settings)


def resnet18() -> LoadedRecipe:
    """Return the recipe above."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "resnet18.yaml"
        file.write_text(RESNET18, encoding="utf-8")
        return load_recipe(file)


def ours(loaded: LoadedRecipe) -> tuple[int, Callable[[], Any], Callable[[], Any]]:
    """Return parameters, a training step and a prediction of a recipe's detector."""
    compiled, task = compile_recipe(loaded), loaded.recipe.task
    trained = task.training_networks(compiled.graphs, loaded.recipe.model, compiled.facts, loaded.place_of)
    model = build_model(next(iter(trained.values())))
    losses = {name: loss for name, loss in task.losses(compiled.facts).items() if loss is not None}
    images, boxes, labels = pictures()
    targets = task.training_targets({"boxes": boxes, "labels": labels, "crowd": np.zeros_like(labels)})
    learned = keras.Model(model.input, {name: model.output[name] for name in losses})
    learned.compile(keras.optimizers.AdamW(1e-4), losses)
    behind = build_model(task.postprocessed(task.deployed(compiled.graphs), "non_max_suppression"))
    parameters = build_model(task.deployed(compiled.graphs)).count_params()
    return parameters, lambda: learned.train_on_batch(images, targets), lambda: behind.predict_on_batch(images)


def retina_net(blocks: int) -> tuple[int, Callable[[], Any], Callable[[], Any]]:
    """Return the same of KerasHub's RetinaNet on a residual network of 64 to 512 channels."""
    import keras_hub

    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64], input_conv_kernel_sizes=[7], stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[blocks] * 4, stackwise_num_strides=[1, 2, 2, 2], block_type="basic_block",
        image_shape=(*SIZE, 3),
    )  # fmt: skip
    backbone = keras_hub.models.RetinaNetBackbone(image_encoder=encoder, min_level=3, max_level=5, use_p5=False)
    converter = keras_hub.layers.RetinaNetImageConverter(image_size=SIZE, scale=1 / 255)
    model = keras_hub.models.RetinaNetObjectDetector(
        backbone=backbone, num_classes=CLASSES, bounding_box_format="xyxy",
        preprocessor=keras_hub.models.RetinaNetObjectDetectorPreprocessor(image_converter=converter),
    )  # fmt: skip
    model.compile(optimizer=keras.optimizers.AdamW(1e-4), box_loss=keras.losses.Huber(reduction="sum"))
    images, boxes, labels = pictures()
    batch = tf.data.Dataset.from_tensors((images, {"boxes": boxes, "labels": labels})).repeat(STEPS)
    return (
        model.count_params(),
        lambda: model.fit(batch, verbose=0),
        lambda: model.predict(images, verbose=0),
    )


def seconds(work: Callable[[], Any]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def repeated(work: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: [work() for _ in range(STEPS)]


def main(rounds: int) -> None:
    """Print pictures per CPU second of all, and ratios to the first."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    made = {
        "cnnpipe bccd (MobileNetV2-0.35, PAFPN, decoupled)": ours(bccd()),
        "cnnpipe (ResNet-18, FPN of 256, decoupled 4 x 256)": ours(resnet18()),
        "KerasHub RetinaNet (ResNet, 1 block a stage)": retina_net(1),
        "KerasHub RetinaNet (ResNet-18)": retina_net(2),
    }
    training = {name: repeated(step) if "cnnpipe" in name else step for name, (_, step, _) in made.items()}
    prediction = {name: repeated(ask) for name, (_, _, ask) in made.items()}
    rates = []
    for works in (training, prediction):
        for work in works.values():
            work()  # traces and compiles
        best = dict.fromkeys(works, float("inf"))
        for _ in range(rounds):
            for name, work in works.items():
                best[name] = min(best[name], seconds(work))
        rates.append({name: BATCH * STEPS / value for name, value in best.items()})
    first = next(iter(made))
    print(
        f"{SIZE[0]}x{SIZE[1]}, batch {BATCH}, one thread; pictures per CPU second, and the first network's share of it"
    )
    for name, (parameters, _, _) in made.items():
        told = [
            f"{what} {of[name]:7.2f} ({of[first] / of[name]:5.2f} x)"
            for what, of in zip(("training", "prediction"), rates, strict=True)
        ]
        print(f"{name:52} {parameters / 1e6:6.2f} M   {'   '.join(told)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
