"""Every variant of every backbone against Keras, node for node: shapes at three sizes, values with random weights.

Families that recipes write in blocks are compared as their recipes say them, with their heads.

By hand, some of them as a share of all: `pytest tests/stress/test_all_backbones.py -s -k convnext`.
"""

from __future__ import annotations

import gc
import importlib.util
from pathlib import Path

import keras
import pytest

FILE = Path(__file__).parents[1] / "conformance/test_backbones.py"
SPEC = importlib.util.spec_from_file_location("backbone_proofs", FILE)
proofs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(proofs)


@pytest.mark.parametrize("backbone", proofs.ALL, ids=lambda backbone: backbone.graph_name)
def test_backbone_is_the_network_of_keras(backbone, tmp_path):
    proofs.random_model.cache_clear()
    keras.backend.clear_session()
    gc.collect()  # models are cycles, and some have a gigabyte of weights
    sizes = [(n, n) for n in (96, 131)] + [(97, 160)]
    nodes = [proofs.prove_shapes(backbone, size) for size in sizes]
    count, worst, noticed = proofs.prove_values(backbone, sizes[0])
    through_file = proofs.prove_file(backbone, sizes[0], tmp_path / "x.weights.h5")
    assert through_file < 1e-4
    sabotage = ", ".join(f"{what} by {difference:.1e}" for what, difference in noticed.items())
    print(
        f"\n{backbone.graph_name}: {nodes[0]} nodes at {sizes}, values at {count} nodes differ by {worst:.1e}; "
        f"{sabotage}; the output for pixels, with weights from a file, by {through_file:.1e}",
        flush=True,
    )
