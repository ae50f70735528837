"""Weights are found, or their absence is told with a place and a way out, in seconds and without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cnnpipe.applications import backbone_graph
from cnnpipe.backbones import RunWeights
from cnnpipe.backbones.mobilenet import MobileNet
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.pretrained import Located, locate, locate_weights, pinned
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe
from cnnpipe.recipe.phases import phase_lines
from cnnpipe.runs import create_run

RECIPE = """
task: {type: image_classification, classes: 2}
data:
  source: synthetic_shapes
  preprocessing: {image_size: [224, 224]}
model:
  backbone: {type: mobilenet, alpha: 0.25}
training: {epochs: 2}
"""
OFFICIAL = "mobilenet_2_5_224_tf_no_top.h5"
Locate = Callable[..., Located | None]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Locate:
    """Return a function that locates the weights of the recipe, with changes as `--set` takes them."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE)
    return lambda *overrides: locate_weights(load_recipe(file, overrides), tmp_path / "runs")


def no_network(*args: Any, **kwargs: Any) -> Any:
    raise urllib.error.URLError("Name or service not known")


def weights_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as content:
        content["kernel"] = [0.0] * 1000
    return path


def mobilenet_file(path: Path, alpha: float, **more: tuple[int, ...]) -> Path:
    graph = backbone_graph(MobileNet(alpha=alpha), (224, 224, 3))
    with h5py.File(path, "w") as content:
        for node in graph.nodes:
            for name, shape in node.type.weights(*graph.input_shapes(node)).items():
                content[f"layers/{node.name}/{name}"] = np.zeros(shape, "float32")
        for name, shape in more.items():
            content[name] = np.zeros(shape, "float32")
    return path


def problem_of(found: Locate, *overrides: str) -> Problem:
    with pytest.raises(ProblemError) as raised:
        found(*overrides)
    (problem,) = raised.value.problems
    assert problem.path == "model.backbone.weights" and problem.place
    return problem


def test_random_weights_and_blocks_need_nothing(found: Locate) -> None:
    assert found("model.backbone.weights=none") is None
    assert found("model={blocks: [{type: conv_relu_pool, filters: 4}]}") is None


def test_the_published_file_in_the_cache_of_keras(found: Locate, tmp_path: Path) -> None:
    file = weights_file(tmp_path / "keras" / "models" / OFFICIAL)
    located = found()
    assert located and (located.source, located.file, located.url) == ("imagenet", file, "")
    assert located.licence and "Apache" in located.licence


def test_offline_without_the_file(found: Locate, tmp_path: Path) -> None:
    problem = problem_of(found)
    assert str(problem).startswith(f"{tmp_path / 'recipe.yaml'}:7:")
    for word in (OFFICIAL, str(tmp_path / "keras" / "models"), "{file: PATH}", "Name or service not known", "https://"):
        assert word in str(problem)


def test_a_host_that_never_answers(found: Locate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **kwargs: time.sleep(2) or nullcontext())
    begun = time.monotonic()
    assert "no answer within 0.2 s" in str(problem_of(found))
    assert time.monotonic() - begun < 2


def test_a_download_is_announced(tmp_path: Path, found: Locate, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    listener = Listener()
    monkeypatch.setattr(listener, "note", notes.append)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **kwargs: nullcontext())
    located = locate_weights(load_recipe(tmp_path / "recipe.yaml"), tmp_path / "runs", listener)
    assert located and located.url.endswith(OFFICIAL)
    (note,) = notes
    assert located.url in note and str(tmp_path / "keras" / "models") in note


@pytest.mark.parametrize("damage", [lambda content: content[:-500], lambda content: b"<html>"])
def test_a_damaged_file_in_the_cache(found: Locate, tmp_path: Path, damage: Any) -> None:
    file = weights_file(tmp_path / "keras" / "models" / OFFICIAL)
    file.write_bytes(damage(file.read_bytes()))
    problem = problem_of(found)
    assert str(file) in problem.message and "Delete it" in problem.hint


def test_a_file_of_ones_own(found: Locate, tmp_path: Path) -> None:
    file = mobilenet_file(tmp_path / "mine.weights.h5", 0.25)
    located = found(f"model.backbone.weights={{file: {file}}}")
    assert located and (located.source, located.file, located.licence) == ("file", file, None)
    (tmp_path / "model.keras").write_bytes(b"PK\x03\x04 and so on")
    for name, words in (("no.h5", "does not exist"), ("model.keras", "a Keras model file"), ("", "cannot be read")):
        assert words in problem_of(found, f"model.backbone.weights={{file: {tmp_path / name}}}").message


def test_a_file_of_another_network_is_noticed_before_data_is_read(found: Locate, tmp_path: Path) -> None:
    change = f"model.backbone.weights={{file: {mobilenet_file(tmp_path / 'other.h5', 0.5)}}}"
    problem = problem_of(found, change)
    words = "does not fit 'mobilenet' (keras.applications.MobileNet(alpha=0.25)): it lacks 61 of its 135 arrays"
    assert words in problem.message
    assert found(change, "model.backbone.alpha=0.5")
    file = mobilenet_file(tmp_path / "more.h5", 0.25, head=(256, 10))
    assert found(f"model.backbone.weights={{file: {file}}}"), "more than is needed is looked at when it is loaded"


def test_an_earlier_run(found: Locate, tmp_path: Path) -> None:
    assert "there is no run 'other'" in problem_of(found, "model.backbone.weights={run: other}").message
    run = create_run(tmp_path / "runs", "first", {"weights": {"licence": "CC0"}})
    assert "no trained model" in problem_of(found, "model.backbone.weights={run: first}").message
    run.write_text("model.keras", "")
    run.write_text("resolved.yaml", RECIPE)
    located = found("model.backbone.weights={run: first}")
    assert located and located.run and located.run.reference == "first/0001"
    assert (located.file, located.licence) == (run.folder / "model.keras", "CC0")
    recipe = load_recipe(tmp_path / "recipe.yaml", ["model.backbone.weights={run: first}"])
    for folder, name in ((tmp_path / "runs", "first/0001"), (tmp_path, str(run.folder))):
        kept = pinned(recipe, located, folder).recipe.model.backbone
        assert kept and kept.weights == RunWeights(run=name)


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        ("backbone: {type: mobilenet, alpha: 0.5}", "its 'alpha' is 0.5, and here it is 0.25"),
        ("backbone: {type: mobilenet_v2}", "its backbone is 'mobilenet_v2', and here it is 'mobilenet'"),
        ("blocks: [{type: conv_relu_pool, filters: 4}]", "its own blocks, and here it is the backbone 'mobilenet'"),
    ],
)
def test_an_earlier_run_of_another_network(found: Locate, tmp_path: Path, earlier: str, words: str) -> None:
    run = create_run(tmp_path / "runs", "first")
    run.write_text("model.keras", "")
    run.write_text("resolved.yaml", RECIPE.replace("backbone: {type: mobilenet, alpha: 0.25}", earlier))
    assert words in problem_of(found, "model.backbone.weights={run: first}").message


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, cnnpipe.pretrained; print('keras' in sys.modules, 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == ["False"] * 2


class TestBackboneInBlocks:
    """Published weights are of the published blocks, however a recipe writes them."""

    def test_the_recipe_that_writes_the_blocks_starts_from_published_weights(self) -> None:
        loaded = load_recipe("vgg16", ["model.backbone.weights=imagenet"])
        phases = [(phase.name, phase.freeze) for phase in loaded.recipe.training.phases]
        assert phases == [("head", "backbone"), ("fine_tuning", "P3")]
        normalization = loaded.recipe.data.preprocessing.model_dump()["normalization"]
        assert normalization["offset"] == (-123.68, -116.779, -103.939)
        learning = list(phase_lines(loaded.recipe, compile_recipe(loaded).graphs))
        assert "backbone frozen, 123,642,856 parameters learn" in learning[0], "the dense layers after the backbone"

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ("blocks.1.filters=120", "blocks.1: Conv2D with filters 120 in the place of 128"),
            ("blocks.4.repeat=2", "blocks.4: MaxPooling2D of (7, 7, 512) is not Conv2D of (14, 14, 512)"),
            ("width_coefficient=0.5", "blocks.0: Conv2D with filters 32 in the place of 64"),
            ("depth_coefficient=1.5", "blocks.0: Conv2D of (224, 224, 64) is not MaxPooling2D of (112, 112, 64)"),
        ],
    )
    def test_other_blocks_are_refused_at_the_line(self, tmp_path: Path, change: str, told: str) -> None:
        said = {"imagenet": "there are no weights 'imagenet'", "{file: x.h5}": "a file of Keras has no weights"}
        for weights, start in said.items():
            with pytest.raises(ProblemError) as raised:
                load_recipe("vgg16", [f"model.backbone.weights={weights}", f"model.backbone.{change}"])
            (problem,) = raised.value.problems
            assert problem.path == "model.backbone.weights" and problem.place
            assert problem.message == f"{start} for other blocks than those of the published 'vgg16': {told}"
        assert load_recipe("vgg16", [f"model.backbone.{change}"]).recipe.model.backbone

    def test_what_changes_no_value_is_no_other_block(self) -> None:
        for change in ("blocks.0.name=stem", "blocks.0={type: stage, blocks: [{type: conv_relu_pool, repeat: 2}]}"):
            more = ["model.backbone.weights=imagenet", f"model.backbone.{change}"]
            written = [*more, "model.backbone.blocks.0.blocks.0.filters=64"] if "stage" in change else more
            assert load_recipe("vgg16", written).recipe.model.backbone

    def test_a_run_of_the_same_blocks_however_they_are_written(self, tmp_path: Path) -> None:
        run = create_run(tmp_path / "runs", "first")
        run.write_text("model.keras", "")
        short = RECIPE.replace("{type: mobilenet, alpha: 0.25}", "{type: vgg, weights: none}")
        run.write_text("resolved.yaml", short)
        whole = load_recipe("vgg16", ["model.backbone.weights={run: first}"])
        located = locate_weights(whole, tmp_path / "runs")
        assert located and located.run
        wider = load_recipe("vgg16", ["model.backbone.weights={run: first}", "model.backbone.blocks.1.filters=120"])
        with pytest.raises(ProblemError, match=r"its blocks are others \(.*filters 120 in the place of 128\)"):
            locate_weights(wider, tmp_path / "runs")
