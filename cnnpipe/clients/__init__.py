"""Kinds of client (`Signature.client`) as a phone's library knows them: MediaPipe Tasks. One file each.

A client says what its library wants to read inside a file, asks that library's own Python form, and tells the lines of
Kotlin and Swift that ask it on a phone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import TensorFacts
from cnnpipe.litert_metadata import Metadata
from cnnpipe.manifest import Manifest
from cnnpipe.registry import Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Contents:
    """What a client library is told about a file.

    Args:
        name: What the model is called.
        inputs: Names of its inputs, in the file's order.
        normalization: Scale and offset that the input tensor carries; None when the network normalizes, or nothing.
        outputs: Tensor name to what it holds, in the file's order.
        shapes: Tensor name to the shape of an output, without the batch.
        class_names: The class names in their fixed order; None when there are none.
        decoding: What else makes answers of the outputs, as `Signature.decoding` says.
    """

    name: str
    inputs: Sequence[str]
    normalization: tuple[float, float] | None
    outputs: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    class_names: tuple[str, ...] | None
    decoding: Mapping[str, Any] = field(default_factory=dict)


class Client(Spec):
    """Base of all clients."""

    type: str

    @abstractmethod
    def metadata(self, contents: Contents) -> Metadata:
        """Return what the library wants to read inside the file.

        Raises:
            ProblemError: The library has no client for such a file; says why.
        """

    @abstractmethod
    def answers(
        self, file: Path, pictures: Sequence[np.ndarray], outputs: Sequence[TensorFacts], metadata: Metadata
    ) -> dict[str, np.ndarray]:
        """Let the library's Python form answer pictures. Runs in a process of its own.

        Args:
            file: The model file.
            pictures: RGB of any size, uint8, `(height, width, 3)`: what decoding gives.
            outputs: The file's outputs.
            metadata: What the file should say about itself.

        Returns:
            Real values by tensor name, batch axis first, in the order of the tensor.

        Raises:
            ProblemError: The library refuses the file, or does not call a class as the file does.
        """

    @abstractmethod
    def kotlin(self, manifest: Manifest) -> str:
        """Return the lines that ask the library in an Android application."""

    @abstractmethod
    def swift(self, manifest: Manifest) -> str:
        """Return the lines that ask the library in an iOS application."""


ROOM = Room("clients", Client)


def client_of(kind: str) -> Client:
    """Return the client of a kind.

    Raises:
        ProblemError: The library has none.
    """
    if kind not in ROOM.files():
        known = ", ".join(ROOM.names())
        raise ProblemError(Problem(f"MediaPipe Tasks has no client '{kind}' here", hint=f"Known: {known}."))
    found = ROOM.load(kind).model_validate({"type": kind})
    assert isinstance(found, Client)  # noqa: S101
    return found


def contents_of(manifest: Manifest) -> Contents:
    """Return what the client library is told about the file of a bundle."""
    (first, *_) = manifest.inputs
    stated = first.normalization
    carried = None
    if stated is not None and stated.carried_by == "input tensor":
        if isinstance(stated.scale, tuple) or isinstance(stated.offset, tuple):
            raise ProblemError(Problem(f"the input tensor '{first.name}' cannot carry a normalization of each channel"))
        carried = stated.scale, stated.offset
    return Contents(
        name=str(manifest.origin.get("recipe", manifest.client)),
        inputs=[entry.name for entry in manifest.inputs],
        normalization=carried,
        outputs={entry.name: entry.meaning for entry in manifest.outputs},
        shapes={entry.name: tuple(entry.shape[1:]) for entry in manifest.outputs},
        class_names=manifest.class_names,
        decoding=manifest.decoding,
    )
