"""A predict.py that runs the file on Linux with ai-edge-litert, numpy and pillow alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cnnpipe.attachments import Attachment
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import Manifest

SCRIPT = "predict.py"


class PredictScript(Attachment):
    """Reads bundle.json, makes pixels of pictures as it states, runs the file and prints labels and probabilities."""

    type: Literal["predict_script"] = "predict_script"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the script, the same for every file that takes one picture.

        Raises:
            ProblemError: The file takes something else.
        """
        kind = manifest.preprocessing.steps.get("type")
        if kind != "image" or len(manifest.inputs) != 1:
            message = f"{SCRIPT} feeds one picture; the file takes {len(manifest.inputs)} of '{kind}'"
            raise ProblemError(Problem(message))
        return {SCRIPT: Path(__file__).with_name("_predict.py").read_bytes()}
