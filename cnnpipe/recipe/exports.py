"""The `export` section, resolved: for each item the exporter, the tensor types and the name of its folder."""

from __future__ import annotations

from dataclasses import dataclass

from cnnpipe.exporters import Exporter, Quantization, TensorType
from cnnpipe.recipe.schema import Export, Recipe
from cnnpipe.targets import Granularity, Target


@dataclass(frozen=True)
class PlannedExport:
    """One file to write.

    Args:
        number: Position in the recipe's `export` list.
        name: Name of its folder: the target's label and quantization.
        device: The target.
        exporter: Who writes and runs the file.
        quantization: What happens to weights and activations.
        input_type: Type of the input tensors.
        output_type: Type of the output tensors.
        granularity: Whether int8 weights have a scale for each output channel.
        max_drop: How much of the headline metric it may lose; None for no gate.
        max_bytes: How large the file may be; None for no gate.
        max_arena: How large its arena in LiteRT Micro may be, in bytes; None for no gate beside the board's own.
        calibration_examples: Training examples for calibration.
    """

    number: int
    name: str
    device: Target
    exporter: Exporter
    quantization: Quantization
    input_type: TensorType
    output_type: TensorType
    granularity: Granularity
    max_drop: float | None
    max_bytes: int | None
    max_arena: int | None
    calibration_examples: int

    @property
    def target(self) -> str:
        """The target's `type`."""
        return self.device.type

    @property
    def path(self) -> str:
        """Dotted recipe path of the item."""
        return f"export.{self.number}"


def planned_exports(recipe: Recipe) -> tuple[PlannedExport, ...]:
    """Return the exports of a checked recipe, with the target's wishes where the recipe says nothing."""
    return tuple(planned_export(number, export) for number, export in enumerate(recipe.export))


def planned_export(number: int, export: Export) -> PlannedExport:
    """Return one export of a checked recipe."""
    wish = type(export.target).input_types[export.quantization]
    return PlannedExport(
        number=number,
        name=f"{export.target.label}-{export.quantization}",
        device=export.target,
        exporter=export.format or export.target.format,
        quantization=export.quantization,
        input_type=export.input_type or wish,
        output_type=export.output_type or wish,
        granularity=export.granularity or export.target.granularity,
        max_drop=export.max_drop,
        max_bytes=export.max_bytes,
        max_arena=export.max_arena,
        calibration_examples=export.calibration_examples,
    )
