"""A small training on real data that takes a second."""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.data import load_data
from cnnpipe.events import Listener
from cnnpipe.recipe.load import load_recipe
from cnnpipe.runs import Run, create_run

RECIPE = """
name: small
task: {type: image_classification}
data:
  source: digits
  preprocessing: {image_size: [8, 8], color_mode: grayscale}
  augmentation: [{type: random_translation, height_factor: 0.1, width_factor: 0.1}]
model:
  blocks:
    - {type: conv_relu_pool, filters: 8}
    - flatten
    - {type: dense, units: 16, dropout: 0.2}
training: {epochs: 3, batch_size: 100, optimizer: {type: adam, learning_rate: 5e-3}}
"""


class Ears(Listener):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[int] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, done: int, total: int, values: Any) -> None:
        self.steps.append(done)


@dataclass
class Training:
    """A recipe, its data and a run folder; `fit` builds the model anew each time, as a new process would."""

    loaded: Any
    data: Any
    run: Run
    model: Any = None
    ears: Ears = field(default_factory=Ears)

    def build(self) -> dict[str, Any]:
        from cnnpipe.build import build_model
        from cnnpipe.quiet import quiet_tensorflow

        quiet_tensorflow()
        from cnnpipe.training import make_deterministic

        recipe = self.loaded.recipe
        make_deterministic(recipe.seed)
        known = (recipe.model, self.data.facts, self.loaded.place_of)
        graphs = recipe.task.training_networks(recipe.task.networks(*known), *known)
        models = {name: build_model(graph) for name, graph in graphs.items()}
        (self.model,) = models.values()
        return models

    def fit(self, resume: bool = False) -> Any:
        models = self.build()
        from cnnpipe.training import fit

        return fit(self.loaded, self.data, models, self.run, self.ears, resume)

    def digest(self) -> str:
        import numpy as np

        return hashlib.sha256(b"".join(np.asarray(v).tobytes() for v in self.model.variables)).hexdigest()


@pytest.fixture
def press_ctrl_c_at() -> Any:
    """Return a function that lets a training be interrupted at a step."""

    def press(training: Training, step: int) -> None:
        heard = training.ears.progress

        def progress(done: int, total: int, values: Any) -> None:
            heard(done, total, values)
            if done == step:
                os.kill(os.getpid(), signal.SIGINT)

        training.ears.progress = progress  # type: ignore[method-assign]

    return press


@pytest.fixture
def training(tmp_path: Path) -> Any:
    """Return a function that prepares the small training, with changes as `--set` takes them."""
    file = tmp_path / "small.yaml"
    file.write_text(RECIPE)

    def prepare(*overrides: str) -> Training:
        loaded = load_recipe(file, overrides)
        return Training(loaded, load_data(loaded, Listener()), create_run(tmp_path / "runs", loaded.name))

    return prepare
