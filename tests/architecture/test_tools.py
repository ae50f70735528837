"""The checks that a developer runs by hand are tests: one command runs them all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")], ids=["check", "format"])
def test_ruff(arguments: tuple[str, ...]) -> None:
    run(sys.executable, "-m", "ruff", *arguments, "cnnpipe", "pipelines", "tests")


def test_mypy() -> None:
    run(sys.executable, "-m", "mypy", "cnnpipe")
    run(sys.executable, "-m", "mypy", "pipelines")


def test_rooms_import_only_from_below() -> None:
    run(sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
