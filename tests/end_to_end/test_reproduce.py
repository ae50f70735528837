"""`cnnpipe runs reproduce`: the same again, told apart from what only looks like it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnpipe.cli._group import cli

RECIPE = """\
name: photos
task: {type: image_classification}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [8, 8]}
  augmentation:
    - {type: random_translation, height_factor: 0.1, width_factor: 0.1}
model:
  blocks:
    - {type: conv_relu_pool, filters: 4, dropout: 0.1}
    - flatten
training: {epochs: 2, batch_size: 8}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, make_photos: Callable[..., Path]) -> Path:
    """A folder with a recipe that was trained: `runs/photos/0001`."""
    folder = tmp_path_factory.mktemp("reproduce")
    make_photos(folder / "photos", {"circle": 24, "star": 24}, size=(16, 16))
    (folder / "photos.yaml").write_text(RECIPE, encoding="utf-8")
    done = CliRunner().invoke(cli, ["train", str(folder / "photos.yaml"), "--runs", str(folder / "runs")])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def reproduce(trained: Path) -> Callable[..., Result]:
    """Return a function that reproduces a run of that folder."""
    return lambda run, *options: CliRunner().invoke(
        cli, ["runs", "reproduce", run, "--runs", str(trained / "runs"), *options]
    )


def copy_of(trained: Path, number: str, **record: object) -> Path:
    """Return a copy of the trained run with another number, and with changes in its record."""
    folder = trained / "runs" / "photos" / number
    shutil.copytree(trained / "runs" / "photos" / "0001", folder)
    file = folder / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **record}), encoding="utf-8")
    return folder


def test_the_same_machine_gives_the_same_bits(trained: Path, reproduce: Callable[..., Result]) -> None:
    done = reproduce("photos/0001")
    assert done.exit_code == 0, done.output
    assert "reproduced: the weights are bit-identical" in done.stdout
    assert "B is better on 0 and worse on 0" in done.stdout
    diff = CliRunner().invoke(cli, ["runs", "diff", "photos/0001", "photos", "--runs", str(trained / "runs")])
    assert "The recipes are equal in every value." in diff.stdout
    assert "The weights of both models are bit-identical." in diff.stdout


def test_another_result_fails_unless_it_is_tolerated(trained: Path, reproduce: Callable[..., Result]) -> None:
    versions = json.loads((trained / "runs" / "photos" / "0001" / "run.json").read_text())["versions"]
    changes = [{"step": 3, "path": "training.epochs", "old": "1", "new": "2"}]
    folder = copy_of(trained, "0100", versions={**versions, "numpy": "0.1"}, changes=changes)
    resolved, scores = folder / "resolved.yaml", folder / "scores.json"
    resolved.write_text(resolved.read_text().replace("\nseed: 0 ", "\nseed: 7 "), encoding="utf-8")
    kept = json.loads(scores.read_text())
    kept["test"]["accuracy"] += 0.125 if kept["test"]["accuracy"] < 0.5 else -0.125
    scores.write_text(json.dumps(kept), encoding="utf-8")
    failed = reproduce("photos/0100", "--json")
    assert failed.exit_code == 1, failed.output
    plain = json.loads(failed.stdout)
    assert (plain["passed"], plain["bit_identical"], plain["tolerance"]) == (False, False, 0)
    assert [fact["name"] for fact in plain["environment"]] == ["changes", "versions.numpy"]
    assert "photos/0100 went on after step 3 with training.epochs 2" in failed.stderr
    assert "accuracy differs by" in failed.stderr and "versions.numpy" in failed.stderr
    tolerated = reproduce("photos/0100", "--tolerance", "1")
    assert tolerated.exit_code == 0
    assert "the weights are not bit-identical" in tolerated.stdout


def test_other_data_ends_it_before_a_run_is_made(trained: Path, reproduce: Callable[..., Result]) -> None:
    copy_of(trained, "0200", data_fingerprint="of other photos")
    done = reproduce("photos/0200")
    assert done.exit_code == 2
    assert "the data changed since photos/0200 began" in done.stderr
    assert not (trained / "runs" / "photos" / "0201").exists()


def test_a_run_without_a_model_cannot_be_reproduced(trained: Path, reproduce: Callable[..., Result]) -> None:
    (copy_of(trained, "0300") / "model.keras").unlink()
    done = reproduce("photos/0300")
    assert done.exit_code == 2
    assert "has no trained model" in done.stderr
