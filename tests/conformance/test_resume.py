"""A training that is stopped in the middle of an epoch and goes on ends with equal weights, whatever it is made of."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.data import load_data
from cnnpipe.events import Listener
from cnnpipe.recipe.load import load_recipe
from cnnpipe.registry import room
from cnnpipe.runs import Run, create_run
from cnnpipe.training.checkpoints import load_state

RECIPE = """
name: tiny
task: {type: image_classification}
data:
  source: digits
  preprocessing: {image_size: [8, 8], color_mode: rgb}
model:
  blocks:
    - {type: conv, filters: 2, strides: 2, batch_normalization: true}
    - flatten
    - {type: dropout, rate: 0.2}
training: {epochs: 3, batch_size: 256, restore: last}
"""
STEPS = 5  # of an epoch
STOP = 2 * STEPS + 3
SCHEDULES = {
    "cosine_decay": "{warmup_target: 0.02, warmup_steps: 4}",
    "cosine_decay_restarts": "{first_decay_steps: 6}",
    "exponential_decay": "{decay_rate: 0.1}",
    "inverse_time_decay": "{decay_rate: 3.0}",
    "piecewise_constant_decay": "{boundaries: [6, 12], values: [0.01, 0.002, 0.0001]}",
    "reduce_lr_on_plateau": "{patience: 1, min_delta: 0.5}",
}
OPTIMIZERS = room("optimizers").names()
AUGMENTATIONS = [
    name for name in room("augmentations").names() if "labels" not in room("augmentations").load(name).cannot_change
]
"""Those of pictures with labels; the others draw from the same generator."""
MORE = {
    "averages": ["training.optimizer={type: adam, use_ema: true, ema_momentum: 0.8, ema_overwrite_frequency: 4}"],
    "accumulation": ["training.optimizer={type: sgd, momentum: 0.9, gradient_accumulation_steps: 3}"],
    "averages of accumulation": ["training.optimizer={type: adam, use_ema: true, gradient_accumulation_steps: 2}"],
    "clipping": ["training.optimizer={type: rmsprop, global_clipnorm: 0.1, weight_decay: 0.01}"],
    "early stopping": ["training.early_stopping={patience: 1, min_delta: 0.9}", "training.epochs=9"],
    "mixed_bfloat16": ["training.precision=mixed_bfloat16"],
    "mixed_float16": ["training.precision=mixed_float16"],
}


class Copier(Listener):
    """Copies a run folder as a kill would leave it, with the checkpoint of the step before."""

    def __init__(self, source: Path, target: Path, step: int) -> None:
        self.source, self.target, self.step = source, target, step

    def progress(self, done: int, total: int, values: Any) -> None:
        if done == self.step + 1:
            shutil.copytree(self.source, self.target)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("data") / "tiny.yaml"
    file.write_text(RECIPE)
    return load_data(load_recipe(file), Listener())


@pytest.fixture
def proof(tmp_path: Path, data: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("cnnpipe.training.pace.MOST_STEPS", 1)
    monkeypatch.setattr("cnnpipe.training.keeper.MOST_SECONDS", -1)
    file = tmp_path / "tiny.yaml"
    file.write_text(RECIPE)

    def fit(loaded: Any, run: Any, listener: Listener, resume: bool = False) -> tuple[str, list[Any]]:
        from cnnpipe.build import build_model
        from cnnpipe.training import fit, make_deterministic

        recipe = loaded.recipe
        make_deterministic(recipe.seed)
        graphs = recipe.task.networks(recipe.model, data.facts, loaded.place_of)
        models = {name: build_model(graph) for name, graph in graphs.items()}
        result = fit(loaded, data, models, run, listener, resume)
        (model,) = models.values()
        rows = [{key: value for key, value in row.items() if key != "seconds"} for row in result.history]
        return hashlib.sha256(b"".join(np.asarray(v).tobytes() for v in model.variables)).hexdigest(), rows

    def prove(*overrides: str, stop: int = STOP) -> list[Any]:
        loaded = load_recipe(file, overrides)
        run, killed = create_run(tmp_path, "tiny"), Run(tmp_path / "tiny" / "0002")
        whole = fit(loaded, run, Copier(run.folder, killed.folder, stop))
        state = load_state(killed)
        assert state is not None
        assert (state.progress.step, bool(state.sums)) == (stop, True)
        assert fit(loaded, killed, Listener(), resume=True) == whole
        return whole[1]

    return prove


def test_there_are_components() -> None:
    assert len(OPTIMIZERS) >= 13
    assert len(AUGMENTATIONS) >= 6
    assert set(SCHEDULES) <= set(room("schedules").names())


@pytest.mark.parametrize(
    ("optimizer", "schedule"), list(itertools.zip_longest(OPTIMIZERS, room("schedules").names(), fillvalue=""))
)
def test_every_optimizer_and_every_schedule(proof: Any, optimizer: str, schedule: str) -> None:
    chosen = [f"training.optimizer={{type: {optimizer or 'sgd'}, learning_rate: 0.01}}"]
    if schedule:
        keys = SCHEDULES.get(schedule, "{}").strip("{}")
        chosen.append(f"training.schedule={{type: {schedule}{', ' * bool(keys)}{keys}}}")
    proof(*chosen)


@pytest.mark.parametrize("some", [AUGMENTATIONS[i::3] for i in range(3)], ids=" ".join)
def test_every_augmentation(proof: Any, some: list[str]) -> None:
    proof(f"data.augmentation=[{', '.join(map(_with_its_keys, some))}]")


def _with_its_keys(name: str) -> str:
    needed = [key for key, field in room("augmentations").load(name).model_fields.items() if field.is_required()]
    return f"{{type: {', '.join([name, *(f'{key}: 0.2' for key in needed)])}}}"


@pytest.mark.parametrize("overrides", MORE.values(), ids=MORE)
def test_all_else_that_has_a_state(proof: Any, overrides: list[str]) -> None:
    proof(*overrides, stop=STOP if "patience" not in overrides[0] else 8)
