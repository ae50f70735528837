"""The `export` section, resolved: for each item the exporter, the tensor types and the name of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from cnnpipe.errors import Problem
from cnnpipe.exporters import Exporter, Granularity, Quantization, TensorType
from cnnpipe.graph import Graph
from cnnpipe.graph.affine import input_affine
from cnnpipe.graph.color import CHANNELS, with_color_input
from cnnpipe.recipe.schema import CalibrationChoice, Export, Recipe
from cnnpipe.targets import Target
from cnnpipe.task import Task

WEIGHTS_OF_8_BITS: frozenset[Quantization] = frozenset({"int8", "int16x8", "dynamic_range"})
LADDER: tuple[Quantization, ...] = ("int8", "int16x8", "dynamic_range", "float16")
"""What a ladder may end with, in the order in which it is tried."""


def _unchanged(graph: Graph) -> Graph:
    return graph


@dataclass(frozen=True)
class PlannedExport:
    """One file to write.

    Args:
        number: Position in the recipe's `export` list.
        name: Name of its folder: the target's label and quantization, or `ladder`.
        device: The target.
        exporter: Who writes and runs the file.
        quantization: What happens to weights and activations; of a ladder, of this rung of it.
        input_type: Type of the input tensors.
        output_type: Type of the output tensors.
        granularity: Whether int8 weights have a scale for each output channel.
        max_drop: How much of the headline metric it may lose; None for no gate.
        max_bytes: How large the file may be; None for no gate.
        max_arena: How large its arena in LiteRT Micro may be, in bytes; None for no gate beside the board's own.
        calibration_examples: Training examples for calibration.
        calibration_choice: Which ones.
        asked: The recipe's item.
        kept_float: Tensors, by the names that the converter gives them, whose operators compute in float.
        corrected_biases: Whether biases of an int8 file take off what rounded weights add to their channels.
        finished: Returns a network with what the file computes behind it.
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
    calibration_choice: CalibrationChoice
    asked: Export
    kept_float: tuple[str, ...] = ()
    corrected_biases: bool = False
    finished: Callable[[Graph], Graph] = _unchanged

    @property
    def ladder(self) -> bool:
        """Whether other quantizations are tried when this one loses too much."""
        return self.asked.quantization == "ladder"

    @property
    def target(self) -> str:
        """The target's `type`."""
        return self.device.type

    @property
    def path(self) -> str:
        """Dotted recipe path of the item."""
        return f"export.{self.number}"

    @property
    def postprocessing(self) -> str | None:
        """What the file computes behind the network, if anything."""
        return self.asked.postprocessing

    def tried(self, rung: Quantization) -> PlannedExport:
        """Return this with another quantization, as a rung of a ladder."""
        return replace(planned_export(self.number, self.asked, rung), finished=self.finished)


def planned_exports(recipe: Recipe) -> tuple[PlannedExport, ...]:
    """Return the exports of a checked recipe, with the target's wishes where the recipe says nothing."""
    plans = (planned_export(number, export) for number, export in enumerate(recipe.export))
    return tuple(_with_postprocessing(plan, recipe.task) for plan in plans)


def _with_postprocessing(export: PlannedExport, task: Task) -> PlannedExport:
    if export.postprocessing is None:
        return export
    return replace(export, finished=partial(task.postprocessed, name=export.postprocessing))


def planned_export(number: int, export: Export, rung: Quantization | None = None) -> PlannedExport:
    """Return one export of a checked recipe.

    Args:
        number: Its position in the recipe's `export` list.
        export: What the recipe says.
        rung: Of a ladder, which quantization is tried; the first that target and format know when left out.
    """
    chosen = rung or _first(export)
    wish = type(export.target).input_types[chosen]
    return PlannedExport(
        number=number,
        name=export_name(export),
        device=export.target,
        exporter=export.format or export.target.format,
        quantization=chosen,
        input_type=export.input_type or wish,
        output_type=export.output_type or wish,
        granularity=export.granularity or export.target.granularity,
        max_drop=export.max_drop,
        max_bytes=export.max_bytes,
        max_arena=export.max_arena,
        calibration_examples=export.calibration_examples,
        calibration_choice=export.calibration_choice,
        corrected_biases=export.corrected_biases and chosen == "int8",
        asked=export,
    )


def possible_rungs(export: PlannedExport) -> tuple[PlannedExport, ...]:
    """Return what an export may become: of a ladder, each quantization that target and format know; else itself."""
    if not export.ladder:
        return (export,)
    fitting = [rung for rung in LADDER if not any(unfit(export.asked, rung))]
    return tuple(export.tried(rung) for rung in fitting)


def export_name(export: Export) -> str:
    """Return the name of the folder: target's label, quantization, an unusual format, and postprocessing if any."""
    exporter = export.format or export.target.format
    usual = type(export.target).model_fields["format"].get_default(call_default_factory=True)
    format_name = "" if exporter.type == usual.type else f"-{exporter.type}"
    behind = f"-{export.postprocessing}" if export.postprocessing else ""
    return f"{export.target.label}-{export.quantization}{format_name}{behind}"


def _first(export: Export) -> Quantization:
    if export.quantization != "ladder":
        return export.quantization
    return next(rung for rung in LADDER if not any(unfit(export, rung)))


def unfit(export: Export, quantization: Quantization) -> Iterator[Problem]:
    """Yield why a target or its format cannot have a quantization, each at the key (without the item's own path)."""
    target = export.target
    exporter: Exporter = export.format or target.format
    if target.formats and exporter.type not in target.formats:
        yield Problem(
            f"the target '{target.type}' cannot read the format '{exporter.type}'",
            path="format" if export.format else "target.format",
            hint=f"It reads {', '.join(target.formats)}.",
        )
    if quantization not in target.input_types:
        yield Problem(
            f"the target '{target.type}' cannot run '{quantization}'",
            path="quantization",
            hint=f"It runs {', '.join(target.input_types)}.",
        )
    elif quantization not in exporter.types:
        yield Problem(
            f"the format '{exporter.type}' cannot hold '{quantization}'",
            path="quantization",
            hint=f"It holds {', '.join(exporter.types)}.",
        )
    elif _one_scale(export) and quantization in WEIGHTS_OF_8_BITS - exporter.per_tensor:
        yield Problem(
            f"the format '{exporter.type}' holds '{quantization}' only with a scale for each channel",
            path="granularity",
            hint="Write 'per_channel'.",
        )
    for key in ("input_type", "output_type"):
        wanted, possible = getattr(export, key), exporter.types.get(quantization, ())
        if wanted is not None and possible and wanted not in possible:
            yield Problem(
                f"a file with quantization '{quantization}' cannot have the {key} '{wanted}'",
                path=key,
                hint=f"It can have {', '.join(possible)}.",
            )


def _one_scale(export: Export) -> bool:
    return (export.granularity or export.target.granularity) == "per_tensor"


def carried_normalization(export: PlannedExport, graph: Graph) -> tuple[float, float] | None:
    """Return the normalization that the file's input tensor carries as its scale and zero point, or None.

    It can where the input is int8 or uint8, the normalization is one scale and offset, and zero lies in its range: else
    the converter would widen the range, and the operator stays in the file.
    """
    affine = input_affine(graph)
    if affine is None or export.input_type not in ("int8", "uint8"):
        return None
    scale, offset = affine
    if isinstance(scale, tuple) or isinstance(offset, tuple):
        return None
    return (scale, offset) if scale > 0 and offset <= 0 <= 255 * scale + offset else None


def client_graph(export: PlannedExport, graph: Graph) -> Graph:
    """Return the network that is exported, with what the file computes behind it.

    One of gray pictures takes colour where the client feeds nothing else.
    """
    return export.finished(with_color_input(graph) if export.device.client_channels == CHANNELS else graph)
