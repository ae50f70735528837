"""100 damaged or hostile files and bundles: `inspect` and `verify` tell what is wrong, and never crash."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.bundle.export import Exported

SEED = 20_000


@pytest.fixture(scope="session")
def hostile() -> Any:
    """The module that makes them."""
    spec = importlib.util.spec_from_file_location("hostile_files", Path(__file__).with_name("hostile_files.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_hundred_of_them(hostile: Any, exported: Mapping[str, Exported], tmp_path: Path) -> None:
    files = [exported[name].file.read_bytes() for name in ("generic-int8", "generic-none", "generic-dynamic_range")]
    counts = hostile.inspected(files, tmp_path, range(SEED, SEED + 60))
    counts += hostile.verified(exported["generic-int8"].folder, tmp_path, range(SEED + 60, SEED + 100))
    print(f"seeds {SEED} to {SEED + 99}: {dict(counts)}")
    assert sum(counts.values()) == 100
    assert counts["inspect: refused"] > 20
    assert counts["verify: refused"] + counts["verify: broken promises named"] > 25
