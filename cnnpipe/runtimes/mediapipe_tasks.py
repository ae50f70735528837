"""MediaPipe Tasks, the library that phones ask, in its Python form: the file and raw pictures are all that it gets."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.clients import client_of, contents_of
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import TensorFacts
from cnnpipe.manifest import Manifest
from cnnpipe.preprocessing.image import opaque_picture
from cnnpipe.runtimes import Answers, Bounds, Cases, Runtime

if TYPE_CHECKING:
    import numpy as np


class MediapipeTasks(Runtime):
    """MediaPipe Tasks for Python, on the processor of this host.

    Pictures are decoded as an application does it: upright, transparency on the background of the recipe, RGB. What
    follows is the library's own: size, normalization by the metadata, the file, labels from inside the file.
    """

    type: Literal["mediapipe_tasks"] = "mediapipe_tasks"

    title: ClassVar[str] = "MediaPipe Tasks"
    feeds_on: ClassVar[Literal["stored", "raw"]] = "raw"
    clients: ClassVar[tuple[str, ...] | None] = ("image_classifier", "image_segmenter", "object_detector")
    bounds: ClassVar[Bounds] = Bounds(steps=None, score=0.005, decisions=False)

    def missing(self) -> str:
        """Return why it cannot be run here."""
        if importlib.util.find_spec("mediapipe"):
            return ""
        return "the package mediapipe is not installed: pip install 'cnnpipe[phone]'"

    def run(self, folder: Path, manifest: Manifest, cases: Cases) -> Answers:
        """Let the library answer raw pictures.

        Raises:
            ProblemError: It refuses the file, or calls the classes otherwise; or a picture cannot be read.
        """
        client = client_of(manifest.client)
        background = manifest.preprocessing.spec.get("background", 255)
        pictures = [_decoded(raw, background) for raw in cases.raws]
        outputs = [TensorFacts(one.name, one.shape, one.dtype, one.scale, one.zero_point) for one in manifest.outputs]
        metadata = client.metadata(contents_of(manifest))
        with _without_tensorflow():
            found = client.answers(folder / Path(manifest.file).name, pictures, outputs, metadata)
        return Answers(found, {"version": version("mediapipe")})


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    """Hide TensorFlow: the library would import all of it, for seconds, to mark its documentation; else it does not."""
    hidden = "tensorflow" not in sys.modules
    if hidden:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["tensorflow"]


def _decoded(raw: Any, background: int) -> np.ndarray:
    import numpy as np

    if raw is None:
        raise ProblemError(Problem("an example is no picture, and MediaPipe Tasks takes nothing else"))
    try:
        return np.asarray(opaque_picture(raw, background).convert("RGB"))
    except ValueError as error:
        raise ProblemError(Problem(f"an example cannot be read ({error})")) from error
