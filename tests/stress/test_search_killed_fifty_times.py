"""Fifty kills at random moments of searches with 12 cheap trials: each search ends as if it had not been killed."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "unit" / "tuning" / "test_killed_search.py"
spec = importlib.util.spec_from_file_location("killed_search", FILE)
assert spec is not None and spec.loader is not None
killed_search = importlib.util.module_from_spec(spec)
spec.loader.exec_module(killed_search)
KILLS = 50


@pytest.mark.parametrize("algorithm", ["random", "grid"])
def test_fifty_kills(algorithm: str, tmp_path: Path) -> None:
    (tmp_path / "cheap.yaml").write_text(killed_search.RECIPE.replace("ALGORITHM", algorithm))
    whole = killed_search.finished(killed_search.started(tmp_path, "whole", 0))
    chance, kills, studies = random.Random(algorithm), 0, 0
    while kills < KILLS:
        study, ended = f"killed{studies}", 0
        while ended < 9 and kills < KILLS:
            process = killed_search.started(tmp_path, study, 0.1)
            killed_search.kill_after(process, tmp_path / f"{study}.log", 1, chance.random() / 5)
            kills += 1
            ended = killed_search.ended_trials(tmp_path / study)
        result = killed_search.finished(killed_search.started(tmp_path, study, 0))
        assert killed_search.table(result) == killed_search.table(whole)
        studies += 1
    assert studies > 1
