"""The page of the recipes is true: its tables are what its commands print, and its trainings run."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnpipe.cli._group import cli
from cnnpipe.recipe.load import shipped_recipes

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "recipes" / "README.md"
TABLES = re.compile(r"^```console\n\$ cnnpipe ([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRAININGS = re.compile(r"^\$ python (tests/benchmarks/\S+) FOLDER (.*)$", re.MULTILINE)
SIDE = 28


def printed(command: str) -> str:
    """Return what a command of the page prints, without what it tells on stderr."""
    done = CliRunner().invoke(cli, shlex.split(command), prog_name="cnnpipe")
    assert done.exit_code == 0, done.output
    return done.stdout.rstrip() + "\n"


def few_pictures(folder: Path) -> Path:
    """Write the four files of Fashion-MNIST with a few pictures of noise in each class."""
    import numpy as np

    generator = np.random.default_rng(0)
    folder.mkdir()
    for split, count in (("train", 400), ("t10k", 40)):
        images = generator.integers(0, 256, (count, SIDE, SIDE), np.uint8)
        header = struct.pack(">HBBIII", 0, 8, 3, count, SIDE, SIDE)
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images.tobytes()))
        labels = bytes(position % 10 for position in range(count))
        header = struct.pack(">HBBI", 0, 8, 1, count)
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header + labels))
    return folder


def test_tables_are_what_their_commands_print(pytestconfig: pytest.Config) -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = TABLES.findall(text)
    assert len(found) == text.count("$ cnnpipe") >= 2
    now = TABLES.sub(lambda match: f"```console\n$ cnnpipe {match[1]}\n{printed(match[1])}```", text)
    if pytestconfig.getoption("--rewrite-tables", False):
        PAGE.write_text(now, encoding="utf-8")
    assert now == PAGE.read_text(encoding="utf-8"), "read the new tables: pytest tests/docs --rewrite-tables"


def test_every_recipe_has_its_line() -> None:
    *_, (_, zoo) = TABLES.findall(PAGE.read_text(encoding="utf-8"))
    table, _, _ = zoo.partition("\n\n")  # then which of them are not predicted
    assert {line.split()[0] for line in table.splitlines()[2:]} == set(shipped_recipes())


def test_the_trainings_run(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    ((script, asked),) = TRAININGS.findall(text)
    assert {recipe.partition(":")[0] for recipe in asked.split()} <= set(shipped_recipes())
    story = TABLES.findall(text)[0][0].split()[1:]
    first_two = story[:2]  # the small ones: each network's own proof is elsewhere
    once = [f"{name}:1" for name in first_two]
    command = [sys.executable, ROOT / script, few_pictures(tmp_path / "pictures"), *once]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    _, *rows = done.stdout.splitlines()
    assert [row.split()[0] for row in rows] == first_two
    assert all("of 40" in row for row in rows)
