"""The predict.py of a bundle in an environment that holds its three packages and nothing of cnnpipe.

pytest tests/stress/test_clean_environment.py      (downloads ai-edge-litert, numpy and pillow; two minutes)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np

import cnnpipe
from cnnpipe.bundle.open import open_bundle

PACKAGES = ("ai-edge-litert", "numpy", "pillow")
RECIPE = """
name: photos
task: image_classification
data: {source: {type: image_folder, path: photos}, preprocessing: {image_size: [24, 32], resize: crop}}
model: {blocks: [{type: conv_relu_pool, filters: 8}, flatten]}
training: {epochs: 3}
export: [{target: raspberry_pi, quantization: int8}]
"""


def test_three_packages_are_enough(tmp_path: Path, make_photos) -> None:
    photos = make_photos(tmp_path / "photos", {"circle": 40, "square": 40})
    (tmp_path / "photos.yaml").write_text(RECIPE)
    result = cnnpipe.run(tmp_path / "photos.yaml", runs_folder=tmp_path / "runs")
    bundle = result.exported.run / "exports" / "raspberry_pi-int8"
    assert result.passed
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    assert subprocess.run([python, "-I", "-c", "import cnnpipe"], capture_output=True, check=False).returncode
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    folders = [str(photos / name) for name in ("circle", "square")]
    command = [str(python), "-I", str(bundle / "predict.py"), "--json", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=clean, cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    with open_bundle(bundle) as opened:
        said = opened.predict([line["file"] for line in lines])
    assert len(lines) == 80
    for line, prediction in zip(lines, said, strict=True):
        assert np.allclose(line["outputs"]["probabilities"], list(prediction["confidences"].values()), atol=1e-6)
