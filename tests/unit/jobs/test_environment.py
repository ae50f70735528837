"""What the doctor says of a machine and an installation, and what it warns of."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from cnnpipe.jobs import environment as job
from cnnpipe.jobs.environment import environment


def test_it_knows_versions_packages_and_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    (tmp_path / "keras" / "models" / "mobilenet_v2.h5").write_bytes(b"12345")
    (tmp_path / "runs" / "digits" / "0001").mkdir(parents=True)
    found = environment(tmp_path / "runs")
    assert found.versions["numpy"] == metadata.version("numpy")
    packages = {package.name: package for package in found.packages}
    assert packages["tensorflow"].version == metadata.version("tensorflow")
    assert packages["tensorflow"].tested and packages["tensorflow"].fits
    assert packages["onnxruntime"].extra == "onnx"
    assert packages["tensorflow[and-cuda]"].extra == "cuda"
    assert "pytest" not in packages
    folders = {folder.what: folder for folder in found.folders}
    assert folders["Keras's weights"].bytes == 5
    assert folders["Keras's weights"].entries == ("mobilenet_v2.h5",)
    assert folders["runs"].entries == ("digits",)
    assert folders["cnnpipe's caches"].bytes is None
    assert found.devices is None
    assert all(size > 0 for size in found.free.values())
    json.dumps(found.as_json())


def test_what_is_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = metadata.version

    def other(name: str) -> str:
        if name == "rich":
            raise metadata.PackageNotFoundError(name)
        return {"keras": "2.15.0"}.get(name) or version(name)

    monkeypatch.setattr(metadata, "version", other)
    monkeypatch.setattr(job, "_memory", lambda: {"memory": 10**9, "free_memory": 10**8})
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first"}')
    problems = environment(tmp_path / "runs").problems
    assert {problem.severity for problem in problems} == {"warning"}
    text = "\n".join(map(str, problems))
    for part in (
        "rich is not installed", "keras 2.15.0 is outside of the range that was tested (<3.16,>=3.15)",
        "only 0.1 GB of memory are free", "KERAS_BACKEND is torch", "image_data_format channels_first",
    ):  # fmt: skip
        assert part in text
    assert len(problems) == 5


def test_without_the_installed_package_nothing_is_known_of_ranges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "PROJECT", "no-such-project")
    found = environment(tmp_path)
    assert "not installed as a package" in str(found.problems[0])
    assert not found.packages
