"""The last screen of `cnnpipe verify`."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.bundle.proof_line import proof_line
from cnnpipe.jobs.verify import DataResult, VerifyResult
from cnnpipe.report.tables import printable
from cnnpipe.task import Score


def verify_screen(result: VerifyResult) -> str:
    """Return what was found, one line a promise."""
    checked = f"all hold ({result.samples} golden samples)" if result.samples else "broken"
    lines = [
        f"{result.bundle}: {result.name}",
        f"files, labels, preprocessing, tensors, golden samples: {checked}",
        *result.notes,
        *(f"golden samples   {proof_line(proof)}" for proof in result.proofs),
        *(_data(result.data, result.metric.name) if result.data else ()),
        "verified: nothing that could be run here is wrong" if result.passed else "FAILED",
    ]
    return printable("\n".join(lines))


def _data(data: DataResult, metric: str) -> Iterator[str]:
    yield from data.notes
    stated = f"; stated is {_score(data.stated)}" if data.stated else ""
    yield f"given data       LiteRT: {metric} {_score(data.score)}{stated}"
    yield from (f"given data       {proof_line(proof, metric)}" for proof in data.proofs)


def _score(score: Score) -> str:
    interval = f" ({score.interval[0]:.4f} to {score.interval[1]:.4f})" if score.interval else ""
    return f"{score.value:.4f}{interval} of {score.n:,}"
