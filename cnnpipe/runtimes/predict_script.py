"""The predict.py of a bundle, run as its user would: a program of its own that gets picture files."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.attachments.predict_script import SCRIPT
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import Manifest, OutputEntry
from cnnpipe.runtimes import Answers, Bounds, Cases, Runtime

if TYPE_CHECKING:
    import numpy as np


class PredictScript(Runtime):
    """The bundle's own predict.py, by the Python of this host; packages other than its three are not looked at."""

    type: Literal["predict_script"] = "predict_script"

    title: ClassVar[str] = "predict.py"
    feeds_on: ClassVar[Literal["stored", "raw"]] = "raw"
    bounds: ClassVar[Bounds] = Bounds(steps=1.0, score=0.0, decisions=True)

    def missing(self) -> str:
        """Return nothing: what it needs, cnnpipe needs too."""
        return ""

    def run(self, folder: Path, manifest: Manifest, cases: Cases) -> Answers:
        """Write the pictures as files and let the program answer them.

        Raises:
            ProblemError: The program is not there or fails.
        """
        import numpy as np

        script = (folder / SCRIPT).resolve()
        if not script.is_file():
            raise ProblemError(Problem(f"{SCRIPT} is missing"))
        lines = [json.loads(line) for line in _printed(script, cases, self.seconds).splitlines()]
        if len(lines) != len(cases.raws):
            raise ProblemError(Problem(f"{SCRIPT} answers {len(lines)} of {len(cases.raws)} pictures"))
        outputs = {entry.name: _values(entry, lines) for entry in manifest.outputs}
        return Answers(outputs, {"python": ".".join(map(str, sys.version_info[:3])), "numpy": np.__version__})


def _printed(script: Path, cases: Cases, seconds: float) -> str:
    with tempfile.TemporaryDirectory() as pictures:
        for number, raw in enumerate(cases.raws):
            Path(pictures, f"{number:07d}").write_bytes(raw or b"")
        # The arguments are this interpreter, the bundle's own script and a folder that was just made.
        command = [sys.executable, "-I", str(script), "--json", pictures]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise ProblemError(Problem(f"{SCRIPT} gave no answer within {seconds:g} s")) from None
    if done.returncode:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "")
        raise ProblemError(Problem(f"{SCRIPT} ended with exit code {done.returncode} ({last})"))
    return done.stdout


def _values(entry: OutputEntry, lines: list[dict[str, Any]]) -> np.ndarray:
    import numpy as np

    rows = [line["outputs"][entry.name] for line in lines]
    return np.array(rows, np.float64).reshape(len(rows), *entry.shape[1:])
