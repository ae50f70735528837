"""The README is true: its commands and its Python run, its recipe is right, and it mentions every command."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnpipe.cli._files import command_files
from cnnpipe.cli._group import cli
from cnnpipe.registry import rooms

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def commands() -> list[str]:
    return [line.removeprefix("$ ") for text in blocks("console") for line in text.splitlines()]


def test_the_commands_and_the_python_run(
    commands: list[str], tmp_path: Path, make_photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path / "photos", {"circle": 40, "square": 40})
    (recipe,) = blocks("yaml")
    (tmp_path / "small.yaml").write_text(recipe, encoding="utf-8")
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "cnnpipe"
        done = CliRunner().invoke(cli, arguments, prog_name="cnnpipe")
        assert done.exit_code == 0, f"{command}\n{done.output}"
        assert done.stdout, command
    (script,) = blocks("python")
    done = python(tmp_path, "-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] in ("circle", "square")


def test_the_quick_start_ends_as_shown(tmp_path: Path) -> None:
    first, *_ = blocks("sh")
    program, *arguments = shlex.split(first.splitlines()[-1])
    done = python(tmp_path, "-m", program, *arguments)
    assert done.returncode == 0, done.stderr
    shown = next(text for text in blocks("text") if "Keras model" in text).splitlines()
    table = done.stdout.splitlines()[2 : 2 + len(shown)]
    columns = [re.split(r"  +", line.strip()) for line in (shown[0], table[0])]
    assert columns[0] == columns[1]
    for documented, printed in zip(shown[2:], table[2:], strict=True):
        assert documented[:12] == printed[:12]
        scores = [float(re.search(r"0\.\d{4}", line).group()) for line in (documented, printed)]  # type: ignore[union-attr]
        assert scores[0] == pytest.approx(scores[1], abs=0.02)  # other processors round otherwise
    assert [line.split("  ")[-1] for line in table[3:]] == ["passed"] * 3


def test_the_setup_is_the_one_that_is_tested() -> None:
    first, *_ = blocks("sh")
    assert first == "python3 -m pip install .\ncnnpipe run digits\n"
    assert "python3 -m pip install -e '.[test]'\npython3 -m pytest -n 2\n" in blocks("sh")
    script = (ROOT / ".ci" / "run").read_text()
    assert "-m pip install --quiet --disable-pip-version-check '.[test]'" in script
    assert script.endswith('exec "$environment/bin/python" -m pytest -n 2 </dev/null\n')


@pytest.mark.parametrize("name", command_files())
def test_every_command_is_mentioned(name: str) -> None:
    assert f"| `cnnpipe {name}" in README


@pytest.mark.parametrize("name", [room.name for room in rooms()])
def test_every_room_is_mentioned(name: str) -> None:
    assert f"{name}/" in README


def test_only_known_languages() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "text", "console", "yaml", "python"}
