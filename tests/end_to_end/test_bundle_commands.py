"""The commands on exported files: `inspect`, `verify` and `benchmark`, as a user calls them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cnnpipe.bundle.export import Exported
from cnnpipe.cli._group import cli

Exports = Mapping[str, Exported]
HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib")


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="cnnpipe")


@pytest.fixture
def pictures(painted: Any, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the test split as a folder for each class; `shift` moves the labels."""

    def write(shift: int = 0, folder: str = "pictures") -> Path:
        from PIL import Image

        split, names = painted.subject.splits["test"], painted.subject.facts.class_names
        for number, (pixels, label) in enumerate(
            zip(split.inputs["image"], split.targets["probabilities"], strict=True)
        ):
            place = tmp_path / folder / names[(int(label) + shift) % len(names)]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place / f"{number}.png")
        return tmp_path / folder

    return write


# ── inspect ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_inspect_tells_what_is_in_a_file(exported: Exports) -> None:
    done = call("inspect", exported["generic-int8"].file, "--all")
    assert done.exit_code == 0
    assert "input   image: int8 1x10x12x3, real = 0.00392156886 * (stored + 128)" in done.stdout
    assert "metadata: none inside" in done.stdout
    assert "CONV_2D" in done.stdout
    assert "1x10x12x8 int8" in done.stdout
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert " yes " in rows["generic"]
    assert " yes " in rows["cortex_m-nicla_vision"]
    assert "metadata" in rows["android"]


def test_inspect_as_json_and_as_a_picture(exported: Exports, tmp_path: Path) -> None:
    one = exported["generic-int8"]
    done = call("inspect", one.file, "--json", "--plot", tmp_path / "arena.svg")
    found = json.loads(done.stdout)
    assert [operator["name"] for operator in found["operators"]] == list(one.runnable.facts.operators)
    assert found["macs"] == sum(operator["macs"] for operator in found["operators"])
    assert found["macs"] == 10 * 12 * 8 * 27 + 5 * 6 * 8 * 64 + 64 * 4
    assert set(found["arena"]) >= {"head", "tail"}
    assert found["arena"]["head"] == 960 + 368  # the largest map beside the input, each in steps of 16 bytes
    picture = (tmp_path / "arena.svg").read_text()
    assert f"head of the arena in LiteRT Micro, {found['arena']['head']:,} bytes" in picture
    assert "10x12x8 int8" in picture
    assert call("inspect", one.file, "--plot", tmp_path / "arena.png").exit_code == 0
    assert (tmp_path / "arena.png").read_bytes().startswith(b"\x89PNG")
    wrong = call("inspect", one.file, "--plot", tmp_path / "arena.jpg")
    assert wrong.exit_code == 2
    assert "neither .svg nor .png" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("generic-none", "none"), ("generic-float16", "float16"), ("generic-dynamic_range", "dynamic_range"),
        ("int8-uint8", "int8"), ("int8-float32", "int8"), ("generic-int16x8", "int16x8"),
    ],
)  # fmt: skip
def test_inspect_knows_each_quantization(exported: Exports, name: str, quantization: str) -> None:
    from cnnpipe.jobs.fitting_targets import quantization_of
    from cnnpipe.litert_file import read_program

    assert quantization_of(read_program(exported[name].file.read_bytes())) == quantization


def test_inspect_says_why_a_file_does_not_fit(exported: Exports) -> None:
    fits = {fit["target"]: fit for fit in _json("inspect", exported["generic-dynamic_range"].file)["targets"]}
    assert fits["generic"]["fits"]
    assert fits["cortex_m-nicla_vision"]["reasons"] == ["it runs float32, int8, int16x8, not dynamic_range"]


def _json(*arguments: Any) -> Any:
    return json.loads(call(*arguments, "--json").stdout)


def test_inspect_of_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_text("hello")
    for file, said in (("text.tflite", "is no LiteRT file"), ("none.tflite", "does not exist"), ("", "is a folder")):
        done = call("inspect", tmp_path / file)
        assert done.exit_code == 2
        assert said in done.stderr


# ── predict ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--draw", "drawn"], "says nothing that could be drawn over a picture (--draw). Leave --draw out."),
        (["--tiles"], "tiles need an answer for each pixel, and 'probabilities' of this model has none (--tiles)"),
    ],
)
def test_predict_refuses_what_needs_places(
    exported: Exports,
    pictures: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = next(pictures().glob("red/*.png"))
    done = call("predict", exported["generic-int8"].folder, picture, *options)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "drawn").exists()


# ── verify ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_verify_a_folder_and_a_zip_file(exported: Exports, tmp_path: Path) -> None:
    folder = exported["generic-int8"].folder
    done = call("verify", folder)
    assert done.exit_code == 0
    assert "golden samples: all hold (4 golden samples)" in done.stdout
    archive = shutil.make_archive(str(tmp_path / "bundle"), "zip", folder.parent, folder.name)
    assert _json("verify", archive) == {
        "bundle": archive, "passed": True, "problems": [], "notes": [], "proofs": [], "data": None,
    }  # fmt: skip


def test_verify_measures_on_given_data(exported: Exports, pictures: Callable[..., Path]) -> None:
    one = exported["generic-int8"]
    done = call("verify", one.folder, "--data", pictures())
    assert done.exit_code == 0, done.stderr
    score = one.comparisons["test"].file.scores.metrics["accuracy"].value
    assert f"LiteRT: accuracy {score:.4f}" in done.stdout
    assert f"stated is {score:.4f}" in done.stdout
    worse = call("verify", one.folder, "--data", pictures(shift=1, folder="others"))
    assert worse.exit_code == 1
    assert "their 95 % intervals do not meet" in worse.stderr


def test_verify_takes_only_the_test_split_of_data_with_splits(exported: Exports, pictures: Callable[..., Path]) -> None:
    shifted, right = pictures(shift=1, folder="all/train"), pictures(folder="all/test")
    found = _json("verify", exported["generic-int8"].folder, "--data", right.parent)
    assert found["data"]["score"]["n"] == 60
    assert "Of 120 examples only the 60 of the test split are taken." in found["data"]["notes"]
    assert shifted.is_dir()


def test_verify_refuses_data_that_does_not_fit(exported: Exports, make_photos: Any, tmp_path: Path) -> None:
    photos = make_photos(tmp_path / "photos", {"circle": 1, "square": 1})
    done = call("verify", exported["generic-int8"].folder, "--data", photos)
    assert done.exit_code == 2
    assert "classes that the bundle does not know (circle, square)" in done.stderr
    assert call("verify", exported["generic-int8"].folder, "--data", tmp_path / "none").exit_code == 2


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("labels.txt", b"red\nblue\ngreen\nyellow\n", "labels.txt was changed"),
        ("README.md", None, "README.md is missing"),
        ("model.tflite", b"TFL3", "model.tflite"),
        ("sample_output.npy", b"none", "sample_output.npy"),
    ],
)
def test_verify_names_what_is_wrong(
    exported: Exports, tmp_path: Path, file: str, content: bytes | None, said: str
) -> None:
    folder = shutil.copytree(exported["generic-int8"].folder, tmp_path / "bundle")
    (folder / file).unlink() if content is None else (folder / file).write_bytes(content)
    done = call("verify", folder)
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stdout.rstrip().endswith("FAILED")


def test_verify_says_what_it_does_not_compare(exported: Exports, tmp_path: Path) -> None:
    """Another version may word what is beside the file otherwise: that is told, and the rest is checked as always."""
    folder = shutil.copytree(exported["generic-int8"].folder, tmp_path / "bundle")
    content = {**json.loads((folder / "bundle.json").read_text()), "cnnpipe": "0.0.1"}
    (folder / "bundle.json").write_text(json.dumps(content))
    done = call("verify", folder)
    assert done.exit_code == 0
    assert "cnnpipe 0.0.1 wrote what is beside the file" in done.stdout and "its sha256 alone" in done.stdout
    (note,) = _json("verify", folder)["notes"]
    assert note in done.stdout


def test_verify_of_garbage_ends_with_2(exported: Exports, tmp_path: Path) -> None:
    folder = shutil.copytree(exported["generic-int8"].folder, tmp_path / "bundle")
    (folder / "bundle.json").write_text("{")
    for given in (folder, tmp_path, tmp_path / "none", folder / "model.tflite"):
        assert call("verify", given).exit_code == 2, given


# ── benchmark ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_benchmark_of_a_bundle(exported: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnpipe.jobs.benchmark._threads", lambda: (1, 2))
    one = exported["generic-int8"]
    found = _json("benchmark", one.folder)
    (row,) = found["files"]
    assert row["bytes"] == one.runnable.facts.bytes
    assert row["score"]["value"] == one.comparisons["test"].file.scores.metrics["accuracy"].value
    assert row["drop"]["n"] == 60
    assert set(row["timings"]) == {"1", "2"}
    assert all(0 < timing["p50"] <= timing["p95"] for timing in row["timings"].values())
    if sys.platform == "linux":
        assert row["timings"]["1"]["ram_bytes"] > row["bytes"]
    assert row["arena_bytes"] > 1328
    assert row["arena_by"] is None
    shown = call("benchmark", one.folder).stdout
    assert "host ms, 1 thread" in shown
    assert "not on the device" in shown
    assert f"~{row['arena_bytes']:,}" in shown


def test_benchmark_of_what_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    done = call("benchmark", tmp_path)
    assert done.exit_code == 2
    assert "has no exported file" in done.stderr


# ── all three ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_none_of_them_imports_tensorflow(exported: Exports) -> None:
    one = exported["generic-none"]
    file, folder = str(one.file), str(one.folder)
    program = (
        "import sys, cnnpipe\n"
        f"cnnpipe.inspect({file!r}); cnnpipe.verify({folder!r}); cnnpipe.benchmark({folder!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert np.load(one.folder / "sample_input.npy").shape[0] == 4
