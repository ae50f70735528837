"""A folder that is written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cnnpipe.bundle.write import whole_folder
from cnnpipe.errors import ProblemError


def _bundle(folder: Path, content: str) -> Path:
    with whole_folder(folder) as staging:
        (staging / "bundle.json").write_text(content)
        assert not folder.exists() or (folder / "bundle.json").read_text() != content
    return folder


def test_a_folder_appears_whole_and_replaces_an_older_one(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "exports" / "generic-int8", "first")
    (folder / "of_the_first").write_text("")
    _bundle(folder, "second")
    assert [file.name for file in folder.iterdir()] == ["bundle.json"]
    assert (folder / "bundle.json").read_text() == "second"
    assert os.listdir(tmp_path / "exports") == ["generic-int8"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("a bug")])
def test_a_failure_leaves_the_older_one_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    folder = _bundle(tmp_path / "generic-int8", "first")
    with pytest.raises(ProblemError if isinstance(error, OSError) else type(error)) as caught, whole_folder(folder):
        raise error
    assert (folder / "bundle.json").read_text() == "first"
    assert os.listdir(tmp_path) == ["generic-int8"]
    assert not isinstance(error, OSError) or "no space left on the disk" in str(caught.value)


def test_a_failure_of_the_last_step_brings_the_older_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, replace = _bundle(tmp_path / "generic-int8", "first"), os.replace

    def fail(source: Path, target: Path) -> None:
        if target == folder and "old" not in source.name:
            raise OSError(errno.EACCES, "denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ProblemError, match="cannot be written"):
        _bundle(folder, "second")
    assert (folder / "bundle.json").read_text() == "first"


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".staging-1-generic-int8").mkdir()
    _bundle(tmp_path / "generic-int8", "first")
    assert os.listdir(tmp_path) == ["generic-int8"]


def test_a_kill_between_the_two_last_steps_costs_nothing(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "generic-int8", "first")
    folder.rename(tmp_path / ".staging-old-1-generic-int8")
    with pytest.raises(ProblemError), whole_folder(folder):
        raise OSError(errno.ENOSPC, "full")
    assert (folder / "bundle.json").read_text() == "first"
    assert os.listdir(tmp_path) == ["generic-int8"]


def test_all_files_are_on_the_disk_before_the_folder_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, synced = tmp_path / "generic-int8", []

    def sync(path: Path) -> None:
        synced.append((path.name, folder.exists()))

    monkeypatch.setattr("cnnpipe.files.sync", sync)
    _bundle(folder, "first")
    assert ("bundle.json", False) in synced and synced[-1] == (tmp_path.name, True)
