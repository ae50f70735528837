"""Searches whose trials only calculate, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("search_by_arithmetic.py")


@dataclass(frozen=True)
class Ended:
    """A search that ended: its result where it has one, what it printed, its exit code, and the trials that began."""

    result: dict[str, Any] | None
    printed: str
    code: int
    began: list[str]

    def __getitem__(self, key: str) -> Any:
        assert self.result is not None, self.printed
        return self.result[key]


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., Ended]:
    """Return a function that runs the search of a recipe's text, with changes, in the study `study`."""

    def run(text: str, *overrides: str) -> Ended:
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        (tmp_path / "mine.yaml").write_text(text)
        command = [sys.executable, str(SCRIPT), "mine.yaml", "study", "log", "0", *overrides]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        result = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
        began = (
            [line.split()[1] for line in log.read_text().splitlines() if line.startswith("begin")]
            if log.exists()
            else []
        )
        return Ended(result, done.stdout + done.stderr, done.returncode, began)

    return run
