"""The lines of Swift that ask MediaPipe Tasks on an iPhone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from cnnpipe.attachments import Attachment
from cnnpipe.attachments.kotlin import NOTICE
from cnnpipe.clients import client_of
from cnnpipe.manifest import Manifest


class Swift(Attachment):
    """One file with one function; labels, size and normalization are inside the model file."""

    type: Literal["swift"] = "swift"

    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the Swift file."""
        return {"Model.swift": f"{NOTICE}\n{client_of(manifest.client).swift(manifest)}\n".encode()}
