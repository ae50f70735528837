"""Vela, Arm's compiler for Ethos-U: what of a file runs on the NPU, and what it takes there."""

from __future__ import annotations

import csv
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Literal

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import Manifest
from cnnpipe.runtimes import Answers, Bounds, Cases, Runtime

KIB = 1024
USUAL_ACCELERATOR = "ethos-u55-128"
_OPERATORS = re.compile(r"(CPU|NPU) operators = (\d+)")
_SIZES = {"sram_bytes": "sram_memory_used", "flash_bytes": "off_chip_flash_memory_used"}
"""Facts in bytes, with the column of Vela's summary (in KiB) that each comes from."""


class Vela(Runtime):
    """Vela, which compiles the file for the target's accelerator, with its own usual clock and memories.

    Its times and cycles are estimates by a model of the NPU, not measured.
    """

    type: Literal["vela"] = "vela"
    title: ClassVar[str] = "Vela"
    feeds_on: ClassVar[Literal["stored", "raw"]] = "stored"
    bounds: ClassVar[Bounds] = Bounds(steps=None, score=0.0, decisions=False)
    answers: ClassVar[bool] = False

    def missing(self) -> str:
        """Return why it cannot be run here; empty when it can."""
        if importlib.util.find_spec("ethosu") is not None:
            return ""
        return "the package ethos-u-vela is not installed: pip install 'cnnpipe[ethos]'"

    def run(self, folder: Path, manifest: Manifest, cases: Cases) -> Answers:
        """Compile the file, and return what Vela reports: operators on NPU and CPU, bytes, cycles, time.

        Raises:
            ProblemError: Vela refuses the file.
        """
        accelerator = str(manifest.device.get("accelerator", USUAL_ACCELERATOR))
        with tempfile.TemporaryDirectory() as output:
            options = ["--accelerator-config", accelerator, "--output-dir", output]
            command = [sys.executable, "-m", "ethosu.vela", str(folder / Path(manifest.file).name), *options]
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.seconds, check=False)  # noqa: S603
            summaries = list(Path(output).glob("*_summary_*.csv"))
            if done.returncode or not summaries:
                last = (done.stderr or done.stdout).strip().splitlines()[-1:]
                raise ProblemError(Problem(f"it refuses the file ({' '.join(last) or done.returncode})"))
            (row,) = csv.DictReader(summaries[0].read_text(encoding="utf-8").splitlines())
        return Answers({}, {"accelerator": accelerator, **_facts(row, done.stdout)})


def _facts(row: dict[str, str], printed: str) -> dict[str, Any]:
    counts = {f"{which.lower()}_operators": int(number) for which, number in _OPERATORS.findall(printed)}
    sizes = {fact: round(float(row[column]) * KIB) for fact, column in _SIZES.items()}
    return {
        **sizes,
        **dict(sorted(counts.items(), reverse=True)),
        "cycles": round(float(row["cycles_total"])),
        "seconds": float(row["inference_time"]),
        "system": f"{row['system_config']}, {row['memory_mode']}",
        "version": importlib.metadata.version("ethos-u-vela"),
    }
