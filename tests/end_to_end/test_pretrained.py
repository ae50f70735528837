"""A training that begins with weights from a file: the run needs the file no more, and other runs can begin with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

RECIPE = """
name: {name}
task: {{type: image_classification}}
data:
  source: {{type: synthetic_shapes, examples: 80, image_size: [32, 32], classes: [circle, square]}}
  preprocessing: {{image_size: [32, 32]}}
model:
  backbone: {{type: mobilenet, alpha: 0.25, weights: {weights}}}
training: {{epochs: 2}}
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a recipe with these weights, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, weights: str) -> str:
        (tmp_path / f"{name}.yaml").write_text(RECIPE.format(name=name, weights=weights))
        return f"{name}.yaml"

    return write


def backbone_weights(run: Path):
    """Return the kernels of the backbone by layer, and the head's."""
    from cnnpipe.safe_model import load_keras

    layers = [layer for layer in load_keras(run / "model.keras").layers if layer.weights]
    return [layer.get_weights() for layer in layers[:-1]], layers[-1].get_weights()


def test_from_a_file_to_a_run_and_on(recipe, tmp_path: Path) -> None:
    import keras
    import numpy as np

    import cnnpipe

    theirs = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3))
    file = tmp_path / "theirs.weights.h5"
    theirs.save_weights(file)
    first = cnnpipe.train(recipe("first", "{file: theirs.weights.h5}"))
    begun = json.loads((first.run / "run.json").read_text())["weights"]
    assert (begun["source"], begun["file"]) == ("file", str(file))
    assert sum("trains on features of its frozen layers" in note for note in first.notes) == 2
    mine, _ = backbone_weights(first.run)
    frozen = next(layer for layer in theirs.layers if layer.weights)
    assert np.array_equal(mine[0][0], frozen.get_weights()[0]), "the first convolution is frozen in both phases"

    file.unlink()
    assert cnnpipe.evaluate(first.run).scores.metrics == first.scores.metrics
    exported = cnnpipe.export(first.run, {"quantization": "none"})
    text = (exported.exports[0].file.parent / "README.md").read_text()
    assert begun["sha256"] in text and "licence is not known" in text and str(tmp_path) not in text

    second = cnnpipe.train(
        recipe("second", "{run: first}"), ["training.epochs=1", "seed=1"]
    )  # the head alone, begun anew
    begun = json.loads((second.run / "run.json").read_text())["weights"]
    assert (begun["source"], begun["run"]) == ("run", "first/0001")
    assert "first/0001" in (second.run / "resolved.yaml").read_text()
    (again, head), (_, old_head) = backbone_weights(second.run), backbone_weights(first.run)
    for mine_, theirs_ in zip(again, mine, strict=True):
        assert all(np.array_equal(*pair) for pair in zip(mine_, theirs_, strict=True))
    assert not np.array_equal(head[0], old_head[0])
