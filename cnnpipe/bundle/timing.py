"""Time and memory of an exported file on this host. It says little about a phone or a board; tables label it so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.bundle.workers import make_exporter
from cnnpipe.child import Child
from cnnpipe.registry import plugin_folders

if TYPE_CHECKING:
    import numpy as np

SECONDS = 120.0
"""Longest time for one measurement."""
WARM_UP, LEAST, MOST, ENOUGH_SECONDS = 5, 30, 2000, 1.5
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Timing:
    """One measurement.

    Args:
        p50: Median time for one example, in milliseconds.
        p95: 95 of 100 runs took no longer, in milliseconds.
        runs: How many there were.
        ram_bytes: Peak memory of the process beyond what it had before it loaded runtime and file; None where the
            system does not tell.
    """

    p50: float
    p95: float
    runs: int
    ram_bytes: int | None


def time_file(exporter: Mapping[str, Any], file: Path, one: Mapping[str, np.ndarray], threads: int) -> Timing | None:
    """Measure a file in a fresh process.

    Args:
        exporter: The exporter's spec as plain values.
        file: The file.
        one: Inputs of one example as the file stores them.
        threads: How many threads the runtime may use.

    Returns:
        None when the runtime cannot be told its threads.

    Raises:
        ProblemError: The file cannot be run.
    """
    with Child("the runtime process", plugin_folders()) as child:
        arguments = exporter, file, one, threads
        found: Timing | None = child.call("cnnpipe.bundle.timing.measure", *arguments, timeout=SECONDS)
        return found


def measure(exporter: Mapping[str, Any], file: Path, one: Mapping[str, np.ndarray], threads: int) -> Timing | None:
    """Do what `time_file` promises, in this process."""
    import numpy as np

    made = make_exporter(exporter)
    before = _start_of_memory()
    run = made.loaded(file, one, threads)
    if run is None:
        return None
    times = _times(run)
    peak = _status("VmHWM") if before is not None else None
    ram = None if peak is None or before is None else max(0, peak - before)
    p50, p95 = np.percentile(times, [50, 95]) * 1000
    return Timing(float(p50), float(p95), len(times), ram)


def _times(run: Callable[[], object]) -> list[float]:
    for _ in range(WARM_UP):
        run()
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < LEAST or (len(times) < MOST and time.perf_counter() - begin < ENOUGH_SECONDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


def _start_of_memory() -> int | None:
    """Forget the peak so far and return what the process has now, in bytes; None where that cannot be done."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(key: str) -> int | None:
    found = re.search(rf"^{key}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None
