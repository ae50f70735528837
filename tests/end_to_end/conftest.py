"""What tests of whole jobs share: a small network that knows colours with its exports, and pictures of circles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.data import SplitData
from cnnpipe.datasets.synthetic_shapes import SyntheticShapes
from cnnpipe.graph import Graph
from cnnpipe.jobs.results import RunResult
from cnnpipe.jobs.run import run
from cnnpipe.model import Model
from cnnpipe.recipe.exports import PlannedExport, planned_export
from cnnpipe.recipe.schema import Export
from cnnpipe.registry import Component
from cnnpipe.task import Facts, Task

COLOURS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200), "yellow": (190, 190, 60)}


@dataclass(frozen=True)
class Painted:
    """The trained network, and how to ask for an export of it."""

    subject: Subject
    workers: Workers

    def plan(self, **export: Any) -> PlannedExport:
        """Return an export as a recipe would ask for it; `name` tells apart what one recipe could not hold twice."""
        name = export.pop("name", None)
        planned = planned_export(0, Export.model_validate({"target": "generic", **export}))
        return replace(planned, name=name) if name else planned

    def graph(self, *blocks: Any, facts: Facts | None = None) -> Graph:
        """Return the untrained network of these blocks."""
        return network_of(self.subject.task, facts or self.subject.facts, blocks)


def network_of(task: Task, facts: Facts, blocks: tuple[Any, ...]) -> Graph:
    """Return the network of these blocks."""
    model = Model.model_validate({"blocks": blocks})
    return task.deployed(task.networks(model, facts, lambda path: None))


def _split(name: str, count: int, seed: int) -> SplitData:
    random = np.random.default_rng(seed)
    labels = np.arange(count) % len(COLOURS)
    colours = np.array(list(COLOURS.values()))[labels][:, None, None]
    images = np.clip(colours + random.normal(0, 50, (count, 10, 12, 3)), 0, 255).astype(np.uint8)
    names = tuple(f"{name}/{number:03d}" for number in range(count))
    return SplitData(names, (None,) * count, {"image": images}, {"probabilities": labels.astype(np.int32)})


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """Both worker processes."""
    with Workers() as made:
        yield made


@pytest.fixture(scope="session")
def painted(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Painted:
    """The trained network."""
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    from cnnpipe.build import build_model, get_weights, save_weights
    from cnnpipe.evaluation import caller

    task = Component("pipelines").validate("image_classification")
    facts = Facts(Component("preprocessing").validate({"type": "image", "image_size": (10, 12)}), tuple(COLOURS))
    sizes = {"training": (160, 0), "validation": (60, 1), "test": (60, 2)}
    splits = {name: _split(name, *size) for name, size in sizes.items()}
    graph = network_of(
        task, facts, ({"type": "conv_relu_pool", "filters": 8}, "flatten", {"type": "dense", "units": 64})
    )
    keras.utils.set_random_seed(0)
    network = build_model(graph)
    network.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    training = splits["training"]
    network.fit(training.inputs["image"].astype("float32"), training.targets["probabilities"], epochs=5, verbose=0)
    weights = tmp_path_factory.mktemp("weights") / "weights.npz"
    save_weights(weights, get_weights(network))
    call = caller(network, task.signature(facts))
    return Painted(Subject(task, facts, graph, weights, splits, call, origin={"recipe": "colours"}), workers)


@pytest.fixture(scope="session")
def exported(painted: Painted, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Exported]:
    """Its exports, one for each quantization and tensor type."""
    plans = [
        painted.plan(quantization="none"),
        painted.plan(quantization="float16"),
        painted.plan(quantization="dynamic_range"),
        painted.plan(quantization="int8", max_drop=0.05),
        painted.plan(quantization="int8", input_type="uint8", output_type="uint8", name="int8-uint8"),
        painted.plan(quantization="int8", input_type="float32", output_type="float32", name="int8-float32"),
        painted.plan(quantization="int8", input_type="uint8", output_type="float32", name="int8-mixed"),
        painted.plan(quantization="int16x8"),
        painted.plan(quantization="int16x8", input_type="int16", output_type="int16", name="int16x8-int16"),
    ]
    folder = tmp_path_factory.mktemp("exports")
    return {one.export.name: one for one in export_all(plans, painted.subject, folder, painted.workers)}


@pytest.fixture(scope="session")
def run_recipe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RunResult]:
    """Return what trains and exports a recipe, given as text, in a folder of its own."""

    def run_text(text: str) -> RunResult:
        folder = tmp_path_factory.mktemp("recipe")
        (folder / "circles.yaml").write_text(text, encoding="utf-8")
        return run(folder / "circles.yaml", runs_folder=folder / "runs")

    return run_text


@pytest.fixture
def circle_pictures(tmp_path: Path) -> Callable[..., Sequence[tuple[Path, Mapping[str, Any]]]]:
    """Return what draws pictures of a circle that no training saw: files, each with the truth of its source.

    `circle_pictures(number, size, enlarged)`: the file shows the picture in another width and height, if given.
    """

    def draw(
        number: int, size: tuple[int, int], enlarged: tuple[int, int] | None = None
    ) -> Sequence[tuple[Path, Mapping[str, Any]]]:
        source = SyntheticShapes(examples=number, image_size=size, classes=("circle",), noise=0.02, seed=7)
        found = []
        for example in source.open(tmp_path).examples:
            raw = example.read()
            picture = Image.fromarray(raw["images"])
            file = tmp_path / f"{example.name}.png"
            (picture.resize(enlarged) if enlarged else picture).save(file)
            found.append((file, raw))
        return found

    return draw
