"""The lines of Kotlin that ask MediaPipe Tasks on an Android phone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cnnpipe.attachments import Attachment
from cnnpipe.clients import client_of
from cnnpipe.manifest import Manifest

NOTICE = "// Compiled by you, not by us: these lines were never built where they were written."


class Kotlin(Attachment):
    """One file with one function; labels, size and normalization are inside the model file."""

    type: Literal["kotlin"] = "kotlin"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the Kotlin file."""
        return {"Model.kt": f"{NOTICE}\n{client_of(manifest.client).kotlin(manifest)}\n".encode()}
