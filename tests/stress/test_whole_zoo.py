"""Every published network among the recipes: the whole one builds in Keras, and a small one trains, exports and runs.

By hand, some of them as a share of all: `pytest tests/stress/test_whole_zoo.py -k resnet`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.bundle.workers import Workers

FILE = Path(__file__).parents[1] / "conformance/test_zoo.py"
SPEC = importlib.util.spec_from_file_location("zoo_proofs", FILE)
assert SPEC is not None and SPEC.loader is not None
proofs: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(proofs)
workers = proofs.workers
"""The fixture with both processes."""


@pytest.mark.parametrize("name", proofs.ZOO)
def test_the_whole_one_builds(name: str) -> None:
    import keras

    from cnnpipe.build import build_model, plan
    from cnnpipe.jobs.describe import describe

    keras.backend.clear_session()
    found = describe(name)
    models = [build_model(plan(graph)) for graph in found.graphs.values()]
    assert sum(model.count_params() for model in models) == found.totals["parameters"]


@pytest.mark.parametrize("name", proofs.CLASSIFIERS)
def test_a_small_one_trains_exports_and_runs(
    name: str, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs.hold(proofs.trained(name, workers, tmp_path, monkeypatch))
