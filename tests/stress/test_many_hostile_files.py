"""1,000 damaged or hostile files and bundles: `pytest tests/stress/test_many_hostile_files.py -s` (some ten minutes).

With CNNPIPE_TEST_DATA also files by others are damaged.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import cnnpipe

SEED = 30_000
EXPORTS = "export=[{target: generic, quantization: int8}, {target: generic, quantization: none}]"


def test_a_thousand_of_them(tmp_path):
    file = Path(__file__).parents[1] / "end_to_end" / "hostile_files.py"
    spec = importlib.util.spec_from_file_location("hostile_files", file)
    hostile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hostile)
    made = cnnpipe.run("digits", ["training.epochs=1", EXPORTS], runs_folder=tmp_path / "runs").exported.exports
    files = [one.file.read_bytes() for one in made]
    if data := os.environ.get("CNNPIPE_TEST_DATA"):
        files += [one.read_bytes() for one in sorted(Path(data).rglob("*.tflite"))]
    counts = hostile.inspected(files, tmp_path, range(SEED, SEED + 600))
    counts += hostile.verified(made[0].file.parent, tmp_path, range(SEED + 600, SEED + 1000))
    print(f"seeds {SEED} to {SEED + 999}, {len(files)} files: {dict(counts)}")
    assert sum(counts.values()) == 1000
