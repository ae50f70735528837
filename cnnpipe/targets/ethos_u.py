"""Microcontrollers with an Arm Ethos-U: int8; Arm's compiler Vela tells what the NPU runs, where it is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.exporters import AnyExporter, Quantization, TensorType
from cnnpipe.program import Program
from cnnpipe.targets import Misfit, Target
from cnnpipe.targets._lite_rt_micro import missing_operators
from cnnpipe.targets._on_board import litert

Accelerator = Literal[
    "ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u65-512", "ethos-u85-128",
    "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024", "ethos-u85-2048",
]  # fmt: skip


class EthosU(Target):
    """A microcontroller with an Ethos-U beside its Cortex-M.

    The exported file is what Vela takes; without Vela it runs in LiteRT Micro on the Cortex-M alone.
    """

    also_called: ClassVar[tuple[str, ...]] = (
        "ethos",
        "vela",
        "npu",
        "ethosu",
        "ethos_u55",
        "ethos_u65",
        "ethos_u85",
        "u55",
    )
    type: Literal["ethos_u"] = "ethos_u"
    accelerator: Accelerator = "ethos-u55-128"
    """Vela's name of the NPU: its family and its multiply-adds for each cycle."""
    format: AnyExporter = Field(default_factory=litert)
    """The file format."""

    title: ClassVar[str] = "Microcontrollers with an Arm Ethos-U"
    input_types: ClassVar[Mapping[Quantization, TensorType]] = {"int8": "int8", "int16x8": "int16"}
    formats: ClassVar[tuple[str, ...]] = ("litert",)
    has_arena: ClassVar[bool] = True
    runtimes: ClassVar[tuple[str, ...]] = ("litert_micro", "vela")

    @property
    def label(self) -> str:
        """Its type and the NPU, as in `ethos_u-u55-128`."""
        return f"{self.type}-{self.accelerator.removeprefix('ethos-')}"

    def misfits(self, program: Program, quantization: Quantization) -> Iterator[Misfit]:
        """Yield what LiteRT Micro lacks: an operator that neither it nor the NPU knows cannot run."""
        return missing_operators(program)
