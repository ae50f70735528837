"""The main job as its user meets it: a folder of photos, one command, and what can be done with the result."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = """\
name: photos
task: {type: image_classification, classes: [circle, star]}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [24, 24], color_mode: rgb}
model:
  blocks:
    - {type: conv_relu_pool, filters: 8, name: stem}
    - {type: conv_relu_pool, filters: 16}
    - flatten
    - {type: dense, units: 16}
training: {epochs: 40, batch_size: 16, optimizer: {type: adam, learning_rate: 3e-3}}
export:
  - {target: generic}
  - {target: generic, quantization: int8}
"""
FOREIGN = """
import sys
sys.modules["cnnpipe"] = None                     # whoever asks for it fails
import keras, numpy as np
from PIL import Image
model = keras.saving.load_model(sys.argv[1])
for file in sys.argv[2:]:
    pixels = np.asarray(Image.open(file).convert("RGB").resize((24, 24), Image.Resampling.BILINEAR), "float32")
    print(*model.predict(pixels[None], verbose=0)[0])
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def cnnpipe(folder: Path, *arguments: str, code: int = 0) -> str:
    process = start(folder, "-m", "cnnpipe", *arguments)
    out, err = process.communicate(timeout=600)
    assert process.returncode == code, out + err
    return out if code == 0 else out + err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_photos: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("user")
    make_photos(folder / "photos", {"circle": 120, "star": 120})
    (folder / "photos.yaml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> dict[str, Any]:
    return dict(json.loads(cnnpipe(folder, "run", "photos.yaml", "--json")))


@pytest.fixture(scope="module")
def test_files(folder: Path, result: dict[str, Any]) -> list[str]:
    membership = json.loads((folder / result["run"] / "splits.json").read_text())
    return sorted(f"photos/{name}" for name, split in membership.items() if split == "test")


@pytest.fixture(scope="module")
def predictions(folder: Path, result: dict[str, Any], test_files: list[str]) -> list[dict[str, Any]]:
    return list(json.loads(cnnpipe(folder, "predict", result["run"], *test_files, "--json"))["predictions"])


def test_what_run_prints_is_the_contract(folder: Path, result: dict[str, Any]) -> None:
    assert set(result) == {"run", "scores", "exports"}
    assert [export["quantization"] for export in result["exports"]] == ["none", "int8"]
    for export in result["exports"]:
        assert set(export) == {"file", "target", "quantization", "bytes", "score", "drop", "passed", "proofs"}
        assert (folder / export["file"]).stat().st_size == export["bytes"]
        assert export["passed"] is True
        assert export["score"] == pytest.approx(result["scores"]["accuracy"] - export["drop"])
    assert result["scores"]["accuracy"] > 0.65


def test_the_run_folder_shows_its_figures(folder: Path, result: dict[str, Any]) -> None:
    from PIL import Image

    for name in ("confusion_matrix.png", "reliability.png"):
        with Image.open(folder / result["run"] / "figures" / name) as picture:
            assert picture.size == (720, 720) and len(picture.convert("RGB").getcolors(1 << 20) or ()) > 10


def test_scores_equal_what_a_few_independent_lines_compute(
    folder: Path, result: dict[str, Any], predictions: list[dict[str, Any]]
) -> None:
    scores = json.loads((folder / result["run"] / "scores.json").read_text())["test"]
    truth = [Path(row["file"]).parent.name for row in predictions]
    said = [max(row["confidences"], key=row["confidences"].get) for row in predictions]
    right = sum(a == b for a, b in zip(truth, said, strict=True))
    n, z = len(truth), 1.959963984540054
    assert scores["accuracy"] == right / n and scores["n"] == n
    middle, spread = (right + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(right * (n - right) / n + z * z / 4)
    assert scores["intervals"]["accuracy"] == pytest.approx([middle - spread, middle + spread], abs=1e-9)
    for name, row in scores["per_class"].items():
        both = sum(a == b == name for a, b in zip(truth, said, strict=True))
        assert row["precision"]["value"] == pytest.approx(both / said.count(name))
        assert row["recall"]["value"] == pytest.approx(both / truth.count(name))
    assert scores == json.loads(cnnpipe(folder, "evaluate", result["run"], "--json"))["scores"] == result["scores"]


def test_the_model_opens_in_plain_keras_and_answers_the_same(
    folder: Path, result: dict[str, Any], test_files: list[str], predictions: list[dict[str, Any]]
) -> None:
    process = start(folder, "-c", FOREIGN, f"{result['run']}/model.keras", *test_files)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    for line, row in zip(out.splitlines(), predictions, strict=True):
        assert [float(value) for value in line.split()] == pytest.approx(list(row["confidences"].values()), abs=1e-5)


def test_the_bundle_alone_says_the_same_about_photos(
    folder: Path, result: dict[str, Any], test_files: list[str], predictions: list[dict[str, Any]], tmp_path: Path
) -> None:
    for export in result["exports"]:
        bundle = tmp_path / export["quantization"]
        shutil.copytree((folder / export["file"]).parent, bundle)
        rows = json.loads(cnnpipe(folder, "predict", str(bundle), *test_files, "--json"))["predictions"]
        sure = [i for i, row in enumerate(predictions) if row["confidence"] > 0.6]
        assert [rows[i]["label"] for i in sure] == [predictions[i]["label"] for i in sure] and sure


def test_ctrl_c_stops_cleanly_and_the_run_goes_on(folder: Path) -> None:
    process = start(
        folder, "-m", "cnnpipe", "run", "photos.yaml", "--set", "training.epochs=4000", "--set", "name=long"
    )
    run = folder / "runs/long/0001"
    deadline = time.monotonic() + 300
    while not (run / "history.csv").is_file():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    busy = cnnpipe(folder, "train", "--resume", "long", code=2)
    assert "is in use by another process" in busy
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in err, err
    assert "cnnpipe train --resume runs/long/0001" in err.splitlines()[-1]
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"
    done = len((run / "history.csv").read_text().splitlines()) - 1
    resolved = (run / "resolved.yaml").read_text()
    (run / "resolved.yaml").write_text(resolved.replace("epochs: 4000", f"epochs: {done + 2}"))
    cnnpipe(folder, "train", "--resume", "runs/long/0001", "--json")
    rows = (run / "history.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(1, done + 3))
    exported = json.loads(cnnpipe(folder, "export", "long", "--quantization", "float16", "--json"))
    assert exported["exports"][0]["passed"] and (folder / exported["exports"][0]["file"]).is_file()


def test_a_vanished_or_changed_data_folder_is_one_clear_problem(folder: Path, result: dict[str, Any]) -> None:
    photos, away = folder / "photos", folder / "away"
    before = {file: file.read_bytes() for file in (folder / result["run"]).rglob("*") if file.is_file()}
    photos.rename(away)
    try:
        text = cnnpipe(folder, "export", result["run"], code=2)
        assert "photos" in text and "Traceback" not in text and "1 error" in text
    finally:
        away.rename(photos)
    extra = photos / "circle/extra.jpg"
    shutil.copy(photos / "star/0.jpg", extra)
    try:
        assert "the data changed since" in cnnpipe(folder, "export", result["run"], code=2)
    finally:
        extra.unlink()
    assert {file: file.read_bytes() for file in (folder / result["run"]).rglob("*") if file.is_file()} == before


def test_a_run_that_was_killed_before_it_was_measured_gets_its_scores(
    folder: Path, result: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "killed"
    shutil.copytree(folder / result["run"], run)
    scores = json.loads((run / "scores.json").read_text())
    (run / "scores.json").unlink()
    again = json.loads(cnnpipe(folder, "train", "--resume", str(run), "--json"))
    assert again["scores"] == scores["test"]
    assert json.loads((run / "scores.json").read_text())["test"] == scores["test"]
    (run / "scores.json").unlink()
    cnnpipe(folder, "export", str(run))
    assert json.loads((run / "scores.json").read_text()) == scores
