"""The `export` section, resolved: for each item the exporter, the tensor types and the name of its folder."""

from __future__ import annotations

from dataclasses import dataclass

from cnnpipe.exporters import Exporter, Quantization, TensorType
from cnnpipe.recipe.schema import Export, Recipe


@dataclass(frozen=True)
class PlannedExport:
    """One file to write.

    Args:
        number: Position in the recipe's `export` list.
        name: Name of its folder: target and quantization.
        target: The target's `type`.
        exporter: Who writes and runs the file.
        quantization: What happens to weights and activations.
        input_type: Type of the input tensors.
        output_type: Type of the output tensors.
        max_drop: How much of the headline metric it may lose; None for no gate.
        calibration_examples: Training examples for calibration.
    """

    number: int
    name: str
    target: str
    exporter: Exporter
    quantization: Quantization
    input_type: TensorType
    output_type: TensorType
    max_drop: float | None
    calibration_examples: int

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
        name=f"{export.target.type}-{export.quantization}",
        target=export.target.type,
        exporter=export.format or export.target.format,
        quantization=export.quantization,
        input_type=export.input_type or wish,
        output_type=export.output_type or wish,
        max_drop=export.max_drop,
        calibration_examples=export.calibration_examples,
    )
