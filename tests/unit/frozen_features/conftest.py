"""A small training in two phases, whose backbone has BatchNorm and random layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from cnnpipe.backbones import Backbone, Normalization
from cnnpipe.data import LoadedData, load_data
from cnnpipe.events import Listener
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.merge import Add
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.runs import Run, create_run

RECIPE = """
name: small
task: {type: image_classification}
data:
  source: digits
  preprocessing: {image_size: [8, 8], color_mode: grayscale}
  split: {validation: 0.3, test: 0.3}
model:
  backbone: {type: mobilenet, alpha: 0.25, weights: none}
training:
  phases:
    - {name: head, epochs: 2, freeze: backbone}
    - {name: rest, epochs: 1, freeze: P1}
  batch_size: 64
"""


class SmallBackbone(Backbone):
    """Two levels, each with a residual branch."""

    type: Literal["small"] = "small"
    weights: Literal["none"] = "none"

    def normalization(self) -> Normalization:
        return 1 / 16, 0.0

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        for filters in (4, 8):
            tensor = graph.add(Convolution(filters, 3, strides=2, padding="same"), tensor)
            tensor = graph.add(BatchNormalization(), tensor)
            branch = graph.add(Dropout(0.5), graph.add(Convolution(filters, 3, padding="same"), tensor))
            tensor = graph.add(Activation("relu"), graph.add(Add(), tensor, branch))
            graph.feature(tensor)
        return tensor


class Ears(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Training:
    """What a training of the small network needs; the network is built anew each time, as a new process would."""

    loaded: LoadedRecipe
    data: LoadedData
    folder: Path
    ears: Ears = field(default_factory=Ears)

    @property
    def graph(self) -> Any:
        (graph,) = self.loaded.recipe.task.networks(
            self.loaded.recipe.model, self.data.facts, self.loaded.place_of
        ).values()
        return graph

    def network(self) -> Any:
        from cnnpipe.build import build_model
        from cnnpipe.training import make_deterministic

        make_deterministic(self.loaded.recipe.seed)
        return build_model(self.graph)

    def phase_data(self, model: Any, number: int = 0, **more: Any) -> Any:
        from cnnpipe.frozen_features import phase_data

        phase = self.loaded.recipe.training.phases[number]
        return phase_data(phase, self.loaded, self.data, self.graph, model, self.folder, self.ears, **more)

    def fit(self) -> tuple[Any, Run]:
        """Train all phases; return the network and its run."""
        from cnnpipe.training import fit

        run, network = create_run(self.folder, "small"), self.network()
        fit(self.loaded, self.data, {"classifier": network}, run, self.ears)
        return network, run


@pytest.fixture(scope="module")
def _read() -> dict[tuple[str, ...], tuple[LoadedRecipe, LoadedData]]:
    return {}


@pytest.fixture
def small(tmp_path: Path, _read: dict[Any, Any]) -> Callable[..., Training]:
    """Return a function that prepares the small training, with changes as `--set` takes them."""
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE)

    def prepare(*overrides: str) -> Training:
        from cnnpipe.quiet import quiet_tensorflow

        quiet_tensorflow()
        if overrides not in _read:
            loaded = load_recipe(file, overrides)
            model = loaded.recipe.model.model_copy(update={"backbone": SmallBackbone()})
            loaded = replace(loaded, recipe=loaded.recipe.model_copy(update={"model": model}))
            _read[overrides] = loaded, load_data(loaded, Listener())
        return Training(*_read[overrides], tmp_path / "runs")

    return prepare
