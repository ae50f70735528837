"""Attachments: what is written into a bundle beside the model file, for one kind of client. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

from cnnpipe.manifest import Manifest
from cnnpipe.registry import Room
from cnnpipe.spec import Spec


class Attachment(Spec):
    """Base of all attachments."""

    type: str

    @abstractmethod
    def files(self, folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
        """Return the contents to write by their names in the bundle, from what the bundle already holds.

        The same bundle gives the same bytes.

        Args:
            folder: The bundle: model file, labels and samples are there.
            manifest: What bundle.json will say; its list of files is still empty.

        Raises:
            ProblemError: They cannot be made of this model; says why.
        """


ROOM = Room("attachments", Attachment)
