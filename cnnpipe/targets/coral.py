"""Coral boards with an Edge TPU: int8 only; the compiler, which you run, is frozen since 2021."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.program import Program
from cnnpipe.targets import Misfit, Target
from cnnpipe.targets._edge_tpu import unmapped
from cnnpipe.targets._on_board import litert


class Coral(Target):
    """A board or USB stick with an Edge TPU.

    The exported file is what `edgetpu_compiler` takes. That compiler (16.0, 2021, x86-64 Linux) is the last one and may
    not be passed on, so you run it; what it will map is predicted from its published table of operators.
    """

    also_called: ClassVar[tuple[str, ...]] = (
        "edgetpu",
        "edge_tpu",
        "tpu",
        "google_coral",
        "coral_dev_board",
        "pycoral",
    )
    type: Literal["coral"] = "coral"
    format: AnyExporter = Field(default_factory=litert)
    """The file format."""

    title: ClassVar[str] = "Coral boards with an Edge TPU (compiler frozen since 2021)"
    input_types: ClassVar[Mapping[Quantization, TensorType]] = {"int8": "int8"}
    formats: ClassVar[tuple[str, ...]] = ("litert",)
    builtins_only: ClassVar[bool] = True

    def misfits(self, program: Program, quantization: Quantization) -> Iterator[Misfit]:
        """Yield the first operator that the Edge TPU does not run: it sends itself and all after it to the CPU."""
        if found := unmapped(program):
            position, reason = found
            after = len(program.operators) - position - 1
            kept = sum(operator.macs for operator in program.operators[:position]) / max(program.macs, 1)
            message = (
                f"the Edge TPU leaves {program.operators[position].name}, which {reason}, and the {after} operators "
                f"after it to the CPU, and keeps {kept:.0%} of the multiply-adds"
            )
            yield Misfit(message, "Use another operator there, or put it last.", position, "warning")

    def accelerated(self, program: Program) -> int:
        """Return how many operators the Edge TPU runs."""
        found = unmapped(program)
        return found[0] if found else len(program.operators)
