"""The command line, called in this process from an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnpipe.cli._group import cli

RECIPE = """\
task: {type: image_classification, classes: [cat, dog]}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [16, 16]}
model:
  blocks:
    - {type: conv_relu_pool, filters: 4, name: stem}
    - flatten
training: {epochs: 2}
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs a command in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="cnnpipe")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A small recipe that states its classes, so that no data is needed."""
    (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "photos").mkdir()
    return Path("small.yaml")
