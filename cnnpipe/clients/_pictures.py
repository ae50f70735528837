"""What all clients of MediaPipe Tasks that look at pictures have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.clients import Contents
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.litert_metadata import ImageInput
from cnnpipe.manifest import Manifest

if TYPE_CHECKING:
    import numpy as np

PICTURE = "An RGB picture; the client library makes it fit."


def picture_input(contents: Contents) -> ImageInput:
    """Return the only input, with its normalization as the library computes it."""
    (name,), (scale, offset) = contents.inputs, contents.normalization or (1.0, 0.0)
    return ImageInput(name, PICTURE, (-offset / scale,), (1 / scale,))


def only_output(contents: Contents, library: str) -> tuple[str, str]:
    """Return name and meaning of the only output.

    Raises:
        ProblemError: There are several inputs or outputs.
    """
    if len(contents.inputs) != 1 or len(contents.outputs) != 1:
        message = f"MediaPipe's {library} takes one input and one output; the file has "
        raise ProblemError(Problem(f"{message}{len(contents.inputs)} and {len(contents.outputs)}"))
    ((name, meaning),) = contents.outputs.items()
    return name, meaning


def as_picture(pixels: np.ndarray) -> Any:
    """Return uint8 pixels, `(height, width, 3)`, as the library takes them."""
    import mediapipe
    import numpy as np

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


@contextmanager
def asking(library: str, file: Path) -> Iterator[None]:
    """Turn what the library raises into a problem with the file."""
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ProblemError(Problem(f"MediaPipe's {library} refuses {file.name} ({reason})")) from None


def kotlin_lines(manifest: Manifest, imports: Sequence[str], code: Sequence[str]) -> str:
    """Return lines of Kotlin with what every application needs before them."""
    head = [
        '// In build.gradle: implementation("com.google.mediapipe:tasks-vision:0.10.26")',
        f"// {manifest.file} lies in src/main/assets.",
        "import android.content.Context",
        "import android.graphics.Bitmap",
        "import com.google.mediapipe.framework.image.BitmapImageBuilder",
    ]
    return "\n".join([*head, *(f"import {name}" for name in imports), "", *code])


def swift_lines(manifest: Manifest, code: Sequence[str]) -> str:
    """Return lines of Swift with what every application needs before them; `{path}` in them finds the file."""
    stem, _, suffix = manifest.file.rpartition(".")
    path = f'Bundle.main.path(forResource: "{stem}", ofType: "{suffix}")!'
    head = [
        "// In the Podfile: pod 'MediaPipeTasksVision'",
        f"// {manifest.file} lies in the application's bundle.",
        "import MediaPipeTasksVision",
        "import UIKit",
        "",
    ]
    return "\n".join([*head, *(line.replace("{path}", path) for line in code)])
