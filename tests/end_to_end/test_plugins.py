"""A folder of plugins is equal to the shipped rooms: here a block, a source, an exporter and a task."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PLUGINS = HERE / "plugins"
KINDS = {
    "blocks/gated_conv.py": "blocks",
    "datasets/discs.py": "datasets",
    "exporters/zipped_litert.py": "exporters",
    "pipelines/image_regression.py": "tasks",
}
Call = Callable[..., subprocess.CompletedProcess[str]]


def cnnpipe(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Call the command line in a folder that holds `plugins/`."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    command = [sys.executable, "-m", "cnnpipe", *map(str, arguments), "--plugins", "plugins"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the JSON object that a command printed."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a copy of the plugins and of their recipe."""
    folder = tmp_path_factory.mktemp("work")
    shutil.copytree(PLUGINS, folder / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.move(folder / "plugins" / "discs.yaml", folder / "discs.yaml")
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Any]:
    """What `run` printed."""
    found: dict[str, Any] = answer(cnnpipe(folder, "run", "discs.yaml", "--json"))
    return found


def test_list(folder: Path) -> None:
    found = answer(cnnpipe(folder, "list", "--json"))
    for file, kind in KINDS.items():
        assert found[kind][Path(file).stem] == (PLUGINS / file).read_text().splitlines()[0].strip('"')


@pytest.mark.parametrize("file", KINDS)
def test_deleting_a_file_takes_exactly_its_name(folder: Path, tmp_path: Path, file: str) -> None:
    shutil.copytree(folder / "plugins", tmp_path / "plugins")
    expected = answer(cnnpipe(tmp_path, "list", "--json"))
    (tmp_path / "plugins" / file).unlink()
    del expected[KINDS[file]][Path(file).stem]
    assert answer(cnnpipe(tmp_path, "list", "--json")) == expected


def test_check_and_describe(folder: Path) -> None:
    assert answer(cnnpipe(folder, "check", "discs.yaml", "--json")) == {"problems": []}
    layers = answer(cnnpipe(folder, "describe", "discs.yaml", "--json"))["layers"]
    gate = [layer for layer in layers if layer["block"] == "gate"]
    assert [layer["type"] for layer in gate] == ["convolution", "convolution", "activation", "multiply"]
    assert sum(layer["parameters"] for layer in gate) == 2 * (9 * 8 + 8)


def test_a_mistake_in_a_plugin_section_has_its_line(folder: Path) -> None:
    text = (folder / "discs.yaml").read_text().replace("filters: 8", "filter: 8")
    (folder / "bad.yaml").write_text(text)
    (problem,) = json.loads(cnnpipe(folder, "check", "bad.yaml", "--json").stdout)["problems"]
    assert (problem["line"], problem["path"]) == (8, "model.blocks.0.filter")
    assert problem["hint"] == "Did you mean 'filters'?"


def test_schema(folder: Path) -> None:
    import jsonschema

    from cnnpipe.located_yaml import read

    schema = answer(cnnpipe(folder, "schema"))
    validator = jsonschema.Draft202012Validator(schema)
    recipe = read(folder / "discs.yaml").data
    validator.validate(recipe)
    recipe["model"]["blocks"][0]["filter"] = 8
    assert not validator.is_valid(recipe)


def test_new(folder: Path) -> None:
    from PIL import Image

    (folder / "table").mkdir()
    rows = ["image,label"]
    for number in range(6):
        Image.new("L", (40, 30), number * 40).save(folder / "table" / f"{number}.png")
        rows.append(f"{number}.png,{number / 2}")
    (folder / "table" / "table.csv").write_text("\n".join(rows) + "\n")
    made = answer(cnnpipe(folder, "new", "image_regression", "--data", "table/table.csv", "--json"))
    assert made["file"] == "table.yaml"
    assert answer(cnnpipe(folder, "check", "table.yaml", "--json")) == {"problems": []}


def test_run_trains_exports_and_gates(folder: Path, trained: dict[str, Any]) -> None:
    error = trained["scores"]["mean_absolute_error"]
    assert error < 0.8  # guessing the mean radius is wrong by 1.5
    plain, packed = trained["exports"]
    assert [export["quantization"] for export in (plain, packed)] == ["none", "int8"]
    for export in (plain, packed):
        assert export["passed"]
        assert export["bytes"] == (folder / export["file"]).stat().st_size
        assert export["drop"] == pytest.approx(export["score"] - error)  # lower is better: a higher error is a drop
    with zipfile.ZipFile(folder / packed["file"]) as archive:
        assert archive.namelist() == ["model.tflite"]


def test_predict(folder: Path, trained: dict[str, Any]) -> None:
    import importlib.util

    from PIL import Image

    spec = importlib.util.spec_from_file_location("discs", PLUGINS / "datasets" / "discs.py")
    discs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(discs)
    example = discs.draw(12345)
    Image.fromarray(example["images"]).save(folder / "disc.png")
    bundle = Path(trained["exports"][1]["file"]).parent
    for model in (trained["run"], bundle):
        (prediction,) = answer(cnnpipe(folder, "predict", model, "disc.png", "--json"))["predictions"]
        assert prediction["file"] == "disc.png"
        assert prediction["value"] == pytest.approx(example["labels"], abs=2)


def test_a_bundle_is_asked_without_tensorflow(folder: Path, trained: dict[str, Any], tmp_path: Path) -> None:
    """Neither in this process nor in the one that runs the file: both find these modules first."""
    for name in ("tensorflow", "keras"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('was imported')\n")
    bundle = Path(trained["exports"][0]["file"]).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(HERE.parents[1])])}
    arguments = ["predict", str(bundle), str(bundle / "samples" / "00.png"), "--plugins", "plugins"]
    command = [sys.executable, "-m", "cnnpipe", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    command[command.index(str(bundle))] = trained["run"]
    refused = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "was imported" in refused.stderr  # the run's Keras model does need them: the trap works


def test_runs_knows_the_direction(folder: Path, trained: dict[str, Any]) -> None:
    (run,) = answer(cnnpipe(folder, "runs", "--json"))["runs"]
    assert run["metric"] == "mean_absolute_error"
    assert run["higher_is_better"] is False
    assert run["score"] == trained["scores"]["mean_absolute_error"]


def test_without_the_plugins_the_recipe_names_what_is_missing(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    command = [sys.executable, "-m", "cnnpipe", "check", "discs.yaml"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    for name in ("image_regression", "discs", "gated_conv", "zipped_litert"):
        assert f"'{name}'" in done.stderr
