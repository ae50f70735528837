"""Runtimes of devices, on this host: each runs an exported file as the device's own client would. One file each.

A runtime that is not installed says so, and what it would have proven is reported as `not run`, never as passed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.manifest import Manifest, Memory
from cnnpipe.registry import Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Cases:
    """Examples to be answered.

    Args:
        stored: Inputs as the file stores them, by tensor name, batch axis first.
        raws: The raw examples before preprocessing: contents of image files. None for one that has no such form. Empty
            when the runtime feeds on stored inputs.
    """

    stored: Mapping[str, np.ndarray]
    raws: Sequence[bytes | None] = ()


@dataclass(frozen=True)
class Answers:
    """What a runtime said.

    Args:
        outputs: By tensor name, batch axis first: stored values when it feeds on stored inputs, else real ones.
        facts: What it measured beside them, as plain values: `arena_bytes`, `version`, …
        reference: What LiteRT says with the kernels that this runtime is to agree with, in the form of `outputs`; None
            when it is to agree with what LiteRT says by default.
    """

    outputs: Mapping[str, np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Bounds:
    """What a proof allows.

    Args:
        steps: Largest difference to LiteRT's stored outputs in steps of the output tensor; for a float output in
            multiples of 1e-4 of its magnitude. None when only the score is compared.
        score: How far the headline metric may be from that of the exported file in LiteRT (as a share), on the same
            examples.
        decisions: Whether every prediction must be the same.
    """

    steps: float | None
    score: float
    decisions: bool


class Runtime(Spec):
    """Base of all runtimes."""

    type: str
    title: ClassVar[str]
    """What reports call it, such as `LiteRT Micro`."""
    feeds_on: ClassVar[Literal["stored", "raw"]]
    """Whether it is given stored inputs, or raw examples that its own client preprocesses."""
    clients: ClassVar[tuple[str, ...] | None] = None
    """The kinds of client (`Signature.client`) that it can play; None for all."""
    bounds: ClassVar[Bounds]
    """What its proof allows."""
    answers: ClassVar[bool] = True
    """Whether it answers examples; else it only takes the file or refuses it, and measures: it gets no cases."""
    seconds: ClassVar[float] = 600.0
    """Longest time for one call of `run`; the child process is ended then."""

    @abstractmethod
    def missing(self) -> str:
        """Return why it cannot be run here, as in `the package tflite-micro is not installed`; empty when it can."""

    def memory(self, file: Path) -> Memory | None:
        """Return what a file takes of the arena; None for a runtime that has none. Runs in a child process.

        Raises:
            ProblemError: The file is damaged, or the runtime refuses it.
        """
        return None

    @abstractmethod
    def run(self, folder: Path, manifest: Manifest, cases: Cases) -> Answers:
        """Answer the cases with nothing but the files of a bundle. Runs in a child process of its own.

        Raises:
            ProblemError: The runtime refuses the file, or what the bundle says of it is not true there.
        """


ROOM = Room("runtimes", Runtime)
