"""A proof as one line for people."""

from __future__ import annotations

from cnnpipe.bundle.proving import title_of
from cnnpipe.manifest import Proof


def proof_line(proof: Proof, metric: str = "") -> str:
    """Return a line such as `LiteRT Micro: same answers on 250 of 250, arena 46,128 bytes`.

    Args:
        proof: The proof.
        metric: Name of the headline metric; its value is told when given.
    """
    title = title_of(proof.runtime)
    if proof.state == "not run":
        return f"{title}: not run ({proof.reason})"
    if proof.state == "failed":
        return f"{title}: FAILED: {proof.reason}"
    right = proof.examples - proof.differing
    same = f"same answers on {right:,} of {proof.examples:,}" if proof.examples else "takes the file"
    score = [f"{metric} {proof.score:.4f}"] if metric and proof.score is not None else []
    sizes = [
        f"{name.removesuffix('_bytes').replace('_', ' ')} {value:,} bytes"
        for name, value in proof.facts.items()
        if name.endswith("_bytes") and isinstance(value, int)
    ]
    counts = [
        f"{name.replace('_', ' ')} {value:,}"
        for name, value in proof.facts.items()
        if name.endswith("_operators") and isinstance(value, int)
    ]
    return f"{title}: {', '.join([same, *score, *sizes, *counts])}"
