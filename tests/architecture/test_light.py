"""What answers in an instant must not import TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "keras_tuner", "tensorflow_datasets")
PROBE = """
import json, sys
from cnnpipe.cli._group import cli
try:
    cli({arguments!r}, prog_name="cnnpipe")
except SystemExit as end:
    code = end.code
print(json.dumps([code, sorted(name for name in {heavy!r} if name in sys.modules)]), file=sys.stderr)
"""


def python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)


def outcome(arguments: list[str], folder: Path) -> tuple[int, list[str], str]:
    """Return the exit code, the heavy packages that were imported, and what was printed."""
    done = python(PROBE.format(arguments=arguments, heavy=HEAVY), folder)
    code, heavy = json.loads(done.stderr.splitlines()[-1])
    return code, heavy, done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"], ["--version"], ["check", "digits"], ["describe", "digits"],
        ["describe", "digits", "--board", "nicla_vision"], ["list"], ["schema"], ["runs"],
        ["run", "--help"], ["predict", "--help"], ["completion", "bash"], ["doctor"],
        ["runs", "diff", "--help"], ["runs", "reproduce", "--help"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_light_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code, heavy, printed = outcome(arguments, tmp_path)
    assert code == 0
    assert heavy == []
    assert printed


def test_help_imports_no_command(tmp_path: Path) -> None:
    program = "import sys; from cnnpipe.cli._group import cli\ntry: cli(['--help'])\nexcept SystemExit: pass\n"
    program += "print([name for name in sys.modules if name.startswith('cnnpipe')], file=sys.stderr)"
    done = python(program, tmp_path)
    loaded = set(eval(done.stderr))
    assert "cnnpipe.cli._group" in loaded
    assert not {name for name in loaded if name.startswith("cnnpipe.cli.") and not name.startswith("cnnpipe.cli._")}
    assert "pydantic" not in done.stderr


def test_the_package_is_light(tmp_path: Path) -> None:
    program = f"import sys, cnnpipe; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = python(program, tmp_path)
    assert done.stdout.strip() == "[]"
