"""The screen of `cnnpipe benchmark`."""

from __future__ import annotations

from cnnpipe.bundle.timing import Timing
from cnnpipe.evaluation import Drop
from cnnpipe.jobs.benchmark import BenchmarkResult, Row
from cnnpipe.report.tables import byte_size, printable, table
from cnnpipe.task import Score


def benchmark_screen(found: BenchmarkResult) -> str:
    """Return one table, and what its columns mean."""
    threads = sorted({count for row in found.rows for count in row.timings})
    header = (
        "file", "size", f"test {found.metric.name} (95 % interval)", "drop",
        *(f"host ms, {count} thread{'s' if count > 1 else ''}" for count in threads), "host RAM", "arena",
    )  # fmt: skip
    keras = ("Keras model", "-", _score(found.model), *["-"] * (len(threads) + 3))
    rows = [keras, *(_row(row, threads) for row in found.rows)]
    lines = [
        table(header, rows, left=header[:1]),
        "",
        f"size, {found.metric.name} and drop: as each bundle states them",
        f"host: measured now on {found.host}, not on the device; p50 / p95 of one example; RAM is the peak",
        "      of a process with runtime and file beyond what it had before it loaded them",
        "arena: in LiteRT Micro with its reference kernels; ~ estimated from the file",
        *found.notes,
    ]
    return printable("\n".join(lines))


def _row(row: Row, threads: list[int]) -> tuple[str, ...]:
    times = (_time(row.timings.get(count)) for count in threads)
    ram = next((timing.ram_bytes for timing in row.timings.values()), None)
    arena = "-" if row.arena_bytes is None else f"{'' if row.arena_by else '~'}{row.arena_bytes:,}"
    memory = "-" if ram is None else byte_size(ram)
    return row.name, byte_size(row.bytes), _score(row.score), _drop(row.drop), *times, memory, arena


def _time(timing: Timing | None) -> str:
    return "-" if timing is None else f"{timing.p50:.3g} / {timing.p95:.3g}"


def _score(score: Score | None) -> str:
    if score is None:
        return "-"
    interval = f" ({score.interval[0]:.4f} to {score.interval[1]:.4f})" if score.interval else ""
    return f"{score.value:.4f}{interval} of {score.n:,}"


def _drop(drop: Drop | None) -> str:
    if drop is None:
        return "-"
    counts = "" if drop.lost is None else f" ({drop.lost} lost, {drop.won} won)"
    return f"{drop.drop:.4f}{counts}"
